// Package data turns files into records and records into batches. A record never knows a tensor: what leaves this
// package for the engine are slices of token numbers and weights.
//
// Reading order: Record (what everything is about), Reading (files to records), WriteDataset (records on disk between
// stages), Dedup and Expr (which records stay), Plan (records to batches).
package data

// Package c holds the header of the software development kit for C, which has no registry to be had from.
package c

import _ "embed"

// Header is carebot.h.
//
//go:embed carebot.h
var Header []byte

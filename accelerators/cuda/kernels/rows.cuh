// Rows that a launch goes through piece by piece. Kernels are compiled once for operands of which all pieces are whole,
// and once for any others.
#pragma once
#include "piece.cuh"

// A Place is where a thread works in a launch over rows, of which each has the same number of blocks, chunks, and
// each thread one piece.
struct Place {
	u64 row;
	u64 piece; // in the row; it may lie behind its end
};

DEVICE Place place(u32 chunks) { return {blockIdx.x / chunks, (u64)(blockIdx.x % chunks) * blockDim.x + threadIdx.x}; }

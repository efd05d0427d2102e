// Sums of products over vectors of n elements, in two stages, both in f64 and in an order that only n decides: block b
// of the first stage sums the tiles b, b+blocks, b+2*blocks ... of 4096 elements, the second stage sums the blocks'
// sums.
// hot: dot_parts squares_parts
#include "tile.cuh"

// block_total is the sum over a block of TILE_THREADS threads, in thread 0.
DEVICE double block_total(double x) {
	__shared__ double parts[TILE_THREADS / 32];
	for (int lanes = 16; lanes > 0; lanes /= 2) x += __shfl_xor_sync(0xffffffff, x, lanes);
	if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = x;
	__syncthreads();
	double sum = 0;
	for (int w = 0; w < TILE_THREADS / 32; w++) sum += parts[w];
	return sum;
}

// parts[b] is block b's part of sum(a*b). A product of two floats is exact in f64.
KERNEL void __launch_bounds__(TILE_THREADS) dot_parts(double *parts, const float *a, const float *b, u64 n) {
	const u64 size = 16 * TILE_THREADS;
	double sum = 0;
	for (u64 at = blockIdx.x * size; at < n; at += gridDim.x * size) {
		float x[16], y[16];
		fetch(x, a + at, n - at);
		fetch(y, b + at, n - at);
#pragma unroll
		for (int e = 0; e < 16; e++) sum += (double)x[e] * (double)y[e];
	}
	sum = block_total(sum);
	if (threadIdx.x == 0) parts[blockIdx.x] = sum;
}
REGISTER(dot_parts)

// The same of sum(x*x).
KERNEL void __launch_bounds__(TILE_THREADS) squares_parts(double *parts, const float *x, u64 n) {
	const u64 size = 16 * TILE_THREADS;
	double sum = 0;
	for (u64 at = blockIdx.x * size; at < n; at += gridDim.x * size) {
		float own[16];
		fetch(own, x + at, n - at);
#pragma unroll
		for (int e = 0; e < 16; e++) sum += (double)own[e] * (double)own[e];
	}
	sum = block_total(sum);
	if (threadIdx.x == 0) parts[blockIdx.x] = sum;
}
REGISTER(squares_parts)

// out[0] = sum(parts), by one block.
KERNEL void sum_parts(float *out, const double *parts, u32 n) {
	double sum = 0;
	for (u32 i = threadIdx.x; i < n; i += TILE_THREADS) sum += parts[i];
	sum = block_total(sum);
	if (threadIdx.x == 0) out[0] = (float)sum;
}
REGISTER(sum_parts)

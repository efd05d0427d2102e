// What the kernels of products C [M,N] = alpha*op(A) op(B) + beta*C have in common. Matrices are row-major.
#pragma once
#include "piece.cuh"

// The types of a product's operands, one bit each: set where it is bf16, else it is f32.
enum { BF16_A = 1, BF16_B = 2, BF16_C = 4 };

// An Output is C, or the sums of a share of K, which are added up later (product_sum).
struct Output {
	void *c;
	bool is_bf16;
	int m, n;
	i64 stride;
	float alpha, beta;
};

// blend is c = alpha*sums + beta*c for the first count of eight elements; with beta 0 the old c is not read.
template <class T>
DEVICE void blend(T *c, const float sums[8], int count, float alpha, float beta) {
	float x[8] = {};
	if (beta != 0) load_eight(x, c, count);
#pragma unroll
	for (int i = 0; i < 8; i++) x[i] = alpha * sums[i] + beta * x[i];
	store_eight(c, x, count);
}

// put writes eight sums of a row of C, as far as they lie within it.
DEVICE void put(const Output &out, int row, int column, const float sums[8]) {
	if (row >= out.m || column >= out.n) return;
	i64 at = row * out.stride + column;
	int count = out.n - column;
	if (out.is_bf16) blend((bf16 *)out.c + at, sums, count, out.alpha, out.beta);
	else blend((float *)out.c + at, sums, count, out.alpha, out.beta);
}

// A Place is the tile of C that a block computes. Neighbouring blocks, which run at the same time, compute a patch
// eight tiles high, so that the rows of A and the columns of B that they read are few enough to stay in the cache.
struct Place {
	int row, column;
};

DEVICE Place place_of(u32 block, int m, int n, int size) {
	const int PATCH = 8;
	int rows = (m + size - 1) / size, columns = (n + size - 1) / size;
	int patch = block / (PATCH * columns), within = block % (PATCH * columns);
	int height = min(rows - patch * PATCH, PATCH);
	return {(patch * PATCH + within % height) * size, within / height * size};
}

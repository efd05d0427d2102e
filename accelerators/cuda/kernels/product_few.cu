// Products with few rows, as decoding has: C [M,N] = alpha*A [M,K] B [N,K]^T + beta*C for M up to 8. B is read once,
// and nothing else costs: what counts is how many bytes are on their way. And what other products need around theirs.
//
// hot: product_few_*
#include "product.cuh"

// COLUMNS is how many rows of B a warp takes: each number of A that it reads, from the cache, serves so many. Of each
// a lane has 64 bytes on their way at a time: four eights of bf16, two of f32.
enum { COLUMNS = 2, LANES = 32 };

DEVICE float round_bf16(float x) { return __uint_as_float(bf16_pair(0, x) & 0xffff0000); }

// The flags of a launch, besides BF16_C: whether A and B are rounded to bf16, and whether all their lines are whole
// eights on boundaries of 16 bytes.
enum { ROUND = 1, FAST = 2 };

// A Few is a product of ROWS rows, of which there may be less: the last is then computed again, and not written.
template <class T>
struct Few {
	const T *a;
	i64 stride_a;
	const T *b[COLUMNS];
	int m, k;
	bool round; // A and B, to bf16
};

// add_chunk adds the products of eight of K, of which count are there, to a lane's sums.
template <int ROWS, bool WHOLE, class T>
DEVICE void add_chunk(float (&sums)[ROWS][COLUMNS], const Few<T> &f, int k) {
	float y[COLUMNS][8];
	auto load = [&](float *to, const T *from) {
		if (WHOLE) unpack(to, read(from));
		else load_eight(to, from, f.k - k);
		if (!f.round) return;
#pragma unroll
		for (int i = 0; i < 8; i++) to[i] = round_bf16(to[i]);
	};
#pragma unroll
	for (int j = 0; j < COLUMNS; j++) load(y[j], f.b[j] + k);
#pragma unroll
	for (int row = 0; row < ROWS; row++) {
		float x[8];
		load(x, f.a + min(row, f.m - 1) * f.stride_a + k);
#pragma unroll
		for (int j = 0; j < COLUMNS; j++)
#pragma unroll
			for (int i = 0; i < 8; i++) sums[row][j] += x[i] * y[j][i];
	}
}

template <int ROWS, bool WHOLE, class T>
DEVICE void add_all(float (&sums)[ROWS][COLUMNS], const Few<T> &f) {
#pragma unroll (8 / sizeof(T))
	for (int k = threadIdx.x % LANES * 8; k < f.k; k += LANES * 8) add_chunk<ROWS, WHOLE>(sums, f, k);
}

template <class T>
DEVICE void blend_one(T *c, float sum, float alpha, float beta) {
	narrow(c, alpha * sum + (beta != 0 ? beta * widen(*c) : 0));
}

// Lane l writes what is left to it: row l/COLUMNS, column l%COLUMNS of the warp's.
template <int ROWS>
DEVICE void write(const Output &out, int column, const float (&sums)[ROWS][COLUMNS]) {
	int lane = threadIdx.x % LANES, row = lane / COLUMNS;
	float mine = 0;
#pragma unroll
	for (int i = 0; i < ROWS * COLUMNS; i++) {
		float sum = warp_sum(sums[i / COLUMNS][i % COLUMNS]);
		if (i == lane) mine = sum;
	}
	column += lane % COLUMNS;
	if (row >= out.m || column >= out.n) return;
	i64 at = row * out.stride + column;
	if (out.is_bf16) blend_one((bf16 *)out.c + at, mine, out.alpha, out.beta);
	else blend_one((float *)out.c + at, mine, out.alpha, out.beta);
}

#define FEW(name, T, ROWS)                                                                                             \
	KERNEL void __launch_bounds__(128, ROWS == 1 ? 4 : 3) name(void *c, const T *a, const T *b, int m, int n, int k,   \
		i64 stride_a, i64 stride_b, i64 stride_c, float alpha, float beta, int flags) {                                \
		int column = thread_number() / LANES * COLUMNS;                                                                \
		if (column >= n) return;                                                                                       \
		const T *next = b + min(column + 1, n - 1) * stride_b;                                                         \
		Few<T> f = {a, stride_a, {b + column * stride_b, next}, m, k, (flags & ROUND) != 0};                           \
		float sums[ROWS][COLUMNS] = {};                                                                                \
		if (flags & FAST) add_all<ROWS, true>(sums, f);                                                                \
		else add_all<ROWS, false>(sums, f);                                                                            \
		write<ROWS>({c, (flags & BF16_C) != 0, m, n, stride_c, alpha, beta}, column, sums);                            \
	}                                                                                                                  \
	REGISTER(name)

FEW(product_few_1_f32, float, 1)
FEW(product_few_2_f32, float, 2)
FEW(product_few_4_f32, float, 4)
FEW(product_few_8_f32, float, 8)
FEW(product_few_1_bf16, bf16, 1)
FEW(product_few_2_bf16, bf16, 2)
FEW(product_few_4_bf16, bf16, 4)
FEW(product_few_8_bf16, bf16, 8)

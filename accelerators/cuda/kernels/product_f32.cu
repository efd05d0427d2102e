// Products in f32: C [M,N] = alpha*op(A) op(B) + beta*C, without tensor cores, which would round A and B.
//
// A block computes a tile of C of 128 x 128, or 64 x 64 where there are too few of those, each thread 8 x 8 of it: for
// 16 numbers from shared memory it multiplies 64 times. K advances in steps of DEPTH; the next step's numbers are on
// their way to registers while this one's are multiplied, and two buffers of shared memory take turns. Each element of
// C is one chain of sums in the order of K; gridDim.z shares of K as in product.cu.
//
// hot: product_f32_*n product_f32_*_nt
#include "product.cuh"

enum { DEPTH = 8 };

// An Operand is A or B as stored: lines of length elements, stride apart. It is deep where K runs along its lines.
struct Operand {
	const float *x;
	int lines, length;
	i64 stride;
};

DEVICE float4 load_four(const float *from, int count) {
	if (count >= 4 && aligned(from)) return *(const float4 *)from;
	return {count > 0 ? from[0] : 0, count > 1 ? from[1] : 0, count > 2 ? from[2] : 0, count > 3 ? from[3] : 0};
}

// A Share is what a thread fetches of a step: fours along the lines of both operands.
template <int SIZE>
struct Share {
	enum { THREADS = SIZE * SIZE / 64, FOURS = SIZE * DEPTH / 4 / THREADS };
	float4 a[FOURS], b[FOURS];
};

// across and deep are where a thread's four number i begins within a part: which row of op(X), which of K.
template <int SIZE, bool DEEP>
DEVICE void locate(int i, int *across, int *deep) {
	constexpr int CHUNKS = (DEEP ? DEPTH : SIZE) / 4;
	int number = i * Share<SIZE>::THREADS + threadIdx.x, line = number / CHUNKS, column = number % CHUNKS * 4;
	*across = DEEP ? line : column;
	*deep = DEEP ? column : line;
}

template <int SIZE, bool DEEP>
DEVICE float4 fetch(const Operand &x, int from, int k, int i) {
	int across, deep;
	locate<SIZE, DEEP>(i, &across, &deep);
	int row = DEEP ? from + across : k + deep, column = DEEP ? k + deep : from + across;
	return load_four(x.x + row * x.stride + column, row < x.lines ? x.length - column : 0);
}

// keep puts a four into a part in shared memory, which has K outermost. Lines are four longer than they need be, so
// that the rows of K that a warp writes at once begin in different banks.
template <int SIZE, bool DEEP>
DEVICE void keep(float (*part)[SIZE + 4], float4 four, int i) {
	int across, deep;
	locate<SIZE, DEEP>(i, &across, &deep);
	if (!DEEP) {
		*(float4 *)&part[deep][across] = four;
		return;
	}
	part[deep][across] = four.x, part[deep + 1][across] = four.y;
	part[deep + 2][across] = four.z, part[deep + 3][across] = four.w;
}

// A thread's eight rows, and columns, are two fours, half a tile apart, so that lanes read neighbouring fours.
template <int SIZE>
DEVICE void eight_of(float x[8], const float *line, int number) {
	float4 low = *(const float4 *)(line + 4 * number), high = *(const float4 *)(line + SIZE / 2 + 4 * number);
	x[0] = low.x, x[1] = low.y, x[2] = low.z, x[3] = low.w;
	x[4] = high.x, x[5] = high.y, x[6] = high.z, x[7] = high.w;
}

template <int SIZE>
DEVICE void multiply(float (&sums)[8][8], const float (*a)[SIZE + 4], const float (*b)[SIZE + 4]) {
	int row = threadIdx.x / (SIZE / 8), column = threadIdx.x % (SIZE / 8);
#pragma unroll
	for (int k = 0; k < DEPTH; k++) {
		float x[8], y[8];
		eight_of<SIZE>(x, a[k], row);
		eight_of<SIZE>(y, b[k], column);
#pragma unroll
		for (int i = 0; i < 8; i++)
#pragma unroll
			for (int j = 0; j < 8; j++) sums[i][j] += x[i] * y[j];
	}
}

// put_four writes four sums of a row of C, as far as they lie within it.
DEVICE void put_four(const Output &out, int row, int column, const float sums[4]) {
	if (row >= out.m || column >= out.n) return;
	float *c = (float *)out.c + row * out.stride + column, x[4] = {};
	int count = out.n - column;
	if (out.beta != 0) {
		float4 old = load_four(c, count);
		x[0] = old.x, x[1] = old.y, x[2] = old.z, x[3] = old.w;
	}
#pragma unroll
	for (int i = 0; i < 4; i++) x[i] = out.alpha * sums[i] + out.beta * x[i];
	if (count >= 4 && aligned(c)) {
		*(float4 *)c = {x[0], x[1], x[2], x[3]};
		return;
	}
#pragma unroll
	for (int i = 0; i < 4; i++)
		if (i < count) c[i] = x[i];
}

template <int SIZE>
DEVICE void write(const Output &out, Place tile, const float (&sums)[8][8]) {
	int row = tile.row + threadIdx.x / (SIZE / 8) * 4, column = tile.column + threadIdx.x % (SIZE / 8) * 4;
#pragma unroll
	for (int i = 0; i < 8; i++) {
		int line = row + i / 4 * (SIZE / 2) + i % 4;
		put_four(out, line, column, sums[i]);
		put_four(out, line, column + SIZE / 2, sums[i] + 4);
	}
}

template <int SIZE, bool DEEP_A, bool DEEP_B>
DEVICE void product(const Output &out, const Operand &a, const Operand &b, int k, int to) {
	alignas(16) __shared__ float left[2][DEPTH][SIZE + 4], right[2][DEPTH][SIZE + 4];
	Place tile = place_of(blockIdx.x, out.m, out.n, SIZE);
	Share<SIZE> next;
	auto fetch_share = [&](int k) {
#pragma unroll
		for (int i = 0; i < Share<SIZE>::FOURS; i++) {
			next.a[i] = fetch<SIZE, DEEP_A>(a, tile.row, k, i);
			next.b[i] = fetch<SIZE, DEEP_B>(b, tile.column, k, i);
		}
	};
	auto keep_share = [&](int turn) {
#pragma unroll
		for (int i = 0; i < Share<SIZE>::FOURS; i++) {
			keep<SIZE, DEEP_A>(left[turn], next.a[i], i);
			keep<SIZE, DEEP_B>(right[turn], next.b[i], i);
		}
		__syncthreads();
	};
	float sums[8][8] = {};
	fetch_share(k);
	keep_share(0);
	for (int turn = 0; k < to; k += DEPTH, turn ^= 1) {
		fetch_share(k + DEPTH);
		multiply<SIZE>(sums, left[turn], right[turn]);
		keep_share(turn ^ 1);
	}
	write<SIZE>(out, tile, sums);
}

#define PRODUCT(name, SIZE, DEEP_A, DEEP_B)                                                                            \
	KERNEL void __launch_bounds__(SIZE *SIZE / 64, SIZE / 64) name(void *c, const float *a, const float *b, int m,     \
		int n, int k, i64 stride_a, i64 stride_b, i64 stride_c, float alpha, float beta, int, int depth) {             \
		int from = blockIdx.z * depth, to = min(from + depth, k);                                                      \
		Output out = {c, false, m, n, stride_c, alpha, beta};                                                          \
		if (gridDim.z > 1) out.c = (float *)c + blockIdx.z * (m * stride_c);                                           \
		Operand left = {a, DEEP_A ? m : to, DEEP_A ? to : m, stride_a};                                                \
		Operand right = {b, DEEP_B ? n : to, DEEP_B ? to : n, stride_b};                                               \
		product<SIZE, DEEP_A, DEEP_B>(out, left, right, from, to);                                                     \
	}                                                                                                                  \
	REGISTER(name)

// The letters say which operands are transposed.
#define PRODUCTS(letters, DEEP_A, DEEP_B)                       \
	PRODUCT(product_f32_128_##letters, 128, DEEP_A, DEEP_B) \
	PRODUCT(product_f32_64_##letters, 64, DEEP_A, DEEP_B)

PRODUCTS(nn, true, false)
PRODUCTS(nt, true, true)
PRODUCTS(tn, false, false)
PRODUCTS(tt, false, true)

// Products in bfloat16 on tensor cores: C [M,N] = alpha*op(A) op(B) + beta*C with A and B rounded to bf16, sums in
// f32.
//
// A block of four warps computes a tile of C of 128 x 128, or 64 x 64 where there are too few of those. Each warp
// holds a quarter in registers: with 64 x 64 to a warp a step of 16 of K reads 4 KiB of shared memory for 64
// instructions of mma.m16n8k16, which tensor cores of compute capability 8.0 and 9.0 take longer to work off than the
// memory to read; with smaller quarters the memory would be the bound. K advances in steps of DEPTH, whose parts of A
// and B come through a ring of STAGES buffers by cp.async, two steps ahead of their use; fragments come from there one
// half step ahead by ldmatrix. Three stages of 16 KiB let two blocks share a multiprocessor on every GPU from 8.0 on,
// and one's last writes overlap with the other's sums. Chunks of 16 bytes are permuted within shared memory, so that
// neither cp.async nor ldmatrix meets a bank twice.
//
// Each element of C is one chain of sums in the order of K. Where blocks are few and K is long, K is cut into
// gridDim.z shares; their sums go to C + z*M*stride and product_sum adds them up, in order.
//
// hot: product_*_fast
#include "product.cuh"

enum { DEPTH = 32, STAGES = 3, THREADS = 128 };

// An Operand is A or B as stored: lines of length elements, stride apart. It is deep where K runs along its lines.
struct Operand {
	const void *x;
	bool is_bf16;
	int lines, length;
	i64 stride;
};

// slot is where chunk number `chunk` (8 elements) of a line lies in a part's buffer, which holds SIZE x DEPTH elements
// of op(A), or of op(B) turned. ldmatrix reads one chunk of eight neighbouring lines, which must lie in eight
// different sixteenths of 256 bytes. A deep line is 64 bytes long, others are whole multiples of 128.
template <int SIZE, bool DEEP>
DEVICE int slot(int line, int chunk) {
	return DEEP ? line * (DEPTH / 8) + (chunk ^ line / 2 % 4) : line * (SIZE / 8) + (chunk ^ line % 8);
}

// rounded reads the first count of eight elements of either type, on any boundary.
DEVICE uint4 rounded(const Operand &x, i64 at, int count) {
	float values[8];
	if (x.is_bf16) load_eight(values, (const bf16 *)x.x + at, count);
	else load_eight(values, (const float *)x.x + at, count);
	return {bf16_pair(values[0], values[1]), bf16_pair(values[2], values[3]), bf16_pair(values[4], values[5]),
		bf16_pair(values[6], values[7])};
}

// stage brings the part of a step to shared memory: rows of op(X) from `from` on, K from k on. What lies outside of
// the operand is 0. FAST is for bf16 with all lines on boundaries of 16 bytes.
template <int SIZE, bool DEEP, bool FAST>
DEVICE void stage(uint4 *part, const Operand &x, int from, int k) {
	constexpr int CHUNKS = (DEEP ? DEPTH : SIZE) / 8;
#pragma unroll
	for (int i = 0; i < SIZE * DEPTH / 8 / THREADS; i++) {
		int line = (i * THREADS + threadIdx.x) / CHUNKS, chunk = threadIdx.x % CHUNKS;
		int row = (DEEP ? from : k) + line, column = (DEEP ? k : from) + 8 * chunk;
		int count = row < x.lines ? max(min(x.length - column, 8), 0) : 0;
		uint4 *to = &part[slot<SIZE, DEEP>(line, chunk)];
		i64 at = row * x.stride + column;
		if (FAST) copy_async(to, (const bf16 *)x.x + at, 2 * count);
		else *to = rounded(x, at, count);
	}
}

// load_fragment reads a fragment of op(A), 16 rows by 16 of K, or with OF_B two of op(B), 16 of K by 8 columns each:
// from row (column) `from` of the tile on, and half step `half`. Lane l names line l%8 of the matrix l/8 of four.
template <int SIZE, bool DEEP, bool OF_B>
DEVICE void load_fragment(u32 to[4], const uint4 *part, int from, int half) {
	int lane = threadIdx.x % 32, odd = lane / 8 % 2, upper = lane / 16;
	int across = OF_B ? upper : odd, deeper = OF_B ? odd : upper;
	if (DEEP) load_matrices(to, &part[slot<SIZE, DEEP>(from + 8 * across + lane % 8, 2 * half + deeper)]);
	else load_matrices_transposed(to, &part[slot<SIZE, DEEP>(16 * half + 8 * deeper + lane % 8, from / 8 + across)]);
}

// Fragments are what a warp multiplies in half a step.
template <int EDGE>
struct Fragments {
	u32 a[EDGE / 16][4], b[EDGE / 16][4];
};

template <int SIZE, bool DEEP_A, bool DEEP_B>
DEVICE void load(Fragments<SIZE / 2> &f, const uint4 *part, int half) {
	constexpr int EDGE = SIZE / 2;
	int warp = threadIdx.x / 32, row = warp / 2 * EDGE, column = warp % 2 * EDGE;
#pragma unroll
	for (int i = 0; i < EDGE / 16; i++) {
		load_fragment<SIZE, DEEP_A, false>(f.a[i], part, row + 16 * i, half);
		load_fragment<SIZE, DEEP_B, true>(f.b[i], part + SIZE * DEPTH / 8, column + 16 * i, half);
	}
}

template <int EDGE>
DEVICE void multiply(float (&sums)[EDGE / 16][EDGE / 8][4], const Fragments<EDGE> &f) {
#pragma unroll
	for (int i = 0; i < EDGE / 16; i++)
#pragma unroll
		for (int j = 0; j < EDGE / 8; j++) mma(sums[i][j], f.a[i], &f.b[j / 2][j % 2 * 2]);
}

// write puts a warp's sums into C, sixteen rows at a time, by way of shared memory: lanes hold pairs, but eight
// neighbours make a write of 16 bytes.
template <int EDGE>
DEVICE void write(const Output &out, Place tile, float *shared, const float (&sums)[EDGE / 16][EDGE / 8][4]) {
	constexpr int STRIDE = EDGE + 4, EIGHTS = EDGE / 8;
	int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
	int row = tile.row + warp / 2 * EDGE, column = tile.column + warp % 2 * EDGE;
	float *rows = shared + warp * 16 * STRIDE, *mine = rows + lane / 4 * STRIDE + lane % 4 * 2;
#pragma unroll
	for (int i = 0; i < EDGE / 16; i++) {
		__syncwarp();
#pragma unroll
		for (int j = 0; j < EDGE / 8; j++) {
			*(float2 *)(mine + 8 * j) = {sums[i][j][0], sums[i][j][1]};
			*(float2 *)(mine + 8 * STRIDE + 8 * j) = {sums[i][j][2], sums[i][j][3]};
		}
		__syncwarp();
#pragma unroll
		for (int e = lane; e < 16 * EIGHTS; e += 32) {
			float eight[8];
			unpack(eight, read(rows + e / EIGHTS * STRIDE + e % EIGHTS * 8));
			put(out, row + 16 * i + e / EIGHTS, column + e % EIGHTS * 8, eight);
		}
	}
}

template <int SIZE, bool DEEP_A, bool DEEP_B, bool FAST>
DEVICE void product(const Output &out, const Operand &a, const Operand &b, int k, int to) {
	constexpr int EDGE = SIZE / 2, PART = SIZE * DEPTH / 8;
	SHARED(uint4, shared);
	Place tile = place_of(blockIdx.x, out.m, out.n, SIZE);
	int steps = (to - k + DEPTH - 1) / DEPTH;
	auto fetch = [&](int step) {
		uint4 *part = shared + step % STAGES * 2 * PART;
		if (step < steps) {
			stage<SIZE, DEEP_A, FAST>(part, a, tile.row, k + step * DEPTH);
			stage<SIZE, DEEP_B, FAST>(part + PART, b, tile.column, k + step * DEPTH);
		}
		commit_copies();
	};
	float sums[EDGE / 16][EDGE / 8][4] = {};
	Fragments<EDGE> first, second;
	for (int step = 0; step < STAGES - 1; step++) fetch(step);
	wait_copies<STAGES - 2>();
	__syncthreads();
	load<SIZE, DEEP_A, DEEP_B>(first, shared, 0);
	for (int step = 0; step < steps; step++) {
		load<SIZE, DEEP_A, DEEP_B>(second, shared + step % STAGES * 2 * PART, 1);
		fetch(step + STAGES - 1); // over the last step's part, which all have read
		multiply<EDGE>(sums, first);
		wait_copies<STAGES - 2>();
		__syncthreads();
		load<SIZE, DEEP_A, DEEP_B>(first, shared + (step + 1) % STAGES * 2 * PART, 0);
		multiply<EDGE>(sums, second);
	}
	__syncthreads();
	write<EDGE>(out, tile, (float *)shared, sums);
}

// A kernel for each size of tiles, each op, and both ways of fetching. depth is each share of K, a multiple of DEPTH.
#define PRODUCT(name, SIZE, DEEP_A, DEEP_B, FAST)                                                                      \
	KERNEL void __launch_bounds__(THREADS, 2) name(void *c, const void *a, const void *b, int m, int n, int k,         \
		i64 stride_a, i64 stride_b, i64 stride_c, float alpha, float beta, int types, int depth) {                     \
		int from = blockIdx.z * depth, to = min(from + depth, k);                                                      \
		Output out = {c, (types & BF16_C) != 0, m, n, stride_c, alpha, beta};                                          \
		if (gridDim.z > 1) out.c = (float *)c + blockIdx.z * (m * stride_c);                                           \
		Operand left = {a, (types & BF16_A) != 0, DEEP_A ? m : to, DEEP_A ? to : m, stride_a};                         \
		Operand right = {b, (types & BF16_B) != 0, DEEP_B ? n : to, DEEP_B ? to : n, stride_b};                        \
		product<SIZE, DEEP_A, DEEP_B, FAST>(out, left, right, from, to);                                               \
	}                                                                                                                  \
	REGISTER(name)

// The letters say which operands are transposed. Operands of any type, on any boundary, have the small tiles only.
#define PRODUCTS(letters, DEEP_A, DEEP_B)                              \
	PRODUCT(product_128_##letters##_fast, 128, DEEP_A, DEEP_B, true) \
	PRODUCT(product_64_##letters##_fast, 64, DEEP_A, DEEP_B, true)   \
	PRODUCT(product_64_##letters##_any, 64, DEEP_A, DEEP_B, false)

PRODUCTS(nn, true, false)
PRODUCTS(nt, true, true)
PRODUCTS(tn, false, false)
PRODUCTS(tt, false, true)

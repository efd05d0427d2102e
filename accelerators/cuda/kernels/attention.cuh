// What the kernels of attention on packed sequences share: the shape, which rows a block has, who sees whom, and for
// those whose products are bf16, tiles in shared memory and products of tiles.
//
// A tile in shared memory has rows of D bf16 and eight more that nobody reads: rows are then an odd number of 16 bytes
// apart, so that the eight rows of a matrix that load_matrices takes lie in different banks, and the address of every
// matrix is a register plus a constant. A warp has 16*M rows of what is fixed in a block, and all N rows of what
// streams by. Element e of the fragment [m][n] of a result is in row 16m + lane/4 + 8*(e/2), column 8n + 2*(lane%4) +
// e%2.
#pragma once
#include "device.cuh"

// A Shape is accelerators.Attention.
struct Shape {
	const int *offsets;
	int sequences, tokens, heads, kv_heads, width;
	i64 stride_q, stride_k, stride_v;
	int causal, window;
	float scale, cap;

	METHOD i64 stride_out() const { return (i64)heads * width; }
	METHOD int group() const { return heads / kv_heads; }
	METHOD bool sees(int query, int key) const {
		return (!causal || key <= query) && (!window || query - key < window);
	}
};

// SHAPE_PARAMETERS are the arguments of a kernel that make a SHAPE.
#define SHAPE_PARAMETERS                                                                               \
	const int *offsets, int sequences, int tokens, int heads, int kv_heads, int width, i64 stride_q,   \
		i64 stride_k, i64 stride_v, int causal, int window, float scale, float cap
#define SHAPE                                                                                          \
	Shape {                                                                                            \
		offsets, sequences, tokens, heads, kv_heads, width, stride_q, stride_k, stride_v, causal, window, \
			scale, cap                                                                                \
	}

// Rows are those from first on, ROWS at most, of a sequence of length tokens that begins at token start. A length of 0
// means that there are none.
struct Rows {
	int start, length, first;
};

// last_begun is the last sequence whose blocks of so many rows begin with the given one or before it. Sequence s has
// the blocks from offsets[s]/rows + s on, which leaves enough for each; a few remain without rows. All lanes of a warp
// search together. It ends, within the sequences, whatever is in offsets.
DEVICE int last_begun(const Shape &a, int block, int rows) {
	int low = 0, high = a.sequences, lane = threadIdx.x % 32;
	while (high - low > 1) {
		int step = (high - low + 31) / 32, probe = low + lane * step;
		bool begun = probe < high && a.offsets[probe] / rows + probe <= block;
		low += max(__popc(__ballot_sync(~0u, begun)) - 1, 0) * step;
		high = min(high, low + step);
	}
	return low;
}

// rows_of is the rows of a block. Blocks start in the order of their numbers, and those that have the most to do should
// start first: with a causal mask the last queries (falling), the first keys.
DEVICE Rows rows_of(const Shape &a, int block, int rows, bool falling) {
	int s = last_begun(a, block, rows), start = a.offsets[s], end = a.offsets[s + 1];
	if (start < 0 || end < start || end > a.tokens) return {0, 0, 0};
	int number = block - start / rows - s, count = (end - start + rows - 1) / rows;
	if (number < 0 || number >= count) return {0, 0, 0};
	return {start, end - start, (falling ? count - 1 - number : number) * rows};
}

// An Interval is the indices [from, to).
struct Interval {
	int from, to;

	METHOD bool has(int i) const { return i >= from && i < to; }
	METHOD bool empty() const { return from >= to; }
};

// visible is the keys that some of the queries see, seers the queries that see some of the keys.
DEVICE Interval visible(const Shape &a, Interval queries, int length) {
	return {a.window ? max(0, queries.from - a.window + 1) : 0, a.causal ? min(length, queries.to) : length};
}
DEVICE Interval seers(const Shape &a, Interval keys, int length) {
	return {a.causal ? keys.from : 0, a.window ? min(length, keys.to - 1 + a.window) : length};
}

// all_see says whether every query sees every key.
DEVICE bool all_see(const Shape &a, Interval queries, Interval keys) {
	return (!a.causal || keys.to - 1 <= queries.from) && (!a.window || queries.to - 1 - keys.from < a.window);
}

enum { THREADS = 128, WARPS = 4 }; // of every block of these kernels

constexpr float LOG2E = 1.4426950408889634f, LN2 = 0.6931471805599453f;

DEVICE float infinity() { return __uint_as_float(0x7f800000); }

#ifdef __CUDACC_RTC__

DEVICE float power_of_two(float x) {
	float y;
	asm("ex2.approx.ftz.f32 %0,%1;" : "=f"(y) : "f"(x));
	return y;
}

// reciprocal is of normal numbers, to the last bit or two.
DEVICE float reciprocal(float x) {
	float y;
	asm("rcp.approx.ftz.f32 %0,%1;" : "=f"(y) : "f"(x));
	return y;
}

// pack rounds two floats to bf16, the first in the lower half.
DEVICE u32 pack(float low, float high) {
	u32 both;
	asm("cvt.rn.bf16x2.f32 %0,%1,%2;" : "=r"(both) : "f"(high), "f"(low));
	return both;
}

#else

DEVICE float power_of_two(float x) { return exp2f(x); }
DEVICE float reciprocal(float x) { return 1 / x; }
DEVICE u32 pack(float low, float high) { return bf16_bits(low) | (u32)bf16_bits(high) << 16; }

#endif

// A Bend makes scores of products of queries and keys: exp(score) is power_of_two(factor * of(product)). As a rule of()
// changes nothing and the scale is part of the factor; a cap bends the score, and a scale that is not positive would
// turn the order of the products, on which the running maximum relies.
struct Bend {
	float inner, cap, factor;
	bool bent;

	METHOD Bend(float scale, float cap) : cap(cap), bent(cap > 0 || !(scale > 0)) {
		inner = cap > 0 ? scale / cap : scale;
		factor = bent ? LOG2E : scale * LOG2E;
	}
	METHOD float of(float product) const {
		float slope;
		return of(product, slope);
	}
	// slope is the derivative of the score by the product, without the scale.
	METHOD float of(float product, float &slope) const {
		slope = 1;
		if (!bent) return product;
		if (!(cap > 0)) return product * inner;
		float y = tangent(product * inner);
		slope = 1 - y * y;
		return cap * y;
	}

	METHOD static float tangent(float x) {
		return 1 - 2 * reciprocal(1 + power_of_two(2 * LOG2E * x));
	}
};

// stage_eight copies n of eight elements, and zeros for the others.
template <class T>
DEVICE void stage_eight(bf16 *to, const T *from, int n) {
	u32 words[4];
#pragma unroll
	for (int j = 0; j < 8; j += 2)
		words[j / 2] = pack(j < n ? widen(from[j]) : 0, j + 1 < n ? widen(from[j + 1]) : 0);
	*(uint4 *)to = {words[0], words[1], words[2], words[3]};
}

// stage begins to copy rows of x to a tile: the first `rows` of them and `width` elements of each; zeros fill the tile.
// Elements that are aligned, in bf16 and in whole 16 bytes, come by asynchronous copies; others are there at once.
// A thread keeps to its columns, and its address moves down the rows: one for each row would be kept from tile to tile.
template <int D, int ROWS, class T>
DEVICE void stage(bf16 *tile, const T *x, i64 stride, int rows, int width, bool aligned) {
	enum { ACROSS = D == 96 ? 16 : D / 8, DOWN = THREADS / ACROSS };
	int row = threadIdx.x / ACROSS, column = threadIdx.x % ACROSS * 8;
	if (column >= D) return;
	tile += row * (D + 8) + column;
	const T *from = x + row * stride + column;
	rows -= row;
	width -= column;
	if (sizeof(T) == 2 && aligned) {
		if (width <= 0) rows = 0;
#pragma unroll
		for (int i = 0; i < ROWS; i += DOWN, from += DOWN * stride)
			copy_async(tile + i * (D + 8), from, i < rows ? 16 : 0);
		return;
	}
#pragma unroll(sizeof(T) == 2 ? 1 : 4)
	for (int i = 0; i < ROWS; i += DOWN, from += DOWN * stride)
		stage_eight(tile + i * (D + 8), from, i < rows ? min(8, width) : 0);
}

// stage begins to copy rows of x to a tile, `width` elements of each: row r begins at place_of(r), and where that is
// negative, as beyond the width, there are zeros. Elements that are aligned, in bf16 and in whole 16 bytes, come by
// asynchronous copies; others are there at once.
template <int D, int ROWS, class T, class Place>
DEVICE void stage(bf16 *tile, const T *x, int width, bool aligned, Place place_of) {
#pragma unroll
	for (int i = threadIdx.x; i < ROWS * D / 8; i += THREADS) {
		int row = i / (D / 8), column = i % (D / 8) * 8;
		bf16 *to = tile + row * (D + 8) + column;
		i64 place = place_of(row);
		const T *from = x + place + column;
		int n = place >= 0 ? min(8, width - column) : 0;
		if (sizeof(T) == 2 && aligned) copy_async(to, n > 0 ? from : x, n > 0 ? 16 : 0);
		else stage_eight(to, from, n);
	}
}

// products: s = x y^T for 16*M rows of x, those of the warp, and N rows of y, both of D columns.
template <int D, int M, int N>
DEVICE void products(float (&s)[M][N / 8][4], const bf16 *x, const bf16 *y) {
	int lane = threadIdx.x % 32;
	x += lane % 16 * (D + 8) + lane / 16 * 8;
	y += (lane % 8 + lane / 16 * 8) * (D + 8) + lane / 8 % 2 * 8;
#pragma unroll
	for (int i = 0; i < M * N / 2; i++) (&s[0][0][0])[i] = 0;
#pragma unroll
	for (int k = 0; k < D; k += 16) {
		u32 left[M][4];
#pragma unroll
		for (int m = 0; m < M; m++) load_matrices(left[m], x + 16 * m * (D + 8) + k);
#pragma unroll
		for (int n = 0; n < N / 8; n += 2) {
			u32 right[4];
			load_matrices(right, y + 8 * n * (D + 8) + k);
#pragma unroll
			for (int m = 0; m < M; m++) {
				mma(s[m][n], left[m], right);
				mma(s[m][n + 1], left[m], right + 2);
			}
		}
	}
}

// accumulate: sums += w x for w [16*M, N] and C columns of the N rows of x, a tile of D columns.
template <int D, int M, int N, int C>
DEVICE void accumulate(float (&sums)[M][C / 8][4], const u32 (&w)[M][N / 8][2], const bf16 *x) {
	int lane = threadIdx.x % 32;
	x += lane % 16 * (D + 8) + lane / 16 * 8;
#pragma unroll
	for (int n = 0; n < N / 8; n += 2)
#pragma unroll
		for (int c = 0; c < C / 8; c += 2) {
			u32 right[4];
			load_matrices_transposed(right, x + 8 * n * (D + 8) + 8 * c);
#pragma unroll
			for (int m = 0; m < M; m++) {
				mma(sums[m][c], w[m][n], right);
				mma(sums[m][c + 1], w[m][n], right + 2);
			}
		}
}

// round_all is a result as the left-hand side of accumulate: the layouts of mma agree.
template <int M, int N>
DEVICE void round_all(u32 (&w)[M][N][2], const float (&x)[M][N][4]) {
#pragma unroll
	for (int m = 0; m < M; m++)
#pragma unroll
		for (int n = 0; n < N; n++) {
			w[m][n][0] = pack(x[m][n][0], x[m][n][1]);
			w[m][n][1] = pack(x[m][n][2], x[m][n][3]);
		}
}

template <int M, int N>
DEVICE void clear(float (&x)[M][N][4]) {
#pragma unroll
	for (int i = 0; i < M * N * 4; i++) (&x[0][0][0])[i] = 0;
}

DEVICE bool is_finite(bf16 x) { return (x.bits & 0x7f80) != 0x7f80; }

// all_finite is whether both halves of each word are.
DEVICE bool all_finite(uint4 x) {
	auto both = [](u32 word) { return (word & 0x7f80) != 0x7f80 && (word & 0x7f800000) != 0x7f800000; };
	return both(x.x) && both(x.y) && both(x.z) && both(x.w);
}

// contain comes before an accumulate whose weights are zero for pairs that do not see each other: what is not finite
// in row j of x would make NaN even of these. Such elements become zero, and go to the sums of the rows r that see j as
// NaN.
// It is for all threads of a block together, and costs next to nothing unless there are such elements: its loops are
// not unrolled, for the registers.
template <int D, int M, int N, int C, class Sees>
DEVICE void contain(float (&sums)[M][C / 8][4], bf16 *tile, bf16 *x, Sees sees) {
	bool finite = true;
#pragma unroll 1
	for (int i = threadIdx.x; i < N * D / 8; i += THREADS)
		finite &= all_finite(*(const uint4 *)(tile + i / (D / 8) * (D + 8) + i % (D / 8) * 8));
	if (!__syncthreads_or(!finite)) return;
	int lane = threadIdx.x % 32;
#pragma unroll 1
	for (int j = 0; j < N; j++)
#pragma unroll
		for (int m = 0; m < 2 * M; m++) {
			if (!sees(m / 2 * 16 + m % 2 * 8 + lane / 4, j)) continue;
#pragma unroll
			for (int c = 0; c < C / 4; c++) {
				float value = widen(x[j * (D + 8) + c / 2 * 8 + lane % 4 * 2 + c % 2]);
				sums[m / 2][c / 2][m % 2 * 2 + c % 2] += value - value;
			}
		}
	__syncthreads();
#pragma unroll 1
	for (int i = threadIdx.x; i < N * D; i += THREADS) {
		bf16 *value = &tile[i / D * (D + 8) + i % D];
		if (!is_finite(*value)) value->bits = 0;
	}
	__syncthreads();
}

// LOW is below every score, and far enough from infinity for arithmetic.
constexpr float LOW = -1e30f;

// A Softmax is the running maxima and sums of the rows that a thread has elements of.
template <int M>
struct Softmax {
	float top[M][2], sum[M][2];

	METHOD Softmax() {
#pragma unroll
		for (int m = 0; m < M; m++) top[m][0] = top[m][1] = LOW, sum[m][0] = sum[m][1] = 0;
	}

	// add makes weights of scores, relative to the largest score so far, and turns the sums so far to that.
	template <int N, int C>
	METHOD void add(float (&s)[M][N][4], float (&sums)[M][C][4], float factor) {
#pragma unroll
		for (int m = 0; m < M; m++)
#pragma unroll
			for (int half = 0; half < 2; half++) {
				float base = raise(s[m], sums[m], factor, m, half);
#pragma unroll
				for (int i = 0; i < 2 * N; i++) {
					float &x = s[m][i / 2][2 * half + i % 2];
					x = power_of_two(fmaf(x, factor, -base));
					sum[m][half] = __fadd_rn(sum[m][half], x);
				}
			}
	}

	// raise takes a row's scores into its maximum, and returns that times the factor.
	template <int N, int C>
	METHOD float raise(const float (&s)[N][4], float (&sums)[C][4], float factor, int m, int half) {
		float most = top[m][half];
#pragma unroll
		for (int i = 0; i < 2 * N; i++) most = fmaxf(most, s[i / 2][2 * half + i % 2]);
		most = fmaxf(most, __shfl_xor_sync(~0u, most, 1));
		most = fmaxf(most, __shfl_xor_sync(~0u, most, 2));
		float decay = power_of_two((top[m][half] - most) * factor);
		top[m][half] = most;
		sum[m][half] *= decay;
#pragma unroll
		for (int i = 0; i < 2 * C; i++) sums[i / 2][2 * half + i % 2] *= decay;
		return most * factor;
	}

	// finish adds up what the four lanes of a row have.
	METHOD void finish() {
#pragma unroll
		for (int i = 0; i < 2 * M; i++) {
			float &x = sum[i / 2][i % 2];
			x += __shfl_xor_sync(~0u, x, 1);
			x += __shfl_xor_sync(~0u, x, 2);
		}
	}
};

// store_sums writes C columns of the warp's rows, 16*M, of which there are so many, times a factor each.
template <int M, int C, class T, class Factor>
DEVICE void store_sums(T *to, i64 stride, const float (&sums)[M][C / 8][4], int rows, int width, Factor factor) {
	int lane = threadIdx.x % 32;
	bool even = sizeof(T) == 2 && (u64)to % 4 == 0 && stride % 2 == 0;
#pragma unroll
	for (int m = 0; m < M; m++)
#pragma unroll
		for (int half = 0; half < 2; half++) {
			int row = 16 * m + lane / 4 + 8 * half;
			if (row >= rows) continue;
			float by = factor(m, half);
#pragma unroll
			for (int c = 0; c < C / 8; c++) {
				int column = 8 * c + lane % 4 * 2;
				T *at = to + row * stride + column;
				float low = sums[m][c][2 * half] * by, high = sums[m][c][2 * half + 1] * by;
				if (even && column + 1 < width) {
					*(u32 *)at = pack(low, high);
				} else {
					if (column < width) narrow(at, low);
					if (column + 1 < width) narrow(at + 1, high);
				}
			}
		}
}

// Attention on packed sequences whose products are of bf16: for each token and head
//   out = softmax(scale q k^T + mask) v        lse = log sum exp(scale q k^T + mask)
// q [T,H*D], k and v [T,G*D] with strides, out [T,H*D], lse [T,H], each of H heads with key-value head h/(H/G).
//
// FlashAttention-2 (Dao 2023): a block has 64*M queries of one head, each warp 16*M of them, and passes over the keys
// 64 at a time, with a running maximum and sum. A warp's results stay in its registers; only queries, keys and values
// lie in shared memory. There is one tile of each: keys come while weights meet values, and values while queries meet
// keys; two blocks on a multiprocessor fill what gaps that leaves. With M = 2, each matrix of keys or values that is
// loaded serves two products: with one, shared memory would be busier than the tensor cores. 256 columns leave
// registers for M = 1 only. Tiles that no query sees are left out.
// hot: attention_*_bf16
#include "attention.cuh"

// hide sets scores of pairs that do not see each other, and of keys beyond the sequence, to minus infinity.
template <int M, int N>
DEVICE void hide(float (&s)[M][N][4], const Shape &a, int query, int key, int length) {
	int lane = threadIdx.x % 32;
	query += lane / 4;
	key += lane % 4 * 2;
#pragma unroll
	for (int m = 0; m < M; m++)
#pragma unroll
		for (int n = 0; n < N; n++)
#pragma unroll
			for (int e = 0; e < 4; e++) {
				int q = query + 16 * m + e / 2 * 8, k = key + 8 * n + e % 2;
				if (k >= length || !a.sees(q, k)) s[m][n][e] = -infinity();
			}
}

template <int D, int M, class T>
DEVICE void attention(T *out, float *lse, const T *q, const T *k, const T *v, const Shape &a, bool aligned) {
	enum { QUERIES = 64 * M, KEYS = 64 };
	SHARED(bf16, queries);
	bf16 *keys = queries + QUERIES * (D + 8), *values = keys + KEYS * (D + 8);
	Rows block = rows_of(a, blockIdx.x, QUERIES, true);
	if (block.length == 0) return;
	int head = blockIdx.y, first = block.first, warp = threadIdx.x / 32 * 16 * M;
	Interval all = {first, min(first + QUERIES, block.length)}, seen = visible(a, all, block.length);
	seen.from -= seen.from % KEYS;
	q += (block.start + first) * a.stride_q + head * a.width;
	int column = head / a.group() * a.width;
	auto stage_rows = [&](bf16 *to, const T *x, i64 stride, int key) {
		x += (block.start + key) * stride + column;
		stage<D, KEYS>(to, x, stride, block.length - key, a.width, aligned);
		commit_copies();
	};
	stage<D, QUERIES>(queries, q, a.stride_q, all.to - first, a.width, aligned);
	stage_rows(keys, k, a.stride_k, seen.from);
	const Bend bend(a.scale, a.cap);
	Softmax<M> softmax;
	float sums[M][D / 8][4];
	clear(sums);
	for (int key = seen.from; key < seen.to; key += KEYS) {
		wait_copies<0>();
		__syncthreads(); // the keys are here, and nobody needs the values before them
		stage_rows(values, v, a.stride_v, key);
		float s[M][KEYS / 8][4];
		products<D, M, KEYS>(s, queries + warp * (D + 8), keys);
		wait_copies<0>();
		__syncthreads(); // the values are here, and nobody needs the keys
		if (key + KEYS < seen.to) stage_rows(keys, k, a.stride_k, key + KEYS);
		if (bend.bent) {
#pragma unroll
			for (int i = 0; i < M * KEYS / 2; i++) (&s[0][0][0])[i] = bend.of((&s[0][0][0])[i]);
		}
		bool masked = key + KEYS > block.length || !all_see(a, {first, first + QUERIES}, {key, key + KEYS});
		if (masked) hide(s, a, first + warp, key, block.length);
		softmax.add(s, sums, bend.factor);
		u32 weights[M][KEYS / 8][2];
		round_all(weights, s);
		if (masked) {
			auto sees = [&](int r, int j) { return a.sees(first + warp + r, key + j); };
			contain<D, M, KEYS, D>(sums, values, values, sees);
		}
		accumulate<D, M, KEYS, D>(sums, weights, values);
	}
	softmax.finish();
	block = rows_of(a, blockIdx.x, QUERIES, true); // again: the address would have taken registers meanwhile
	int rows = block.length - block.first - warp, lane = threadIdx.x % 32;
	i64 token = block.start + block.first + warp;
	store_sums<M, D>(out + token * a.stride_out() + head * a.width, a.stride_out(), sums, rows, a.width,
		[&](int m, int half) { return 1 / softmax.sum[m][half]; });
#pragma unroll
	for (int i = 0; i < 2 * M; i++) {
		int row = i / 2 * 16 + i % 2 * 8 + lane / 4;
		if (lane % 4 == 0 && row < rows)
			lse[(token + row) * a.heads + head] =
				softmax.top[i / 2][i % 2] * bend.factor * LN2 + logf(softmax.sum[i / 2][i % 2]);
	}
}

// Offsets must begin with 0, end with tokens, and make sequences of 0 to most tokens: fault = min(fault,
// number<<32 | i) over all i where they do not.
KERNEL void check_offsets(const int *offsets, int sequences, int tokens, int most, u32 number, u64 *fault) {
	for (int i = thread_number(); i <= sequences; i += thread_count()) {
		i64 length = (i64)offsets[i] - (i > 0 ? offsets[i - 1] : 0);
		bool wrong = length < 0 || length > (i > 0 ? most : 0) || (i == sequences && offsets[i] != tokens);
		if (wrong) atomicMin(fault, (u64)number << 32 | i);
	}
}
REGISTER(check_offsets)

#define INSTANCE(name, D, M, T)                                                                       \
	KERNEL void __launch_bounds__(THREADS, 2)                                             \
		name(T *out, float *lse, const T *q, const T *k, const T *v, SHAPE_PARAMETERS, int aligned) {  \
		attention<D, M>(out, lse, q, k, v, SHAPE, aligned);                                           \
	}                                                                                                 \
	REGISTER(name)

// attention_D_ROWS: as many rows to a block
INSTANCE(attention_64_128_bf16, 64, 2, bf16)
INSTANCE(attention_96_128_bf16, 96, 2, bf16)
INSTANCE(attention_128_128_bf16, 128, 2, bf16)
INSTANCE(attention_256_64_bf16, 256, 1, bf16)
INSTANCE(attention_64_64_f32, 64, 1, float)
INSTANCE(attention_96_64_f32, 96, 1, float)
INSTANCE(attention_128_64_f32, 128, 1, float)
INSTANCE(attention_256_64_f32, 256, 1, float)

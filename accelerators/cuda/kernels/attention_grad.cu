// The gradient of attention, with products of bf16. Of each query and key that see each other
//   S = scale q k        P = exp(S - lse)        dP = dout v        dS = P (dP - mean)        mean = sum(out * dout)
// and of sequences dq = scale dS k, dk = scale dS^T q, dv = P^T dout; see attention.cu for the operands.
//
// One kernel has a block for 64 keys of a key-value head and passes over the queries of all its heads; the other has a
// block for queries of a head and passes over the keys. Together they make seven products of tiles where one pass would
// make five: S and dP twice. But one pass has to add up dq over blocks of keys: by atomics in whatever order, or in
// memory for each block of keys, 2 GB each way at 4,096 tokens and 32 heads of 128, which takes about as long as the
// two products, and grows with the square of the length.
//
// Keys by queries, as the first kernel has them, P and dS leave the products in the layout of the left-hand side of the
// next: they never lie in shared memory. The mean is of dout as products round it: dP is, and what all keys share in dP
// and the mean must cancel.
// hot: attention_keys_*_bf16 attention_queries_*_bf16 attention_means_bf16
#include "attention.cuh"

// weigh makes P and dS of products and dP. lse, in powers of two, and mean are functions of an element's place [m][i].
template <bool BENT, int M, int N, class Lse, class Mean>
DEVICE void weigh(float (&p)[M][N][4], float (&ds)[M][N][4], const Bend &bend, Lse lse, Mean mean) {
#pragma unroll
	for (int m = 0; m < M; m++)
#pragma unroll
		for (int i = 0; i < N * 4; i++) {
			float &product = p[m][i / 4][i % 4], &grad = ds[m][i / 4][i % 4];
			float score = BENT ? bend.of(product) : product;
			product = power_of_two(fmaf(score, bend.factor, -lse(m, i)));
			grad = product * (grad - mean(m, i));
			if (BENT) grad *= bend.slope(score);
		}
}

// forget sets P and dS of pairs that do not see each other to zero.
template <int M, int N, class Sees>
DEVICE void forget(float (&p)[M][N][4], float (&ds)[M][N][4], Sees sees) {
	int lane = threadIdx.x % 32;
#pragma unroll
	for (int m = 0; m < M; m++)
#pragma unroll
		for (int i = 0; i < N * 4; i++)
			if (!sees(16 * m + lane / 4 + i % 4 / 2 * 8, i / 4 * 8 + lane % 4 * 2 + i % 2))
				p[m][i / 4][i % 4] = ds[m][i / 4][i % 4] = 0;
}

template <int M, int C>
struct Sums {
	float of[M][C / 8][4];

	template <class T>
	METHOD void store(T *to, i64 stride, int rows, int width, float by) {
		store_sums<M, C>(to, stride, of, rows, width, [=](int, int) { return by; });
	}
};

// A Queries is what streams by in the first kernel: tiles of N queries that see the block's keys, head by head.
template <int N, class T>
struct Queries {
	const T *q, *dout;
	const float *lse, *means;
	Shape a;
	bool aligned;
	Rows block;
	Interval seen;
	int query, head, heads; // of the tile, and how many heads there are from its own on

	METHOD void begin(Rows rows, Interval keys, int kv) {
		block = rows;
		seen = seers(a, keys, block.length);
		seen.from -= seen.from % N;
		query = seen.from;
		heads = a.group();
		head = kv * heads;
	}
	METHOD void advance() {
		query += N;
		if (query < seen.to) return;
		query = seen.from;
		head++;
		heads--;
	}
	METHOD i64 token() const { return block.start + query; }

	template <int D>
	METHOD void stage_q(bf16 *tile) const {
		stage<D, N>(tile, q + token() * a.stride_q + head * a.width, a.stride_q, block.length - query, a.width, aligned);
	}
	template <int D>
	METHOD void stage_dout(bf16 *tile) const {
		const T *from = dout + token() * a.stride_out() + head * a.width;
		stage<D, N>(tile, from, a.stride_out(), block.length - query, a.width, aligned);
	}
	// stage_rows fills in lse and mean; queries beyond the sequence have weights of zero.
	METHOD void stage_rows(float *rows) const {
		int row = threadIdx.x;
		if (row >= N) return;
		bool there = query + row < block.length;
		i64 at = (token() + row) * a.heads + head;
		rows[row] = there ? lse[at] * LOG2E : infinity();
		rows[N + row] = there ? means[at] : 0;
	}
};

// attention_keys writes C columns of dk and dv, from the given one on.
template <int D, int C, int M, int N, class T>
DEVICE void attention_keys(T *dk, T *dv, const T *k, const T *v, Queries<N, T> stream, int column) {
	enum { KEYS = 64 * M };
	SHARED(bf16, keys);
	bf16 *values = keys + KEYS * (D + 8), *queries = values + KEYS * (D + 8), *douts = queries + N * (D + 8);
	float *rows = (float *)(douts + N * (D + 8));
	const Shape &a = stream.a;
	Rows block = rows_of(a, blockIdx.x, KEYS, false);
	if (block.length == 0) return;
	int first = block.first, warp = threadIdx.x / 32 * 16 * M, lane = threadIdx.x % 32;
	Interval all = {first, min(first + KEYS, block.length)};
	k += (block.start + first) * a.stride_k + blockIdx.y * a.width;
	v += (block.start + first) * a.stride_v + blockIdx.y * a.width;
	stage<D, KEYS>(keys, k, a.stride_k, all.to - first, a.width, stream.aligned);
	stage<D, KEYS>(values, v, a.stride_v, all.to - first, a.width, stream.aligned);
	stream.begin(block, all, blockIdx.y);
	stream.template stage_q<D>(queries);
	commit_copies();
	const Bend bend(a.scale, a.cap);
	Sums<M, C> of_k, of_v;
	clear(of_k.of);
	clear(of_v.of);
	while (stream.heads > 0) {
		wait_copies<0>();
		__syncthreads(); // the queries are here, and nobody needs the output gradients before them
		stream.template stage_dout<D>(douts);
		stream.stage_rows(rows);
		commit_copies();
		float p[M][N / 8][4], ds[M][N / 8][4];
		products<D, M, N>(p, keys + warp * (D + 8), queries);
		wait_copies<0>();
		__syncthreads(); // the output gradients are here
		products<D, M, N>(ds, values + warp * (D + 8), douts);
		auto lse = [&](int, int i) { return rows[i / 4 * 8 + lane % 4 * 2 + i % 2]; };
		auto mean = [&](int, int i) { return rows[N + i / 4 * 8 + lane % 4 * 2 + i % 2]; };
		if (bend.bent) weigh<true>(p, ds, bend, lse, mean);
		else weigh<false>(p, ds, bend, lse, mean);
		int query = stream.query;
		auto sees = [&](int r, int j) { return a.sees(query + j, first + warp + r); };
		bool masked = !all_see(a, {query, query + N}, {first, first + KEYS});
		if (masked) forget(p, ds, sees);
		u32 weights[M][N / 8][2], grads[M][N / 8][2];
		round_all(weights, p);
		round_all(grads, ds);
		if (masked) {
			contain<D, M, N, C>(of_k.of, queries, queries + column, sees);
			contain<D, M, N, C>(of_v.of, douts, douts + column, sees);
		}
		accumulate<D, M, N, C>(of_k.of, grads, queries + column);
		__syncthreads(); // nobody needs the queries
		stream.advance();
		if (stream.heads > 0) stream.template stage_q<D>(queries);
		commit_copies();
		accumulate<D, M, N, C>(of_v.of, weights, douts + column);
	}
	block = rows_of(a, blockIdx.x, KEYS, false); // again: the addresses would have taken registers meanwhile
	i64 row = block.first + warp, token = block.start + row, head = blockIdx.y * a.width + column;
	int left = block.length - row, width = min(C, a.width - column);
	of_k.store(dk + token * a.stride_k + head, a.stride_k, left, width, a.scale);
	of_v.store(dv + token * a.stride_v + head, a.stride_v, left, width, 1);
}

template <int D, int M, class T>
DEVICE void attention_queries(T *dq, const T *q, const T *k, const T *v, const T *dout, const float *lse,
	const float *means, const Shape &a, bool aligned) {
	enum { QUERIES = 64 * M, KEYS = 32, TILE = KEYS * (D + 8) };
	SHARED(bf16, queries);
	bf16 *douts = queries + QUERIES * (D + 8), *stream = douts + QUERIES * (D + 8);
	float *rows = (float *)(stream + 4 * TILE);
	Rows block = rows_of(a, blockIdx.x, QUERIES, true);
	if (block.length == 0) return;
	int head = blockIdx.y, first = block.first, warp = threadIdx.x / 32 * 16 * M;
	int lane = threadIdx.x % 32;
	Interval all = {first, min(first + QUERIES, block.length)}, seen = visible(a, all, block.length);
	seen.from -= seen.from % KEYS;
	i64 token = block.start + first, at_q = token * a.stride_q + head * a.width;
	int column = head / a.group() * a.width;
	stage<D, QUERIES>(queries, q + at_q, a.stride_q, all.to - first, a.width, aligned);
	stage<D, QUERIES>(douts, dout + token * a.stride_out() + head * a.width, a.stride_out(), all.to - first, a.width,
		aligned);
	auto stage_pair = [&](int key) {
		bf16 *to = stream + key / KEYS % 2 * 2 * TILE;
		i64 from = block.start + key;
		stage<D, KEYS>(to, k + from * a.stride_k + column, a.stride_k, block.length - key, a.width, aligned);
		stage<D, KEYS>(to + TILE, v + from * a.stride_v + column, a.stride_v, block.length - key, a.width, aligned);
		commit_copies();
	};
	stage_pair(seen.from);
	if (threadIdx.x < QUERIES) {
		bool there = first + (int)threadIdx.x < all.to;
		i64 at = (token + threadIdx.x) * a.heads + head;
		rows[threadIdx.x] = there ? lse[at] * LOG2E : infinity();
		rows[QUERIES + threadIdx.x] = there ? means[at] : 0;
	}
	rows += warp + lane / 4;
	const Bend bend(a.scale, a.cap);
	Sums<M, D> of_q;
	clear(of_q.of);
	for (int key = seen.from; key < seen.to; key += KEYS) {
		wait_copies<0>();
		__syncthreads(); // this pair is here, and nobody needs the one before it
		if (key + KEYS < seen.to) stage_pair(key + KEYS);
		bf16 *keys = stream + key / KEYS % 2 * 2 * TILE;
		float p[M][KEYS / 8][4], ds[M][KEYS / 8][4];
		products<D, M, KEYS>(p, queries + warp * (D + 8), keys);
		products<D, M, KEYS>(ds, douts + warp * (D + 8), keys + TILE);
		auto lse = [&](int m, int i) { return rows[16 * m + i % 4 / 2 * 8]; };
		auto mean = [&](int m, int i) { return rows[QUERIES + 16 * m + i % 4 / 2 * 8]; };
		if (bend.bent) weigh<true>(p, ds, bend, lse, mean);
		else weigh<false>(p, ds, bend, lse, mean);
		auto sees = [&](int r, int j) { return key + j < block.length && a.sees(first + warp + r, key + j); };
		bool masked = key + KEYS > block.length || !all_see(a, {first, first + QUERIES}, {key, key + KEYS});
		if (masked) forget(p, ds, sees);
		u32 grads[M][KEYS / 8][2];
		round_all(grads, ds);
		if (masked) contain<D, M, KEYS, D>(of_q.of, keys, keys, sees);
		accumulate<D, M, KEYS, D>(of_q.of, grads, keys);
	}
	block = rows_of(a, blockIdx.x, QUERIES, true); // again: the address would have taken registers meanwhile
	i64 row = block.first + warp;
	T *to = dq + (block.start + row) * a.stride_q + blockIdx.y * a.width;
	of_q.store(to, a.stride_q, block.length - row, a.width, a.scale);
}

// means[t,h] = sum(out[t,h] * dout[t,h]), a warp for each; dout as products round it where they do.
template <class T>
DEVICE void attention_means(float *means, const T *out, const T *dout, u64 n, int width, bool rounded) {
	u64 warps = thread_count() / 32;
	for (u64 i = thread_number() / 32; i < n; i += warps) {
		float sum = 0;
		for (int c = threadIdx.x % 32; c < width; c += 32) {
			float grad = widen(dout[i * width + c]);
			if (rounded) grad = widen(bf16{bf16_bits(grad)});
			sum += widen(out[i * width + c]) * grad;
		}
		sum = warp_sum(sum);
		if (threadIdx.x % 32 == 0) means[i] = sum;
	}
}

#define GRAD_PARAMETERS(T)                                                                         \
	const T *q, const T *k, const T *v, const T *dout, const float *lse, const float *means, SHAPE_PARAMETERS, \
		int aligned

#define KEYS_INSTANCE(name, D, C, M, N, T)                                                \
	KERNEL void __launch_bounds__(THREADS, 2) name(T *dk, T *dv, GRAD_PARAMETERS(T)) {     \
		Queries<N, T> stream = {q, dout, lse, means, SHAPE, aligned != 0};                    \
		attention_keys<D, C, M>(dk, dv, k, v, stream, blockIdx.z * C);                    \
	}                                                                                     \
	REGISTER(name)

#define QUERIES_INSTANCE(name, D, M, T)                                                   \
	KERNEL void __launch_bounds__(THREADS, 2) name(T *dq, GRAD_PARAMETERS(T)) {        \
		attention_queries<D, M>(dq, q, k, v, dout, lse, means, SHAPE, aligned);           \
	}                                                                                     \
	REGISTER(name)

KEYS_INSTANCE(attention_keys_64_128_bf16, 64, 64, 2, 32, bf16)
KEYS_INSTANCE(attention_keys_96_64_bf16, 96, 96, 1, 64, bf16)
KEYS_INSTANCE(attention_keys_128_64_bf16, 128, 128, 1, 64, bf16)
KEYS_INSTANCE(attention_keys_256_64_bf16, 256, 128, 1, 32, bf16)
KEYS_INSTANCE(attention_keys_64_64_f32, 64, 64, 1, 64, float)
KEYS_INSTANCE(attention_keys_96_64_f32, 96, 96, 1, 64, float)
KEYS_INSTANCE(attention_keys_128_64_f32, 128, 128, 1, 64, float)
KEYS_INSTANCE(attention_keys_256_64_f32, 256, 128, 1, 32, float)

QUERIES_INSTANCE(attention_queries_64_128_bf16, 64, 2, bf16)
QUERIES_INSTANCE(attention_queries_96_128_bf16, 96, 2, bf16)
QUERIES_INSTANCE(attention_queries_128_128_bf16, 128, 2, bf16)
QUERIES_INSTANCE(attention_queries_128_64_bf16, 128, 1, bf16) // where shared memory is small
QUERIES_INSTANCE(attention_queries_256_64_bf16, 256, 1, bf16)
QUERIES_INSTANCE(attention_queries_64_64_f32, 64, 1, float)
QUERIES_INSTANCE(attention_queries_96_64_f32, 96, 1, float)
QUERIES_INSTANCE(attention_queries_128_64_f32, 128, 1, float)
QUERIES_INSTANCE(attention_queries_256_64_f32, 256, 1, float)

KERNEL void attention_means_f32(float *means, const float *out, const float *dout, u64 n, int width, int rounded) {
	attention_means(means, out, dout, n, width, rounded);
}
REGISTER(attention_means_f32)
KERNEL void attention_means_bf16(float *means, const bf16 *out, const bf16 *dout, u64 n, int width, int rounded) {
	attention_means(means, out, dout, n, width, rounded);
}
REGISTER(attention_means_bf16)

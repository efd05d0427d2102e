// The gradient of attention, with products of bf16. Of each query and key that see each other
//   S = scale q k        P = exp(S - lse)        dP = dout v        dS = P (dP - mean)        mean = sum(out * dout)
// and of sequences dq = scale dS k, dk = scale dS^T q, dv = P^T dout; see attention.cu for the operands.
//
// One kernel has a block for 64 keys of a key-value head and passes over the queries of all its heads; the other has a
// block for queries of a head and passes over the keys. Together they make seven products of tiles where one pass would
// make five: S and dP twice. But one pass has to add up dq over blocks of keys: by atomics in whatever order, or in
// memory for each block of keys, 2 GB each way at 4,096 tokens and 32 heads of 128, which takes about as long as the two
// products, and grows with the square of the length.
//
// Keys by queries, as the first kernel has them, P and dS leave the products in the layout of the left-hand side of the
// next: they never lie in shared memory. The mean is of dout as products round it: dP is, and what all keys share in
// dP and the mean must cancel.
#include "attention.cuh"

// A Slope makes P and dS of a pair's product and dP.
struct Slope {
	Bend bend;

	METHOD Slope(const Shape &a) : bend(a.scale, a.cap) {}
	// lse is in powers of two; unseen pairs have none of either.
	METHOD void of(float &product, float &grad, float lse, float mean, bool seen) const {
		float score = bend.of(product), weight = power_of_two(fmaf(score, bend.factor, -lse));
		product = seen ? weight : 0;
		grad = seen ? weight * (grad - mean) * bend.slope(score) : 0;
	}
};

template <int M, int C>
struct Sums {
	float of[M][C / 8][4];

	template <class T>
	METHOD void store(T *to, i64 stride, int rows, int width, float by) {
		store_sums<M, C>(to, stride, of, rows, width, [=](int, int) { return by; });
	}
};

// A Queries is what streams by in the first kernel: tiles of the queries that see the block's keys, head by head.
template <class T>
struct Queries {
	const T *q, *dout;
	const float *lse, *means;
	Shape a;
	Rows block;
	int kv, first, tiles;
	bool aligned;

	METHOD int query(int i) const { return first + i % tiles * 64; }
	METHOD i64 token(int i) const { return block.start + query(i); }
	METHOD int head(int i) const { return kv * a.group() + i / tiles; }

	template <int D>
	METHOD void stage_q(bf16 *tile, int i) const {
		const T *from = q + token(i) * a.stride_q + head(i) * a.width;
		stage<D, 64>(tile, from, a.stride_q, block.length - query(i), a.width, aligned);
	}
	template <int D>
	METHOD void stage_dout(bf16 *tile, int i) const {
		const T *from = dout + token(i) * a.stride_out() + head(i) * a.width;
		stage<D, 64>(tile, from, a.stride_out(), block.length - query(i), a.width, aligned);
	}
	// stage_rows fills in lse and mean; queries beyond the sequence have weights of zero.
	METHOD void stage_rows(float *rows, int i) const {
		int row = threadIdx.x % 64;
		bool there = query(i) + row < block.length;
		i64 at = (token(i) + row) * a.heads + head(i);
		if (threadIdx.x < 64) rows[row] = there ? lse[at] * LOG2E : infinity();
		else rows[64 + row] = there ? means[at] : 0;
	}
};

// attention_keys writes C columns of dk and dv, from the given one on.
template <int D, int C, class T>
DEVICE void attention_keys(T *dk, T *dv, const T *k, const T *v, Queries<T> stream, int column) {
	enum { KEYS = 64, QUERIES = 64 };
	SHARED(bf16, keys);
	bf16 *values = keys + KEYS * (D + 8), *queries = values + KEYS * (D + 8), *douts = queries + QUERIES * (D + 8);
	float *rows = (float *)(douts + QUERIES * (D + 8));
	const Shape &a = stream.a;
	Rows block = rows_of(a, blockIdx.x, KEYS, false);
	if (block.length == 0) return;
	int first = block.first, warp = threadIdx.x / 32 * 16, lane = threadIdx.x % 32;
	Interval all = {first, min(first + KEYS, block.length)}, seen = seers(a, all, block.length);
	stream.block = block, stream.kv = blockIdx.y, stream.first = seen.from / QUERIES * QUERIES;
	stream.tiles = (seen.to - stream.first + QUERIES - 1) / QUERIES;
	i64 at_k = (block.start + first) * a.stride_k + stream.kv * a.width;
	i64 at_v = (block.start + first) * a.stride_v + stream.kv * a.width;
	stage<D, KEYS>(keys, k + at_k, a.stride_k, all.to - first, a.width, stream.aligned);
	stage<D, KEYS>(values, v + at_v, a.stride_v, all.to - first, a.width, stream.aligned);
	stream.template stage_q<D>(queries, 0);
	commit_copies();
	const Slope slope(a);
	Sums<1, C> of_k, of_v;
	clear(of_k.of);
	clear(of_v.of);
	int steps = stream.tiles * a.group();
	for (int i = 0; i < steps; i++) {
		wait_copies<0>();
		__syncthreads(); // the queries are here, and nobody needs the output gradients before them
		stream.template stage_dout<D>(douts, i);
		stream.stage_rows(rows, i);
		commit_copies();
		float p[1][QUERIES / 8][4], ds[1][QUERIES / 8][4];
		products<D, 1, QUERIES>(p, keys + warp * (D + 8), queries);
		wait_copies<0>();
		__syncthreads(); // the output gradients are here
		products<D, 1, QUERIES>(ds, values + warp * (D + 8), douts);
		int query = stream.query(i);
		auto sees = [&](int r, int j) { return a.sees(query + j, first + warp + r); };
		bool masked = !all_see(a, {query, query + QUERIES}, {first, first + KEYS});
#pragma unroll
		for (int n = 0; n < QUERIES / 2; n++) {
			int row = lane / 4 + n % 4 / 2 * 8, j = n / 4 * 8 + lane % 4 * 2 + n % 2;
			slope.of(p[0][n / 4][n % 4], ds[0][n / 4][n % 4], rows[j], rows[64 + j], !masked || sees(row, j));
		}
		u32 weights[1][QUERIES / 8][2], grads[1][QUERIES / 8][2];
		round_all(weights, p);
		round_all(grads, ds);
		if (masked) {
			contain<D, 1, QUERIES, C>(of_k.of, queries, queries + column, sees);
			contain<D, 1, QUERIES, C>(of_v.of, douts, douts + column, sees);
		}
		accumulate<D, 1, QUERIES, C>(of_k.of, grads, queries + column);
		__syncthreads(); // nobody needs the queries
		if (i + 1 < steps) stream.template stage_q<D>(queries, i + 1);
		commit_copies();
		accumulate<D, 1, QUERIES, C>(of_v.of, weights, douts + column);
	}
	int left = all.to - first - warp, width = min(C, a.width - column);
	of_k.store(dk + at_k + warp * a.stride_k + column, a.stride_k, left, width, a.scale);
	of_v.store(dv + at_v + warp * a.stride_v + column, a.stride_v, left, width, 1);
}

template <int D, int M, class T>
DEVICE void attention_queries(T *dq, const T *q, const T *k, const T *v, const T *dout, const float *lse,
	const float *means, const Shape &a, bool aligned) {
	enum { QUERIES = 64 * M, KEYS = 32, TILE = KEYS * (D + 8) };
	SHARED(bf16, queries);
	bf16 *douts = queries + QUERIES * (D + 8), *stream = douts + QUERIES * (D + 8);
	Rows block = rows_of(a, blockIdx.x, QUERIES, true);
	if (block.length == 0) return;
	int head = blockIdx.y, kv = head / a.group(), first = block.first, warp = threadIdx.x / 32 * 16 * M;
	int lane = threadIdx.x % 32;
	Interval all = {first, min(first + QUERIES, block.length)}, seen = visible(a, all, block.length);
	seen.from -= seen.from % KEYS;
	i64 token = block.start + first, at_q = token * a.stride_q + head * a.width;
	k += block.start * a.stride_k + kv * a.width;
	v += block.start * a.stride_v + kv * a.width;
	stage<D, QUERIES>(queries, q + at_q, a.stride_q, all.to - first, a.width, aligned);
	stage<D, QUERIES>(douts, dout + token * a.stride_out() + head * a.width, a.stride_out(), all.to - first, a.width,
		aligned);
	auto stage_pair = [&](int key) {
		bf16 *to = stream + key / KEYS % 2 * 2 * TILE;
		stage<D, KEYS>(to, k + key * a.stride_k, a.stride_k, block.length - key, a.width, aligned);
		stage<D, KEYS>(to + TILE, v + key * a.stride_v, a.stride_v, block.length - key, a.width, aligned);
		commit_copies();
	};
	stage_pair(seen.from);
	float row_lse[M][2], row_mean[M][2];
#pragma unroll
	for (int i = 0; i < 2 * M; i++) {
		int row = warp + i / 2 * 16 + i % 2 * 8 + lane / 4;
		bool there = first + row < all.to;
		row_lse[i / 2][i % 2] = there ? lse[(token + row) * a.heads + head] * LOG2E : infinity();
		row_mean[i / 2][i % 2] = there ? means[(token + row) * a.heads + head] : 0;
	}
	const Slope slope(a);
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
		auto sees = [&](int r, int j) { return key + j < block.length && a.sees(first + warp + r, key + j); };
		bool masked = key + KEYS > block.length || !all_see(a, {first, first + QUERIES}, {key, key + KEYS});
#pragma unroll
		for (int m = 0; m < M; m++)
#pragma unroll
			for (int n = 0; n < KEYS / 2; n++) {
				int half = n % 4 / 2, row = 16 * m + lane / 4 + half * 8, j = n / 4 * 8 + lane % 4 * 2 + n % 2;
				slope.of(p[m][n / 4][n % 4], ds[m][n / 4][n % 4], row_lse[m][half], row_mean[m][half],
					!masked || sees(row, j));
			}
		u32 grads[M][KEYS / 8][2];
		round_all(grads, ds);
		if (masked) contain<D, M, KEYS, D>(of_q.of, keys, keys, sees);
		accumulate<D, M, KEYS, D>(of_q.of, grads, keys);
	}
	of_q.store(dq + at_q + warp * a.stride_q, a.stride_q, all.to - first - warp, a.width, a.scale);
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

#define GRAD_PARAMETERS(T) \
	const T *q, const T *k, const T *v, const T *dout, const float *lse, const float *means, SHAPE_PARAMETERS, int aligned

#define KEYS_INSTANCE(name, D, C, T)                                                      \
	KERNEL void __launch_bounds__(THREADS, 2) name(T *dk, T *dv, GRAD_PARAMETERS(T)) {     \
		Queries<T> stream = {q, dout, lse, means, SHAPE, {}, 0, 0, 0, aligned != 0};       \
		attention_keys<D, C>(dk, dv, k, v, stream, blockIdx.z * C);                       \
	}                                                                                     \
	REGISTER(name)

#define QUERIES_INSTANCE(name, D, M, T)                                                   \
	KERNEL void __launch_bounds__(THREADS, D > 64 ? 2 : 3) name(T *dq, GRAD_PARAMETERS(T)) { \
		attention_queries<D, M>(dq, q, k, v, dout, lse, means, SHAPE, aligned);           \
	}                                                                                     \
	REGISTER(name)

KEYS_INSTANCE(attention_keys_64_64_bf16, 64, 64, bf16)
KEYS_INSTANCE(attention_keys_96_64_bf16, 96, 96, bf16)
KEYS_INSTANCE(attention_keys_128_64_bf16, 128, 128, bf16)
KEYS_INSTANCE(attention_keys_256_64_bf16, 256, 128, bf16)
KEYS_INSTANCE(attention_keys_64_64_f32, 64, 64, float)
KEYS_INSTANCE(attention_keys_96_64_f32, 96, 96, float)
KEYS_INSTANCE(attention_keys_128_64_f32, 128, 128, float)
KEYS_INSTANCE(attention_keys_256_64_f32, 256, 128, float)

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

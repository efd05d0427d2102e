// Attention and its gradient with products of f32: the formulas and operands of attention.cu and attention_grad.cu.
// This is for exactness, not for speed: a warp has four rows, each lane scores one of the others at a time, and then
// each lane sums up its columns.
#include "attention.cuh"

enum { OWN = 4, OTHERS = 128, MOST_COLUMNS = 256 / 32 };

// A Warp is one warp's part of shared memory and of the work: OWN rows from first on.
struct Warp {
	float *left, *right, *weights, *grads; // [OWN,width] twice, [OWN,OTHERS] twice
	Rows block;
	int first, rows, lane;

	METHOD Warp(const Shape &a, float *shared, bool falling) {
		int warp = threadIdx.x / 32;
		lane = threadIdx.x % 32;
		left = shared + warp * 2 * OWN * (a.width + OTHERS);
		right = left + OWN * a.width;
		weights = right + OWN * a.width;
		grads = weights + OWN * OTHERS;
		block = rows_of(a, blockIdx.x, OWN * WARPS, falling);
		first = block.first + OWN * warp;
		rows = max(0, min((int)OWN, block.length - first));
	}

	// load copies the warp's rows of x, which begins at the sequence and the head; those beyond it are zeros.
	template <class T>
	METHOD void load(float *to, const T *x, i64 stride, int width) const {
		for (int i = lane; i < OWN * width; i += 32)
			to[i] = i / width < rows ? widen(x[(first + i / width) * stride + i % width]) : 0;
	}
};

// dots is the products of a warp's rows and x.
template <class T>
DEVICE void dots(float (&s)[OWN], const float *own, const T *x, int width) {
	for (int r = 0; r < OWN; r++) s[r] = 0;
	for (int c = 0; c < width; c++)
#pragma unroll
		for (int r = 0; r < OWN; r++) s[r] += own[r * width + c] * widen(x[c]);
}

// A Mix is sums of OWN rows; a lane has every 32nd column.
struct Mix {
	float sums[OWN][MOST_COLUMNS];

	METHOD Mix() {
		for (int i = 0; i < OWN * MOST_COLUMNS; i++) sums[i / MOST_COLUMNS][i % MOST_COLUMNS] = 0;
	}
	METHOD void scale(int r, float by) {
#pragma unroll
		for (int c = 0; c < MOST_COLUMNS; c++) sums[r][c] *= by;
	}
	// add takes weights of n rows of x; what has no weight must not turn others to NaN.
	template <class T>
	METHOD void add(const float *weights, const T *x, i64 stride, int n, int width) {
		for (int j = 0; j < n; j++)
#pragma unroll
			for (int c = 0; c < MOST_COLUMNS; c++) {
				int column = threadIdx.x % 32 + 32 * c;
				if (column >= width) break;
				float value = widen(x[j * stride + column]);
#pragma unroll
				for (int r = 0; r < OWN; r++)
					if (weights[r * OTHERS + j] != 0) sums[r][c] += weights[r * OTHERS + j] * value;
			}
	}
	template <class T>
	METHOD void store(T *to, i64 stride, int rows, int width, const float (&by)[OWN]) const {
#pragma unroll
		for (int r = 0; r < OWN; r++)
#pragma unroll
			for (int c = 0; c < MOST_COLUMNS; c++) {
				int column = threadIdx.x % 32 + 32 * c;
				if (r < rows && column < width) narrow(&to[r * stride + column], sums[r][c] * by[r]);
			}
	}
};

DEVICE float score(const Shape &a, float product) {
	return a.cap > 0 ? a.cap * tanhf(product * a.scale / a.cap) : product * a.scale;
}

template <class T>
DEVICE void attention(T *out, float *lse, const T *q, const T *k, const T *v, const Shape &a) {
	SHARED(float, shared);
	Warp w(a, shared, true);
	if (w.rows == 0) return;
	int head = blockIdx.y, kv = head / a.group(), start = w.block.start;
	k += start * a.stride_k + kv * a.width;
	v += start * a.stride_v + kv * a.width;
	w.load(w.left, q + start * a.stride_q + head * a.width, a.stride_q, a.width);
	__syncwarp();
	float top[OWN], sum[OWN];
	for (int r = 0; r < OWN; r++) top[r] = -1e30f, sum[r] = 0;
	Mix mix;
	Interval seen = visible(a, {w.first, w.first + w.rows}, w.block.length);
	for (int from = seen.from; from < seen.to; from += OTHERS) {
		int n = min((int)OTHERS, seen.to - from);
		float s[OTHERS / 32][OWN];
#pragma unroll
		for (int i = 0; i < OTHERS / 32; i++) {
			int j = w.lane + 32 * i;
			if (j < n) dots(s[i], w.left, k + (from + j) * a.stride_k, a.width);
#pragma unroll
			for (int r = 0; r < OWN; r++)
				s[i][r] = j < n && a.sees(w.first + r, from + j) ? score(a, s[i][r]) : -infinity();
		}
#pragma unroll
		for (int r = 0; r < OWN; r++) {
			float most = top[r];
			for (int i = 0; i < OTHERS / 32; i++) most = fmaxf(most, s[i][r]);
			most = warp_max(most);
			float decay = expf(top[r] - most);
			mix.scale(r, decay);
			sum[r] *= decay, top[r] = most;
			for (int i = 0; i < OTHERS / 32; i++) {
				float weight = expf(s[i][r] - most);
				w.weights[r * OTHERS + w.lane + 32 * i] = weight;
				sum[r] += weight;
			}
		}
		__syncwarp();
		mix.add(w.weights, v + from * a.stride_v, a.stride_v, n, a.width);
		__syncwarp();
	}
	float by[OWN];
	i64 token = start + w.first;
	for (int r = 0; r < OWN; r++) {
		sum[r] = warp_sum(sum[r]);
		by[r] = 1 / sum[r];
		if (w.lane == 0 && r < w.rows) lse[(token + r) * a.heads + head] = top[r] + logf(sum[r]);
	}
	mix.store(out + token * a.stride_out() + head * a.width, a.stride_out(), w.rows, a.width, by);
}

// weigh makes P and dS of a product and dP, where the two see each other.
DEVICE void weigh(const Shape &a, float &product, float &grad, float lse, float mean) {
	float s = score(a, product);
	product = expf(s - lse);
	grad = product * (grad - mean) * (a.cap > 0 ? 1 - (s / a.cap) * (s / a.cap) : 1);
}

template <class T>
DEVICE void attention_queries(T *dq, const T *q, const T *k, const T *v, const T *dout, const float *lse,
	const float *means, const Shape &a) {
	SHARED(float, shared);
	Warp w(a, shared, true);
	if (w.rows == 0) return;
	int head = blockIdx.y, kv = head / a.group(), start = w.block.start;
	k += start * a.stride_k + kv * a.width;
	v += start * a.stride_v + kv * a.width;
	w.load(w.left, q + start * a.stride_q + head * a.width, a.stride_q, a.width);
	w.load(w.right, dout + start * a.stride_out() + head * a.width, a.stride_out(), a.width);
	__syncwarp();
	i64 token = start + w.first;
	Mix mix;
	Interval seen = visible(a, {w.first, w.first + w.rows}, w.block.length);
	for (int from = seen.from; from < seen.to; from += OTHERS) {
		int n = min((int)OTHERS, seen.to - from);
		for (int j = w.lane; j < n; j += 32) {
			float p[OWN], ds[OWN];
			dots(p, w.left, k + (from + j) * a.stride_k, a.width);
			dots(ds, w.right, v + (from + j) * a.stride_v, a.width);
#pragma unroll
			for (int r = 0; r < OWN; r++) {
				bool seen = r < w.rows && a.sees(w.first + r, from + j);
				i64 at = (token + r) * a.heads + head;
				if (seen) weigh(a, p[r], ds[r], lse[at], means[at]);
				w.grads[r * OTHERS + j] = seen ? ds[r] : 0;
			}
		}
		__syncwarp();
		mix.add(w.grads, k + from * a.stride_k, a.stride_k, n, a.width);
		__syncwarp();
	}
	mix.store(dq + token * a.stride_q + head * a.width, a.stride_q, w.rows, a.width,
		{a.scale, a.scale, a.scale, a.scale});
}

template <class T>
DEVICE void attention_keys(T *dk, T *dv, const T *q, const T *k, const T *v, const T *dout, const float *lse,
	const float *means, const Shape &a) {
	SHARED(float, shared);
	Warp w(a, shared, false);
	if (w.rows == 0) return;
	int kv = blockIdx.y, start = w.block.start;
	i64 token = start + w.first;
	w.load(w.left, k + start * a.stride_k + kv * a.width, a.stride_k, a.width);
	w.load(w.right, v + start * a.stride_v + kv * a.width, a.stride_v, a.width);
	__syncwarp();
	Mix of_k, of_v;
	Interval seen = seers(a, {w.first, w.first + w.rows}, w.block.length);
	for (int head = kv * a.group(); head < (kv + 1) * a.group(); head++)
		for (int from = seen.from; from < seen.to; from += OTHERS) {
			int n = min((int)OTHERS, seen.to - from);
			const T *queries = q + (start + from) * a.stride_q + head * a.width;
			const T *douts = dout + (start + from) * a.stride_out() + head * a.width;
			for (int j = w.lane; j < n; j += 32) {
				float p[OWN], ds[OWN];
				dots(p, w.left, queries + j * a.stride_q, a.width);
				dots(ds, w.right, douts + j * a.stride_out(), a.width);
				i64 at = (i64)(start + from + j) * a.heads + head;
#pragma unroll
				for (int r = 0; r < OWN; r++) {
					bool seen = r < w.rows && a.sees(from + j, w.first + r);
					weigh(a, p[r], ds[r], lse[at], means[at]);
					w.weights[r * OTHERS + j] = seen ? p[r] : 0;
					w.grads[r * OTHERS + j] = seen ? ds[r] : 0;
				}
			}
			__syncwarp();
			of_k.add(w.grads, queries, a.stride_q, n, a.width);
			of_v.add(w.weights, douts, a.stride_out(), n, a.width);
			__syncwarp();
		}
	of_k.store(dk + token * a.stride_k + kv * a.width, a.stride_k, w.rows, a.width,
		{a.scale, a.scale, a.scale, a.scale});
	of_v.store(dv + token * a.stride_v + kv * a.width, a.stride_v, w.rows, a.width, {1, 1, 1, 1});
}

#define GRAD_PARAMETERS(T) \
	const T *q, const T *k, const T *v, const T *dout, const float *lse, const float *means, SHAPE_PARAMETERS, int
#define INSTANCES(suffix, T)                                                                                      \
	KERNEL void attention_exact_##suffix(T *out, float *lse, const T *q, const T *k, const T *v, SHAPE_PARAMETERS, \
		int) {                                                                                                    \
		attention(out, lse, q, k, v, SHAPE);                                                                      \
	}                                                                                                             \
	REGISTER(attention_exact_##suffix)                                                                            \
	KERNEL void attention_queries_exact_##suffix(T *dq, GRAD_PARAMETERS(T)) {                                      \
		attention_queries(dq, q, k, v, dout, lse, means, SHAPE);                                                  \
	}                                                                                                             \
	REGISTER(attention_queries_exact_##suffix)                                                                    \
	KERNEL void attention_keys_exact_##suffix(T *dk, T *dv, GRAD_PARAMETERS(T)) {                                  \
		attention_keys(dk, dv, q, k, v, dout, lse, means, SHAPE);                                                 \
	}                                                                                                             \
	REGISTER(attention_keys_exact_##suffix)

INSTANCES(f32, float)
INSTANCES(bf16, bf16)

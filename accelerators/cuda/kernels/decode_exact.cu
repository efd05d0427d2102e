// Attention of queries to keys and values of f32 in the pages of a cache, without mma: the parts of decode.cuh, of q
// [N,H*D] and cache [pages,2,page_size,G*D]. A score is one chain of sums over the head's elements, a weighted sum one
// for each of several strides through the part, joined in order; so the bits of a query depend on its own positions
// alone, and there is one path for one query and for many.
//
// A block has one part, and of one key-value head some rows that read it together: the heads of a group, and queries of
// one sequence that follow each other. Bandwidth decides: each thread has 16-byte loads of its own under way, for a key
// of its own, then for eight columns of values.
#include "decode.cuh"

enum { MOST_ROWS = 4, AHEAD = 4 };

// load_eight is n of eight elements, and zeros for the others.
DEVICE void load_eight(float (&x)[8], const float *from, int n, bool aligned) {
	if (aligned && n >= 8) {
		alignas(16) float raw[8];
#pragma unroll
		for (int i = 0; i < 2; i++) ((float4 *)raw)[i] = ((const float4 *)from)[i];
#pragma unroll
		for (int i = 0; i < 8; i++) x[i] = raw[i];
		return;
	}
#pragma unroll
	for (int i = 0; i < 8; i++) x[i] = i < n ? from[i] : 0;
}

DEVICE int heads_together(const Cache &c) { return min(c.group(), (int)MOST_ROWS); }
DEVICE int queries_together(const Cache &c) { return max(1, MOST_ROWS / c.group()); }

// together is the rows that begin with a query; none where an earlier query of the same sequence takes it along.
DEVICE Together together(const Cache &c, int query) {
	int kv = blockIdx.y % c.kv_heads, chunk = blockIdx.y / c.kv_heads * heads_together(c);
	Together t = {query, 0, kv * c.group() + chunk, min(heads_together(c), c.group() - chunk), c.owners[query]};
	int place = (query - c.from) % queries_together(c);
	if (place > 0 && c.owners[query - 1] == t.owner) return t;
	int most = min(queries_together(c) - place, c.to - query);
	for (t.queries = 1; t.queries < most; t.queries++)
		if (c.owners[query + t.queries] != t.owner) break;
	return t;
}

// A Sight is the positions of a part that each row sees, and those that one of them sees.
struct Sight {
	Interval of[MOST_ROWS], any;

	METHOD Sight(const Cache &c, const Together &t, int part) : any{part + PART, part} {
#pragma unroll
		for (int r = 0; r < MOST_ROWS; r++) {
			of[r] = r < t.rows() ? c.seen_of(part, t.query_of(r)) : Interval{0, 0};
			if (!of[r].empty()) any = {min(any.from, of[r].from), max(any.to, of[r].to)};
		}
	}
};

// score fills weights [rows,PART] with the scores of the part's positions, each thread a position at a time, and notes
// their places.
DEVICE void score(float *weights, int *places, const float *queries, const float *keys, const Cache &c,
	const Together &t, const Sight &sight, int part, int padded, bool aligned) {
	const Bend bend(c.scale, c.cap);
	for (int position = part + threadIdx.x; position < part + PART; position += THREADS) {
		bool seen = sight.any.has(position);
		int place = seen ? c.place(t.owner, position) : 0, width = seen ? c.width : 0;
		const float *key = keys + place * c.stride();
		float s[MOST_ROWS] = {};
#pragma unroll 4
		for (int i = 0; i < width; i += 8) {
			float x[8];
			load_eight(x, key + i, width - i, aligned);
#pragma unroll
			for (int r = 0; r < MOST_ROWS; r++)
#pragma unroll
				for (int j = 0; j < 8; j++) s[r] = fmaf(queries[r * padded + i + j], x[j], s[r]);
		}
		places[position - part] = place;
#pragma unroll
		for (int r = 0; r < MOST_ROWS; r++)
			weights[r * PART + position - part] = sight.of[r].has(position) ? bend.of(s[r]) * bend.factor : -infinity();
	}
}

// weigh makes weights of a row's scores, a warp together, and notes their maximum and sum at the head of its part.
DEVICE void weigh(float *weights, float *part) {
	int lane = threadIdx.x % 32;
	float top = -1e30f, sum = 0;
	for (int i = lane; i < PART; i += 32) top = fmaxf(top, weights[i]);
	top = warp_max(top);
	for (int i = lane; i < PART; i += 32) {
		weights[i] = power_of_two(weights[i] - top);
		sum += weights[i];
	}
	sum = warp_sum(sum);
	if (lane == 0) part[0] = top, part[1] = sum;
}

// blend sums the part's values by their weights: each thread for eight columns, and of the positions for every one in
// `strides`, from the one numbered first. What has no weight must not turn others to NaN.
DEVICE void blend(float (&sums)[MOST_ROWS][8], const float *weights, const int *places, const float *values,
	const Cache &c, Interval seen, int first, int strides, int columns, bool aligned) {
	first += max(0, seen.from - first + strides - 1) / strides * strides;
	for (int i = first; i < seen.to; i += AHEAD * strides) {
		float x[AHEAD][8];
#pragma unroll
		for (int a = 0; a < AHEAD; a++) {
			int at = i + a * strides;
			i64 place = at < seen.to ? places[at] + c.page_size : 0;
			load_eight(x[a], values + place * c.stride(), at < seen.to ? columns : 0, aligned);
		}
#pragma unroll
		for (int a = 0; a < AHEAD; a++)
#pragma unroll
			for (int r = 0; r < MOST_ROWS; r++) {
				int at = i + a * strides;
				float weight = at < seen.to ? weights[r * PART + at] : 0;
				if (weight == 0) continue;
#pragma unroll
				for (int j = 0; j < 8; j++) sums[r][j] = fmaf(weight, x[a][j], sums[r][j]);
			}
	}
}

KERNEL void __launch_bounds__(THREADS, 4)
	decode_exact(float *parts, const float *q, const float *cache, CACHE_PARAMETERS, int aligned) {
	const Cache c = CACHE;
	SHARED(float, queries);
	Together t = together(c, c.from + blockIdx.z);
	if (t.queries == 0) return;
	int part = blockIdx.x * PART, padded = (c.width + 7) / 8 * 8, chunks = padded / 8;
	Sight sight(c, t, part);
	if (sight.any.empty()) return;
	float *weights = queries + MOST_ROWS * padded, *shares = weights + MOST_ROWS * PART;
	int *places = (int *)(shares + THREADS * 8);
	for (int i = threadIdx.x; i < MOST_ROWS * padded; i += THREADS) {
		int row = i / padded, column = i % padded;
		i64 at = ((i64)t.query_of(row) * c.heads + t.head_of(row)) * c.width + column;
		queries[i] = row < t.rows() && column < c.width ? q[at] : 0;
	}
	__syncthreads();
	cache += t.head / c.group() * c.width;
	score(weights, places, queries, cache, c, t, sight, part, padded, aligned);
	__syncthreads();
	auto part_of = [&](int row) {
		return parts_of(parts, c, t.query_of(row), t.head_of(row)) + blockIdx.x * (2 + c.width);
	};
	for (int row = threadIdx.x / 32; row < t.rows(); row += WARPS) weigh(weights + row * PART, part_of(row));
	__syncthreads();
	int strides = THREADS / chunks, first = threadIdx.x / chunks, column = threadIdx.x % chunks * 8;
	float sums[MOST_ROWS][8] = {};
	if (first < strides)
		blend(sums, weights, places, cache + column, c, {sight.any.from - part, sight.any.to - part}, first, strides,
			c.width - column, aligned);
#pragma unroll
	for (int r = 0; r < MOST_ROWS; r++) {
		if (r >= t.rows()) break;
		if (first < strides)
			for (int j = 0; j < 8; j++) shares[first * padded + column + j] = sums[r][j];
		__syncthreads();
		for (int i = threadIdx.x; i < c.width; i += THREADS) {
			float sum = 0;
			for (int s = 0; s < strides; s++) sum += shares[s * padded + i];
			part_of(r)[2 + i] = sum;
		}
		__syncthreads();
	}
}
REGISTER(decode_exact)

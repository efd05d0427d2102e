// Attention of queries to keys and values in the pages of a cache: out [N,H*D] of q [N,H*D] and cache
// [pages,2,page_size,G*D], of each page the keys, then the values. Query n is the last of the first lengths[n]
// positions of sequence owners[n], whose positions lie on the pages table[owner,...].
//
// The positions are cut into parts of PART, wherever a query's window begins, and the parts are joined by their maxima
// and sums in their order. A score is one chain of sums over the head's elements, a weighted sum one for each of
// several strides through the part, joined in order; so the bits of a query depend on its own positions alone, and
// there is one path for one query and for many.
//
// A block has one part, and of one key-value head some rows that read it together: the heads of a group, and queries of
// one sequence that follow each other. Bandwidth decides: each thread has 16-byte loads of its own under way, for a key
// of its own, then for eight columns of values.
#include "attention.cuh"

enum { PART = 256, MOST_ROWS = 4, AHEAD = 4 };

// A Cache is accelerators.AttentionDecode with the numbers of what one launch does.
struct Cache {
	const int *table, *owners, *lengths;
	int pages, page_size, sequences, columns, heads, kv_heads, width, window;
	float scale, cap;
	int from, to; // the queries of this launch

	METHOD int group() const { return heads / kv_heads; }
	METHOD int heads_together() const { return min(group(), (int)MOST_ROWS); }
	METHOD int queries_together() const { return max(1, MOST_ROWS / group()); }
	METHOD int parts() const { return (columns * page_size + PART - 1) / PART; }
	// seen is the positions that a query sees, none if its length or owner is out of range.
	METHOD Interval seen(int query) const {
		int length = lengths[query], owner = owners[query];
		if (pages == 0 || length < 0 || length > columns * page_size || owner < 0 || owner >= sequences) return {0, 0};
		return {window ? max(0, length - window) : 0, length};
	}
	// place is the number of the row of the cache that has a position's key, page_size before its value. Pages out of
	// range are as good as page 0.
	METHOD int place(int owner, int position) const {
		int page = table[owner * columns + position / page_size];
		if (page < 0 || page >= pages) page = 0;
		return page * 2 * page_size + position % page_size;
	}
	METHOD i64 stride() const { return (i64)kv_heads * width; }
};

#define CACHE_PARAMETERS                                                                                          \
	const int *table, const int *owners, const int *lengths, int pages, int page_size, int sequences, int columns, \
		int heads, int kv_heads, int width, int window, float scale, float cap, int from, int to
#define CACHE                                                                                                      \
	Cache {                                                                                                        \
		table, owners, lengths, pages, page_size, sequences, columns, heads, kv_heads, width, window, scale, cap, \
			from, to                                                                                              \
	}

// load_eight widens n of eight elements, and zeros for the others.
template <class T>
DEVICE void load_eight(float (&x)[8], const T *from, int n, bool aligned) {
	if (aligned && n >= 8) {
		alignas(16) T raw[8];
#pragma unroll
		for (int i = 0; i < (int)sizeof raw / 16; i++) ((uint4 *)raw)[i] = ((const uint4 *)from)[i];
#pragma unroll
		for (int i = 0; i < 8; i++) x[i] = widen(raw[i]);
		return;
	}
#pragma unroll
	for (int i = 0; i < 8; i++) x[i] = i < n ? widen(from[i]) : 0;
}

// A Together is the rows of a block: heads of queries of one sequence, query by query.
struct Together {
	int query, queries, head, heads, owner;

	METHOD int rows() const { return queries * heads; }
	METHOD int query_of(int row) const { return query + row / heads; }
	METHOD int head_of(int row) const { return head + row % heads; }
};

// together is the rows that begin with a query; none where an earlier query of the same sequence takes it along.
DEVICE Together together(const Cache &c, int query) {
	int kv = blockIdx.y % c.kv_heads, chunk = blockIdx.y / c.kv_heads * c.heads_together();
	Together t = {query, 0, kv * c.group() + chunk, min(c.heads_together(), c.group() - chunk), c.owners[query]};
	int place = (query - c.from) % c.queries_together();
	if (place > 0 && c.owners[query - 1] == t.owner) return t;
	int most = min(c.queries_together() - place, c.to - query);
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
			of[r] = r < t.rows() ? c.seen(t.query_of(r)) : Interval{0, 0};
			of[r] = {max(of[r].from, part), min(of[r].to, part + PART)};
			if (of[r].from < of[r].to) any = {min(any.from, of[r].from), max(any.to, of[r].to)};
		}
	}
	METHOD bool sees(int row, int position) const { return position >= of[row].from && position < of[row].to; }
};

// score fills weights [rows,PART] with the scores of the part's positions, each thread a position at a time, and notes
// their places.
template <class T>
DEVICE void score(float *weights, int *places, const float *queries, const T *keys, const Cache &c, const Together &t,
	const Sight &sight, int part, int padded, bool aligned) {
	const Bend bend(c.scale, c.cap);
	for (int position = part + threadIdx.x; position < part + PART; position += THREADS) {
		bool seen = position >= sight.any.from && position < sight.any.to;
		int place = seen ? c.place(t.owner, position) : 0, width = seen ? c.width : 0;
		const T *key = keys + place * c.stride();
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
			weights[r * PART + position - part] = sight.sees(r, position) ? bend.of(s[r]) * bend.factor : -infinity();
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
template <class T>
DEVICE void blend(float (&sums)[MOST_ROWS][8], const float *weights, const int *places, const T *values, const Cache &c,
	Interval seen, int first, int strides, int columns, bool aligned) {
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

// decode writes the parts [to-from, H, parts(), 2+D]: of each the largest score in powers of two, the sum of weights
// relative to it, and the values' weighted sum. A part that a query does not see is not written.
template <class T>
DEVICE void decode(float *parts, const T *q, const T *cache, const Cache &c, bool aligned) {
	SHARED(float, queries);
	Together t = together(c, c.from + blockIdx.z);
	if (t.queries == 0) return;
	int part = blockIdx.x * PART, padded = (c.width + 7) / 8 * 8, chunks = padded / 8;
	Sight sight(c, t, part);
	if (sight.any.from >= sight.any.to) return;
	float *weights = queries + MOST_ROWS * padded, *shares = weights + MOST_ROWS * PART;
	int *places = (int *)(shares + THREADS * 8);
	for (int i = threadIdx.x; i < MOST_ROWS * padded; i += THREADS) {
		int row = i / padded, column = i % padded;
		i64 at = ((i64)t.query_of(row) * c.heads + t.head_of(row)) * c.width + column;
		queries[i] = row < t.rows() && column < c.width ? widen(q[at]) : 0;
	}
	__syncthreads();
	cache += t.head / c.group() * c.width;
	score(weights, places, queries, cache, c, t, sight, part, padded, aligned);
	__syncthreads();
	auto part_of = [&](int row) {
		i64 query = t.query_of(row) - c.from;
		return parts + ((query * c.heads + t.head_of(row)) * c.parts() + blockIdx.x) * (2 + c.width);
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

// decode_join: out of the parts, a warp for each query and head. A query that sees nothing gets zeros.
template <class T>
DEVICE void decode_join(T *out, const float *parts, const Cache &c) {
	i64 i = thread_number() / 32;
	int query = c.from + i / c.heads, lane = threadIdx.x % 32, size = 2 + c.width;
	if (query >= c.to) return;
	Interval seen = c.seen(query);
	int first = seen.from / PART, end = (seen.to + PART - 1) / PART;
	out += (i64)c.from * c.heads * c.width + i * c.width;
	parts += i * c.parts() * size;
	float top = -1e30f, total = 0;
	for (int p = first; p < end; p++) top = fmaxf(top, parts[p * size]);
	for (int p = first; p < end; p++) total = fmaf(power_of_two(parts[p * size] - top), parts[p * size + 1], total);
	for (int column = lane; column < c.width; column += 32) {
		float sum = 0;
		for (int p = first; p < end; p++)
			sum = fmaf(power_of_two(parts[p * size] - top), parts[p * size + 2 + column], sum);
		narrow(&out[column], first < end ? sum / total : 0);
	}
}

#define INSTANCES(suffix, T)                                                                                       \
	KERNEL void __launch_bounds__(THREADS, 4)                                                                        \
		decode_##suffix(float *parts, const T *q, const T *cache, CACHE_PARAMETERS, int aligned) {                  \
		decode(parts, q, cache, CACHE, aligned);                                                                   \
	}                                                                                                              \
	REGISTER(decode_##suffix)                                                                                      \
	KERNEL void decode_join_##suffix(T *out, const float *parts, CACHE_PARAMETERS) { decode_join(out, parts, CACHE); } \
	REGISTER(decode_join_##suffix)

INSTANCES(f32, float)
INSTANCES(bf16, bf16)

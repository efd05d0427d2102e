// Attention of queries to keys and values of bf16 in the pages of a cache: out [N,H*D] of q [N,H*D] and cache
// [pages,2,page_size,G*D], of each page the keys, then the values. Query n is the last of the first lengths[n]
// positions of sequence owners[n], whose positions lie on the pages table[owner,...]:
//   out = softmax(scale q k^T) v over those positions, or the last of them that are in the window
// in parts of 256 positions, which decode_join joins by their maxima and sums in their order, as those of f32 too.
//
// The bits of a query do not depend on what else is in the launch, though the work is cut by it. A part is passed over
// 64 positions at a time from its first on, with a running maximum and sum, whoever sees which of them; a row of an mma
// is a matter of that row alone; and positions that a query does not see leave its sums as they are.
//
// A block has one part, and of one key-value head the rows that read it together: the heads of a group, and queries of
// one sequence that follow each other. Of more than 16 rows, as in a prompt, each warp has 16, as in attention.cu. Of
// up to 16, as in decoding, all warps have the same: each has a fourth of the keys, then, when they have told each
// other their scores, a fourth of the columns of values. A tile is filled anew, from page to page, as soon as nobody
// needs it, so that mostly two are under way.
// hot: decode_64_bf16 decode_96_bf16 decode_128_bf16 decode_256_bf16
#include "decode.cuh"

enum { KEYS = 64, FEW = 16, MANY = 64 };

// seen_together is the positions of a part from the first to the last that one of the rows sees.
DEVICE Interval seen_together(const Cache &c, const Together &t, int part) {
	Interval any = {part + PART, part};
	for (int i = 0; i < t.queries; i++) {
		Interval seen = c.seen_of(part, t.query + i);
		if (!seen.empty()) any = {min(any.from, seen.from), max(any.to, seen.to)};
	}
	return any;
}

// meet: s = q k^T for the rows of a warp. It has a barrier after the last look at the keys.
template <int D, int ROWS>
DEVICE void meet(float (&s)[1][KEYS / 8][4], const bf16 *queries, const bf16 *keys, float *told) {
	enum { OWN = KEYS / WARPS };
	int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
	if constexpr (ROWS > FEW) {
		products<D, 1, KEYS>(s, queries + warp * 16 * (D + 8), keys);
		__syncthreads();
	} else {
		float own[1][OWN / 8][4];
		products<D, 1, OWN>(own, queries, keys + warp * OWN * (D + 8));
#pragma unroll
		for (int i = 0; i < OWN / 2; i++) told[(warp * OWN / 2 + i) * 32 + lane] = (&own[0][0][0])[i];
		__syncthreads();
#pragma unroll
		for (int i = 0; i < KEYS / 2; i++) (&s[0][0][0])[i] = told[i * 32 + lane];
	}
}

// hide bends the scores of 64 keys that begin at a position, and makes those that the lane's two rows do not see minus
// infinity.
DEVICE void hide(float (&s)[1][KEYS / 8][4], const Bend &bend, const Interval (&seen)[2], int position) {
	position += threadIdx.x % 4 * 2;
#pragma unroll
	for (int n = 0; n < KEYS / 8; n++)
#pragma unroll
		for (int e = 0; e < 4; e++)
			s[0][n][e] = seen[e / 2].has(position + 8 * n + e % 2) ? bend.of(s[0][n][e]) : -infinity();
}

// A Share is what a warp has of the sums: COLUMNS from one on, of 16 rows, of which the lane has row `from` and the one
// eight after it. A warp for which no columns are left is idle: it does others' and forgets them.
template <int D, int ROWS>
struct Share {
	enum { COLUMNS = ROWS > FEW ? D : (D / WARPS + 15) / 16 * 16 };
	int from, column;
	bool idle;
	Interval seen[2];

	METHOD Share(const Cache &c, const Together &t, int part) {
		int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
		from = lane / 4 + (ROWS > FEW ? 16 * warp : 0);
		idle = ROWS == FEW && warp * COLUMNS >= D;
		column = ROWS > FEW || idle ? 0 : warp * COLUMNS;
#pragma unroll
		for (int half = 0; half < 2; half++) {
			int row = from + 8 * half;
			seen[half] = row < t.rows() ? c.seen_of(part, t.query_of(row)) : Interval{0, 0};
		}
	}

	// write writes a part's numbers.
	METHOD void write(float *parts, const Cache &c, const Together &t, const Softmax<1> &softmax, float factor,
		const float (&sums)[1][COLUMNS / 8][4]) const {
		int lane = threadIdx.x % 32;
#pragma unroll
		for (int half = 0; half < 2; half++) {
			if (idle || seen[half].empty()) continue;
			int row = from + 8 * half;
			float *to = parts_of(parts, c, t.query_of(row), t.head_of(row)) + blockIdx.x * (2 + c.width);
			if (column == 0 && lane % 4 == 0) to[0] = softmax.top[0][half] * factor, to[1] = softmax.sum[0][half];
#pragma unroll
			for (int i = 0; i < COLUMNS / 4; i++) {
				int at = column + i / 2 * 8 + lane % 4 * 2 + i % 2;
				if (at < c.width) to[2 + at] = sums[0][i / 2][2 * half + i % 2];
			}
		}
	}
};

// attend writes a part for rows that are together.
template <int D, int ROWS>
DEVICE void attend(float *parts, const bf16 *q, const bf16 *cache, const Cache &c, const Together &t, bool aligned) {
	enum { COLUMNS = Share<D, ROWS>::COLUMNS };
	SHARED(bf16, queries);
	bf16 *keys = queries + ROWS * (D + 8), *values = keys + KEYS * (D + 8);
	int *places = (int *)(values + KEYS * (D + 8)), part = blockIdx.x * PART;
	float *told = (float *)(places + PART);
	Interval any = seen_together(c, t, part);
	if (any.empty()) return;
	for (int i = threadIdx.x; i < PART; i += THREADS)
		places[i] = any.has(part + i) ? c.place(t.owner, part + i) : -1;
	stage<D, ROWS>(queries, q, c.width, aligned, [&](int row) {
		return row < t.rows() ? ((i64)t.query_of(row) * c.heads + t.head_of(row)) * c.width : -1;
	});
	__syncthreads();
	auto load = [&](bf16 *tile, int position, int offset) {
		if (position < any.to)
			stage<D, KEYS>(tile, cache, c.width, aligned, [&](int row) {
				int place = places[position - part + row];
				return place < 0 ? -1 : (place + offset) * c.stride();
			});
		commit_copies();
	};
	const Share<D, ROWS> share(c, t, part);
	const Bend bend(c.scale, c.cap);
	Softmax<1> softmax;
	float sums[1][COLUMNS / 8][4];
	clear(sums);
	int position = any.from - (any.from - part) % KEYS;
	load(keys, position, 0);
	load(values, position, c.page_size);
	for (; position < any.to; position += KEYS) {
		wait_copies<1>();
		__syncthreads(); // the keys are here
		float s[1][KEYS / 8][4];
		meet<D, ROWS>(s, queries, keys, told);
		load(keys, position + KEYS, 0);
		hide(s, bend, share.seen, position);
		softmax.add(s, sums, bend.factor);
		u32 weights[1][KEYS / 8][2];
		round_all(weights, s);
		wait_copies<1>();
		__syncthreads(); // the values are here
		contain<D, 1, KEYS, COLUMNS>(sums, values, values + share.column,
			[&](int row, int key) { return share.seen[row / 8].has(position + key); });
		accumulate<D, 1, KEYS, COLUMNS>(sums, weights, values + share.column);
		__syncthreads(); // nobody needs the values
		load(values, position + KEYS, c.page_size);
	}
	wait_copies<0>();
	softmax.finish();
	share.write(parts, c, t, softmax, bend.factor, sums);
}

// decode writes the parts of rows that begin with a block's first query: of `queries` queries and, at most, as many
// heads, sequence by sequence.
template <int D>
DEVICE void decode(float *parts, const bf16 *q, const bf16 *cache, const Cache &c, int queries, int heads,
	bool aligned) {
	int kv = blockIdx.y % c.kv_heads, begin = blockIdx.y / c.kv_heads * heads, end = c.from + blockIdx.z * queries;
	Together t = {end, 0, kv * c.group() + begin, min(heads, c.group() - begin), 0};
	end = min(end + queries, c.to);
	for (; t.query < end; t.query += t.queries) {
		t.owner = c.owners[t.query];
		for (t.queries = 1; t.query + t.queries < end; t.queries++)
			if (c.owners[t.query + t.queries] != t.owner) break;
		if (t.rows() <= FEW) attend<D, FEW>(parts, q, cache + kv * c.width, c, t, aligned);
		else attend<D, MANY>(parts, q, cache + kv * c.width, c, t, aligned);
	}
}

// decode_join: out of the parts, a block for each query and head. A query that sees nothing gets zeros.
template <class T>
DEVICE void decode_join(T *out, const float *parts, const Cache &c) {
	int query = c.from + blockIdx.x / c.heads, lane = threadIdx.x % 32, size = 2 + c.width;
	Interval seen = c.seen(query);
	int first = seen.from / PART, end = (seen.to + PART - 1) / PART;
	out += ((i64)c.from * c.heads + blockIdx.x) * c.width;
	parts += (i64)blockIdx.x * c.parts() * size;
	float top = LOW;
	for (int p = first + lane; p < end; p += 32) top = fmaxf(top, parts[p * size]);
	top = warp_max(top);
	for (int column = threadIdx.x; column < c.width; column += THREADS) {
		float sum = 0, total = 0;
#pragma unroll 4
		for (int p = first; p < end; p++) {
			float weight = power_of_two(parts[p * size] - top);
			total = fmaf(weight, parts[p * size + 1], total);
			sum = fmaf(weight, parts[p * size + 2 + column], sum);
		}
		narrow(&out[column], first < end ? sum / total : 0);
	}
}

#define INSTANCE(D, BLOCKS)                                                                                         \
	KERNEL void __launch_bounds__(THREADS, BLOCKS) decode_##D##_bf16(float *parts, const bf16 *q, const bf16 *cache, \
		CACHE_PARAMETERS, int queries, int together, int aligned) {                                                  \
		decode<D>(parts, q, cache, CACHE, queries, together, aligned);                                               \
	}                                                                                                                \
	REGISTER(decode_##D##_bf16)
#define JOIN(T, type)                                                                                                \
	KERNEL void decode_join_##T(type *out, const float *parts, CACHE_PARAMETERS) { decode_join(out, parts, CACHE); } \
	REGISTER(decode_join_##T)

INSTANCE(64, 4)
INSTANCE(96, 3)
INSTANCE(128, 3)
INSTANCE(256, 2)
JOIN(f32, float)
JOIN(bf16, bf16)

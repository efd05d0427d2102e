// Rows by number, of a table [rows, width]; a number that the table does not have is passed over.
//
//   gather    out[t] = table[ids[t]]
//   scatter   table[ids[t]] += dout[t], in order of t
//
// For scatter the tokens t are first sorted by their numbers, by digits of eight bits from the lowest on:
// count_digits and place_digits once for each digit. Both cut the tokens into the same tiles, and neither changes
// the order of equals, so that then the rows that are added to one row of the table stand side by side in order of
// t. A warp adds them up for each 256 columns.
// hot: gather* embed* scatter*
#include "rows.cuh"

template <bool whole, class Out, class Table>
DEVICE void gather_piece(Out *out, const Table *row, i64 count) {
	Piece<Table> p = load<whole>(row, count);
	float x[PIECE];
#pragma unroll
	for (int i = 0; i < PIECE; i++) x[i] = element(p, i);
	store<whole>(out, x, count);
}

template <class Out, class Table>
DEVICE void gather(Out *out, const Table *table, const int *ids, u32 rows, u32 width, u32 chunks) {
	Place p = place(chunks);
	u64 at = p.piece * PIECE;
	u32 id = ids[p.row];
	if (at >= width || id >= rows) return;
	Out *to = out + p.row * width + at;
	const Table *from = table + (u64)id * width + at;
	if (width % PIECE == 0 && aligned(out, table)) gather_piece<true>(to, from, width - at);
	else gather_piece<false>(to, from, width - at);
}

#define GATHER(name, Out, Table) \
	KERNEL void __launch_bounds__(256) \
		name(Out *out, const Table *table, const int *ids, u32 rows, u32 width, u32 chunks) { \
		gather(out, table, ids, rows, width, chunks); \
	} \
	REGISTER(name)

GATHER(gather_f32, float, float)
GATHER(gather_bf16, bf16, bf16)
GATHER(embed_bf16, bf16, float)

enum { DIGITS = 256, WARPS = 8, ROUNDS = 4, TILE = WARPS * ROUNDS * 32 };

// A Digit is that of the token of this thread; peers are the lanes of the warp whose tokens have the same one.
struct Digit {
	u32 value, peers;
	bool live;
};

// key is what a number is sorted by: those that the table does not have come last.
DEVICE u32 key(const u32 *ids, u32 i, u32 rows) { return min(ids[i], rows); }

DEVICE Digit digit(const u32 *ids, u32 i, u32 n, u32 rows, u32 shift) {
	Digit d;
	d.live = i < n;
	d.value = d.live ? key(ids, i, rows) >> shift & (DIGITS - 1) : 0;
	d.peers = __ballot_sync(0xffffffff, d.live);
	for (u32 bit = 1; bit < DIGITS; bit *= 2) {
		u32 votes = __ballot_sync(0xffffffff, (d.value & bit) != 0);
		d.peers &= d.value & bit ? votes : ~votes;
	}
	return d;
}

// token is the one of this thread in a round: a warp has its tokens side by side, round after round.
DEVICE u32 token(u32 round) {
	u32 warp = threadIdx.x / 32, lane = threadIdx.x % 32;
	return blockIdx.x * TILE + (warp * ROUNDS + round) * 32 + lane;
}

// count_warp leaves in counts [DIGITS] how often the digits come in this warp's tokens.
DEVICE void count_warp(u32 *counts, const u32 *ids, u32 n, u32 rows, u32 shift) {
	u32 lane = threadIdx.x % 32;
	for (u32 d = lane; d < DIGITS; d += 32) counts[d] = 0;
	__syncwarp();
	for (u32 round = 0; round < ROUNDS; round++) {
		Digit d = digit(ids, token(round), n, rows, shift);
		bool first = d.live && (d.peers & ((1u << lane) - 1)) == 0;
		if (first) counts[d.value] += __popc(d.peers);
		__syncwarp();
	}
}

// tiles[b,d] is how often digit d comes in tile b.
KERNEL void __launch_bounds__(256) count_digits(u32 *tiles, const u32 *ids, u32 n, u32 rows, u32 shift) {
	__shared__ u32 counts[WARPS][DIGITS];
	count_warp(counts[threadIdx.x / 32], ids, n, rows, shift);
	__syncthreads();
	u32 sum = 0;
	for (u32 w = 0; w < WARPS; w++) sum += counts[w][threadIdx.x];
	tiles[blockIdx.x * DIGITS + threadIdx.x] = sum;
}
REGISTER(count_digits)

// sum_before is the sum of x over the threads before this one.
DEVICE u32 sum_before(u32 x) {
	__shared__ u32 warps[WARPS];
	u32 lane = threadIdx.x % 32, sum = x;
	for (u32 lanes = 1; lanes < 32; lanes *= 2) {
		u32 lower = __shfl_up_sync(0xffffffff, sum, lanes);
		if (lane >= lanes) sum += lower;
	}
	if (lane == 31) warps[threadIdx.x / 32] = sum;
	__syncthreads();
	for (u32 w = 0; w < threadIdx.x / 32; w++) sum += warps[w];
	return sum - x;
}

// first_places leaves in counts where the next token of each warp and digit goes. Thread d does digit d, once the
// barrier of sum_before is behind all that counts.
DEVICE void first_places(u32 (*counts)[DIGITS], const u32 *tiles) {
	u32 before = 0, all = 0;
#pragma unroll 8
	for (u32 b = 0; b < gridDim.x; b++) {
		u32 count = tiles[b * DIGITS + threadIdx.x];
		all += count;
		if (b < blockIdx.x) before += count;
	}
	u32 at = sum_before(all) + before;
	for (u32 w = 0; w < WARPS; w++) {
		u32 count = counts[w][threadIdx.x];
		counts[w][threadIdx.x] = at;
		at += count;
	}
}

// place_digits sorts ids and the tokens, which are those of order, or all in their order where there is none.
KERNEL void __launch_bounds__(256) place_digits(u32 *sorted, u32 *sorted_order, const u32 *tiles, const u32 *ids,
	const u32 *order, u32 n, u32 rows, u32 shift) {
	__shared__ u32 counts[WARPS][DIGITS];
	u32 *places = counts[threadIdx.x / 32], lane = threadIdx.x % 32;
	count_warp(places, ids, n, rows, shift);
	first_places(counts, tiles);
	__syncthreads();
	for (u32 round = 0; round < ROUNDS; round++) {
		u32 i = token(round);
		Digit d = digit(ids, i, n, rows, shift);
		u32 lower = __popc(d.peers & ((1u << lane) - 1)), to = d.live ? places[d.value] + lower : 0;
		if (d.live) sorted[to] = key(ids, i, rows), sorted_order[to] = order ? order[i] : i;
		__syncwarp();
		if (d.live && lower == 0) places[d.value] += __popc(d.peers);
		__syncwarp();
	}
}
REGISTER(place_digits)

enum { WARP_COLUMNS = 32 * PIECE };

// add_rows adds the rows of dout that are of one number, from place i on in the sorted order, to a piece of its row.
template <bool whole, class Table, class T>
DEVICE void add_rows(Table *to, const T *dout, const u32 *sorted, const u32 *order, u32 i, u32 n, u32 width, u32 at) {
	u32 lane = threadIdx.x % 32, id = sorted[i], count = at < width ? width - at : 0;
	float sum[PIECE];
	Piece<Table> old = {};
	if (count > 0) old = load<whole>(to, count);
#pragma unroll
	for (int j = 0; j < PIECE; j++) sum[j] = element(old, j);
	for (u32 same = 32; same == 32; i += 32) {
		u32 mine = i + lane;
		bool one = mine < n && sorted[mine] == id;
		u32 t = one ? order[mine] : 0;
		same = __popc(__ballot_sync(0xffffffff, one));
#pragma unroll 4
		for (u32 k = 0; k < same; k++) {
			u32 row = __shfl_sync(0xffffffff, t, k);
			if (count == 0) continue;
			Piece<T> p = load<whole>(dout + (u64)row * width + at, count);
#pragma unroll
			for (int j = 0; j < PIECE; j++) sum[j] += element(p, j);
		}
	}
	if (count > 0) store<whole>(to, sum, count);
}

// scatter gives a warp to each place in the sorted order and each WARP_COLUMNS columns; those go on whose place is
// the first of its number.
template <class Table, class T>
DEVICE void scatter(Table *table, const T *dout, const u32 *sorted, const u32 *order, u32 n, u32 rows, u32 width) {
	u32 chunks = (width + WARP_COLUMNS - 1) / WARP_COLUMNS;
	u64 warp = thread_number() / 32;
	u64 i = warp / chunks;
	if (i >= n || sorted[i] >= rows || (i > 0 && sorted[i - 1] == sorted[i])) return;
	u32 at = (u32)(warp % chunks) * WARP_COLUMNS + threadIdx.x % 32 * PIECE;
	Table *to = table + (u64)sorted[i] * width + at;
	if (width % PIECE == 0 && aligned(table, dout)) add_rows<true>(to, dout, sorted, order, i, n, width, at);
	else add_rows<false>(to, dout, sorted, order, i, n, width, at);
}

#define SCATTER(name, Table, T) \
	KERNEL void __launch_bounds__(256) name(Table *table, const T *dout, const u32 *sorted, \
		const u32 *order, u32 n, u32 rows, u32 width) { \
		scatter(table, dout, sorted, order, n, rows, width); \
	} \
	REGISTER(name)

SCATTER(scatter_f32, float, float)
SCATTER(scatter_bf16, bf16, bf16)
SCATTER(embed_grad_bf16, float, bf16)

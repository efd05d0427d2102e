// What a warp does together, as the PTX reference has it.
#include "arena.h"
#include "arithmetic.h"
#include "internal.h"

namespace emulator {

static void count_interval(Warp &w, u32 lanes) {
	if (lanes == w.live) w.interval++;
}

void sync_warp(u32 mask, Site at) { meet(mask, "__syncwarp", at, count_interval); }

struct Shuffle {
	u64 value;
	u32 from;
};

// shuffle gives each lane the value of the one it names; of one that does not take part, NaN.
static void shuffle(Warp &w, u32 lanes) {
	for (u32 rest = lanes; rest; rest &= rest - 1) {
		unsigned lane = __builtin_ctz(rest);
		u32 from = ((Shuffle *)w.given[lane])->from;
		u64 value = lanes >> from & 1 ? ((Shuffle *)w.given[from])->value : ~0ull;
		memcpy(w.results[lane], &value, sizeof value);
	}
}

u64 from_lane(u32 mask, u64 value, unsigned lane, const char *what, Site at) {
	*(Shuffle *)given() = {value, lane};
	return *(u64 *)meet(mask, what, at, shuffle);
}

static void count_votes(Warp &w, u32 lanes) {
	u32 votes = 0;
	for (u32 rest = lanes; rest; rest &= rest - 1) {
		unsigned lane = __builtin_ctz(rest);
		if (w.given[lane][0]) votes |= 1u << lane;
	}
	for (auto &result : w.results) memcpy(result, &votes, sizeof votes);
}

u32 ballot(u32 mask, bool vote, Site at) {
	*given() = vote;
	return *(u32 *)meet(mask, "a vote", at, count_votes);
}

static void want_whole_warp(u32 lanes, const char *what) {
	if (lanes != ~0u) fault(LAUNCH_FAILED, "%s wants all 32 lanes of the warp, those that came are %08x", what, lanes);
}

enum { ROWS = 16, COLUMNS = 8, INNER = 16 }; // of mma's D [ROWS,COLUMNS] += A [ROWS,INNER] B [INNER,COLUMNS]

static float low(u32 pair) { return __uint_as_float(pair << 16); }
static float high(u32 pair) { return __uint_as_float(pair & 0xffff0000); }

// Lane 4g+q holds of A rows g and g+8 at columns 2q and 2q+8, two neighbours each, in the order (g,2q), (g+8,2q),
// (g,2q+8), (g+8,2q+8); of B, after that, column g at rows 2q and 2q+8.
static void gather(const Warp &w, float a[ROWS][INNER], float b[INNER][COLUMNS]) {
	for (unsigned lane = 0; lane < WARP; lane++) {
		unsigned g = lane / 4, q = lane % 4;
		const u32 *given = (const u32 *)w.given[lane];
		for (unsigned i = 0; i < 4; i++) {
			float *at = &a[g + i % 2 * 8][2 * q + i / 2 * 8];
			at[0] = low(given[i]), at[1] = high(given[i]);
		}
		for (unsigned i = 0; i < 2; i++) {
			b[2 * q + i * 8][g] = low(given[4 + i]);
			b[2 * q + i * 8 + 1][g] = high(given[4 + i]);
		}
	}
}

// Lane 4g+q gets of the product rows g and g+8 at columns 2q and 2q+1.
static void multiply(Warp &w, u32 lanes) {
	want_whole_warp(lanes, "mma");
	float a[ROWS][INNER], b[INNER][COLUMNS], product[ROWS][COLUMNS] = {};
	gather(w, a, b);
	for (int row = 0; row < ROWS; row++)
		for (int k = 0; k < INNER; k++)
			for (int column = 0; column < COLUMNS; column++) product[row][column] += a[row][k] * b[k][column];
	for (unsigned lane = 0; lane < WARP; lane++) {
		unsigned g = lane / 4, q = lane % 4;
		memcpy(w.results[lane], &product[g][2 * q], 8);
		memcpy(w.results[lane] + 8, &product[g + 8][2 * q], 8);
	}
}

void mma(float d[4], const u32 a[4], const u32 b[2], Site at) {
	u32 *mine = (u32 *)given();
	memcpy(mine, a, 16);
	memcpy(mine + 4, b, 8);
	const float *product = (const float *)meet(~0u, "mma", at, multiply);
	for (int i = 0; i < 4; i++) d[i] += product[i];
}

// load reads four matrices of eight rows, whose addresses the lanes gave; rows[matrix][row][column].
static void load(Warp &w, u32 lanes, u16 rows[4][8][8]) {
	want_whole_warp(lanes, "load_matrices");
	for (unsigned lane = 0; lane < WARP; lane++) memcpy(rows[lane / 8][lane % 8], *(const void **)w.given[lane], 16);
}

// Lane 4g+q gets of each matrix row g at columns 2q and 2q+1.
static void load_straight(Warp &w, u32 lanes) {
	u16 rows[4][8][8];
	load(w, lanes, rows);
	for (unsigned lane = 0; lane < WARP; lane++)
		for (unsigned m = 0; m < 4; m++) memcpy(w.results[lane] + 4 * m, &rows[m][lane / 4][lane % 4 * 2], 4);
}

// Lane 4g+q gets of each matrix column g at rows 2q and 2q+1.
static void load_transposed(Warp &w, u32 lanes) {
	u16 rows[4][8][8];
	load(w, lanes, rows);
	for (unsigned lane = 0; lane < WARP; lane++)
		for (unsigned m = 0; m < 4; m++) {
			unsigned g = lane / 4, q = lane % 4;
			u16 pair[2] = {rows[m][2 * q][g], rows[m][2 * q + 1][g]};
			memcpy(w.results[lane] + 4 * m, pair, sizeof pair);
		}
}

static bool within(const void *at, size_t bytes, Region r) { return at >= r.begin && (u8 *)at + bytes <= r.end; }

// want_shared wants 16 bytes on a boundary of 16 in shared memory.
static void want_shared(const void *at, const char *what, Site site) {
	if ((uintptr_t)at % 16)
		fault(MISALIGNED_ADDRESS, "%s (%s:%d) wants a boundary of 16 bytes in shared memory", what, site.file, site.line);
	if (!within(at, 16, dynamic_region) && !within(at, 16, static_region))
		fault(ILLEGAL_ADDRESS, "%s (%s:%d): %s is not shared memory of the block", what, site.file, site.line,
			describe_address((u64)at).c_str());
}

static void load_with(Work work, u32 r[4], const void *row, Site at) {
	want_shared(row, "load_matrices", at);
	note_access(row, 16, READ);
	*(const void **)given() = row;
	memcpy(r, meet(~0u, "load_matrices", at, work), 16);
}

void load_matrices(u32 r[4], const void *row, Site at) { load_with(load_straight, r, row, at); }
void load_matrices_transposed(u32 r[4], const void *row, Site at) { load_with(load_transposed, r, row, at); }

static void land(const Copy &c) {
	if (c.bytes) memcpy(c.to, c.from, c.bytes);
	memset(c.to + c.bytes, 0, c.zeros);
}

// copy_async lands when it is waited for or, by chance, at once: a GPU may do either.
void copy_async(void *to, const void *from, int count, Site at) {
	want_shared(to, "copy_async", at);
	if ((uintptr_t)from % 16)
		fault(MISALIGNED_ADDRESS, "copy_async (%s:%d) wants a boundary of 16 bytes in global memory", at.file, at.line);
	if (count < 0 || count > 16) fault(LAUNCH_FAILED, "copy_async (%s:%d) of %d bytes", at.file, at.line, count);
	Copy c = {(u8 *)to, (const u8 *)from, (unsigned)count, 16 - (unsigned)count};
	note_access(from, count, READ);
	note_access(to, 16, WRITE);
	note_pending(to, 16, true);
	if (coin()) land(c);
	current->copies.push_back(c);
}

void commit_copies() { current->groups.push_back(current->copies.size()); }

void wait_copies(unsigned groups) {
	auto &ends = current->groups;
	auto &copies = current->copies;
	if (ends.size() <= groups) return;
	size_t done = ends.size() - groups, end = ends[done - 1];
	for (size_t i = 0; i < end; i++) {
		land(copies[i]);
		note_pending(copies[i].to, 16, false);
		note_access(copies[i].to, 16, WRITE);
	}
	copies.erase(copies.begin(), copies.begin() + end);
	ends.erase(ends.begin(), ends.begin() + done);
	for (size_t &e : ends) e -= end;
}

} // namespace emulator

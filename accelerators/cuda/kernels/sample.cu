// Draws of ids from rows of V logits, a block a row. With top the largest logit of a row, the weight of an id is
//   w = exp((logit-top)/temperature).
// Counts and sums are integers, weights in units of 2^-44: they are exact in any order, so that histograms made by
// atomics have one outcome. Ids are kept in falling order of logits, of equal ones in order of the ids, until there are
// TopK of them or they have TopP of the mass. Of these the draw takes the first at which the sum of weights, in order
// of ids, exceeds the random share of the whole.
//
// The last logit that is kept is found as by a radix sort: a histogram of 1024 ranges shows which range it is in, the
// next one divides that range. The first ranges are even in (top-logit)/temperature, over which logits spread, the
// others in the order of the floats' bits. Each takes one pass over the row.
// hot: sample
#include "device.cuh"

enum { RANGES = 1024, RANGES_PER_UNIT = 64, WARP = 32 };

// A Draw is as the host uploads it; top_k or top_p of 0 cut nothing.
struct Draw {
	float temperature, top_p;
	u64 top_k, seed, counter;
};

// A Row is one row of logits with what its weights need.
struct Row {
	const float *logits;
	u32 n;
	float top, inverse; // 1/temperature
};

// key_of puts floats in the order of integers; what is not a number is the largest, and -0 is 0.
DEVICE u32 key_of(float x) {
	if (x != x) return 0xffffffff;
	u32 bits = __float_as_uint(x + 0.0f);
	return bits >> 31 ? ~bits : bits | 0x80000000;
}

DEVICE float float_of(u32 key) { return __uint_as_float(key >> 31 ? key & 0x7fffffff : ~key); }

// mass_of is a weight in units of 2^-44. The same logit has the same in every pass.
DEVICE u64 mass_of(const Row &row, float logit) {
	return (u64)(expf(__fmul_rn(logit - row.top, row.inverse)) * 17592186044416.0f);
}

// range_of is the range of a logit in the first histogram; it falls where the logit rises.
DEVICE u32 range_of(const Row &row, float logit) {
	return (u32)fminf(__fmul_rn(row.top - logit, row.inverse) * RANGES_PER_UNIT, RANGES - 1);
}

// visit calls f with the ids from, from+step, ... below end and their logits, which it reads eight at a time.
template <class F>
DEVICE void visit(const float *logits, u32 from, u32 end, u32 step, F f) {
	for (; from < end; from += 8 * step) {
		float x[8];
#pragma unroll
		for (u32 e = 0; e < 8; e++) x[e] = from + e * step < end ? logits[from + e * step] : 0;
#pragma unroll
		for (u32 e = 0; e < 8; e++)
			if (from + e * step < end) f(from + e * step, x[e]);
	}
}

// first_largest is the key of a row's largest logit and, below it, the complement of the first id that has it, in every
// thread.
DEVICE u64 first_largest(const float *logits, u32 n) {
	__shared__ u64 parts[WARP];
	u64 best = 0;
	visit(logits, threadIdx.x, n, blockDim.x, [&](u32 i, float x) { best = max(best, (u64)key_of(x) << 32 | ~i); });
	for (int lanes = 16; lanes > 0; lanes /= 2) best = max(best, __shfl_xor_sync(0xffffffff, best, lanes));
	if (threadIdx.x % WARP == 0) parts[threadIdx.x / WARP] = best;
	__syncthreads();
	for (u32 w = 0; w < blockDim.x / WARP; w++) best = max(best, parts[w]);
	return best;
}

DEVICE u64 warp_total(u64 x) {
	for (int lanes = 16; lanes > 0; lanes /= 2) x += __shfl_xor_sync(0xffffffff, x, lanes);
	return x;
}

// whole_mass is the sum of a row's weights, in every thread.
DEVICE u64 whole_mass(const Row &row) {
	__shared__ u64 parts[WARP];
	u64 sum = 0;
	visit(row.logits, threadIdx.x, row.n, blockDim.x, [&](u32, float x) { sum += mass_of(row, x); });
	sum = warp_total(sum);
	if (threadIdx.x % WARP == 0) parts[threadIdx.x / WARP] = sum;
	__syncthreads();
	sum = 0;
	for (u32 w = 0; w < blockDim.x / WARP; w++) sum += parts[w];
	return sum;
}

// upto is the sum of x over this lane of a warp and those before.
DEVICE u64 upto(u64 x) {
	u32 lane = threadIdx.x % WARP;
	for (u32 lanes = 1; lanes < WARP; lanes *= 2) {
		u64 before = __shfl_up_sync(0xffffffff, x, lanes);
		if (lane >= lanes) x += before;
	}
	return x;
}

// find is the first id at which the sum of weights, in order of ids, exceeds a target that is less than the whole sum.
// weight has an id and its logit. The warps divide what is left of the ids until it is no more than a warp has lanes.
template <class Weight>
DEVICE u32 find(const Row &row, u64 target, Weight weight) {
	__shared__ u64 parts[WARP];
	u32 from = 0, n = row.n, lane = threadIdx.x % WARP, warp = threadIdx.x / WARP, warps = blockDim.x / WARP;
	while (n > WARP) {
		u32 part = ((n + warps - 1) / warps + WARP - 1) / WARP * WARP, begin = from + warp * part;
		u64 sum = 0;
		visit(row.logits, begin + lane, min(from + n, begin + part), WARP,
			[&](u32 i, float x) { sum += weight(i, x); });
		sum = warp_total(sum);
		__syncthreads();
		if (lane == 0) parts[warp] = sum;
		__syncthreads();
		u32 w = 0;
		while (w + 1 < warps && target >= parts[w]) target -= parts[w++];
		from += w * part, n = min(part, n - w * part);
	}
	u64 sum = upto(lane < n ? weight(from + lane, row.logits[from + lane]) : 0);
	return from + __ffs(__ballot_sync(0xffffffff, sum > target)) - 1;
}

// A Share is some ids: how many, and the sum of their weights.
struct Share {
	u64 count, mass;
};

DEVICE Share operator+(Share a, Share b) { return Share{a.count + b.count, a.mass + b.mass}; }
DEVICE Share operator-(Share a, Share b) { return Share{a.count - b.count, a.mass - b.mass}; }

// A Histogram lies in shared memory.
struct Histogram {
	u64 masses[RANGES];
	u32 counts[RANGES];
};

DEVICE Share at(const Histogram &h, u32 range) { return Share{h.counts[range], h.masses[range]}; }

DEVICE void clear(Histogram &h) {
	u32 threads = blockDim.x;
	__syncthreads();
	for (u32 r = threadIdx.x; r < RANGES; r += threads) h.counts[r] = 0, h.masses[r] = 0;
	__syncthreads();
}

DEVICE void enter(Histogram &h, u32 range, Share s) {
	atomicAdd(&h.counts[range], (u32)s.count);
	atomicAdd(&h.masses[range], s.mass);
}

// A Need is how much of the ids to keep: so many, or so much of their mass.
struct Need {
	bool by_mass;
	u64 least;
};

DEVICE bool met(const Need &need, Share s) { return (need.by_mass ? s.mass : s.count) >= need.least; }

// reach is the first range with which the ids meet a need; above, those that lie above all ranges, grows by those in
// the ranges before. The first warp searches.
DEVICE u32 reach(const Histogram &h, const Need &need, Share &above) {
	const u32 own = RANGES / WARP;
	__shared__ Share before;
	__shared__ u32 range;
	__syncthreads();
	if (threadIdx.x < WARP) {
		u32 lane = threadIdx.x, r = lane * own;
		Share sum = {0, 0};
		for (u32 i = 0; i < own; i++) sum = sum + at(h, r + (i + lane) % own); // lanes read different banks
		Share end = above + Share{upto(sum.count), upto(sum.mass)};
		u32 votes = __ballot_sync(0xffffffff, met(need, end));
		if (lane + 1 == (u32)__ffs(votes)) {
			Share so_far = end - sum;
			while (!met(need, so_far + at(h, r))) so_far = so_far + at(h, r++);
			before = so_far, range = r;
		}
	}
	__syncthreads();
	above = before;
	return range;
}

// A Cut keeps the logits above that of a key, and of those equal to it the ids up to last. mass is what it keeps.
struct Cut {
	u32 key, last;
	u64 mass;
};

DEVICE bool keeps(const Cut &cut, u32 id, u32 key) { return key > cut.key || (key == cut.key && id <= cut.last); }

// lowest_key is the least key whose range is at most r.
DEVICE u32 lowest_key(const Row &row, u32 r) {
	u32 low = 0, high = key_of(row.top);
	while (low < high) {
		u32 middle = low + (high - low) / 2;
		if (range_of(row, float_of(middle)) <= r)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

// first_range is that of the last logit which is kept, in the first histogram. In the last range there may be most of
// a vocabulary: each thread adds up its own of those, for atomics on one word wait for one another.
DEVICE u32 first_range(Histogram &h, const Row &row, const Need &need, Share &above) {
	const u32 last = RANGES - 1;
	Share far = {0, 0};
	clear(h);
	visit(row.logits, threadIdx.x, row.n, blockDim.x, [&](u32, float x) {
		u32 range = range_of(row, x);
		Share one = {1, mass_of(row, x)};
		if (range < last) enter(h, range, one);
		else far = far + one;
	});
	far = {warp_total(far.count), warp_total(far.mass)};
	if (threadIdx.x % WARP == 0) enter(h, last, far);
	return reach(h, need, above);
}

// cut_for is the cut that meets a need which the whole row meets.
DEVICE Cut cut_for(Histogram &h, const Row &row, const Need &need) {
	Share above = {0, 0};
	u32 range = first_range(h, row, need, above);
	u32 high = range ? lowest_key(row, range - 1) - 1 : key_of(row.top), low = lowest_key(row, range);
	for (;;) {
		u32 shift = 0;
		while ((high - low) >> shift >= RANGES) shift++;
		clear(h);
		visit(row.logits, threadIdx.x, row.n, blockDim.x, [&](u32, float x) {
			u32 key = key_of(x);
			if (key >= low && key <= high) enter(h, (high - key) >> shift, Share{1, mass_of(row, x)});
		});
		range = reach(h, need, above);
		high -= range << shift;
		if (shift == 0) break;
		if ((high - low) >> shift) low = high - ((1u << shift) - 1);
	}
	u64 each = mass_of(row, float_of(high)), equal = h.counts[range], kept = need.least - above.count;
	if (need.by_mass) kept = min(equal, (u64)ceil((double)(need.least - above.mass) / (double)each));
	Cut cut = {high, row.n, above.mass + kept * each};
	if (kept < equal)
		cut.last = find(row, kept - 1, [&](u32, float x) { return (u64)(key_of(x) == high); });
	return cut;
}

DEVICE u64 mix(u64 z) {
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

// uniform is the number in [0, 1) of a stream at a counter: two rounds of the SplitMix64 finalizer (Steele et al.
// 2014).
DEVICE double uniform(u64 seed, u64 counter) {
	const u64 gamma = 0x9e3779b97f4a7c15ull;
	return (double)(mix(mix(seed + gamma) + counter * gamma) >> 11) / 9007199254740992.0;
}

DEVICE u32 drawn(const Row &row, const Draw &draw) {
	__shared__ Histogram h;
	Cut cut = {0, row.n, 0};
	if (draw.top_k > 0 && draw.top_k < row.n)
		cut = cut_for(h, row, Need{false, draw.top_k});
	else
		cut.mass = whole_mass(row);
	if (draw.top_p > 0 && draw.top_p < 1) {
		double least = ceil((double)draw.top_p * (double)cut.mass);
		cut = cut_for(h, row, Need{true, max((u64)1, min(cut.mass, (u64)least))});
	}
	u64 target = min(cut.mass - 1, (u64)(uniform(draw.seed, draw.counter) * (double)cut.mass));
	return find(row, target, [&](u32 i, float x) { return keeps(cut, i, key_of(x)) ? mass_of(row, x) : 0; });
}

// ids[r] is drawn from row r of the logits; it is -1 where the row has no largest finite logit. Few rows are usual, so
// that one block on a multiprocessor, with all the registers that it wants, is enough.
KERNEL void __launch_bounds__(512, 1) sample(int *ids, const float *logits, u32 vocab, const Draw *draws) {
	Draw draw = draws[blockIdx.x];
	Row row = {logits + (u64)blockIdx.x * vocab, vocab, 0, fminf(1 / draw.temperature, 3.402823466e38f)};
	u64 best = first_largest(row.logits, row.n);
	row.top = float_of((u32)(best >> 32));
	int id = row.top - row.top == 0 ? (int)~(u32)best : -1;
	if (id >= 0 && draw.temperature > 0) id = (int)drawn(row, draw);
	if (threadIdx.x == 0) ids[blockIdx.x] = id;
}
REGISTER(sample)

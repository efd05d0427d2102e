// Weights in NF4, as accelerators/nf4.go and its packages say. 128 weights are a unit of 16 words: nibble k of word j
// is the code of number 16k+j. A scale, less the mean of all scales, is a number in eight bits with a sign; of every
// 256 such numbers the scale, and the mean, are floats:
//   weight = level[code] * (share(scale code) * top + mean).
// hot: unpack_nf4_*
#include "dynamic8.cuh"
#include "tile.cuh"

enum { UNIT = 128, BLOCK = 64, UNIT_WORDS = 16 };

// nf4_code is the number of the level that is nearest to v, of two the lower: how many bounds between levels lie below
// v.
DEVICE u32 nf4_code(const float *levels, float v) {
	u32 code = 0;
	for (u32 half = 8; half > 0; half /= 2) {
		u32 bound = code + half;
		if (v > (levels[bound - 1] + levels[bound]) / 2) code = bound;
	}
	return code;
}

// pack_codes: 16 lanes have a unit, each one word, which holds a sixteenth of both blocks. scales are those of the
// blocks.
KERNEL void __launch_bounds__(TILE_THREADS)
	pack_codes(u32 *words, float *scales, const float *x, u64 n, const CodeTable *table) {
	__shared__ float levels[16];
	if (threadIdx.x < 16) levels[threadIdx.x] = table->levels[threadIdx.x];
	__syncthreads();
	u64 unit = thread_number() / 16;
	u32 lane = threadIdx.x % 16, word = 0;
	for (u32 block = 0; block < 2; block++) {
		u64 first = unit * UNIT + block * BLOCK, left = first < n ? n - first : 0;
		float own[4];
		u32 top = 0;
#pragma unroll
		for (u32 k = 0; k < 4; k++) {
			own[k] = 16 * k + lane < left ? x[first + 16 * k + lane] : 0;
			top = max(top, magnitude(own[k]));
		}
		for (int lanes = 8; lanes > 0; lanes /= 2) top = max(top, __shfl_xor_sync(0xffffffff, top, lanes));
		float per = per_scale(__uint_as_float(top));
#pragma unroll
		for (u32 k = 0; k < 4; k++)
			if (16 * k + lane < left) word |= nf4_code(levels, own[k] * per) << (16 * block + 4 * k);
		if (lane == 0 && left) scales[2 * unit + block] = __uint_as_float(top);
	}
	if (unit * UNIT < n) words[unit * UNIT_WORDS + lane] = word;
}
REGISTER(pack_codes)

// mean_scale: mean[0] of n scales, summed in f64 from the first to the last, so that packing has the same bits on all
// devices. One block reads ahead for its thread 0.
KERNEL void mean_scale(float *mean, const float *scales, u64 n) {
	__shared__ float parts[TILE_THREADS];
	double sum = 0;
	for (u64 at = 0; at < n; at += TILE_THREADS) {
		parts[threadIdx.x] = at + threadIdx.x < n ? scales[at + threadIdx.x] : 0;
		__syncthreads();
		if (threadIdx.x == 0)
			for (u32 i = 0; i < TILE_THREADS; i++) sum += (double)parts[i];
		__syncthreads();
	}
	if (threadIdx.x == 0) *mean = (float)(sum / (double)max(n, (u64)1));
}
REGISTER(mean_scale)

// pack_scales: a block of 256 threads has the 256 scales under one top. There are room codes, of which those beyond the
// n scales are 0.
KERNEL void __launch_bounds__(256)
	pack_scales(u8 *codes, float *tops, const float *scales, const float *mean, u64 n, u64 room,
		const CodeTable *table) {
	__shared__ CodeMap map;
	__shared__ u32 parts[8];
	copy_map(&map, &table->with_sign.map);
	u64 i = thread_number();
	float scale = i < n ? __fadd_rn(scales[i], -*mean) : 0;
	u32 top = magnitude(scale);
	for (int lanes = 16; lanes > 0; lanes /= 2) top = max(top, __shfl_xor_sync(0xffffffff, top, lanes));
	if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = top;
	__syncthreads();
	for (u32 w = 0; w < 8; w++) top = max(top, parts[w]);
	if (i < room) codes[i] = i < n ? (u8)signed_code(map, __fmul_rn(scale, per_scale(__uint_as_float(top)))) : 0;
	if (threadIdx.x == 0) tops[blockIdx.x] = __uint_as_float(top);
}
REGISTER(pack_scales)

// load8 reads eight words in a row.
DEVICE void load8(u32 to[8], const u32 *from) {
	if ((u64)from % 16) {
#pragma unroll
		for (int j = 0; j < 8; j++) to[j] = from[j];
		return;
	}
	uint4 low = ((const uint4 *)from)[0], high = ((const uint4 *)from)[1];
	to[0] = low.x, to[1] = low.y, to[2] = low.z, to[3] = low.w;
	to[4] = high.x, to[5] = high.y, to[6] = high.z, to[7] = high.w;
}

// A Strip is 8 weights in a row, the same nibbles of half a unit's words, from number at on.
struct Strip {
	u64 at;
	u32 words[8];
	float scale;
};

// unpack_nf4: out is n weights from the start of a unit on, words and scales those from there on, whose first is number
// block of the matrix. A thread has two strips.
template <class T>
DEVICE void unpack_nf4(T *out, const u32 *words, const u8 *scales, const float *tops, const float *mean, u64 block,
	u64 n, const CodeTable *table) {
	__shared__ float levels[16];
	if (threadIdx.x < 16) levels[threadIdx.x] = table->levels[threadIdx.x];
	Strip strips[2];
#pragma unroll
	for (u32 i = 0; i < 2; i++) {
		Strip &s = strips[i];
		s.at = 8 * ((u64)(2 * blockIdx.x + i) * TILE_THREADS + threadIdx.x);
		if (s.at >= n) continue;
		load8(s.words, words + s.at / UNIT * UNIT_WORDS + s.at % 16);
		u32 code = scales[s.at / BLOCK];
		float share = code == SIGN ? 1 : table->with_sign.shares[code % SIGN];
		s.scale = __fadd_rn(__fmul_rn(code > SIGN ? -share : share, tops[(block + s.at / BLOCK) / 256]), *mean);
	}
	__syncthreads();
#pragma unroll
	for (u32 i = 0; i < 2; i++) {
		const Strip &s = strips[i];
		float x[8];
#pragma unroll
		for (int j = 0; j < 8; j++) x[j] = levels[s.words[j] >> s.at % UNIT / 16 * 4 & 15] * s.scale;
		if (s.at < n) store_eight(out + s.at, x, (int)min(n - s.at, (u64)PIECE));
	}
}
KERNEL void __launch_bounds__(TILE_THREADS) unpack_nf4_f32(float *out, const u32 *words, const u8 *scales,
	const float *tops, const float *mean, u64 block, u64 n, const CodeTable *table) {
	unpack_nf4(out, words, scales, tops, mean, block, n, table);
}
REGISTER(unpack_nf4_f32)
KERNEL void __launch_bounds__(TILE_THREADS) unpack_nf4_bf16(bf16 *out, const u32 *words, const u8 *scales,
	const float *tops, const float *mean, u64 block, u64 n, const CodeTable *table) {
	unpack_nf4(out, words, scales, tops, mean, block, n, table);
}
REGISTER(unpack_nf4_bf16)

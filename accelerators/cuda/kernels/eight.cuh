// Eight neighbouring elements of a row at a time: as many as bfloat16 has in the 16 bytes that a thread moves at once.
#pragma once
#include "device.cuh"

// at_sixteen is whether p is on a boundary of 16 bytes.
DEVICE bool at_sixteen(const void *p) { return ((u64)p & 15) == 0; }

// bf16_pair rounds two neighbours, the first in the lower half. What is not a number keeps being so.
#ifdef __CUDACC_RTC__
DEVICE u32 bf16_pair(float first, float second) {
	u32 pair;
	asm("cvt.rn.bf16x2.f32 %0,%1,%2;" : "=r"(pair) : "f"(second), "f"(first));
	return pair;
}
#else
DEVICE u32 bf16_pair(float first, float second) { return bf16_bits(first) | (u32)bf16_bits(second) << 16; }
#endif

DEVICE uint4 bf16_eight(const float x[8]) {
	return {bf16_pair(x[0], x[1]), bf16_pair(x[2], x[3]), bf16_pair(x[4], x[5]), bf16_pair(x[6], x[7])};
}

// get_eight reads eight elements on a boundary of 16 bytes.
DEVICE void get_eight(float x[8], const float *from) {
	float4 low = *(const float4 *)from, high = *(const float4 *)(from + 4);
	x[0] = low.x, x[1] = low.y, x[2] = low.z, x[3] = low.w;
	x[4] = high.x, x[5] = high.y, x[6] = high.z, x[7] = high.w;
}

DEVICE void get_eight(float x[8], const bf16 *from) {
	uint4 raw = *(const uint4 *)from;
	const u32 pairs[4] = {raw.x, raw.y, raw.z, raw.w};
#pragma unroll
	for (int i = 0; i < 4; i++) {
		x[2 * i] = __uint_as_float(pairs[i] << 16);
		x[2 * i + 1] = __uint_as_float(pairs[i] & 0xffff0000);
	}
}

// put_eight writes eight elements on a boundary of 16 bytes.
DEVICE void put_eight(float *to, const float x[8]) {
	*(float4 *)to = {x[0], x[1], x[2], x[3]};
	*(float4 *)(to + 4) = {x[4], x[5], x[6], x[7]};
}

DEVICE void put_eight(bf16 *to, const float x[8]) { *(uint4 *)to = bf16_eight(x); }

// load_eight reads the first count of eight elements, on any boundary; the others are fill.
template <class T>
DEVICE void load_eight(float x[8], const T *from, int count, float fill = 0) {
	if (count >= 8 && at_sixteen(from)) {
		get_eight(x, from);
		return;
	}
#pragma unroll
	for (int i = 0; i < 8; i++) x[i] = i < count ? widen(from[i]) : fill;
}

// store_eight writes the first count of eight elements, on any boundary.
template <class T>
DEVICE void store_eight(T *to, const float x[8], int count) {
	if (count >= 8 && at_sixteen(to)) {
		put_eight(to, x);
		return;
	}
#pragma unroll
	for (int i = 0; i < 8; i++)
		if (i < count) narrow(&to[i], x[i]);
}

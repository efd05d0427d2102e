// Numbers in eight bits, by the table of package dynamic8: see there what the lines and codes mean.
#pragma once
#include "device.cuh"

// A CodeMap is the map of numbers with a sign or of those without, as far as it is needed here.
struct CodeMap {
	float border[32], slope[32], offset[32], top[32], rise[16], start[16], least[16];
};

enum { SIGN = 128 }; // as a code it is the scale itself

// A CodeTable is what the host uploads: the table of package dynamic8, and the levels of NF4.
struct CodeTable {
	struct {
		CodeMap map;
		float shares[256];
	} with_sign, without;
	float levels[16];
};

// copy_map takes the map to shared memory with all threads of a block; the caller synchronizes. Threads of a warp read
// entries of it that lie in different banks, or the same.
DEVICE void copy_map(CodeMap *to, const CodeMap *from) {
	const float *floats = (const float *)from;
	for (u32 i = threadIdx.x; i < sizeof(CodeMap) / sizeof(float); i += blockDim.x) ((float *)to)[i] = floats[i];
}

// share_of is the share of a code, without its sign.
DEVICE float share_of(const CodeMap &map, u32 code) {
	float x = (float)(2 * code + 1);
	u32 e = __float_as_uint(x) >> 23 & 15;
	return fmaf(map.rise[e], x, map.start[e]);
}

// code_of is the code of a share from 0 to 1. It has the bits of plain loops: product and sum are rounded one by one.
DEVICE u32 code_of(const CodeMap &map, float x) {
	x = fmaxf(x, map.least[0]);
	u32 e = min((__float_as_uint(x) >> 23) - 96, 31u);
	if (x >= map.border[e]) e = min(e + 1, 31u);
	return (u32)fminf(__fadd_rn(__fmul_rn(map.slope[e], x), map.offset[e]), map.top[e]);
}

// signed_share and signed_code are for numbers with a sign. The lowest share of all has no code: -1 within half a cell.
DEVICE float signed_share(const CodeMap &map, u32 code) {
	if (code == SIGN) return 1;
	float x = share_of(map, code % SIGN);
	return code > SIGN ? -x : x;
}

DEVICE u32 signed_code(const CodeMap &map, float x) {
	u32 code = code_of(map, fabsf(x));
	if (x >= 0) return code;
	return code ? min(code, SIGN - 1u) | SIGN : 0; // with the sign 0 would be the scale
}

// per_scale turns numbers of a block into shares. NaN stays NaN.
DEVICE float per_scale(float scale) {
	const float least = 1.17549435e-38f;
	return 1 / (scale < least ? least : scale);
}

// magnitude is x without its sign; such bits are in the order of the numbers.
DEVICE u32 magnitude(float x) { return __float_as_uint(x) & 0x7fffffff; }

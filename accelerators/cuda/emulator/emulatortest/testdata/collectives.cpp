// Compares what a warp does together with what the references say.
#include "check.h"

#include <cstdint>

typedef uint64_t u64;
typedef uint32_t u32;
typedef uint16_t u16;

static float widened(u16 bits) {
	u32 word = (u32)bits << 16;
	float x;
	memcpy(&x, &word, sizeof x);
	return x;
}

// bits are those of bfloat16s between 1 and 2, of either sign.
static u16 bits(int i) { return (u16)(0x3f80 | i * 37 % 128 | (i % 3 == 0) << 15); }

// The PTX reference on mma.m16n8k16: groupID = lane/4, threadID_in_group = lane%4;
// A: row = groupID for elements 0,1,4,5, groupID+8 for others; column = 2*threadID_in_group + (i&1), + 8 for i>=4.
// B: row = 2*threadID_in_group + (i&1), + 8 for i>=2; column = groupID.
// D: row = groupID for i<2, + 8 for others; column = 2*threadID_in_group + (i&1).
static void test_mma() {
	u16 a[16][16], b[16][8];
	for (int i = 0; i < 256; i++) a[i / 16][i % 16] = bits(i);
	for (int i = 0; i < 128; i++) b[i / 8][i % 8] = bits(7 * i + 3);
	std::vector<u16> as(32 * 8), bs(32 * 4);
	for (int lane = 0; lane < 32; lane++) {
		int group = lane / 4, member = lane % 4;
		for (int i = 0; i < 8; i++) {
			int row = i % 4 < 2 ? group : group + 8, column = 2 * member + i % 2 + (i < 4 ? 0 : 8);
			as[8 * lane + i] = a[row][column];
		}
		for (int i = 0; i < 4; i++) bs[4 * lane + i] = b[2 * member + i % 2 + (i < 2 ? 0 : 8)][group];
	}
	CUdeviceptr d = upload(std::vector<float>(128, 0.5f));
	SUCCEED(launch(function("multiplies"), 1, 32, 0, nullptr, d, upload(as), upload(bs)));
	std::vector<float> got = download<float>(d, 128);
	for (int lane = 0; lane < 32; lane++)
		for (int i = 0; i < 4; i++) {
			int row = lane / 4 + (i < 2 ? 0 : 8), column = 2 * (lane % 4) + i % 2;
			float want = 0;
			for (int k = 0; k < 16; k++) want += widened(a[row][k]) * widened(b[k][column]);
			if (got[4 * lane + i] != want + 0.5f) fail("mma", lane);
		}
}

// ldmatrix .x4: lane l has the address of row l%8 of matrix l/8 and gets of each matrix the elements 2*(l%4) and
// 2*(l%4)+1 of row l/4; with .trans, of column l/4.
static void test_load_matrices() {
	std::vector<u16> rows(32 * 8);
	for (int i = 0; i < 256; i++) rows[i] = (u16)(1000 + i);
	CUdeviceptr straight = upload(std::vector<u32>(128)), transposed = upload(std::vector<u32>(128));
	SUCCEED(launch(function("loads_matrices"), 1, 32, 0, nullptr, straight, transposed, upload(rows)));
	std::vector<u16> s = download<u16>(straight, 256), t = download<u16>(transposed, 256);
	for (int lane = 0; lane < 32; lane++)
		for (int m = 0; m < 4; m++)
			for (int i = 0; i < 2; i++) {
				int across = 2 * (lane % 4) + i, down = lane / 4, at = 8 * lane + 2 * m + i;
				if (s[at] != rows[64 * m + 8 * down + across]) fail("load_matrices", lane);
				if (t[at] != rows[64 * m + 8 * across + down]) fail("load_matrices_transposed", lane);
			}
}

static void test_shuffles() {
	enum { KINDS = 10 };
	CUdeviceptr at = upload(std::vector<u64>(32 * KINDS));
	SUCCEED(launch(function("shuffles"), 1, 32, 0, nullptr, at));
	std::vector<u64> got = download<u64>(at, 32 * KINDS);
	for (u64 lane = 0; lane < 32; lane++) {
		u64 want[KINDS] = {
			5,
			lane / 8 * 8 + (lane + 9) % 8,
			(lane ^ 3) << 40,
			lane & 8 ? lane ^ 8 : lane, // an earlier segment may be read, a later one not
			lane < 3 ? lane : lane - 3,
			lane % 16 < 3 ? lane : lane - 3,
			lane > 28 ? lane : lane + 3,
			lane % 16 > 12 ? lane : lane + 3,
			0x49249249,
			lane < 16 ? 15 - lane : 16 + 100,
		};
		for (int i = 0; i < KINDS; i++)
			if (got[KINDS * lane + i] != want[i]) fail("shuffle", 100 * i + (int)lane);
	}
}

// cp.async writes zeros for what it is not to copy, and lands in groups.
static void test_copies() {
	std::vector<u32> in = {11, 12, 13, 14, 15, 0x00210016, 17, 18, 19, 20, 21, 22};
	std::vector<u32> want = {11, 12, 13, 14, 15, 0x16, 0, 0, 0, 0, 0, 0};
	CUdeviceptr out = upload(std::vector<u32>(12));
	SUCCEED(launch(function("copies"), 1, 1, 0, nullptr, out, upload(in)));
	TRUE(download<u32>(out, 12) == want);
}

int main() {
	open_context();
	test_mma();
	test_load_matrices();
	test_shuffles();
	test_copies();
}

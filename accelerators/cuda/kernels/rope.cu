// Rotations of heads x[t,h] [2 half] by the angles of the token's position p, tables cos and sin [positions, half]
// (Su et al. 2021):
//
//   x[i], x[half+i] = x[i] c - x[half+i] s, x[half+i] c + x[i] s   c = cos[p,i], s = sign sin[p,i]
//
// A thread has a piece of each half of a head. The heads of a token lie in neighbouring warps, so that the tables,
// which are larger than the heads, come from memory once.
// hot: rope*
#include "rows.cuh"

template <bool whole, class T>
DEVICE void rotate(T *x, const float *cos, const float *sin, float sign, i64 half, i64 count) {
	Piece<T> low = load<whole>(x, count), high = load<whole>(x + half, count);
	Piece<float> c = load<whole>(cos, count), s = load<whole>(sin, count);
	float a[PIECE], b[PIECE];
#pragma unroll
	for (int i = 0; i < PIECE; i++) {
		float turn = sign * element(s, i);
		a[i] = element(low, i) * element(c, i) - element(high, i) * turn;
		b[i] = element(high, i) * element(c, i) + element(low, i) * turn;
	}
	store<whole>(x, a, count);
	store<whole>(x + half, b, count);
}

// rope leaves tokens alone whose position the tables do not have.
template <class T>
DEVICE void rope(T *x, const float *cos, const float *sin, const int *positions, u32 known, u32 heads, u32 half,
	u64 stride, u32 chunks, float sign) {
	Place p = place(chunks);
	u32 pieces = (half + PIECE - 1) / PIECE, head = (u32)p.piece / pieces, at = (u32)p.piece % pieces * PIECE;
	u32 position = positions[p.row];
	if (head >= heads || position >= known) return;
	T *from = x + p.row * stride + (u64)head * 2 * half + at;
	u64 angles = (u64)position * half + at;
	bool whole = half % PIECE == 0 && stride % PIECE == 0 && aligned(x, cos, sin);
	if (whole) rotate<true>(from, cos + angles, sin + angles, sign, half, half - at);
	else rotate<false>(from, cos + angles, sin + angles, sign, half, half - at);
}

#define ROPE(kind, T) \
	KERNEL void __launch_bounds__(256) rope_##kind(T *x, const float *cos, const float *sin, const int *positions, \
		u32 known, u32 heads, u32 half, u64 stride, u32 chunks, float sign) { \
		rope(x, cos, sin, positions, known, heads, half, stride, chunks, sign); \
	} \
	REGISTER(rope_##kind)

ROPE(f32, float)
ROPE(bf16, bf16)

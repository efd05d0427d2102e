// Copies of n elements, from a type to another, and memory of one value. A block has a tile of 4096.
// hot: copy_*
#include "tile.cuh"

// to = from, rounded to the nearest even where to is narrower. A float, or an integer of its size, keeps its bits.
template <class To, class From>
DEVICE void copy(To *to, const From *from, u64 n) {
	float x[16];
	u64 first = (u64)blockIdx.x * 16 * TILE_THREADS;
	fetch(x, from + first, n - first);
	put(to + first, x, n - first);
}
KERNEL void copy_f32_f32(float *to, const float *from, u64 n) { copy(to, from, n); }
REGISTER(copy_f32_f32)
KERNEL void copy_bf16_bf16(bf16 *to, const bf16 *from, u64 n) { copy(to, from, n); }
REGISTER(copy_bf16_bf16)
KERNEL void copy_f32_bf16(float *to, const bf16 *from, u64 n) { copy(to, from, n); }
REGISTER(copy_f32_bf16)
KERNEL void copy_bf16_f32(bf16 *to, const float *from, u64 n) { copy(to, from, n); }
REGISTER(copy_bf16_f32)
KERNEL void copy_f32_f16(float *to, const f16 *from, u64 n) { copy(to, from, n); }
REGISTER(copy_f32_f16)
KERNEL void copy_bf16_f16(bf16 *to, const f16 *from, u64 n) { copy(to, from, n); }
REGISTER(copy_bf16_f16)

// to = value; an integer comes as the float of the same bits.
template <class T>
DEVICE void fill(T *to, u64 n, float value) {
	float x[16];
#pragma unroll
	for (int e = 0; e < 16; e++) x[e] = value;
	u64 first = (u64)blockIdx.x * 16 * TILE_THREADS;
	put(to + first, x, n - first);
}
KERNEL void fill_f32(float *to, u64 n, float value) { fill(to, n, value); }
REGISTER(fill_f32)
KERNEL void fill_bf16(bf16 *to, u64 n, float value) { fill(to, n, value); }
REGISTER(fill_bf16)

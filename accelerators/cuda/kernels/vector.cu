// Vectors of n elements, one by one: y += alpha*x, x *= alpha, out = a+b, out = a*b. A block has a tile of 4096. What
// is written may be an operand, too: a thread writes what only it reads, and after it has read.
// hot: axpy_* scale_* add_* mul_*
#include "tile.cuh"

// out = f(a, b)
template <class T, class F>
DEVICE void combine(T *out, const T *a, const T *b, u64 n, F f) {
	float x[16], y[16];
	u64 first = (u64)blockIdx.x * 16 * TILE_THREADS;
	fetch(x, a + first, n - first);
	fetch(y, b + first, n - first);
#pragma unroll
	for (int e = 0; e < 16; e++) x[e] = f(x[e], y[e]);
	put(out + first, x, n - first);
}

template <class T>
DEVICE void add(T *out, const T *a, const T *b, u64 n) {
	combine(out, a, b, n, [](float x, float y) { return x + y; });
}
KERNEL void add_f32(float *out, const float *a, const float *b, u64 n) { add(out, a, b, n); }
REGISTER(add_f32)
KERNEL void add_bf16(bf16 *out, const bf16 *a, const bf16 *b, u64 n) { add(out, a, b, n); }
REGISTER(add_bf16)

template <class T>
DEVICE void mul(T *out, const T *a, const T *b, u64 n) {
	combine(out, a, b, n, [](float x, float y) { return x * y; });
}
KERNEL void mul_f32(float *out, const float *a, const float *b, u64 n) { mul(out, a, b, n); }
REGISTER(mul_f32)
KERNEL void mul_bf16(bf16 *out, const bf16 *a, const bf16 *b, u64 n) { mul(out, a, b, n); }
REGISTER(mul_bf16)

template <class T>
DEVICE void axpy(T *y, const T *x, u64 n, float alpha) {
	combine(y, y, x, n, [alpha](float y, float x) { return y + alpha * x; });
}
KERNEL void axpy_f32(float *y, const float *x, u64 n, float alpha) { axpy(y, x, n, alpha); }
REGISTER(axpy_f32)
KERNEL void axpy_bf16(bf16 *y, const bf16 *x, u64 n, float alpha) { axpy(y, x, n, alpha); }
REGISTER(axpy_bf16)

template <class T>
DEVICE void scale(T *x, u64 n, float alpha) {
	float own[16];
	u64 first = (u64)blockIdx.x * 16 * TILE_THREADS;
	fetch(own, x + first, n - first);
#pragma unroll
	for (int e = 0; e < 16; e++) own[e] *= alpha;
	put(x + first, own, n - first);
}
KERNEL void scale_f32(float *x, u64 n, float alpha) { scale(x, n, alpha); }
REGISTER(scale_f32)
KERNEL void scale_bf16(bf16 *x, u64 n, float alpha) { scale(x, n, alpha); }
REGISTER(scale_bf16)

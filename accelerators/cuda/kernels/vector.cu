// Vectors of n elements.
#include "device.cuh"

// x *= alpha
template <class T>
DEVICE void scale(T *x, u64 n, float alpha) {
	for (u64 i = thread_number(); i < n; i += thread_count()) narrow(&x[i], alpha * widen(x[i]));
}
KERNEL void scale_f32(float *x, u64 n, float alpha) { scale(x, n, alpha); }
REGISTER(scale_f32)
KERNEL void scale_bf16(bf16 *x, u64 n, float alpha) { scale(x, n, alpha); }
REGISTER(scale_bf16)

// AdamW over flat buffers of n elements, with moments in f32 or bf16:
//   g = clip*grad, m = beta1*m + keep1*g, v = beta2*v + keep2*g*g,
//   param = decay*param - rate*m/(root_scale*sqrt(v) + epsilon).
// A block has a tile of 2048, read and written once.
// hot: adamw_f32 adamw_bf16
#include "adam.cuh"
#include "tile.cuh"

// clip = min(1, most/norm) for a squared norm, 1 where most is 0, NaN where the norm is not finite.
KERNEL void adamw_clip(float *clip, const float *squared, double most) {
	double norm = sqrt((double)*squared), none = norm - norm;
	*clip = none != 0 ? (float)none : most > 0 && norm > most ? (float)(most / norm) : 1;
}
REGISTER(adamw_clip)

KERNEL void __launch_bounds__(TILE_THREADS)
	adamw_f32(float *param, const float *grad, float *m, float *v, u64 n, const float *clip, float beta1, float keep1,
		float beta2, float keep2, float root_scale, float epsilon, float rate, float decay) {
	Step step = {clipping(clip), beta1, keep1, beta2, keep2, root_scale, epsilon, rate, decay};
	if (step.clip != step.clip) return;
	float p[8], g[8], first[8], second[8];
	u64 at = (u64)blockIdx.x * 8 * TILE_THREADS;
	fetch(p, param + at, n - at);
	fetch(g, grad + at, n - at);
	fetch(first, m + at, n - at);
	fetch(second, v + at, n - at);
#pragma unroll
	for (int e = 0; e < 8; e++) {
		average(first[e], second[e], g[e], step);
		p[e] = updated(p[e], first[e], second[e], step);
	}
	put(param + at, p, n - at);
	put(m + at, first, n - at);
	put(v + at, second, n - at);
}
REGISTER(adamw_f32)

// random_bits are those of a counter: the finalizer of MurmurHash3, as package adam has it.
DEVICE u32 random_bits(u32 x) {
	x = (x ^ x >> 16) * 0x85ebca6b;
	x = (x ^ x >> 13) * 0xc2b2ae35;
	return x ^ x >> 16;
}

// stochastic cuts x to the bits of a bf16 after adding 16 random bits below the last that is kept. What is not a number
// stays so: GPUs make it of ones alone, to which nothing can be added.
DEVICE float stochastic(float x, u32 random) {
	return x == x ? __uint_as_float((__float_as_uint(x) + random) & 0xffff0000) : x;
}

// The random bits of element i are those of the counter key + i*counter_step.
KERNEL void __launch_bounds__(TILE_THREADS)
	adamw_bf16(float *param, const float *grad, bf16 *m, bf16 *v, u64 n, u32 key, const float *clip, float beta1,
		float keep1, float beta2, float keep2, float root_scale, float epsilon, float rate, float decay) {
	const u32 counter_step = 0x9e3779b9;
	Step step = {clipping(clip), beta1, keep1, beta2, keep2, root_scale, epsilon, rate, decay};
	if (step.clip != step.clip) return;
	float p[8], g[8], first[8], second[8];
	u64 at = (u64)blockIdx.x * 8 * TILE_THREADS;
	fetch(p, param + at, n - at);
	fetch(g, grad + at, n - at);
	fetch(first, m + at, n - at);
	fetch(second, v + at, n - at);
#pragma unroll
	for (int e = 0; e < 8; e++) {
		average(first[e], second[e], g[e], step);
		p[e] = updated(p[e], first[e], second[e], step);
		u32 random = random_bits(key + ((u32)at + place(e)) * counter_step);
		first[e] = stochastic(first[e], random & 0xffff), second[e] = stochastic(second[e], random >> 16);
	}
	put(param + at, p, n - at);
	put(m + at, first, n - at);
	put(v + at, second, n - at);
}
REGISTER(adamw_bf16)

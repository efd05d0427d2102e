// What the steps of AdamW have in common. Products and sums are rounded one by one, not fused, and roots and quotients
// to the nearest, so that a step has the bits of the plain loops on any device.
#pragma once
#include "device.cuh"

// A Step holds the factors of package adam in their order; clip is that of the gradient.
struct Step {
	float clip, beta1, keep1, beta2, keep2, root_scale, epsilon, rate, decay;
};

// clipping is the factor of the gradient that adamw_clip has left, or 1 where nothing is clipped. It is NaN where there
// must be no step.
DEVICE float clipping(const float *clip) { return clip ? *clip : 1; }

// average makes m and v the moments after a gradient g. g*g itself might be infinite.
DEVICE void average(float &m, float &v, float g, const Step &s) {
	g = __fmul_rn(g, s.clip);
	m = __fadd_rn(__fmul_rn(s.beta1, m), __fmul_rn(s.keep1, g));
	v = __fadd_rn(__fmul_rn(s.beta2, v), __fmul_rn(__fmul_rn(s.keep2, g), g));
}

// updated is a weight after a step with these moments.
DEVICE float updated(float param, float m, float v, const Step &s) {
	float change = __fmul_rn(s.rate, m) / __fadd_rn(__fmul_rn(s.root_scale, sqrtf(v)), s.epsilon);
	return __fadd_rn(__fmul_rn(s.decay, param), -change);
}

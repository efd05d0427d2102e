// AdamW as adamw.cu says, over flat buffers of n elements, with moments in eight bits: of every 256 elements the
// moments share a scale, their largest magnitude after the step. A warp has 256 elements, read and written once.
// hot: adamw_8bit
#include "adam.cuh"
#include "dynamic8.cuh"
#include "tile.cuh"

// A Moments is what a lane has of one of the moments: four codes to a word.
struct Moments {
	u32 words[2];
	float x[8];
};

enum { LANES = 32 };

// unpack reads the codes of a lane, of which n elements are there; the others become zeros.
template <class Share>
DEVICE void unpack(Moments &m, const u32 *codes, float scale, u64 n, Share share) {
#pragma unroll
	for (int e = 0; e < 8; e += 4) m.words[e / 4] = place<LANES>(e) < n ? codes[place<LANES>(e) / 4] : 0;
#pragma unroll
	for (int e = 0; e < 8; e++) m.x[e] = place<LANES>(e) < n ? share(m.words[e / 4] >> 8 * (e % 4) & 255) * scale : 0;
}

// scale_of is the largest magnitude in a warp.
DEVICE float scale_of(const Moments &m) {
	u32 top = 0;
#pragma unroll
	for (int e = 0; e < 8; e++) top = max(top, magnitude(m.x[e]));
	for (int lanes = 16; lanes > 0; lanes /= 2) top = max(top, __shfl_xor_sync(0xffffffff, top, lanes));
	return __uint_as_float(top);
}

// pack writes the codes of a lane and the scale. Bytes of the last word that are no elements stay as they are.
template <class Code>
DEVICE void pack(const Moments &m, u32 *codes, float *scale, u64 n, Code code) {
	float top = scale_of(m), per = per_scale(top);
#pragma unroll
	for (int e = 0; e < 8; e += 4) {
		u32 word = 0, at = place<LANES>(e);
#pragma unroll
		for (int k = 0; k < 4; k++) word |= code(m.x[e + k] * per) << 8 * k;
		if (at + 4 <= n) {
			codes[at / 4] = word;
		} else if (at < n) {
			u32 rest = 0xffffffff << 8 * (n - at);
			codes[at / 4] = (word & ~rest) | (m.words[e / 4] & rest);
		}
	}
	if (threadIdx.x % LANES == 0 && n > 0) *scale = top;
}

KERNEL void __launch_bounds__(TILE_THREADS)
	adamw_8bit(float *param, const float *grad, u32 *m, float *m_scales, u32 *v, float *v_scales, u64 n,
		const CodeTable *table, const float *clip, float beta1, float keep1, float beta2, float keep2, float root_scale,
		float epsilon, float rate, float decay) {
	Step step = {clipping(clip), beta1, keep1, beta2, keep2, root_scale, epsilon, rate, decay};
	if (step.clip != step.clip) return;
	__shared__ CodeMap with_sign, without;
	copy_map(&with_sign, &table->with_sign.map);
	copy_map(&without, &table->without.map);

	u64 block = (u64)blockIdx.x * (TILE_THREADS / LANES) + threadIdx.x / LANES, at = 256 * block;
	u64 left = at < n ? n - at : 0;
	float p[8], g[8];
	fetch<LANES>(p, param + at, left);
	fetch<LANES>(g, grad + at, left);
	float m_scale = left ? m_scales[block] : 0, v_scale = left ? v_scales[block] : 0;
	__syncthreads();
	Moments first, second;
	unpack(first, m + at / 4, m_scale, left, [&](u32 code) { return signed_share(with_sign, code); });
	unpack(second, v + at / 4, v_scale, left, [&](u32 code) { return share_of(without, code); });
#pragma unroll
	for (int e = 0; e < 8; e++) {
		average(first.x[e], second.x[e], g[e], step);
		p[e] = updated(p[e], first.x[e], second.x[e], step);
	}
	put<LANES>(param + at, p, left);
	pack(first, m + at / 4, &m_scales[block], left, [&](float x) { return signed_code(with_sign, x); });
	pack(second, v + at / 4, &v_scales[block], left, [&](float x) { return code_of(without, x); });
}
REGISTER(adamw_8bit)

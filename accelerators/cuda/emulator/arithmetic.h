// CUDA's functions of numbers that are not in <cmath>.
#pragma once
#include "types.h"

template <class T>
T __ldg(const T *at) { return *at; }

template <class To, class From>
To same_bits(From from) {
	static_assert(sizeof(To) == sizeof(From), "the sizes differ");
	To to;
	memcpy(&to, &from, sizeof to);
	return to;
}
inline u32 __float_as_uint(float x) { return same_bits<u32>(x); }
inline int __float_as_int(float x) { return same_bits<int>(x); }
inline float __uint_as_float(u32 x) { return same_bits<float>(x); }
inline float __int_as_float(int x) { return same_bits<float>(x); }
inline i64 __double_as_longlong(double x) { return same_bits<i64>(x); }
inline double __longlong_as_double(i64 x) { return same_bits<double>(x); }

// Arithmetic that the compiler may not fuse; -ffp-contract=off keeps g++ from fusing anything.
inline float __fmul_rn(float a, float b) { return a * b; }
inline float __fadd_rn(float a, float b) { return a + b; }
inline float __fsub_rn(float a, float b) { return a - b; }
inline float __fdiv_rn(float a, float b) { return a / b; }
inline float __fmaf_rn(float a, float b, float c) { return std::fma(a, b, c); }
inline float __fsqrt_rn(float x) { return std::sqrt(x); }
inline float __frcp_rn(float x) { return 1.0f / x; }
inline double __dmul_rn(double a, double b) { return a * b; }
inline double __dadd_rn(double a, double b) { return a + b; }
inline double __fma_rn(double a, double b, double c) { return std::fma(a, b, c); }

// What a GPU approximates is exact here.
inline float rsqrtf(float x) { return 1.0f / std::sqrt(x); }
inline double rsqrt(double x) { return 1.0 / std::sqrt(x); }
inline float __frsqrt_rn(float x) { return 1.0f / std::sqrt(x); }
inline float __fdividef(float a, float b) { return a / b; }
inline float __expf(float x) { return std::exp(x); }
inline float __logf(float x) { return std::log(x); }
inline float __log2f(float x) { return std::log2(x); }
inline float __powf(float x, float y) { return std::pow(x, y); }
inline float __sinf(float x) { return std::sin(x); }
inline float __cosf(float x) { return std::cos(x); }
inline float __saturatef(float x) { return x > 0 ? (x < 1 ? x : 1.0f) : 0.0f; }
using std::isfinite;
using std::isinf;
using std::isnan;

// A GPU's conversions of floats saturate and make 0 of NaN.
template <class To>
To saturated(double x) {
	if (std::isnan(x)) return 0;
	if (x <= (double)std::numeric_limits<To>::min()) return std::numeric_limits<To>::min();
	if (x >= (double)std::numeric_limits<To>::max()) return std::numeric_limits<To>::max();
	return (To)x;
}
inline int __float2int_rn(float x) { return saturated<int>(std::nearbyint(x)); }
inline int __float2int_rz(float x) { return saturated<int>(x); }
inline int __float2int_rd(float x) { return saturated<int>(std::floor(x)); }
inline u32 __float2uint_rn(float x) { return saturated<u32>(std::nearbyint(x)); }
inline u32 __float2uint_rz(float x) { return saturated<u32>(x); }
inline float __int2float_rn(int x) { return (float)x; }
inline float __uint2float_rn(u32 x) { return (float)x; }
inline float __double2float_rn(double x) { return (float)x; }

inline int __popc(u32 x) { return __builtin_popcount(x); }
inline int __popcll(u64 x) { return __builtin_popcountll(x); }
inline int __clz(u32 x) { return x ? __builtin_clz(x) : 32; }
inline int __clzll(u64 x) { return x ? __builtin_clzll(x) : 64; }
inline int __ffs(u32 x) { return __builtin_ffs(x); }
inline int __ffsll(u64 x) { return __builtin_ffsll(x); }
inline u32 __umulhi(u32 a, u32 b) { return (u32)((u64)a * b >> 32); }
inline u64 __umul64hi(u64 a, u64 b) { return (u64)((unsigned __int128)a * b >> 64); }
inline u32 __funnelshift_l(u32 low, u32 high, u32 n) { return (u32)((((u64)high << 32 | low) << (n & 31)) >> 32); }
inline u32 __funnelshift_r(u32 low, u32 high, u32 n) { return (u32)(((u64)high << 32 | low) >> (n & 31)); }
// __byte_perm takes byte i of its result from the eight bytes of low and high, as nibble i of the selector says; the
// nibble's upper bit would repeat a sign and is not here.
inline u32 __byte_perm(u32 low, u32 high, u32 selector) {
	u64 both = (u64)high << 32 | low;
	u32 result = 0;
	for (int i = 0; i < 4; i++) result |= (u32)(both >> 8 * (selector >> 4 * i & 7) & 255) << 8 * i;
	return result;
}

template <class T>
T min(T a, T b) { return b < a ? b : a; }
template <class T>
T max(T a, T b) { return a < b ? b : a; }
inline float min(float a, float b) { return fminf(a, b); }
inline float max(float a, float b) { return fmaxf(a, b); }
inline double min(double a, double b) { return fmin(a, b); }
inline double max(double a, double b) { return fmax(a, b); }

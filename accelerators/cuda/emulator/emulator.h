// An emulation of CUDA's blocks on the processor, for the subset of the language that kernels/device.cuh allows. Each
// CUDA thread is a fiber; barriers and warp collectives switch fibers, so that one block runs on one thread of the
// processor. Shared memory begins as 0xff bytes (NaN), copies of copy_async land only when they are waited for, and a
// barrier that some threads of a block do not reach ends the process with the place.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>
#include <vector>

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef long long i64;

#define __shared__ static thread_local
#define __launch_bounds__(...)
#define __restrict__
#define __constant__ static
#define __align__(n) __attribute__((aligned(n)))

struct dim3 {
	unsigned x = 1, y = 1, z = 1;
};
struct alignas(8) float2 {
	float x, y;
};
struct alignas(16) float4 {
	float x, y, z, w;
};
struct alignas(8) int2 {
	int x, y;
};
struct alignas(16) int4 {
	int x, y, z, w;
};
struct alignas(8) uint2 {
	u32 x, y;
};
struct alignas(16) uint4 {
	u32 x, y, z, w;
};

namespace emulator {

enum { WARP = 32, LANE_BYTES = 64 };

// A Warp is what the lanes of one exchange values through; two tables take turns, so that a lane may publish its next
// value while others still read the last.
struct Warp {
	unsigned arrived = 0, live = 0, phase = 0;
	alignas(16) u8 lanes[2][WARP][LANE_BYTES];
};

struct PendingCopy {
	void *to;
	const void *from;
	unsigned bytes, zeros;
};

// A Thread is one CUDA thread of the block that runs.
struct Thread {
	dim3 index;
	unsigned lane = 0, turn = 0;
	Warp *warp = nullptr;
	void *stack = nullptr;
	bool done = false;
	std::vector<PendingCopy> copies;
	std::vector<size_t> groups; // ends of the groups of copies
};

extern thread_local Thread *current;
extern thread_local dim3 block_index, block_size, grid_size;

void sync_threads();
void sync_warp();
// exchange publishes bytes of this lane, waits for the warp and returns what all lanes published.
u8 (*exchange(const void *value, size_t bytes))[LANE_BYTES];
u8 *dynamic_shared();

void mma(float d[4], const u32 a[4], const u32 b[2]);
void load_matrices(u32 r[4], const void *row, bool transposed);
void copy_async(void *to, const void *from, int count);
void commit_copies();
void wait_copies(unsigned groups);

template <class T>
T from_lane(T value, unsigned lane) {
	static_assert(sizeof(T) == 4 || sizeof(T) == 8, "lanes exchange values of four or eight bytes");
	T result;
	memcpy(&result, exchange(&value, sizeof value)[lane % WARP], sizeof result);
	return result;
}

// A Kernel unpacks its arguments and runs one thread; without any it notes how many it has.
typedef void (*Kernel)(void **arguments);

extern thread_local unsigned noted_arity;

template <class... A, size_t... I>
void unpack(void (*kernel)(A...), void **arguments, std::index_sequence<I...>) {
	kernel(*(std::remove_reference_t<A> *)arguments[I]...);
}

template <class... A>
void call(void (*kernel)(A...), void **arguments) {
	noted_arity = sizeof...(A);
	if (arguments) unpack(kernel, arguments, std::index_sequence_for<A...>{});
}

struct Registration {
	Registration(const char *name, Kernel kernel);
};

Kernel find(const char *name);
unsigned arity(Kernel kernel);
// launch runs all blocks of a grid, one after the other, and returns a CUresult.
int launch(Kernel kernel, dim3 grid, dim3 block, unsigned shared_bytes, void **arguments);

} // namespace emulator

#define threadIdx (emulator::current->index)
#define blockIdx (emulator::block_index)
#define blockDim (emulator::block_size)
#define gridDim (emulator::grid_size)

inline void __syncthreads() { emulator::sync_threads(); }
inline void __syncwarp(u32 = ~0u) { emulator::sync_warp(); }

// The lanes that exchange values form segments of width lanes, a power of two. Values have four or eight bytes, as on a
// GPU. A lane whose source is outside of its segment keeps its own value.
template <class T>
T __shfl_sync(u32, T value, int lane, int width = 32) {
	unsigned me = emulator::current->lane;
	return emulator::from_lane(value, (me & ~(width - 1)) | (lane & (width - 1)));
}
template <class T>
T __shfl_xor_sync(u32, T value, int lanes, int width = 32) {
	unsigned me = emulator::current->lane, from = me ^ lanes;
	return emulator::from_lane(value, from < (me & ~(width - 1)) + width ? from : me);
}
template <class T>
T __shfl_down_sync(u32, T value, unsigned lanes, int width = 32) {
	unsigned me = emulator::current->lane, from = me + lanes;
	return emulator::from_lane(value, from < (me & ~(width - 1)) + width ? from : me);
}
template <class T>
T __shfl_up_sync(u32, T value, unsigned lanes, int width = 32) {
	unsigned me = emulator::current->lane;
	return emulator::from_lane(value, (me & (width - 1)) < lanes ? me : me - lanes);
}
inline u32 __ballot_sync(u32, int vote) {
	u32 votes = 0;
	u8 mine = vote != 0;
	u8 (*lanes)[emulator::LANE_BYTES] = emulator::exchange(&mine, 1);
	for (int i = 0; i < emulator::WARP; i++) votes |= (u32)(lanes[i][0] & 1) << i;
	return votes;
}
inline int __any_sync(u32 mask, int vote) { return __ballot_sync(mask, vote) != 0; }
inline int __all_sync(u32 mask, int vote) { return __ballot_sync(mask, !vote) == 0; }

// Blocks run one after the other and fibers switch at barriers only, so that plain code is atomic. Of floats only
// atomicExch is here: sums would depend on the order.
template <class T, class F>
T atomic_update(T *at, F next) {
	static_assert(sizeof(T) == 4 || sizeof(T) == 8, "atomics work on four or eight bytes");
	T old = *at;
	*at = next(old);
	return old;
}
template <class T>
T atomicMin(T *at, T value) { return atomic_update(at, [=](T old) { return value < old ? value : old; }); }
template <class T>
T atomicMax(T *at, T value) { return atomic_update(at, [=](T old) { return old < value ? value : old; }); }
template <class T>
T atomicAdd(T *at, T value) {
	static_assert(std::is_integral<T>::value, "the sum of floats would depend on the order");
	return atomic_update(at, [=](T old) { return old + value; });
}
template <class T>
T atomicOr(T *at, T value) { return atomic_update(at, [=](T old) { return old | value; }); }
template <class T>
T atomicAnd(T *at, T value) { return atomic_update(at, [=](T old) { return old & value; }); }
template <class T>
T atomicExch(T *at, T value) { return atomic_update(at, [=](T) { return value; }); }
template <class T>
T atomicCAS(T *at, T compare, T value) {
	return atomic_update(at, [=](T old) { return old == compare ? value : old; });
}
inline void __threadfence() {}
inline void __threadfence_block() {}

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

inline float2 make_float2(float x, float y) { return {x, y}; }
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
inline int2 make_int2(int x, int y) { return {x, y}; }
inline int4 make_int4(int x, int y, int z, int w) { return {x, y, z, w}; }
inline uint2 make_uint2(u32 x, u32 y) { return {x, y}; }
inline uint4 make_uint4(u32 x, u32 y, u32 z, u32 w) { return {x, y, z, w}; }

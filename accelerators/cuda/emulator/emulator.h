// An emulation of CUDA's blocks on the processor, for the subset of the language that kernels/device.cuh allows. Each
// CUDA thread is a fiber; barriers and warp collectives switch fibers, so that one block runs on one thread of the
// processor. Shared memory begins as 0xff bytes (NaN), copies of copy_async land only when they are waited for, and a
// barrier that some threads of a block do not reach ends the process with the place.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>
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

struct dim3 {
	unsigned x = 1, y = 1, z = 1;
};
struct alignas(8) float2 {
	float x, y;
};
struct alignas(16) float4 {
	float x, y, z, w;
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

template <class T>
T __shfl_xor_sync(u32, T value, int lanes) { return emulator::from_lane(value, emulator::current->lane ^ lanes); }
template <class T>
T __shfl_sync(u32, T value, int lane) { return emulator::from_lane(value, lane); }
template <class T>
T __shfl_down_sync(u32, T value, int lanes) {
	unsigned from = emulator::current->lane + lanes;
	return emulator::from_lane(value, from < emulator::WARP ? from : emulator::current->lane);
}
template <class T>
T __shfl_up_sync(u32, T value, int lanes) {
	unsigned lane = emulator::current->lane;
	return emulator::from_lane(value, lane < (unsigned)lanes ? lane : lane - lanes);
}
inline u32 __ballot_sync(u32, bool vote) {
	u32 votes = 0;
	u8 (*lanes)[emulator::LANE_BYTES] = emulator::exchange(&vote, 1);
	for (int i = 0; i < emulator::WARP; i++) votes |= (u32)(lanes[i][0] & 1) << i;
	return votes;
}

// Blocks run one after the other and fibers switch at barriers only, so that plain code is atomic.
template <class T>
T atomicMin(T *at, T value) {
	T old = *at;
	if (value < old) *at = value;
	return old;
}
template <class T>
T atomicMax(T *at, T value) {
	T old = *at;
	if (value > old) *at = value;
	return old;
}
template <class T>
T atomicAdd(T *at, T value) {
	T old = *at;
	*at += value;
	return old;
}

inline float rsqrtf(float x) { return 1.0f / std::sqrt(x); }
inline float __fdividef(float a, float b) { return a / b; }
inline float __expf(float x) { return std::exp(x); }
inline float __frcp_rn(float x) { return 1.0f / x; }
inline float __fmul_rn(float a, float b) { volatile float product = a * b; return product; }
inline float __fadd_rn(float a, float b) { volatile float sum = a + b; return sum; }
inline u32 __float_as_uint(float x) {
	u32 bits;
	memcpy(&bits, &x, sizeof bits);
	return bits;
}
inline float __uint_as_float(u32 bits) {
	float x;
	memcpy(&x, &bits, sizeof x);
	return x;
}
inline int __popc(u32 x) { return __builtin_popcount(x); }
inline int __clz(u32 x) { return x ? __builtin_clz(x) : 32; }
inline int __ffs(u32 x) { return __builtin_ffs(x); }
template <class T>
T min(T a, T b) { return b < a ? b : a; }
template <class T>
T max(T a, T b) { return a < b ? b : a; }

// The subset of CUDA that the kernels are written in. NVRTC compiles it for GPUs, without any header of CUDA's; g++
// compiles it for the emulator, whose functions have the same names.
#pragma once

#ifdef __CUDACC_RTC__

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef long long i64;

// KERNEL begins a kernel, DEVICE a function for kernels, METHOD a member of a struct for them.
#define KERNEL extern "C" __global__
#define DEVICE __device__ __forceinline__
#define METHOD __device__ __forceinline__
#define REGISTER(name)
// SHARED names the launch's dynamic shared memory, on a boundary of 128 bytes.
#define SHARED(type, name)                               \
	extern __shared__ __align__(128) u8 shared_memory[]; \
	type *name = (type *)shared_memory

#else

#include "../emulator/emulator.h"

#define KERNEL extern "C"
#define DEVICE static inline
#define METHOD inline
// REGISTER makes a kernel known to the emulator; every kernel is followed by it.
#define REGISTER(name)                                                                             \
	static emulator::Registration register_##name(                                                 \
		#name, __FILE__, [](void **arguments) { emulator::call(name, arguments); }, emulator::sizes(name));
#define SHARED(type, name) type *name = (type *)emulator::dynamic_shared()

#endif

// A bf16 is a bfloat16 in memory.
struct bf16 {
	u16 bits;
};

DEVICE float widen(float x) { return x; }
DEVICE float widen(bf16 x) { return __uint_as_float((u32)x.bits << 16); }

// bf16_bits rounds to nearest even; of NaN it keeps the sign.
DEVICE u16 bf16_bits(float x) {
	u32 bits = __float_as_uint(x);
	if ((bits & 0x7fffffff) > 0x7f800000) return (u16)(bits >> 16 | 64);
	return (u16)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

// bf16_pair rounds two neighbours, the first in the lower half, in the GPU's one instruction. (For single numbers that
// takes more registers than bf16_bits.) NaN stays NaN, but for its other bits.
#ifdef __CUDACC_RTC__
DEVICE u32 bf16_pair(float first, float second) {
	u32 pair;
	asm("cvt.rn.bf16x2.f32 %0,%1,%2;" : "=r"(pair) : "f"(second), "f"(first));
	return pair;
}
#else
DEVICE u32 bf16_pair(float first, float second) { return bf16_bits(first) | (u32)bf16_bits(second) << 16; }
#endif

// narrow stores a float in a kernel's type of activations.
DEVICE void narrow(float *to, float x) { *to = x; }
DEVICE void narrow(bf16 *to, float x) { to->bits = bf16_bits(x); }

// thread_number and thread_count run through all threads of a launch of one dimension.
DEVICE u64 thread_number() { return (u64)blockIdx.x * blockDim.x + threadIdx.x; }
DEVICE u64 thread_count() { return (u64)gridDim.x * blockDim.x; }

#ifdef __CUDACC_RTC__

DEVICE u32 shared_address(const void *p) { return (u32)__cvta_generic_to_shared(p); }

// mma multiplies a fragment of A [16,16] with one of B [16,8], both bf16, and adds to one of D [16,8] in f32: the layouts
// of mma.m16n8k16 in the PTX reference.
DEVICE void mma(float d[4], const u32 a[4], const u32 b[2]) {
	asm volatile(
		"mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3},{%4,%5,%6,%7},{%8,%9},{%0,%1,%2,%3};"
		: "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
		: "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

// load_matrices gives each lane its part of four matrices [8,8] of 16-bit elements in shared memory: lane l passes the
// address of row l%8 of matrix l/8, on a boundary of 16 bytes.
DEVICE void load_matrices(u32 r[4], const void *row) {
	asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3},[%4];"
		: "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(shared_address(row)) : "memory");
}

DEVICE void load_matrices_transposed(u32 r[4], const void *row) {
	asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3},[%4];"
		: "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(shared_address(row)) : "memory");
}

// copy_async starts a copy of 16 bytes from global to shared memory, both on a boundary of 16; of the bytes from count
// on it writes zeros. What was started since the last commit_copies is one group; wait_copies<n> waits for all groups
// but the last n of this thread.
DEVICE void copy_async(void *to, const void *from, int count = 16) {
	asm volatile("cp.async.cg.shared.global [%0],[%1],16,%2;" ::"r"(shared_address(to)), "l"(from), "r"(count) : "memory");
}

DEVICE void commit_copies() { asm volatile("cp.async.commit_group;" ::: "memory"); }

template <int groups>
DEVICE void wait_copies() {
	asm volatile("cp.async.wait_group %0;" ::"n"(groups) : "memory");
}

#else

using emulator::commit_copies;
using emulator::copy_async;
using emulator::load_matrices;
using emulator::load_matrices_transposed;
using emulator::mma;

template <int groups>
DEVICE void wait_copies() { emulator::wait_copies(groups); }

#endif

// warp_sum and warp_max leave the result in every lane, summed in a fixed order.
DEVICE float warp_sum(float x) {
	for (int lanes = 16; lanes > 0; lanes /= 2) x += __shfl_xor_sync(0xffffffff, x, lanes);
	return x;
}

DEVICE float warp_max(float x) {
	for (int lanes = 16; lanes > 0; lanes /= 2) x = fmaxf(x, __shfl_xor_sync(0xffffffff, x, lanes));
	return x;
}

// block_sum leaves the sum over a block of whole warps in every thread. Threads may call it in a loop.
DEVICE float block_sum(float x) {
	__shared__ float parts[32];
	x = warp_sum(x);
	__syncthreads();
	if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = x;
	__syncthreads();
	float sum = 0;
	for (u32 w = 0; w < blockDim.x / 32; w++) sum += parts[w];
	return sum;
}

DEVICE float block_max(float x) {
	__shared__ float parts[32];
	x = warp_max(x);
	__syncthreads();
	if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = x;
	__syncthreads();
	float top = parts[0];
	for (u32 w = 1; w < blockDim.x / 32; w++) top = fmaxf(top, parts[w]);
	return top;
}

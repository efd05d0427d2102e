// Kernels for the emulator's own tests. All but those of the last part have one task, to rotate by one:
// out[block][i] = in[block][(i+1)%n]. Those that are named after a fault do it in a wrong way.
#include "../../kernels/device.cuh"

#define ROTATES(name) KERNEL void name(float *out, const float *in)

DEVICE u32 here() { return blockIdx.x * blockDim.x; }
DEVICE u32 after(u32 i) { return (i + 1) % blockDim.x; }

ROTATES(rotates) {
	__shared__ float kept[128];
	u32 t = threadIdx.x;
	kept[t] = in[here() + t];
	__syncthreads();
	out[here() + t] = kept[after(t)];
}
REGISTER(rotates)

ROTATES(lacks_barrier) {
	__shared__ float kept[128];
	u32 t = threadIdx.x;
	kept[t] = in[here() + t];
	out[here() + t] = kept[after(t)];
}
REGISTER(lacks_barrier)

ROTATES(rotates_twice) {
	__shared__ float kept[128];
	u32 t = threadIdx.x;
	for (int i = 0; i < 2; i++) {
		kept[t] = in[here() + t] + i;
		__syncthreads();
		out[here() + t] = kept[after(t)] - i;
		__syncthreads();
	}
}
REGISTER(rotates_twice)

ROTATES(lacks_second_barrier) {
	__shared__ float kept[128];
	u32 t = threadIdx.x;
	float sum = 0;
	for (int i = 0; i < 2; i++) {
		kept[t] = in[here() + t] + i;
		__syncthreads();
		sum += kept[after(t)] - i;
	}
	out[here() + t] = sum / 2;
}
REGISTER(lacks_second_barrier)

template <class Wait>
DEVICE void rotate_with_copies(float *out, const float *in, Wait wait) {
	SHARED(float, kept);
	u32 t = threadIdx.x;
	if (t < blockDim.x / 4) copy_async(kept + 4 * t, in + here() + 4 * t);
	commit_copies();
	wait();
	__syncthreads();
	out[here() + t] = kept[after(t)];
}
ROTATES(rotates_with_copies) { rotate_with_copies(out, in, [] { wait_copies<0>(); }); }
REGISTER(rotates_with_copies)
ROTATES(lacks_wait) { rotate_with_copies(out, in, [] {}); }
REGISTER(lacks_wait)
ROTATES(waits_for_too_few) { rotate_with_copies(out, in, [] { wait_copies<1>(); }); }
REGISTER(waits_for_too_few)

ROTATES(diverges) {
	__shared__ float kept[128];
	u32 t = threadIdx.x;
	kept[t] = in[here() + t];
	if (t < 64)
		__syncthreads();
	else
		__syncthreads();
	out[here() + t] = kept[after(t)];
}
REGISTER(diverges)

ROTATES(hangs) {
	__shared__ float kept[128];
	u32 t = threadIdx.x;
	kept[t] = in[here() + t];
	if (t % 32 == 0) __syncwarp();
	__syncthreads();
	out[here() + t] = kept[after(t)];
}
REGISTER(hangs)

ROTATES(leaves_early) {
	__shared__ float kept[128];
	u32 t = threadIdx.x;
	if (t >= 64) {
		out[here() + t] = in[here() + after(t)];
		return;
	}
	kept[t] = in[here() + t];
	__syncthreads();
	out[here() + t] = t == 63 ? in[here() + 64] : kept[t + 1];
}
REGISTER(leaves_early)

ROTATES(writes_beyond_memory) {
	u32 t = threadIdx.x;
	out[here() + t] = in[here() + after(t)];
	if (blockIdx.x == gridDim.x - 1 && t == 5) out[gridDim.x * blockDim.x] = 1;
}
REGISTER(writes_beyond_memory)

ROTATES(reads_before_memory) {
	u32 t = threadIdx.x;
	out[here() + t] = in[here() + after(t)] + (here() + t == 0 ? in[-1024] : 0);
}
REGISTER(reads_before_memory)

ROTATES(writes_beyond_dynamic_shared) {
	SHARED(float, kept);
	u32 t = threadIdx.x;
	kept[after(t) + 1] = in[here() + t];
	out[here() + t] = in[here() + after(t)];
}
REGISTER(writes_beyond_dynamic_shared)

ROTATES(writes_beyond_shared) {
	__shared__ float kept[127];
	u32 t = threadIdx.x;
	kept[t] = in[here() + t];
	__syncthreads();
	out[here() + t] = t < 126 ? kept[t + 1] : in[here() + after(t)];
}
REGISTER(writes_beyond_shared)

DEVICE float part(float4 v, u32 i) { return i == 0 ? v.x : i == 1 ? v.y : i == 2 ? v.z : v.w; }

ROTATES(reads_vectors) {
	u32 from = here() + after(threadIdx.x);
	out[here() + threadIdx.x] = part(((const float4 *)in)[from / 4], from % 4);
}
REGISTER(reads_vectors)

ROTATES(reads_misaligned) {
	u32 from = here() + after(threadIdx.x);
	out[here() + threadIdx.x] = from % 4 ? part(*(const float4 *)(in + from / 4 * 4 + 1), from % 4 - 1) : in[from];
}
REGISTER(reads_misaligned)

ROTATES(shifts_too_far) {
	u32 t = threadIdx.x;
	out[here() + t] = in[here() + after(t)] + (float)(1u << (t + 1) >> 31 >> 1);
}
REGISTER(shifts_too_far)

// All threads write the same value, which no schedule shows.
ROTATES(races) {
	__shared__ u32 n;
	u32 t = threadIdx.x;
	n = blockDim.x;
	__syncthreads();
	out[here() + t] = in[here() + (t + 1) % n];
}
REGISTER(races)

ROTATES(sets_once) {
	__shared__ u32 n;
	u32 t = threadIdx.x;
	if (t == 0) n = blockDim.x;
	__syncthreads();
	out[here() + t] = in[here() + (t + 1) % n];
}
REGISTER(sets_once)

DEVICE void rotate_in_warps(float *out, const float *in, bool sync) {
	__shared__ float kept[128];
	u32 t = threadIdx.x, first = t / 32 * 32;
	kept[t] = in[here() + t];
	if (sync) __syncwarp();
	float next = __shfl_down_sync(~0u, in[here() + t], 1);
	out[here() + t] = t % 32 == 31 ? in[here() + after(t)] : kept[first + t % 32 + 1] + 0 * next;
}
ROTATES(rotates_in_warps) { rotate_in_warps(out, in, true); }
REGISTER(rotates_in_warps)
ROTATES(lacks_syncwarp) { rotate_in_warps(out, in, false); }
REGISTER(lacks_syncwarp)

// A block writes what another one writes too, with the same value.
ROTATES(races_between_blocks) {
	u32 t = threadIdx.x, next = (blockIdx.x + 1) % gridDim.x * blockDim.x;
	out[here() + t] = in[here() + after(t)];
	if (t < 3) out[next + t] = in[next + after(t)];
}
REGISTER(races_between_blocks)

// What collectives do, for comparison with the references.

KERNEL void multiplies(float *d, const u32 *a, const u32 *b) {
	u32 lane = threadIdx.x;
	mma(d + 4 * lane, a + 4 * lane, b + 2 * lane);
}
REGISTER(multiplies)

KERNEL void loads_matrices(u32 *straight, u32 *transposed, const uint4 *rows) {
	__shared__ uint4 kept[32];
	u32 lane = threadIdx.x;
	kept[lane] = rows[lane];
	__syncwarp();
	load_matrices(straight + 4 * lane, &kept[lane]);
	load_matrices_transposed(transposed + 4 * lane, &kept[lane]);
}
REGISTER(loads_matrices)

KERNEL void shuffles(u64 *results) {
	u32 lane = threadIdx.x;
	u64 *mine = results + 10 * lane;
	mine[0] = __shfl_sync(~0u, lane, 5);
	mine[1] = __shfl_sync(~0u, lane, lane + 9, 8);
	mine[2] = __shfl_xor_sync(~0u, (u64)lane << 40, 3);
	mine[3] = __shfl_xor_sync(~0u, lane, 8, 8);
	mine[4] = __shfl_up_sync(~0u, lane, 3);
	mine[5] = __shfl_up_sync(~0u, lane, 3, 16);
	mine[6] = __shfl_down_sync(~0u, lane, 3);
	mine[7] = __shfl_down_sync(~0u, (double)lane, 3, 16);
	mine[8] = __ballot_sync(~0u, lane % 3 == 0);
	if (lane < 16)
		mine[9] = __shfl_sync(0xffffu, lane, 15 - lane);
	else
		mine[9] = __shfl_sync(0xffff0000u, lane, 16) + 100 * __any_sync(0xffff0000u, lane == 20);
}
REGISTER(shuffles)

KERNEL void copies(u32 *out, const u32 *in) {
	__shared__ uint4 kept[3];
	u32 *words = (u32 *)kept;
	for (int i = 0; i < 12; i++) words[i] = 7;
	copy_async(kept, in);
	commit_copies();
	copy_async(kept + 1, in + 4, 6);
	commit_copies();
	wait_copies<1>();
	for (int i = 0; i < 4; i++) out[i] = words[i];
	copy_async(kept + 2, in + 8, 0);
	commit_copies();
	wait_copies<0>();
	for (int i = 4; i < 12; i++) out[i] = words[i];
}
REGISTER(copies)

KERNEL void adds_one(float *x, u64 n) {
	for (u64 i = thread_number(); i < n; i += thread_count()) x[i] += 1;
}
REGISTER(adds_one)

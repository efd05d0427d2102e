// What the threads of a block and the lanes of a warp do together.
#pragma once
#include "machine.h"

namespace emulator {

#pragma GCC visibility push(hidden)

void sync_warp(u32 mask, Site at);
u64 from_lane(u32 mask, u64 value, unsigned lane, const char *what, Site at);
u32 ballot(u32 mask, bool vote, Site at);

void mma(float d[4], const u32 a[4], const u32 b[2], Site at = Site::here());
void load_matrices(u32 r[4], const void *row, Site at = Site::here());
void load_matrices_transposed(u32 r[4], const void *row, Site at = Site::here());
void copy_async(void *to, const void *from, int count = 16, Site at = Site::here());
void commit_copies();
void wait_copies(unsigned groups);

#pragma GCC visibility pop

template <class T>
T shuffled(u32 mask, T value, unsigned lane, const char *what, Site at) {
	static_assert(std::is_arithmetic<T>::value && (sizeof(T) == 4 || sizeof(T) == 8),
		"lanes exchange numbers of four or eight bytes");
	u64 bits = 0;
	memcpy(&bits, &value, sizeof value);
	bits = from_lane(mask, bits, lane, what, at);
	memcpy(&value, &bits, sizeof value);
	return value;
}

} // namespace emulator

inline void __syncthreads(emulator::Site at = emulator::Site::here()) { emulator::sync_threads(at); }
// __syncthreads_or is whether a thread of the block has a vote.
inline int __syncthreads_or(int vote, emulator::Site at = emulator::Site::here()) {
	static int any;
	emulator::sync_threads(at);
	any = 0;
	emulator::sync_threads(at);
	any |= vote != 0;
	emulator::sync_threads(at);
	return any;
}
inline void __syncwarp(u32 mask = ~0u, emulator::Site at = emulator::Site::here()) { emulator::sync_warp(mask, at); }

// The lanes that exchange values form segments of width lanes, a power of two. A lane whose source is outside of its
// segment keeps its own value.
template <class T>
T __shfl_sync(u32 mask, T value, int lane, int width = 32, emulator::Site at = emulator::Site::here()) {
	unsigned me = emulator::current->lane;
	return emulator::shuffled(mask, value, (me & ~(width - 1)) | (lane & (width - 1)), "__shfl_sync", at);
}
template <class T>
T __shfl_xor_sync(u32 mask, T value, int lanes, int width = 32, emulator::Site at = emulator::Site::here()) {
	unsigned me = emulator::current->lane, from = me ^ lanes;
	bool inside = from < (me & ~(width - 1)) + width;
	return emulator::shuffled(mask, value, inside ? from : me, "__shfl_xor_sync", at);
}
template <class T>
T __shfl_down_sync(u32 mask, T value, unsigned lanes, int width = 32, emulator::Site at = emulator::Site::here()) {
	unsigned me = emulator::current->lane, from = me + lanes;
	bool inside = from < (me & ~(width - 1)) + width;
	return emulator::shuffled(mask, value, inside ? from : me, "__shfl_down_sync", at);
}
template <class T>
T __shfl_up_sync(u32 mask, T value, unsigned lanes, int width = 32, emulator::Site at = emulator::Site::here()) {
	unsigned me = emulator::current->lane;
	bool inside = (me & (width - 1)) >= lanes;
	return emulator::shuffled(mask, value, inside ? me - lanes : me, "__shfl_up_sync", at);
}
inline u32 __ballot_sync(u32 mask, int vote, emulator::Site at = emulator::Site::here()) {
	return emulator::ballot(mask, vote, at);
}
inline int __any_sync(u32 mask, int vote, emulator::Site at = emulator::Site::here()) {
	return emulator::ballot(mask, vote, at) != 0;
}
inline int __all_sync(u32 mask, int vote, emulator::Site at = emulator::Site::here()) {
	return emulator::ballot(mask, !vote, at) == 0;
}

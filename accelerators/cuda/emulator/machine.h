// The machine that runs a block: threads as fibers, the warps they form, and where they meet.
#pragma once
#include "types.h"

#include <cstddef>
#include <vector>

namespace emulator {

#pragma GCC visibility push(hidden)

enum { WARP = 32, MOST_THREADS = 1024 };

// A Site is a place in the kernels' sources.
struct Site {
	const char *file;
	int line;

	static constexpr Site here(const char *file = __builtin_FILE(), int line = __builtin_LINE()) {
		return {file, line};
	}
};

struct Warp;
typedef void (*Work)(Warp &warp, u32 lanes);

// A Meeting is where the lanes of a warp that a mask names wait for one another. The last to come does the work for
// all, from what they gave to what they get.
struct Meeting {
	u32 mask, arrived;
	const char *what;
	Site at;
	Work work;
};

struct Warp {
	u32 live; // lanes that have not returned
	u32 open; // meetings that some lanes wait at
	u32 interval; // the number of __syncwarp since the block's last barrier
	Meeting meetings[WARP]; // by the lowest lane of their masks
	alignas(16) u8 given[WARP][32], results[WARP][32]; // by lane
};

struct Copy {
	u8 *to;
	const u8 *from;
	unsigned bytes, zeros;
};

// A Thread is one CUDA thread of the block that runs.
struct Thread {
	dim3 index;
	unsigned number, lane;
	Warp *warp;
	void *stack;  // where it goes on; null before it has begun
	u8 *memory;   // of the stack
	Thread *next; // in the list of threads that are ready
	bool done;
	const char *waits_for; // and where
	Site waits_at;
	std::vector<Copy> copies;
	std::vector<size_t> groups; // ends of the groups of copies
};

extern Thread *current;
extern dim3 block_index, block_size, grid_size;

void sync_threads(Site at);
// meet waits for the lanes that the mask names and returns what the meeting has for this lane; before, the lane has put
// what it gives into its 32 bytes of given.
u8 *given();
void *meet(u32 mask, const char *what, Site at, Work work);
u8 *dynamic_shared();
// coin is a bit that looks random in the shuffled schedule and is 0 in the others.
bool coin();

#pragma GCC visibility pop

} // namespace emulator

#define threadIdx (emulator::current->index)
#define blockIdx (emulator::block_index)
#define blockDim (emulator::block_size)
#define gridDim (emulator::grid_size)

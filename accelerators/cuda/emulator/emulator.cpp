#include "emulator.h"

#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <sys/mman.h>

namespace emulator {

thread_local Thread *current;
thread_local dim3 block_index, block_size, grid_size;
thread_local unsigned noted_arity;

// A Block is the state of the block that runs on this thread of the processor.
struct Block {
	std::vector<Thread> threads;
	std::vector<Warp> warps;
	std::vector<unsigned> order; // in which fibers take turns
	unsigned live, arrived, phase, at, idle;
	void *caller; // stack of launch
	Kernel kernel;
	void **arguments;
	u8 *shared;
	u64 random;
};

static thread_local Block block;

enum Schedule { FORWARD, REVERSE, SHUFFLED };
enum { STACK = 64 << 10 };

// switch_stack saves the registers that a call must keep on the stack, leaves its address in *save and goes on on another.
extern "C" void switch_stack(void **save, void *load);
#if defined(__x86_64__)
asm(R"(
.text
.globl switch_stack
switch_stack:
	pushq %rbp
	pushq %rbx
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	movq %rsp, (%rdi)
	movq %rsi, %rsp
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbx
	popq %rbp
	ret
)");
enum { SAVED_REGISTERS = 6 };
#else
#error "switch_stack is written for x86-64 only"
#endif

static void resume(Thread *next, void **save) {
	current = next;
	switch_stack(save, next->stack);
}

static Thread *next_alive() {
	do block.at = (block.at + 1) % block.order.size();
	while (block.threads[block.order[block.at]].done);
	return &block.threads[block.order[block.at]];
}

static void yield() {
	Thread *me = current, *next = next_alive();
	if (next != me) resume(next, &me->stack);
}

[[noreturn]] static void fail(const char *what) {
	fprintf(stderr, "emulator: block (%u,%u,%u), thread %u: %s\n", block_index.x, block_index.y, block_index.z,
		current->index.x, what);
	abort();
}

// wait yields until a barrier's phase is over. When every fiber has had turns and none moved, it never will be.
static void wait(const unsigned &phase, unsigned before, const char *what) {
	while (phase == before) {
		if (++block.idle > 4 * block.threads.size() + 8) fail(what);
		yield();
	}
}

static void open_block_barrier() { block.arrived = 0, block.phase++, block.idle = 0; }
static void open_warp_barrier(Warp *w) { w->arrived = 0, w->phase++, block.idle = 0; }

void sync_threads() {
	unsigned before = block.phase;
	if (++block.arrived == block.live) open_block_barrier();
	wait(block.phase, before, "__syncthreads is not reached by all threads");
}

void sync_warp() {
	Warp *w = current->warp;
	unsigned before = w->phase;
	if (++w->arrived == w->live) open_warp_barrier(w);
	wait(w->phase, before, "a warp's collective is not reached by all its lanes");
}

u8 (*exchange(const void *value, size_t bytes))[LANE_BYTES] {
	u8 (*lanes)[LANE_BYTES] = current->warp->lanes[current->turn++ % 2];
	memcpy(lanes[current->lane], value, bytes);
	sync_warp();
	return lanes;
}

u8 *dynamic_shared() { return block.shared; }

static float half_of(u32 word, int high) { return __uint_as_float(high ? word & 0xffff0000 : word << 16); }

// Lane 4g+q holds of A rows g and g+8 at columns 2q and 2q+8, of B columns g at rows 2q and 2q+8, of D rows g and g+8 at
// columns 2q, two neighbours each.
void mma(float d[4], const u32 a[4], const u32 b[2]) {
	u32 mine[6] = {a[0], a[1], a[2], a[3], b[0], b[1]};
	u8 (*lanes)[LANE_BYTES] = exchange(mine, sizeof mine);
	unsigned g = current->lane / 4, q = current->lane % 4;
	for (int row = 0; row < 2; row++)
		for (int column = 0; column < 2; column++) {
			float sum = 0;
			for (int k = 0; k < 16; k++) {
				int holder = k % 8 / 2, high = k % 2, upper = k / 8;
				const u32 *of_a = (const u32 *)lanes[4 * g + holder], *of_b = (const u32 *)lanes[4 * (2 * q + column) + holder];
				sum += half_of(of_a[row + 2 * upper], high) * half_of(of_b[4 + upper], high);
			}
			d[2 * row + column] += sum;
		}
}

static void want_aligned(const void *p, const char *what) {
	if ((uintptr_t)p % 16) fail(what);
}

void load_matrices(u32 r[4], const void *row, bool transposed) {
	u8 (*lanes)[LANE_BYTES] = exchange(&row, sizeof row);
	unsigned g = current->lane / 4, q = current->lane % 4;
	auto element = [&](unsigned matrix, unsigned i, unsigned j) -> u32 {
		const u16 *p;
		memcpy(&p, lanes[8 * matrix + i], sizeof p);
		want_aligned(p, "load_matrices wants a boundary of 16 bytes");
		return p[j];
	};
	for (unsigned m = 0; m < 4; m++)
		r[m] = transposed ? element(m, 2 * q, g) | element(m, 2 * q + 1, g) << 16
		                  : element(m, g, 2 * q) | element(m, g, 2 * q + 1) << 16;
}

void copy_async(void *to, const void *from, int count) {
	want_aligned(to, "copy_async wants a boundary of 16 bytes in shared memory");
	if (count) want_aligned(from, "copy_async wants a boundary of 16 bytes in global memory");
	current->copies.push_back({to, from, (unsigned)count, 16 - (unsigned)count});
}

void commit_copies() { current->groups.push_back(current->copies.size()); }

void wait_copies(unsigned groups) {
	auto &ends = current->groups;
	if (ends.size() <= groups) return;
	size_t done = ends.size() - groups, end = ends[done - 1];
	for (size_t i = 0; i < end; i++) {
		PendingCopy &c = current->copies[i];
		if (c.bytes) memcpy(c.to, c.from, c.bytes);
		memset((u8 *)c.to + c.bytes, 0, c.zeros);
	}
	current->copies.erase(current->copies.begin(), current->copies.begin() + end);
	ends.erase(ends.begin(), ends.begin() + done);
	for (size_t &e : ends) e -= end;
}

// finish ends a fiber; a thread that has returned counts as one that reached every barrier.
static void finish() {
	Thread *me = current;
	Warp *w = me->warp;
	me->done = true;
	block.live--, w->live--, block.idle = 0;
	if (block.live && block.arrived == block.live) open_block_barrier();
	if (w->live && w->arrived == w->live) open_warp_barrier(w);
	void *nowhere;
	if (block.live) resume(next_alive(), &nowhere);
	switch_stack(&nowhere, block.caller);
}

extern "C" void begin_fiber() {
	block.kernel(block.arguments);
	finish();
}

static void *prepare_stack(u8 *top) {
	void **stack = (void **)(top - 64);
	*--stack = nullptr; // keeps the boundary of 16 bytes that a call has
	*--stack = (void *)begin_fiber;
	for (int i = 0; i < SAVED_REGISTERS; i++) *--stack = nullptr;
	return stack;
}

static void shuffle(std::vector<unsigned> &order) {
	for (size_t i = order.size() - 1; i > 0; i--) {
		block.random = block.random * 6364136223846793005ull + 1442695040888963407ull;
		std::swap(order[i], order[(block.random >> 33) % (i + 1)]);
	}
}

static void run_block(Schedule schedule, u8 *stacks) {
	unsigned n = block_size.x * block_size.y * block_size.z;
	block.threads.assign(n, Thread());
	block.warps.assign((n + WARP - 1) / WARP, Warp());
	block.order.resize(n);
	block.live = n, block.arrived = block.idle = block.at = 0;
	for (unsigned i = 0; i < n; i++) {
		Thread &t = block.threads[i];
		t.index = {i % block_size.x, i / block_size.x % block_size.y, i / (block_size.x * block_size.y)};
		t.lane = i % WARP;
		t.warp = &block.warps[i / WARP];
		t.warp->live++;
		t.stack = prepare_stack(stacks + (i + 1) * (size_t)STACK);
		block.order[i] = schedule == REVERSE ? n - 1 - i : i;
	}
	if (schedule == SHUFFLED) shuffle(block.order);
	resume(&block.threads[block.order[0]], &block.caller);
}

static Schedule schedule_of(const char *name) {
	if (!name || !strcmp(name, "forward")) return FORWARD;
	return !strcmp(name, "reverse") ? REVERSE : SHUFFLED;
}

int launch(Kernel kernel, dim3 grid, dim3 size, unsigned shared_bytes, void **arguments) {
	enum { SUCCESS = 0, INVALID_VALUE = 1, OUT_OF_MEMORY = 2 };
	size_t n = (size_t)size.x * size.y * size.z;
	if (n == 0 || n > 1024) return INVALID_VALUE;
	size_t bytes = n * STACK;
	void *stacks = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (stacks == MAP_FAILED) return OUT_OF_MEMORY;
	std::vector<u8> shared(shared_bytes + 128);
	block.shared = (u8 *)(((uintptr_t)shared.data() + 127) & ~(uintptr_t)127);
	block.kernel = kernel, block.arguments = arguments, block.random = 12345;
	block_size = size, grid_size = grid;
	Schedule schedule = schedule_of(getenv("CAREBOT_EMULATOR_SCHEDULE"));
	for (unsigned z = 0; z < grid.z; z++)
		for (unsigned y = 0; y < grid.y; y++)
			for (unsigned x = 0; x < grid.x; x++) {
				block_index = {x, y, z};
				memset(block.shared, 0xff, shared_bytes);
				run_block(schedule, (u8 *)stacks);
			}
	munmap(stacks, bytes);
	return SUCCESS;
}

static std::map<std::string, Kernel> &kernels() {
	static std::map<std::string, Kernel> all;
	return all;
}

Registration::Registration(const char *name, Kernel kernel) { kernels()[name] = kernel; }

Kernel find(const char *name) {
	auto found = kernels().find(name);
	return found == kernels().end() ? nullptr : found->second;
}

unsigned arity(Kernel kernel) {
	kernel(nullptr);
	return noted_arity;
}

} // namespace emulator

// Blocks as fibers: the scheduler, the barrier of a block and the meetings of a warp.
#include "internal.h"

#include <algorithm>
#include <cstdlib>

namespace emulator {

Thread *current;
dim3 block_index, block_size, grid_size;

namespace {

// The order in which threads and blocks take turns. Forward, a warp goes on for as long as it can before the next one
// starts; reverse is the same from the other end; shuffled threads and warps overtake one another.
enum Schedule { FORWARD, REVERSE, SHUFFLED };

// A Block is the block that runs.
struct Block {
	const Launch *launch;
	void *arguments[64];
	Schedule schedule;
	u64 random;
	unsigned size, live, begun, arrived;
	Site barrier; // that some threads have arrived at
	Thread *ready, *last_ready;
	void *caller; // its stack
	int code;
	Thread threads[MOST_THREADS];
	Warp warps[MOST_THREADS / WARP];
	unsigned order[MOST_THREADS]; // of threads
};

} // namespace

static Block block;

const Launch &launched() { return *block.launch; }

static u32 random_number() {
	block.random = block.random * 6364136223846793005ull + 1442695040888963407ull;
	return (u32)(block.random >> 33);
}

bool coin() { return block.schedule == SHUFFLED && (random_number() >> 13 & 1); }

static void shuffle(unsigned *order, unsigned n) {
	for (unsigned i = n - 1; i > 0; i--) std::swap(order[i], order[random_number() % (i + 1)]);
}

// release makes threads ready, in the given order: at the front, so that they go on before others, or behind them.
static void release(Thread **threads, unsigned n) {
	for (unsigned i = 0; i + 1 < n; i++) threads[i]->next = threads[i + 1];
	Thread *first = threads[0], *last = threads[n - 1];
	if (!block.ready) {
		last->next = nullptr;
		block.ready = first, block.last_ready = last;
	} else if (coin()) {
		last->next = nullptr;
		block.last_ready->next = first, block.last_ready = last;
	} else {
		last->next = block.ready;
		block.ready = first;
	}
}

[[noreturn]] static void complain_of_deadlock() {
	unsigned waiting = 0;
	for (unsigned i = 0; i < block.size; i++) waiting += !block.threads[i].done;
	const Thread *first = nullptr, *other = nullptr;
	for (unsigned i = 0; i < block.size; i++) {
		const Thread *t = &block.threads[i];
		if (t->done) continue;
		if (!first) first = t;
		else if (!other && (t->waits_for != first->waits_for || t->waits_at.line != first->waits_at.line)) other = t;
	}
	const Site &at = first->waits_at;
	if (!other)
		fault(LAUNCH_FAILED, "%u threads wait at %s (%s:%d) for ever, the first is thread %u", waiting,
			first->waits_for, at.file, at.line, first->number);
	const Site &other_at = other->waits_at;
	fault(LAUNCH_FAILED, "thread %u waits at %s (%s:%d), thread %u at %s (%s:%d): for ever", first->number,
		first->waits_for, at.file, at.line, other->number, other->waits_for, other_at.file, other_at.line);
}

// next_thread is whose turn it is: one that is ready, or one that has not begun and has no stack yet.
static Thread *next_thread() {
	bool fresh = block.begun < block.size;
	if (block.ready && !(fresh && coin())) {
		Thread *t = block.ready;
		block.ready = t->next;
		return t;
	}
	if (!fresh) complain_of_deadlock();
	return &block.threads[block.order[block.begun++]];
}

static void open_barrier();
static void conclude(Warp &w, Meeting &m);

// finish takes account of a thread that has returned: nobody waits for it any more.
static void finish(Thread &t) {
	Warp &w = *t.warp;
	t.done = true;
	block.live--;
	w.live &= ~(1u << t.lane);
	if (block.live && block.arrived == block.live) open_barrier();
	for (u32 open = w.open; open; open &= open - 1) {
		Meeting &m = w.meetings[__builtin_ctz(open)];
		if (m.arrived == (m.mask & w.live)) conclude(w, m);
	}
}

// leave_whole ends a block whose threads have all returned.
[[noreturn]] static void leave_whole() {
	return_stack(current->memory);
	if (shared_overrun()) fault(ILLEGAL_ADDRESS, "the block has written beyond its dynamic shared memory");
	leave(SUCCESS);
}

// fiber runs threads from their beginning, one after the other, until one goes on that has a stack of its own.
static void fiber() {
	for (;;) {
		Thread *me = current;
		block.launch->kernel->run(block.arguments);
		finish(*me);
		if (!block.live) leave_whole();
		current = next_thread();
		if (!current->stack) {
			current->stack = me->stack, current->memory = me->memory;
			continue;
		}
		return_stack(me->memory);
		void *nowhere;
		switch_stack(&nowhere, current->stack);
	}
}

static void give_stack(Thread &t) {
	t.memory = take_stack();
	t.stack = fresh_stack(t.memory, fiber);
}

// give_way lets others go on until it is this thread's turn again.
static void give_way() {
	Thread *me = current;
	current = next_thread();
	if (current == me) return;
	if (!current->stack) give_stack(*current);
	switch_stack(&me->stack, current->stack);
}

void leave(int code) {
	block.code = code;
	void *nowhere;
	switch_stack(&nowhere, block.caller);
	abort();
}

static void open_barrier() {
	static Thread *released[MOST_THREADS];
	if (block.schedule == SHUFFLED) shuffle(block.order, block.size);
	unsigned n = 0;
	for (unsigned i = 0; i < block.size; i++) {
		Thread *t = &block.threads[block.order[i]];
		if (!t->done) released[n++] = t;
	}
	block.arrived = 0;
	races_pass_barrier();
	for (unsigned w = 0; w < (block.size + WARP - 1) / WARP; w++) block.warps[w].interval = 0;
	release(released, n);
}

static bool same_text(const char *a, const char *b) { return a == b || !strcmp(a, b); }
static bool same(Site a, Site b) { return a.line == b.line && same_text(a.file, b.file); }

void sync_threads(Site at) {
	if (!block.arrived) block.barrier = at;
	else if (!same(block.barrier, at))
		fault(LAUNCH_FAILED, "this thread waits at __syncthreads (%s:%d), others wait at another one (%s:%d)", at.file,
			at.line, block.barrier.file, block.barrier.line);
	current->waits_for = "__syncthreads", current->waits_at = at;
	if (++block.arrived == block.live) open_barrier();
	give_way();
}

// conclude does the work of a meeting that all its lanes have reached.
static void conclude(Warp &w, Meeting &m) {
	Thread *lanes[WARP], *first = &block.threads[(&w - block.warps) * WARP];
	unsigned n = 0;
	u32 arrived = m.arrived;
	m.arrived = 0;
	w.open &= ~(m.mask & -m.mask);
	for (unsigned i = 0; i < WARP; i++) {
		unsigned lane = block.schedule == REVERSE ? WARP - 1 - i : i;
		if (arrived >> lane & 1) lanes[n++] = first + lane;
	}
	m.work(w, arrived);
	release(lanes, n);
}

u8 *given() { return current->warp->given[current->lane]; }

void *meet(u32 mask, const char *what, Site at, Work work) {
	Thread *me = current;
	Warp &w = *me->warp;
	if (!(mask >> me->lane & 1))
		fault(LAUNCH_FAILED, "%s (%s:%d): the mask %08x lacks the lane itself", what, at.file, at.line, mask);
	Meeting &m = w.meetings[__builtin_ctz(mask)];
	if (!m.arrived) {
		m = {mask, 0, what, at, work};
		w.open |= mask & -mask;
	} else if (m.mask != mask || !same(m.at, at) || !same_text(m.what, what))
		fault(LAUNCH_FAILED, "this lane comes to %s (%s:%d, mask %08x), others of its warp to %s (%s:%d, mask %08x)",
			what, at.file, at.line, mask, m.what, m.at.file, m.at.line, m.mask);
	m.arrived |= 1u << me->lane;
	me->waits_for = what, me->waits_at = at;
	if (m.arrived == (mask & w.live)) conclude(w, m);
	give_way();
	return w.results[me->lane];
}

static Schedule schedule_of(const char *name) {
	if (!name || !strcmp(name, "forward")) return FORWARD;
	return !strcmp(name, "reverse") ? REVERSE : SHUFFLED;
}

// prepare does what is the same for all blocks of a launch.
static void prepare(const Launch &l) {
	block.launch = &l;
	block.schedule = schedule_of(getenv("CAREBOT_EMULATOR_SCHEDULE"));
	block.random = 12345;
	block.size = l.block.x * l.block.y * l.block.z;
	block_size = l.block, grid_size = l.grid;
	for (unsigned i = 0; i < l.arguments.size(); i++) block.arguments[i] = (void *)&l.arguments[i];
	for (unsigned i = 0; i < block.size; i++) {
		Thread &t = block.threads[i];
		t.index = {i % l.block.x, i / l.block.x % l.block.y, i / (l.block.x * l.block.y)};
		t.number = i, t.lane = i % WARP, t.warp = &block.warps[i / WARP];
		block.order[i] = block.schedule == REVERSE ? block.size - 1 - i : i;
	}
}

static void reset_threads() {
	for (unsigned i = 0; i < (block.size + WARP - 1) / WARP; i++) {
		unsigned lanes = std::min<unsigned>(WARP, block.size - i * WARP);
		block.warps[i].live = lanes == WARP ? ~0u : (1u << lanes) - 1;
		block.warps[i].open = block.warps[i].interval = 0;
		for (Meeting &m : block.warps[i].meetings) m.arrived = 0;
	}
	for (unsigned i = 0; i < block.size; i++) {
		Thread &t = block.threads[i];
		t.stack = nullptr, t.done = false;
		t.copies.clear(), t.groups.clear();
	}
	block.live = block.size, block.begun = block.arrived = 0, block.ready = nullptr;
}

static int run_block() {
	poison_shared();
	reset_threads();
	return_all_stacks();
	races_begin_block();
	if (block.schedule == SHUFFLED) shuffle(block.order, block.size);
	current = next_thread();
	give_stack(*current);
	switch_stack(&block.caller, current->stack);
	return block.code;
}

// place is the number of the i-th block of n to run; in the shuffled schedule it jumps by a prime.
static u64 place(u64 i, u64 n) {
	if (block.schedule == REVERSE) return n - 1 - i;
	return block.schedule == SHUFFLED && n < 4294967291u ? i * 4294967291u % n : i;
}

int run(const Launch &l) {
	prepare(l);
	find_shared(l.shared);
	races_begin_launch();
	watch_signals();
	u64 n = (u64)l.grid.x * l.grid.y * l.grid.z;
	int code = SUCCESS;
	running = true;
	for (u64 i = 0; i < n && !code; i++) {
		u64 number = place(i, n);
		block_index = {(unsigned)(number % l.grid.x), (unsigned)(number / l.grid.x % l.grid.y),
			(unsigned)(number / l.grid.x / l.grid.y)};
		code = run_block();
	}
	running = false;
	return code;
}

} // namespace emulator

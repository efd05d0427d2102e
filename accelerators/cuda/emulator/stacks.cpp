// Stacks of fibers: mapped once, below each a page that cannot be touched. Their tops are spread over the page, since
// hundreds of stacks at the same place of their pages would share a few lines of the processor's caches.
#include "internal.h"

#include <cstdio>
#include <cstdlib>
#include <sys/mman.h>

namespace emulator {

enum { PAGE = 4096, STRIDE = 17 * PAGE, LINE = 64 };

static u8 *available[MOST_THREADS];
static unsigned count;

static u8 *map_stacks() {
	void *memory = mmap(nullptr, (size_t)MOST_THREADS * STRIDE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED) {
		perror("emulator: no memory for the stacks of fibers");
		abort();
	}
	for (unsigned i = 0; i < MOST_THREADS; i++) mprotect((u8 *)memory + (size_t)i * STRIDE, PAGE, PROT_NONE);
	return (u8 *)memory;
}

void return_all_stacks() {
	static u8 *const memory = map_stacks();
	if (count == MOST_THREADS) return;
	for (unsigned i = 0; i < MOST_THREADS; i++)
		available[MOST_THREADS - 1 - i] = memory + (size_t)(i + 1) * STRIDE - i % (PAGE / LINE) * LINE;
	count = MOST_THREADS;
}

u8 *take_stack() { return available[--count]; }
void return_stack(u8 *top) { available[count++] = top; }

} // namespace emulator

// Shared memory. The dynamic part ends at a page that cannot be touched; the variables are the library's thread_local
// ones. Both are filled with NaN before each block.
#include "internal.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <link.h>
#include <sys/mman.h>

namespace emulator {

Region dynamic_region, static_region;

enum { PAGE = 4096, MOST_BYTES = 228 << 10, BOUNDARY = 128, POISON = 0xff };

static u8 *fence; // where the dynamic shared memory ends at the latest

static u8 *map_dynamic() {
	void *memory = mmap(nullptr, MOST_BYTES + 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	u8 *begin = (u8 *)memory + PAGE;
	if (memory == MAP_FAILED || mprotect(begin, MOST_BYTES, PROT_READ | PROT_WRITE)) {
		perror("emulator: no memory for shared memory");
		abort();
	}
	return begin + MOST_BYTES;
}

static thread_local u8 touched; // makes this thread's copy of the variables

// holds_this_library looks for the library that touched is in among those that are loaded.
static int holds_this_library(dl_phdr_info *info, size_t, void *) {
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) &part = info->dlpi_phdr[i];
		u8 *begin = (u8 *)info->dlpi_tls_data;
		if (part.p_type != PT_TLS || &touched < begin || &touched >= begin + part.p_memsz) continue;
		static_region = {begin, begin + part.p_memsz};
		return 1;
	}
	return 0;
}

void find_shared(unsigned dynamic_bytes) {
	if (!fence) fence = map_dynamic();
	u8 *begin = (u8 *)((uintptr_t)(fence - dynamic_bytes) & ~(uintptr_t)(BOUNDARY - 1));
	dynamic_region = {begin, begin + dynamic_bytes};
	touched = POISON;
	dl_iterate_phdr(holds_this_library, nullptr);
}

void poison_shared() {
	memset(dynamic_region.begin, POISON, fence - dynamic_region.begin);
	memset(static_region.begin, POISON, static_region.end - static_region.begin);
}

bool shared_overrun() {
	return std::any_of(dynamic_region.end, fence, [](u8 byte) { return byte != POISON; });
}

u8 *dynamic_shared() { return dynamic_region.begin; }

} // namespace emulator

#include "arena.h"

#include "internal.h"

#include <cstdio>
#include <map>
#include <sys/mman.h>

namespace emulator {

enum { PAGE = 4096, POISON = 0xff, RESERVED = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE };

static std::map<u64, size_t> live; // bytes by begin
static size_t total;
static u64 cursor; // where the search for the next place begins

u64 arena_begin() {
	static void *const memory = mmap(nullptr, ARENA_BYTES, PROT_NONE, RESERVED, -1, 0);
	return memory == MAP_FAILED ? 0 : (u64)memory;
}

static u64 page_of(u64 at) { return at / PAGE * PAGE; }
static u64 end_page(const Allocation &a) { return page_of(a.begin + a.bytes - 1) + PAGE; }

// place finds bytes of addresses that no allocation uses, after the last place as long as there are some.
static u64 place(u64 bytes) {
	if (!arena_begin() || bytes > ARENA_BYTES) return 0;
	for (int round = 0; round < 2; round++) {
		if (!cursor || round) cursor = arena_begin() + PAGE; // before each allocation is a page, too
		while (cursor + bytes <= arena_begin() + ARENA_BYTES) {
			auto next = live.lower_bound(cursor);
			if (next == live.end() || cursor + bytes <= page_of(next->first)) {
				u64 found = cursor;
				cursor += bytes;
				return found;
			}
			cursor = end_page({next->first, next->second}) + PAGE;
		}
	}
	return 0;
}

// Small allocations end within 16 bytes of the fence, large ones within 256, which is a GPU's boundary.
u64 allocate(size_t bytes) {
	const u64 boundary = bytes < 1 << 20 ? 16 : 256;
	u64 mapped = (bytes + PAGE - 1) / PAGE * PAGE, first = place(mapped + PAGE);
	if (!first || mprotect((void *)first, mapped, PROT_READ | PROT_WRITE)) return 0;
	memset((void *)first, POISON, mapped);
	u64 begin = (first + mapped - bytes) / boundary * boundary;
	live[begin] = bytes;
	total += bytes;
	return begin;
}

bool overrun(const Allocation &a) {
	for (u64 at = a.begin + a.bytes; at < end_page(a); at++)
		if (*(u8 *)at != POISON) return true;
	return false;
}

void release(const Allocation &a) {
	u64 first = page_of(a.begin);
	mmap((void *)first, end_page(a) - first, PROT_NONE, RESERVED | MAP_FIXED, -1, 0);
	total -= a.bytes;
	live.erase(a.begin);
}

void release_all() {
	while (!live.empty()) release({live.begin()->first, live.begin()->second});
}

Allocation allocation_of(u64 at) {
	auto after = live.upper_bound(at);
	if (after == live.begin()) return {0, 0};
	--after;
	if (at >= after->first + after->second) return {0, 0};
	return {after->first, after->second};
}

bool is_allocated(u64 at, size_t bytes) {
	Allocation a = allocation_of(at);
	return a.begin && bytes <= a.begin + a.bytes - at;
}

size_t allocations() { return live.size(); }
size_t allocated_bytes() { return total; }

static std::string text(const char *format, u64 at, u64 by, u64 of) {
	char line[200];
	snprintf(line, sizeof line, format, at, by, of);
	return line;
}

static std::string describe_device(u64 at) {
	Allocation a = allocation_of(at);
	if (a.begin) return text("device memory %#llx, byte %llu of an allocation of %llu", at, at - a.begin, a.bytes);
	auto after = live.upper_bound(at);
	if (after != live.end() && after->first - at <= PAGE)
		return text("device memory %#llx, %llu bytes before one of %llu", at, after->first - at, after->second);
	if (after == live.begin()) return text("device memory %#llx, which is not allocated", at, 0, 0);
	--after;
	u64 by = at - after->first - after->second;
	if (by < PAGE + 256)
		return text("device memory %#llx, %llu bytes beyond the end of one of %llu", at, by, after->second);
	return text("device memory %#llx, which is not allocated, or not any more", at, 0, 0);
}

std::string describe_address(u64 at) {
	enum { NEAR = 1 << 16 };
	if (at - arena_begin() < ARENA_BYTES) return describe_device(at);
	u64 variables = (u64)static_region.begin, shared = (u64)dynamic_region.begin;
	if (at >= variables && at < (u64)static_region.end) return text("shared variables at %#llx", at, 0, 0);
	u64 bytes = dynamic_region.end - dynamic_region.begin;
	if (at - shared < bytes + NEAR) return text("byte %llu of dynamic shared memory of %llu", at - shared, bytes, 0);
	return text("address %#llx, which is no device memory", at, 0, 0);
}

} // namespace emulator

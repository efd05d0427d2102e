// Device memory: a range of addresses in which each allocation ends at a page that cannot be touched.
#pragma once
#include "types.h"

#include <cstddef>
#include <string>

namespace emulator {

#pragma GCC visibility push(hidden)

// ARENA_BYTES is so much more than devices have that addresses of freed memory are seldom given away again.
static const u64 ARENA_BYTES = 1ull << 38;
u64 arena_begin();

struct Allocation {
	u64 begin;
	size_t bytes;
};

// allocate answers 0 where there is no memory. Fresh memory is full of NaN.
u64 allocate(size_t bytes);
// overrun tells whether something wrote behind an allocation, before the page that cannot be touched.
bool overrun(const Allocation &a);
void release(const Allocation &a);

// allocation_of is the allocation that an address is in; its begin is 0 where there is none.
Allocation allocation_of(u64 at);
bool is_allocated(u64 at, size_t bytes);
size_t allocations();
size_t allocated_bytes();
void release_all();

// describe_address says what is known of any address, for messages.
std::string describe_address(u64 at);

#pragma GCC visibility pop

} // namespace emulator

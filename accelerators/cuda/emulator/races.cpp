// The check for races. g++ -fsanitize=thread calls a function at each access to memory that may be shared; those here
// take the place of its library's. Two accesses to a byte by different threads of a launch, one of them a write, are a
// race unless something orders them: a __syncthreads between them if they are of the same block, a __syncwarp if they
// are of the same warp. Nothing orders blocks. Atomics are not looked at.
//
// Of each byte of shared memory and of device memory the last write and the last reads are kept, as Stamps.
#include "arena.h"
#include "internal.h"

#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>
#include <sys/mman.h>


namespace emulator {

// Who is the thread of a write or a read; or that several have read: lanes of one warp, threads of one block or threads
// of several blocks.
enum Who { ONE, LANES, THREADS, BLOCKS };

// An interval is the time of a block between two barriers; no two have the same number.
struct Stamp {
	u64 interval : 34;
	u64 turn : 16; // the number of the warp's __syncwarp in the interval
	u64 thread : 10;
	u64 who : 2;
	u64 pending : 1;
};

struct Cell {
	Stamp write, read;
};

static bool checking;
static u64 interval, block_began, launch_began; // in intervals
static Cell dynamic_cells[228 << 10], *device_cells;
static std::vector<Cell> static_cells;

void races_begin_launch() { launch_began = ++interval; }
void races_begin_block() { block_began = ++interval; }
void races_pass_barrier() { interval++; }

static Cell *reserve_device_cells() {
	void *cells = mmap(nullptr, ARENA_BYTES * sizeof(Cell), PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (cells != MAP_FAILED) return (Cell *)cells;
	perror("emulator: no memory for the check for races");
	abort();
}

// A Place is what is known of an address: its cell, and since when accesses to it matter.
struct Place {
	Cell *cell;
	u64 since;
};

static Place place_of(const u8 *at) {
	if (at >= dynamic_region.begin && at < dynamic_region.end)
		return {&dynamic_cells[at - dynamic_region.begin], block_began};
	if (at >= static_region.begin && at < static_region.end) {
		static_cells.resize(static_region.end - static_region.begin);
		return {&static_cells[at - static_region.begin], block_began};
	}
	u64 offset = (u64)at - arena_begin();
	if (offset >= ARENA_BYTES) return {nullptr, 0};
	if (!device_cells) device_cells = reserve_device_cells();
	return {&device_cells[offset], launch_began};
}

static bool same_warp(const Stamp &s) { return s.thread / WARP == current->number / WARP; }

// ordered tells whether what a stamp stands for comes before this thread's access.
static bool ordered(const Stamp &s, u64 since) {
	if (s.interval < since) return true;
	if (s.interval < block_began || s.who == BLOCKS) return false;
	if (s.interval < interval) return true;
	if (s.who == ONE && s.thread == current->number) return true;
	return s.who != THREADS && same_warp(s) && s.turn < current->warp->interval;
}

static Stamp stamp() { return {interval, current->warp->interval, current->number, ONE, 0}; }

// add_reader notes a read beside those that are not ordered before it.
static void add_reader(Stamp &read, u64 since) {
	if (ordered(read, since)) {
		read = stamp();
		return;
	}
	bool this_block = read.interval >= block_began && read.who != BLOCKS;
	bool this_warp = this_block && same_warp(read) && read.who != THREADS;
	read.interval = interval, read.turn = current->warp->interval;
	read.who = this_warp ? LANES : this_block ? THREADS : BLOCKS;
}

// source is the place in the kernels' sources of an address in the library, as far as addr2line tells.
static std::string source(void *code) {
	Dl_info info;
	if (!code || !dladdr(code, &info)) return "";
	char command[4200], line[400] = "";
	snprintf(command, sizeof command, "addr2line -s -e '%s' %#llx 2>/dev/null", info.dli_fname,
		(u64)code - (u64)info.dli_fbase - 1);
	if (FILE *reply = popen(command, "r")) {
		if (!fgets(line, sizeof line, reply)) line[0] = 0;
		pclose(reply);
	}
	line[strcspn(line, "\n")] = 0;
	return std::string(" (") + line + ")";
}

[[noreturn]] static void complain(const u8 *at, Access access, const Stamp &other, const char *did, void *code) {
	char whom[100];
	if (other.who != ONE) snprintf(whom, sizeof whom, "several threads have");
	else snprintf(whom, sizeof whom, "thread %u%s has", (unsigned)other.thread,
		other.interval < block_began ? " of another block" : "");
	fault(LAUNCH_FAILED, "race: %s%s %s, which %s %s with no barrier between", access == WRITE ? "writes" : "reads",
		source(code).c_str(), describe_address((u64)at).c_str(), whom, did);
}

static void check(const void *begin, size_t bytes, Access access, void *code) {
	if (!running) return;
	for (const u8 *at = (const u8 *)begin; at < (const u8 *)begin + bytes; at++) {
		Place p = place_of(at);
		if (!p.cell) return;
		Cell &c = *p.cell;
		if (c.write.pending && c.write.interval >= p.since)
			fault(LAUNCH_FAILED, "%s%s %s, which a copy_async still brings", access == WRITE ? "writes" : "reads",
				source(code).c_str(), describe_address((u64)at).c_str());
		if (!ordered(c.write, p.since)) complain(at, access, c.write, "written", code);
		if (access == READ) {
			add_reader(c.read, p.since);
			continue;
		}
		if (!ordered(c.read, p.since)) complain(at, access, c.read, "read", code);
		c.write = stamp();
	}
}

void note_access(const void *at, size_t bytes, Access access) {
	if (checking) check(at, bytes, access, nullptr);
}

void note_pending(const void *at, size_t bytes, bool pending) {
	if (!checking) return;
	for (size_t i = 0; i < bytes; i++) place_of((const u8 *)at + i).cell->write.pending = pending;
}

} // namespace emulator

#define EXPORT extern "C" __attribute__((visibility("hidden")))
#define ACCESS(name, bytes, access) \
	EXPORT void name(const void *at) { emulator::check(at, bytes, emulator::access, __builtin_return_address(0)); }
#define ACCESSES(bytes)                            \
	ACCESS(__tsan_read##bytes, bytes, READ)        \
	ACCESS(__tsan_write##bytes, bytes, WRITE)      \
	ACCESS(__tsan_unaligned_read##bytes, bytes, READ) \
	ACCESS(__tsan_unaligned_write##bytes, bytes, WRITE)

ACCESSES(1)
ACCESSES(2)
ACCESSES(4)
ACCESSES(8)
ACCESSES(16)

EXPORT void __tsan_read_range(const void *at, size_t bytes) {
	emulator::check(at, bytes, emulator::READ, __builtin_return_address(0));
}
EXPORT void __tsan_write_range(const void *at, size_t bytes) {
	emulator::check(at, bytes, emulator::WRITE, __builtin_return_address(0));
}
EXPORT void __tsan_func_entry(void *) {}
EXPORT void __tsan_func_exit() {}

// Each file that is compiled for the check calls __tsan_init when the library is loaded.
EXPORT void __tsan_init() { emulator::checking = true; }

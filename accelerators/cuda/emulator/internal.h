// What the parts of the emulator know of one another and kernels do not see.
#pragma once
#include "collectives.h"
#include "machine.h"
#include "registry.h"

namespace emulator {

#pragma GCC visibility push(hidden)

enum Code {
	SUCCESS = 0,
	ILLEGAL_ADDRESS = 700,
	MISALIGNED_ADDRESS = 716,
	LAUNCH_FAILED = 719,
};

// A Launch is one grid of a kernel. Arguments are bytes in boxes of eight.
struct Launch {
	const Kernel *kernel;
	dim3 grid, block;
	unsigned shared;
	std::vector<u64> arguments;
};

// run runs all blocks of a grid, one after the other, and answers a Code.
int run(const Launch &launch);

// stack_switch.cpp: switch_stack keeps the registers that a call must preserve on the stack, leaves its address in
// *from and goes on on another one. fresh_stack is a stack on which begin starts.
extern "C" void switch_stack(void **from, void *to);
void *fresh_stack(u8 *top, void (*begin)());

// stacks.cpp
void return_all_stacks();
u8 *take_stack(); // its top
void return_stack(u8 *top);

// shared.cpp: the dynamic shared memory and the shared variables of the thread of the processor that asks.
struct Region {
	u8 *begin, *end;
};
extern Region dynamic_region, static_region;
void find_shared(unsigned dynamic_bytes);
void poison_shared();
bool shared_overrun(); // whether something wrote between the dynamic shared memory and its fence

// faults.cpp: fault says where a kernel goes wrong and ends the launch.
[[noreturn]] void fault(Code code, const char *format, ...) __attribute__((format(printf, 2, 3)));
extern bool running; // a kernel, on this process' one thread that may
void watch_signals();

// machine.cpp
[[noreturn]] void leave(int code);
const Launch &launched();

// races.cpp
enum Access { READ, WRITE };
void races_begin_launch();
void races_begin_block();
void races_pass_barrier();
void note_access(const void *at, size_t bytes, Access access);
// A copy of copy_async is pending from its start until it is waited for; nobody may touch where it goes.
void note_pending(const void *at, size_t bytes, bool pending);

#pragma GCC visibility pop

} // namespace emulator

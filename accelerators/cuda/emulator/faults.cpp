// How a kernel that goes wrong ends: with a message, and the launch with an error.
#include "arena.h"
#include "internal.h"

#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

namespace emulator {

bool running;
static long runner; // the thread of the operating system that runs kernels

void fault(Code code, const char *format, ...) {
	char what[1000];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(what, sizeof what, format, arguments);
	va_end(arguments);
	const dim3 &b = block_index, &t = current->index;
	fprintf(stderr, "emulator: %s, block (%u,%u,%u), thread (%u,%u,%u): %s\n", launched().kernel->name, b.x, b.y, b.z,
		t.x, t.y, t.z, what);
	leave(code);
}

static struct sigaction before[NSIG];
static int signal_number;
static u64 signal_address;
alignas(16) static u8 refuge[64 << 10]; // a stack for the message, since the fiber's may be what overflowed

[[noreturn]] static void complain_of_signal() {
	if (signal_number == SIGFPE) fault(LAUNCH_FAILED, "division of an integer by zero");
	if (signal_number == SIGILL) fault(LAUNCH_FAILED, "an instruction that the processor lacks");
	fault(ILLEGAL_ADDRESS, "touches %s", describe_address(signal_address).c_str());
}

// The handler lets the kernel's thread go on in complain_of_signal, as if the kernel had called it. Signals of others
// go to the handler that was there before.
static void handle(int number, siginfo_t *info, void *context) {
	if (!running || syscall(SYS_gettid) != runner) {
		struct sigaction &old = before[number];
		if (old.sa_flags & SA_SIGINFO) return old.sa_sigaction(number, info, context);
		if (old.sa_handler == SIG_DFL || old.sa_handler == SIG_IGN) signal(number, SIG_DFL);
		else old.sa_handler(number);
		return;
	}
	signal_number = number, signal_address = (u64)info->si_addr;
	mcontext_t &machine = ((ucontext_t *)context)->uc_mcontext;
	u8 *stack = refuge + sizeof refuge;
#if defined(__x86_64__)
	machine.gregs[REG_RSP] = (greg_t)(stack - 8);
	machine.gregs[REG_RIP] = (greg_t)complain_of_signal;
#elif defined(__aarch64__)
	machine.sp = (u64)stack;
	machine.pc = (u64)complain_of_signal;
#endif
}

// watch_signals is called by the thread that is going to run kernels. Where Go has put its own handlers, they forward
// what happens outside of Go code to those that were there before Go, so that these are put in place as soon as the
// library is loaded.
void watch_signals() { runner = syscall(SYS_gettid); }

__attribute__((constructor)) static void take_signals() {
	struct sigaction ours = {};
	ours.sa_sigaction = handle;
	ours.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
	for (int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL}) sigaction(number, &ours, &before[number]);
}

} // namespace emulator

// What g++ calls where -fsanitize finds something; all begin with the place in the source.
struct Source {
	const char *file;
	u32 line, column;
};

struct Mismatch {
	Source at;
	void *type;
	u8 log_alignment;
};

#define EXPORT extern "C" __attribute__((visibility("hidden")))

EXPORT void __ubsan_handle_type_mismatch_v1_abort(Mismatch *m, uintptr_t at) {
	emulator::fault(emulator::MISALIGNED_ADDRESS, "%s:%u: %s is not on a boundary of %d bytes", m->at.file, m->at.line,
		emulator::describe_address(at).c_str(), 1 << m->log_alignment);
}

EXPORT void __ubsan_handle_out_of_bounds_abort(Source *at, uintptr_t index) {
	emulator::fault(emulator::ILLEGAL_ADDRESS, "%s:%u: index %lld is out of the array", at->file, at->line, (i64)index);
}

EXPORT void __ubsan_handle_shift_out_of_bounds_abort(Source *at, uintptr_t, uintptr_t by) {
	emulator::fault(emulator::LAUNCH_FAILED, "%s:%u: shift by %lld", at->file, at->line, (i64)by);
}

EXPORT void __ubsan_handle_divrem_overflow_abort(Source *at, uintptr_t, uintptr_t) {
	emulator::fault(emulator::LAUNCH_FAILED, "%s:%u: division of an integer by zero", at->file, at->line);
}

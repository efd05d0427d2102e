// The switch between stacks, for x86-64 and arm64.
#include "internal.h"

namespace emulator {

#if defined(__x86_64__)

asm(R"(
.text
.globl switch_stack
.hidden switch_stack
.type switch_stack, @function
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
.size switch_stack, .-switch_stack
)");

// At the start of a function the stack is eight bytes off a boundary of 16, as after a call.
void *fresh_stack(u8 *top, void (*begin)()) {
	void **stack = (void **)((uintptr_t)top & ~(uintptr_t)15);
	*--stack = nullptr;
	*--stack = (void *)begin;
	for (int i = 0; i < 6; i++) *--stack = nullptr;
	return stack;
}

#elif defined(__aarch64__)

asm(R"(
.text
.globl switch_stack
.hidden switch_stack
.type switch_stack, %function
switch_stack:
	sub sp, sp, #160
	stp x19, x20, [sp]
	stp x21, x22, [sp, #16]
	stp x23, x24, [sp, #32]
	stp x25, x26, [sp, #48]
	stp x27, x28, [sp, #64]
	stp x29, x30, [sp, #80]
	stp d8, d9, [sp, #96]
	stp d10, d11, [sp, #112]
	stp d12, d13, [sp, #128]
	stp d14, d15, [sp, #144]
	mov x9, sp
	str x9, [x0]
	mov sp, x1
	ldp x19, x20, [sp]
	ldp x21, x22, [sp, #16]
	ldp x23, x24, [sp, #32]
	ldp x25, x26, [sp, #48]
	ldp x27, x28, [sp, #64]
	ldp x29, x30, [sp, #80]
	ldp d8, d9, [sp, #96]
	ldp d10, d11, [sp, #112]
	ldp d12, d13, [sp, #128]
	ldp d14, d15, [sp, #144]
	add sp, sp, #160
	ret
.size switch_stack, .-switch_stack
)");

void *fresh_stack(u8 *top, void (*begin)()) {
	enum { SAVED = 20, LINK = 11 }; // registers; the place of the one that ret jumps to
	void **stack = (void **)((uintptr_t)top & ~(uintptr_t)15) - SAVED;
	memset(stack, 0, SAVED * sizeof *stack);
	stack[LINK] = (void *)begin;
	return stack;
}

#else
#error "the switch between stacks is written for x86-64 and arm64"
#endif

} // namespace emulator

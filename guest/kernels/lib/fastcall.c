/* fastcall.c: what SYSENTER and SYSCALL enter, and the registers that say so.
   Neither reads a table: they compute the segments, from the selector in
   SYSENTER_CS and the two in STAR. The GDT has them in that order. */
#include "fastcall.h"

enum { /* model-specific registers */
	SYSENTER_CS = 0x174, SYSENTER_ESP = 0x175, SYSENTER_EIP = 0x176,
	EFER = 0xC0000080, STAR = 0xC0000081, LSTAR = 0xC0000082, FMASK = 0xC0000084,
};

extern char sysenter_entry[], syscall_entry[];
word fast_stack, caller_stack;

#ifdef __x86_64__
__asm__(
	"sysenter_entry:\n\t"
	"push %rdx; push %rcx\n\t"
	"mov %rax, %rdi; mov %rcx, %rsi\n\t"
	"call sysenter_call\n\t"
	"pop %rcx; pop %rdx\n\t"
	"sysexitq\n" /* RIP: RDX, RSP: RCX, CS: SYSENTER_CS + 32, SS: + 40 */

	"syscall_entry:\n\t" /* the stack is the program's still */
	"mov %rsp, caller_stack; mov fast_stack, %rsp\n\t"
	"push %rcx; push %r11\n\t"
	"mov %rax, %rdi; mov %rcx, %rsi; mov %r11, %rdx\n\t"
	"call syscall_call\n\t"
	"pop %r11; pop %rcx\n\t"
	"mov caller_stack, %rsp\n\t"
	"sysretq"); /* RIP: RCX, RFLAGS: R11, CS: STAR[63:48] + 16, SS: + 8 */
#else
__asm__(
	"sysenter_entry:\n\t"
	"push %edx; push %ecx; push %eax\n\t" /* the three arguments */
	"call sysenter_call\n\t"
	"add $4, %esp; pop %ecx; pop %edx\n\t"
	"sysexit"); /* EIP: EDX, ESP: ECX, CS: SYSENTER_CS + 16, SS: + 24 */
#endif

static void write_msr(uint32_t msr, uint64_t value)
{
	__asm__ volatile("wrmsr" ::"c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

void enable_fast_calls(word stack)
{
	uint32_t features, ignored;

	__asm__("cpuid" : "=d"(features), "=a"(ignored) : "a"(1) : "ebx", "ecx");
	if (!(features & 1 << 11)) {
		print("This processor has no SYSENTER.\n");
		exit_run(2);
	}
	fast_stack = stack;
	write_msr(SYSENTER_CS, KERNEL_CODE);
	write_msr(SYSENTER_ESP, stack);
	write_msr(SYSENTER_EIP, (word)sysenter_entry);
#ifdef __x86_64__
	write_msr(EFER, 0x901); /* NXE and LME as boot64.S has it, and SCE: there is SYSCALL */
	write_msr(STAR, (uint64_t)0x18 << 48 | (uint64_t)KERNEL_CODE << 32);
	write_msr(LSTAR, (word)syscall_entry);
	write_msr(FMASK, 0x700); /* clears DF, IF and TF on entry */
#endif
}

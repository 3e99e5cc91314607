/* main.c: user mode. Programs run at CPL 3, ask the kernel to square a number
   by each instruction that enters a system, and try what is not allowed. The
   stubs and the programs are in entry.S. */
#include "layout.h"
#include "lib.h"

#define FAST_STACK (KERNEL_HEAP + PAGE) /* the kernel's, for SYSENTER and SYSCALL */

enum { /* model-specific registers */
	SYSENTER_CS = 0x174, SYSENTER_ESP = 0x175, SYSENTER_EIP = 0x176,
	EFER = 0xC0000080, STAR = 0xC0000081, LSTAR = 0xC0000082, FMASK = 0xC0000084,
};

static void write_msr(uint32_t msr, uint64_t value)
{
	__asm__ volatile("wrmsr" ::"c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

extern char sysenter_entry[], syscall_entry[];
extern const char by_int[], by_int_end[], by_sysenter[], by_sysenter_end[];
extern const char by_syscall[], by_syscall_end[];
extern const char try_cli[], try_cli_end[], try_cr3[], try_cr3_end[], try_out[], try_out_end[];
extern const char try_read[], try_read_end[], try_call[], try_call_end[];

static void *user_page;
static word result, faults;

static void run(const char *program, const char *end)
{
	result = 0;
	copy(user_page, program, end - program);
	run_user(USER_BASE);
}

/* system_call takes INT 0x80: EAX is a number to square, or 0 to leave with
   the result in EDI. */
static void system_call(struct trap *t)
{
	if (t->ax == 0) {
		print("  back in user mode: CS 0x%lx, SS 0x%lx; the answer is %lu\n", t->cs, t->ss, t->di);
		result = t->di;
		leave_user();
	}
	print("  the CPU took the stack from the TSS, and pushed: SS 0x%lx, %s 0x%lx,\n"
	      "  %s 0x%lx, CS 0x%lx, %s " ADDR "\n", t->ss, IN_64("RSP", "ESP"), t->sp,
	      IN_64("RFLAGS", "EFLAGS"), t->flags, t->cs, IN_64("RIP", "EIP"), t->ip);
	expect("the stack", (word)(t + 1), STACK_TOP);
	t->ax *= t->ax;
}

/* The fast ways come here from their stubs, with what the program passed or
   the CPU put into registers. */
word sysenter_call(word number, word sp, word ip)
{
	print("  the CPU saved nothing; the program says where it will go on:\n"
	      "  %s 0x%lx in CX, %s " ADDR " in DX\n", IN_64("RSP", "ESP"), sp, IN_64("RIP", "EIP"), ip);
	return number * number;
}

word syscall_call(word number, word ip, word flags)
{
	print("  the CPU saved RIP " ADDR " in RCX and RFLAGS 0x%lx in R11;\n"
	      "  the stack is the program's still: the stub changes it\n", ip, flags);
	return number * number;
}

static void ask(const char *how, const char *program, const char *end)
{
	print("%s: the square of 7, please.\n", how);
	run(program, end);
	expect("the answer", result, 49);
}

static void refused(struct trap *t)
{
	faults++;
	print("vector %2lu, error code %lu\n", t->vector, t->error);
	expect("the privilege level", t->cs & 3, 3);
	leave_user();
}

static void try(const char *what, const char *program, const char *end)
{
	print("  %s  ", what);
	run(program, end);
}

static void enable_fast_calls(void)
{
	uint32_t features, ignored;

	__asm__("cpuid" : "=d"(features), "=a"(ignored) : "a"(1) : "ebx", "ecx");
	if (!(features & 1 << 11)) {
		print("This processor has no SYSENTER.\n");
		exit_run(2);
	}
	write_msr(SYSENTER_CS, KERNEL_CODE);
	write_msr(SYSENTER_ESP, FAST_STACK);
	write_msr(SYSENTER_EIP, (word)sysenter_entry);
#ifdef __x86_64__
	write_msr(EFER, 0x901); /* NXE and LME as before, SCE: SYSCALL is there */
	write_msr(STAR, (uint64_t)0x18 << 48 | (uint64_t)KERNEL_CODE << 32);
	write_msr(LSTAR, (word)syscall_entry);
	write_msr(FMASK, 0x700); /* clears DF, IF and TF on entry */
#endif
}

void kernel_main(void)
{
	entry *table;

	console_init();
	segments_init();
	set_kernel_stack(STACK_TOP);
	on_trap(VECTOR_SYSCALL, system_call);
	on_trap(13, refused);
	on_trap(VECTOR_PF, refused);
	table = identity_table();
	user_page = alloc_page();
	map(table, USER_BASE, (word)user_page, USER);
	paging_on(table);

	print("user-mode-%d: into ring 3, and back by each door there is\n\n", (int)sizeof(word) * 8);
	enable_fast_calls();
	print("1. A gate that is open to CPL 3\n");
	ask("INT 0x80", by_int, by_int_end);
	print("\n2. The fast ways: no gate, no TSS, no stack\n");
	ask("SYSENTER", by_sysenter, by_sysenter_end);
#ifdef __x86_64__
	ask("SYSCALL", by_syscall, by_syscall_end);
#endif
	print("\n3. What is not allowed at CPL 3\n");
	try("CLI                 ", try_cli, try_cli_end);
	try("MOV from CR3        ", try_cr3, try_cr3_end);
	try("OUT                 ", try_out, try_out_end);
	try("read kernel memory  ", try_read, try_read_end);
	try("jump into the kernel", try_call, try_call_end);
	expect("the faults", faults, 5);
	exit_run(surprises != 0);
}

/* main.c: user mode. Programs run at CPL 3, ask the kernel to square a number
   by each instruction that enters a system, and try what is not allowed. The
   ways of SYSENTER and SYSCALL into the kernel are in lib/fastcall.c. */
#include "fastcall.h"
#include "layout.h"

#ifdef __x86_64__
#define AX "%rax"
#define BX "%rbx"
#define GO_ON "movabs $0x400000000000 + 1f - by_sysenter, %rdx"
#else
#define AX "%eax"
#define BX "%ebx"
#define GO_ON "mov $0x40000000 + 1f - by_sysenter, %edx"
#endif

/* The programs, which run at USER_BASE. Each leaves with an answer in EDI. */
#define PROGRAM(name, code)                                                       \
	extern const char name[], name##_end[];                                   \
	__asm__(#name ": " code "; mov %eax, %edi; mov $0, %eax; int $0x80\n"     \
		#name "_end:")
PROGRAM(by_int, "mov $7, %eax; int $0x80");
PROGRAM(by_sysenter, "mov $7, %eax; mov $0x1234, %ecx; " GO_ON "; sysenter; 1:");
PROGRAM(by_syscall, "mov $7, %eax; syscall");
PROGRAM(try_cli, "cli");
PROGRAM(try_cr3, "mov %cr3, " AX);
PROGRAM(try_out, "out %al, $0xF4");
PROGRAM(try_read, "mov $0x3c1000, " BX "; mov (" BX "), %eax");
PROGRAM(try_jump, "mov $0x3c1000, " BX "; jmp *" BX);

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
	enable_fast_calls(KERNEL_HEAP + PAGE);
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
	try("jump into the kernel", try_jump, try_jump_end);
	expect("the faults", faults, 5);
	exit_run(surprises != 0);
}

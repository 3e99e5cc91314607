/* main.c: a page that is not present below a stack. Without it, a stack that
   overflows writes on into whatever lies below. With it, that is a page fault:
   for a program the chance to give it more stack, for the kernel's own stack a
   double fault, since the fault has no stack to be delivered on. */
#include "layout.h"
#include "lib.h"

#define USER_STACK (USER_BASE + 0x10000) /* its top */
#define USER_PAGES 3			 /* its limit */
#define NEIGHBOUR  (STACK_BOTTOM - PAGE)

static entry *table;
static int grown;

/* dive calls itself to a depth on a stack of its own: one word a call. */
void dive(word stack_top, word depth);
__asm__("dive:\n\t"
#ifdef __x86_64__
	"push %rbp\n\t"
	"mov %rsp, %rbp\n\t"
	"mov %rdi, %rsp\n\t"
	"mov %rsi, %rcx\n\t"
	"call 1f\n\t"
	"mov %rbp, %rsp\n\t"
	"pop %rbp\n\t"
	"ret\n"
#else
	"push %ebp\n\t"
	"mov 8(%esp), %eax\n\t"
	"mov 12(%esp), %ecx\n\t"
	"mov %esp, %ebp\n\t"
	"mov %eax, %esp\n\t"
	"call 1f\n\t"
	"mov %ebp, %esp\n\t"
	"pop %ebp\n\t"
	"ret\n"
#endif
	"1:\tdec %ecx\n\t"
	"jz 2f\n\t"
	"call 1b\n"
	"2:\tret");

/* The program pushes for ever. */
extern const char pusher[], pusher_end[];
__asm__("pusher:\n\t"
#ifdef __x86_64__
	"movabs $0x400000010000, %rsp\n"
#else
	"mov $0x40010000, %esp\n"
#endif
	"1:\tpush $1\n\t"
	"jmp 1b\n"
	"pusher_end:");

static void page_fault(struct trap *t)
{
	word address = read_cr2();

	print("  #PF at " ADDR ", error code %lu: ", address, t->error);
	expect("the error code, a write by user mode", t->error, 6);
	expect("the address", address, USER_STACK - grown * PAGE - sizeof(word));
	if (grown == USER_PAGES) {
		print("the limit. The program is ended.\n");
		leave_user();
	}
	grown++;
	print("page %d of its stack.\n", grown);
	map(table, address, (word)alloc_page(), USER | WRITE);
}

static void tell_program(void)
{
	void *code = alloc_page();

	print("1. A program's stack grows\n");
	print("It may have %d pages below " ADDR ", and pushes for ever.\n", USER_PAGES, USER_STACK);
	copy(code, pusher, pusher_end - pusher);
	map(table, USER_BASE, (word)code, USER);
	run_user(USER_BASE);
	print("The kernel took each fault on a stack of its own: the TSS names it.\n\n");
	expect("the pages", grown, USER_PAGES);
}

static int overwritten(const word *neighbour)
{
	int words = 0;

	for (unsigned i = 0; i < PAGE / sizeof(word); i++)
		words += neighbour[i] != 0;
	return words;
}

static const word fit = PAGE / sizeof(word);

static void tell_no_guard(void)
{
	print("2. The kernel's own stack, no guard\n");
	print("One page at " ADDR " holds %lu return addresses.\n", STACK_BOTTOM, fit);
	dive(STACK_TOP, fit);
	print("%lu calls deep: %d words of the page below are overwritten.\n", fit,
	      overwritten((word *)NEIGHBOUR));
	expect("the words overwritten", overwritten((word *)NEIGHBOUR), 0);
	dive(STACK_TOP, fit + 5);
	print("%lu calls deep: %d words of the page below are overwritten, and nobody noticed.\n\n",
	      fit + 5, overwritten((word *)NEIGHBOUR));
	expect("the words overwritten", overwritten((word *)NEIGHBOUR), 5);
}

static void __attribute__((noreturn)) double_fault(void)
{
	print("  #DF: a kernel stack has overflowed. Stack pointer " ADDR ", CR2 " ADDR ".\n",
	      double_fault_stack_pointer(), read_cr2());
	expect("the stack pointer", double_fault_stack_pointer(), STACK_BOTTOM);
	expect("CR2", read_cr2(), STACK_BOTTOM - sizeof(word));
	print("The call could not push: #PF. The #PF could not push: #DF, which has a stack of its own:\n%s.\n",
	      IN_64("entry 1 of the interrupt stack table", "that of the task behind a task gate"));
	exit_run(surprises != 0);
}

void kernel_main(void)
{
	console_init();
	segments_init();
	table = identity_table();
	paging_on(table);
	set_kernel_stack(KERNEL_HEAP + PAGE);
	set_double_fault_handler(double_fault, (word)table);
	on_trap(VECTOR_PF, page_fault);

	print("stack-guard-%d: what lies below a stack\n\n", (int)sizeof(word) * 8);
	tell_program();
	tell_no_guard();
	print("3. The same with a guard: the page below is not present\n");
	unmap(table, NEIGHBOUR);
	print("%lu calls deep.\n", fit + 5);
	dive(STACK_TOP, fit + 5);
	print("SURPRISE: nothing happened.\n");
	exit_run(1);
}

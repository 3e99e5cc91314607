/* main.c: whose page table a kernel thread runs on.

   A kernel thread has no user memory, so it needs no page table of its own. It
   may run on the master. Or it may keep the table that is loaded, that of the
   process that ran last, and save the cost of changing CR3: Linux does so. The
   page-fault handler is in the master and in the table of one process. */
#include "process.h"

#ifdef __x86_64__
#define SP "rsp"
#else
#define SP "esp"
#endif

static struct process a, b;

static volatile int *const heap = (volatile int *)KERNEL_HEAP;

enum { frame = IN_64(48, 16), fit = PAGE / frame }; /* from the kernel: no change of stack */

static void nothing(void)
{
}

/* write_as_thread writes to a page that is promised and not there, on the
   thread's stack and the page table given. (run has gone back to the master;
   a kernel that borrows would not have loaded CR3 at all.) */
static void write_as_thread(entry *table)
{
	word stack = STACK_TOP;

	unmap(master, KERNEL_HEAP);
	write_cr3((word)table);
	__asm__ volatile(
		"xchg %[stack], %%" SP "\n\t"
		".globl thread_store\n"
		"thread_store:\n\t"
		"movl $1234, (%[heap])\n\t"
		"xchg %[stack], %%" SP
		: [stack] "+r"(stack) : [heap] "r"(heap) : "memory");
	write_cr3((word)master);
}

static void tell_survival(int number, const char *whose, entry *table)
{
	print("%d. On %s\n", number, whose);
	write_as_thread(table);
	print("  The module counts fault %d; the kernel brings the page; it reads %d.\n\n",
	      module_faults(), *heap);
	expect("the module's count", module_faults(), number);
	expect("what was written", *heap, 1234);
}

/* double_fault is the last chapter. */
static void __attribute__((noreturn)) double_fault(void)
{
	extern const char thread_store[];
	const word bottom = double_fault_stack_pointer();
	const word *own = (const word *)(STACK_TOP - frame); /* error code, instruction, CS */
	const unsigned frames = (STACK_TOP - bottom) / frame;

	print("  Double fault. The thread's stack, one page, holds %d frames of %d bytes.\n",
	      (int)frames, frame);
	print("  The first is the thread's: error code 0x%lx, a write by the kernel, at CPL %d.\n",
	      own[0], (int)(own[2] & 3));
	print("  The others are those of the handler that is missing, at " ADDR ".\n"
	      "The module still counts %d faults. It is the same thread, and the same fault.\n\n",
	      own[1 - frame / (int)sizeof(word)], module_faults());
	expect("the number of frames", frames, fit);
	expect("CR2", read_cr2(), STACK_BOTTOM - sizeof(word));
	expect("the first frame's error code", own[0], 2);
	expect("the first frame's instruction", own[1], (word)thread_store);
	expect("the second frame's instruction", own[1 - frame / (int)sizeof(word)], MODULE_BASE);
	expect("the module's count", module_faults(), 2);
	if (surprises == 0)
		print("As predicted: 2 faults handled, and a double fault after the third and %d of the\n"
		      "handler's.\n", fit - 1);
	exit_run(surprises != 0);
}

void kernel_main(void)
{
	console_init();
	processes_init(double_fault);

	print("kernel-thread-%d: a kernel thread's page fault, on three page tables\n\n",
	      (int)sizeof(word) * 8);
	make_process(&a, "A", master);
	make_process(&b, "B", master);
	load_module();
	b.table[top_index(MODULE_BASE)] = master[top_index(MODULE_BASE)];
	take_over();
	print("A page-fault handler is mapped at " ADDR ", in the master and in process B's\n"
	      "table. A kernel thread writes to a page that it was promised, at " ADDR ".\n\n",
	      MODULE_BASE, KERNEL_HEAP);
	tell_survival(1, "the master", master);
	in_kernel(&b, nothing);
	tell_survival(2, "a borrowed table: process B ran last", b.table);
	in_kernel(&a, nothing);
	tell_survival(3, "a borrowed table: process A ran last", a.table);
	print("SURPRISE: the thread has survived.\n");
	exit_run(1);
}

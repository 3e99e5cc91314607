/* main.c: the unmapped page-fault handler.

   Every process has a page table, made from the kernel's own, the master. What
   the kernel maps later is in the master alone. That is harmless as long as
   the page-fault handler is in every table: it copies what is missing. This
   kernel loads a module that takes over the page-fault vector with code that
   is in the master only, and shows what becomes of one ordinary page fault. */
#include "process.h"

static struct process a, b, c;

/* What the CPU pushes for a page fault. sp and ss are missing in 32 bits when
   the fault came from the kernel itself. */
struct frame {
	word error, ip, cs, flags, sp, ss;
};

static int from_user(const struct frame *f)
{
	return (f->cs & 3) == 3;
}

static unsigned frame_size(int user)
{
	return (user || IN_64(1, 0) ? 6 : 4) * sizeof(word);
}

/* ---- the story ---- */

static void tell_copies(void)
{
	print("1. One master table, three copies\n");
	print("The master (the swapper's page table) maps the kernel: %s %d.\n",
	      TOP_ENTRY, top_index(0));
	make_process(&a, "A", master);
	make_process(&b, "B", master);
	make_process(&c, "C", master);
	print("Processes A, B and C start with a copy of its entries; each adds its own\n"
	      "%s %d, for user memory at " ADDR ".\n\n",
	      TOP_ENTRY, top_index(USER_BASE), USER_BASE);
}

/* What the kernel does on the process's behalf. */
static void drive(void)
{
	int before = faults, count = call_driver();

	print("  the driver counts call %d; page faults on the way: %d\n", count, faults - before);
}

static void use(struct process *p, int copies)
{
	int before = copied;

	print("Process %s calls the driver.\n", p->name);
	in_kernel(p, drive);
	expect("the number of entries copied", copied - before, copies);
}

static void tell_lazy_sync(void)
{
	print("2. A driver is loaded, and found \"as if by magic\"\n");
	load_driver();
	print("Its page is mapped at " ADDR ", in the master only.\n", DRIVER_BASE);
	use(&a, 1);
	use(&a, 0);
	use(&b, 1);
	print("Process C has not called it, and still has nothing there.\n\n");
	expect("process C's entry", c.table[top_index(DRIVER_BASE)], 0);
}

static void tell_module(void)
{
	print("3. A module takes over the page-fault vector\n");
	load_module();
	take_over();
	print("Its handler is mapped at " ADDR ", in the master only: %s %d.\n"
	      "It counts the fault and jumps to the kernel's handler. Nothing is wrong with it.\n\n",
	      MODULE_BASE, TOP_ENTRY, top_index(MODULE_BASE));
}

static void tell_kernel_thread(void)
{
	volatile int *heap = (volatile int *)KERNEL_HEAP;

	print("4. A page fault in a kernel thread, on the master table\n");
	print("It writes to a page that it was promised, at " ADDR ".\n", KERNEL_HEAP);
	*heap = 1234;
	print("  The module counts %d fault; the kernel brings the page; it reads %d.\n\n",
	      module_faults(), *heap);
	expect("the module's count", module_faults(), 1);
	expect("what was written", *heap, 1234);
}

enum { first = IN_64(48, 24), nested = IN_64(48, 16) }; /* bytes of a frame */

static void tell_prediction(void)
{
	print("5. The same page fault in process A, on its own table\n");
	print("Its kernel stack is one page, " ADDR " to " ADDR ".\n"
	      "The page under it is a guard: not present.\n",
	      STACK_BOTTOM, STACK_TOP - 1);
	print("To deliver the fault, the CPU pushes %d bytes and jumps to the handler. The jump\n"
	      "succeeds; the next fetch faults. That is a new #PF, not a double fault: %d bytes\n"
	      "more, and again, while (%d - %d) / %d = %d frames fit. The push after that ends it.\n",
	      first, nested, (int)PAGE, first, nested, (int)(PAGE - first) / nested);
	print("Process A writes to a page that it was promised, at " ADDR ".\n\n", USER_HEAP);
}

static void print_frame(unsigned number, const struct frame *f)
{
	print("  frame %3d at " ADDR ": CPL %d, %s " ADDR ", error 0x%02lx\n", (int)number,
	      (word)f, (int)(f->cs & 3), IN_64("RIP", "EIP"), f->ip, f->error);
}

/* double_fault is the last chapter. The code and stack that it runs on are
   good in every table. */
static void __attribute__((noreturn)) double_fault(void)
{
	static const struct frame *frame[PAGE / nested]; /* the latest first */
	const unsigned fit = (PAGE - first) / nested, left = (PAGE - first) % nested;
	const word bottom = double_fault_stack_pointer(), cr2 = read_cr2();
	const word store = USER_BASE + (word)(touch_heap_store - touch_heap);
	unsigned frames = 0;

	if (bottom < STACK_BOTTOM || bottom > STACK_TOP - 3 * first) {
		print("SURPRISE: a double fault with the stack pointer at " ADDR ".\n", bottom);
		exit_run(1);
	}
	for (word p = bottom; p < STACK_TOP; p += frame_size(from_user(frame[frames - 1])))
		frame[frames++] = (const struct frame *)p;

	print("6. Double fault, taken %s\n", IN_64("on a stack of its own: IST 1",
						   "by a task of its own, through a task gate"));
	print("Kernel panic: double fault in process A, %s " ADDR ", CR2 " ADDR ".\n",
	      IN_64("RSP", "ESP"), bottom, cr2);
	print("What the page faults left on the kernel stack:\n");
	print_frame(1, frame[frames - 1]);
	print_frame(2, frame[frames - 2]);
	print_frame(3, frame[frames - 3]);
	print("  ...\n");
	print_frame(frames, frame[0]);
	print("Frame 1 is the process's: a write (2) by user mode (4). The others are the handler's:\n"
	      "its first instruction, not fetched%s. %d frames; the stack pointer is " ADDR ".\n",
	      IN_64(" (0x10)", ""), (int)frames, bottom);
	print("%d bytes are left. The next frame takes %d: its push met the guard page, CR2 " ADDR ".\n"
	      "A page fault while a page fault is being delivered is a double fault.\n",
	      (int)(bottom - STACK_BOTTOM), (int)nested, cr2);
	print("The module still counts %d fault: in process A not one instruction of it ran.\n\n",
	      module_faults());

	expect("the number of frames", frames, fit + 1);
	expect("the stack pointer", bottom, STACK_BOTTOM + left);
	expect("CR2", cr2, STACK_BOTTOM - sizeof(word));
	expect("the module's count", module_faults(), 1);
	expect("the first frame's error code", frame[frames - 1]->error, 6);
	expect("the first frame's instruction", frame[frames - 1]->ip, store);
	for (unsigned i = 0; i < frames - 1; i++) {
		expect("a nested frame's error code", frame[i]->error, IN_64(0x10, 0));
		expect("a nested frame's instruction", frame[i]->ip, MODULE_BASE);
	}
	if (surprises == 0)
		print("As predicted: 1 page fault of the process, %d of the handler delivered and one\n"
		      "more not, 1 double fault.\n", (int)fit);
	exit_run(surprises != 0);
}

void kernel_main(void)
{
	console_init();
	processes_init(double_fault);

	print("unmapped-handler-%d: a page-fault handler that not every page table maps\n\n",
	      (int)sizeof(word) * 8);
	tell_copies();
	tell_lazy_sync();
	tell_module();
	tell_kernel_thread();
	tell_prediction();
	write_heap(&a);
	print("SURPRISE: the process has survived.\n");
	exit_run(1);
}

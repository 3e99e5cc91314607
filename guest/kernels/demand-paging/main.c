/* main.c: demand paging. Sixteen pages of heap are promised, and each gets a
   frame of memory when it is first touched. The page-fault handler maps it and
   returns; the CPU runs the same instruction again, which knows of nothing. */
#include "lib.h"

#define HEAP     0x40000000ul
#define PROMISED 16
#define ACCESSED 0x20ul /* set by the CPU at the first access to the page, */
#define DIRTY    0x40ul /* and this at the first write */

static entry *table;
static int faults, frames, refused;

/* write_here is a store that the handler can find, to step over it. */
void write_here(volatile int *address, int value);
extern char write_here_end[];
__asm__("write_here:\n\t"
#ifdef __x86_64__
	"mov %esi, (%rdi)\n"
#else
	"mov 4(%esp), %eax\n\t"
	"mov 8(%esp), %ecx\n\t"
	"mov %ecx, (%eax)\n"
#endif
	"write_here_end:\n\t"
	"ret");

static void page_fault(struct trap *t)
{
	word address = read_cr2();
	word page = (address - HEAP) / PAGE;

	faults++;
	print("  #PF, error code %lu: a %s at " ADDR ". ", t->error, t->error & 2 ? "write" : "read", address);
	if (address < HEAP || page >= PROMISED) {
		print("Promised to nobody: skipped.\n");
		t->ip = (word)write_here_end;
		refused++;
		return;
	}
	print("Page %lu gets a frame.\n", page);
	map(table, address, (word)alloc_page(), WRITE);
	frames++;
}

static volatile int *page(int n)
{
	return (volatile int *)(HEAP + n * PAGE);
}

static void tell_first_touch(void)
{
	int sum = 0;

	print("1. The first touch of a page is a fault\n");
	for (int n = 0; n < PROMISED; n += 5)
		write_here(page(n), 100 + n);
	print("Written: pages 0, 5, 10, 15. Page faults: %d.\n", faults);
	expect("the faults", faults, 4);

	for (int n = 0; n < PROMISED; n += 5)
		sum += *page(n);
	print("Read again: their sum is %d. Page faults: %d.\n\n", sum, faults);
	expect("the sum", sum, 430);
	expect("the faults", faults, 4);
}

static const char *state(entry e)
{
	return !(e & PRESENT) ? "not present" : e & DIRTY ? "accessed, dirty" : e & ACCESSED ? "accessed" : "present";
}

/* What a pager wants to know later, to choose a page to take back: the CPU
   notes it in the entry. */
static void tell_bits(void)
{
	volatile entry *e = entry_of(table, HEAP + 7 * PAGE);
	int value;

	print("2. What the CPU writes into the entry\n");
	print("Page 7: %s.\n", state(*e));
	expect("the entry", *e, 0);
	value = *page(7);
	print("It is read, and holds %d: %s.\n", value, state(*e));
	expect("what it holds", value, 0);
	expect("A and D", *e & (ACCESSED | DIRTY), ACCESSED);
	write_here(page(7), 107);
	print("It is written, without another fault: %s.\n\n", state(*e));
	expect("A and D", *e & (ACCESSED | DIRTY), ACCESSED | DIRTY);
	expect("the faults", faults, 5);
}

static void tell_stray(void)
{
	print("3. A page that nobody promised\n");
	write_here(page(PROMISED), 1);
	print("Promised: %d pages. Backed by memory: %d. Refused: %d.\n", PROMISED, frames, refused);
	expect("the frames", frames, 5);
	expect("what was refused", refused, 1);
}

void kernel_main(void)
{
	console_init();
	segments_init();
	table = identity_table();
	paging_on(table);
	on_trap(VECTOR_PF, page_fault);

	print("demand-paging-%d: memory that comes when it is touched\n\n", (int)sizeof(word) * 8);
	tell_first_touch();
	tell_bits();
	tell_stray();
	exit_run(surprises != 0);
}

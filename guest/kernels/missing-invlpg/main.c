/* main.c: missing-invlpg. What the tables say is not what the CPU does until it
   is told to look again. An entry is cleared, moved, made read-only; each time
   the INVLPG is left out first, and given then. What a CPU does before it is left
   open: it is told, and not expected. What it does after is. */
#include "lib.h"

#define HEAP    0x40029000ul /* shares no slot of a small TLB with the kernel */
#define NOTHING 0xfffffffful /* what a read gives that was not made */

static entry *table;
static int faults;
static word last_error;

/* Loads and stores that the handler can find, to step over them. */
word read_here(volatile uint32_t *address);
void write_here(volatile uint32_t *address, word value);
extern char read_here_end[], write_here_end[];
__asm__(
#ifdef __x86_64__
	"read_here:\n\t"
	"mov (%rdi), %eax\n"
	"read_here_end:\n\t"
	"ret\n"
	"write_here:\n\t"
	"mov %esi, (%rdi)\n"
#else
	"read_here:\n\t"
	"mov 4(%esp), %eax\n\t"
	"mov (%eax), %eax\n"
	"read_here_end:\n\t"
	"ret\n"
	"write_here:\n\t"
	"mov 4(%esp), %eax\n\t"
	"mov 8(%esp), %ecx\n\t"
	"mov %ecx, (%eax)\n"
#endif
	"write_here_end:\n\t"
	"ret");

static void page_fault(struct trap *t)
{
	faults++;
	last_error = t->error;
	print("  #PF, error code %lu: a %s at " ADDR ". Skipped.\n", t->error, t->error & 2 ? "write" : "read", read_cr2());
	if (t->error & 2) {
		t->ip = (word)write_here_end;
	} else {
		t->ip = (word)read_here_end;
		t->ax = NOTHING;
	}
}

/* A page of the heap in a frame of its own. The store sets the entry's A and D:
   where D is clear the next store would walk, and see. */
static volatile uint32_t *new_page(word linear, word value, volatile uint32_t **frame)
{
	volatile uint32_t *page = (volatile uint32_t *)linear;

	*frame = alloc_page();
	map(table, linear, (word)*frame, WRITE);
	write_here(page, value);
	return page;
}

static void tell_cleared(void)
{
	volatile uint32_t *frame, *page = new_page(HEAP, 100, &frame);
	int before;
	word data;

	print("1. An entry is cleared\n");
	print("The page at " ADDR " holds %lu. It is taken back: its entry is 0.\n", (word)page, read_here(page));
	*entry_of(table, HEAP) = 0;
	print("Its frame gets a new owner, who writes 200 there.\n");
	*frame = 200;

	print("Without INVLPG the old address reads %lu, no fault,\n", read_here(page));
	write_here(page, 666);
	data = *frame;
	print("and a write of 666 there makes the new owner's data %lu.\n", data);

	flush(HEAP);
	before = faults;
	print("With INVLPG:\n");
	expect("a read that is not made", read_here(page), NOTHING);
	write_here(page, 777);
	print("The new owner's data is %lu still. Page faults: %d.\n\n", (word)*frame, faults);
	expect("the new owner's data", *frame, data);
	expect("the faults", faults - before, 2);
}

static void tell_moved(void)
{
	volatile uint32_t *old, *page = new_page(HEAP + PAGE, 300, &old), *frame = alloc_page();

	print("2. A page moves to another frame\n");
	*frame = *old;
	*entry_of(table, HEAP + PAGE) = (word)frame | PRESENT | WRITE;
	print("The page at " ADDR " holds %lu, in both frames; the entry has the second one.\n", (word)page, read_here(page));

	write_here(page, 301);
	print("Without INVLPG a write of 301 leaves %lu in the second one, and %lu in the first.\n", (word)*frame, (word)*old);

	flush(HEAP + PAGE);
	print("With INVLPG the page holds %lu: the write is lost.\n\n", read_here(page));
	expect("the page", read_here(page), *frame);
}

static void tell_read_only(void)
{
	volatile uint32_t *frame, *page = new_page(HEAP + 2 * PAGE, 400, &frame);
	volatile entry *e = entry_of(table, HEAP + 2 * PAGE);
	int before;
	word data;

	print("3. A page is made read-only, as fork does to share it\n");
	*e &= ~WRITE;
	print("The page at " ADDR " holds %lu, for parent and child.\n", (word)page, read_here(page));

	write_here(page, 401);
	data = *frame;
	print("Without INVLPG a write of the parent's is made, no fault: the child reads %lu.\n", data);

	flush(HEAP + 2 * PAGE);
	before = faults;
	print("With INVLPG:\n");
	write_here(page, 402);
	print("Here the page would be copied. The child reads %lu. Page faults: %d.\n\n", (word)*frame, faults);
	expect("what the child reads", *frame, data);
	expect("the faults", faults - before, 1);
	expect("present, and a write", last_error, 3);
}

static void tell_harmless(void)
{
	volatile uint32_t *frame, *page = new_page(HEAP + 3 * PAGE, 500, &frame);
	volatile entry *e = entry_of(table, HEAP + 3 * PAGE);
	int before = faults;

	print("4. What needs no flush\n");
	print("A page that is not used any more: its entry is cleared, nobody goes there.\n");
	print("A page that gets rights: it was read-only, is writable, and a write ");
	*e &= ~WRITE;
	flush(HEAP + 3 * PAGE);
	(void)read_here(page);
	*e |= WRITE;
	flush(HEAP + 3 * PAGE); /* else the CPU may fault once, or not: the manual leaves it open */
	write_here(page, 501);
	print("is made: %lu.\n", (word)*frame);
	expect("the write", *frame, 501);
	expect("the faults", faults - before, 0);
	*e = 0;
}

void kernel_main(void)
{
	console_init();
	segments_init();
	table = identity_table();
	paging_on(table);
	on_trap(VECTOR_PF, page_fault);

	print("missing-invlpg-%d: entries change, and the CPU goes by the old ones\n\n", (int)sizeof(word) * 8);
	tell_cleared();
	tell_moved();
	tell_read_only();
	tell_harmless();
	exit_run(surprises != 0);
}

/* main.c: page tables under the stack.

   The unmapped page-fault handler again, on a kernel stack without a guard
   page. What lies under this stack is the process's own page table: the one
   that maps its user memory. The frames run into it, and each word of a frame
   becomes an entry. The guard page comes a page later, so there is still
   somebody to tell of it. */
#include "process.h"

static struct process a;

static entry *const table = (entry *)(STACK_BOTTOM - PAGE); /* A's, under the stack */

#define GUARD (STACK_BOTTOM - 2 * PAGE)

/* The stack begins a little lower, so that the last frame ends with the page. */
enum {
	first = IN_64(48, 24),
	nested = IN_64(48, 16),
	unused = (2 * PAGE - first) % nested,
	fit = (2 * PAGE - unused - first) / nested,
	words = nested / sizeof(word),
};

static const char *const part[] = {
	"error code", IN_64("RIP", "EIP"), "CS", IN_64("RFLAGS", "EFLAGS"), "RSP", "SS",
};

enum { CODE = 0, HEAP = 1, LAST = ENTRIES - 1 };

/* move_table puts the process's page table under the stack and fills it: the
   program, a page that is promised, and pages of data. */
static void move_table(void)
{
	entry *e = &a.table[top_index(USER_BASE)];

	for (int level = LEVELS; level > 2; level--)
		e = (entry *)(*e & ~(PAGE - 1)); /* entry 0 of each level between */
	*e = (word)table | PRESENT | WRITE | USER;
	for (unsigned i = 0; i < ENTRIES; i++)
		table[i] = 0;
	table[CODE] = (word)a.code | PRESENT | USER;
	for (unsigned i = 2; i < 6; i++)
		table[i] = (word)alloc_page() | PRESENT | WRITE | USER;
	table[LAST] = (word)alloc_page() | PRESENT | WRITE | USER;
}

static int present(void)
{
	int n = 0;

	for (unsigned i = 0; i < ENTRIES; i++)
		n += table[i] & PRESENT;
	return n;
}

/* double_fault ends the process, where a kernel would panic. */
static int double_faults;

static void double_fault(void)
{
	double_faults++;
	expect("the stack pointer", double_fault_stack_pointer(), STACK_BOTTOM - PAGE);
	expect("CR2", read_cr2(), STACK_BOTTOM - PAGE - sizeof(word));
	leave_double_fault();
}

/* overrun lets a program have its page fault and shows what it left. The flags
   are told without RF, which stands in the frame of a fault. */
static void overrun(const char *program, const char *end)
{
	word before[6];
	int pages, dead = double_faults;

	move_table();
	pages = present();
	copy(before, table, sizeof before);
	run(&a, program, end);
	print("  Double fault: %d frames, two pages of them. What they left of the table:\n"
	      "  entry  was      is now\n", fit + 1);
	for (unsigned i = 0; i < 6; i++) {
		word e = table[i] & ~0x10000ul;

		print("  %5d  %s  %s, " ADDR ": %spresent\n", (int)i,
		      before[i] & PRESENT ? "present" : "missing", part[i % words],
		      e, e & PRESENT ? "" : "not ");
	}
	print("  Present before: %d entries. Now: %d of %d.\n", pages, present(), (int)ENTRIES);
	expect("the double faults", double_faults - dead, 1);
}

static void tell_prediction(void)
{
	print("1. The stack and what is under it\n");
	load_module();
	take_over();
	print("The kernel stack: the page at " ADDR ". Under it, at " ADDR ", lies the\n"
	      "page table that maps process A's memory from " ADDR " on: %d entries.\n"
	      "The guard is the page under that.\n",
	      STACK_BOTTOM, (word)table, USER_BASE, (int)ENTRIES);
	print("The page-fault handler is in the master only. A's page fault takes %d bytes of\n"
	      "stack, each of the handler's %d: (%d - %d) / %d = %d of these down to the guard.\n\n",
	      first, nested, (int)(2 * PAGE) - unused, first, nested, fit);
}

static void tell_lost(void)
{
	print("2. A's page fault\n");
	overrun(touch_heap, touch_heap_end);
	print("Every word of a frame has become an entry, and every one of them says \"not\n"
	      "present\": bit 0 is clear. The process has lost its memory, its program included.\n\n");
	expect("the present entries", present(), 0);
}

static void tell_found(void)
{
	extern const char with_carry[], with_carry_end[], write_page_3[], write_page_3_end[];
	const unsigned flags = ENTRIES / words + (ENTRIES % words > 3);
	int *victim;

	print("3. The same with the carry flag set\n");
	overrun(with_carry, with_carry_end);
	print("Bit 0 of the flags is CF. As an entry, 0x47 reads: present, writable, for user\n"
	      "mode (PF), dirty (ZF). The page that it leads to was never given to A.\n");
	expect("the present entries", present(), flags);
	expect("the flags as an entry", table[3] & 0xfff, 0x47);

	victim = (int *)(table[3] & ~(PAGE - 1));
	*victim = 0;
	table[CODE] = (word)a.code | PRESENT | USER;
	print("The kernel brings A's program back, as if it had been swapped out. It writes 5678\n"
	      "to " ADDR ", entry 3.\n", USER_BASE + 3 * PAGE);
	run(&a, write_page_3, write_page_3_end);
	print("  No fault. That physical page, the kernel's, now holds %d.\n\n", *victim);
	expect("what was written", *victim, 5678);
}

void kernel_main(void)
{
	console_init();
	processes_init(double_fault);
	map(master, (word)table, (word)table, WRITE);
	unmap(master, GUARD);
	set_kernel_stack(STACK_TOP - unused);

	print("stack-over-tables-%d: the frames of nested page faults as page-table entries\n\n",
	      (int)sizeof(word) * 8);
	make_process(&a, "A", master);
	tell_prediction();
	tell_lost();
	tell_found();
	if (surprises == 0)
		print("As predicted: the table is gone in both runs, and what replaces it is decided by the\n"
		      "flags of the program that was interrupted.\n");
	exit_run(surprises != 0);
}

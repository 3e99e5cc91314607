/* main.c: the kernel. It prints a line, takes a page fault, and ends. Put what
   you want to see in its place; lib/lib.h says what there is to build on. */
#include "lib.h"

#define HEAP 0x40000000ul /* mapped by nobody until it is touched */

static entry *table;

/* page_fault gives the heap a page. The instruction then runs again. */
static void page_fault(struct trap *t)
{
	word address = read_cr2();

	print("page fault at " ADDR ", error code %lu\n", address, t->error);
	if (address < HEAP || address >= HEAP + PAGE)
		exit_run(1);
	map(table, address, (word)alloc_page(), WRITE);
}

void kernel_main(void)
{
	console_init();
	segments_init();
	on_trap(VECTOR_PF, page_fault);
	table = identity_table();
	paging_on(table);

	print("Hello from %d bits.\n", (int)sizeof(word) * 8);
	*(volatile int *)HEAP = 42;
	print("The heap holds %d.\n", *(volatile int *)HEAP);
	exit_run(0);
}

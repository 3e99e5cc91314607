/* main.c: the top-level page table under the stack. What takes the double fault
   is mapped through one of its entries. */
#include "doomed.h"

static entry *const table = (entry *)(STACK_BOTTOM - PAGE); /* A's, under the stack */

/* move_table puts process A's top-level table in the place of the guard page,
   and the guard one page lower. */
static void move_table(void)
{
	map(master, (word)table, (word)table, WRITE);
	unmap(master, (word)table - PAGE);
	copy(table, victim.table, PAGE);
	victim.table = table;
}

/* move_rescue maps what the double fault needs where a kernel has its own
   allocations: in 32 bits the TSS of its task, in 64 bits its stack, IST 1. It
   is in the master and in A's table. */
static void move_rescue(void)
{
#ifdef __x86_64__
	word top = DRIVER_BASE + PAGE;

	map(master, DRIVER_BASE, (word)alloc_page(), WRITE);
	copy(tss_field(MAIN_TSS, 36), &top, sizeof top);
#else
	word tss = (word)tss_field(DF_TSS, 0), page = tss & ~(PAGE - 1), to = DRIVER_BASE + tss - page;
	uint64_t *d = &gdt_entries()[DF_TSS / 8];

	map(master, DRIVER_BASE, page, WRITE);
	map(master, DRIVER_BASE + PAGE, page + PAGE, WRITE);
	*d = (*d & 0x00FFFF000000FFFFull) | (uint64_t)(to & 0xFFFFFF) << 16 | (uint64_t)(to >> 24) << 56;
#endif
	table[top_index(DRIVER_BASE)] = master[top_index(DRIVER_BASE)];
}

void kernel_main(void)
{
	set_scene("stack-over-top", "the top-level page table under the stack");

	move_table();
	move_rescue();
	print("That was with a guard page. Now the page under the stack, " ADDR ", is\n"
	      "process A's top-level table, and the guard is a page further down. The double fault\n"
	      "is prepared: %s is mapped at " ADDR ", and A's table has\n"
	      "the entry, %s %d. But %d frames more overwrite the table from its last\n"
	      "entry, %d, down. Where that entry was will be the CS of a frame: not present.\n"
	      "So when the guard is met, the double fault cannot be delivered: shutdown.\n\n",
	      (word)table, IN_64("its stack, IST 1,", "the TSS of its task"), DRIVER_BASE, TOP_ENTRY,
	      top_index(DRIVER_BASE), (int)(2 * PAGE - first) / nested - fit, (int)ENTRIES - 1);
	begin();
}

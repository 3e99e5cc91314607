/* paging.c: two-level tables in 32 bits, four-level tables in 64. One routine
   does both, since the levels differ in number and width only. All page tables
   lie below KERNEL_END, which every table maps to itself: a physical address
   of a table is a pointer to it. */
#include "lib.h"

#define INDEX_BITS IN_64(9, 10)
#define ADDRESS    (~(PAGE - 1))

static word next_page = 0x200000; /* the page pool: 2 MiB to 3.5 MiB */
static const word pool_end = 0x380000;

void *alloc_page(void)
{
	if (next_page == pool_end) {
		print("out of pages\n");
		exit_run(2);
	}
	word *page = (word *)next_page;
	next_page += PAGE;
	for (unsigned i = 0; i < PAGE / sizeof(word); i++)
		page[i] = 0;
	return page;
}

/* index_at is the place of an address in the table of a level, 1 the lowest. */
static unsigned index_at(int level, word linear)
{
	return linear >> (12 + (level - 1) * INDEX_BITS) & (ENTRIES - 1);
}

unsigned top_index(word linear)
{
	return index_at(LEVELS, linear);
}

/* The upper levels allow everything: the lowest one decides. */
entry *entry_of(entry *table, word linear)
{
	for (int level = LEVELS; level > 1; level--) {
		entry *e = &table[index_at(level, linear)];
		if (!(*e & PRESENT))
			*e = (word)alloc_page() | PRESENT | WRITE | USER;
		table = (entry *)(*e & ADDRESS);
	}
	return &table[index_at(1, linear)];
}

void map(entry *top, word linear, word physical, word flags)
{
	*entry_of(top, linear) = physical | flags | PRESENT;
}

void unmap(entry *top, word linear)
{
	*entry_of(top, linear) = 0;
	flush(linear);
}

entry *identity_table(void)
{
	entry *top = alloc_page();

	for (word a = 0; a < KERNEL_END; a += PAGE)
		map(top, a, a, WRITE);
	return top;
}

void paging_on(entry *top)
{
	word cr0;

	write_cr3((word)top);
	__asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
	cr0 |= 0x80010000; /* PG, WP */
	__asm__ volatile("mov %0, %%cr0" ::"r"(cr0) : "memory");
}

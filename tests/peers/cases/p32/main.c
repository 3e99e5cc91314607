#include "cases.h"

/* The GDT that the harness starts on: begin() makes the others. */
static void first_segments(void)
{
	struct __attribute__((packed)) { uint16_t limit; uint32_t base; } gdtr = { 0x3ff, GDT };

	*gdt_entry(CODE_0) = segment(0, 0xfffff, 0x9b, 12);
	*gdt_entry(DATA_0) = segment(0, 0xfffff, 0x93, 12);
	__asm__ volatile("lgdt %0\n\t"
			 "ljmp %1, $1f\n"
			 "1:\t"
			 "mov %2, %%ds\n\t"
			 "mov %2, %%es\n\t"
			 "mov %2, %%fs\n\t"
			 "mov %2, %%gs\n\t"
			 "mov %2, %%ss"
			 ::"m"(gdtr), "i"(CODE_0), "r"(DATA_0) : "memory");
}

void kernel_main(void)
{
	console_init();
	first_segments();
	paging_begin();
	gates();
	stacks();
	pairs();
	irets();
	far_transfers();
	matrix();
	tasks();
	pages();
	pae();
	vm86();
	access();
	exit_run(0);
}

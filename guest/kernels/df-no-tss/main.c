/* main.c: the double fault has no TSS. */
#include "doomed.h"

#ifdef __x86_64__
/* End the TSS before IST 1 (bytes 36 to 43), and load TR again to have that
   seen. The stack pointers for CPL 0 to 2 are still there. */
static void damage(void)
{
	uint64_t *d = &gdt_entries()[MAIN_TSS / 8];

	*d = (*d & ~0xFFFFull & ~(2ull << 40)) | 35; /* the limit; not busy */
	__asm__ volatile("ltr %w0" ::"r"(MAIN_TSS) : "memory");
}
#else
/* The descriptor of the task's TSS is not present. */
static void damage(void)
{
	gdt_entries()[DF_TSS / 8] &= ~(0x80ull << 40);
}
#endif

void kernel_main(void)
{
	set_scene("df-no-tss", "a double fault whose TSS is missing");

	damage();
	if (IN_64(1, 0))
		print("The TSS has a limit of 35: it ends before IST 1, which the gate of the double\n"
		      "fault names. The page faults never looked there. To read it is #TS with the\n"
		      "error code 0x%x, the TSS's selector and EXT.\n", MAIN_TSS + 1);
	else
		print("The gate of the double fault is a task gate, and the descriptor of its TSS is\n"
		      "not present. To switch to it is #NP with the error code 0x%x, its selector and\n"
		      "EXT.\n", DF_TSS + 1);
	print("A contributory exception during the delivery of a double fault: shutdown.\n\n");
	begin();
}

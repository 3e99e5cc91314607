/* main.c: the double fault's handler is not mapped either. */
#include "doomed.h"

/* The handler moves to a page that is in the master only, and gets a stack of
   one page. In 32 bits it is a task, which brings its page table along: now
   that of the process. */
static void damage(void)
{
	word stack = SPARE_TOP, handler = DRIVER_BASE;

	load_driver();
#ifdef __x86_64__
	copy(tss_field(MAIN_TSS, 36), &stack, sizeof stack); /* IST 1 */
	gate(VECTOR_DF)[0] = (handler & 0xFFFF) | KERNEL_CODE << 16 | 1ull << 32 |
			     0x8Eull << 40 | (handler >> 16 & 0xFFFF) << 48;
	gate(VECTOR_DF)[1] = handler >> 32;
#else
	copy(tss_field(DF_TSS, 28), &victim.table, sizeof victim.table); /* CR3 */
	copy(tss_field(DF_TSS, 32), &handler, sizeof handler);           /* EIP */
	copy(tss_field(DF_TSS, 56), &stack, sizeof stack);               /* ESP */
#endif
}

void kernel_main(void)
{
	set_scene("df-unmapped", "a double fault whose handler is not mapped");

	damage();
	print("The double fault's handler is at " ADDR ", in the master only, its stack is\n"
	      "the page at " ADDR ". The delivery does not touch the handler's code, so it\n"
	      "succeeds, and the first fetch is a page fault. That one's handler is missing too.\n",
	      DRIVER_BASE, SPARE_BOTTOM);
	if (IN_64(1, 0))
		print("%d frames of page faults fit below the double fault's own. The push after them\n"
		      "is a double fault again, and its stack, IST 1, is begun anew. One #DF, %d #PFs,\n"
		      "one #DF ... for ever: no instruction runs again, and there is no shutdown.\n\n",
		      (int)(PAGE - first) / nested, (int)(PAGE - first) / nested);
	else
		print("%d frames of page faults fit below the error code. The push after them is a\n"
		      "double fault again, but its task is busy: it is the one that is running. That is\n"
		      "#GP with the error code 0x%x during the delivery of a double fault: shutdown.\n\n",
		      (int)(PAGE - 4) / nested, DF_TSS + 1);
	begin();
}

/* main.c: page faults on an interrupt stack. 64 bits only: there is no IST in
   32. */
#include "doomed.h"

void kernel_main(void)
{
	word stack = SPARE_TOP;

	set_scene("pf-ist", "the same page fault, on a stack of the IST");

	copy(tss_field(MAIN_TSS, 44), &stack, sizeof stack); /* IST 2 */
	*gate(VECTOR_PF) |= 2ull << 32;
	print("But now gate 14 names IST 2: the stack of a page fault begins at " ADDR ",\n"
	      "whoever was interrupted. The handler's page fault is delivered there, the next\n"
	      "one too, each frame on top of the last: no stack is used up, no guard page is\n"
	      "met, no double fault comes. The machine hangs, delivering one and the same page\n"
	      "fault for ever.\n\n", SPARE_TOP);
	begin();
}

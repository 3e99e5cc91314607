/* main.c: the double fault has no stack. */
#include "doomed.h"

/* Where the stack of the double fault begins: in 32 bits ESP of its task, in 64
   bits IST 1 of the one TSS there is. Nothing in a 64-bit TSS is aligned. */
static void set_stack(word top)
{
	copy(IN_64(tss_field(MAIN_TSS, 36), tss_field(DF_TSS, 56)), &top, sizeof top);
}

void kernel_main(void)
{
	set_scene("df-no-stack", "a double fault whose stack is not mapped");

	set_stack(STACK_BOTTOM);
	print("The stack of the double fault%s begins at " ADDR " and\n"
	      "grows down: into the same guard page. %s The push of\n"
	      "%s is a page fault, at " ADDR ",\n"
	      "during the delivery of a double fault: shutdown.\n\n",
	      IN_64(", IST 1,", "'s task"), STACK_BOTTOM,
	      IN_64("The gate is good.", "The switch to the task is good."),
	      IN_64("SS, the first word of the frame,", "the error code, the task's first act,"),
	      STACK_BOTTOM - sizeof(word));
	begin();
}

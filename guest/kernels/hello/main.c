/* main.c: hello. The smallest kernel on the shared runtime, and the one to copy.

   lib/boot32.S or lib/boot64.S comes here with a stack and nothing else set up:
   no IDT, so a fault now would be the end. In 64 bits paging is on, since long
   mode needs it. */
#include "lib.h"

void kernel_main(void)
{
	word cr0;

	console_init();
	print("hello-%d: a kernel that prints and ends\n\n", (int)sizeof(word) * 8);

	__asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
	print("Hello from %s mode, paging %s.\n", IN_64("64-bit", "32-bit protected"),
	      cr0 >> 31 ? "on" : "off");
	expect("CR0.PE, protected mode", cr0 & 1, 1);
	expect("CR0.PG, paging", cr0 >> 31, IN_64(1, 0));
	exit_run(surprises != 0);
}

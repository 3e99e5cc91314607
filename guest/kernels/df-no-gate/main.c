/* main.c: the double fault's gate is not present. */
#include "doomed.h"

void kernel_main(void)
{
	set_scene("df-no-gate", "a double fault whose gate is not present");

	*gate(VECTOR_DF) &= ~(0x80ull << 40);
	print("Bit 47 of gate 8 is clear: the gate is not present. To deliver the double fault\n"
	      "is to read it, and that is #NP with the error code 0x%x: entry %d of the IDT (2),\n"
	      "met while another event was being delivered (1). A contributory exception or a\n"
	      "page fault during the delivery of a double fault is a shutdown, also known as\n"
	      "triple fault: the processor stops, and a PC resets it.\n\n", VECTOR_DF * 8 + 3, VECTOR_DF);
	begin();
}

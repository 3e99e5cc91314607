/* doomed.c: a process whose page-fault handler is not in its page table. */
#include "doomed.h"

struct process victim;

static void double_fault(void)
{
	print("SURPRISE: the double fault has been taken.\n");
	exit_run(1);
}

void set_scene(const char *name, const char *title)
{
	console_init();
	processes_init(double_fault);
	unmap(master, SPARE_BOTTOM - PAGE);
	make_process(&victim, "A", master);
	load_module();
	take_over();

	print("%s-%d: %s\n\n", name, (int)sizeof(word) * 8, title);
	print("The page-fault handler is mapped at " ADDR ", in the master only. Process A\n"
	      "has a kernel stack of one page and a guard page under it. Its first page fault\n"
	      "leaves a frame of %d bytes there, and %d of the handler's %d bytes each. The push\n"
	      "after these meets the guard: a double fault.\n\n", MODULE_BASE, first, fit, nested);
}

void *tss_field(int selector, unsigned offset)
{
	uint64_t d = gdt_entries()[selector / 8];

	return (char *)(word)((d >> 16 & 0xFFFFFF) | (d >> 56 << 24)) + offset;
}

uint64_t *gate(int vector)
{
	return idt_entries() + vector * IN_64(2, 1);
}

void begin(void)
{
	print("Process A writes to a page that it was promised. Nothing can be told after this.\n");
	while (!(inb(0x3FD) & 0x40))
		; /* until the last letter has left the UART */
	write_heap(&victim);
	print("SURPRISE: the process has survived.\n");
	exit_run(1);
}

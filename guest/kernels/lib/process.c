/* process.c: processes and the lazy synchronisation of their page tables. */
#include "process.h"

entry *master;
volatile int faults, copied;

static void (*work)(void);
static char *module_page;

void page_fault(struct trap *t)
{
	entry *table = (entry *)read_cr3();
	word address = read_cr2();
	unsigned top = top_index(address);

	faults++;
	if (!(table[top] & PRESENT) && (master[top] & PRESENT)) {
		print("  #PF, CR2 " ADDR ": %s %d is in the master, not here. Copied.\n",
		      address, TOP_ENTRY, top);
		table[top] = master[top];
		copied++;
		return;
	}
	if (address == KERNEL_HEAP || address == USER_HEAP) {
		map(table, address, (word)alloc_page(), WRITE | USER);
		return;
	}
	print("page fault at " ADDR ", error code 0x%lx: nobody's\n", address, t->error);
	exit_run(3);
}

/* A process is in the kernel: it keeps its page table, and what the kernel
   touches on its behalf has to be in it. */
static void system_call(struct trap *t)
{
	if (t->ax == 1) {
		work();
		return;
	}
	leave_user();
}

void processes_init(void (*double_fault)(void))
{
	segments_init();
	master = identity_table();
	unmap(master, STACK_BOTTOM - PAGE);
	unmap(master, KERNEL_HEAP);
	paging_on(master);
	set_kernel_stack(STACK_TOP);
	set_double_fault_handler(double_fault, (word)master);
	on_trap(VECTOR_PF, page_fault);
	on_trap(VECTOR_SYSCALL, system_call);
}

void make_process(struct process *p, const char *name, const entry *from)
{
	p->name = name;
	p->table = alloc_page();
	for (unsigned i = 0; i < ENTRIES; i++)
		if (i != top_index(USER_BASE))
			p->table[i] = from[i];
	p->code = alloc_page();
	map(p->table, USER_BASE, (word)p->code, USER);
}

void run(struct process *p, const char *program, const char *end)
{
	copy(p->code, program, end - program);
	write_cr3((word)p->table);
	run_user(USER_BASE);
	write_cr3((word)master);
}

void in_kernel(struct process *p, void (*what)(void))
{
	work = what;
	run(p, enter_kernel, enter_kernel_end);
}

void write_heap(struct process *p)
{
	run(p, touch_heap, touch_heap_end);
}

char *load(word address, const char *code, const char *end)
{
	char *page = alloc_page();

	copy(page, code, end - code);
	map(master, address, (word)page, WRITE);
	return page;
}

void load_driver(void)
{
	load(DRIVER_BASE, driver, driver_end);
}

int call_driver(void)
{
	return ((int (*)(void))DRIVER_BASE)();
}

void load_module(void)
{
	module_page = load(MODULE_BASE, module, module_end);
	*(word *)(module_page + (module_next - module)) = trap_entry(VECTOR_PF);
}

void take_over(void)
{
	set_gate(VECTOR_PF, MODULE_BASE);
}

int module_faults(void)
{
	return *(int *)(module_page + (module_count - module));
}

void leave_double_fault(void)
{
#ifndef __x86_64__
	/* Out of the #DF task without IRET: make both tasks available again, be
	   the main one, forget that this one was nested (EFLAGS.NT), and have the
	   data segments that user mode may keep. */
	uint64_t *gdt = gdt_entries();

	gdt[MAIN_TSS / 8] &= ~(2ull << 40);
	gdt[DF_TSS / 8] &= ~(2ull << 40);
	__asm__ volatile(
		"ltr %w0\n\t"
		"pushf\n\t"
		"andl $~0x4000, (%%esp)\n\t"
		"popf\n\t"
		"mov %1, %%ds\n\t"
		"mov %1, %%es\n\t"
		"mov %1, %%fs\n\t"
		"mov %1, %%gs"
		::"r"(MAIN_TSS), "r"(USER_DATA) : "memory");
#endif
	leave_user();
}

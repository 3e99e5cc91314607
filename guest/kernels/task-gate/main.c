/* main.c: a task gate. An interrupt through it is a task switch: the CPU saves
   all registers in the TSS of the task that runs, and loads all of them, page
   table and stack too, from another. 64-bit mode has no such thing. */
#include "lib.h"

#define VECTOR 0x40	      /* its gate leads to the task */
#define SHARED 0x40000000ul   /* one address, another page in each table */
#define NT     (1ul << 14)    /* EFLAGS: IRET goes back to the task of the back link */
#define TS     8ul	      /* CR0: a task was switched, the FPU's state is old */
#define BUSY   (2ull << 40)   /* of a TSS's descriptor */

static struct tss task_tss;
static char task_stack[PAGE] __attribute__((aligned(16)));
static int visits, refused;

static word task_register(void)
{
	word selector = 0;
	__asm__("str %w0" : "+r"(selector));
	return selector;
}

static word flags(void)
{
	word value;
	__asm__ volatile("pushf; pop %0" : "=r"(value));
	return value;
}

static word read_cr0(void)
{
	word value;
	__asm__ volatile("mov %%cr0, %0" : "=r"(value));
	return value;
}

static int busy(int selector)
{
	return (gdt_entries()[selector / 8] & BUSY) != 0;
}

static struct tss *tss_of(int selector)
{
	uint64_t d = gdt_entries()[selector / 8];
	return (struct tss *)(word)((d >> 16 & 0xFFFFFF) | d >> 56 << 24);
}

static void tell_visit(const char *stack)
{
	struct tss *interrupted = tss_of(task_tss.back_link);

	visits++;
	print("  the task, visit %d: TR 0x%lx, back link 0x%lx, NT %d; at " ADDR " it reads %d\n",
	      visits, task_register(), (word)task_tss.back_link, (flags() & NT) != 0, SHARED,
	      *(volatile int *)SHARED);
	print("  what it interrupted had EBX 0x%lx and nothing on its stack: its TSS has it all\n",
	      (word)interrupted->ebx);
	expect("TR", task_register(), TASK_TSS);
	expect("the back link", task_tss.back_link, MAIN_TSS);
	expect("NT", flags() & NT, NT);
	expect("what it reads", *(volatile int *)SHARED, 2);
	expect("the interrupted task's EBX", interrupted->ebx, 0x1111);
	expect("both tasks busy", busy(TASK_TSS) + busy(MAIN_TSS), 2);
	expect("its own stack", stack >= task_stack && stack < task_stack + PAGE, 1);
	expect("CR0.TS", read_cr0() & TS, TS);
	__asm__ volatile("clts");
}

/* task begins once, and goes on behind its IRET at every further interrupt:
   where it was and what it had in its registers is in its TSS. */
static void task(void)
{
	for (;;) {
		char here;

		tell_visit(&here);
		if (visits == 2) {
			print("  it raises the interrupt that leads to itself:\n");
			__asm__ volatile("int %0" ::"i"(VECTOR));
		}
		__asm__ volatile("iret" ::: "memory");
	}
}

static void general_protection(struct trap *t)
{
	refused++;
	print("  #GP, error code 0x%lx: the TSS is busy, a task does not nest in itself\n", t->error);
	expect("the error code", t->error, TASK_TSS);
	t->ip += 2; /* past the INT */
}

/* switch_tasks raises the interrupt with a value in EBX, and looks whether it
   is there afterwards; nobody saved it by an instruction. */
#define switch_tasks(instruction)                                                       \
	do {                                                                            \
		word value = 0x1111;                                                    \
		__asm__ volatile(instruction : "+b"(value)::"memory");                  \
		print("  back: TR 0x%lx, EBX 0x%lx, NT %d; at " ADDR " we read %d\n",    \
		      task_register(), value, (flags() & NT) != 0, SHARED,              \
		      *(volatile int *)SHARED);                                         \
		expect("TR", task_register(), MAIN_TSS);                                \
		expect("EBX", value, 0x1111);                                           \
		expect("NT", flags() & NT, 0);                                          \
		expect("what we read", *(volatile int *)SHARED, 1);                     \
		expect("the task is available", busy(TASK_TSS), 0);                     \
	} while (0)

static entry *table_with(int number)
{
	entry *table = identity_table();
	int *page = alloc_page();

	*page = number;
	map(table, SHARED, (word)page, WRITE);
	return table;
}

void kernel_main(void)
{
	console_init();
	segments_init();
	on_trap(13, general_protection);
	paging_on(table_with(1));
	task_tss = (struct tss){
		.cr3 = (word)table_with(2), .eip = (word)task, .eflags = 2,
		.esp = (word)task_stack + PAGE, .cs = KERNEL_CODE, .ss = KERNEL_DATA,
		.ds = KERNEL_DATA, .es = KERNEL_DATA, .fs = KERNEL_DATA, .gs = KERNEL_DATA,
	};
	set_tss(TASK_TSS, &task_tss);
	tss_of(MAIN_TSS)->cr3 = read_cr3(); /* the one register that the CPU loads and never saves */
	set_task_gate(VECTOR, TASK_TSS);

	print("task-gate-32: an interrupt that is a task switch\n\n");
	print("1. INT 0x%x, through a task gate\n", VECTOR);
	switch_tasks("int $0x40");
	print("\n2. Again: the task goes on behind its IRET\n");
	switch_tasks("int $0x40");
	print("\n3. A far CALL of the TSS does the same\n");
	switch_tasks("lcall $0x30, $0");
	expect("the visits", visits, 3);
	expect("what was refused", refused, 1);
	exit_run(surprises != 0);
}

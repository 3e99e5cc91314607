/* segments32.c: a flat GDT, a TSS for the kernel stack, a second TSS for the
   task that takes #DF, and the IDT. */
#include "lib.h"

static struct tss main_tss, df_tss;
static char df_stack[4096] __attribute__((aligned(16)));

static uint64_t gdt[] = {
	0,
	0x00CF9A000000FFFF, /* 0x08: kernel code, 4 GiB from 0 */
	0x00CF92000000FFFF, /* 0x10: kernel data */
	0x00CFFA000000FFFF, /* 0x18: user code */
	0x00CFF2000000FFFF, /* 0x20: user data */
	0,                  /* 0x28: the TSS */
	0,                  /* 0x30: the TSS of a kernel's own task */
	0,                  /* 0x38: the TSS of the #DF task */
};

static uint64_t idt[VECTOR_SYSCALL + 1];

void set_tss(int selector, struct tss *t)
{
	uint64_t base = (word)t, limit = sizeof *t - 1;

	t->io_map = sizeof *t;
	gdt[selector / 8] = limit | (base & 0xFFFFFF) << 16 |
			    0x89ull << 40 | /* present, available 32-bit TSS */
			    (base >> 24) << 56;
}

/* access: 0x8E an interrupt gate, 0xEE the same open to user mode, 0x85 a
   task gate. */
static void write_gate(int vector, uint16_t selector, uint32_t offset, uint8_t access)
{
	idt[vector] = (offset & 0xFFFF) | (uint32_t)selector << 16 |
		      (uint64_t)access << 40 | (uint64_t)(offset >> 16) << 48;
}

void set_gate(int vector, word handler)
{
	write_gate(vector, KERNEL_CODE, handler, 0x8E);
}

void set_user_gate(int vector, word handler)
{
	write_gate(vector, KERNEL_CODE, handler, 0xEE);
}

void set_task_gate(int vector, int selector)
{
	write_gate(vector, selector, 0, 0x85);
}

void set_kernel_stack(word top)
{
	main_tss.ss0 = KERNEL_DATA;
	main_tss.esp0 = top;
}

void set_double_fault_handler(void (*handler)(void), word page_table)
{
	df_tss.cr3 = page_table;
	df_tss.eip = (word)handler;
	df_tss.eflags = 2;
	df_tss.esp = (word)df_stack + sizeof df_stack;
	df_tss.cs = KERNEL_CODE;
	df_tss.ss = df_tss.ds = df_tss.es = df_tss.fs = df_tss.gs = KERNEL_DATA;
	set_tss(DF_TSS, &df_tss);
	set_task_gate(VECTOR_DF, DF_TSS);
}

/* The task switch saved the state of the task that faulted in its TSS. */
word double_fault_stack_pointer(void)
{
	return main_tss.esp;
}

void segments_init(void)
{
	extern char syscall_stub[];
	struct table_register gdtr = { sizeof gdt - 1, (word)gdt };
	struct table_register idtr = { sizeof idt - 1, (word)idt };

	set_tss(MAIN_TSS, &main_tss);
	for (int v = 0; v < 32; v++)
		set_gate(v, trap_entry(v));
	set_user_gate(VECTOR_SYSCALL, (word)syscall_stub);

	/* DS, ES, FS and GS are the user's flat data segment, in the kernel too: a
	   return to user mode clears those that user mode may not have. */
	__asm__ volatile(
		"lgdt %0\n\t"
		"ljmp %2, $1f\n"
		"1:\t"
		"mov %3, %%ds\n\t"
		"mov %3, %%es\n\t"
		"mov %3, %%fs\n\t"
		"mov %3, %%gs\n\t"
		"mov %4, %%ss\n\t"
		"lidt %1\n\t"
		"ltr %w5"
		::"m"(gdtr), "m"(idtr), "i"(KERNEL_CODE), "r"(USER_DATA),
		  "r"(KERNEL_DATA), "r"(MAIN_TSS)
		: "memory");
}

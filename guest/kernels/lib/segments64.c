/* segments64.c: a GDT, a TSS for the kernel stack and the interrupt stack
   table, and the IDT. */
#include "lib.h"

struct __attribute__((packed)) tss {
	uint32_t reserved0;
	uint64_t rsp0, rsp1, rsp2;
	uint64_t reserved1;
	uint64_t ist1, ist2, ist3, ist4, ist5, ist6, ist7;
	uint64_t reserved2;
	uint16_t reserved3, io_map;
};

static struct tss main_tss;
static char df_stack[4096] __attribute__((aligned(16)));

/* The order is the one that SYSCALL, SYSRET, SYSENTER and SYSEXIT count on. */
static uint64_t gdt[] = {
	0,
	0x00AF9A000000FFFF, /* 0x08: kernel code, 64-bit */
	0x00CF92000000FFFF, /* 0x10: kernel data */
	0x00CFFA000000FFFF, /* 0x18: user code, 32-bit */
	0x00CFF2000000FFFF, /* 0x20: user data */
	0x00AFFA000000FFFF, /* 0x28: user code, 64-bit */
	0x00CFF2000000FFFF, /* 0x30: user data, as SYSEXIT wants it */
	0, 0,               /* 0x38: the TSS; its descriptor takes two places */
};

struct gate {
	uint64_t low, high;
};

static struct gate idt[VECTOR_SYSCALL + 1];

/* access: 0x8E an interrupt gate, 0xEE the same open to user mode. ist: 0 the
   usual stack, 1 to 7 a stack of the TSS, taken whoever was interrupted. */
static void write_gate(int vector, uint64_t handler, uint8_t access, uint8_t ist)
{
	idt[vector].low = (handler & 0xFFFF) | KERNEL_CODE << 16 |
			  (uint64_t)ist << 32 | (uint64_t)access << 40 |
			  (handler >> 16 & 0xFFFF) << 48;
	idt[vector].high = handler >> 32;
}

void set_gate(int vector, word handler)
{
	write_gate(vector, handler, 0x8E, 0);
}

void set_user_gate(int vector, word handler)
{
	write_gate(vector, handler, 0xEE, 0);
}

void set_kernel_stack(word top)
{
	main_tss.rsp0 = top;
}

void set_double_fault_handler(void (*handler)(void), word page_table)
{
	(void)page_table; /* there is no task to bring one along */
	main_tss.ist1 = (word)df_stack + sizeof df_stack;
	write_gate(VECTOR_DF, (word)handler, 0x8E, 1);
}

/* The CPU pushed SS, RSP, RFLAGS, CS, RIP and the error code 0. */
word double_fault_stack_pointer(void)
{
	return ((uint64_t *)(df_stack + sizeof df_stack))[-2];
}

void segments_init(void)
{
	extern char syscall_stub[];
	struct table_register gdtr = { sizeof gdt - 1, (word)gdt };
	struct table_register idtr = { sizeof idt - 1, (word)idt };
	uint64_t base = (word)&main_tss;

	main_tss.io_map = sizeof main_tss;
	gdt[MAIN_TSS / 8] = (sizeof main_tss - 1) | (base & 0xFFFFFF) << 16 |
			    0x89ull << 40 | /* present, available 64-bit TSS */
			    (base >> 24 & 0xFF) << 56;
	gdt[MAIN_TSS / 8 + 1] = base >> 32;
	for (int v = 0; v < 32; v++)
		set_gate(v, trap_entry(v));
	set_user_gate(VECTOR_SYSCALL, (word)syscall_stub);

	/* Code and data selectors are those of the boot GDT: 0x08 and 0x10. */
	__asm__ volatile("lgdt %0; lidt %1; ltr %w2"
			 ::"m"(gdtr), "m"(idtr), "r"(MAIN_TSS)
			 : "memory");
}

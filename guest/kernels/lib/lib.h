/* lib.h: the runtime that the guest kernels share. It is one small kernel's
   worth: a serial console, segments and gates, page tables, traps, user mode
   and a way to end. Interrupts stay off, but for kernels that use irq.h. */
#ifndef LIB_H
#define LIB_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

typedef unsigned long word; /* as wide as a register: 32 or 64 bits */

#ifdef __x86_64__
#define IN_64(a, b) (a)
#define ADDR "0x%016lx" /* print a linear address */
#else
#define IN_64(a, b) (b)
#define ADDR "0x%08lx"
#endif

/* ---- console.c: COM1 at 0x3F8, and how a run ends ---- */

void console_init(void);

/* print knows %s %c %d (int), %lu and %lx (word), %% and a width as in %08lx. */
void print(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* exit_run ends the run: the code goes to port 0xF4 (x86emu, QEMU), then
   "Shutdown" to port 0x8900 (Bochs), then the processor halts for good. */
void exit_run(int code) __attribute__((noreturn));

/* expect compares a number of the story with the number it must be, and counts
   and tells a surprise. A kernel ends with exit_run(surprises != 0). */
void expect(const char *what, word found, word predicted);
extern int surprises;

/* ---- ports and control registers ---- */

static inline void outb(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" ::"a"(value), "Nd"(port));
}

static inline uint8_t inb(uint16_t port)
{
	uint8_t value;
	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline word read_cr2(void)
{
	word value;
	__asm__ volatile("mov %%cr2, %0" : "=r"(value));
	return value;
}

static inline word read_cr3(void)
{
	word value;
	__asm__ volatile("mov %%cr3, %0" : "=r"(value));
	return value;
}

static inline void write_cr3(word value)
{
	__asm__ volatile("mov %0, %%cr3" ::"r"(value) : "memory");
}

void copy(void *to, const void *from, size_t bytes);

/* ---- segments32.c, segments64.c: GDT, TSS, IDT ---- */

#define KERNEL_CODE 0x08
#define KERNEL_DATA 0x10
#define USER_CODE   IN_64(0x28 | 3, 0x18 | 3)
#define USER_DATA   (0x20 | 3)
#define MAIN_TSS    IN_64(0x38, 0x28)
#define DF_TSS      0x38 /* 32-bit only: the task that takes #DF */

enum { VECTOR_DB = 1, VECTOR_BP = 3, VECTOR_DF = 8, VECTOR_PF = 14, VECTOR_SYSCALL = 0x80 };

/* segments_init loads a GDT, an IDT whose first 32 vectors and system call
   lead to the trap handlers below, and the task register. */
void segments_init(void);

/* gdt_entries and idt_entries are what GDTR and IDTR point to: 8 bytes a
   descriptor; a gate is 8 bytes in 32 bits and 16 in 64. */
struct __attribute__((packed)) table_register {
	uint16_t limit;
	word base;
};

static inline uint64_t *gdt_entries(void)
{
	struct table_register gdtr;
	__asm__ volatile("sgdt %0" : "=m"(gdtr));
	return (uint64_t *)gdtr.base;
}

static inline uint64_t *idt_entries(void)
{
	struct table_register idtr;
	__asm__ volatile("sidt %0" : "=m"(idtr));
	return (uint64_t *)idtr.base;
}

/* set_gate points a vector at code: an interrupt gate for CPL 0 use. */
void set_gate(int vector, word handler);

/* set_user_gate is the same for a gate that INT n and INT3 of user mode may
   use. */
void set_user_gate(int vector, word handler);

/* set_kernel_stack names the stack that a trap from user mode starts on. */
void set_kernel_stack(word top);

/* set_double_fault_handler gives #DF a stack that is good whatever happened:
   in 32 bits a task gate, so that the CPU brings in a whole new task with the
   page table given; in 64 bits an IST entry (the page table stays). */
void set_double_fault_handler(void (*handler)(void), word page_table);

#ifndef __x86_64__
#define TASK_TSS 0x30 /* for a task of the kernel's own */

/* The parts of a 32-bit TSS in the order of the manual. Selectors take 4
   bytes, of which the upper two are reserved. */
struct tss {
	uint32_t back_link;
	uint32_t esp0, ss0, esp1, ss1, esp2, ss2;
	uint32_t cr3, eip, eflags;
	uint32_t eax, ecx, edx, ebx, esp, ebp, esi, edi;
	uint32_t es, cs, ss, ds, fs, gs;
	uint32_t ldt;
	uint16_t debug_trap, io_map;
};

/* set_tss makes a descriptor of the GDT lead to a TSS that is available, and
   set_task_gate makes a vector lead to a task, for CPL 0 use. */
void set_tss(int selector, struct tss *t);
void set_task_gate(int vector, int selector);
#endif

/* What the fault left: stack pointer at the #DF. */
word double_fault_stack_pointer(void);

/* ---- paging.c ---- */

typedef word entry;

#define PAGE      4096ul
#define PRESENT   1ul
#define WRITE     2ul
#define USER      4ul
#define LEVELS    IN_64(4, 2)
#define ENTRIES   IN_64(512, 1024)
#define TOP_ENTRY IN_64("PML4 entry", "PDE")
#define KERNEL_END 0x400000ul /* mapped one to one, in 4 KiB pages */

/* alloc_page returns a zeroed page of physical memory. */
void *alloc_page(void);

/* map puts one page into a page table, making the levels between. */
void map(entry *top, word linear, word physical, word flags);

/* unmap takes it out again, and out of the TLB. */
void unmap(entry *top, word linear);

/* entry_of is the entry of the lowest level for an address; it makes the levels
   between. Whoever takes rights away flushes the TLB: see flush. */
entry *entry_of(entry *top, word linear);

/* flush takes a page out of the TLB. */
static inline void flush(word linear)
{
	__asm__ volatile("invlpg (%0)" ::"r"(linear) : "memory");
}

/* top_index is the place of an address in the top-level table. */
unsigned top_index(word linear);

/* identity_table makes a page table that maps 0 to KERNEL_END to itself. */
entry *identity_table(void);

/* paging_on loads the table; write protection counts in CPL 0 too. */
void paging_on(entry *top);

/* ---- traps32.S, traps64.S, trap.c ---- */

/* What a trap stub leaves on the stack for C: registers, then the vector,
   then the frame that the CPU pushed (it pushes no error code for some
   vectors: the stub pushes 0 there). In 32 bits sp and ss are there only
   when the trap came from user mode. */
struct trap {
#ifdef __x86_64__
	word r15, r14, r13, r12, r11, r10, r9, r8, di, si, bp, bx, dx, cx, ax;
#else
	word di, si, bp, unused, bx, dx, cx, ax;
#endif
	word vector;
	word error, ip, cs, flags, sp, ss;
};

/* trap_stack is the stack pointer of the code that was interrupted. */
static inline word trap_stack(struct trap *t)
{
	return IN_64(1, 0) || (t->cs & 3) == 3 ? t->sp : (word)&t->sp;
}

typedef void trap_handler(struct trap *t);

/* on_trap says which function takes a vector; without one it ends the run. */
void on_trap(int vector, trap_handler *handler);

/* trap_entry is the address of the stub of a vector below 32. */
word trap_entry(int vector);

/* run_user enters user mode at ip and comes back when a handler calls
   leave_user. */
void run_user(word ip);
void leave_user(void) __attribute__((noreturn));

#endif

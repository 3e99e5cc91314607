/* cases.h: how a case is set up, run and reported. Each case has descriptor
   tables, TSSs, page tables and stacks of its own, rebuilt by begin(). It
   starts at a few bytes of code and ends with the first event that reaches a
   handler: UD2 stands behind the code of every case, so #UD means that all
   went well. What the processor left is one line. */
#ifndef CASES_H
#define CASES_H

#include "lib.h"

/* One page for each thing, so that a case can take it away. The numbers are
   linear and physical addresses. */
enum {
	V86_CODE = 0x10000,
	V86_STACK = 0x11000,
	GDT = 0x300000,
	IDT = 0x301000,
	LDT = 0x302000,
	TSS = 0x303000,   /* the current task's */
	TSS2 = 0x304000,  /* another task's */
	TASKS = 0x305000, /* one for each exception, 128 bytes apart */
	STACK0 = 0x307000, /* under it nothing is mapped */
	STACK1 = 0x309000,
	STACK3 = 0x30b000,
	CODE0 = 0x30d000, /* the case's code, for the kernel */
	CODE3 = 0x30e000, /* the same for the user */
	DATA = 0x310000,
	TASK_STACK = 0x312000,
	STUBS = 0x314000, /* 32 bytes for each vector */
};

/* Selectors. X1 to X4 are each case's own. */
enum {
	CODE_0 = 0x08, DATA_0 = 0x10, CODE_3 = 0x1b, DATA_3 = 0x23,
	TSS_SEL = 0x28, TSS2_SEL = 0x30, LDT_SEL = 0x38,
	CODE_1 = 0x41, DATA_1 = 0x49, CONF_0 = 0x50, CONF_3 = 0x5b,
	X1 = 0x80, X2 = 0x88, X3 = 0x90, X4 = 0x98,
	TASK = 0x100, /* + 8 * vector */
	BEYOND = 0x7f8, /* outside the GDT, whose limit is 0x3ff */
	LDT_CODE_0 = 0x04, LDT_DATA_0 = 0x0c, LDT_X = 0x14, LDT_BEYOND = 0x7c,
};

/* Vectors. */
enum { DE, DB, BP = 3, OF, BR, UD, NM, DF, TS = 10, NP, SS, GP, PF, AC = 17, INTN = 0x40 };

/* Where a case starts. begin() fills it in for CPL 0; user() for CPL 3. */
struct start {
	uint32_t eax, ecx, edx, ebx, esp, ebp, esi, edi;
	uint32_t es, cs, ss, ds, fs, gs;
	uint32_t eip, eflags;
	uint32_t cr0, cr3, cr4;
};
extern struct start start;

/* What a stub found. */
struct record {
	uint32_t eax, ecx, edx, ebx, esp, ebp, esi, edi;
	uint32_t es, cs, ss, ds, fs, gs;
	uint32_t vector, eflags;
	uint32_t cr0, cr2, cr3;
};
extern struct record record;

extern uint32_t gdt_limit, idt_limit, ldt_limit, tss_limit;
extern int tss_type;       /* 9, or 1 for a 16-bit TSS */
extern int efer;           /* 0x800: NXE */
extern int show_rf; /* else RF of a saved EFLAGS is left out */

static inline uint64_t *gdt_entry(int selector)
{
	return (uint64_t *)(selector & 4 ? LDT : GDT) + selector / 8;
}

static inline uint64_t *idt_entry(int vector)
{
	return (uint64_t *)IDT + vector;
}

/* pte is the entry of a page below KERNEL_END; begin() makes it good again. */
uint32_t *pte(uint32_t linear);

uint64_t segment(uint32_t base, uint32_t limit, int access, int flags);
uint64_t gate(int selector, uint32_t offset, int access);
uint32_t stub(int vector);

void paging_begin(void);
void begin(void);
void user(void);              /* start at CPL 3 */
void op(int bytes, ...);      /* code, byte by byte */
void op32(uint32_t value);    /* four bytes more */
void op16(uint32_t value);
void top(uint32_t value);     /* push onto the start's stack */
void by_task(int vector);     /* deliver it to a task with a good stack */
void all_by_task(void);       /* those that a bad stack can raise */
void watch(const char *name, void *entry); /* report a page-table entry */
void write_msr(uint32_t msr, uint32_t value);
void run_quiet(void);
void report(void);
const uint32_t *frame(void);
int has_code(void);                 /* the event has an error code: frame()[0] */
int descriptor_changed(int selector);

/* Run, and print a line that begins with the case's name. */
#define run(...) (run_quiet(), print(__VA_ARGS__), report())

void gates(void);
void stacks(void);
void pairs(void);
void irets(void);
void far_transfers(void);
void matrix(void);
void tasks(void);
void pages(void);
void pae(void);
void vm86(void);
void access(void);

#endif

/* cases.h: the cases of IA-32e mode. As in 32 bits (see ../p32/cases.h), each
   case has tables and stacks of its own, starts at a few bytes of code and
   ends with the first event that reaches a handler; UD2 behind the code means
   that all went well. */
#ifndef CASES_H
#define CASES_H

#include "lib.h"

enum {
	PML4 = 0x200000, PDPT = 0x201000, PD = 0x202000, PT = 0x203000, /* of the case; PT is two pages */
	OWN = 0x205000,                                                  /* of the harness: three pages */
	PDPT1 = 0x208000, PD1 = 0x209000, PT1 = 0x20a000,                /* what paging cases map AT with */
	GDT = 0x300000,
	IDT = 0x301000,
	LDT = 0x302000,
	TSS = 0x303000,
	STACK0 = 0x307000, /* under it nothing is mapped */
	STACK3 = 0x30b000,
	CODE0 = 0x30d000,
	CODE3 = 0x30e000,
	DATA = 0x310000,
	IST1 = 0x312000, /* the stack of #DF */
	IST2 = 0x313000,
	STUBS = 0x314000,
};

#define AT 0x8000000000ul /* PML4 entry 1 */

enum {
	CODE_0 = 0x08, DATA_0 = 0x10, CODE_3 = 0x1b, DATA_3 = 0x23,
	TSS_SEL = 0x28, LDT_SEL = 0x38, COMPAT_3 = 0x4b, COMPAT_0 = 0x50,
	CONF_0 = 0x58, CONF_3 = 0x63, CODE_1 = 0x69, DATA_1 = 0x71,
	X1 = 0x80, X2 = 0x90, X3 = 0xa0, X4 = 0xb0,
	BEYOND = 0x7f8,
	LDT_CODE_0 = 0x04, LDT_DATA_0 = 0x0c, LDT_X = 0x14, LDT_BEYOND = 0x7c,
};

enum { DE, DB, BP = 3, UD = 6, DF = 8, TS = 10, NP, SS, GP, PF, AC = 17, INTN = 0x40 };

struct start {
	word ax, cx, dx, bx, sp, bp, si, di, r8;
	word es, cs, ss, ds, fs, gs;
	word ip, flags;
	word cr0, cr3, cr4;
};
extern struct start start;

struct record {
	word ax, cx, dx, bx, sp, bp, si, di, r8;
	word es, cs, ss, ds, fs, gs;
	word vector, flags;
	word cr2;
};
extern struct record record;

extern word gdt_limit, idt_limit, tss_limit, efer;
extern int show_rf;

static inline uint64_t *gdt_entry(int selector)
{
	return (uint64_t *)(word)(selector & 4 ? LDT : GDT) + selector / 8;
}

static inline uint64_t *idt_entry(int vector)
{
	return (uint64_t *)IDT + 2 * vector;
}

#define TSS_FIELD(offset) (*(uint64_t *)(TSS + (offset)))
#define RSP0 TSS_FIELD(4)
#define RSP1 TSS_FIELD(12)
#define IST(n) TSS_FIELD(28 + 8 * (n))

uint64_t *pte(word linear);
uint64_t segment(uint32_t base, uint32_t limit, int access, int flags);
void set_gate64(int vector, int selector, word offset, int access, int ist);
word stub(int vector);

void paging_begin(void);
void begin(void);
enum { kernel, user64, compat, levels };
extern const char *const level_names[];
void level(int which);
void op(int bytes, ...);
void op32(uint32_t value);
void op16(uint32_t value);
void top(word value);
void by_ist(int vector); /* deliver it on a stack that is good */
void all_by_ist(void);
void watch(const char *name, void *entry);
void run_quiet(void);
void report(void);
const word *frame(void);
int has_code(void);
int descriptor_changed(int selector);

#define run(...) (run_quiet(), print(__VA_ARGS__), report())

void gates(void);
void stacks(void);
void returns(void);
void returns_last(void);
void matrix(void);
void calls(void);
void pages(void);

#endif

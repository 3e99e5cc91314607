/* stacks.c: the stack that an inner handler gets from the TSS.
   [SDM 2, INT n/INTO/INT3/INT1, INTER-PRIVILEGE-LEVEL-INTERRUPT; SDM 3A, Stack Switching] */
#include "cases.h"

#define FRAME 0x00307f00
static const struct {
	const char *name;
	int selector;
	uint32_t esp;
	uint64_t x1;
} inner[] = {
	{ "good", DATA_0, FRAME, 0 },
	{ "null", 0, FRAME, 0 },
	{ "null rpl3", 3, FRAME, 0 },
	{ "beyond", BEYOND, FRAME, 0 },
	{ "rpl1", DATA_0 + 1, FRAME, 0 },
	{ "rpl3", DATA_0 + 3, FRAME, 0 },
	{ "dpl1 rpl0", DATA_1 - 1, FRAME, 0 },
	{ "dpl1 rpl1", DATA_1, FRAME, 0 },
	{ "dpl3 rpl0", DATA_3 - 3, FRAME, 0 },
	{ "dpl3 rpl3", DATA_3, FRAME, 0 },
	{ "code", CODE_0, FRAME, 0 },
	{ "tss", TSS2_SEL, FRAME, 0 },
	{ "read-only", X1, FRAME, 0x00cf91000000ffff },
	{ "absent", X1, FRAME, 0x00cf13000000ffff },
	{ "absent, rpl3", X1 + 3, FRAME, 0x00cf13000000ffff },
	{ "absent, dpl3", X1, FRAME, 0x00cf73000000ffff },
	{ "absent, read-only", X1, FRAME, 0x00cf11000000ffff },
	{ "empty", X2, FRAME, 0 },
	{ "not accessed", X1, FRAME, 0x00cf92000000ffff },
	{ "in ldt", LDT_DATA_0, FRAME, 0 },
	{ "in ldt, code", LDT_CODE_0, FRAME, 0 },
	{ "in ldt, beyond", LDT_BEYOND, FRAME, 0 },
	{ "limit one short", X1, 0x7f00, 0x0040933000007efe },
	{ "limit at esp", X1, 0x7f00, 0x0040933000007eff },
	{ "limit below the frame", X1, 0x7f00, 0x0040933000007000 },
	{ "room for two words", X1, 8, 0x004093307f000fff },
	{ "expand-down, fits", X1, 0x307f14, 0x00409700000ff000 },
	{ "expand-down, fits to the byte", X1, 0x7f18, 0x0040973000007eff },
	{ "expand-down, fits to the byte less 4", X1, 0x7f14, 0x0040973000007eff },
	{ "expand-down, one short", X1, 0x7f13, 0x0040973000007eff },
	{ "expand-down, no room", X1, 0x7f04, 0x0040973000007eff },
	{ "expand-down, 16 bit", X1, 0x7f00, 0x0000973000000fff },
	{ "expand-down, 16 bit, no room", X1, 0x7f00, 0x0000973000007f00 },
	{ "16 bit", X1, 0x55557f00, 0x000093300000ffff },
	{ "16 bit, wraps", X1, 8, 0x000093307800ffff },
	{ "guard page", DATA_0, 0x307000, 0 },
	{ "guard page after two words", DATA_0, 0x307008, 0 },
	{ "guard page after four words", DATA_0, 0x307010, 0 },
	{ "across the guard page", DATA_0, 0x30700a, 0 },
	{ "fits the page", DATA_0, 0x307018, 0 },
	{ "odd", DATA_0, 0x307f03, 0 },
};

static const struct { const char *name; int vector, bytes; uint8_t code[6]; } causes[] = {
	{ "int n", INTN, 2, { 0xcd, INTN } },
	{ "ud2", UD, 2, { 0x0f, 0x0b } },
	{ "hlt", GP, 1, { 0xf4 } },
};

static uint32_t *tss;

static void prepare(int c)
{
	begin();
	user();
	for (int i = 0; i < causes[c].bytes; i++)
		op(1, causes[c].code[i]);
	for (int v = TS; v <= PF; v++)
		if (v != causes[c].vector)
			by_task(v);
	tss = (uint32_t *)TSS;
}

static void descriptors(int c)
{
	for (unsigned i = 0; i < sizeof inner / sizeof *inner; i++) {
		prepare(c);
		*gdt_entry(X1) = inner[i].x1;
		tss[1] = inner[i].esp, tss[2] = inner[i].selector;
		run("stack %s, ss0 %s", causes[c].name, inner[i].name);
	}
}

/* With a TSS too small for SS0 no inner handler and no other task can be
   reached. #TS goes to conforming code, which stays at CPL 3, and from there
   SYSENTER, which needs no TSS, with the stack pointer in ECX. */
static void limits(int c)
{
	static const uint8_t reporter[] = { 0x89, 0xe1, 0x0f, 0x34 };

	for (int limit = 7; limit <= 11; limit++) {
		prepare(c);
		tss_limit = limit;
		write_msr(0x174, CODE_0);
		write_msr(0x175, STACK1 + 0x800);
		write_msr(0x176, stub(0x56));
		copy((void *)(CODE3 + 0x200), reporter, sizeof reporter);
		for (int v = DF; v <= PF; v++)
			if (v != causes[c].vector)
				*idt_entry(v) = gate(CONF_3, CODE3 + 0x200, 0x8e);
		watch("code", (void *)(start.esp - 16));
		run("stack %s, tss limit %d", causes[c].name, limit);
	}
	prepare(c);
	tss_type = 1, tss_limit = 43;
	tss[0] = 0x7f000000, tss[1] = X1;
	*gdt_entry(X1) = 0x000093300000ffff;
	run("stack %s, 16-bit tss", causes[c].name);
}

static void rights(int c)
{
	for (int bits = 0; bits < 8; bits++)
		for (int wp = 0; wp < 2; wp++) {
			prepare(c);
			start.cr0 = 0x80000011 | wp << 16;
			*pte(STACK0) = STACK0 | bits;
			watch("pte", pte(STACK0));
			run("stack %s, page %d, wp %d", causes[c].name, bits, wp);
		}
}

static void to_ring_1(int c)
{
	static const struct { const char *name; int selector; uint32_t esp; } one[] = {
		{ "good", DATA_1, STACK1 + 0xf00 }, { "rpl0", DATA_1 - 1, STACK1 + 0xf00 },
		{ "null", 0, STACK1 + 0xf00 }, { "null rpl1", 1, STACK1 + 0xf00 },
		{ "dpl0 rpl1", DATA_0 + 1, STACK1 + 0xf00 }, { "guard", DATA_1, STACK1 },
	};
	for (unsigned i = 0; i < sizeof one / sizeof *one; i++) {
		prepare(c);
		*pte(STACK1) |= USER;
		*idt_entry(causes[c].vector) = gate(CODE_1, stub(causes[c].vector), 0xee);
		tss[3] = one[i].esp, tss[4] = one[i].selector;
		/* The stub has no right to DR0 at CPL 1: #GP(0) tells from where. */
		run("stack %s, ss1 %s", causes[c].name, one[i].name);
	}
}

/* The same level: no switch, and the frame goes onto what stack there is. */
static void same_level(void)
{
	static const struct { const char *name; int selector; uint32_t esp; uint64_t x1; } same[] = {
		{ "guard page", DATA_0, 0x307000, 0 },
		{ "guard page after one word", DATA_0, 0x307004, 0 },
		{ "expand-down, fits", X1, 0x7f10, 0x0040973000007eff },
		{ "expand-down, one short", X1, 0x7f0b, 0x0040973000007eff },
		{ "limit one short", X1, 0x7f00, 0x0040933000007efe },
		{ "16 bit", X1, 0x55557f00, 0x000093300000ffff },
		{ "16 bit, wraps", X1, 8, 0x000093307800ffff },
		{ "16 bit, odd wrap", X1, 2, 0x000093307800ffff },
		{ "room for one word", X1, 4, 0x0040933070000fff },
	};
	for (unsigned c = 0; c < 3; c++)
		for (unsigned i = 0; i < sizeof same / sizeof *same; i++) {
			begin();
			if (c < 2)
				for (int b = 0; b < causes[c].bytes; b++)
					op(1, causes[c].code[b]);
			else
				op(5, 0xb8, 0xf8, 0x07, 0, 0), op(2, 0x8e, 0xd8);
			for (int v = TS; v <= PF; v++)
				if (c < 2 || v != GP)
					by_task(v);
			*gdt_entry(X1) = same[i].x1;
			start.ss = same[i].selector, start.esp = same[i].esp;
			run("stack %s, same level, %s", c < 2 ? causes[c].name : "mov ds", same[i].name);
		}
}

void stacks(void)
{
	for (int c = 0; c < 3; c++) {
		descriptors(c);
		limits(c);
		rights(c);
		to_ring_1(c);
	}
	same_level();
}

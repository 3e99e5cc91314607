/* gates.c: what the processor checks of a gate and of the code segment that it
   names, for software interrupts and exceptions.
   [SDM 2, INT n/INTO/INT3/INT1; SDM 3A, Exception- and Interrupt-Handler Procedures] */
#include "cases.h"

/* An event: code that raises it. */
static const struct cause {
	const char *name;
	int vector, bytes;
	uint8_t code[12];
} causes[] = {
	{ "int n", INTN, 2, { 0xcd, INTN } },
	{ "int3", BP, 1, { 0xcc } },
	{ "ud2", UD, 2, { 0x0f, 0x0b } },
	{ "div", DE, 4, { 0x31, 0xc9, 0xf7, 0xf1 } },
	{ "mov ds", GP, 6, { 0x66, 0xb8, 0xf8, 0x07, 0x8e, 0xd8 } },
	{ "load", PF, 5, { 0xa1, 0x00, 0x00, 0x50, 0x00 } },
};

static void cause(const struct cause *c, int level)
{
	begin();
	if (level)
		user();
	for (int i = 0; i < c->bytes; i++)
		op(1, c->code[i]);
}

static void types(const struct cause *c, int level)
{
	for (int type = 0; type < 32; type++) {
		cause(c, level);
		*idt_entry(c->vector) = gate(type == 5 ? TSS2_SEL : CODE_0, stub(c->vector), 0xe0 | type);
		run("gate %s cpl%d type %02lx", c->name, level, (word)type);
	}
}

static void bits(const struct cause *c, int level)
{
	for (int access = 0x0e; access < 0x100; access += 0x20) {
		cause(c, level);
		*idt_entry(c->vector) = gate(CODE_0, stub(c->vector), access);
		run("gate %s cpl%d access %02lx", c->name, level, (word)access);
	}
	for (int access = 0x05; access < 0x100; access += 0x60) {
		cause(c, level);
		*idt_entry(c->vector) = gate(TSS2_SEL, 0, access);
		run("gate %s cpl%d task access %02lx", c->name, level, (word)access);
	}
}

static const struct { const char *name; int selector; uint64_t x1; } targets[] = {
	{ "null", 0, 0 },
	{ "null rpl3", 3, 0 },
	{ "beyond", BEYOND, 0 },
	{ "beyond rpl3", BEYOND + 3, 0 },
	{ "data", DATA_0, 0 },
	{ "tss", TSS2_SEL, 0 },
	{ "ldt", LDT_SEL, 0 },
	{ "code dpl3", CODE_3, 0 },
	{ "code dpl1", CODE_1, 0 },
	{ "code dpl0 rpl3", CODE_0 + 3, 0 },
	{ "conforming dpl0", CONF_0, 0 },
	{ "conforming dpl3", CONF_3, 0 },
	{ "in ldt", LDT_CODE_0, 0 },
	{ "in ldt, data", LDT_DATA_0, 0 },
	{ "in ldt, beyond", LDT_BEYOND, 0 },
	{ "absent", X1, 0x00cf1b000000ffff },
	{ "absent data", X1, 0x00cf13000000ffff },
	{ "absent dpl3", X1, 0x00cf7b000000ffff },
	{ "not accessed", X1, 0x00cf98000000ffff },
	{ "empty", X2, 0 },
	{ "limit below", X1, 0x00c09b000000ffff & ~0xffffull },
	{ "limit below, in bytes", X1, 0x00409b000000ffff },
};

static void code_segments(const struct cause *c, int level)
{
	for (unsigned i = 0; i < sizeof targets / sizeof *targets; i++) {
		cause(c, level);
		*gdt_entry(X1) = targets[i].x1;
		*idt_entry(c->vector) = gate(targets[i].selector, stub(c->vector), 0xee);
		run("gate %s cpl%d code %s", c->name, level, targets[i].name);
	}
}

static void table_limits(const struct cause *c, int level)
{
	if (c->vector < GP)
		return; /* the gate of #GP has to lie within */
	for (int end = 6; end <= 7; end++) {
		cause(c, level);
		idt_limit = c->vector * 8 + end;
		run("gate %s cpl%d idt limit +%d", c->name, level, end);
	}
}

/* 16-bit gates ignore the offset's upper half; handlers of theirs live below
   64 KiB. */
static void small_gates(const struct cause *c, int level)
{
	for (int type = 6; type <= 7; type++) {
		cause(c, level);
		*gdt_entry(X1) = segment(STUBS, 0xffff, 0x9b, 4);
		*idt_entry(c->vector) = gate(X1, 32 * c->vector | 0xffff0000, 0xe0 | type);
		run("gate %s cpl%d 16 bit, type %d", c->name, level, type);
	}
}

void gates(void)
{
	for (unsigned i = 0; i < sizeof causes / sizeof *causes; i++)
		for (int level = 0; level <= 3; level += 3) {
			types(&causes[i], level);
			bits(&causes[i], level);
			code_segments(&causes[i], level);
			table_limits(&causes[i], level);
			small_gates(&causes[i], level);
		}
}

/* gates.c: 64-bit gates and the code segments that they name.
   [SDM 2, INT n/INTO/INT3/INT1, IA-32e-MODE; SDM 3A, Exception and Interrupt Handling in 64-bit Mode] */
#include "cases.h"

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
	{ "load", PF, 6, { 0x31, 0xc0, 0x8b, 0x80, 0x00, 0x00 } },
};

static void cause(const struct cause *c, int which)
{
	begin();
	level(which);
	for (int i = 0; i < c->bytes; i++)
		op(1, c->code[i]);
	if (c->vector == PF)
		op16(0x50); /* 500000 */
}

static void types(const struct cause *c, int which)
{
	for (int type = 0; type < 32; type++) {
		cause(c, which);
		set_gate64(c->vector, CODE_0, stub(c->vector), 0xe0 | type, 0);
		run("gate %s %s, type %02lx", c->name, level_names[which], (word)type);
	}
	for (int access = 0x0e; access < 0x100; access += 0x20) {
		cause(c, which);
		set_gate64(c->vector, CODE_0, stub(c->vector), access, 0);
		run("gate %s %s, access %02lx", c->name, level_names[which], (word)access);
	}
}

static void code_segments(const struct cause *c, int which)
{
	static const struct { const char *name; int selector; uint64_t x1; } targets[] = {
		{ "null", 0, 0 }, { "null rpl3", 3, 0 }, { "beyond", BEYOND, 0 }, { "data", DATA_0, 0 }, { "tss", TSS_SEL, 0 },
		{ "code dpl3", CODE_3, 0 }, { "code dpl1", CODE_1, 0 }, { "code dpl0 rpl3", CODE_0 + 3, 0 },
		{ "compat", COMPAT_0, 0 }, { "compat dpl3", COMPAT_3, 0 }, { "l and d", X1, 0x00ef9b000000ffff },
		{ "conforming dpl0", CONF_0, 0 }, { "conforming dpl3", CONF_3, 0 },
		{ "in ldt", LDT_CODE_0, 0 }, { "in ldt, beyond", LDT_BEYOND, 0 },
		{ "absent", X1, 0x00af1b000000ffff }, { "absent, compat", X1, 0x00cf1b000000ffff },
		{ "absent dpl3", X1, 0x00af7b000000ffff }, { "not accessed", X1, 0x00af98000000ffff },
		{ "limit 0", X1, 0x0020990000000000 }, { "base", X1, 0x55af9b555555ffff },
	};
	for (unsigned i = 0; i < sizeof targets / sizeof *targets; i++) {
		cause(c, which);
		*gdt_entry(X1) = targets[i].x1;
		set_gate64(c->vector, targets[i].selector, stub(c->vector), 0xee, 0);
		run("gate %s %s, code %s", c->name, level_names[which], targets[i].name);
	}
}

static void places(const struct cause *c, int which)
{
	static const word offsets[] = { 0x800000000000, 0x7fffffffffff, 0xffff7fffffffffff, 0x1000000314000 };

	for (unsigned i = 0; i < sizeof offsets / sizeof *offsets; i++) {
		cause(c, which);
		by_ist(PF);
		if (c->vector == PF && i == 1)
			continue; /* it would fault for ever */
		set_gate64(c->vector, CODE_0, offsets[i], 0xee, 0);
		run("gate %s %s, offset %lx", c->name, level_names[which], offsets[i]);
	}
	if (c->vector >= GP)
		for (int end = 14; end <= 15; end++) {
			cause(c, which);
			idt_limit = c->vector * 16 + end;
			run("gate %s %s, idt limit +%d", c->name, level_names[which], end);
		}
	for (int ist = 1; ist < 16; ist += ist == 2 ? 5 : ist == 7 ? 3 : 1) {
		cause(c, which);
		set_gate64(c->vector, CODE_0, stub(c->vector), 0xee, ist);
		run("gate %s %s, ist byte %02lx", c->name, level_names[which], (word)ist);
	}
	cause(c, which);
	idt_entry(c->vector)[1] |= 0xffffffff00000000;
	run("gate %s %s, reserved upper half", c->name, level_names[which]);
}

/* Not in canonical form: #GP, for the stack #SS; no walk is made. */
static void canonical(void)
{
	static const word addresses[] = { 0x800000000000, 0x7ffffffffffe, 0xffff7fffffffffff, 0xffff7ffffffffffe, 0x8000000000000000, 0xfffffffffffffffe };
	static const struct { const char *name; int bytes; uint8_t code[8]; } by[] = {
		{ "mov (r8)", 3, { 0x41, 0x8b, 0x00 } }, { "store (r8)", 3, { 0x41, 0x89, 0x00 } },
		{ "mov (rbp)", 3, { 0x8b, 0x45, 0x00 } }, { "push (r8)", 3, { 0x41, 0xff, 0x30 } },
		{ "jmp r8", 3, { 0x41, 0xff, 0xe0 } }, { "call r8", 3, { 0x41, 0xff, 0xd0 } },
		{ "rsp, push", 4, { 0x4c, 0x89, 0xc4, 0x50 } }, { "rsp, pop", 4, { 0x4c, 0x89, 0xc4, 0x58 } },
		{ "rsp, ret", 4, { 0x4c, 0x89, 0xc4, 0xc3 } },
		{ "invlpg (r8)", 4, { 0x41, 0x0f, 0x01, 0x38 } }, { "lgdt (r8)", 4, { 0x41, 0x0f, 0x01, 0x10 } },
	};
	for (unsigned i = 0; i < sizeof by / sizeof *by; i++)
		for (unsigned a = 0; a < sizeof addresses / sizeof *addresses; a++) {
			begin();
			all_by_ist();
			start.r8 = start.bp = addresses[a];
			for (int b = 0; b < by[i].bytes; b++)
				op(1, by[i].code[b]);
			run("canonical %s %lx", by[i].name, addresses[a]);
		}
}

void gates(void)
{
	for (unsigned i = 0; i < sizeof causes / sizeof *causes; i++)
		for (int which = kernel; which < levels; which++) {
			types(&causes[i], which);
			code_segments(&causes[i], which);
			places(&causes[i], which);
		}
	canonical();
}

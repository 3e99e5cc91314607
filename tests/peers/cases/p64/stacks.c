/* stacks.c: RSP0, RSP1 and the interrupt stack table; which second fault comes
   of them. [SDM 3A, Stack Switching in IA-32e Mode; Interrupt Stack Table] */
#include "cases.h"

static const struct { const char *name; int vector, bytes; uint8_t code[6]; } causes[] = {
	{ "int n", INTN, 2, { 0xcd, INTN } },
	{ "ud2", UD, 2, { 0x0f, 0x0b } },
	{ "hlt", GP, 1, { 0xf4 } },
	{ "mov ds", GP, 6, { 0x66, 0xb8, 0xf8, 0x07, 0x8e, 0xd8 } },
};

static void prepare(int c, int which)
{
	begin();
	level(which);
	for (int i = 0; i < causes[c].bytes; i++)
		op(1, causes[c].code[i]);
	for (int v = TS; v <= PF; v++)
		if (v != causes[c].vector)
			by_ist(v);
}

static const struct { const char *name; word rsp; } places[] = {
	{ "good", STACK0 + 0xf00 }, { "odd", STACK0 + 0xf0f }, { "by eight", STACK0 + 0xf08 },
	{ "null", 0 }, { "guard page", STACK0 }, { "guard page after two words", STACK0 + 16 },
	{ "just fits", STACK0 + 48 }, { "guard page after four words", STACK0 + 32 },
	{ "not canonical", 0x800000000010 }, { "not canonical below", 0x8000000000000000 }, { "end of the lower half", 0x800000000000 },
	{ "start of the upper half", 0xffff800000000010 }, { "not canonical, after one word", 0xffff800000000008 },
	{ "unmapped", 0x700000 },
};

static void inner(void)
{
	for (int c = 0; c < 3; c++)
		for (int which = user64; which < levels; which++)
			for (unsigned i = 0; i < sizeof places / sizeof *places; i++) {
				prepare(c, which);
				RSP0 = places[i].rsp;
				run("stack %s %s, rsp0 %s", causes[c].name, level_names[which], places[i].name);
			}
	prepare(0, user64);
	set_gate64(INTN, CODE_1, stub(INTN), 0xee, 0);
	run("stack int n to cpl1");
	prepare(0, user64);
	set_gate64(INTN, CODE_1, stub(INTN), 0xee, 2);
	run("stack int n to cpl1 by ist2");
}

static void ists(void)
{
	for (int c = 0; c < 4; c += 1 + (c == 1))
		for (int which = kernel; which < levels; which++)
			for (unsigned i = 0; i < sizeof places / sizeof *places; i++) {
				prepare(c, which);
				IST(7) = places[i].rsp;
				set_gate64(causes[c].vector, CODE_0, stub(causes[c].vector), 0xee, 7);
				run("stack %s %s, ist7 %s", causes[c].name, level_names[which], places[i].name);
			}
	/* The limit decides which of the pointers there are. */
	for (int end = 43; end <= 92; end += end == 43 ? 7 : end == 50 ? 1 : end == 51 ? 40 : 1) {
		prepare(0, kernel);
		tss_limit = end;
		set_gate64(INTN, CODE_0, stub(INTN), 0xee, 7);
		run("stack int n, ist7, tss limit %d", end);
	}
	for (int end = 10; end <= 11; end++) {
		prepare(0, kernel);
		set_gate64(TS, CODE_0, stub(TS), 0x8e, 0);
		tss_limit = end;
		set_gate64(INTN, CODE_0, stub(INTN), 0xee, 2);
		run("stack int n, ist2, tss limit %d", end);
	}
}

static void same_level(void)
{
	for (int c = 0; c < 4; c += 1 + (c == 1))
		for (unsigned i = 0; i < sizeof places / sizeof *places; i++) {
			prepare(c, kernel);
			start.sp = places[i].rsp;
			run("stack %s, rsp %s", causes[c].name, places[i].name);
		}
	for (int rights = 0; rights < 8; rights++)
		for (int smap = 0; smap < 3; smap++) {
			prepare(0, user64);
			start.cr4 |= smap ? 1 << 21 : 0;
			start.flags |= smap == 2 ? 1 << 18 : 0;
			*pte(STACK0) = STACK0 | rights;
			watch("pte", pte(STACK0));
			run("stack int n cpl3, page %d, smap %d, ac %d", rights, smap > 0, smap == 2);
		}
}

/* Pairs: the gate of the first event, and what its delivery meets. */
static void pairs(void)
{
	static const struct { const char *name; int vector, bytes; uint8_t code[10]; } firsts[] = {
		{ "int n", INTN, 2, { 0xcd, INTN } }, { "#DE", DE, 4, { 0x31, 0xc9, 0xf7, 0xf1 } }, { "#UD", UD, 2, { 0x0f, 0x0b } },
		{ "#NP", NP, 6, { 0x66, 0xb8, X2 + 3, 0x00, 0x8e, 0xd8 } }, { "#SS", SS, 3, { 0x8b, 0x45, 0x00 } },
		{ "#GP", GP, 6, { 0x66, 0xb8, 0xf8, 0x07, 0x8e, 0xd8 } }, { "#PF", PF, 3, { 0x41, 0x8b, 0x00 } },
	};
	static const char *const seconds[] = { "#GP type", "#NP gate", "#GP null code", "#NP code", "#PF table", "#TS ist", "#SS stack", "#PF stack" };

	for (int which = kernel; which <= user64; which++)
		for (unsigned f = 0; f < sizeof firsts / sizeof *firsts; f++)
			for (int how = 0; how < 8; how++) {
				int v = firsts[f].vector;

				begin();
				level(which);
				all_by_ist();
				start.bp = 0x800000000000;
				start.r8 = 0x500000;
				*gdt_entry(X1) = 0x00af1b000000ffff;
				*gdt_entry(X2) = 0x00cf73000000ffff;
				for (int b = 0; b < firsts[f].bytes; b++)
					op(1, firsts[f].code[b]);
				set_gate64(v, how == 2 ? 0 : how == 3 ? X1 : how == 4 ? LDT_CODE_0 : CODE_0, stub(v),
					   how == 0 ? 0xec : how == 1 ? 0x6e : 0xee, how < 5 ? 0 : 7);
				if (how == 4)
					*pte(LDT) = 0;
				if (how == 5)
					tss_limit = 90;
				IST(7) = how == 6 ? 0x800000000000 : STACK0;
				run("pair %s %s, %s", firsts[f].name, level_names[which], seconds[how]);
			}
}

void stacks(void)
{
	inner();
	ists();
	same_level();
	pairs();
}

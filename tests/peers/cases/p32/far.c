/* far.c: JMP and CALL through call gates, to code, to inner levels, and the
   stacks that they use. [SDM 2, JMP; CALL; SDM 3A, Call Gates] */
#include "cases.h"

enum { GATE = X4 };

static void start_at(int level, int call, int selector)
{
	begin();
	if (level)
		user();
	op(1, call ? 0x9a : 0xea);
	op32(0x77777777);
	op16(selector);
}

/* Gates of every DPL, by every RPL, to every kind of code. */
static void gate_checks(void)
{
	static const struct { const char *name; int selector; uint64_t x1; } to[] = {
		{ "code0", CODE_0, 0 }, { "code0 rpl3", CODE_0 + 3, 0 }, { "code1", CODE_1, 0 },
		{ "code3", CODE_3, 0 }, { "conforming0", CONF_0, 0 }, { "conforming3", CONF_3, 0 },
		{ "null", 0, 0 }, { "null rpl2", 2, 0 }, { "beyond", BEYOND, 0 }, { "data", DATA_0, 0 },
		{ "absent", X1, 0x00cf1b000000ffff }, { "absent dpl3", X1, 0x00cf7b000000ffff },
		{ "absent data", X1, 0x00cf13000000ffff }, { "not accessed", X1, 0x00cf98000000ffff },
		{ "in ldt", LDT_CODE_0, 0 }, { "in ldt, data", LDT_DATA_0, 0 }, { "in ldt, beyond", LDT_BEYOND, 0 },
		{ "gate", GATE, 0 }, { "tss", TSS2_SEL, 0 }, { "limit", X1, 0x00409b000000ffff },
	};
	for (int call = 0; call < 2; call++)
		for (int level = 0; level <= 3; level += 3)
			for (unsigned i = 0; i < sizeof to / sizeof *to; i++) {
				start_at(level, call, GATE);
				*gdt_entry(X1) = to[i].x1;
				*gdt_entry(GATE) = gate(to[i].selector, stub(0x60), 0xec);
				run("%s gate cpl%d to %s", call ? "call" : "jmp", level, to[i].name);
			}
}

static void gate_rights(void)
{
	for (int call = 0; call < 2; call++)
		for (int level = 0; level <= 3; level += 3)
			for (int access = 0x0c; access < 0x100; access += 0x20)
				for (int rpl = 0; rpl <= 3; rpl += 3) {
					start_at(level, call, GATE + rpl);
					*gdt_entry(GATE) = gate(level && !call ? CONF_3 : CODE_0, stub(0x60), access);
					run("%s gate cpl%d rpl%d access %02lx", call ? "call" : "jmp", level, rpl, (word)access);
				}
}

/* Parameters, 32 bits and 16. */
static void parameters(void)
{
	static const uint8_t counts[] = { 0, 1, 2, 5, 31, 32, 33, 255 };

	for (int wide = 0; wide < 2; wide++)
		for (unsigned i = 0; i < sizeof counts; i++)
			for (int level = 0; level <= 3; level += 3) {
				start_at(level, 1, GATE);
				for (int p = 8; p; p--)
					top(0x50000 + p);
				*gdt_entry(X1) = segment(STUBS, 0xffff, 0x9b, 4);
				*gdt_entry(GATE) = gate(wide ? CODE_0 : X1, wide ? stub(0x60) : 0x7fff0000 | 32 * 0x60, wide ? 0xec : 0xe4) |
						   (uint64_t)counts[i] << 32;
				run("call gate %d bit cpl%d, %d parameters", wide ? 32 : 16, level, (int)counts[i]);
			}
}

static void inner_stacks(void)
{
	static const struct { const char *name; int selector; uint32_t esp; uint64_t x1; int parameters; uint32_t from; } inner[] = {
		{ "null", 0, 0x307f00, 0, 0, 0 }, { "rpl3", DATA_0 + 3, 0x307f00, 0, 0, 0 },
		{ "dpl3", DATA_3 - 3, 0x307f00, 0, 0, 0 }, { "read-only", X1, 0x307f00, 0x00cf91000000ffff, 0, 0 },
		{ "absent", X1, 0x307f00, 0x00cf13000000ffff, 0, 0 }, { "beyond", BEYOND, 0x307f00, 0, 0, 0 },
		{ "not accessed", X1, 0x307f00, 0x00cf92000000ffff, 0, 0 },
		{ "limit one short", X1, 0x7f00, 0x0040933000007efe, 0, 0 },
		{ "room for two words", X1, 8, 0x004093307f000fff, 0, 0 },
		{ "expand-down, fits", X1, 0x7f10, 0x0040973000007eff, 0, 0 },
		{ "expand-down, one short", X1, 0x7f0f, 0x0040973000007eff, 0, 0 },
		{ "guard page", DATA_0, 0x307000, 0, 0, 0 }, { "guard page after three words", DATA_0, 0x30700c, 0, 0, 0 },
		{ "guard page, parameters", DATA_0, 0x307010, 0, 4, 0 },
		{ "parameters not there", DATA_0, 0x307f00, 0, 4, 0x30b000 - 4 },
		{ "parameters end", DATA_0, 0x307f00, 0, 4, 0x30bff8 },
		{ "parameters at the end of memory", DATA_0, 0x307f00, 0, 4, 0xfffffff8 },
	};
	for (unsigned i = 0; i < sizeof inner / sizeof *inner; i++) {
		start_at(3, 1, GATE);
		for (int v = TS; v <= PF; v++)
			by_task(v);
		if (inner[i].from)
			start.esp = inner[i].from;
		*pte(STACK3 + PAGE) = 0;
		*gdt_entry(X1) = inner[i].x1;
		*gdt_entry(GATE) = gate(CODE_0, stub(0x60), 0xec) | (uint64_t)inner[i].parameters << 32;
		((uint32_t *)TSS)[1] = inner[i].esp, ((uint32_t *)TSS)[2] = inner[i].selector;
		run("call gate to cpl0, stack %s", inner[i].name);
	}
	start_at(3, 1, GATE);
	*pte(STACK1) |= USER;
	*gdt_entry(GATE) = gate(CODE_1, stub(0x60), 0xec);
	run("call gate to cpl1");
}

static void direct(void)
{
	static const struct { const char *name; int selector; uint32_t offset; } to[] = {
		{ "null", 0, 0 }, { "null rpl1", 1, 0 }, { "beyond", BEYOND, 0 }, { "beyond rpl3", BEYOND + 3, 0 },
		{ "in ldt", LDT_CODE_0, CODE0 + 0x100 }, { "ldt, beyond", LDT_BEYOND, 0 },
		{ "beyond limit", X1, 0x1000 }, { "at limit", X1, 0xfff },
		{ "16-bit code", X2, 0x100 },
	};
	for (int call = 0; call < 2; call++)
		for (unsigned i = 0; i < sizeof to / sizeof *to; i++) {
			begin();
			*gdt_entry(X1) = segment(CODE0, 0xfff, 0x9a, 4);
			*gdt_entry(X2) = segment(CODE0, 0xfff, 0x9a, 0);
			*(uint16_t *)(CODE0 + 0x100) = *(uint16_t *)(CODE0 + 0xfff) = 0x0b0f;
			*pte(CODE0 + PAGE) = (CODE0 + PAGE) | 0x63;
			op(1, call ? 0x9a : 0xea), op32(to[i].offset), op16(to[i].selector);
			run("%s to %s", call ? "call" : "jmp", to[i].name);
		}
	for (int i = 0; i < 4; i++) {
		begin();
		by_task(SS), by_task(PF);
		*gdt_entry(X1) = segment(STACK0, 0xfff, 0x93, 4);
		if (i < 2)
			start.esp = STACK0 + 4 * i;
		else
			start.ss = X1, start.esp = 4 * (i - 2);
		op(1, 0x9a), op32(CODE0 + 0x100), op16(CODE_0);
		run("call, stack %s, room for %d", i < 2 ? "at the guard page" : "at the segment's end", i & 1);
	}
	for (int i = 0; i < 2; i++) {
		begin();
		op(2, 0x66, i ? 0x9a : 0xea), op16(0x100), op16(X1);
		*gdt_entry(X1) = segment(CODE0, 0xfff, 0x9a, 4);
		*(uint16_t *)(CODE0 + 0x100) = 0x0b0f;
		run("%s, 16-bit operand", i ? "call" : "jmp");
	}
}

void far_transfers(void)
{
	gate_checks();
	gate_rights();
	parameters();
	inner_stacks();
	direct();
}

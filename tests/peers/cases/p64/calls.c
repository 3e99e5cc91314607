/* calls.c: 64-bit call gates, and system descriptors of 16 bytes.
   [SDM 2, CALL; JMP; SDM 3A, IA-32e Mode Call Gates] */
#include "cases.h"

static void call_gate(int selector, word offset, int access)
{
	gdt_entry(X4)[0] = (offset & 0xffff) | (uint64_t)selector << 16 | (uint64_t)access << 40 | (offset >> 16 & 0xffff) << 48;
	gdt_entry(X4)[1] = offset >> 32;
}

static void start_at(int which, int call, int selector)
{
	uint32_t *pointer = (uint32_t *)(DATA + 0x100);

	begin();
	level(which);
	all_by_ist();
	pointer[0] = 0x77777777, pointer[1] = selector;
	if (which == compat)
		op(1, call ? 0x9a : 0xea), op32(0x77777777), op16(selector);
	else
		op(3, 0xff, call ? 0x1c : 0x2c, 0x25), op32(DATA + 0x100);
}

static void targets(void)
{
	static const struct { const char *name; int selector; uint64_t x1; word offset; } to[] = {
		{ "code0", CODE_0, 0, 0 }, { "code3", CODE_3, 0, 0 }, { "code1", CODE_1, 0, 0 }, { "compat0", COMPAT_0, 0, 0 },
		{ "compat3", COMPAT_3, 0, 0 }, { "conforming0", CONF_0, 0, 0 }, { "conforming3", CONF_3, 0, 0 }, { "null", 0, 0, 0 },
		{ "null3", 3, 0, 0 }, { "beyond", BEYOND, 0, 0 }, { "data", DATA_0, 0, 0 }, { "l and d", X1, 0x00ef9b000000ffff, 0 },
		{ "absent", X1, 0x00af1b000000ffff, 0 }, { "absent compat", X1, 0x00cf1b000000ffff, 0 }, { "in ldt", LDT_CODE_0, 0, 0 },
		{ "not accessed", X1, 0x00af98000000ffff, 0 }, { "not canonical", CODE_0, 0, 0x800000000000 },
		{ "far away", CODE_0, 0, 0x7fffffff0000 },
	};
	for (int call = 0; call < 2; call++)
		for (int which = kernel; which < levels; which++)
			for (unsigned i = 0; i < sizeof to / sizeof *to; i++) {
				start_at(which, call, X4);
				*gdt_entry(X1) = to[i].x1;
				call_gate(to[i].selector, to[i].offset ? to[i].offset : stub(0x60), 0xec);
				run("%s gate %s, to %s", call ? "call" : "jmp", level_names[which], to[i].name);
			}
}

static void rights(void)
{
	for (int call = 0; call < 2; call++)
		for (int which = kernel; which <= user64; which++)
			for (int access = 0x0c; access < 0x100; access += 0x20)
				for (int rpl = 0; rpl <= 3; rpl += 3) {
					start_at(which, call, X4 + rpl);
					call_gate(which && !call ? CONF_3 : CODE_0, stub(0x60), access);
					run("%s gate %s rpl%d, access %02lx", call ? "call" : "jmp", level_names[which], rpl, (word)access);
				}
	for (int type = 0; type < 32; type++) {
		start_at(user64, 1, X4);
		call_gate(CODE_0, stub(0x60), 0xec);
		gdt_entry(X4)[1] |= (uint64_t)type << 40;
		run("call gate, upper type %02lx", (word)type);
	}
	for (int end = 7; end <= 15; end += 8) {
		start_at(kernel, 1, X4);
		call_gate(CODE_0, stub(0x60), 0xec);
		gdt_limit = X4 + end;
		run("call gate, gdt limit +%d", end);
		for (int i = 0; i < 2; i++) {
			begin();
			gdt_entry(X4)[0] = i ? segment(LDT, 31, 0x82, 0) : segment(TSS, 103, 0x89, 0);
			gdt_limit = X4 + end;
			op(2, 0x66, 0xb8), op16(X4), op(3, 0x0f, 0x00, i ? 0xd0 : 0xd8);
			run("%s, gdt limit +%d", i ? "lldt" : "ltr", end);
		}
	}
	for (int i = 0; i < 2; i++)
		for (int what = 0; what < 5; what++) {
			static const struct { const char *name; uint64_t high; } highs[] = {
				{ "base not canonical", 0x8000 }, { "base in the upper half", 0xffff8000 }, { "base of 57 bits", 0xff8000 },
				{ "upper type", 0x0100ull << 32 }, { "upper bits", 0xffffe0ffull << 32 },
			};
			begin();
			gdt_entry(X4)[0] = i ? segment(LDT, 31, 0x82, 0) : segment(TSS, 103, 0x89, 0);
			gdt_entry(X4)[1] = highs[what].high;
			op(2, 0x66, 0xb8), op16(X4), op(3, 0x0f, 0x00, i ? 0xd0 : 0xd8);
			run("%s, %s", i ? "lldt" : "ltr", highs[what].name);
		}
}

static void stack_pointers(void)
{
	static const struct { const char *name; word rsp; } rsp0[] = {
		{ "odd", STACK0 + 0xf05 }, { "guard page", STACK0 }, { "guard page after two words", STACK0 + 16 },
		{ "just fits", STACK0 + 32 }, { "not canonical", 0x800000000010 }, { "null", 0 }, { "start of the upper half", 0xffff800000000010 },
	};
	for (int which = user64; which < levels; which++)
		for (unsigned i = 0; i < sizeof rsp0 / sizeof *rsp0; i++) {
			start_at(which, 1, X4);
			call_gate(CODE_0, stub(0x60), 0xec);
			RSP0 = rsp0[i].rsp;
			run("call gate %s, rsp0 %s", level_names[which], rsp0[i].name);
		}
	start_at(user64, 1, X4);
	call_gate(CODE_1, stub(0x60), 0xec);
	run("call gate to cpl1");
}

/* Far transfers between 64-bit and compatibility mode. */
static void modes(void)
{
	static const struct { const char *name; int selector; word offset; int rexw; } to[] = {
		{ "compat0", COMPAT_0, CODE0 + 0x100, 0 }, { "code0", CODE_0, CODE0 + 0x100, 0 }, { "code0 rex.w", CODE_0, CODE0 + 0x100, 1 },
		{ "not canonical", CODE_0, 0x800000000000, 1 }, { "compat0, high", COMPAT_0, 0x500000000 + CODE0 + 0x100, 1 },
		{ "null", 0, 0, 0 }, { "l and d", X1, CODE0 + 0x100, 0 }, { "limit", X2, 0x100, 0 },
	};
	for (int call = 0; call < 2; call++)
		for (unsigned i = 0; i < sizeof to / sizeof *to; i++) {
			begin();
			all_by_ist();
			*gdt_entry(X1) = 0x00ef9b000000ffff;
			*gdt_entry(X2) = 0x00409b00000000ff;
			*(uint16_t *)(CODE0 + 0x100) = 0x0b0f;
			*(word *)(DATA + 0x100) = to[i].offset;
			*(uint16_t *)(DATA + 0x100ul + (to[i].rexw ? 8 : 4)) = to[i].selector;
			if (to[i].rexw)
				op(1, 0x48);
			op(3, 0xff, call ? 0x1c : 0x2c, 0x25), op32(DATA + 0x100);
			run("%s to %s", call ? "call" : "jmp", to[i].name);
		}
}

void calls(void)
{
	targets();
	rights();
	stack_pointers();
	modes();
}

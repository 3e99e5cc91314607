/* access.c: loads, stores and stack accesses at the edges of every kind of
   segment. One line for each segment and instruction; a word for each offset.
   [SDM 3A, Limit Checking; Type Checking; SDM 1, Segment Registers] */
#include "cases.h"

static const struct { const char *name; int selector; uint64_t x1; } segments[] = {
	{ "null", 0, 0 }, { "null rpl3", 3, 0 },
	{ "bytes", X1 + 3, 0x0040f3310000000f }, { "bytes, read-only", X1 + 3, 0x0040f1310000000f },
	{ "pages", X1 + 3, 0x00c0f33100000000 }, { "limit 0", X1 + 3, 0x0040f33100000000 },
	{ "code", X1 + 3, 0x0040fb310000000f }, { "conforming", X1 + 3, 0x0040ff310000000f },
	{ "down", X1 + 3, 0x0040f7310000000f }, { "down, 16 bit", X1 + 3, 0x0000f7310000000f },
	{ "down, read-only", X1 + 3, 0x0040f5310000000f }, { "down, all", X1 + 3, 0x00cff7310000ffff },
};

static const struct { const char *name; int bytes; uint8_t code[4]; } instructions[] = {
	{ "mov byte", 2, { 0x8a, 0x01 } }, { "mov word", 3, { 0x66, 0x8b, 0x01 } }, { "mov dword", 2, { 0x8b, 0x01 } },
	{ "store byte", 2, { 0x88, 0x01 } }, { "store dword", 2, { 0x89, 0x01 } }, { "add", 2, { 0x01, 0x01 } },
	{ "test", 3, { 0xf6, 0x01, 0x01 } }, { "push", 2, { 0xff, 0x31 } }, { "lgdt", 3, { 0x0f, 0x01, 0x01 } },
	{ "les", 2, { 0xc4, 0x01 } }, { "bound", 2, { 0x62, 0x01 } }, { "cmpxchg8b", 3, { 0x0f, 0xc7, 0x09 } },
	{ "bt", 3, { 0x0f, 0xa3, 0x01 } }, { "movs", 2, { 0x89, 0xce } },
};

static void data(void)
{
	static const uint32_t offsets[] = { 0, 1, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10, 0xffe, 0x1000, 0xfffc, 0xfffe, 0xffff, 0x10000, 0xfffffffc, 0xffffffff };

	for (unsigned s = 0; s < sizeof segments / sizeof *segments; s++)
		for (unsigned i = 0; i < sizeof instructions / sizeof *instructions; i++) {
			print("access %s, %s:", segments[s].name, instructions[i].name);
			for (unsigned o = 0; o < sizeof offsets / 4; o++) {
				begin();
				user();
				*pte(DATA + PAGE) |= USER;
				*pte(DATA + 0xf000) |= USER;
				*pte(DATA + 0x10000) |= USER;
				*(uint64_t *)gdt_entry(X1) = segments[s].x1;
				*(uint64_t *)(DATA + 0xfff8) = *(uint64_t *)(DATA + 0x10000) = 0;
				start.ds = segments[s].selector;
				start.ecx = offsets[o];
				start.eax = 0;
				for (int b = 0; b < instructions[i].bytes; b++)
					op(1, instructions[i].code[b]);
				if (instructions[i].code[0] == 0x89 && instructions[i].code[1] == 0xce)
					op(1, 0xa5); /* MOVS, with ESI from ECX; EDI is not mapped */
				run_quiet();
				if (record.vector == UD)
					print(" ok");
				else
					print(" %lx:%lx", (word)record.vector, (word)(has_code() ? *frame() : 0));
				if (record.vector == PF)
					print("@%lx", (word)record.cr2);
			}
			print("\n");
		}
}

/* The same for the stack: what an instruction pushes or pops in one go. */
static void stack(void)
{
	static const struct { const char *name; int bytes; uint8_t code[4]; } by[] = {
		{ "push", 1, { 0x50 } }, { "push word", 2, { 0x66, 0x50 } }, { "pop", 1, { 0x58 } }, { "pusha", 1, { 0x60 } },
		{ "popa", 1, { 0x61 } }, { "call", 5, { 0xe8, 0, 0, 0 } }, { "ret", 1, { 0xc3 } }, { "enter 0", 4, { 0xc8, 4, 0, 0 } },
		{ "enter 2", 4, { 0xc8, 4, 0, 2 } }, { "leave", 1, { 0xc9 } }, { "pushf", 1, { 0x9c } }, { "popf", 1, { 0x9d } },
		{ "push cs", 1, { 0x0e } }, { "pop ds", 1, { 0x1f } }, { "mov (esp)", 3, { 0x8b, 0x04, 0x24 } }, { "mov (ebp)", 3, { 0x8b, 0x45, 0 } },
	};
	static const struct { const char *name; uint64_t x1; } segment_kinds[] = {
		{ "bytes", 0x0040f330b00008ff }, { "16 bit", 0x0000f330b00008ff }, { "down", 0x0040f730b00003ff }, { "down, 16 bit", 0x0000f730b00003ff },
	};
	static const uint32_t places[] = { 0, 1, 2, 3, 4, 0x20, 0x3fe, 0x400, 0x401, 0x404, 0x420, 0x8e0, 0x8fc, 0x8fd, 0x900, 0x901, 0x904 };

	for (unsigned s = 0; s < 4; s++)
		for (unsigned i = 0; i < sizeof by / sizeof *by; i++) {
			print("access stack %s, %s:", segment_kinds[s].name, by[i].name);
			for (unsigned p = 0; p < sizeof places / 4; p++) {
				begin();
				user();
				*gdt_entry(X1) = segment_kinds[s].x1;
				for (uint32_t a = 0; a < 0x910; a += 4)
					*(uint32_t *)(STACK3 + a) = 0x202;
				start.ss = X1 + 3;
				start.esp = start.ebp = places[p];
				for (int b = 0; b < by[i].bytes; b++)
					op(1, b < 4 ? by[i].code[b] : 0);
				run_quiet();
				print(" %lx", (word)record.vector);
				if (record.vector == UD || record.vector == SS)
					print(":%lx", (word)frame()[record.vector == UD ? 3 : 4]);
				if (record.vector == PF)
					print("@%lx", (word)record.cr2);
			}
			print("\n");
		}
}

/* CR0 with every pair of bits that matter. */
static void control(void)
{
	for (int bits = 0; bits < 32; bits++) {
		uint32_t cr0 = (bits & 1) | (bits & 2 ? 0x80000000 : 0) | (bits & 4 ? 0x20000000 : 0) |
			       (bits & 8 ? 0x40000000 : 0) | (bits & 16 ? 0x10000 : 0);
		if ((bits & 3) != 3)
			continue; /* a peer that takes it would leave protected mode or paging */
		begin();
		op(1, 0xb8), op32(cr0), op(3, 0x0f, 0x22, 0xc0);
		run("control cr0 %08lx", (word)cr0);
	}
	for (int which = 0; which < 8; which++) {
		begin();
		op(3, 0x0f, 0x20, 0xc0 | which << 3);
		start.eax = 0;
		run_quiet();
		print("control mov from cr%d: %lx\n", which, (word)record.vector);
	}
	for (int cpl = 0; cpl < 2; cpl++)
		for (unsigned i = 0; i < 8; i++) {
			static const struct { const char *name; uint8_t code[4]; } by[] = {
				{ "lmsw", { 0x0f, 0x01, 0xf0 } }, { "clts", { 0x0f, 0x06, 0x90 } }, { "smsw", { 0x0f, 0x01, 0xe1 } }, { "mov cr3", { 0x0f, 0x20, 0xda } },
				{ "rdmsr", { 0x0f, 0x32, 0x90 } }, { "wbinvd", { 0x0f, 0x09, 0x90 } }, { "invlpg", { 0x0f, 0x01, 0x38 } }, { "sysexit", { 0x0f, 0x35, 0x90 } },
			};
			begin();
			if (cpl)
				user();
			write_msr(0x174, 0);
			start.eax = 0x0001003b;
			start.ecx = 0x174;
			for (int b = 0; b < 3; b++)
				op(1, by[i].code[b]);
			run_quiet();
			print("control %s cpl%d: %lx:%lx cx=%lx dx=%lx\n", by[i].name, 3 * cpl, (word)record.vector,
			      (word)(has_code() ? *frame() : 0), (word)record.ecx & 0xffff, (word)record.edx);
		}
}

/* Single steps: which instruction the trap comes after.
   [SDM 3B, Single-Step Exception Condition] */
static void steps(void)
{
	static const struct { const char *name; int bytes; uint8_t code[10]; } by[] = {
		{ "nop", 1, { 0x90 } }, { "mov ss", 5, { 0x8c, 0xd0, 0x8e, 0xd0, 0x90 } }, { "int n", 2, { 0xcd, INTN } }, { "int3", 1, { 0xcc } },
		{ "ud2", 2, { 0x0f, 0x0b } }, { "pushf", 1, { 0x9c } }, { "popf clears", 4, { 0x6a, 0x02, 0x9d, 0x90 } },
		{ "rep movs", 4, { 0xf3, 0xa4, 0x90, 0x90 } }, { "into", 1, { 0xce } }, { "load fault", 5, { 0xa1, 0, 0, 0x50, 0 } },
		{ "mov ds null", 4, { 0x31, 0xc0, 0x8e, 0xd8 } }, { "jmp", 4, { 0xeb, 0x01, 0x90, 0x90 } },
		{ "loop", 2, { 0xe2, 0xfe } }, { "pop ss", 3, { 0x16, 0x17, 0x90 } }, { "sti", 2, { 0xfb, 0x90 } }, { "div", 4, { 0x31, 0xc9, 0xf7, 0xf1 } },
	};
	for (int level = 0; level <= 3; level += 3)
		for (unsigned i = 0; i < sizeof by / sizeof *by; i++)
			for (int skip = 0; skip < 2; skip++) {
				begin();
				if (level)
					user();
				/* With TF or RF set by POPF: the trap comes one instruction later. */
				if (skip)
					op(1, 0x90);
				op(1, 0x68), op32(0x102), op(1, 0x9d);
				start.ecx = 3;
				start.esi = DATA, start.edi = DATA + 0x100;
				start.edx = 0;
				for (int b = 0; b < by[i].bytes; b++)
					op(1, by[i].code[b]);
				if (skip)
					*idt_entry(DB) = gate(TASK + 8 * TS, 0, 0x85);
				run_quiet();
				print("step %s cpl%d%s: %lx at %lx, fl=%lx cx=%lx\n", by[i].name, level, skip ? ", by task" : "", (word)record.vector,
				      (word)(skip && record.vector == TS ? ((uint32_t *)TSS)[8] : frame()[has_code()]),
				      (word)(skip && record.vector == TS ? ((uint32_t *)TSS)[9] : frame()[has_code() + 2]) & ~0x10000ul, (word)record.ecx & 0xff);
			}
}

void access(void)
{
	data();
	stack();
	control();
	steps();
}

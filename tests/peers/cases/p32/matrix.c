/* matrix.c: every type of descriptor against every instruction that takes a
   selector, for each DPL, RPL and CPL: one line for sixteen types, one word
   for each. "ok" says that the instruction ended well, with "a" that the
   descriptor has changed; else vector and error code.
   [SDM 2, MOV; LLDT; LTR; LAR; LSL; VERR/VERW; JMP; CALL; RET; IRET] */
#include "cases.h"

enum { mov_ds, mov_ss, mov_gs, lldt, ltr, lar, lsl, verr, verw, jmp_far, call_far, retf_cs, retf_ss, iret_cs, iret_ss, instructions };
static const char *const names[] = {
	"mov ds", "mov ss", "mov gs", "lldt", "ltr", "lar", "lsl", "verr", "verw",
	"jmp far", "call far", "retf cs", "retf ss", "iret cs", "iret ss",
};

/* A descriptor that makes sense of its type. */
static uint64_t descriptor(int type, int dpl, int present)
{
	int access = present << 7 | dpl << 5 | type;

	switch (type) {
	case 1: case 3: case 9: case 11:
		return segment(TSS2, 103, access, 0);
	case 2:
		return segment(LDT, 31, access, 0);
	case 5:
		return gate(TSS2_SEL, 0, access);
	case 4: case 6: case 7: case 12: case 14: case 15:
		return gate(CODE_0, stub(0x51), access);
	}
	return segment(0, 0xfffff, access, 12);
}

static void with_selector(int modrm, int selector)
{
	op(2, 0x66, 0xb8);
	op16(selector);
	op(2, modrm >> 8, modrm & 255);
}

static void code(int instruction, int selector, int level)
{
	int dpl = selector & 3;

	switch (instruction) {
	case mov_ds: with_selector(0x8ed8, selector); break;
	case mov_ss: with_selector(0x8ed0, selector); break;
	case mov_gs: with_selector(0x8ee8, selector); break;
	case lldt: op(2, 0x66, 0xb8), op16(selector), op(3, 0x0f, 0x00, 0xd0); break;
	case ltr: op(2, 0x66, 0xb8), op16(selector), op(3, 0x0f, 0x00, 0xd8); break;
	case lar: op(2, 0x66, 0xb8), op16(selector), op(3, 0x0f, 0x02, 0xd0), op(3, 0x0f, 0x94, 0xc1); break;
	case lsl: op(2, 0x66, 0xb8), op16(selector), op(3, 0x0f, 0x03, 0xd0), op(3, 0x0f, 0x94, 0xc1); break;
	case verr: op(2, 0x66, 0xb8), op16(selector), op(3, 0x0f, 0x00, 0xe0), op(3, 0x0f, 0x94, 0xc1); break;
	case verw: op(2, 0x66, 0xb8), op16(selector), op(3, 0x0f, 0x00, 0xe8), op(3, 0x0f, 0x94, 0xc1); break;
	case jmp_far: op(1, 0xea), op32(CODE3 + 0x100), op16(selector); break;
	case call_far: op(1, 0x9a), op32(CODE3 + 0x100), op16(selector); break;
	case retf_cs:
	case iret_cs:
		if (dpl > level)
			top(dpl == 3 ? DATA_3 : DATA_1), top(STACK3 + 0x400);
		if (instruction == iret_cs)
			top(2);
		top(selector), top(CODE3 + 0x100);
		op(1, instruction == iret_cs ? 0xcf : 0xcb);
		break;
	case retf_ss:
	case iret_ss:
		top(selector), top(STACK3 + 0x400);
		if (instruction == iret_ss)
			top(2);
		top(CODE_3), top(CODE3 + 0x100);
		op(1, instruction == iret_ss ? 0xcf : 0xcb);
		break;
	}
}

static void word_for(int instruction, int selector)
{
	const uint32_t *f = frame();

	if (record.vector != UD && record.vector < 0x50) {
		print(" %lx:%lx", (word)record.vector, (word)*f);
	} else if (record.vector == UD) {
		switch (instruction) {
		case lar:
		case lsl:
			if (record.ecx & 255)
				print(" %lx", (word)record.edx);
			else
				print(" z%s", record.edx == start.edx ? "" : "!");
			return;
		case verr:
		case verw:
			print(" %d", (int)(record.ecx & 255));
			return;
		}
		print(" ok");
		if (instruction >= jmp_far)
			print("%lx", (word)f[1]);
	} else {
		print(" v%lx", (word)record.vector);
	}
	if (descriptor_changed(selector))
		print("a");
}

static void row(int instruction, int level, int dpl, int rpl, int present, int first)
{
	print("matrix %s cpl%d dpl%d rpl%d %s types %02lx:", names[instruction], level, dpl, rpl,
	      present ? "present" : "absent", (word)first);
	for (int type = first; type < first + 16; type++) {
		begin();
		if (level)
			user();
		*gdt_entry(X1) = descriptor(type, dpl, present);
		/* UD2, where the transfers go */
		*(uint16_t *)(CODE3 + 0x100) = 0x0b0f;
		code(instruction, X1 + rpl, level);
		run_quiet();
		word_for(instruction, X1);
	}
	print("\n");
}

void matrix(void)
{
	for (int i = 0; i < instructions; i++)
		for (int level = 0; level <= 3; level += 3)
			for (int dpl = 0; dpl <= 3; dpl += i < lldt || i > verw ? 1 : 3)
				for (int rpl = 0; rpl <= 3; rpl += i < lldt || i > verw ? 1 : 3)
					for (int first = 0; first <= 16; first += 16) {
						if ((dpl | rpl) == 1 || (dpl | rpl) == 2)
							if (i == mov_gs || i == retf_ss || i == iret_ss)
								continue;
						row(i, level, dpl, rpl, 1, first);
						if (dpl == rpl && dpl != 1 && dpl != 2)
							row(i, level, dpl, rpl, 0, first);
					}
}

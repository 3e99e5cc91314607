/* matrix.c: as in 32 bits, every type of descriptor against every instruction
   that takes a selector. System descriptors have 16 bytes. */
#include "cases.h"

enum { mov_ds, mov_ss, lldt, ltr, lar, lsl, verr, verw, jmp_far, call_far, retf_cs, iret_cs, retf_ss, iret_ss, instructions };
static const char *const names[] = {
	"mov ds", "mov ss", "lldt", "ltr", "lar", "lsl", "verr", "verw", "jmp far", "call far", "retf cs", "iret cs", "retf ss", "iret ss",
};

static uint64_t descriptor(int type, int dpl, int present, int l)
{
	int access = present << 7 | dpl << 5 | type;

	if (type < 16)
		switch (type) {
		case 4: case 12:
			return (stub(0x60) & 0xffff) | CODE_0 << 16 | (uint64_t)access << 40 | (stub(0x60) >> 16) << 48;
		case 2:
			return segment(LDT, 31, access, 0);
		default:
			return segment(TSS, 103, access, 0);
		}
	return segment(0, 0xfffff, access, l ? 10 : 12);
}

static void code(int instruction, int selector, int which)
{
	int rpl = selector & 3;
	uint32_t *pointer = (uint32_t *)(DATA + 0x100);

	if (instruction <= verw)
		op(2, 0x66, 0xb8), op16(selector);
	switch (instruction) {
	case mov_ds: op(2, 0x8e, 0xd8); break;
	case mov_ss: op(2, 0x8e, 0xd0); break;
	case lldt: op(3, 0x0f, 0x00, 0xd0); break;
	case ltr: op(3, 0x0f, 0x00, 0xd8); break;
	case lar: op(6, 0x0f, 0x02, 0xd0, 0x0f, 0x94, 0xc1); break;
	case lsl: op(6, 0x0f, 0x03, 0xd0, 0x0f, 0x94, 0xc1); break;
	case verr: op(6, 0x0f, 0x00, 0xe0, 0x0f, 0x94, 0xc1); break;
	case verw: op(6, 0x0f, 0x00, 0xe8, 0x0f, 0x94, 0xc1); break;
	case jmp_far:
	case call_far:
		pointer[0] = CODE3 + 0x100, pointer[1] = selector;
		op(3, 0xff, instruction == jmp_far ? 0x2c : 0x1c, 0x25), op32(DATA + 0x100);
		break;
	default:
		if (instruction >= retf_ss)
			top(selector), top(STACK3 + 0x400);
		else
			top(rpl == 3 ? DATA_3 : rpl ? DATA_1 : DATA_0), top(rpl == 3 ? STACK3 + 0x400 : STACK0 + 0x400);
		if (instruction == iret_cs || instruction == iret_ss)
			top(2);
		top(instruction >= retf_ss ? CODE_3 : selector), top(CODE3 + 0x100);
		op(2, 0x48, instruction == iret_cs || instruction == iret_ss ? 0xcf : 0xcb);
	}
	(void)which;
}

static void word_for(int instruction, int selector)
{
	if (record.vector != UD && record.vector < 0x50) {
		print(" %lx:%lx", record.vector, *frame());
	} else if (record.vector == UD) {
		switch (instruction) {
		case lar:
		case lsl:
			if (record.cx & 255)
				print(" %lx", record.dx);
			else
				print(" z%s", record.dx == start.dx ? "" : "!");
			return;
		case verr:
		case verw:
			print(" %d", (int)(record.cx & 255));
			return;
		}
		print(" ok");
		if (instruction >= jmp_far)
			print("%lx", frame()[1]);
	} else {
		print(" v%lx", record.vector);
	}
	if (descriptor_changed(selector))
		print("a");
}

static void row(int instruction, int which, int dpl, int rpl, int present, int first, int l)
{
	print("matrix %s %s dpl%d rpl%d %s%s types %02lx:", names[instruction], level_names[which], dpl, rpl,
	      present ? "present" : "absent", first < 16 ? "" : l ? " l" : " d", (word)first);
	for (int type = first; type < first + 16; type++) {
		begin();
		level(which);
		by_ist(UD);
		gdt_entry(X1)[0] = descriptor(type, dpl, present, l);
		*(uint16_t *)(CODE3 + 0x100) = 0x0b0f;
		code(instruction, X1 + rpl, which);
		run_quiet();
		word_for(instruction, X1);
	}
	print("\n");
}

void matrix(void)
{
	for (int i = 0; i < instructions; i++)
		for (int which = kernel; which <= user64; which++)
			for (int dpl = 0; dpl <= 3; dpl += 3)
				for (int rpl = 0; rpl <= 3; rpl += 3)
					for (int l = 0; l < 3; l++) {
						row(i, which, dpl, rpl, 1, l ? 16 : 0, l > 1);
						if (dpl == rpl)
							row(i, which, dpl, rpl, 0, l ? 16 : 0, l > 1);
					}
}

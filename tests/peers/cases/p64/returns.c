/* returns.c: IRET and RETF in IA-32e mode: three sizes, null SS, segments with
   L and D, what is canonical. [SDM 2, IRET/IRETD/IRETQ; RET] */
#include "cases.h"

static const char *const size_names[] = { "w", "d", "q" };

static void push(int size, word value)
{
	static const int bytes[] = { 2, 4, 8 };

	start.sp -= bytes[size];
	copy((void *)start.sp, &value, bytes[size]);
}

static void iret(int size)
{
	if (size == 0)
		op(1, 0x66);
	if (size == 2)
		op(1, 0x48);
	op(1, 0xcf);
}

/* VIF and VIP come last of all: a peer that sets them never clears them. */
void returns_last(void)
{
	begin();
	top(DATA_0), top(STACK0 + 0x400), top(0x180002), top(CODE_0), top(CODE0 + 2);
	op(2, 0x48, 0xcf);
	run("iretq, vif and vip set");
}

static void flags(void)
{
	for (int size = 1; size < 3; size++)
		for (int which = kernel; which < levels; which++)
			for (int iopl = 0; iopl <= 3; iopl += 3)
				for (int set = 0; set < 2; set++) {
					if (which == compat && size == 2)
						continue;
					begin();
					level(which);
					show_rf = 1;
					start.flags = (set ? 2 : 0x240ad7) | iopl << 12;
					word to = (which ? CODE3 : CODE0) + 0x100, sp = start.sp;
					*(uint16_t *)to = 0x0b0f;
					if (which != compat)
						push(size, start.ss), push(size, sp - 0x40);
					push(size, set ? 0x24fed5 & ~0x10100 : 2);
					push(size, start.cs), push(size, to);
					iret(size);
					run("iret%s flags %s iopl%d %s", size_names[size], level_names[which], iopl, set ? "all set" : "all clear");
				}
}

/* To every level and kind of code with every kind of SS. */
static void stack_segments(void)
{
	static const struct { const char *name; int selector; } codes[] = {
		{ "code0", CODE_0 }, { "compat0", COMPAT_0 }, { "code1", CODE_1 }, { "code3", CODE_3 }, { "compat3", COMPAT_3 },
		{ "conforming0 rpl3", CONF_0 + 3 }, { "conforming0", CONF_0 },
	}, stacks[] = {
		{ "null", 0 }, { "null1", 1 }, { "null2", 2 }, { "null3", 3 }, { "data0", DATA_0 }, { "data0 rpl3", DATA_0 + 3 },
		{ "data1", DATA_1 }, { "data3", DATA_3 }, { "data3 rpl0", DATA_3 - 3 }, { "beyond", BEYOND }, { "code", CODE_3 },
		{ "absent", X1 + 3 }, { "absent0", X2 },
	};
	for (int retf = 0; retf < 2; retf++)
		for (unsigned c = 0; c < sizeof codes / sizeof *codes; c++)
			for (unsigned s = 0; s < sizeof stacks / sizeof *stacks; s++) {
				begin();
				by_ist(UD), all_by_ist();
				*gdt_entry(X1) = 0x00cf73000000ffff;
				*gdt_entry(X2) = 0x00cf13000000ffff;
				if ((codes[c].selector & 3) == 1)
					*pte(CODE3) &= ~USER;
				if (!(codes[c].selector & 3))
					*(uint16_t *)(CODE0 + 0x100) = 0x0b0f;
				*(uint16_t *)(CODE3 + 0x100) = 0x0b0f;
				word to = (codes[c].selector & 3 ? CODE3 : CODE0) + 0x100;
				top(stacks[s].selector), top(STACK3 + 0x400);
				if (!retf)
					top(2);
				top(codes[c].selector), top(to);
				op(2, 0x48, retf ? 0xcb : 0xcf);
				run("%s to %s, ss %s", retf ? "retf" : "iret", codes[c].name, stacks[s].name);
			}
}

static void targets(void)
{
	static const struct { const char *name; int selector; uint64_t x1; word ip, sp, flags; int nt; } to[] = {
		{ "rip not canonical", CODE_3, 0, 0x800000000000, STACK3 + 0x400, 2, 0 },
		{ "rip not canonical, cpl0", CODE_0, 0, 0x800000000000, STACK0 + 0x400, 2, 0 },
		{ "rip at the end", CODE_3, 0, 0x7fffffffffff, STACK3 + 0x400, 2, 0 },
		{ "rsp not canonical", CODE_3, 0, CODE3 + 2, 0x800000000000, 2, 0 },
		{ "compat, rip above 4G", COMPAT_3, 0, 0x100000000 + CODE3 + 2, STACK3 + 0x400, 2, 0 },
		{ "compat, rip not canonical", COMPAT_3, 0, 0x8000000000000000 + CODE3 + 2, STACK3 + 0x400, 2, 0 },
		{ "compat, rsp above 4G", COMPAT_3, 0, CODE3 + 2, 0x5500000000 + STACK3 + 0x400, 2, 0 },
		{ "compat, beyond limit", X1 + 3, 0x0040fb00000000ff, 0x100, STACK3 + 0x400, 2, 0 },
		{ "l and d", X1 + 3, 0x00effb000000ffff, CODE3 + 2, STACK3 + 0x400, 2, 0 },
		{ "absent", X1 + 3, 0x00af7b000000ffff, CODE3 + 2, STACK3 + 0x400, 2, 0 },
		{ "data", DATA_3, 0, CODE3 + 2, STACK3 + 0x400, 2, 0 },
		{ "null", 0, 0, CODE3 + 2, STACK3 + 0x400, 2, 0 },
		{ "null3", 3, 0, CODE3 + 2, STACK3 + 0x400, 2, 0 },
		{ "vm set", CODE_3, 0, CODE3 + 2, STACK3 + 0x400, 0x20002, 0 },
		{ "vm set, cpl0", CODE_0, 0, CODE0 + 2, STACK0 + 0x400, 0x20002, 0 },
		{ "nt set", CODE_3, 0, CODE3 + 2, STACK3 + 0x400, 2, 1 },
		{ "nt to be set", CODE_3, 0, CODE3 + 2, STACK3 + 0x400, 0x4002, 0 },
		{ "not accessed", X1 + 3, 0x00aff8000000ffff, CODE3 + 2, STACK3 + 0x400, 2, 0 },
		{ "selector's upper bits", CODE_3 | 0x7fff0000, 0, CODE3 + 2, STACK3 + 0x400, 2, 0 },
	};
	for (int retf = 0; retf < 2; retf++)
		for (unsigned i = 0; i < sizeof to / sizeof *to; i++) {
			begin();
			all_by_ist(), by_ist(UD);
			*gdt_entry(X1) = to[i].x1;
			start.flags |= to[i].nt << 14;
			top(to[i].selector == CODE_0 ? DATA_0 : DATA_3), top(to[i].sp);
			if (!retf)
				top(to[i].flags);
			top(to[i].selector), top(to[i].ip);
			op(2, 0x48, retf ? 0xcb : 0xcf);
			run("%s, %s", retf ? "retf" : "iret", to[i].name);
		}
	/* RETF to the same level takes no SS:RSP. */
	for (int size = 0; size < 3; size++)
		for (int release = 0; release < 2; release++) {
			begin();
			if (size == 0)
				*gdt_entry(X1) = segment(CODE0, 0xffff, 0x9b, 4);
			*(uint16_t *)(CODE0 + 0x100) = 0x0b0f;
			push(size, size ? CODE_0 : X1), push(size, size ? CODE0 + 0x100 : 0x100);
			if (size != 1)
				op(1, size ? 0x48 : 0x66);
			if (release)
				op(3, 0xca, 0x18, 0x00);
			else
				op(1, 0xcb);
			run("retf%s, release %d", size_names[size], release);
		}
	/* What is left in DS to GS. */
	for (int i = 0; i < 3; i++) {
		begin();
		start.ds = i ? DATA_3 : DATA_0, start.es = i ? 3 : CONF_0, start.fs = i ? DATA_1 : CODE_3, start.gs = i ? CODE_0 : 1;
		top(DATA_3), top(STACK3 + 0x400), top(2), top(i == 2 ? COMPAT_3 : CODE_3), top(CODE3 + 2);
		op(2, 0x48, 0xcf);
		run("iret, data segments %d", i);
	}
	/* Frames at the end of what is mapped, from both sides. */
	for (int words = 0; words < 5; words++) {
		word values[] = { CODE0 + 2, CODE_0, 2, STACK0 + 0x400, DATA_0 };
		begin();
		by_ist(PF);
		start.sp = STACK0 + PAGE - 8 * words;
		for (int i = 0; i < words; i++)
			((word *)start.sp)[i] = values[i];
		op(2, 0x48, 0xcf);
		run("iret, %d words mapped", words);
	}
}

void returns(void)
{
	flags();
	stack_segments();
	targets();
}

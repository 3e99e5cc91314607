/* iret.c: IRET and RETF where more than the selector's descriptor counts.
   [SDM 2, IRET/IRETD/IRETQ; RET] */
#include "cases.h"

/* A 16-bit frame reaches only a segment whose offsets are small. */
static void small_frame(int level, uint32_t image)
{
	uint16_t *frame = (uint16_t *)(start.esp -= 6);

	*gdt_entry(X1) = segment(level ? CODE3 : CODE0, 0xffff, level ? 0xfb : 0x9b, 4);
	*(uint16_t *)((level ? CODE3 : CODE0) + 0x100) = 0x0b0f;
	start.cs = X1 + level, start.eip = 0;
	frame[0] = 0x100, frame[1] = X1 + level, frame[2] = image;
	op(2, 0x66, 0xcf);
}

/* Every flag, from CPL 0 and 3 and IOPL 0 and 3, by 32 and 16 bits. VM stays
   out, TF would trap. */
static void flags(void)
{
	for (int small = 0; small < 2; small++)
		for (int level = 0; level <= 3; level += 3)
			for (int iopl = 0; iopl <= 3; iopl += 3)
				for (int set = 0; set < 2; set++) {
					uint32_t image = set ? 0x003cfed5 & ~0x10000u : 2;

					begin();
					if (level)
						user();
					start.eflags = (set ? 2 : 0x00240ed7) | iopl << 12;
					show_rf = 1;
					if (small) {
						small_frame(level, image);
					} else {
						uint32_t to = level ? CODE3 + 1 : CODE0 + 0x100;

						*(uint16_t *)(CODE0 + 0x100) = 0x0b0f;
						top(image), top(start.cs), top(to);
						op(1, 0xcf);
					}
					run("iret flags, %s cpl%d iopl%d %s", small ? "16 bit" : "32 bit", level, iopl,
					    set ? "all set" : "all clear");
				}
}

enum { at_limit, beyond_limit, small_stack, conforming, no_frame, half_frame, ring_1, release, places };
static const char *const place_names[] = {
	"eip at limit", "eip beyond limit", "ss 16 bit", "conforming dpl0 rpl3", "guard page, cs", "guard page, ss",
	"to cpl1", "imm16",
};

/* A return at the edge of something: of the code's limit, of what is mapped. */
static void edge(int retf, int where)
{
	uint32_t cs = CODE_3, ss = DATA_3, eip = CODE3 + 1;

	begin();
	*gdt_entry(X1) = segment(CODE3, 0x0f, 0xfb, 4);
	*gdt_entry(X2) = segment(0x300000, 0xffff, 0xf3, 0);
	*(uint16_t *)(CODE3 + 15) = 0x0b0f;
	switch (where) {
	case at_limit: cs = X1 + 3, eip = 0x0f; break;
	case beyond_limit: cs = X1 + 3, eip = 0x10; break;
	case small_stack: ss = X2 + 3; break;
	case conforming: cs = CONF_0 + 3; break;
	case release: eip = CODE3 + 3; break;
	case ring_1: cs = CODE_1, ss = DATA_1, *pte(CODE3) &= ~USER; break;
	}
	if (where == no_frame) {
		by_task(PF);
		start.esp = STACK0 - 4;
	} else {
		if (where == half_frame)
			start.esp = STACK0 + PAGE; /* SS:ESP would lie behind it */
		else
			top(ss), top(STACK3 + 0x400);
		if (where == release)
			top(0x77), top(0x88);
		if (!retf)
			top(2);
		top(cs), top(eip);
	}
	if (where == release)
		op(3, 0xca, 8, 0);
	else
		op(1, retf ? 0xcb : 0xcf);
	run("%s, %s", retf ? "retf" : "iret", place_names[where]);
}

/* What a return to CPL 3 leaves in the data segments, and from where it reads. */
static void outward(void)
{
	static const struct { const char *name; uint32_t ds, es, fs, gs; } data[] = {
		{ "kernel data", DATA_0, DATA_0, DATA_0, DATA_0 },
		{ "user data", DATA_3, DATA_3, DATA_3 - 3, DATA_3 - 3 },
		{ "mixed", CONF_0, CODE_0, CODE_3, 0 },
		{ "null with rpl", DATA_0, 1, 2, 3 },
		{ "ring 1", DATA_1, DATA_1, CODE_1, CONF_3 },
	};
	for (int retf = 0; retf < 2; retf++) {
		for (unsigned i = 0; i < sizeof data / sizeof *data; i++) {
			begin();
			start.ds = data[i].ds, start.es = data[i].es, start.fs = data[i].fs, start.gs = data[i].gs;
			top(DATA_3), top(STACK3 + 0x400);
			if (!retf)
				top(2);
			top(CODE_3), top(CODE3 + 1);
			op(1, retf ? 0xcb : 0xcf);
			run("%s to cpl3, %s", retf ? "retf" : "iret", data[i].name);
		}
		for (int where = 0; where < places - !retf; where++)
			edge(retf, where);
	}
}

static void nested(void)
{
	static const struct { const char *name; int link, busy, limit; } links[] = {
		{ "good", TSS2_SEL, 0x8b, 103 }, { "not busy", TSS2_SEL, 0x89, 103 }, { "null", 0, 0x8b, 103 },
		{ "ldt", TSS2_SEL | 4, 0x8b, 103 }, { "beyond", BEYOND, 0x8b, 103 }, { "absent", TSS2_SEL, 0x0b, 103 },
		{ "code", CODE_0, 0x8b, 103 }, { "limit", TSS2_SEL, 0x8b, 102 }, { "rpl3", TSS2_SEL + 3, 0x8b, 103 },
		{ "itself", TSS_SEL, 0x8b, 103 },
	};
	for (unsigned i = 0; i < sizeof links / sizeof *links; i++)
		for (int level = 0; level <= 3; level += 3) {
			begin();
			if (level)
				user();
			start.eflags |= 0x4000;
			*(uint32_t *)TSS = links[i].link;
			*gdt_entry(TSS2_SEL) = segment(TSS2, links[i].limit, links[i].busy, 0);
			if (links[i].link != TSS_SEL)
				op(1, 0xcf);
			else
				op(1, 0xcf), ((uint32_t *)TSS)[8] = stub(0x52), ((uint32_t *)TSS)[9] = 2;
			run("iret nt cpl%d, link %s", level, links[i].name);
		}
}

static void to_vm86(void)
{
	static const struct { const char *name; uint32_t cs, eip, flags; int level; } images[] = {
		{ "from cpl0", 0x1000, 1, 0x20002, 0 }, { "iopl3 and more", 0x1000, 1, 0x1a7202, 0 },
		{ "eip beyond", 0x1000, 0x10000, 0x20002, 0 }, { "from cpl3", CODE_3, CODE3 + 1, 0x20002, 3 },
		{ "high halves set", 0xabcd1000, 1, 0x20002, 0 },
	};
	for (unsigned i = 0; i < sizeof images / sizeof *images; i++) {
		begin();
		if (images[i].level)
			user();
		else
			top(0x1234), top(0x5678), top(0x9abc), top(0xdef0), top(0x1100), top(0x800);
		top(images[i].flags), top(images[i].cs), top(images[i].eip);
		op(1, 0xcf);
		run("iret to vm86, %s", images[i].name);
	}
	begin();
	start.esp = STACK0 + PAGE - 12;
	*(uint32_t *)(start.esp) = 1, *(uint32_t *)(start.esp + 4) = 0x1000, *(uint32_t *)(start.esp + 8) = 0x20002;
	op(1, 0xcf);
	run("iret to vm86, frame across the page's end");
}

void irets(void)
{
	flags();
	outward();
	nested();
	to_vm86();
}

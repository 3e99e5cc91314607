/* pairs.c: a first event whose delivery meets a second one: which of the two
   is delivered, or #DF. [SDM 3A, Interrupt 8—Double Fault Exception (#DF)] */
#include "cases.h"

static const struct first { const char *name; int vector, bytes; uint8_t code[8]; } firsts[] = {
	{ "int n", INTN, 2, { 0xcd, INTN } },
	{ "int3", BP, 1, { 0xcc } },
	{ "#DE", DE, 4, { 0x31, 0xc9, 0xf7, 0xf1 } },
	{ "#UD", UD, 2, { 0x0f, 0x0b } },
	{ "#BR", BR, 6, { 0x62, 0x05, 0x10, 0x00, 0x31, 0x00 } },
	{ "#NP", NP, 6, { 0x66, 0xb8, X2 + 3, 0x00, 0x8e, 0xd8 } },
	{ "#SS", SS, 6, { 0x66, 0xb8, X2 + 3, 0x00, 0x8e, 0xd0 } },
	{ "#GP", GP, 6, { 0x66, 0xb8, 0xf8, 0x07, 0x8e, 0xd8 } },
	{ "#PF", PF, 5, { 0xa1, 0x00, 0x00, 0x50, 0x00 } },
};

enum { no_gate, absent_gate, null_code, absent_code, ldt_page, no_stack, absent_stack, guard_page, seconds };
static const char *const second_names[] = {
	"#GP gate type", "#NP gate", "#GP null code", "#NP code", "#PF table", "#TS stack", "#SS stack", "#PF stack",
};

static void prepare(const struct first *f, int level)
{
	begin();
	if (level)
		user();
	for (int i = 0; i < f->bytes; i++)
		op(1, !level && f->vector == SS && i == 2 ? X3 : f->code[i]);
	*gdt_entry(X2) = 0x00cf73000000ffff; /* absent data */
	*gdt_entry(X1) = 0x00cf1b000000ffff; /* absent code */
	*gdt_entry(X3) = 0x00cf13000000ffff; /* absent stack */
	*(uint32_t *)(DATA + 16) = 1;        /* BOUND's lower limit */
	*(uint32_t *)(DATA + 20) = 2;
}

static void second(int how, int vector)
{
	uint32_t *tss = (uint32_t *)TSS;

	switch (how) {
	case no_gate:
		*idt_entry(vector) = gate(CODE_0, stub(vector), 0xec);
		break;
	case absent_gate:
		*idt_entry(vector) = gate(CODE_0, stub(vector), 0x6e);
		break;
	case null_code:
		*idt_entry(vector) = gate(0, stub(vector), 0xee);
		break;
	case absent_code:
		*idt_entry(vector) = gate(X1, stub(vector), 0xee);
		break;
	case ldt_page:
		*idt_entry(vector) = gate(LDT_CODE_0, stub(vector), 0xee);
		*pte(LDT) = 0;
		break;
	case no_stack:
		tss[2] = 0;
		break;
	case absent_stack:
		tss[2] = X3;
		break;
	case guard_page:
		tss[1] = STACK0 + 4;
		break;
	}
}

/* Three in a row: INT n meets a, which meets b, which is #DF or not. */
static void chains(void)
{
	static const uint8_t vectors[] = { GP, NP, GP, NP, PF };

	for (int a = no_gate; a <= ldt_page; a++)
		for (int b = no_gate; b <= ldt_page; b++) {
			if (vectors[a] == vectors[b] && a != b)
				continue;
			prepare(&firsts[0], 3);
			second(a, INTN);
			second(b, vectors[a]);
			run("pair int n, %s, %s", second_names[a], second_names[b]);
		}
}

void pairs(void)
{
	for (int level = 0; level <= 3; level += 3)
		for (unsigned f = 0; f < sizeof firsts / sizeof *firsts; f++)
			for (int how = 0; how < seconds; how++) {
				if (level == 0 && how >= no_stack)
					continue;
				prepare(&firsts[f], level);
				second(how, firsts[f].vector);
				for (int v = TS; v <= PF && how >= no_stack; v++)
					if (v != firsts[f].vector)
						by_task(v);
				run("pair %s cpl%d, %s", firsts[f].name, level, second_names[how]);
			}
	chains();
}

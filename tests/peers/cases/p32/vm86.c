/* vm86.c: which instructions of VM86 mode trap, by IOPL, and how its
   interrupts reach the handler. [SDM 3B, 8086 Emulation] */
#include "cases.h"

static void begin_vm86(int iopl)
{
	begin();
	start.eflags = 0x20202 | iopl << 12;
	start.cs = 0x1000, start.eip = 0;
	start.ss = 0x1100, start.esp = 0x800;
	start.ds = 0xd5d5, start.es = 0xe5e5, start.fs = 0xf5f5, start.gs = 0x6565;
}

static const struct { const char *name; int bytes; uint8_t code[8]; } ops[] = {
	{ "cli", 1, { 0xfa } }, { "sti", 1, { 0xfb } }, { "pushf", 1, { 0x9c } }, { "popf", 1, { 0x9d } },
	{ "pushfd", 2, { 0x66, 0x9c } }, { "popfd", 2, { 0x66, 0x9d } },
	{ "iret", 1, { 0xcf } }, { "iretd", 2, { 0x66, 0xcf } }, { "int n", 2, { 0xcd, INTN } }, { "int 3", 2, { 0xcd, 0x03 } },
	{ "int3", 1, { 0xcc } }, { "into", 3, { 0xb0, 0x7f, 0xce } }, { "into, overflow", 5, { 0xb0, 0x7f, 0x04, 0x01, 0xce } },
	{ "hlt", 1, { 0xf4 } }, { "in 21", 2, { 0xe4, 0x21 } }, { "in 90", 2, { 0xe4, 0x90 } }, { "out", 2, { 0xe6, 0x80 } }, { "insb", 1, { 0x6c } },
	{ "inw 87", 2, { 0xe5, 0x87 } }, { "in 3ff8", 4, { 0xba, 0xf8, 0x3f, 0xec } },
	{ "mov cr0", 3, { 0x0f, 0x20, 0xc0 } }, { "mov dr0", 3, { 0x0f, 0x21, 0xc0 } }, { "lmsw", 3, { 0x0f, 0x01, 0xf0 } },
	{ "smsw", 3, { 0x0f, 0x01, 0xe0 } }, { "clts", 2, { 0x0f, 0x06 } }, { "invd", 2, { 0x0f, 0x08 } },
	{ "sldt", 3, { 0x0f, 0x00, 0xc0 } }, { "lldt", 3, { 0x0f, 0x00, 0xd0 } }, { "ltr", 3, { 0x0f, 0x00, 0xd8 } }, { "str", 3, { 0x0f, 0x00, 0xc8 } },
	{ "verr", 3, { 0x0f, 0x00, 0xe0 } }, { "lar", 3, { 0x0f, 0x02, 0xc0 } }, { "lsl", 3, { 0x0f, 0x03, 0xc0 } }, { "arpl", 2, { 0x63, 0xc0 } },
	{ "sgdt", 5, { 0x0f, 0x01, 0x06, 0, 2 } }, { "lgdt", 5, { 0x0f, 0x01, 0x16, 0, 2 } }, { "invlpg", 5, { 0x0f, 0x01, 0x3e, 0, 2 } },
	{ "rdmsr", 2, { 0x0f, 0x32 } }, { "wbinvd", 2, { 0x0f, 0x09 } }, { "rdtsc", 0, { 0 } }, { "lock nop", 2, { 0xf0, 0x90 } },
	{ "mov ds", 4, { 0x31, 0xc0, 0x8e, 0xd8 } }, { "load ffff", 5, { 0x66, 0xa1, 0xfe, 0xff } },
	{ "jmp far", 5, { 0xea, 0x10, 0, 0, 0x10 } }, { "call far", 5, { 0x9a, 0x10, 0, 0, 0x10 } }, { "retf", 1, { 0xcb } },
	{ "ud2", 2, { 0x0f, 0x0b } }, { "div", 4, { 0x31, 0xc9, 0xf7, 0xf1 } },
	{ "push at 1", 4, { 0xbc, 1, 0, 0x50 } },
	{ "pop ss at ffff", 4, { 0xbc, 0xff, 0xff, 0x17 } },
	{ "sysenter", 2, { 0x0f, 0x34 } },
};

static void instructions(void)
{
	for (unsigned i = 0; i < sizeof ops / sizeof *ops; i++)
		for (int iopl = 0; iopl <= 3; iopl += 3) {
			uint16_t *stack = (uint16_t *)(V86_STACK + 0x800);

			begin_vm86(iopl);
			for (int b = 0; b < ops[i].bytes; b++)
				op(1, ops[i].code[b]);
			/* Something for POPF, IRET and RETF to take. */
			stack[0] = 0x3010, stack[1] = 0x1000, stack[2] = 0x7ed5, stack[3] = 0;
			if (ops[i].code[ops[i].bytes - 1] == 0xcb)
				stack[0] = 0x10;
			if (ops[i].code[0] == 0xcf)
				stack[0] = 0x10, stack[2] = 0x4ed5;
			if (ops[i].code[1] == 0xcf)
				stack[0] = 0x10, stack[1] = 0, stack[2] = 0x1000, stack[4] = 0x7ed7 & ~0x100, stack[5] = 0x3d;
			if (ops[i].code[0] == 0x9d || ops[i].code[1] == 0x9d)
				stack[0] = 0x7ed5, stack[1] = 0x003c;
			*(uint16_t *)(V86_CODE + 0x10) = 0x0b0f;
			/* Port 80 is allowed, 88 and above are not. */
			((uint32_t *)TSS)[25] = 104 << 16;
			tss_limit = 104 + 18;
			*(uint32_t *)(TSS + 104 + 16) = 0xffffff00;
			run("vm86 iopl%d %s", iopl, ops[i].name);
		}
}

static void interrupts(void)
{
	static const struct { const char *name; int selector, access; uint32_t offset; } gates[] = {
		{ "interrupt gate", CODE_0, 0xee, 0 }, { "trap gate", CODE_0, 0xef, 0 }, { "dpl0", CODE_0, 0x8e, 0 },
		{ "absent", CODE_0, 0x6e, 0 }, { "task gate", TSS2_SEL, 0xe5, 0 }, { "conforming", CONF_0, 0xee, 0 },
		{ "conforming dpl3", CONF_3, 0xee, 0 }, { "to cpl1", CODE_1, 0xee, 0 }, { "to cpl3", CODE_3, 0xee, 0 },
		{ "null", 0, 0xee, 0 }, { "16-bit gate", X1, 0xe6, 1 }, { "16-bit trap gate", X1, 0xe7, 1 },
	};
	static const struct { const char *name; int vector, bytes; uint8_t code[2]; } by[] = {
		{ "int n", INTN, 2, { 0xcd, INTN } }, { "int3", BP, 1, { 0xcc } }, { "ud2", UD, 2, { 0x0f, 0x0b } }, { "hlt", GP, 2, { 0x0f, 0x06 } },
	};
	for (int iopl = 0; iopl <= 3; iopl += 3)
		for (unsigned c = 0; c < sizeof by / sizeof *by; c++)
			for (unsigned i = 0; i < sizeof gates / sizeof *gates; i++) {
				begin_vm86(iopl);
				op(by[c].bytes, by[c].code[0], by[c].code[1]);
				*gdt_entry(X1) = segment(STUBS, 0xffff, 0x9b, 4);
				*idt_entry(by[c].vector) = gate(gates[i].selector, gates[i].offset ? 32u * by[c].vector : stub(by[c].vector), gates[i].access);
				run("vm86 iopl%d %s, %s", iopl, by[c].name, gates[i].name);
			}
}

static void stack_switch(void)
{
	static const struct { const char *name; int selector; uint32_t esp; uint64_t x1; } inner[] = {
		{ "null", 0, 0x307f00, 0 }, { "rpl3", DATA_0 + 3, 0x307f00, 0 }, { "absent", X1, 0x307f00, 0x00cf13000000ffff },
		{ "room for nine words", X1, 36, 0x004093307f000fff }, { "room for eight words", X1, 32, 0x004093307f000fff },
		{ "guard page", DATA_0, 0x307000, 0 }, { "guard page after eight words", DATA_0, 0x307020, 0 },
		{ "16 bit", X1, 0x55557f00, 0x000093300000ffff },
	};
	for (unsigned i = 0; i < sizeof inner / sizeof *inner; i++) {
		begin_vm86(3);
		for (int v = TS; v <= PF; v++)
			by_task(v);
		op(2, 0xcd, INTN);
		*gdt_entry(X1) = inner[i].x1;
		((uint32_t *)TSS)[1] = inner[i].esp, ((uint32_t *)TSS)[2] = inner[i].selector;
		run("vm86 int n, ss0 %s", inner[i].name);
	}
}

void vm86(void)
{
	instructions();
	interrupts();
	stack_switch();
}

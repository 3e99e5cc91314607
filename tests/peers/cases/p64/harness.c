/* harness.c: the tables that every case starts with, and the line it ends in. */
#include "cases.h"

struct start start;
struct record record;
word gdt_limit, idt_limit, tss_limit, efer;
int show_rf;
const char *const level_names[] = { "cpl0", "cpl3", "compat" };

void enter(void);
extern char caught[];

#define PATTERN 0xa5a5a5a5a5a5a5a5ul

static uint64_t old_gdt[128], old_ldt[16];
static int code_length;
static struct { const char *name; uint64_t *entry; } watched[8];
static int watches;

static void fill(word at, word bytes, word value)
{
	__asm__ volatile("rep stosq" : "+D"(at), "+c"((word){ bytes / 8 }) : "a"(value) : "memory");
}

static void copy_words(word to, const void *from, word bytes)
{
	__asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"((word){ bytes / 8 }) :: "memory");
}

uint64_t segment(uint32_t base, uint32_t limit, int access, int flags)
{
	return (limit & 0xffff) | (uint64_t)(base & 0xffffff) << 16 | (uint64_t)access << 40 |
	       (uint64_t)(limit >> 16 & 15) << 48 | (uint64_t)flags << 52 |
	       (uint64_t)(base >> 24) << 56;
}

void set_gate64(int vector, int selector, word offset, int access, int ist)
{
	uint64_t *g = idt_entry(vector);

	g[0] = (offset & 0xffff) | (uint64_t)selector << 16 | (uint64_t)ist << 32 |
	       (uint64_t)access << 40 | (offset >> 16 & 0xffff) << 48;
	g[1] = offset >> 32;
}

word stub(int vector)
{
	return STUBS + 32 * vector;
}

static void make_stub(int vector)
{
	uint8_t *p = (uint8_t *)stub(vector);
	uint32_t to = (uint32_t)(word)caught;

	*p++ = 0x0f, *p++ = 0x23, *p++ = 0xc0; /* mov %rax, %dr0 */
	*p++ = 0xb8;                           /* mov $vector, %eax */
	copy(p, &vector, 4);
	p += 4;
	*p++ = 0x0f, *p++ = 0x23, *p++ = 0xc8; /* mov %rax, %dr1 */
	*p++ = 0x8c, *p++ = 0xc8;              /* mov %cs, %eax */
	*p++ = 0x0f, *p++ = 0x23, *p++ = 0xd8; /* mov %rax, %dr3 */
	*p++ = 0xb8;                           /* mov $caught, %eax */
	copy(p, &to, 4);
	p += 4;
	*p++ = 0xff, *p++ = 0xe0; /* jmp *%rax */
}

static uint64_t *touched[64];
static int touches;

uint64_t *pte(word linear)
{
	return touched[touches++] = (uint64_t *)PT + linear / PAGE;
}

static void make_entry(uint64_t *entry)
{
	static const uint32_t for_user[] = { STACK3, CODE3, DATA };
	word page = (entry - (uint64_t *)PT) * PAGE;

	*entry = page | 0x63;
	for (unsigned i = 0; i < sizeof for_user / 4; i++)
		if (for_user[i] == page)
			*entry |= USER;
	if (page == STACK0 - PAGE || page == STACK0 + PAGE)
		*entry = 0;
}

void paging_begin(void)
{
	uint64_t *own = (uint64_t *)OWN;

	fill(OWN, 3 * PAGE, 0);
	own[0] = (OWN + PAGE) | 0x63;
	own[512] = (OWN + 2 * PAGE) | 0x63;
	own[1024] = 0x0000e3, own[1025] = 0x2000e3;
	paging_on((entry *)OWN);

	fill(PML4, 3 * PAGE, 0);
	fill(PDPT1, 3 * PAGE, 0);
	for (int i = 0; i < 1024; i++)
		make_entry((uint64_t *)PT + i);
	for (int v = 0; v < 256; v++)
		make_stub(v);
}

static void make_tables(void)
{
	*gdt_entry(CODE_0) = segment(0, 0xfffff, 0x9b, 10);
	*gdt_entry(DATA_0) = segment(0, 0xfffff, 0x93, 12);
	*gdt_entry(CODE_3) = segment(0, 0xfffff, 0xfb, 10);
	*gdt_entry(DATA_3) = segment(0, 0xfffff, 0xf3, 12);
	*gdt_entry(COMPAT_3) = segment(0, 0xfffff, 0xfb, 12);
	*gdt_entry(COMPAT_0) = segment(0, 0xfffff, 0x9b, 12);
	*gdt_entry(CONF_0) = segment(0, 0xfffff, 0x9f, 10);
	*gdt_entry(CONF_3) = segment(0, 0xfffff, 0xff, 10);
	*gdt_entry(CODE_1) = segment(0, 0xfffff, 0xbb, 10);
	*gdt_entry(DATA_1) = segment(0, 0xfffff, 0xb3, 12);
	*gdt_entry(LDT_CODE_0) = segment(0, 0xfffff, 0x9b, 10);
	*gdt_entry(LDT_DATA_0) = segment(0, 0xfffff, 0x93, 12);
}

static void make_idt(void)
{
	static uint64_t first[512];

	if (!first[0]) {
		for (int v = 0; v < 256; v++)
			set_gate64(v, CODE_0, stub(v), v == BP || v >= 32 ? 0xee : 0x8e, 0);
		set_gate64(DF, CODE_0, stub(DF), 0x8e, 1);
		copy_words((word)first, (void *)IDT, sizeof first);
	}
	copy_words(IDT, first, sizeof first);
}

void begin(void)
{
	*(uint64_t *)PML4 = PDPT | 0x67;
	((uint64_t *)PML4)[1] = PDPT1 | 7;
	*(uint64_t *)PDPT = PD | 0x67;
	((uint64_t *)PD)[0] = PT | 0x67;
	((uint64_t *)PD)[1] = (PT + PAGE) | 0x67;
	*(uint64_t *)PDPT1 = PD1 | 7;
	*(uint64_t *)PD1 = PT1 | 7;
	*(uint64_t *)PT1 = DATA | 7;
	*(uint64_t *)(PT1 + 8) = (DATA + PAGE) | 7;
	while (touches)
		make_entry(touched[--touches]);

	fill(GDT, 0x400, 0);
	fill(LDT, 0x80, 0);
	make_tables();
	make_idt();
	gdt_limit = 0x3ff, idt_limit = 0xfff, tss_limit = 103;
	fill(TSS, 128, 0);
	RSP0 = STACK0 + 0xf00;
	RSP1 = STACK0 + 0xd00;
	IST(1) = IST1 + PAGE - 16;
	IST(2) = IST2 + PAGE - 16;
	IST(7) = IST2 + 0x800;

	fill(STACK0, PAGE, PATTERN);
	fill(STACK3 + 0x380, 0x100, PATTERN);
	fill(STACK3 + 0x700, 0x180, PATTERN);
	fill(IST1 + PAGE - 0x100, 0x100, PATTERN);
	fill(IST2 + PAGE - 0x100, 0x100, PATTERN);
	fill(IST2 + 0x700, 0x100, PATTERN);
	fill(DATA, 0x40, 0);

	fill((word)&start, sizeof start, 0);
	start.cs = CODE_0;
	start.ss = start.ds = start.es = DATA_0;
	start.ip = CODE0;
	start.sp = STACK0 + 0x800;
	start.flags = 2;
	start.cr0 = 0x80010011;
	start.cr3 = PML4;
	start.cr4 = 0x20;
	start.ax = 0x1122334455667788;
	start.cx = 0xcccc0001;
	start.dx = 0xdddd0002;
	start.bx = 0xbbbb0003;
	start.si = 0x51510004;
	start.di = 0xd1d10005;
	start.bp = 0xbbbb0006;
	efer = 0xd00;
	code_length = 0;
	op(2, 0x0f, 0x0b);
	code_length = 0;
	watches = 0;
	show_rf = 0;
}

void level(int which)
{
	if (which == kernel)
		return;
	start.cs = which == compat ? COMPAT_3 : CODE_3;
	start.ss = start.ds = start.es = DATA_3;
	start.ip = CODE3;
	start.sp = STACK3 + 0x800;
	start.ax = 0x11223344;
}

static void put_code(int byte)
{
	static const word places[] = { CODE0, CODE3 };

	for (int i = 0; i < 2; i++) {
		uint8_t *p = (uint8_t *)places[i] + code_length;
		p[0] = byte, p[1] = 0x0f, p[2] = 0x0b;
	}
	code_length++;
}

#include "../code.h"

void top(word value)
{
	start.sp -= 8;
	*(word *)start.sp = value;
}

void by_ist(int vector)
{
	set_gate64(vector, CODE_0, stub(vector), 0x8e, 2);
}

void all_by_ist(void)
{
	for (int v = TS; v <= PF; v++)
		by_ist(v);
}

void watch(const char *name, void *entry)
{
	watched[watches].name = name;
	watched[watches].entry = entry;
	watches++;
}

void run_quiet(void)
{
	struct table_register gdtr = { gdt_limit, GDT }, idtr = { idt_limit, IDT };

	__asm__ volatile("wrmsr" ::"c"(0xc0000080), "a"((uint32_t)efer), "d"(0));
	gdt_entry(TSS_SEL)[0] = segment(TSS, tss_limit, 0x89, 0);
	gdt_entry(TSS_SEL)[1] = 0;
	gdt_entry(LDT_SEL)[0] = segment(LDT, 0x1f, 0x82, 0);
	gdt_entry(LDT_SEL)[1] = 0;
	__asm__ volatile("lgdt %0; lidt %1; ltr %w2; lldt %w3"
			 ::"m"(gdtr), "m"(idtr), "r"(TSS_SEL), "r"(LDT_SEL) : "memory");
	copy_words((word)old_gdt, (void *)GDT, sizeof old_gdt);
	copy_words((word)old_ldt, (void *)LDT, sizeof old_ldt);
	fill((word)&record, sizeof record, 0);
	enter();
}

const word *frame(void)
{
	return (const word *)record.sp;
}

static int in_memory(const word *p)
{
	return (word)p >= 0x10000 && (word)p < KERNEL_END - 64;
}

int has_code(void)
{
	return record.vector == DF || (record.vector >= TS && record.vector <= PF) || record.vector == AC;
}

void report(void)
{
	static const char *const names[] = { "ax", "cx", "dx", "bx", 0, "bp", "si", "di", "r8",
					     "es", 0, 0, "ds", "fs", "gs" };
	const word *f = frame(), *was = &start.ax, *is = &record.ax;
	uint16_t tr;

	print(": %02lx cs=%lx fl=%lx ss:sp=%lx:%08lx [", record.vector, record.cs, record.flags, record.ss, record.sp);
	for (int i = 0; i < 24 && in_memory(f + i) && f[i] != PATTERN; i++) {
		word w = f[i];
		if (i == 2 + has_code() && !show_rf)
			w &= ~0x10000ul;
		print(i ? " %lx" : "%lx", w);
	}
	print("]");
	for (int i = 0; i < 15; i++)
		if (names[i] && was[i] != is[i])
			print(" %s=%lx", names[i], is[i]);
	if (record.cr2 != 0x11111111)
		print(" cr2=%lx", record.cr2);
	__asm__ volatile("str %0" : "=r"(tr));
	if (tr != TSS_SEL)
		print(" tr=%lx", (word)tr);
	__asm__ volatile("sldt %0" : "=r"(tr));
	if (tr != LDT_SEL)
		print(" ldtr=%lx", (word)tr);
	for (int i = 0; i < 128; i++)
		if (((uint64_t *)GDT)[i] != old_gdt[i])
			print(" gdt[%lx]=%02lx", (word)i * 8, ((uint64_t *)GDT)[i] >> 40 & 255);
	for (int i = 0; i < 16; i++)
		if (((uint64_t *)LDT)[i] != old_ldt[i])
			print(" ldt[%lx]=%02lx", (word)i * 8, ((uint64_t *)LDT)[i] >> 40 & 255);
	for (int i = 0; i < watches; i++)
		print(" %s=%lx", watched[i].name, *watched[i].entry);
	print("\n");
}

int descriptor_changed(int selector)
{
	return *gdt_entry(selector) != (selector & 4 ? old_ldt : old_gdt)[selector / 8];
}

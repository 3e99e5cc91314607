/* harness.c: the tables that every case starts with, and the line it ends in. */
#include "cases.h"

struct start start;
struct record record;
uint32_t gdt_limit, idt_limit, ldt_limit, tss_limit;
int tss_type, efer;
int show_rf;

extern struct far_pointer { uint32_t offset, selector; } stack_pointer, code_pointer;
void enter(void);
extern char caught[];

#define PATTERN 0xa5a5a5a5u
#define PD_PAGE 0x200000
#define PT_PAGE 0x201000
#define OWN_PD  0x202000
#define OWN_PT  0x203000

static uint64_t old_gdt[128], old_ldt[16];
static uint32_t old_tss[2][26];
static int code_length;

static struct { const char *name; uint32_t *entry; uint32_t old; } watched[8];
static int watches;

static void fill(uint32_t at, uint32_t bytes, uint32_t value)
{
	__asm__ volatile("rep stosl" : "+D"(at), "+c"((uint32_t){ bytes / 4 }) : "a"(value) : "memory");
}

static void copy_words(uint32_t to, const void *from, uint32_t bytes)
{
	__asm__ volatile("rep movsl" : "+D"(to), "+S"(from), "+c"((uint32_t){ bytes / 4 }) :: "memory");
}

uint64_t segment(uint32_t base, uint32_t limit, int access, int flags)
{
	return (limit & 0xffff) | (uint64_t)(base & 0xffffff) << 16 | (uint64_t)access << 40 |
	       (uint64_t)(limit >> 16 & 15) << 48 | (uint64_t)flags << 52 |
	       (uint64_t)(base >> 24) << 56;
}

uint64_t gate(int selector, uint32_t offset, int access)
{
	return (offset & 0xffff) | (uint32_t)selector << 16 | (uint64_t)access << 40 |
	       (uint64_t)(offset >> 16) << 48;
}

uint32_t stub(int vector)
{
	return STUBS + 32 * vector;
}

static void make_stub(int vector)
{
	uint8_t *p = (uint8_t *)stub(vector);
	uint32_t to = (uint32_t)caught;

	*p++ = 0x0f, *p++ = 0x23, *p++ = 0xc0; /* mov %eax, %dr0 */
	*p++ = 0xb8;                           /* mov $vector, %eax */
	copy(p, &vector, 4);
	p += 4;
	*p++ = 0x0f, *p++ = 0x23, *p++ = 0xc8; /* mov %eax, %dr1 */
	*p++ = 0x8c, *p++ = 0xc8;              /* mov %cs, %eax */
	*p++ = 0x0f, *p++ = 0x23, *p++ = 0xd8; /* mov %eax, %dr3 */
	*p++ = 0xea;                           /* ljmp $CODE_0, $caught */
	copy(p, &to, 4);
	p[4] = CODE_0, p[5] = 0;
}

static void make_task(uint32_t at, uint32_t eip)
{
	uint32_t *t = (uint32_t *)at;

	fill(at, 128, 0);
	t[1] = STACK0 + 0xf00, t[2] = DATA_0;
	t[3] = STACK1 + 0xf00, t[4] = DATA_1;
	t[7] = PD_PAGE;
	t[8] = eip;
	t[9] = 2;
	t[14] = TASK_STACK + PAGE - 16;
	t[18] = t[20] = t[21] = t[22] = t[23] = DATA_0;
	t[19] = CODE_0;
	t[25] = 104 << 16;
}

/* Entries that a case has asked for, to be put right for the next one. */
static uint32_t *touched[64];
static int touches;

uint32_t *pte(uint32_t linear)
{
	return touched[touches++] = (uint32_t *)PT_PAGE + linear / PAGE;
}

static void make_entry(uint32_t *entry)
{
	static const uint32_t for_user[] = { V86_CODE, V86_STACK, STACK3, CODE3, DATA };
	uint32_t page = (entry - (uint32_t *)PT_PAGE) * PAGE;

	*entry = page | 0x63;
	for (unsigned i = 0; i < sizeof for_user / 4; i++)
		if (for_user[i] == page)
			*entry |= USER;
	if (page == STACK0 - PAGE || page == STACK0 + PAGE)
		*entry = 0;
}

static void make_pages(void)
{
	static int made;

	if (!made)
		for (int i = 0; i < 1024; i++)
			make_entry((uint32_t *)PT_PAGE + i);
	made = 1;
	while (touches)
		make_entry(touched[--touches]);
	*(uint32_t *)PD_PAGE = PT_PAGE | 0x67;
}

static uint64_t first_idt[256];

static void make_idt(void)
{
	if (!first_idt[0]) {
		for (int v = 0; v < 256; v++) {
			make_stub(v);
			first_idt[v] = gate(CODE_0, stub(v), v < 32 ? 0x8e : 0xee);
		}
		first_idt[BP] = gate(CODE_0, stub(BP), 0xee);
		first_idt[OF] = gate(CODE_0, stub(OF), 0xee);
	}
	copy_words(IDT, first_idt, sizeof first_idt);
	by_task(DF);
}

/* Stacks hold a pattern where cases put their frames, so that a report can
   tell where a frame ends. */
static void make_stack(uint32_t at)
{
	fill(at, 0x40, PATTERN);
	fill(at + 0x3c0, 0x80, PATTERN);
	fill(at + 0x700, 0x140, PATTERN);
	fill(at + 0xe80, 0x180, PATTERN);
}

static void make_one_task(int vector)
{
	make_task(TASKS + 128 * vector, stub(vector));
	*gdt_entry(TASK + 8 * vector) = segment(TASKS + 128 * vector, 103, 0x89, 0);
}

/* paging_begin is for the harness: everything below KERNEL_END is there. */
void paging_begin(void)
{
	fill(OWN_PD, PAGE, 0);
	*(uint32_t *)OWN_PD = OWN_PT | 0x63;
	for (uint32_t a = 0; a < KERNEL_END; a += PAGE)
		((uint32_t *)OWN_PT)[a / PAGE] = a | 0x63;
	paging_on((entry *)OWN_PD);
}

void begin(void)
{
	make_pages();
	fill(GDT, 0x400, 0);
	fill(LDT, 0x80, 0);
	gdt_limit = 0x3ff, idt_limit = 0x7ff, ldt_limit = 0x1f, tss_limit = 103;
	*gdt_entry(CODE_0) = segment(0, 0xfffff, 0x9b, 12);
	*gdt_entry(DATA_0) = segment(0, 0xfffff, 0x93, 12);
	*gdt_entry(CODE_3) = segment(0, 0xfffff, 0xfb, 12);
	*gdt_entry(DATA_3) = segment(0, 0xfffff, 0xf3, 12);
	*gdt_entry(CODE_1) = segment(0, 0xfffff, 0xbb, 12);
	*gdt_entry(DATA_1) = segment(0, 0xfffff, 0xb3, 12);
	*gdt_entry(CONF_0) = segment(0, 0xfffff, 0x9f, 12);
	*gdt_entry(CONF_3) = segment(0, 0xfffff, 0xff, 12);
	*gdt_entry(LDT_CODE_0) = segment(0, 0xfffff, 0x9b, 12);
	*gdt_entry(LDT_DATA_0) = segment(0, 0xfffff, 0x93, 12);
	*gdt_entry(TSS2_SEL) = segment(TSS2, 103, 0x89, 0);
	make_task(TSS, 0);
	make_task(TSS2, stub(0x50));
	make_one_task(DF);
	for (int v = TS; v <= PF; v++)
		make_one_task(v);
	make_idt();

	fill(STACK0, PAGE, PATTERN);
	make_stack(STACK1);
	make_stack(STACK3);
	make_stack(V86_STACK);
	fill(TASK_STACK + PAGE - 0x100, 0x100, PATTERN);
	fill(DATA, 0x40, 0);

	fill((uint32_t)&start, sizeof start, 0);
	start.cs = CODE_0;
	start.ss = start.ds = start.es = start.fs = start.gs = DATA_0;
	start.eip = CODE0;
	start.esp = STACK0 + 0x800;
	start.eflags = 2;
	start.cr0 = 0x80010011;
	start.cr3 = PD_PAGE;
	start.cr4 = 0;
	start.eax = 0x11223344;
	start.ecx = 0xcccc0001;
	start.edx = 0xdddd0002;
	start.ebx = 0xbbbb0003;
	start.esi = 0x51510004;
	start.edi = 0xd1d10005;
	start.ebp = 0xbbbb0006;
	code_length = 0;
	op(2, 0x0f, 0x0b);
	code_length = 0;
	watches = 0;
	show_rf = 0;
	tss_type = 9;
	efer = 0;
}

void user(void)
{
	start.cs = CODE_3;
	start.ss = start.ds = start.es = start.fs = start.gs = DATA_3;
	start.eip = CODE3;
	start.esp = STACK3 + 0x800;
}

static void put_code(int byte)
{
	static const uint32_t places[] = { CODE0, CODE3, V86_CODE };

	for (int i = 0; i < 3; i++) {
		uint8_t *p = (uint8_t *)places[i] + code_length;
		p[0] = byte, p[1] = 0x0f, p[2] = 0x0b;
	}
	code_length++;
}

#include "../code.h"

void top(uint32_t value)
{
	start.esp -= 4;
	*(uint32_t *)start.esp = value;
}

void by_task(int vector)
{
	*idt_entry(vector) = gate(TASK + 8 * vector, 0, 0x85);
}

void all_by_task(void)
{
	for (int v = TS; v <= PF; v++)
		by_task(v);
}

void watch(const char *name, void *entry)
{
	watched[watches].name = name;
	watched[watches].entry = entry;
	watches++;
}

void write_msr(uint32_t msr, uint32_t value)
{
	__asm__ volatile("wrmsr" ::"c"(msr), "a"(value), "d"(0));
}

void run_quiet(void)
{
	struct table_register gdtr = { gdt_limit, GDT }, idtr = { idt_limit, IDT };

	write_msr(0xc0000080, efer);
	*gdt_entry(TSS_SEL) = segment(TSS, tss_limit, 0x80 | tss_type, 0);
	*gdt_entry(LDT_SEL) = segment(LDT, ldt_limit, 0x82, 0);
	__asm__ volatile("lgdt %0; lidt %1; ltr %w2; lldt %w3"
			 ::"m"(gdtr), "m"(idtr), "r"(TSS_SEL), "r"(LDT_SEL) : "memory");
	copy_words((uint32_t)old_gdt, (void *)GDT, sizeof old_gdt);
	copy_words((uint32_t)old_ldt, (void *)LDT, sizeof old_ldt);
	copy_words((uint32_t)old_tss[0], (void *)TSS, sizeof old_tss[0]);
	copy_words((uint32_t)old_tss[1], (void *)TSS2, sizeof old_tss[1]);
	for (int i = 0; i < watches; i++)
		watched[i].old = *watched[i].entry;
	stack_pointer.offset = start.esp;
	stack_pointer.selector = start.ss;
	code_pointer.offset = start.eip;
	code_pointer.selector = start.cs;
	fill((uint32_t)&record, sizeof record, 0);
	enter();
}

/* frame is where the handler's stack pointer points, through its segment. */
const uint32_t *frame(void)
{
	uint64_t d = *gdt_entry(record.ss);
	uint32_t base = (d >> 16 & 0xffffff) | (uint32_t)(d >> 56) << 24;
	uint32_t esp = d >> 54 & 1 ? record.esp : record.esp & 0xffff;

	return (const uint32_t *)(base + esp);
}

static int in_memory(const uint32_t *p)
{
	return (uint32_t)p >= 0x10000 && (uint32_t)p < KERNEL_END - 64;
}

int has_code(void)
{
	return record.vector == DF || (record.vector >= TS && record.vector <= PF) || record.vector == AC;
}

/* RF of a saved EFLAGS is left out unless the case is about it: one peer never
   sets it. */
static uint32_t without_rf(uint32_t w, int is_flags)
{
	return is_flags && !show_rf ? w & ~0x10000u : w;
}

static void tell_changes(void)
{
	static const char *const names[] = { "eax", "ecx", "edx", "ebx", 0, "ebp", "esi", "edi",
					     "es", 0, 0, "ds", "fs", "gs" };
	const uint32_t *was = &start.eax, *is = &record.eax;
	uint16_t tr;

	__asm__ volatile("str %0" : "=r"(tr));
	/* A new task has its own registers, mostly 0. */
	for (int i = 0; i < 14; i++)
		if (names[i] && was[i] != is[i] && (tr == TSS_SEL || is[i]))
			print(" %s=%lx", names[i], (word)is[i]);
	if (record.cr2 != 0x11111111)
		print(" cr2=%08lx", (word)record.cr2);
	if ((record.cr0 ^ start.cr0) & ~0x10u)
		print(" cr0=%lx", (word)record.cr0);
	if (record.cr3 != start.cr3)
		print(" cr3=%lx", (word)record.cr3);
	if (tr != TSS_SEL)
		print(" tr=%lx", (word)tr);
	__asm__ volatile("sldt %0" : "=r"(tr));
	if (tr != LDT_SEL)
		print(" ldtr=%lx", (word)tr);
	for (int i = 0; i < 128; i++)
		if (((uint64_t *)GDT)[i] != old_gdt[i])
			print(" gdt[%lx]=%02lx", (word)i * 8, (word)(((uint64_t *)GDT)[i] >> 40 & 255));
	for (int i = 0; i < 16; i++)
		if (((uint64_t *)LDT)[i] != old_ldt[i])
			print(" ldt[%lx]=%02lx", (word)i * 8, (word)(((uint64_t *)LDT)[i] >> 40 & 255));
	for (int t = 0; t < 2; t++)
		for (int i = 0; i < 26; i++) {
			uint32_t w = ((uint32_t *)(t ? TSS2 : TSS))[i];
			if (without_rf(w, i == 9) != without_rf(old_tss[t][i], i == 9) && (i < 10 || i == 14 || i > 17))
				print(" tss%d+%lx=%lx", t + 1, (word)i * 4, (word)without_rf(w, i == 9));
		}
	for (int i = 0; i < watches; i++)
		print(" %s=%lx", watched[i].name, (word)*watched[i].entry);
}

void report(void)
{
	const uint32_t *f = frame();

	print(": %02lx cs=%lx fl=%lx ss:sp=%lx:%08lx [", (word)record.vector, (word)record.cs,
	      (word)record.eflags, (word)record.ss, (word)record.esp);
	for (int i = 0; i < 40 && in_memory(f + i) && f[i] != PATTERN; i++)
		print(i ? " %lx" : "%lx", (word)without_rf(f[i], i == 2 + has_code()));
	print("]");
	tell_changes();
	print("\n");
}

int descriptor_changed(int selector)
{
	return *gdt_entry(selector) != (selector & 4 ? old_ldt : old_gdt)[selector / 8];
}

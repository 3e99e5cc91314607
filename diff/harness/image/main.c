/* main.c: takes cases from the table, one after the other, and reports each. */
#include "harness.h"

static struct table *table;
static struct state start;	/* of the case; the table is out of reach under paging */
static uint32_t present_world = ~0u;

/* Whether the processor has SSE2; this emulator's models have not. */
uint32_t has_sse;

/* What a reset leaves alone: which case was running. */
static struct progress {
	uint32_t magic, number, next;
	struct table *table;
} *const progress = (struct progress *)PROGRESS;

static void out(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" :: "a"(value), "Nd"(port));
}

static void copy(void *to, const void *from, uint32_t bytes)
{
	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(bytes) :: "memory");
}

static void copy_words(void *to, const void *from, uint32_t bytes)
{
	bytes /= 4;
	__asm__ volatile("rep movsl" : "+D"(to), "+S"(from), "+c"(bytes) :: "memory");
}

static void clear(void *at, uint32_t bytes)
{
	bytes /= 4;
	__asm__ volatile("rep stosl" : "+D"(at), "+c"(bytes) : "a"(0) : "memory");
}

/* A report: 0xA5, length, kind, what follows, sum of the bytes from the kind on. */
static uint8_t report[3 + 64 * 1024];
static uint32_t length;

#define MOST_WORDS 5000

static void put(const void *bytes, uint32_t n)
{
	copy(report + length, bytes, n);
	length += n;
}

static void put32(uint32_t v)
{
	put(&v, 4);
}

static void begin_report(char kind)
{
	length = 3;
	put(&kind, 1);
}

static void end_report(void)
{
	uint8_t sum = 0;
	const uint8_t *from = report;
	uint32_t n = length - 3;

	report[0] = 0xa5;
	report[1] = n;
	report[2] = n >> 8;
	for (uint32_t i = 3; i < length; i++)
		sum += report[i];
	put(&sum, 1);
	__asm__ volatile("rep outsb" : "+S"(from), "+c"(length) : "d"(0xe9) : "memory");
}

/* A processor that holds a 16-bit TSS, of the case before, does not enter IA-32e
   mode. The harness's own is never used. [SDM 3A, Initializing IA-32e Mode] */
static void load_task_register(void)
{
	static uint32_t tss[26];
	uint32_t base = (uint32_t)tss;

	own_gdt[OWN_TSS / 8] = (sizeof tss - 1) | (uint64_t)(base & 0xffffff) << 16 | 0x89ull << 40 |
			       (uint64_t)(base >> 24) << 56;
	__asm__ volatile("ltr %w0" :: "r"(OWN_TSS));
}

static uint32_t *positions(uint32_t at)
{
	return (uint32_t *)((char *)table + at);
}

static struct test *test(uint32_t i)
{
	return (struct test *)positions(positions(table->cases)[i]);
}

static void *world(uint32_t i)
{
	return (void *)(WORLDS + i * ARENA_SIZE);
}

/* Unpacks the arenas of all worlds. */
static void make_worlds(void)
{
	uint32_t worlds = (table->size - table->worlds) / 4;

	for (uint32_t i = 0; i < worlds && i < MOST_WORLDS; i++) {
		struct world *w = (struct world *)positions(positions(table->worlds)[i]);
		clear(world(i), ARENA_SIZE);
		for (uint32_t p = 0; p < w->pages; p++)
			copy_words(world(i) + 4096 * w->page[p].number, w->page[p].bytes, 4096);
	}
}

static void apply_patches(const struct test *t)
{
	const struct patch *p = (const struct patch *)(t + 1);

	for (uint32_t i = 0; i < t->patches; i++) {
		copy((void *)(START + p->at), p->bytes, p->length);
		copy((void *)(ARENA + p->at), p->bytes, p->length);
		p = (const struct patch *)(p->bytes + (p->length + 3) / 4 * 4);
	}
}

static void undo_patches(const struct test *t)
{
	const struct patch *p = (const struct patch *)(t + 1);

	for (uint32_t i = 0; i < t->patches; i++) {
		copy((void *)(START + p->at), world(t->world) + p->at, p->length);
		copy((void *)(ARENA + p->at), world(t->world) + p->at, p->length);
		p = (const struct patch *)(p->bytes + (p->length + 3) / 4 * 4);
	}
}

/* Puts the words of a page that have changed into the report, and puts them
   back. */
static uint32_t report_page(uint32_t number, uint32_t words)
{
	uint64_t *was = (uint64_t *)(START + 4096 * number), *is = (uint64_t *)(ARENA + 4096 * number);

	for (uint32_t i = 0; i < 512; i++) {
		if (was[i] == is[i])
			continue;
		if (words++ < MOST_WORDS) {
			uint16_t at = 512 * number + i;
			put(&at, 2);
			put(&is[i], 8);
		}
		is[i] = was[i];
	}
	return words;
}

static void report_memory(const struct test *t)
{
	uint32_t words = 0, at = length;

	length += 4;
	for (uint32_t p = 0; p < ARENA_SIZE / 4096; p++)
		if (t->pages >> p & 1 && page_differs((void *)(START + 4096 * p), (void *)(ARENA + 4096 * p)))
			words = report_page(p, words);
	copy(report + at, &words, 4);
}

static void report_state(const struct test *t)
{
	const uint64_t *was = (const uint64_t *)&t->start, *is = (const uint64_t *)&record;
	uint64_t changed = 0;

	for (uint32_t i = 0; i < SLOTS; i++)
		if (was[i] != is[i])
			changed |= 1ull << i;
	put(&changed, 8);
	for (uint32_t i = 0; i < SLOTS; i++)
		if (was[i] != is[i])
			put(&is[i], 8);
}

/* A fault of the IRET that was to begin the case comes to a collector too, by the
   case's gates: the stack pointer is still the harness's. */
static int has_begun(void)
{
	uint32_t sp = record.gpr[4];

	return sp < (uint32_t)own_stack || sp > (uint32_t)own_stack_top;
}

/* Tells of a page that has changed although no case was expected to change it. */
static void check_all(void)
{
	if (table->flags & BY_HOST || present_world == ~0u)
		return;
	for (uint32_t p = 0; p < ARENA_SIZE / 4096; p++) {
		if (page_differs((void *)(START + 4096 * p), (void *)(ARENA + 4096 * p))) {
			begin_report('d');
			put32(p);
			end_report();
			return;
		}
	}
}

/* Leads the collectors to the code of a mode. A write to code is slow on emulators. */
static void set_way(const char *to)
{
	uint32_t way = to - (char *)(&which_way + 1);

	if (which_way != way)
		which_way = way;
}

/* Begins a case, and comes back when it has ended. */
static void begin(const struct test *t)
{
	copy_words(&start, &t->start, sizeof start);
	if (table->flags & BY_HOST) {
		enter_by_host(&start);
		return;
	}
	load_task_register();
	clear(own_gdt + 3, OWN_TSS - 24);
	copy_words((char *)own_gdt + (start.tr & 0xff8), start.tr_descriptor, 16);
	if (!has_sse)
		start.how &= ~FULL_XMM;
	enter(&start);
}

static void run(uint32_t i)
{
	const struct test *t = test(i);

	if (t->world != present_world && !(table->flags & BY_HOST)) {
		check_all();
		present_world = t->world;
		copy_words((void *)START, world(t->world), ARENA_SIZE);
		copy_words((void *)ARENA, world(t->world), ARENA_SIZE);
	}
	if (!(table->flags & BY_HOST))
		apply_patches(t);
	copy_words(&record, &t->start, sizeof record);
	set_way(t->start.how & LONG_MODE ? collect64 : collect32);
	progress->next = i;
	begin(t);

	begin_report(vector >= NOT_BEGUN || !has_begun() ? 'n' : 'c');
	put32(i);
	put(&vector, 1);
	if (vector < NOT_BEGUN)
		record.rip += COLLECTORS + 32 * vector;
	if (!(t->start.how & LONG_MODE))
		record.rip = (uint32_t)record.rip;
	report_state(t);
	if (table->flags & BY_HOST) {
		put32(0);
	} else {
		report_memory(t);
		undo_patches(t);
	}
	end_report();
}

/* The end, as QEMU (and x86emu), Bochs, and a host that understands HLT have it. */
static void __attribute__((noreturn)) finish(void)
{
	check_all();
	begin_report('e');
	put32(table->number);
	end_report();
	out(0xf4, 0);
	for (const char *p = "Shutdown"; *p; p++)
		out(0x8900, *p);
	for (;;)
		__asm__ volatile("cli; hlt");
}

static void __attribute__((noreturn)) run_from(uint32_t i)
{
	for (; i < table->count; i++)
		run(i);
	finish();
}

/* Firmware looks into the CMOS after a reset: 0x0A there says to go on at the
   address in 40:67, in real mode. */
static void announce_reset(void)
{
	copy((void *)TRAMPOLINE, trampoline, trampoline_end - trampoline);
	__asm__ volatile("movl %0, 0x467" :: "r"(TRAMPOLINE / 16 << 16) : "memory");
	out(0x70, 0x8f);
	out(0x71, 0x0a);
}

static uint64_t gate(uint32_t selector, const char *to)
{
	return ((uint32_t)to & 0xffff) | selector << 16 | (uint64_t)((uint32_t)to >> 16 << 16 | 0x8e00) << 32;
}

static void make_gates(void)
{
	for (uint32_t v = 0; v < 32; v++) {
		own_idt32[v] = gate(0x08, not_begun_table32 + 8 * v);
		own_idt64[2 * v] = gate(0xff8, not_begun_table64 + 8 * v);
	}
}

static void hello(void)
{
	begin_report('h');
	put32(table->number);
	end_report();
}

struct multiboot {
	uint32_t flags, unused[4], modules;
	struct module {
		uint32_t begin, end, name, zero;
	} *module;
};

/* The reset came from a shutdown: the case that ran last has ended in it. */
void __attribute__((noreturn)) resumed(void)
{
	uint32_t i = progress->next;

	announce_reset();
	present_world = ~0u;
	begin_report('s');
	put32(i);
	end_report();
	run_from(i + 1);
}

void __attribute__((noreturn)) main(uint32_t magic, const struct multiboot *m)
{
	if (magic == 0x2badb002 && m->flags & 8 && m->modules > 0)
		table = (struct table *)m->module[0].begin;
	while (!table || table->magic != TABLE_MAGIC)
		out(0xf4, 1);
	out(0x21, 0xff);		/* no interrupts */
	out(0xa1, 0xff);
	make_gates();
	try_sse();
	has_sse = vector == 0;
	if (progress->magic == TABLE_MAGIC && progress->number == table->number && table->number)
		resumed();	/* the firmware did not look, and has booted again */
	progress->magic = TABLE_MAGIC;
	progress->number = table->number;
	progress->next = table->first;
	announce_reset();
	hello();
	if (!(table->flags & BY_HOST))
		make_worlds();
	run_from(table->first);
}

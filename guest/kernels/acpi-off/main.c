/* main.c: from the root of ACPI's tables to the port that turns the machine off.
   There is no paging: every pointer of a table is an address. */
#include "lib.h"

#define COUNTER_2 0x42 /* of the 8254, with its control word, and where its gate and output are */
#define CONTROL	  0x43
#define SPEAKER	  0x61
#define GATE	  0x01
#define OUTPUT	  0x20

#define LINE_STATUS 0x3FD /* of COM1 */
#define ALL_SENT    0x40

#define SCI_EN	    0x0001 /* of PM1 control */
#define SLEEP	    0x2000
#define SLEEP_TYPES 10 /* the lowest of the three bits of the sleep type */

/* Tables, as far as they are read. */
struct __attribute__((packed)) root {
	char signature[8];
	uint8_t sum;
	char oem[6];
	uint8_t revision;
	uint32_t rsdt;
	uint32_t length; /* from here on: of revision 2 and later */
	uint64_t xsdt;
};

struct __attribute__((packed)) table {
	char signature[4];
	uint32_t length;
	uint8_t revision, sum;
	char oem[6], oem_table[8];
	uint32_t oem_revision, creator, creator_revision;
};

struct __attribute__((packed)) fadt {
	struct table header;
	uint32_t facs, dsdt;
	uint8_t reserved, profile;
	uint16_t sci;
	uint32_t smi_command;
	uint8_t acpi_enable, acpi_disable, s4, pstates;
	uint32_t event_a, event_b, control_a, control_b, control_2, timer;
	uint32_t gpe0, gpe1;
	uint8_t event_length, control_length, control_2_length, timer_length;
	uint8_t other[20];
	uint32_t flags;
};
#define TIMER_32_BITS (1u << 8) /* of flags */

struct __attribute__((packed)) madt {
	struct table header;
	uint32_t local_apic, flags;
	uint8_t entries[];
};
enum { PROCESSOR = 0, IO_APIC = 1, OVERRIDE = 2, LOCAL_NMI = 4 };

struct __attribute__((packed)) hpet {
	struct table header;
	uint32_t id;
	uint8_t space, width, offset, access;
	uint64_t address;
};

static inline void outw(uint16_t port, uint16_t value)
{
	__asm__ volatile("outw %0, %1" ::"a"(value), "Nd"(port));
}

static inline uint16_t inw(uint16_t port)
{
	uint16_t value;
	__asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline uint32_t inl(uint16_t port)
{
	uint32_t value;
	__asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static int same(const char *a, const char *b, unsigned bytes)
{
	while (bytes--)
		if (*a++ != *b++)
			return 0;
	return 1;
}

/* sum adds bytes up: those of a table that is whole come to 0. */
static uint8_t sum(const void *p, unsigned bytes)
{
	const uint8_t *b = p;
	uint8_t s = 0;

	while (bytes--)
		s += *b++;
	return s;
}

/* give_up ends the run where there is no way on. */
static void give_up(const char *what)
{
	print("no %s\n", what);
	exit_run(1);
}

static uint32_t read_32(const void *p)
{
	const uint8_t *b = p;
	return b[0] | b[1] << 8 | b[2] << 16 | (uint32_t)b[3] << 24;
}

static const struct root *root;
static const struct fadt *fadt;

/* search finds a signature where firmware leaves it, with bytes that add up to 0. */
static const void *search(const char *signature, unsigned length, unsigned bytes)
{
	for (const char *p = (const char *)0xE0000; p < (const char *)0x100000; p += 16)
		if (same(p, signature, length) && sum(p, bytes) == 0)
			return p;
	give_up(signature);
	return 0;
}

/* find goes through the list of tables that the RSDT has, or the XSDT if there
   is one: pointers of 4 or of 8 bytes. */
static const void *find(const char *signature)
{
	int wide = root->revision >= 2 && root->xsdt != 0;
	const struct table *list = (const struct table *)(word)(wide ? (uint32_t)root->xsdt : root->rsdt);
	unsigned size = wide ? 8 : 4;

	expect("the sum of the list", sum(list, list->length), 0);
	for (unsigned i = sizeof *list; i < list->length; i += size) {
		const struct table *t = (const struct table *)read_32((const char *)list + i);
		if (same(t->signature, signature, 4)) {
			expect("the sum of the table", sum(t, t->length), 0);
			print("  %s is there and adds up to 0\n", signature);
			return t;
		}
	}
	give_up(signature);
	return 0;
}

static void tell_root(void)
{
	print("1. The root, at a multiple of 16 below 1 MiB\n");
	root = search("RSD PTR ", 8, 20);
	print("  \"RSD PTR \" and 20 bytes that add up to 0\n");
	if (root->revision >= 2)
		expect("the sum of all of it", sum(root, root->length), 0);
}

static void tell_interrupts(void)
{
	const struct madt *madt = find("APIC");
	const uint8_t *end = (const uint8_t *)madt + madt->header.length;

	print("  local APIC at 0x%lx\n", (word)madt->local_apic);
	for (const uint8_t *e = madt->entries; e < end; e += e[1]) {
		if (e[0] == PROCESSOR && e[4] & 1)
			print("  processor %d, local APIC %d\n", e[2], e[3]);
		if (e[0] == IO_APIC)
			print("  I/O APIC at 0x%lx, its inputs count from %lu\n", (word)read_32(e + 4), (word)read_32(e + 8));
		if (e[0] == OVERRIDE && e[3] == 0)
			print("  IRQ 0 arrives at its input %lu\n", (word)read_32(e + 4));
		if (e[0] == LOCAL_NMI && e[2] == 0xFF)
			print("  NMI arrives at LINT%d of every processor\n", e[5]);
	}
}

static void tell_tables(void)
{
	print("\n2. What it leads to\n");
	fadt = find("FACP");
	const struct table *dsdt = (const struct table *)fadt->dsdt;
	expect("the DSDT", same(dsdt->signature, "DSDT", 4), 1);
	expect("the sum of the DSDT", sum(dsdt, dsdt->length), 0);
	expect("the FACS", same((const char *)fadt->facs, "FACS", 4), 1);
	print("  it leads to DSDT and FACS\n");
	tell_interrupts();
	const struct hpet *hpet = find("HPET");
	print("  a timer at 0x%lx\n", (word)hpet->address);
}

/* tell_processors finds the tables that were there before ACPI. */
static void tell_processors(void)
{
	const char *pointer = search("_MP_", 4, 16);
	const char *table = (const char *)read_32(pointer + 4);

	print("\n3. The older tables\n");
	expect("PCMP", same(table, "PCMP", 4), 1);
	expect("its sum", sum(table, read_32(table + 4) & 0xFFFF), 0);
	expect("the local APIC's address", read_32(table + 36), 0xFEE00000);
	print("  \"_MP_\" leads to PCMP, which adds up to 0\n");
}

/* millisecond lets the 8254 count a millisecond, once. */
static void millisecond(void)
{
	const unsigned clocks = 1193;

	outb(SPEAKER, (inb(SPEAKER) & 0xFC) | GATE);
	outb(CONTROL, 0xB0); /* counter 2, both bytes, mode 0 */
	outb(COUNTER_2, clocks & 0xFF);
	outb(COUNTER_2, clocks >> 8);
	while (!(inb(SPEAKER) & OUTPUT))
		;
}

/* tell_timer holds the PM timer against the 8254. Another emulator may be held up
   by its host between two reads: then it is done again. */
static void tell_timer(void)
{
	unsigned bits = fadt->flags & TIMER_32_BITS ? 32 : 24;
	uint32_t all = bits == 32 ? 0xFFFFFFFF : 0xFFFFFF, clocks = 0;

	print("\n4. The PM timer\n");
	print("  port 0x%lx, %lu bits\n", (word)fadt->timer, (word)bits);
	for (int i = 0; i < 1000 && (clocks < 3400 || clocks > 3760); i++) {
		uint32_t before = inl(fadt->timer);
		millisecond();
		clocks = (inl(fadt->timer) - before) & all;
	}
	expect("within a twentieth of 3580 clocks in a millisecond", clocks >= 3400 && clocks <= 3760, 1);
	print("  about 3600 clocks in a millisecond\n");
}

static void turn_on(void)
{
	print("\n5. From firmware to the kernel\n");
	print("  SCI is IRQ %d; SCI_EN is %d\n", fadt->sci, inw(fadt->control_a) & SCI_EN);
	if (!(inw(fadt->control_a) & SCI_EN))
		outb(fadt->smi_command, fadt->acpi_enable);
	while (!(inw(fadt->control_a) & SCI_EN))
		;
	print("  0x%lx to port 0x%lx: SCI_EN is 1\n", (word)fadt->acpi_enable, (word)fadt->smi_command);
}

/* number reads a small number of AML and moves on behind it. */
static unsigned number(const uint8_t **p)
{
	if (**p == 0x0A) /* a byte follows */
		++*p;
	return *(*p)++;
}

/* off_types finds \_S5 in the DSDT by its bytes: a name, then a package whose first
   two elements are the sleep types. A kernel with an interpreter of AML would ask that. */
static void off_types(unsigned *a, unsigned *b)
{
	const uint8_t *p = (const uint8_t *)fadt->dsdt, *end = p + ((const struct table *)p)->length;

	for (p += sizeof(struct table); p + 16 < end; p++) {
		if (p[0] != 0x08 || !same((const char *)p + 1, "_S5_", 4) || p[5] != 0x12)
			continue;
		p += 6;
		p += (*p >> 6) + 1; /* the package's length: up to three more bytes */
		p++;		    /* how many elements */
		*a = number(&p);
		*b = number(&p);
		return;
	}
	give_up("_S5_");
}

static void turn_off(void)
{
	unsigned a, b;

	off_types(&a, &b);
	print("\n6. Off\n");
	print("  \\_S5 has the sleep types %lu and %lu\n", (word)a, (word)b);
	if (surprises)
		exit_run(1);
	print("  SLP_EN to port 0x%lx.\n", (word)fadt->control_a);
	while (!(inb(LINE_STATUS) & ALL_SENT))
		;
	outw(fadt->control_a, (inw(fadt->control_a) & ~(7 << SLEEP_TYPES)) | a << SLEEP_TYPES | SLEEP);
	for (int i = 0; i < 2000; i++) /* another emulator may take its time */
		millisecond();
	print("SURPRISE: still on\n");
	exit_run(1);
}

void kernel_main(void)
{
	console_init();
	print("acpi-off-32: the tables of ACPI, and a machine that turns itself off\n\n");
	tell_root();
	tell_tables();
	tell_processors();
	tell_timer();
	turn_on();
	turn_off();
}

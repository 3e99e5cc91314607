/* main.c: an ATA disk on the first IDE channel, by programmed I/O: sectors go
   word by word through the data port. Polled first, then by IRQ 14.

   The disk has 128 sectors of 512 bytes; each word of sector n is n. */
#include "irq.h"

/* The channel's registers. */
#define DATA	0x1F0
#define ERROR	0x1F1
#define COUNT	0x1F2
#define LOW	0x1F3 /* of the address: sector 1 to 63, or bits 0 to 7 */
#define MID	0x1F4 /* cylinder, or bits 8 to 15 */
#define HIGH	0x1F5 /* cylinder, or bits 16 to 23 */
#define DEVICE	0x1F6 /* master or slave, LBA or CHS, and the head or bits 24 to 27 */
#define COMMAND 0x1F7
#define STATUS	0x1F7 /* reading it ends the interrupt */
#define CONTROL 0x3F6
#define STATUS_ALONE 0x3F6 /* reading it does nothing */

#define BSY 0x80 /* of the status */
#define DRQ 0x08 /* data is wanted, or there */
#define ERR 0x01

#define ABRT 0x04 /* of the error register: no such command */
#define IDNF 0x10 /* no such sector */

#define LBA   0xE0 /* of DEVICE */
#define CHS   0xA0
#define SLAVE 0xB0

#define NO_INTERRUPT 0x02 /* of CONTROL */
#define RESET	     0x04

enum {
	READ_SECTORS = 0x20, READ_SECTORS_EXT = 0x24, WRITE_SECTORS = 0x30, READ_MULTIPLE = 0xC4, SET_MULTIPLE = 0xC6,
	IDENTIFY = 0xEC,
	NO_COMMAND = 0xFF,
};

#define SECTORS 128
#define WORDS	256 /* of a sector */
#define IRQ_DISK 14

typedef uint16_t sector[WORDS];

static void take(sector to)
{
	unsigned n = WORDS;

	__asm__ volatile("rep insw" : "+D"(to), "+c"(n) : "d"(DATA) : "memory");
}

static void give(const sector from)
{
	unsigned n = WORDS;

	__asm__ volatile("rep outsw" : "+S"(from), "+c"(n) : "d"(DATA) : "memory");
}

/* ready waits until the drive is not busy, and gives its status. */
static unsigned ready(void)
{
	for (int i = 0; i < 4; i++)
		inb(STATUS_ALONE); /* 400 ns, until when the status may be the old one */
	while (inb(STATUS_ALONE) & BSY)
		;
	return inb(STATUS);
}

/* address names sectors by 28 bits. */
static void address(unsigned first, unsigned count)
{
	outb(DEVICE, LBA | first >> 24);
	outb(COUNT, count);
	outb(LOW, first);
	outb(MID, first >> 8);
	outb(HIGH, first >> 16);
}

/* filled tells whether each word of a sector is v. */
static int filled(const sector s, unsigned v)
{
	for (int i = 0; i < WORDS; i++)
		if (s[i] != v)
			return 0;
	return 1;
}

static sector buffer;

/* take_filled takes a sector, polled, whose words must be v. */
static void take_filled(unsigned v)
{
	expect("the status wants the data taken", ready() & (DRQ | ERR), DRQ);
	take(buffer);
	expect("each word is as predicted", filled(buffer, v), 1);
}

static unsigned heads, track; /* the drive's own geometry */

static void identify(void)
{
	print("1. Who is there?\n");
	outb(DEVICE, CHS); /* its status is to be waited for */
	outb(CONTROL, NO_INTERRUPT | RESET);
	outb(CONTROL, NO_INTERRUPT);
	ready();
	outb(DEVICE, CHS);
	print("  after reset the address registers hold %02lx %02lx: a disk, not a CD drive\n", (word)inb(MID), (word)inb(HIGH));
	outb(DEVICE, SLAVE);
	expect("the status of the slave, which is not there", inb(STATUS), 0);
	outb(DEVICE, CHS);
	outb(COMMAND, IDENTIFY);
	expect("the status", ready() & (DRQ | ERR), DRQ);
	take(buffer);
	heads = buffer[3];
	track = buffer[6];
	print("  sectors: %lu by 28-bit addresses, %lu by 48-bit ones\n", (word)(buffer[60] | buffer[61] << 16),
	      (word)(buffer[100] | buffer[101] << 16));
	expect("sectors", buffer[60] | buffer[61] << 16, SECTORS);
	expect("it knows LBA", buffer[49] >> 9 & 1, 1);
	expect("it knows 48 bits", buffer[83] >> 10 & 1, 1);
	expect("all data is taken", ready() & (DRQ | ERR), 0);
}

static void three_addresses(void)
{
	const unsigned n = 100;

	print("\n2. Sector %lu by three addresses, polled\n", (word)n);
	address(n, 1);
	outb(COMMAND, READ_SECTORS);
	take_filled(n);
	print("  LBA of 28 bits: each word is %lu\n", (word)buffer[0]);

	outb(DEVICE, LBA); /* 48 bits: each register twice, the upper half first */
	outb(COUNT, 0);
	outb(LOW, 0);
	outb(MID, 0);
	outb(HIGH, 0);
	outb(COUNT, 1);
	outb(LOW, n);
	outb(MID, 0);
	outb(HIGH, 0);
	outb(COMMAND, READ_SECTORS_EXT);
	take_filled(n);
	print("  LBA of 48 bits: each word is %lu\n", (word)buffer[0]);

	outb(DEVICE, CHS | n / track % heads);
	outb(COUNT, 1);
	outb(LOW, n % track + 1);
	outb(MID, n / track / heads);
	outb(HIGH, n / track / heads >> 8);
	outb(COMMAND, READ_SECTORS);
	take_filled(n);
	print("  cylinder, head, sector: each word is %lu\n", (word)buffer[0]);
}

static volatile int interrupts;
static volatile unsigned status; /* as the last interrupt found it */

static void disk(struct trap *t)
{
	expect("the vector", t->vector, IRQ_VECTOR + IRQ_DISK);
	interrupts++;
	status = inb(STATUS);
	irq_end(IRQ_DISK);
}

/* next waits for an interrupt, after which the status has these of DRQ and ERR. */
static void next(unsigned want)
{
	int before = interrupts;

	while (interrupts == before)
		wait_for_interrupt();
	expect("the status in the interrupt", status & (BSY | DRQ | ERR), want);
}

static void by_interrupt(void)
{
	print("\n3. Two sectors by IRQ %d\n", IRQ_DISK);
	irq_unmask(IRQ_DISK);
	outb(CONTROL, 0);
	interrupts = 0;
	address(5, 2);
	outb(COMMAND, READ_SECTORS);
	for (unsigned n = 5; n < 7; n++) {
		next(DRQ);
		take(buffer);
		expect("each word is as predicted", filled(buffer, n), 1);
	}
	let_interrupts_in();
	print("  read: %d interrupts, one when each sector is there\n", interrupts);
	expect("interrupts", interrupts, 2);

	for (int i = 0; i < WORDS; i++)
		buffer[i] = 0xBEEF;
	interrupts = 0;
	address(5, 2);
	outb(COMMAND, WRITE_SECTORS);
	expect("the first sector is wanted without an interrupt", ready() & (DRQ | ERR), DRQ);
	give(buffer);
	next(DRQ);
	give(buffer);
	next(0);
	let_interrupts_in();
	print("  written: %d interrupts, one when each sector has been taken\n", interrupts);
	expect("interrupts", interrupts, 2);

	interrupts = 0;
	outb(CONTROL, NO_INTERRUPT);
	address(4, 4);
	outb(COMMAND, READ_SECTORS);
	print("  read back, polled:");
	for (unsigned n = 4; n < 8; n++) {
		take_filled(n == 5 || n == 6 ? 0xBEEF : n);
		print(" %04lx", (word)buffer[0]);
	}
	let_interrupts_in();
	print(", %d interrupts\n", interrupts);
	expect("interrupts that the drive was told not to make", interrupts, 0);
}

static void blocks(void)
{
	print("\n4. Blocks of 4 sectors\n");
	outb(DEVICE, LBA);
	outb(COUNT, 4);
	outb(COMMAND, SET_MULTIPLE);
	expect("the status", ready() & (DRQ | ERR), 0);
	outb(CONTROL, 0);
	interrupts = 0;
	address(50, 10);
	outb(COMMAND, READ_MULTIPLE);
	for (unsigned n = 50; n < 60; n++) {
		if ((n - 50) % 4 == 0)
			next(DRQ);
		take(buffer);
		expect("each word is as predicted", filled(buffer, n), 1);
	}
	let_interrupts_in();
	print("  10 sectors, %d interrupts\n", interrupts);
	expect("interrupts", interrupts, 3);
}

static void errors(void)
{
	print("\n5. What there is not\n");
	address(SECTORS, 1);
	outb(COMMAND, READ_SECTORS);
	next(ERR);
	print("  sector %d: an error, no data\n", SECTORS);
	expect("no such sector, or no such command with it", (inb(ERROR) & (IDNF | ABRT)) != 0, 1);

	address(SECTORS - 1, 2);
	outb(COMMAND, READ_SECTORS);
	next(DRQ);
	take(buffer);
	expect("each word is as predicted", filled(buffer, SECTORS - 1), 1);
	next(ERR);
	print("  two sectors from %d on: one, then an error\n", SECTORS - 1);

	outb(COMMAND, NO_COMMAND);
	next(ERR);
	print("  command 0x%lx: aborted\n", (word)NO_COMMAND);
	expect("the error", inb(ERROR), ABRT);
}

void kernel_main(void)
{
	console_init();
	segments_init();
	on_irq(IRQ_DISK, disk);
	irq_init();

	print("ide-read-write-32: a disk, sector by sector\n\n");
	identify();
	three_addresses();
	by_interrupt();
	blocks();
	errors();
	exit_run(surprises != 0);
}

/* main.c: the real-time clock. A date is written, and its three interrupts come by
   IRQ 8: each half of a millisecond or so, with each second, and at a time. */
#include "irq.h"

#define INDEX 0x70
#define DATA  0x71

enum {
	SECONDS = 0, SECONDS_ALARM = 1, MINUTES = 2, MINUTES_ALARM = 3, HOURS = 4, HOURS_ALARM = 5,
	WEEKDAY = 6, DAY = 7, MONTH = 8, YEAR = 9, A = 10, B = 11, C = 12, D = 13,
	CENTURY = 0x32, /* where firmware keeps it; the chip has none */
};

/* Bits of A, B and C. */
#define UIP	 0x80 /* an update comes within 244 microseconds, or is under way */
#define SET	 0x80 /* no updates */
#define PERIODIC 0x40 /* in B: interrupt; in C: why it did */
#define ALARM	 0x20
#define UPDATE	 0x10
#define HOURS_24 0x02

#define ANY 0xC0 /* in an alarm register: whatever the value */

static uint8_t read_clock(int reg)
{
	outb(INDEX, reg);
	return inb(DATA);
}

static void write_clock(int reg, uint8_t value)
{
	outb(INDEX, reg);
	outb(DATA, value);
}

static volatile int interrupts;
static volatile unsigned reasons; /* register C of the last one */

/* alarm_clock is the handler. It must read C: until that is done, there is no
   further interrupt. */
static void alarm_clock(struct trap *t)
{
	expect("the vector", t->vector, IRQ_VECTOR + IRQ_CLOCK);
	interrupts++;
	reasons = read_clock(C);
	irq_end(IRQ_CLOCK);
}

/* interrupt_on says which interrupts are wanted, with nothing left of earlier ones. */
static void interrupt_on(uint8_t which)
{
	write_clock(B, HOURS_24 | which);
	read_clock(C);
	interrupts = 0;
}

/* set_time puts the clock to 09:59:58 of a leap day. */
static void set_time(void)
{
	static const uint8_t values[][2] = {
		{ SECONDS, 0x58 }, { MINUTES, 0x59 }, { HOURS, 0x09 }, { WEEKDAY, 5 },
		{ DAY, 0x29 }, { MONTH, 0x02 }, { YEAR, 0x24 }, { CENTURY, 0x20 },
	};

	write_clock(B, SET | HOURS_24);
	for (unsigned i = 0; i < sizeof values / sizeof *values; i++)
		write_clock(values[i][0], values[i][1]);
	write_clock(B, HOURS_24);
}

static void tell_time(void)
{
	print("  %02lx-%02lx-%02lx, minute %02lx, second %02lx\n", (word)read_clock(YEAR), (word)read_clock(MONTH),
	      (word)read_clock(DAY), (word)read_clock(MINUTES), (word)read_clock(SECONDS));
}

static void periodic(void)
{
	print("1. Periodic: a rate of 1024 Hz\n");
	write_clock(A, 0x26);
	interrupt_on(PERIODIC);
	while (interrupts < 3)
		wait_for_interrupt();
	interrupt_on(0);
	print("  3 interrupts at vector 0x%x, register C 0x%02lx\n", IRQ_VECTOR + IRQ_CLOCK,
	      (word)(reasons & ~(ALARM | UPDATE)));
	expect("why", reasons & (UIP | PERIODIC), UIP | PERIODIC);
}

static void unread(void)
{
	print("\n2. Nobody reads register C\n");
	irq_mask(IRQ_CLOCK);
	interrupt_on(PERIODIC);
	while (!(irq_requested() & 1 << IRQ_CLOCK))
		;
	print("  masked, IRQ 8 is requested; ");
	expect("register C", read_clock(C) & (UIP | PERIODIC), UIP | PERIODIC);
	interrupt_on(0);
	irq_init(); /* forgets the request */
	irq_unmask(IRQ_CLOCK);
	let_interrupts_in();
	print("forgotten by the controllers: %d interrupts\n", interrupts);
	expect("interrupts", interrupts, 0);
}

static void update(void)
{
	print("\n3. Update: the end of an hour\n");
	set_time();
	tell_time();
	interrupt_on(UPDATE);
	wait_for_interrupt();
	tell_time();
	expect("why", reasons & (UIP | UPDATE), UIP | UPDATE);
	expect("the second", read_clock(SECONDS), 0x59);
	wait_for_interrupt();
	tell_time();
	expect("the minute", read_clock(MINUTES), 0x00);
	interrupt_on(0);
}

static void alarm(void)
{
	print("\n4. Alarm: at second 02 of the hour, once\n");
	write_clock(HOURS_ALARM, ANY);
	write_clock(MINUTES_ALARM, 0x00);
	write_clock(SECONDS_ALARM, 0x02);
	interrupt_on(ALARM);
	wait_for_interrupt();
	tell_time();
	print("  after %d interrupt\n", interrupts);
	expect("why", reasons & (UIP | ALARM), UIP | ALARM);
	expect("the second", read_clock(SECONDS), 0x02);
	expect("interrupts", interrupts, 1);

	print("\n5. Alarm: whenever the seconds are 03, whatever the minute\n");
	write_clock(MINUTES_ALARM, ANY);
	write_clock(SECONDS_ALARM, 0x03);
	wait_for_interrupt();
	tell_time();
	expect("why", reasons & (UIP | ALARM), UIP | ALARM);
	expect("the second", read_clock(SECONDS), 0x03);
	interrupt_on(0);
}

void kernel_main(void)
{
	console_init();
	segments_init();
	on_irq(IRQ_CLOCK, alarm_clock);
	write_clock(B, HOURS_24);
	read_clock(C);
	irq_init();
	irq_unmask(IRQ_CLOCK);

	print("rtc-alarm-32: the real-time clock and its three interrupts\n\n");
	expect("register D: time and memory are good", read_clock(D) & 0x80, 0x80);
	periodic();
	unread();
	update();
	alarm();
	exit_run(surprises != 0);
}

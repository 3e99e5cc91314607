/* main.c: the I/O APIC. Each pin has an entry that says which vector its interrupt
   becomes, whether edges or levels count, and whether it is masked. The serial port
   interrupts as its transmitter is empty, the 8254 as its count ends. */
#include "apic.h"

#define TIMER_PIN  2 /* IRQ 0 has been moved here, from pin 0 */
#define SERIAL_PIN 4

#define TIMER  0x51
#define SERIAL 0x41
#define OTHER  0x61

/* The serial port: IER allows the interrupt, IIR says why and ends this one. */
#define COM1   0x3F8
#define IER    (COM1 + 1)
#define IIR    (COM1 + 2)
#define MCR    (COM1 + 4)
#define EMPTY  0x02

/* The 8254's counter 0 as a countdown. */
#define PIT	0x40
#define COMMAND 0x43
#define SHORT	60

static volatile int interrupts;
static volatile unsigned vector, remote, level; /* what the last handler saw */
static volatile int leaves;		       /* how many times it leaves the serial port's request */

static void handler(struct trap *t)
{
	interrupts++;
	vector = t->vector;
	remote = (ioapic_entry(SERIAL_PIN) & IOAPIC_REMOTE) != 0;
	level = apic_has(APIC_TMR, t->vector);
	if (leaves) {
		leaves--;
	} else {
		inb(IIR);
		outb(IER, 0);
	}
	apic_end();
}

static void tell(void)
{
	print("  interrupts %d; the last at 0x%lx, by %s\n", interrupts, (word)vector, level ? "level" : "edge");
}

/* want_empty has the serial port ask: its transmitter is empty. */
static void want_empty(void)
{
	while (!(inb(COM1 + 5) & 0x40)) /* also what is being sent */
		;
	outb(IER, 0);
	inb(IIR);
	outb(IER, EMPTY);
}

/* countdown has the timer's output go low, and high after a while. */
static void countdown(void)
{
	outb(COMMAND, 0x30);
	irq_init(); /* the 8259A forgets what was before */
	outb(PIT, SHORT);
	outb(PIT, 0);
}

/* counted_down waits for the end of the countdown: the 8259A, which masks it, has
   the request, too. */
static void counted_down(void)
{
	while (!(irq_requested() & 1 << IRQ_TIMER))
		;
}

static void routed(void)
{
	print("1. Edges\n");
	outb(COMMAND, 0x30); /* its output goes low, whatever was before */
	ioapic_route(TIMER_PIN, TIMER);
	ioapic_route(SERIAL_PIN, SERIAL);
	countdown();
	wait_for_interrupt();
	tell();
	expect("the timer's vector", vector, TIMER);
	want_empty();
	let_interrupts_in();
	tell();
	expect("the serial port's vector", vector, SERIAL);
	expect("remote IRR", remote, 0);
	expect("interrupts", interrupts, 2);
	expect("trigger mode", level, 0);
}

static void rerouted(void)
{
	print("\n2. Another vector\n");
	ioapic_route(SERIAL_PIN, OTHER);
	want_empty();
	let_interrupts_in();
	tell();
	expect("the vector", vector, OTHER);
}

static void masked(void)
{
	print("\n3. Masked, an edge is lost\n");
	ioapic_route(TIMER_PIN, APIC_MASKED | TIMER);
	countdown();
	counted_down();
	ioapic_route(TIMER_PIN, TIMER);
	let_interrupts_in();
	print("  unmasked after the timer's: interrupts %d\n", interrupts);
	expect("interrupts", interrupts, 3);
}

static void levels(void)
{
	print("\n4. Levels: masked, one waits\n");
	ioapic_route(SERIAL_PIN, APIC_MASKED | IOAPIC_LEVEL | SERIAL);
	want_empty();
	let_interrupts_in();
	expect("interrupts", interrupts, 3);
	ioapic_route(SERIAL_PIN, IOAPIC_LEVEL | SERIAL);
	let_interrupts_in();
	tell();
	print("  remote IRR was %d in the handler, and is %d\n", remote,
	      (ioapic_entry(SERIAL_PIN) & IOAPIC_REMOTE) != 0);
	expect("trigger mode", level, 1);
	expect("remote IRR after the end", ioapic_entry(SERIAL_PIN) & IOAPIC_REMOTE, 0);
}

static void unended(void)
{
	print("\n5. A level that the handler leaves twice\n");
	interrupts = 0;
	leaves = 2;
	want_empty();
	let_interrupts_in();
	print("  comes again after each end: interrupts %d\n", interrupts);
	leaves = 0;
	let_interrupts_in(); /* Bochs has forgotten the level, and asks once more */
}

static void elsewhere(void)
{
	print("\n6. Other destinations\n");
	interrupts = 0;
	apic_write(APIC_LDR, 0x04000000);
	apic_write(APIC_DFR, 0xFFFFFFFF);
	ioapic_write(0x10 + 2 * SERIAL_PIN, SERIAL | 0x800); /* logical */
	ioapic_write(0x10 + 2 * SERIAL_PIN + 1, 0x08000000);
	want_empty();
	let_interrupts_in();
	print("  the set 0x08, with 0x04 for this processor: %d\n", interrupts);
	expect("interrupts", interrupts, 0);
	ioapic_write(0x10 + 2 * SERIAL_PIN + 1, 0x0C000000);
	want_empty();
	let_interrupts_in();
	print("  the set 0x0c: %d\n", interrupts);
	expect("interrupts", interrupts, 1);
}

void kernel_main(void)
{
	console_init();
	outb(MCR, 0x0B); /* OUT2 lets the interrupt out */
	segments_init();
	apic_init();
	on_vector(TIMER, handler);
	on_vector(SERIAL, handler);
	on_vector(OTHER, handler);

	print("ioapic-redirect-32: which vector a device's interrupt becomes\n\n");
	routed();
	rerouted();
	masked();
	levels();
	unended();
	elsewhere();
	exit_run(surprises != 0);
}

/* main.c: the 8254's interrupt, from the timer through the 8259A to the CPU, and
   what holds it back on the way: the mask, and an interrupt still in service. */
#include "irq.h"

#define PIT_HZ	1193182
#define COUNTER 0x40 /* counter 0; 2 is at 0x42 */
#define COMMAND 0x43
#define PORT_B	0x61 /* bit 0: counter 2's gate; bit 5: its output */

#define RATE   1000 /* interrupts a second */
#define PERIOD ((PIT_HZ + RATE / 2) / RATE)
#define SHORT  60 /* clocks: 50 microseconds */

enum { COUNTDOWN = 0, RATE_GENERATOR = 2 }; /* modes */

static volatile int ticks, ends = 1;

/* What the last handler saw. */
static unsigned vector, in_service, interrupts_open, came_from_open;

static void timer(struct trap *t)
{
	word flags;

	__asm__ volatile("pushf; pop %0" : "=r"(flags));
	ticks++;
	vector = t->vector;
	in_service = irq_in_service();
	interrupts_open = (flags & 0x200) != 0;
	came_from_open = (t->flags & 0x200) != 0;
	if (ends)
		irq_end(IRQ_TIMER);
}

/* count_from gives a counter its count, both bytes; program, its mode too. */
static void count_from(int counter, unsigned count)
{
	outb(COUNTER + counter, count);
	outb(COUNTER + counter, count >> 8);
}

static void program(int counter, int mode, unsigned count)
{
	outb(COMMAND, counter << 6 | 3 << 4 | mode << 1);
	count_from(counter, count);
}

/* status reads a counter's status back: OUT, RW, the mode. */
static unsigned status(int counter)
{
	outb(COMMAND, 0xE0 | 2 << counter);
	return inb(COUNTER + counter) & ~0x40; /* whether the count is loaded already */
}

/* one_shot has the timer interrupt once, soon. Its output goes low as the mode is
   set, and high at the end of the count. The long count is for the time until the
   controllers have forgotten what was before. */
static void one_shot(void)
{
	program(0, COUNTDOWN, 0);
	irq_init();
	count_from(0, SHORT);
}

/* await_request waits until the timer has asked for an interrupt. */
static void await_request(void)
{
	while (!(irq_requested() & 1 << IRQ_TIMER))
		;
}

static void periodic(void)
{
	print("1. Counter 0 in mode 2, a rate generator: %d clocks, %d interrupts a second\n", PERIOD, RATE);
	program(0, RATE_GENERATOR, PERIOD);
	irq_init(); /* after the timer: how it stood before is no request now */
	irq_unmask(IRQ_TIMER);
	for (int i = 1; i <= 5; i++) {
		wait_for_interrupt();
		print("  tick %d at vector 0x%lx: IF was %d and is %d, in service 0x%02lx\n", ticks,
		      (word)vector, came_from_open, interrupts_open, (word)in_service);
		expect("the ticks", ticks, i);
		expect("the vector", vector, IRQ_VECTOR + IRQ_TIMER);
		expect("IF before", came_from_open, 1);
		expect("IF in the handler", interrupts_open, 0);
		expect("what is in service", in_service, 1 << IRQ_TIMER);
	}
	expect("what is in service after the end", irq_in_service(), 0);
}

static void once(void)
{
	print("\n2. Mode 0, a countdown: one interrupt, then none\n");
	one_shot();
	irq_unmask(IRQ_TIMER);
	wait_for_interrupt();
	print("  tick %d; status 0x%02lx: the output is high and stays so, and a new edge needs a new count\n",
	      ticks, (word)status(0));
	expect("the ticks", ticks, 6);
	expect("the status", status(0), 0xB0);
	expect("requests", irq_requested() & 1, 0);
}

static void masked(void)
{
	print("\n3. Masked, the request waits\n");
	one_shot();
	await_request();
	let_interrupts_in();
	print("  requested 0x%02lx, in service 0x%02lx, ticks %d\n", (word)irq_requested() & 1,
	      (word)irq_in_service(), ticks);
	expect("the ticks", ticks, 6);
	irq_unmask(IRQ_TIMER);
	let_interrupts_in();
	print("  unmasked it comes at once: tick %d\n", ticks);
	expect("the ticks", ticks, 7);
}

static void forgotten(void)
{
	print("\n4. A handler that forgets the end of interrupt\n");
	ends = 0;
	one_shot();
	irq_unmask(IRQ_TIMER);
	wait_for_interrupt();
	count_from(0, SHORT);
	await_request();
	let_interrupts_in();
	print("  tick %d stays in service, 0x%02lx; the next is requested, 0x%02lx, and does not come\n", ticks,
	      (word)irq_in_service(), (word)irq_requested() & 1);
	expect("the ticks", ticks, 8);
	expect("what is in service", irq_in_service(), 1 << IRQ_TIMER);
	ends = 1;
	irq_end(IRQ_TIMER);
	let_interrupts_in();
	print("  the end, sent late: tick %d\n", ticks);
	expect("the ticks", ticks, 9);
}

static void speaker(void)
{
	print("\n5. Counter 2 has no interrupt: its gate and its output are bits of port 0x61\n");
	outb(PORT_B, (inb(PORT_B) & 0x0C) | 1);
	program(2, COUNTDOWN, SHORT);
	expect("its output", inb(PORT_B) & 0x20, 0);
	while (!(inb(PORT_B) & 0x20))
		;
	print("  waited for bit 5; status 0x%02lx, ticks %d\n", (word)status(2), ticks);
	expect("the status", status(2), 0xB0);
	expect("the ticks", ticks, 9);
}

void kernel_main(void)
{
	console_init();
	segments_init();
	on_irq(IRQ_TIMER, timer);

	print("timer-irq-32: an interrupt from the timer, and what holds it back\n\n");
	periodic();
	once();
	masked();
	forgotten();
	speaker();
	exit_run(surprises != 0);
}

/* main.c: the local APIC. Its timer interrupts once, again and again, or not at all
   while it is masked; interrupts that a processor sends itself show which one comes
   first, and which waits for which. */
#include "apic.h"

#define TIMER 0x50
#define LOW   0x31
#define SAME  0x3A /* of LOW's class */
#define HIGH  0x41
#define TOP	 0x62

#define PERIODIC 0x20000
#define DEADLINE 0x40000
#define BY_1	 0xB /* the divider */
#define COUNT	 100000

static volatile int ticks;

/* The order in which handlers came, and what they saw. */
static volatile int came[8], comers;
static volatile unsigned priority; /* PPR */

static void tick(struct trap *t)
{
	expect("the vector", t->vector, TIMER);
	expect("in service", apic_has(APIC_ISR, TIMER), 1);
	ticks++;
	apic_end();
}

static void comer(struct trap *t)
{
	came[comers++] = t->vector;
	priority = apic_read(APIC_PPR);
	apic_end();
}

/* nesting lets others in while it is in service, and has some for them. */
static void nesting(struct trap *t)
{
	came[comers++] = t->vector;
	apic_self(SAME);
	apic_self(HIGH);
	let_interrupts_in();
	expect("waiting", apic_has(APIC_IRR, SAME), 1);
	expect("in service", apic_has(APIC_ISR, LOW), 1);
	came[comers++] = -1;
	apic_end();
}

static void tell_order(void)
{
	for (int i = 0; i < comers; i++)
		if (came[i] < 0)
			print(" end");
		else
			print(" 0x%lx", (word)came[i]);
	print("\n");
	comers = 0;
}

static void expect_order(int first, int second, int third, int fourth)
{
	const int order[] = { first, second, third, fourth };

	for (int i = 0; i < 4 && order[i]; i++)
		expect("who came", came[i], order[i]);
	tell_order();
}

/* run_down waits until the timer stands. */
static void run_down(void)
{
	while (apic_read(APIC_CURRENT))
		;
}

static void once(void)
{
	print("1. The timer, once\n");
	apic_write(APIC_TIMER, TIMER);
	apic_write(APIC_INITIAL, COUNT);
	expect("that it counts", apic_read(APIC_CURRENT) <= COUNT, 1);
	wait_for_interrupt();
	print("  interrupts: %d; the count is %lu and stays so\n", ticks, (word)apic_read(APIC_CURRENT));
	expect("interrupts", ticks, 1);
	expect("in service", apic_has(APIC_ISR, TIMER), 0);
	expect("the count", apic_read(APIC_CURRENT), 0);
}

static void again(void)
{
	print("\n2. Again and again\n");
	apic_write(APIC_TIMER, PERIODIC | TIMER);
	apic_write(APIC_INITIAL, COUNT);
	while (ticks < 5)
		wait_for_interrupt();
	apic_write(APIC_INITIAL, 0);
	let_interrupts_in();
	print("  four more, and an initial count of 0 stops it\n");
	ticks = 5; /* one more may have come before it stood */
}

static void masked(void)
{
	print("\n3. Masked\n");
	apic_write(APIC_TIMER, APIC_MASKED | TIMER);
	apic_write(APIC_INITIAL, COUNT);
	run_down();
	expect("requests", apic_has(APIC_IRR, TIMER), 0);
	apic_write(APIC_TIMER, TIMER);
	let_interrupts_in();
	print("  it has counted to 0 and asked for nothing; unmasked, it does not catch up: %d\n", ticks);
	expect("interrupts", ticks, 5);
}

static void held(void)
{
	print("\n4. Held back by IF\n");
	apic_write(APIC_INITIAL, COUNT);
	run_down();
	while (!apic_has(APIC_IRR, TIMER))
		;
	print("  the request waits in IRR");
	let_interrupts_in();
	print(", and comes as IF is set: %d\n", ticks);
	expect("interrupts", ticks, 6);
}

static void order(void)
{
	print("\n5. Three at once: the highest class first\n");
	apic_self(LOW);
	apic_self(TOP);
	apic_self(HIGH);
	let_interrupts_in();
	print(" ");
	expect_order(TOP, HIGH, LOW, 0);
	expect("the last one's PPR", priority, 0x30);
}

static void task_priority(void)
{
	print("\n6. A task priority of 0x4F\n");
	apic_write(APIC_TPR, 0x4F);
	apic_self(LOW);
	apic_self(TOP);
	apic_self(HIGH);
	let_interrupts_in();
	print("  lets through");
	expect_order(TOP, 0, 0, 0);
	apic_write(APIC_TPR, 0x3F);
	let_interrupts_in();
	print("  0x3F lets through");
	expect_order(HIGH, 0, 0, 0);
	apic_write(APIC_TPR, 0);
	let_interrupts_in();
	print("  0 lets through");
	expect_order(LOW, 0, 0, 0);
}

static void nested(void)
{
	print("\n7. The handler of 0x31 opens IF, and has sent 0x3a and 0x41\n ");
	on_vector(LOW, nesting);
	apic_self(LOW);
	let_interrupts_in();
	expect_order(LOW, HIGH, -1, SAME);
}

/* cpuid_1 is ECX of CPUID.1. */
static uint32_t cpuid_1(void)
{
	uint32_t a = 1, b, c, d;

	__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "=c"(c), "=d"(d));
	return c;
}

#define HAS_X2APIC   0x200000
#define HAS_DEADLINE 0x1000000

#define MSR_TSC	     0x10
#define MSR_BASE     0x1B
#define MSR_DEADLINE 0x6E0
#define MSR_X2_EOI   0x80B
#define MSR_X2_SELF  0x83F

static uint64_t read_msr(uint32_t n)
{
	uint64_t value;
	__asm__ volatile("rdmsr" : "=A"(value) : "c"(n));
	return value;
}

static void write_msr(uint32_t n, uint64_t value)
{
	__asm__ volatile("wrmsr" ::"c"(n), "A"(value) : "memory");
}

static void deadline(void)
{
	print("\n8. If CPUID offers TSC-deadline mode: one interrupt, or at once if the time is past\n");
	if (!(cpuid_1() & HAS_DEADLINE))
		return;
	ticks = 0;
	apic_write(APIC_TIMER, DEADLINE | TIMER);
	write_msr(MSR_DEADLINE, read_msr(MSR_TSC) + COUNT);
	wait_for_interrupt();
	expect("interrupts", ticks, 1);
	write_msr(MSR_DEADLINE, 1);
	let_interrupts_in();
	expect("interrupts, the time being past", ticks, 2);
	apic_write(APIC_TIMER, APIC_MASKED);
}

static void x2_comer(struct trap *t)
{
	came[comers++] = t->vector;
	write_msr(MSR_X2_EOI, 0);
}

static void x2apic(void)
{
	print("\n9. If CPUID offers x2APIC mode: MSRs for the page, and a register for oneself\n");
	if (!(cpuid_1() & HAS_X2APIC))
		return;
	on_vector(TOP, x2_comer);
	write_msr(MSR_BASE, read_msr(MSR_BASE) | 0x400);
	write_msr(MSR_X2_SELF, TOP);
	let_interrupts_in();
	expect("interrupts", comers, 1);
}

void kernel_main(void)
{
	console_init();
	segments_init();
	apic_init();
	apic_write(APIC_DIVIDE, BY_1);
	on_vector(TIMER, tick);
	on_vector(LOW, comer);
	on_vector(SAME, comer);
	on_vector(HIGH, comer);
	on_vector(TOP, comer);

	print("apic-timer-32: the local APIC's timer, and its priorities\n\n");
	once();
	again();
	masked();
	held();
	order();
	task_priority();
	nested();
	deadline();
	x2apic();
	exit_run(surprises != 0);
}

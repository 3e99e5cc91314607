/* apic.c: the local APIC and the I/O APIC of a PC. */
#include "apic.h"

#define FIRST_VECTOR 0x30

#define IOAPIC	     0xFEC00000ul
#define IOAPIC_PIN_0 0x10 /* its entry's lower half; the upper one follows */

extern char apic_stubs[];

void on_vector(int vector, trap_handler *handler)
{
	on_trap(vector, handler);
	set_gate(vector, (word)apic_stubs + 16 * (vector - FIRST_VECTOR));
}

/* spurious takes what went away before it was acknowledged. There is nothing to
   end. */
static void spurious(struct trap *t)
{
	(void)t;
}

void apic_init(void)
{
	uint32_t a = 1, b, c, d;

	__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "=c"(c), "=d"(d));
	if (!(d & 1 << 9)) {
		print("this processor has no local APIC\n");
		exit_run(2);
	}
	irq_init();
	on_vector(SPURIOUS, spurious);
	apic_write(APIC_SVR, APIC_ENABLE | SPURIOUS);
	apic_write(APIC_LINT0, APIC_MASKED | 0x700);
	apic_write(APIC_TIMER, APIC_MASKED);
	apic_write(APIC_TPR, 0);
}

void apic_self(int vector)
{
	apic_write(APIC_ICR, 1 << 18 | vector);
}

int apic_has(unsigned set, int vector)
{
	return apic_read(set + vector / 32 * 16) >> vector % 32 & 1;
}

/* The registers are reached through two: an index and a window. */
uint32_t ioapic_read(unsigned index)
{
	*(volatile uint32_t *)IOAPIC = index;
	return *(volatile uint32_t *)(IOAPIC + 0x10);
}

void ioapic_write(unsigned index, uint32_t value)
{
	*(volatile uint32_t *)IOAPIC = index;
	*(volatile uint32_t *)(IOAPIC + 0x10) = value;
}

void ioapic_route(int pin, uint32_t entry)
{
	ioapic_write(IOAPIC_PIN_0 + 2 * pin + 1, 0);
	ioapic_write(IOAPIC_PIN_0 + 2 * pin, entry);
}

uint32_t ioapic_entry(int pin)
{
	return ioapic_read(IOAPIC_PIN_0 + 2 * pin);
}

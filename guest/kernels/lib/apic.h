/* apic.h: the local APIC, by its page of memory, and the I/O APIC. A kernel that uses
   them names apic, apicstubs32, irq and irqstubs32 in the Makefile, has paging off, and opens
   EFLAGS.IF where it wants interrupts. */
#ifndef APIC_H
#define APIC_H

#include "irq.h"

/* Registers. */
enum {
	APIC_TPR = 0x080, APIC_PPR = 0x0A0, APIC_EOI = 0x0B0, APIC_LDR = 0x0D0, APIC_DFR = 0x0E0,
	APIC_SVR = 0x0F0, APIC_ISR = 0x100, APIC_TMR = 0x180, APIC_IRR = 0x200, APIC_ESR = 0x280,
	APIC_ICR = 0x300, APIC_TIMER = 0x320, APIC_LINT0 = 0x350, APIC_INITIAL = 0x380,
	APIC_CURRENT = 0x390, APIC_DIVIDE = 0x3E0,
};

#define APIC_MASKED 0x10000 /* of an entry of the local vector table, and of the I/O APIC */
#define APIC_ENABLE 0x100   /* of SVR */
#define SPURIOUS    0x6F

static inline uint32_t apic_read(unsigned reg)
{
	return *(volatile uint32_t *)(0xFEE00000ul + reg);
}

static inline void apic_write(unsigned reg, uint32_t value)
{
	*(volatile uint32_t *)(0xFEE00000ul + reg) = value;
}

/* apic_init masks the 8259A and what leads from it to the processor, and enables
   the local APIC, with everything allowed and nothing coming. It ends the run where
   there is no APIC. */
void apic_init(void);

/* on_vector says which function takes a vector, 0x30 to 0x6F. */
void on_vector(int vector, trap_handler *handler);

/* apic_end is the end of interrupt, which the handler owes. */
static inline void apic_end(void)
{
	apic_write(APIC_EOI, 0);
}

/* apic_self sends a vector to this processor. */
void apic_self(int vector);

/* apic_has tells whether a vector is in one of the three sets. */
int apic_has(unsigned set, int vector);

/* The I/O APIC: 24 pins, each with an entry of two registers. */
#define IOAPIC_LEVEL  0x8000
#define IOAPIC_LOW    0x2000
#define IOAPIC_REMOTE 0x4000 /* a level was accepted, and its end has not come */

uint32_t ioapic_read(unsigned index);
void ioapic_write(unsigned index, uint32_t value);

/* ioapic_route sets a pin's entry, for processor 0; ioapic_entry reads its lower half. */
void ioapic_route(int pin, uint32_t entry);
uint32_t ioapic_entry(int pin);

#endif

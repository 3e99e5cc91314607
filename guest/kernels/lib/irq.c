/* irq.c: the two 8259A interrupt controllers of a PC. */
#include "irq.h"

#define MASTER 0x20
#define SLAVE  0xA0

#define EOI	 0x20
#define READ_IRR 0x0A
#define READ_ISR 0x0B

extern char irq_stubs[];

static unsigned masks;

static void write_masks(void)
{
	outb(MASTER + 1, masks);
	outb(SLAVE + 1, masks >> 8);
}

void on_irq(int irq, trap_handler *handler)
{
	on_trap(IRQ_VECTOR + irq, handler);
	set_gate(IRQ_VECTOR + irq, (word)irq_stubs + 16 * irq);
}

void irq_init(void)
{
	outb(MASTER, 0x11); /* ICW1: edges, a cascade, ICW4 comes */
	outb(SLAVE, 0x11);
	outb(MASTER + 1, IRQ_VECTOR); /* ICW2 */
	outb(SLAVE + 1, IRQ_VECTOR + 8);
	outb(MASTER + 1, 1 << IRQ_CASCADE); /* ICW3: where the slave is */
	outb(SLAVE + 1, IRQ_CASCADE);
	outb(MASTER + 1, 0x01); /* ICW4: 8086 mode */
	outb(SLAVE + 1, 0x01);
	masks = 0xFFFF;
	write_masks();
}

void irq_mask(int irq)
{
	masks |= 1u << irq;
	write_masks();
}

void irq_unmask(int irq)
{
	masks &= ~(1u << irq);
	if (irq >= 8)
		masks &= ~(1u << IRQ_CASCADE);
	write_masks();
}

void irq_end(int irq)
{
	if (irq >= 8)
		outb(SLAVE, EOI);
	outb(MASTER, EOI);
}

static unsigned read_both(uint8_t which)
{
	outb(MASTER, which);
	outb(SLAVE, which);
	return inb(MASTER) | (unsigned)inb(SLAVE) << 8;
}

unsigned irq_requested(void)
{
	return read_both(READ_IRR);
}

unsigned irq_in_service(void)
{
	return read_both(READ_ISR);
}

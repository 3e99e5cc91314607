/* irq.h: interrupt requests of devices. A kernel that uses them names irq and
   irqstubs32 in the Makefile, and opens EFLAGS.IF where it wants them. */
#ifndef IRQ_H
#define IRQ_H

#include "lib.h"

#define IRQ_VECTOR 0x20 /* of IRQ 0; IRQ 8 has 0x28 */

enum { IRQ_TIMER = 0, IRQ_KEYBOARD = 1, IRQ_CASCADE = 2, IRQ_CLOCK = 8 };

/* on_irq says which function takes an IRQ. */
void on_irq(int irq, trap_handler *handler);

/* irq_init initialises the two 8259A with the vectors above, and masks every line.
   Requests made before are forgotten. */
void irq_init(void);

/* irq_mask closes a line, irq_unmask opens it, and the cascade's for a line of
   the slave. */
void irq_mask(int irq);
void irq_unmask(int irq);

/* irq_end is the end of interrupt, which the handler owes. */
void irq_end(int irq);

/* irq_requested and irq_in_service give bit n for IRQ n: IRR and ISR of both. */
unsigned irq_requested(void);
unsigned irq_in_service(void);

/* wait_for_interrupt opens IF and halts until an interrupt has been taken, then
   closes IF. STI lets one more instruction pass: nothing comes between the two. */
static inline void wait_for_interrupt(void)
{
	__asm__ volatile("sti; hlt; cli" ::: "memory");
}

/* let_interrupts_in opens IF for a moment. */
static inline void let_interrupts_in(void)
{
	__asm__ volatile("sti; nop; nop; cli" ::: "memory");
}

#endif

/* The stubs of IRQ 0 to 15. */
#include "stubs.h"

        .text
        STUBS   irq_stubs, 0x20, 16

        .section .note.GNU-stack, "", @progbits

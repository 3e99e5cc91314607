/* The stubs of vectors 0x30 to 0x6F. */
#include "stubs.h"

        .text
        STUBS   apic_stubs, 0x30, 64

        .section .note.GNU-stack, "", @progbits

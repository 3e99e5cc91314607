/* programs.S: user programs, copied to USER_BASE. System call 0 leaves. */
#include "layout.h"

#ifdef __x86_64__
#define BX %rbx
#else
#define BX %ebx
#endif

        .text

/* The ordinary page fault, with CF, PF and ZF set: 0x47 in the flags. */
        .globl  with_carry, with_carry_end
with_carry:
        xor     %eax, %eax
        stc
        mov     $USER_HEAP, BX
        movl    $1234, (BX)
        mov     $0, %eax
        int     $0x80
with_carry_end:

        .globl  write_page_3, write_page_3_end
write_page_3:
        mov     $USER_BASE + 0x3000, BX
        movl    $5678, (BX)
        mov     $0, %eax
        int     $0x80
write_page_3_end:

        .section .note.GNU-stack, "", @progbits

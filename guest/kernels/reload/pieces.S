/* pieces.S: code that is copied to where it will run, or that may meet a page
   that is not there. */
#include "places.h"

#ifdef __x86_64__
#define BX  %rbx
#define SP  %rsp
#define W   8
#define RET iretq
#else
#define BX  %ebx
#define SP  %esp
#define W   4
#define RET iret
#endif

        .text

/* Another driver's exception handler: it counts, drops the error code and
   returns. rounds is in the part of memory that every table maps to itself. */
        .globl  other_driver, other_driver_end
other_driver:
        incl    rounds
        cmpl    $ENOUGH, rounds
        je      1f
        add     $W, SP
        RET
1:      jmp     *enough                 /* so that this story goes on */
other_driver_end:

/* Three versions of a function. */
        .globl  version_1, version_2, version_3, versions_end
version_1:
        mov     $1, %eax
        ret
version_2:
        mov     $2, %eax
        ret
version_3:
        mov     $3, %eax
        ret
versions_end:

/* int poke(word address, int value) writes and returns 0. When the page is not
   there, the page-fault handler goes on at not_there instead. */
        .globl  poke, poke_store, not_there
poke:
#ifdef __x86_64__
poke_store:
        mov     %esi, (%rdi)
#else
        mov     4(%esp), %eax
        mov     8(%esp), %ecx
poke_store:
        mov     %ecx, (%eax)
#endif
        xor     %eax, %eax
        ret
not_there:
        mov     $-1, %eax
        ret

/* Two user programs: one keeps its number in its heap, one tries an address of
   the kernel's. */
        .globl  keep_number, keep_number_end, try_kernel, try_kernel_end
keep_number:
        mov     $USER_HEAP, BX
        movl    $NUMBER, (BX)
        mov     $0, %eax
        int     $0x80
keep_number_end:
try_kernel:
        mov     $MODULE_BASE, BX
        movl    $1234, (BX)
        mov     $0, %eax
        int     $0x80
try_kernel_end:

        .section .note.GNU-stack, "", @progbits

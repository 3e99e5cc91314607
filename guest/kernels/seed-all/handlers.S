/* handlers.S: two page-fault handlers that need more than their code. Both run
   at MODULE_BASE, count, and jump to the kernel's handler. */
#include "modules.h"

#ifdef __x86_64__
#define AT(label, start) label(%rip)
#define LOAD movabs
#define AX %rax
#define SP %rsp
#else
#define AT(label, start) label - start + MODULE_BASE
#define LOAD mov
#define AX %eax
#define SP %esp
#endif

        .text

/* Its count is on a page of data. */
        .globl  with_data, with_data_next, with_data_end
with_data:
        push    AX
        LOAD    $MODULE_DATA, AX
        incl    (AX)
        pop     AX
        jmp     *AT(with_data_next, with_data)
        .align  8
with_data_next: .long 0, 0
with_data_end:

/* It works on a stack of its own. */
        .globl  with_stack, with_stack_next, with_stack_end
with_stack:
        mov     SP, AT(saved, with_stack)
        LOAD    $MODULE_STACK + 0x1000, SP
        push    AX
        mov     AT(stack_count, with_stack), %eax
        inc     %eax
        mov     %eax, AT(stack_count, with_stack)
        pop     AX
        mov     AT(saved, with_stack), SP
        jmp     *AT(with_stack_next, with_stack)
        .align  8
saved:           .long 0, 0
stack_count:     .long 0, 0
with_stack_next: .long 0, 0
with_stack_end:

        .section .note.GNU-stack, "", @progbits

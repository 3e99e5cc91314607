/* The stubs of traps and of the system call, and trap_common, which saves the registers
   and hands a struct trap to C. */
#include "stubs.h"

        .text
        .globl  syscall_stub
        STUBS   trap_stubs, 0, 32
        .align  16
syscall_stub:
        push    $0
        push    $0x80
trap_common:
        push    %rax
        push    %rcx
        push    %rdx
        push    %rbx
        push    %rbp
        push    %rsi
        push    %rdi
        push    %r8
        push    %r9
        push    %r10
        push    %r11
        push    %r12
        push    %r13
        push    %r14
        push    %r15
        mov     %rsp, %rdi
        call    trap_dispatch
        pop     %r15
        pop     %r14
        pop     %r13
        pop     %r12
        pop     %r11
        pop     %r10
        pop     %r9
        pop     %r8
        pop     %rdi
        pop     %rsi
        pop     %rbp
        pop     %rbx
        pop     %rdx
        pop     %rcx
        pop     %rax
        add     $16, %rsp               /* the vector and the error code */
        iretq

/* void run_user(word ip): remember where to come back to, then pretend to
   return from a trap that user code had raised. */
        .globl  run_user, leave_user
run_user:
        push    %rbp
        push    %rbx
        push    %r12
        push    %r13
        push    %r14
        push    %r15
        mov     %rsp, user_caller(%rip)
        push    $0x23                   /* SS, RSP: the program needs no stack */
        push    $0
        push    $2                      /* RFLAGS: interrupts off */
        push    $0x2B                   /* CS, RIP */
        push    %rdi
        iretq
leave_user:
        mov     user_caller(%rip), %rsp
        pop     %r15
        pop     %r14
        pop     %r13
        pop     %r12
        pop     %rbx
        pop     %rbp
        ret

        .bss
        .align  8
user_caller: .skip 8

        .section .note.GNU-stack, "", @progbits

/* The stubs of traps and of the system call, and trap_common, which saves the registers
   and hands a struct trap to C. The data segments stay as they are: see segments_init. */
#include "stubs.h"

        .text
        .globl  syscall_stub, trap_common
        STUBS   trap_stubs, 0, 32
        .align  16
syscall_stub:
        push    $0
        push    $0x80
trap_common:
        pusha
        push    %esp
        call    trap_dispatch
        add     $4, %esp
        popa
        add     $8, %esp                /* the vector and the error code */
        iret

/* void run_user(word ip): remember where to come back to, then pretend to
   return from a trap that user code had raised. */
        .globl  run_user, leave_user
run_user:
        mov     4(%esp), %eax
        push    %ebp
        push    %ebx
        push    %esi
        push    %edi
        mov     %esp, user_caller
        push    $0x23                   /* SS, ESP: the program needs no stack */
        push    $0
        push    $2                      /* EFLAGS: interrupts off */
        push    $0x1B                   /* CS, EIP */
        push    %eax
        iret
leave_user:
        mov     user_caller, %esp
        pop     %edi
        pop     %esi
        pop     %ebx
        pop     %ebp
        ret

        .bss
        .align  4
user_caller: .skip 4

        .section .note.GNU-stack, "", @progbits

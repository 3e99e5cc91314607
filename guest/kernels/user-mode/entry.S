/* entry.S: where SYSENTER and SYSCALL enter the kernel, and the programs, which
   are copied to USER_BASE. */
#include "layout.h"

        .text
        .globl  sysenter_entry, syscall_entry
#ifdef __x86_64__
#define MOVE movabs
#define AX %rax
#define BX %rbx
#define CX %rcx
#define DX %rdx

/* The program's stack pointer is in RCX, its return address in RDX: SYSEXIT
   takes them from there. */
sysenter_entry:
        push    %rdx
        push    %rcx
        mov     %rax, %rdi
        mov     %rcx, %rsi
        call    sysenter_call
        pop     %rcx
        pop     %rdx
        sysexitq                        /* CS: SYSENTER_CS + 32, SS: + 40 */

/* The return address is in RCX, the flags in R11. */
syscall_entry:
        mov     %rsp, user_stack
        mov     $KERNEL_HEAP + 0x1000, %rsp
        push    %rcx
        push    %r11
        mov     %rax, %rdi
        mov     %rcx, %rsi
        mov     %r11, %rdx
        call    syscall_call
        pop     %r11
        pop     %rcx
        mov     user_stack, %rsp
        sysretq                         /* CS: STAR[63:48] + 16, SS: + 8 */

        .bss
        .align  8
user_stack: .skip 8
        .text
#else
#define MOVE mov
#define AX %eax
#define BX %ebx
#define CX %ecx
#define DX %edx

/* The program's stack pointer is in ECX, its return address in EDX: SYSEXIT
   takes them from there. */
sysenter_entry:
        push    %edx
        push    %ecx
        push    %eax
        call    sysenter_call           /* its arguments are the three */
        add     $4, %esp
        pop     %ecx
        pop     %edx
        sysexit                         /* CS: SYSENTER_CS + 16, SS: + 24 */
#endif

        .macro  program name
        .globl  \name, \name\()_end
\name:
        .endm
        .macro  finish name             /* leave, with the answer in EDI */
        mov     %eax, %edi
        mov     $0, %eax
        int     $0x80
\name\()_end:
        .endm

        program by_int
        mov     $7, %eax
        int     $0x80
        finish  by_int

        program by_sysenter
        mov     $7, %eax
        mov     $0x1234, %ecx
        MOVE    $USER_BASE + 1f - by_sysenter, DX
        sysenter
1:      finish  by_sysenter

#ifdef __x86_64__
        program by_syscall
        mov     $7, %eax
        syscall
        finish  by_syscall
#endif

        program try_cli
        cli
        finish  try_cli

        program try_cr3
        mov     %cr3, AX
        finish  try_cr3

        program try_out
        out     %al, $0xF4
        finish  try_out

        program try_read
        mov     $STACK_BOTTOM, BX
        mov     (BX), %eax
        finish  try_read

        program try_call
        mov     $STACK_BOTTOM, BX
        jmp     *BX
        finish  try_call

        .section .note.GNU-stack, "", @progbits

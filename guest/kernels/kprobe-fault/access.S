/* access.S: the probed functions, two ways to read memory that may not be
   there, and setjmp and longjmp under names of our own. */
#include "layout.h"

        .text

#ifdef __x86_64__
#define CX %rcx
#define GET_ARGUMENT mov %rdi, %rcx
#else
#define CX %ecx
#define GET_ARGUMENT mov 4(%esp), %ecx
#endif

/* The probed functions, copied to PROBED. One wants nothing of memory, the
   other reads the address it is given. */
        .globl  functions, seven_probe, seven_next, load, load_probe, load_next, functions_end
functions:
seven_probe:
        mov     $7, %eax
seven_next:
        ret
load:   GET_ARGUMENT
load_probe:
        mov     (CX), %eax
load_next:
        ret
functions_end:

/* word read_word(word address): a plain read. */
        .globl  read_word, read_word_load
read_word:
        GET_ARGUMENT
read_word_load:
        mov     (CX), %eax
        ret

/* word get_word(word address): a read with a fixup: REFUSED instead of a value
   when the page-fault handler has found the load in the table of exceptions. */
        .globl  get_word, get_word_load, get_word_fixup
get_word:
        GET_ARGUMENT
get_word_load:
        mov     (CX), %eax
        ret
get_word_fixup:
        mov     $-1, %eax
        ret

/* int save_place(struct place *p): returns 0 now, and again, not 0, when
   somebody calls void go_to_place(struct place *p). */
        .globl  save_place, go_to_place
#ifdef __x86_64__
save_place:
        mov     (%rsp), %rax            /* the return address */
        lea     8(%rsp), %rdx           /* the stack pointer after the return */
        mov     %rax, (%rdi)
        mov     %rdx, 8(%rdi)
        mov     %rbx, 16(%rdi)
        mov     %rbp, 24(%rdi)
        mov     %r12, 32(%rdi)
        mov     %r13, 40(%rdi)
        mov     %r14, 48(%rdi)
        mov     %r15, 56(%rdi)
        xor     %eax, %eax
        ret
go_to_place:
        mov     8(%rdi), %rsp
        mov     16(%rdi), %rbx
        mov     24(%rdi), %rbp
        mov     32(%rdi), %r12
        mov     40(%rdi), %r13
        mov     48(%rdi), %r14
        mov     56(%rdi), %r15
        mov     $1, %eax
        jmp     *(%rdi)
#else
save_place:
        mov     4(%esp), %eax
        mov     (%esp), %ecx            /* the return address */
        lea     4(%esp), %edx           /* the stack pointer after the return */
        mov     %ecx, (%eax)
        mov     %edx, 4(%eax)
        mov     %ebx, 8(%eax)
        mov     %ebp, 12(%eax)
        mov     %esi, 16(%eax)
        mov     %edi, 20(%eax)
        xor     %eax, %eax
        ret
go_to_place:
        mov     4(%esp), %edx
        mov     4(%edx), %esp
        mov     8(%edx), %ebx
        mov     12(%edx), %ebp
        mov     16(%edx), %esi
        mov     20(%edx), %edi
        mov     $1, %eax
        jmp     *(%edx)
#endif

        .section .note.GNU-stack, "", @progbits

/* user.S: the user's program, and how the kernel reads and writes a user's
   memory that may not be there. */
#include "layout.h"

        .text

#ifdef __x86_64__
#define AT(label) label(%rip)
#define AX %rax
#define CX %rcx
#define SP %rsp
#else
#define AT(label) label - program + USER_BASE
#define AX %eax
#define CX %ecx
#define SP %esp
#endif

/* The program, copied to USER_BASE, calls a function that adds up the numbers
   from EAX down, by calling itself. INT 0x80 leaves with the result in EAX. */
        .globl  program, program_end, returned, sum, sum_next, argument
program:
        mov     $USER_STACK_TOP, SP
        mov     AT(argument), %eax
        call    sum
returned:
        int     $0x80

sum:    test    %eax, %eax              /* the probe is here */
sum_next:
        jz      1f
        push    AX
        dec     %eax
        call    sum
        pop     CX
        add     %ecx, %eax
1:      ret
        .balign 4
argument: .long 0
program_end:

/* int get_user(word address, word *value), int put_user(word address, word
   value): 0, or -1 when the access faulted and the page-fault handler has sent
   it to user_fixup. */
        .globl  get_user, get_user_load, put_user, put_user_store, user_fixup
#ifdef __x86_64__
get_user:
get_user_load:
        mov     (%rdi), %rax
        mov     %rax, (%rsi)
        xor     %eax, %eax
        ret
put_user:
put_user_store:
        mov     %rsi, (%rdi)
        xor     %eax, %eax
        ret
#else
get_user:
        mov     4(%esp), %ecx
        mov     8(%esp), %edx
get_user_load:
        mov     (%ecx), %eax
        mov     %eax, (%edx)
        xor     %eax, %eax
        ret
put_user:
        mov     4(%esp), %ecx
        mov     8(%esp), %edx
put_user_store:
        mov     %edx, (%ecx)
        xor     %eax, %eax
        ret
#endif
user_fixup:
        mov     $-1, %eax
        ret

        .section .note.GNU-stack, "", @progbits

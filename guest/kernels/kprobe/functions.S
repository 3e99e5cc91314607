/* functions.S: the functions that are probed, copied to the page at PROBED.
   Each has the label NAME where it starts, NAME_probe at the instruction that
   is probed, NAME_next behind that. Each gets one argument and returns a word. */
#include "layout.h"

#ifdef __x86_64__
#define AT(label) label(%rip)
#define AX %rax
#define CX %rcx
#define GET_ARGUMENT mov %rdi, %rcx
#else
#define AT(label) label - functions + PROBED
#define AX %eax
#define CX %ecx
#define GET_ARGUMENT mov 4(%esp), %ecx
#endif

        .macro  function name
        .balign 32, 0xCC
        .globl  \name, \name\()_probe, \name\()_next
\name:
        .endm

        .text
        .balign 32
        .globl  functions
functions:

/* The instruction behind the probed one needs its carry: 5 - 3, then + 10 + 1. */
        function add
        mov     $5, %eax
add_probe:
        add     $-3, %eax
add_next:
        adc     $10, %eax
        ret

        function load_relative
load_relative_probe:
        mov     AT(variable), %eax
load_relative_next:
        ret
        .balign 4
variable: .long 1234

        function call
call_probe:
        call    callee
call_next:
        inc     %eax
        ret
callee: mov     $41, %eax
        ret

        function jump
        GET_ARGUMENT
        mov     $1, %eax
        test    CX, CX
jump_probe:
        jz      1f
jump_next:
        mov     $2, %eax
1:      ret

/* Its result is the flags as it finds them: of a comparison of equals, with
   the carry. */
        function push_flags
        cmp     %eax, %eax
        stc
push_flags_probe:
        pushf
push_flags_next:
        pop     AX
        ret

        function load
        GET_ARGUMENT
load_probe:
        mov     (CX), %eax
load_next:
        inc     %eax
        inc     %eax
        ret
        .globl  functions_end
functions_end:

        .section .note.GNU-stack, "", @progbits

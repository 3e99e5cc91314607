/* piece.S: the code that is stepped, copied to 0x3d0000. After each instruction
   that a #DB must follow, `trap` notes where the next one is, and what it was. */
#include "layout.h"

#ifdef __x86_64__
#define WORD .quad
#define AX   %rax
#define CX   %rcx
#define DI   %rdi
#define SI   %rsi
#define SP   %rsp
#else
#define WORD .long
#define AX   %eax
#define CX   %ecx
#define DI   %edi
#define SI   %esi
#define SP   %esp
#endif

        .macro  trap next, text
        .pushsection .rodata.steps, "a"
        WORD    \next - piece, 8f
        .popsection
        .pushsection .rodata.text, "a"
8:      .asciz  "\text"
        .popsection
        .endm

        .macro  stepped instruction:vararg
        \instruction
7:      trap    7b, "\instruction"
        .endm

        .pushsection .rodata.steps, "a"
        .align  8
        .globl  steps
steps:
        .popsection

        .text
        .globl  piece, piece_end
piece:  jmp     1f
callee: ret
1:      push    DI
        push    SI
        pushf
        orl     $0x100, (SP)            /* TF */
        popf                            /* the next instruction is the first */
        stepped nop
        stepped xor %eax, %eax
        jz      2f
        nop
2:      trap    2b, "jz, taken"
        stepped pushf                   /* TF is in the image */
        stepped pop AX                  /* what the piece returns */
        call    callee
        trap    callee, "call"          /* stepping goes into a function, */
3:      trap    3b, "ret"
        mov     $0x3d1000, DI
4:      trap    4b, "mov"
        lea     16(DI), SI
5:      trap    5b, "lea"
        mov     $3, %ecx
6:      trap    6b, "mov"
        rep movsb                       /* and stops after each byte, */
5:      trap    6b, "1 byte of rep movsb"
        trap    6b, "2 bytes of rep movsb"
        trap    5b, "3 bytes of rep movsb"
        int     $0x80                   /* but not in a handler: no trap here */
        nop
6:      trap    6b, "int $0x80 and nop"
        stepped pushf
        andl    $~0x100, (SP)
6:      trap    6b, "and"
        stepped popf                    /* TF was on when it began */
        pop     SI
        pop     DI
        ret
piece_end:

        .pushsection .rodata.steps, "a"
        .globl  steps_end
steps_end:
        .popsection

        .section .note.GNU-stack, "", @progbits

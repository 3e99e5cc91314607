/* piece.S: the code that is stepped, copied to 0x3d0000. After each instruction
   that a #DB must follow, `trap` notes where the next one is, and what it was. */
#ifdef __x86_64__
#define WORD .quad
#define R(name) %r##name
#else
#define WORD .long
#define R(name) %e##name
#endif

        .macro  trap next, text
        .pushsection .rodata.text, "a"
8:      .asciz  "\text"
        .section .rodata.steps
        WORD    \next - piece, 8b
        .popsection
        .endm

        .macro  stepped instruction:vararg
        \instruction
7:      trap    7b, "\instruction"
        .endm

        .globl  steps, steps_end, piece, piece_end
        .section .rodata.steps, "a"
        .align  8
steps:
        .text
piece:  jmp     1f
callee: ret
1:      push    R(di)
        push    R(si)
        pushf
        orl     $0x100, (R(sp))         /* TF */
        popf                            /* the next instruction is the first */
        stepped nop
        stepped xor %eax, %eax
        jz      2f
        nop
2:      trap    2b, "jz, taken"
        stepped pushf                   /* TF is in the image */
        stepped pop R(ax)               /* what the piece returns */
        call    callee
        trap    callee, "call"          /* stepping goes into a function, */
3:      trap    3b, "ret"
        mov     $0x3d1000, R(di)
4:      trap    4b, "mov"
        lea     16(R(di)), R(si)
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
        andl    $~0x100, (R(sp))
6:      trap    6b, "and"
        stepped popf                    /* TF was on when it began */
        pop     R(si)
        pop     R(di)
        ret
piece_end:

        .section .rodata.steps
steps_end:
        .section .note.GNU-stack, "", @progbits

/* programs.S: what the processes run at USER_BASE, with a page for data behind it.
   INT 0x80 with EAX = 1 gives the processor away, with EAX = 0 ends the process.
   What a program keeps between is in the registers of x87 and SSE alone. */
#include "layout.h"

        .intel_syntax noprefix
#ifdef __x86_64__
#define AT(label, program) [rip + label]
#else
#define AT(label, program) [USER_BASE + label - program]
#endif
#define YIELD mov eax, 1; int 0x80
#define LEAVE xor eax, eax; int 0x80

        .section .rodata

/* program_a sums 1/0! + 1/1! + ... to e: ST(0) is k, ST(1) 1/k!, ST(2) the sum. Then it
   divides by zero, unmasked, is away, and finds the exception when it comes back. */
        .globl  program_a, program_a_divides, program_a_waits, program_a_end
program_a:
        fld1
        fld1
        fldz
        mov     edx, 4
1:      mov     ecx, 5
2:      fld1
        faddp   st(1), st
        fdiv    st(1), st
        fld     st(1)
        faddp   st(3), st
        dec     ecx
        jnz     2b
        YIELD
        dec     edx
        jnz     1b
        fldcw   word ptr AT(a_unmask_ze, program_a)
        fldz
program_a_divides:
        fdiv    st(1), st               /* k / 0: ES is set, and nothing is told yet */
        YIELD
program_a_waits:
        fwait
        fstp    st(0)
        fstp    st(0)
        fstp    st(0)
        fimul   dword ptr AT(a_billion, program_a)
        fistp   qword ptr AT(program_a + 0x1000, program_a)
#ifdef __x86_64__
        YIELD
        xorps   xmm0, xmm0
        movsd   xmm1, qword ptr AT(a_one, program_a)
        divsd   xmm1, xmm0              /* an infinity: MXCSR masks it here */
#endif
        LEAVE
#ifdef __x86_64__
        .align  8
a_one:  .double 1
#endif
a_unmask_ze: .word 0x037B
a_billion: .long 1000000000
program_a_end:

/* program_b comes to the square root of 2 by Newton's way: x = (x + 2/x) / 2. */
#ifdef __x86_64__
        .globl  program_b, program_b_divides, program_b_end
program_b:
        movsd   xmm0, qword ptr AT(b_one, program_b)
        mov     edx, 4
1:      mov     ecx, 2
2:      movsd   xmm1, qword ptr AT(b_two, program_b)
        divsd   xmm1, xmm0
        addsd   xmm0, xmm1
        mulsd   xmm0, qword ptr AT(b_half, program_b)
        dec     ecx
        jnz     2b
        YIELD
        dec     edx
        jnz     1b
        ldmxcsr dword ptr AT(b_unmask_z, program_b)
        YIELD
        xorps   xmm1, xmm1
        movsd   xmm2, xmm0
program_b_divides:
        divsd   xmm2, xmm1              /* #XM at once, and again until it is masked */
        mulsd   xmm0, qword ptr AT(b_billion, program_b)
        cvtsd2si rax, xmm0
        mov     AT(program_b + 0x1000, program_b), rax
        LEAVE
        .align  8
b_one:  .double 1
b_two:  .double 2
b_half: .double 0.5
b_billion: .double 1000000000
b_unmask_z: .long 0x1D80
program_b_end:
#else
        .globl  program_b, program_b_end
program_b:
        fld1
        mov     edx, 4
1:      mov     ecx, 2
2:      fild    dword ptr AT(b_two, program_b)
        fdiv    st, st(1)
        faddp   st(1), st
        fidiv   dword ptr AT(b_two, program_b)
        dec     ecx
        jnz     2b
        YIELD
        dec     edx
        jnz     1b
        fimul   dword ptr AT(b_billion, program_b)
        fistp   qword ptr AT(program_b + 0x1000, program_b)
        LEAVE
b_two:  .long   2
b_billion: .long 1000000000
program_b_end:
#endif

/* program_c needs general registers only. */
        .globl  program_c, program_c_end
program_c:
1:      inc     ebx
        YIELD
        jmp     1b
program_c_end:

        .section .note.GNU-stack, "", @progbits

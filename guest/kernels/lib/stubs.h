/* stubs.h, for assembly: STUBS makes, under a name, the stubs of so many vectors from the
   first one on, 16 bytes each: trap_entry counts on it. A stub pushes its vector (and a 0
   where the CPU pushes no error code), then all lead to trap_common. */
        .altmacro
        .macro  stub vector
        .align  16
        /* #DF, #TS, #NP, #SS, #GP, #PF and #AC bring an error code. */
        .if     \vector != 8 && (\vector < 10 || \vector > 14) && \vector != 17
        push    $0
        .endif
        push    $\vector
        jmp     trap_common
        .endm

        .macro  STUBS name, first, count
        .globl  \name
        .align  16
\name:
        .set    v, \first
        .rept   \count
        stub    %v
        .set    v, v + 1
        .endr
        .endm

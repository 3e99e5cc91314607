/* The stubs of IRQ 0 to 15, 16 bytes each: traps as any, with a 0 for the error
   code that the CPU does not push. */
        .text
        .altmacro
        .macro  stub vector
        .align  16
        push    $0
        push    $\vector
        jmp     trap_common
        .endm

        .globl  irq_stubs
        .align  16
irq_stubs:
        .set    v, 0x20
        .rept   16
        stub    %v
        .set    v, v + 1
        .endr

        .section .note.GNU-stack, "", @progbits

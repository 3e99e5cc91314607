/* The stubs of vectors 0x30 to 0x6F, 16 bytes each: traps as any, with a 0 for the
   error code that the CPU does not push. */
        .text
        .altmacro
        .macro  stub vector
        .align  16
        push    $0
        push    $\vector
        jmp     trap_common
        .endm

        .globl  apic_stubs
        .align  16
apic_stubs:
        .set    v, 0x30
        .rept   64
        stub    %v
        .set    v, v + 1
        .endr

        .section .note.GNU-stack, "", @progbits

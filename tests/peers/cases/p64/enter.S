/* Into a case and out of it; see ../p32/enter.S. IRETQ always loads SS:RSP, so
   one way in serves every level. */
        .text
        .globl  enter, caught

enter:  push    %rbp
        push    %rbx
        push    %r12
        push    %r13
        push    %r14
        push    %r15
        mov     %rsp, kernel_rsp
        mov     $start, %esi
        mov     144(%rsi), %rax
        mov     %rax, %cr3
        mov     152(%rsi), %rax
        mov     %rax, %cr4
        mov     136(%rsi), %rax
        mov     %rax, %cr0
        mov     $0x11111111, %eax
        mov     %rax, %cr2
        mov     72(%rsi), %es
        mov     96(%rsi), %ds
        mov     104(%rsi), %fs
        mov     112(%rsi), %gs
        push    88(%rsi)                /* SS, RSP */
        push    32(%rsi)
        push    128(%rsi)               /* RFLAGS */
        push    80(%rsi)                /* CS, RIP */
        push    120(%rsi)
        mov     0(%rsi), %rax
        mov     8(%rsi), %rcx
        mov     16(%rsi), %rdx
        mov     24(%rsi), %rbx
        mov     40(%rsi), %rbp
        mov     56(%rsi), %rdi
        mov     64(%rsi), %r8
        mov     48(%rsi), %rsi
        iretq

caught: mov     %rcx, record + 8
        mov     %rdx, record + 16
        mov     %rbx, record + 24
        mov     %rsp, record + 32
        mov     %rbp, record + 40
        mov     %rsi, record + 48
        mov     %rdi, record + 56
        mov     %r8, record + 64
        mov     %dr0, %rax
        mov     %rax, record + 0
        mov     %dr1, %rax
        mov     %rax, record + 120
        mov     %dr3, %rax
        mov     %rax, record + 80
        movw    %es, record + 72
        movw    %ss, record + 88
        movw    %ds, record + 96
        movw    %fs, record + 104
        movw    %gs, record + 112
        mov     %cr2, %rax
        mov     %rax, record + 136
        mov     $0x10, %eax
        mov     %eax, %ss
        mov     kernel_rsp, %rsp
        pushf
        pop     record + 128
        push    $2
        popf
        mov     $0x10, %eax
        mov     %eax, %ds
        mov     %eax, %es
        mov     $0x20, %eax
        mov     %rax, %cr4
        mov     $0x205000, %eax
        mov     %rax, %cr3
        mov     $0x80010011, %eax
        mov     %rax, %cr0
        pop     %r15
        pop     %r14
        pop     %r13
        pop     %r12
        pop     %rbx
        pop     %rbp
        ret

        .bss
        .align  8
kernel_rsp: .skip 8

        .section .note.GNU-stack, "", @progbits

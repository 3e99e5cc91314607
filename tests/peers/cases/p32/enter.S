/* Into a case and out of it. The stubs, made at run time, keep EAX in DR0 and
   the vector in DR1 and come to caught: no stack is needed, and no data
   segment, since either may be what the case is about. */
        .text
        .globl  enter, caught
        .set    FLAT, 0x10

/* void enter(void): goes where `start` says. */
enter:  pusha
        mov     %esp, kernel_esp
        mov     $start, %esi

        mov     %cr0, %eax              /* paging off: its kind may change */
        and     $0x7fffffff, %eax
        mov     %eax, %cr0
        mov     72(%esi), %eax
        mov     %eax, %cr4
        mov     68(%esi), %eax
        mov     %eax, %cr3
        mov     $0x11111111, %eax
        mov     %eax, %cr2
        mov     64(%esi), %eax
        mov     %eax, %cr0

        testl   $0x20000, 60(%esi)      /* VM */
        jnz     vm86_start
        testl   $3, 36(%esi)            /* CS */
        jnz     user_start

        pushl   60(%esi)
        popf
        lss     stack_pointer, %esp
        mov     44(%esi), %ds
        mov     %cs:start + 32, %es
        mov     %cs:start + 48, %fs
        mov     %cs:start + 52, %gs

        mov     %cs:start + 0, %eax
        mov     %cs:start + 4, %ecx
        mov     %cs:start + 8, %edx
        mov     %cs:start + 12, %ebx
        mov     %cs:start + 20, %ebp
        mov     %cs:start + 28, %edi
        mov     %cs:start + 24, %esi
        ljmp    *%cs:code_pointer

vm86_start:
        pushl   52(%esi)                /* GS, FS, DS, ES */
        pushl   48(%esi)
        pushl   44(%esi)
        pushl   32(%esi)
user_start:
        pushl   40(%esi)                /* SS, ESP */
        pushl   16(%esi)
        pushl   60(%esi)                /* EFLAGS, CS, EIP */
        pushl   36(%esi)
        pushl   56(%esi)
        testl   $0x20000, 60(%esi)
        jnz     1f
        mov     44(%esi), %ds
        mov     %cs:start + 32, %es
        mov     %cs:start + 48, %fs
        mov     %cs:start + 52, %gs
1:      mov     %cs:start + 0, %eax
        mov     %cs:start + 4, %ecx
        mov     %cs:start + 8, %edx
        mov     %cs:start + 12, %ebx
        mov     %cs:start + 20, %ebp
        mov     %cs:start + 28, %edi
        mov     %cs:start + 24, %esi
        iret

caught: mov     %ds, %eax
        mov     %eax, %dr2
        mov     $FLAT, %eax
        mov     %eax, %ds
        mov     %ecx, record + 4
        mov     %edx, record + 8
        mov     %ebx, record + 12
        mov     %esp, record + 16
        mov     %ebp, record + 20
        mov     %esi, record + 24
        mov     %edi, record + 28
        mov     %dr0, %eax
        mov     %eax, record + 0
        movw    %es, record + 32
        mov     %dr3, %eax
        mov     %eax, record + 36
        movw    %ss, record + 40
        mov     %dr2, %eax
        mov     %eax, record + 44
        movw    %fs, record + 48
        movw    %gs, record + 52
        mov     %dr1, %eax
        mov     %eax, record + 56
        mov     %cr0, %eax
        mov     %eax, record + 64
        mov     %cr2, %eax
        mov     %eax, record + 68
        mov     %cr3, %eax
        mov     %eax, record + 72
        mov     $FLAT, %eax
        mov     %eax, %ss
        mov     kernel_esp, %esp
        pushf
        popl    record + 60
        pushl   $2                      /* NT would make the IRET below a task return */
        popf
        mov     $FLAT, %eax
        mov     %eax, %es
        mov     %eax, %fs
        mov     %eax, %gs
        mov     %cr0, %eax              /* the kernel's own paging */
        and     $0x7ffaffff, %eax
        mov     %eax, %cr0
        xor     %eax, %eax
        mov     %eax, %cr4
        mov     $0x202000, %eax
        mov     %eax, %cr3
        mov     %cr0, %eax
        and     $~8, %eax               /* TS */
        or      $0x80010000, %eax
        mov     %eax, %cr0
        pushl   $2                      /* IRET clears VIF and VIP, POPF does not */
        pushl   $0x08
        pushl   $1f
        iret
1:      popa
        ret

        .bss
        .align  4
kernel_esp: .skip 4
        .globl  stack_pointer, code_pointer
stack_pointer: .skip 8
code_pointer:  .skip 8

        .section .note.GNU-stack, "", @progbits

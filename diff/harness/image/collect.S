/* Out of a case. A collector may count on no stack and no data segment, since
   either may be what the case is about: what it needs first goes to DR0 and DR1.
   Its first instruction is privileged, so that a handler at CPL 1 or 2 ends in #GP. */
        .include "state.inc"
        .set    OWN_CODE, 0x08
        .set    OWN_DATA, 0x10
        .globl  record, vector, own_esp, collect32, collect64

/* One for each vector, the same bytes for 32-bit and for 64-bit code. */
        .section .collect, "awx"
        .set    v, 0
        .rept   256
        mov     %eax, %dr0
        mov     $v << 16, %eax
        mov     %ds, %ax
        jmp     which
        .balign 32
        .set    v, v + 1
        .endr
which:  .byte   0xe9                    /* jmp, to collect32 or collect64: set by main.c */
        .globl  which_way
which_way:
        .long   0

collect32:
        mov     %eax, %dr1
        mov     $OWN_DATA, %eax
        mov     %eax, %ds
        mov     %ecx, record + RCX
        mov     %edx, record + RDX
        mov     %ebx, record + RBX
        mov     %esp, record + RSP
        mov     %ebp, record + RBP
        mov     %esi, record + RSI
        mov     %edi, record + RDI
        mov     %dr0, %eax
        mov     %eax, record + RAX
        mov     %dr1, %eax
        mov     %ax, record + DS
        movw    %es, record + ES
        movw    %cs, record + CS
        movw    %ss, record + SS
        movw    %fs, record + FS
        movw    %gs, record + GS
        sgdt    record + GDTR
        sidt    record + IDTR
        lgdt    own_gdtr
        mov     $OWN_DATA, %ebx
        mov     %ebx, %ss
        mov     own_esp, %esp
        pushf
        popl    record + RFLAGS
        pushl   $2
        popf
        shr     $16, %eax
        mov     %eax, vector
        mov     %cr0, %eax
        mov     %eax, record + CR0
        mov     %cr2, %eax
        mov     %eax, record + CR2
        mov     %cr3, %eax
        mov     %eax, record + CR3
        mov     %cr4, %eax
        mov     %eax, record + CR4
        mov     %dr2, %eax
        mov     %eax, record + DR2
        mov     %dr3, %eax
        mov     %eax, record + DR3
        mov     %dr6, %eax
        mov     %eax, record + DR6
        mov     %dr7, %eax
        mov     %eax, record + DR7
        call    1f                      /* EIP tells the base of CS */
1:      pop     %eax
        sub     $1b, %eax
        mov     %eax, record + RIP      /* minus that base; main.c adds the collector */
        ljmp    $OWN_CODE, $common

        .code64
collect64:
        mov     %rcx, record + RCX(%rip)
        mov     %rdx, record + RDX(%rip)
        mov     %rbx, record + RBX(%rip)
        mov     %rsp, record + RSP(%rip)
        mov     %rbp, record + RBP(%rip)
        mov     %rsi, record + RSI(%rip)
        mov     %rdi, record + RDI(%rip)
        mov     %r8, record + 64(%rip)
        mov     %r9, record + 72(%rip)
        mov     %r10, record + 80(%rip)
        mov     %r11, record + 88(%rip)
        mov     %r12, record + 96(%rip)
        mov     %r13, record + 104(%rip)
        mov     %r14, record + 112(%rip)
        mov     %r15, record + 120(%rip)
        mov     own_esp(%rip), %esp
        pushf
        popq    record + RFLAGS(%rip)
        pushq   $2
        popf
        mov     %ax, record + DS(%rip)
        shr     $16, %eax
        mov     %eax, vector(%rip)
        mov     %dr0, %rax
        mov     %rax, record + RAX(%rip)
        movw    %es, record + ES(%rip)
        movw    %cs, record + CS(%rip)
        movw    %ss, record + SS(%rip)
        movw    %fs, record + FS(%rip)
        movw    %gs, record + GS(%rip)
        sgdt    record + GDTR(%rip)
        sidt    record + IDTR(%rip)
        mov     %cr0, %rax
        mov     %rax, record + CR0(%rip)
        mov     %cr2, %rax
        mov     %rax, record + CR2(%rip)
        mov     %cr3, %rax
        mov     %rax, record + CR3(%rip)
        mov     %dr2, %rax
        mov     %rax, record + DR2(%rip)
        mov     %dr3, %rax
        mov     %rax, record + DR3(%rip)
        mov     %dr6, %rax
        mov     %rax, record + DR6(%rip)
        mov     %dr7, %rax
        mov     %rax, record + DR7(%rip)
        movq    $0, record + RIP(%rip)
        mov     %cr4, %rax
        mov     %rax, record + CR4(%rip)
        test    $0x400000, %eax         /* PKE */
        jz      leave64
        xor     %ecx, %ecx
        rdpkru
        mov     %eax, record + PKRU(%rip)
leave64:
        mov     %cr4, %rax
        and     $~0x20000, %eax         /* PCIDE cannot outlive IA-32e mode */
        mov     %rax, %cr4
        lgdt    own_gdtr(%rip)
        mov     $OWN_DATA, %eax
        mov     %eax, %ss
        ljmpl   *to_common(%rip)
        .code32

/* In 32-bit code of the harness, perhaps still with paging; segments other than
   CS, SS are the case's. */
common: mov     $OWN_DATA, %eax
        mov     %eax, %ds
        mov     $0x400, %eax
        mov     %eax, %dr7
        sldt    record + LDTR
        str     record + TR
        mov     $0xC0000100, %ecx
        rdmsr
        mov     %eax, record + FSBASE
        mov     %edx, record + FSBASE + 4
        mov     $0xC0000101, %ecx
        rdmsr
        mov     %eax, record + GSBASE
        mov     %edx, record + GSBASE + 4
        mov     $0xC0000080, %ecx
        rdmsr
        mov     %eax, record + EFER
back:   mov     $0x33, %eax             /* no paging */
        mov     %eax, %cr0
        mov     $0x600, %eax
        mov     %eax, %cr4
        xor     %eax, %eax
        mov     %eax, %cr3
        xor     %edx, %edx
        mov     $0xC0000080, %ecx
        wrmsr
        mov     $0xC0000102, %ecx       /* what SWAPGS may have left */
        wrmsr
        mov     $OWN_DATA, %eax
        mov     %eax, %es
        mov     %eax, %fs
        mov     %eax, %gs
        lidt    own_idtr32
        mov     own_esp, %esp
        testl   $0x180000, record + RFLAGS
        jz      1f
        push    $2                      /* IRET clears VIF and VIP, POPF does not */
        push    $OWN_CODE
        push    $1f
        iret
1:      popa
        ret

/* A case could not begin. The harness's own gates lead here, in both modes, by
   pushes of the vector. */
        .text
        .globl  not_begun_table32, not_begun_table64
not_begun_table32:
        .set    v, 0
        .rept   32
        pushl   $v
        jmp     not_begun32
        .align  8
        .set    v, v + 1
        .endr
not_begun32:
        pop     %eax
        mov     $OWN_DATA, %ecx
        mov     %ecx, %ds
        mov     4(%esp), %ecx           /* EIP, if there is an error code */
        mov     %ecx, record + RIP
        lgdt    own_gdtr
        or      $0x100, %eax
        mov     %eax, vector
        jmp     back

        .code64
        .align  8
not_begun_table64:
        .set    v, 0
        .rept   32
        pushq   $v
        jmp     not_begun64
        .align  8
        .set    v, v + 1
        .endr
not_begun64:
        pop     %rax
        mov     8(%rsp), %rcx
        mov     %rcx, record + RIP(%rip)
        or      $0x100, %eax
        mov     %eax, vector(%rip)
        mov     $back_from_64, %eax
        mov     %eax, to_common(%rip)
        jmp     leave64
        .code32
back_from_64:
        movl    $common, to_common
        mov     $OWN_DATA, %eax
        mov     %eax, %ds
        jmp     back

        .data
        .align  8
to_common:
        .long   common
        .word   OWN_CODE

        .bss
        .align  16
record: .skip   336
own_esp: .skip  8                       /* the upper half stays zero */
vector: .skip   4

        .section .note.GNU-stack, "", @progbits

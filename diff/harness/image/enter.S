/* void enter(const struct state *start): loads everything that a case begins
   with, and goes there by IRET. The pointer is kept in EBP, whose accesses go by
   SS, the harness's own until the last moment. */
        .include "state.inc"
        .text
        .globl  enter, enter_by_host, try_sse

enter:  pusha
        mov     %esp, own_esp
        mov     36(%esp), %ebp
        cmpl    $0, has_sse
        je      1f
        fxrstor clean
1:      mov     $0xC0000080, %ecx       /* EFER; LMA is not written */
        mov     EFER(%ebp), %eax
        and     $~0x400, %eax
        xor     %edx, %edx
        wrmsr
        mov     CR4(%ebp), %eax
        and     $~0x20000, %eax         /* PCIDE has to wait for IA-32e mode */
        mov     %eax, %cr4
        mov     CR3(%ebp), %eax
        mov     %eax, %cr3
        mov     CR2(%ebp), %eax
        mov     %eax, %cr2
        mov     CR0(%ebp), %eax
        mov     %eax, %cr0
        jmp     1f
1:      testb   $1, HOW(%ebp)
        jnz     long_mode

        ltr     TR(%ebp)                /* from the harness's table */
        lgdt    GDTR(%ebp)
        lldt    LDTR(%ebp)
        mov     DR0(%ebp), %eax
        mov     %eax, %dr0
        mov     DR1(%ebp), %eax
        mov     %eax, %dr1
        mov     DR2(%ebp), %eax
        mov     %eax, %dr2
        mov     DR3(%ebp), %eax
        mov     %eax, %dr3
        mov     DR6(%ebp), %eax
        mov     %eax, %dr6
        mov     DR7(%ebp), %eax
        mov     %eax, %dr7

        testl   $0x20000, RFLAGS(%ebp)  /* VM */
        jnz     to_vm86
        testb   $3, CS(%ebp)
        jnz     to_outer

        mov     RIP(%ebp), %eax
        mov     %eax, code
        movzwl  CS(%ebp), %eax
        mov     %eax, code + 4
        mov     RSP(%ebp), %eax
        mov     %eax, stack
        movzwl  SS(%ebp), %eax
        mov     %eax, stack + 4
        mov     RFLAGS(%ebp), %eax
        mov     %eax, flags
        test    $0x190100, %eax         /* VIP, VIF, RF, TF: only IRET loads them, and in time */
        jnz     1f
        push    %eax
        call    load_segments
        call    load_registers
        popf
        lss     %cs:stack, %esp
        ljmp    *%cs:code
1:      call    load_segments
        call    load_registers
        lss     %cs:stack, %esp
        pushl   %cs:flags
        pushl   %cs:code + 4
        pushl   %cs:code
        iret

/* void enter_by_host(const struct state *start): the host loads everything. If it
   comes back, it could not. */
enter_by_host:
        pusha
        mov     %esp, own_esp
        mov     36(%esp), %eax
        out     %eax, $0xea
        movl    $0x1ff, vector          /* no exception's */
        popa
        ret

/* void try_sse(void): comes back with `vector` 0 if FXRSTOR can be used. */
try_sse:
        pusha
        mov     %esp, own_esp
        movl    $0, vector
        fxrstor clean
        popa
        ret

to_vm86:
        movzwl  GS(%ebp), %eax
        push    %eax
        movzwl  FS(%ebp), %eax
        push    %eax
        movzwl  DS(%ebp), %eax
        push    %eax
        movzwl  ES(%ebp), %eax
        push    %eax
        call    push_frame
        call    load_registers
        iret
to_outer:
        call    push_frame
        call    load_segments
        call    load_registers
        iret

push_frame:
        pop     %ecx
        movzwl  SS(%ebp), %eax
        push    %eax
        pushl   RSP(%ebp)
        pushl   RFLAGS(%ebp)
        movzwl  CS(%ebp), %eax
        push    %eax
        pushl   RIP(%ebp)
        jmp     *%ecx

load_segments:
        mov     ES(%ebp), %es
        mov     FS(%ebp), %fs
        mov     GS(%ebp), %gs
        mov     DS(%ebp), %ds
        ret

load_registers:
        lidt    IDTR(%ebp)
        mov     RAX(%ebp), %eax
        mov     RCX(%ebp), %ecx
        mov     RDX(%ebp), %edx
        mov     RBX(%ebp), %ebx
        mov     RSI(%ebp), %esi
        mov     RDI(%ebp), %edi
        mov     RBP(%ebp), %ebp
        ret

long_mode:
        ljmp    $0xff8, $1f
        .code64
1:      mov     %esp, %esp              /* the upper halves are undefined now */
        mov     %ebp, %ebp
        lidt    own_idtr64(%rip)
        mov     CR4(%rbp), %rax
        test    $0x20000, %eax
        jz      1f
        mov     CR3(%rbp), %rcx
        and     $~0xfff, %rcx           /* PCIDE can be set while the PCID is 0 */
        mov     %rcx, %cr3
        mov     %rax, %cr4
        mov     CR3(%rbp), %rcx
        mov     %rcx, %cr3
1:      test    $0x400000, %eax         /* PKE */
        jz      1f
        mov     PKRU(%rbp), %eax
        xor     %ecx, %ecx
        xor     %edx, %edx
        wrpkru
1:      testb   $8, HOW(%rbp)
        jz      1f
        fxrstor64 clean(%rip)
1:      lgdt    own_gdtr(%rip)
        ltr     TR(%rbp)
        lgdt    GDTR(%rbp)
        lldt    LDTR(%rbp)
        mov     ES(%rbp), %es
        mov     DS(%rbp), %ds
        mov     FS(%rbp), %fs
        mov     GS(%rbp), %gs
        testb   $2, HOW(%rbp)
        jz      1f
        mov     $0xC0000100, %ecx
        mov     FSBASE(%rbp), %eax
        mov     FSBASE + 4(%rbp), %edx
        wrmsr
1:      testb   $4, HOW(%rbp)
        jz      1f
        mov     $0xC0000101, %ecx
        mov     GSBASE(%rbp), %eax
        mov     GSBASE + 4(%rbp), %edx
        wrmsr
1:      mov     DR0(%rbp), %rax
        mov     %rax, %dr0
        mov     DR1(%rbp), %rax
        mov     %rax, %dr1
        mov     DR2(%rbp), %rax
        mov     %rax, %dr2
        mov     DR3(%rbp), %rax
        mov     %rax, %dr3
        mov     DR6(%rbp), %rax
        mov     %rax, %dr6
        mov     DR7(%rbp), %rax
        mov     %rax, %dr7
        mov     FRAME(%rbp), %rax       /* another stack for the frame of IRETQ */
        test    %rax, %rax
        cmovnz  %rax, %rsp
        movzwl  SS(%rbp), %eax
        push    %rax
        push    RSP(%rbp)
        push    RFLAGS(%rbp)
        movzwl  CS(%rbp), %eax
        push    %rax
        push    RIP(%rbp)
        lidt    IDTR(%rbp)
        mov     RCX(%rbp), %rcx
        mov     RDX(%rbp), %rdx
        mov     RBX(%rbp), %rbx
        mov     RSI(%rbp), %rsi
        mov     RDI(%rbp), %rdi
        mov     64(%rbp), %r8
        mov     72(%rbp), %r9
        mov     80(%rbp), %r10
        mov     88(%rbp), %r11
        mov     96(%rbp), %r12
        mov     104(%rbp), %r13
        mov     112(%rbp), %r14
        mov     120(%rbp), %r15
        mov     RAX(%rbp), %rax
        testb   $16, HOW(%rbp)
        mov     RBP(%rbp), %rbp
        jnz     1f
        iretq
1:      popq    code(%rip)              /* RIP is below 4 GiB, as not all have m16:64 */
        popq    code + 4(%rip)
        popf
        mov     8(%rsp), %ss
        mov     (%rsp), %rsp
        ljmpl   *code(%rip)
        .code32

        .data
        .align  16
clean:  .word   0x37f, 0, 0, 0          /* FXSAVE image: all empty, masked, zero */
        .long   0, 0, 0, 0
        .long   0x1f80, 0xffff
        .fill   480, 1, 0

        .bss
        .align  8
stack:  .skip   8
code:   .skip   16
flags:  .skip   4

        .section .note.GNU-stack, "", @progbits

/* Entry of the image. A multiboot loader comes here in 32-bit protected mode; so
   does the trampoline, after the reset that a shutdown has led to. */
        .section .multiboot, "a"
        .align  4
        .long   0x1BADB002              /* magic */
        .long   0                       /* flags: nothing asked for */
        .long   -0x1BADB002             /* the three add up to 0 */

        .section .head, "ax"
        .globl  _start, trampoline, trampoline_end, page_differs
_start: cld
        mov     %eax, %edx              /* not every loader clears .bss */
        mov     $begin_of_bss, %edi
        mov     $end_of_image, %ecx
        sub     %edi, %ecx
        xor     %eax, %eax
        rep stosb
        mov     $own_stack_top, %esp
        call    own_mode
        push    %ebx                    /* multiboot information and magic */
        push    %edx
        call    main

resume: mov     $0x10, %eax
        mov     %eax, %ds
        mov     %eax, %ss
        mov     $own_stack_top, %esp
        call    own_mode
        call    resumed

/* Loads segments, stack, and control registers of the harness. */
own_mode:
        pop     %esi
        lgdt    own_gdtr
        ljmp    $0x08, $1f
1:      mov     $0x10, %eax
        mov     %eax, %ds
        mov     %eax, %es
        mov     %eax, %ss
        mov     %eax, %fs
        mov     %eax, %gs
        mov     $own_stack_top, %esp
        lidt    own_idtr32
        mov     $0x33, %eax             /* PE MP ET NE */
        mov     %eax, %cr0
        mov     $0x600, %eax            /* OSFXSR OSXMMEXCPT */
        mov     %eax, %cr4
        cld
        jmp     *%esi

/* int page_differs(const void *a, const void *b): compares 4096 bytes. */
page_differs:
        push    %edi
        push    %esi
        mov     12(%esp), %esi
        mov     16(%esp), %edi
        mov     $64, %ecx
        cmpl    $0, has_sse
        je      without_sse
        pxor    %xmm0, %xmm0
1:      movdqa  (%esi), %xmm1
        movdqa  16(%esi), %xmm2
        movdqa  32(%esi), %xmm3
        movdqa  48(%esi), %xmm4
        pxor    (%edi), %xmm1
        pxor    16(%edi), %xmm2
        pxor    32(%edi), %xmm3
        pxor    48(%edi), %xmm4
        por     %xmm1, %xmm0
        por     %xmm2, %xmm3
        por     %xmm4, %xmm0
        por     %xmm3, %xmm0
        add     $64, %esi
        add     $64, %edi
        dec     %ecx
        jnz     1b
        pcmpeqb %xmm1, %xmm1            /* all ones where a byte is equal */
        pxor    %xmm2, %xmm2
        pcmpeqb %xmm2, %xmm0
        pxor    %xmm1, %xmm0
        pmovmskb %xmm0, %eax
        pop     %esi
        pop     %edi
        ret
without_sse:
        xor     %eax, %eax
        shl     $2, %ecx
1:      mov     (%esi), %edx
        xor     (%edi), %edx
        or      %edx, %eax
        mov     4(%esi), %edx
        xor     4(%edi), %edx
        or      %edx, %eax
        mov     8(%esi), %edx
        xor     8(%edi), %edx
        or      %edx, %eax
        mov     12(%esi), %edx
        xor     12(%edi), %edx
        or      %edx, %eax
        add     $16, %esi
        add     $16, %edi
        dec     %ecx
        jnz     1b
        pop     %esi
        pop     %edi
        ret

/* Copied to TRAMPOLINE; firmware comes here in real mode when it finds in the
   CMOS that the reset was announced. */
        .code16
trampoline:
        cli
        in      $0x92, %al              /* the A20 gate is closed after a reset */
        or      $2, %al
        and     $0xfe, %al
        out     %al, $0x92
        lgdtl   %cs:own_gdtr_copy - trampoline
        mov     %cr0, %eax
        or      $1, %al
        mov     %eax, %cr0
        ljmpl   $0x08, $resume
        .align  4
own_gdtr_copy:
        .word   0xfff
        .long   own_gdt
trampoline_end:
        .code32

/* The harness's own descriptors: 0x08 code, 0x10 data as in every world; 0xff0 a
   TSS, 0xff8 64-bit code. The one of a case's TSS is put in between. */
        .data
        .globl  own_gdt, own_idt32, own_idt64, own_gdtr, own_idtr32, own_idtr64, own_stack, own_stack_top
        .align  16
own_gdt:
        .quad   0
        .quad   0x00CF9B000000FFFF
        .quad   0x00CF93000000FFFF
        .fill   508, 8, 0
        .quad   0x00AF9B000000FFFF
own_gdtr:
        .word   0xfff
        .long   own_gdt, 0
own_idtr32:
        .word   0x7ff
        .long   own_idt32
own_idtr64:
        .word   0xfff
        .long   own_idt64, 0

        .bss
        .align  16
own_idt32: .skip 2048
own_idt64: .skip 4096
own_stack: .skip 8192
own_stack_top:

        .section .note.GNU-stack, "", @progbits

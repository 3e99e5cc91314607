/* Entry of a 64-bit kernel. A multiboot loader comes here in 32-bit protected
   mode with paging off. Long mode needs paging, so this maps the first 4 MiB
   to themselves with two 2 MiB pages; kernel_main replaces that by page tables
   of its own, in C. EBX stays as the loader set it: the address of its
   information. */
        .section .multiboot, "a"
        .align  4
        .long   0x1BADB002              /* magic */
        .long   0                       /* flags: nothing asked for */
        .long   -0x1BADB002             /* the three add up to 0 */

        .text
        .code32
        .globl  _start
_start: cld
        movl    $boot_pdpt + 3, boot_pml4       /* 3: present, writable */
        movl    $boot_pd + 3, boot_pdpt
        movl    $0x000083, boot_pd              /* 0x80: a 2 MiB page */
        movl    $0x200083, boot_pd + 8

        mov     %cr4, %eax
        or      $0x20, %eax                     /* PAE */
        mov     %eax, %cr4
        mov     $boot_pml4, %eax
        mov     %eax, %cr3
        mov     $0xC0000080, %ecx               /* EFER */
        rdmsr
        or      $0x900, %eax                    /* NXE, LME */
        wrmsr
        mov     %cr0, %eax
        or      $0x80000000, %eax               /* PG: long mode is active */
        mov     %eax, %cr0
        lgdt    boot_gdtr
        ljmp    $0x08, $1f                      /* a code segment with L=1 */

        .code64
1:      mov     $0x10, %eax
        mov     %eax, %ds
        mov     %eax, %es
        mov     %eax, %ss
        mov     $boot_stack_top, %rsp
        call    kernel_main
2:      cli
        hlt
        jmp     2b

        .section .rodata
        .align  8
boot_gdt:
        .quad   0
        .quad   0x00AF9A000000FFFF              /* 0x08: 64-bit code */
        .quad   0x00CF92000000FFFF              /* 0x10: data */
boot_gdtr:
        .word   boot_gdtr - boot_gdt - 1
        .long   boot_gdt

        .bss
        .align  4096
boot_pml4: .skip 4096
boot_pdpt: .skip 4096
boot_pd:   .skip 4096
        .skip   8192
boot_stack_top:

        .section .note.GNU-stack, "", @progbits

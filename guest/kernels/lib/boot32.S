/* Entry of a 32-bit kernel. A multiboot loader comes here in 32-bit protected
   mode with paging off, interrupts off and flat segments whose descriptors we
   must not rely on. kernel_main sets up everything else, in C. EBX stays as the
   loader set it: the address of its information. */
        .section .multiboot, "a"
        .align  4
        .long   0x1BADB002              /* magic */
        .long   0                       /* flags: nothing asked for */
        .long   -0x1BADB002             /* the three add up to 0 */

        .text
        .globl  _start
_start: cld
        mov     $boot_stack_top, %esp
        call    kernel_main
1:      cli
        hlt
        jmp     1b

        .bss
        .align  16
        .skip   8192
boot_stack_top:

        .section .note.GNU-stack, "", @progbits

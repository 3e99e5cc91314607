/* head.S: the multiboot 2 header, and the entry. The header is a list of tags, each at
   a multiple of 8: what it requires, or the loader refuses the image, and what it
   offers. A loader comes to _start in 32-bit protected mode with paging off,
   interrupts off and flat segments whose descriptors we must not rely on. */
#define I386     0
#define OPTIONAL 1

        .section .multiboot, "a"
        .align  8
        .globl  header
header: .long   0xE85250D6              /* magic */
        .long   I386
        .long   header_end - header
        .long   -(0xE85250D6 + I386 + (header_end - header)) /* the four add up to 0 */

        .align  8
request:                                /* information that there must be */
        .short  1, 0
        .long   request_end - request
        .long   1, 2, 4, 6, 9           /* command line, loader's name, sizes, map, sections */
request_end:

        .align  8
wish:                                   /* and that there may be */
        .short  1, OPTIONAL
        .long   wish_end - wish
        .long   14, 15                  /* ACPI */
wish_end:

        .align  8
        .short  4, 0                    /* a console: the text screen will do */
        .long   12
        .long   3

        .align  8
        .short  6, 0                    /* modules at page boundaries */
        .long   8

        .align  8
        .short  10, 0                   /* relocatable, in theory: there is room in one place */
        .long   24
        .long   header, image_end
        .long   4096, 0

        .align  8
        .short  0xAAAA, OPTIONAL        /* nobody knows this one, and nobody minds */
        .long   8

        .align  8
        .short  0, 0                    /* the end */
        .long   8
header_end:

        .text
        .globl  _start
_start: cld
        mov     $boot_stack_top, %esp
        push    %ebx                    /* kernel_main's arguments */
        push    %eax
        call    kernel_main
1:      cli
        hlt
        jmp     1b

        .bss
        .align  16
        .skip   8192
boot_stack_top:

        .section .note.GNU-stack, "", @progbits

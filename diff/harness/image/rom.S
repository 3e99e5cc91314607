/* The last bytes of a ROM in place of a BIOS, for a machine whose memory has been
   filled from outside: starts the image as a multiboot loader would, after a reset
   too. The words in front are filled in by image.go. Linked at 0xFFFFFF00. */
        .text
        .globl  _start
entry:  .long   0
modules:
        .long   0                       /* the table: begin, end, name, 0 */
        .long   0, 0, 0
information:
        .long   8, 0, 0, 0, 0, 1, modules

        .align  8
gdt:    .quad   0
        .quad   0x00CF9A000000FFFF
        .quad   0x00CF92000000FFFF
gdtr:   .word   gdtr - gdt - 1
        .long   gdt

        .code16
real:   cli
        in      $0x92, %al              /* the fast A20 gate */
        or      $2, %al
        and     $0xfe, %al
        out     %al, $0x92
        lgdtl   %cs:gdtr - entry + 0xff00       /* CS begins at 0xFFFF0000 */
        mov     %cr0, %eax
        or      $1, %al
        mov     %eax, %cr0
        ljmpl   $0x08, $flat

        .code32
flat:   mov     $0x10, %eax
        mov     %eax, %ds
        mov     %eax, %es
        mov     %eax, %ss
        mov     $0x2BADB002, %eax       /* multiboot's word to the kernel */
        mov     $information, %ebx
        jmp     *entry

        .org    0xF0
        .code16
_start: jmp     real
        .org    0x100

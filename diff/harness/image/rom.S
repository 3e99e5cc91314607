/* The last bytes of a ROM in place of a BIOS, for a machine whose memory has been
   filled from outside: starts the image as a multiboot loader would, after a reset
   too. The words in front are filled in by image.go. Linked at 0xFFFFFF00. */
        .include "flat.inc"

        .text
        .globl  _start
entry:  .long   0
modules:
        .long   0                       /* the table: begin, end, name, 0 */
        .long   0, 0, 0
information:
        .long   8, 0, 0, 0, 0, 1, modules

        GDT

        .code16
real:   cli
        FLAT    %cs:gdtr - entry + 0xff00       /* CS begins at 0xFFFF0000 */
        mov     $0x2BADB002, %eax       /* multiboot's word to the kernel */
        mov     $information, %ebx
        jmp     *entry

        .org    0xF0
        .code16
_start: jmp     real
        .org    0x100

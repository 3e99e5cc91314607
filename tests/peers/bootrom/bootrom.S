/* The last 4 KiB of a ROM that starts a multiboot kernel on a bare PC: no BIOS,
   no disk. The ROM (see rom.go) holds the kernel's memory as it must lie from
   `load` on, and ends at 4 GiB with this page. A processor begins at 0xFFFFFFF0
   in real mode; the code there enters 32-bit protected mode, copies the kernel
   to its place, clears what follows it and jumps to its entry point in the
   state that multiboot 1 asks for. A boot sector, told by its entry point, is
   copied and entered in real mode. Linked at 0xFFFFF000. */
        .text
/* Parameters, filled in by rom.go: all physical addresses. */
source: .long   0                       /* where in the ROM the kernel lies */
load:   .long   0                       /* where it belongs */
filled: .long   0                       /* the end of what the file fills */
end:    .long   0                       /* the end of what must be zero */
entry:  .long   0

        .align  8
gdt:    .quad   0
        .quad   0x00CF9A000000FFFF      /* 0x08: code, 4 GiB from 0 */
        .quad   0x00CF92000000FFFF      /* 0x10: data */
gdtr:   .word   gdtr - gdt - 1
        .long   gdt
information:
        .long   0                       /* multiboot flags: nothing valid in here */

        .code16
real:   cli
        in      $0x92, %al              /* the fast A20 gate */
        or      $2, %al
        and     $0xfe, %al
        out     %al, $0x92
        cmpl    $0x7C00, %cs:entry - source + 0xf000
        je      sector
        lgdtl   %cs:gdtr - source + 0xf000       /* CS begins at 0xFFFF0000 */
        mov     %cr0, %eax
        or      $1, %al
        mov     %eax, %cr0
        ljmpl   $0x08, $flat

        .code32
flat:   mov     $0x10, %eax
        mov     %eax, %ds
        mov     %eax, %es
        mov     %eax, %fs
        mov     %eax, %gs
        mov     %eax, %ss
        cld
        mov     source, %esi
        mov     load, %edi
        mov     filled, %ecx
        sub     %edi, %ecx
        rep movsb
        mov     end, %ecx
        sub     %edi, %ecx
        xor     %eax, %eax
        rep stosb
        mov     $0x2BADB002, %eax       /* multiboot's word to the kernel */
        mov     $information, %ebx
        jmp     *entry

        .code16
sector: xor     %ax, %ax
        mov     %ax, %ds
        mov     %ax, %es
        mov     %ax, %ss
        mov     $0x7C00, %sp
        xor     %si, %si                /* its source begins with CS's 64 KiB */
        mov     $0x7C00, %di
        mov     $256, %cx
        cld
        rep movsw %cs:(%si), %es:(%di)
        ljmp    $0, $0x7C00

        .org    0xFF0
        .code16
        .globl  _start
_start: jmp     real
        .org    0x1000

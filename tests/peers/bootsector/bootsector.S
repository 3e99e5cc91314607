/* A boot sector that starts a multiboot kernel on a machine with nothing but a
   BIOS and a disk. The disk image (see disk.go) holds this sector, then the
   kernel's memory as it must lie from `load` on. The sector reads that into low
   memory, enters 32-bit protected mode, copies it to its place, clears what
   follows it and jumps to the entry point in the state that multiboot 1 asks
   for. The parameters at its end are filled in by disk.go. */
        .set    buffer, 0x10000         /* up to 512 KiB, below the BIOS's own data */

        .text
        .code16
        .globl  _start
_start: cli
        cld
        xor     %ax, %ax
        mov     %ax, %ds
        mov     %ax, %ss
        mov     $0x7c00, %sp
        in      $0x92, %al              /* the fast A20 gate */
        or      $2, %al
        and     $0xfe, %al
        out     %al, $0x92

        mov     sectors, %bx            /* the BIOS leaves DL: the boot drive */
next:   mov     $packet, %si
        mov     $0x42, %ah              /* extended read */
        int     $0x13
        jc      stop
        addw    $0x20, packet + 6       /* buffer segment: 512 bytes on */
        incl    packet + 8              /* sector number */
        dec     %bx
        jnz     next

        cli
        lgdtl   gdtr
        mov     %cr0, %eax
        or      $1, %al
        mov     %eax, %cr0
        ljmp    $0x08, $flat
stop:   hlt
        jmp     stop

        .code32
flat:   mov     $0x10, %eax
        mov     %eax, %ds
        mov     %eax, %es
        mov     %eax, %fs
        mov     %eax, %gs
        mov     %eax, %ss
        mov     $buffer, %esi
        mov     load, %edi
        movzwl  sectors, %ecx
        shl     $7, %ecx                /* 128 doublewords a sector */
        rep movsl
        mov     end, %ecx               /* clear from the end of the file to the end of memory used */
        mov     filled, %edi
        sub     %edi, %ecx
        xor     %eax, %eax
        rep stosb
        mov     $0x2BADB002, %eax       /* multiboot's word to the kernel */
        mov     $information, %ebx
        jmp     *entry

        .align  8
gdt:    .quad   0
        .quad   0x00CF9A000000FFFF      /* 0x08: code, 4 GiB from 0 */
        .quad   0x00CF92000000FFFF      /* 0x10: data */
gdtr:   .word   gdtr - gdt - 1
        .long   gdt
        .align  4
packet: .byte   16, 0                   /* size */
        .word   1                       /* sectors to read */
        .word   0, buffer >> 4          /* where to */
        .quad   1                       /* from which sector */
information:
        .long   0                       /* flags: nothing valid in here */

        .org    0x1EC                   /* parameters, all physical addresses */
load:   .long   0                       /* where the kernel lies */
filled: .long   0                       /* the end of what the file fills */
end:    .long   0                       /* the end of what must be zero */
entry:  .long   0
sectors: .word  0                       /* sectors to read, at least 1 */
        .byte   0x55, 0xAA

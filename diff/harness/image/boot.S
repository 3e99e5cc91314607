/* A boot sector for a machine with firmware: reads what follows it on the disk,
   by the ports of the first ATA drive, to where it belongs, and starts the image as
   a multiboot loader would, with the table of cases as its one module. The last
   words before the signature are filled in by image.go. */
        .include "flat.inc"

        .text
        .code16
        .globl  _start
_start: cli
        xor     %ax, %ax
        mov     %ax, %ds
        FLAT    gdtr
        mov     $0x7c00, %esp
        cld
        mov     $2, %al                 /* no interrupts: we poll */
        mov     $0x3f6, %edx
        out     %al, %dx
        mov     $1, %ebx                /* the next sector */
        mov     image, %edi
        mov     image_sectors, %ebp
        call    read
        mov     module, %edi
        mov     module_sectors, %ebp
        call    read
        mov     $0x2BADB002, %eax       /* multiboot's word to the kernel */
        mov     $information, %ebx
        jmp     *entry

/* Reads EBP sectors from EBX on to EDI. [ATA: READ SECTORS, 28-bit] */
read:   test    %ebp, %ebp
        jz      done
        mov     $0x1f2, %edx            /* one sector at a time */
        mov     $1, %al
        out     %al, %dx
        mov     %ebx, %eax
        mov     $3, %ecx
1:      inc     %edx
        out     %al, %dx
        shr     $8, %eax
        loop    1b
        or      $0xe0, %al
        inc     %edx
        out     %al, %dx
        inc     %edx
        mov     $0x20, %al
        out     %al, %dx
2:      in      %dx, %al                /* until not BSY and DRQ */
        and     $0x88, %al
        cmp     $0x08, %al
        jne     2b
        mov     $0x1f0, %edx
        mov     $128, %ecx
        rep insl
        inc     %ebx
        dec     %ebp
        jmp     read
done:   ret

        GDT

        .align  4
information:
        .long   8, 0, 0, 0, 0, 1, modules

        .org    510 - 32
modules:
module: .long   0                       /* where the table belongs, and its end */
        .long   0, 0, 0
image:  .long   0
image_sectors:
        .long   0
module_sectors:
        .long   0
entry:  .long   0
        .word   0xAA55

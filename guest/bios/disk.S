/* disk.S: INT 13 for hard disks, 80 and up: those of the two IDE channels, whose sectors
   come through the data port. Sectors are named by cylinder, head and sector (CHS), or by
   number (LBA). The first 8 GiB have cylinders, in a geometry that INT 13 has room for.
   [IBM PS/2 and PC BIOS Interface Technical Reference, Interrupt 13h, Fixed Disk; Phoenix,
   Enhanced Disk Drive Specification 1.1; ANSI X3.279, ATA-2] */
        .include "bios.inc"

        .globl  disk_init, int13, finish, ended

/* What is known of a disk is in the extended data area, 32 bytes for each; of the first 16
   INT 41 points to those of disk 80, INT 46 to those of 81. */
        .set    DISK, 0x80
        .set    D_CYLINDERS, 0
        .set    D_HEADS, 2
        .set    D_CONTROL, 8
        .set    D_LANDING, 12
        .set    D_TRACK, 14             /* sectors of a track */
        .set    D_SIZE, 16              /* sectors of the disk */
        .set    D_OWN_CYLINDERS, 20     /* the geometry that the disk has by itself */
        .set    D_OWN_HEADS, 22
        .set    D_OWN_TRACK, 24
        .set    D_PORT, 26              /* the channel's first port */
        .set    D_SELECT, 28            /* bit 4 of the device register */
        .set    D_LENGTH, 32

/* Errors, in AH. */
        .set    BAD_COMMAND, 0x01
        .set    NOT_FOUND, 0x04
        .set    FAILED, 0x20
        .set    TIMED_OUT, 0x80

/* Commands of ATA. */
        .set    READ, 0x20
        .set    WRITE, 0x30
        .set    VERIFY, 0x40
        .set    IDENTIFY, 0xEC

/* INT 13 is of one of two kinds of drives. */
int13:  test    %dl, %dl
        jns     floppy13

        SERVICES disk13, 0x13, BAD_COMMAND
        FUNCTION 0x00, ready_disk
        FUNCTION 0x01, status
        FUNCTION 0x02, read
        FUNCTION 0x03, write
        FUNCTION 0x04, verify
        FUNCTION 0x08, parameters
        FUNCTION 0x09, ready_disk
        FUNCTION 0x0C, ready_disk
        FUNCTION 0x0D, ready_disk
        FUNCTION 0x10, ready_disk
        FUNCTION 0x11, ready_disk
        FUNCTION 0x14, ready_disk
        FUNCTION 0x15, type
        FUNCTION 0x41, extensions
        FUNCTION 0x42, read_lba
        FUNCTION 0x43, write_lba
        FUNCTION 0x44, verify_lba
        FUNCTION 0x47, ready_disk
        FUNCTION 0x48, parameters_lba
        END

/* find gives ES:DI of what is known of disk DL; the carry flag and the error if there is none. */
find:   push    $EBDA
        pop     %es
        mov     %dl, %al
        and     $0x7F, %al
        cmp     DISKS, %al
        cmc
        jc      1f
        movzbw  %al, %di
        shl     $5, %di
        add     $DISK, %di
        ret
1:      mov     $BAD_COMMAND, %ah
        ret

/* AH=00, 09, 0C, 0D, 10, 11, 14, 47: the disk is ready without our doing. */
ready_disk:
        call    find
        jc      finish
        xor     %ah, %ah

/* finish ends a function of a hard disk with the error AH, 0 for none. */
finish: mov     %ah, DISK_STATUS

/* ended ends a function of any disk with the error AH, which has been noted. */
ended:  mov     %ah, R_AH(%bp)
        test    %ah, %ah
        jz      1f
        orb     $CF, R_FLAGS(%bp)
1:      ret

/* AH=01: how the last function ended. */
status: mov     DISK_STATUS, %ah
        jmp     finish

/* AH=02, 03, 04: AL sectors from cylinder CH and bits 6 and 7 of CL, head DH, sector CL on
   are read to ES:BX, written from there, or verified. AL tells how many were. */
read:   mov     $READ, %bl
        jmp     by_place
write:  mov     $WRITE, %bl
        jmp     by_place
verify: mov     $VERIFY, %bl
by_place:
        sti
        call    find
        jc      finish
        mov     $BAD_COMMAND, %ah
        mov     R_AL(%bp), %al
        test    %al, %al
        jz      finish
        mov     %cl, %al
        and     $63, %al
        jz      finish
        cmp     %es:D_TRACK(%di), %al
        ja      finish
        cmp     %es:D_HEADS(%di), %dh
        jae     finish
        shr     $6, %cl
        xchg    %cl, %ch
        cmp     %es:D_CYLINDERS(%di), %cx
        jae     finish
        push    %ax
        movzwl  %cx, %eax
        movzwl  %es:D_HEADS(%di), %ecx
        and     $0xFF, %cx
        imul    %ecx, %eax
        movzbl  %dh, %ecx
        add     %ecx, %eax
        movzbl  %es:D_TRACK(%di), %ecx
        imul    %ecx, %eax
        pop     %cx
        movzbl  %cl, %ecx
        lea     -1(%eax,%ecx), %eax
        movzbw  R_AL(%bp), %cx
        push    %cx
        mov     R_BX(%bp), %si
        mov     R_ES(%bp), %dx
        call    transfer
        pop     %dx
        sub     %cx, %dx
        mov     %dl, R_AL(%bp)
        jmp     finish

/* AH=42, 43, 44: the same by number: DS:SI is the size of this packet, a reserved byte, a
   word of how many sectors, the far address, and the first one's number in 8 bytes. The
   packet's count becomes how many were read or written. */
read_lba:
        mov     $READ, %bl
        jmp     by_number
write_lba:
        mov     $WRITE, %bl
        jmp     by_number
verify_lba:
        mov     $VERIFY, %bl
by_number:
        sti
        call    find
        jc      finish
        push    %ds
        mov     R_DS(%bp), %ds
        mov     R_SI(%bp), %si
        mov     $BAD_COMMAND, %ah
        cmpb    $16, (%si)
        jb      1f
        mov     8(%si), %eax
        cmpl    $0, 12(%si)
        mov     2(%si), %cx
        mov     6(%si), %dx
        mov     4(%si), %si
        pop     %ds
        jne     2f
        push    %cx
        call    transfer
        pop     %dx
        sub     %cx, %dx
        mov     R_SI(%bp), %si
        push    %ds
        mov     R_DS(%bp), %ds
        mov     %dx, 2(%si)
1:      pop     %ds
        jmp     finish
2:      mov     $NOT_FOUND, %ah
        jmp     finish

/* transfer does the command BL for CX sectors from number EAX on, to or from DX:SI, with
   the disk at ES:DI. It gives the error in AH, and in CX how many sectors are left. */
transfer:
        test    %cx, %cx
        jz      9f
        push    %ds
        push    %es
        push    %bp
        push    %es
        pop     %ds                     /* DS:BP: the disk; ES:SI: the memory */
        mov     %di, %bp
        mov     %si, %di
        shr     $4, %di
        add     %di, %dx
        and     $15, %si
        mov     %dx, %es
1:      mov     %cx, %di                /* in commands of at most 128 sectors */
        cmp     $128, %di
        jbe     2f
        mov     $128, %di
2:      sub     %di, %cx
        push    %cx
        mov     %eax, %ecx
        movzwl  %di, %edx
        add     %edx, %ecx
        jc      7f
        cmp     %ds:D_SIZE(%bp), %ecx
        ja      7f
        push    %ecx
        call    command
        pop     %eax
        jc      8f
3:      call    settle
        jc      8f
        cmp     $VERIFY, %bl
        je      5f
        test    $8, %dl                 /* DRQ: the drive wants its data moved */
        jz      6f
        push    %si
        mov     %ds:D_PORT(%bp), %dx
        mov     $256, %cx
        cmp     $WRITE, %bl
        je      4f
        push    %di
        mov     %si, %di
        rep insw
        pop     %di
        jmp     0f
4:      es rep outsw
0:      pop     %si
        mov     %es, %dx
        add     $0x20, %dx
        mov     %dx, %es
        dec     %di
        jnz     3b
        cmp     $READ, %bl
        je      5f
        call    settle                  /* what was written is on the disk */
        jc      8f
5:      pop     %cx
        test    %cx, %cx
        jnz     1b
        pop     %bp
        pop     %es
        pop     %ds
9:      xor     %ah, %ah
        ret
6:      mov     $FAILED, %ah
        jmp     8f
7:      mov     $NOT_FOUND, %ah
8:      pop     %cx
        add     %di, %cx
        pop     %bp
        pop     %es
        pop     %ds
        ret

/* command gives the disk DS:BP command BL for DI sectors from number EAX on, with its
   interrupt off. The carry flag tells, with the error in AH, that it does not listen. */
command:
        push    %eax
        mov     %ds:D_PORT(%bp), %dx
        add     $0x206, %dx
        mov     $0x0A, %al
        out     %al, %dx
        call    settle
        pop     %eax
        jc      1f
        mov     %ds:D_PORT(%bp), %dx
        inc     %dx
        inc     %dx
        push    %ax
        mov     %di, %ax
        out     %al, %dx                /* how many */
        pop     %ax
        inc     %dx
        out     %al, %dx                /* and from where */
        shr     $8, %eax
        inc     %dx
        out     %al, %dx
        shr     $8, %eax
        inc     %dx
        out     %al, %dx
        mov     %ah, %al
        and     $15, %al
        or      $0xE0, %al
        or      %ds:D_SELECT(%bp), %al
        inc     %dx
        out     %al, %dx
        mov     %bl, %al
        inc     %dx
        out     %al, %dx
        clc
1:      ret

/* settle waits until the channel of the disk DS:BP is not busy, and gives the status in
   DL. The carry flag tells of an error, in AH. */
settle: push    %ecx
        mov     %ds:D_PORT(%bp), %dx
        add     $7, %dx
        mov     $1 << 28, %ecx
1:      in      %dx, %al
        test    $0x80, %al
        jz      2f
        addr32 loop 1b
        mov     $TIMED_OUT, %ah
        jmp     3f
2:      mov     %al, %dl
        test    $0x21, %al              /* a fault of the drive, or of the command */
        jz      4f
        mov     %ds:D_PORT(%bp), %dx
        inc     %dx
        in      %dx, %al
        mov     $NOT_FOUND, %ah
        test    $0x10, %al
        jnz     3f
        mov     $FAILED, %ah
3:      stc
4:      pop     %ecx
        ret

/* AH=08: the last cylinder, head and sector, and how many disks there are. */
parameters:
        call    find
        jc      finish
        mov     %es:D_CYLINDERS(%di), %ax
        dec     %ax
        mov     %al, R_CH(%bp)
        shl     $6, %ah
        or      %es:D_TRACK(%di), %ah
        mov     %ah, R_CL(%bp)
        mov     %es:D_HEADS(%di), %dh
        dec     %dh
        mov     DISKS, %dl
        mov     %dx, R_DX(%bp)
        movb    $0, R_AL(%bp)
        xor     %ah, %ah
        jmp     finish

/* AH=15: a hard disk (3) of CX:DX sectors, or none. */
type:   call    find
        jc      1f
        mov     %es:D_SIZE(%di), %ax
        mov     %ax, R_DX(%bp)
        mov     %es:D_SIZE + 2(%di), %ax
        mov     %ax, R_CX(%bp)
        movb    $0, DISK_STATUS
        movb    $3, R_AH(%bp)
        ret
1:      movb    $0, R_AH(%bp)
        orb     $CF, R_FLAGS(%bp)
        ret

/* AH=41, BX=55AA: there are extensions, of version 1.1: the functions 42 to 48. */
extensions:
        call    find
        jc      finish
        mov     $BAD_COMMAND, %ah
        cmp     $0x55AA, %bx
        jne     finish
        movw    $0xAA55, R_BX(%bp)
        movw    $1, R_CX(%bp)
        movb    $0x21, R_AH(%bp)
        ret

/* AH=48: 26 bytes at DS:SI, whose first word is how many there is room for: the geometry
   that the disk has by itself, its size, and that of a sector. */
parameters_lba:
        call    find
        jc      finish
        mov     $BAD_COMMAND, %ah
        push    %ds
        push    %es
        pop     %ds                     /* DS:DI: the disk; ES:SI: the memory */
        mov     R_DS(%bp), %es
        mov     R_SI(%bp), %si
        cmpw    $26, %es:(%si)
        jb      1f
        movw    $26, %es:(%si)
        movw    $2, %es:2(%si)          /* the geometry counts */
        movzwl  D_OWN_CYLINDERS(%di), %eax
        mov     %eax, %es:4(%si)
        movzwl  D_OWN_HEADS(%di), %eax
        mov     %eax, %es:8(%si)
        movzwl  D_OWN_TRACK(%di), %eax
        mov     %eax, %es:12(%si)
        mov     D_SIZE(%di), %eax
        mov     %eax, %es:16(%si)
        movl    $0, %es:20(%si)
        movw    $512, %es:24(%si)
        xor     %ah, %ah
1:      pop     %ds
        jmp     finish

/* disk_init looks for disks: first the one that CMOS memory has in 7F, which is disk 80, then
   the others in the order of channels, master before slave. */
disk_init:
        push    $EBDA
        pop     %ds
        mov     $DISK, %bp
        mov     $0x7F, %al
        call    cmos
        and     $3, %al
        mov     %al, %bl
        call    probe
        xor     %al, %al
1:      cmp     %bl, %al
        je      2f
        call    probe
2:      inc     %al
        cmp     $4, %al
        jb      1b
        push    $0x40
        pop     %ds
        sub     $DISK, %bp
        shr     $5, %bp
        mov     %bp, %ax
        mov     %al, DISKS
        xor     %ax, %ax
        mov     %ax, %es
        movl    $EBDA << 16 | DISK, %es:0x41 * 4
        movl    $EBDA << 16 | DISK + D_LENGTH, %es:0x46 * 4
        ret

/* probe asks drive AL, 0 to 3, what it is. If it is a disk, what is to be known of it goes to
   DS:BP, and BP goes on. */
probe:  push    %ax
        push    %bx
        mov     $0x1F0, %dx
        test    $2, %al                 /* the second channel */
        jz      0f
        mov     $0x170, %dx
0:      and     $1, %al
        shl     $4, %al
        mov     %dx, %ds:D_PORT(%bp)
        mov     %al, %ds:D_SELECT(%bp)
        or      $0xA0, %al
        add     $6, %dx
        out     %al, %dx
        inc     %dx
        in      %dx, %al
        test    %al, %al                /* nobody there, one way or the other */
        jz      9f
        inc     %al
        jz      9f
        call    settle
        jc      9f
        mov     %ds:D_PORT(%bp), %dx
        add     $0x206, %dx
        mov     $0x0A, %al
        out     %al, %dx
        mov     %ds:D_PORT(%bp), %dx
        add     $7, %dx
        mov     $IDENTIFY, %al
        out     %al, %dx
        call    settle
        jc      9f
        test    $8, %dl
        jz      9f
        mov     %ds:D_PORT(%bp), %dx
        xor     %di, %di
        mov     %di, %es
        mov     $0x7C00, %di            /* where there will be a boot sector later */
        mov     $256, %cx
        rep insw
        mov     %es:0x7C00 + 2 * 1, %ax
        mov     %ax, %ds:D_OWN_CYLINDERS(%bp)
        mov     %es:0x7C00 + 2 * 3, %dx
        mov     %dx, %ds:D_OWN_HEADS(%bp)
        mov     %es:0x7C00 + 2 * 6, %cx
        mov     %cx, %ds:D_OWN_TRACK(%bp)
        mov     %es:0x7C00 + 2 * 60, %ebx
        mov     %ebx, %ds:D_SIZE(%bp)
        cmp     $1024, %ax              /* its own geometry, if there is room for it */
        jbe     3f
        mov     %ebx, %eax              /* or 63 sectors, and heads for 1024 cylinders */
        mov     $63, %cx
        xor     %edx, %edx
        movzwl  %cx, %esi
        div     %esi
        mov     %eax, %esi              /* tracks */
        shr     $10, %eax
        mov     $16, %dx
1:      cmp     %edx, %eax
        jbe     2f
        shl     %dx
        cmp     $256, %dx
        jb      1b
        mov     $255, %dx
2:      movzwl  %dx, %edi
        mov     %esi, %eax
        xor     %edx, %edx
        div     %edi
        mov     %di, %dx
        cmp     $1024, %eax
        jbe     3f
        mov     $1024, %ax
3:      test    %ax, %ax
        jnz     4f
        inc     %ax
4:      mov     %ax, %ds:D_CYLINDERS(%bp)
        mov     %ax, %ds:D_LANDING(%bp)
        mov     %dl, %ds:D_HEADS(%bp)
        mov     %cl, %ds:D_TRACK(%bp)
        movb    $0xC0, %ds:D_CONTROL(%bp)
        cmp     $9, %dl
        jb      5f
        orb     $8, %ds:D_CONTROL(%bp)  /* more than eight heads */
5:      add     $D_LENGTH, %bp
9:      pop     %bx
        pop     %ax
        ret

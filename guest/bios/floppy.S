/* floppy.S: INT 13 for floppy disks, 00 and 01. Bytes go through the controller's data port,
   without DMA and with its interrupt off: a transfer ends at the last sector that it was
   given, which the controller calls an end of cylinder.
   [IBM PS/2 and PC BIOS Interface Technical Reference, Interrupt 13h, Diskette; Intel 82077AA
   data sheet] */
        .include "bios.inc"

        .globl  floppy_init, int0e, floppy_table

/* Errors, in AH. */
        .set    BAD_COMMAND, 0x01
        .set    NO_ADDRESS, 0x02
        .set    PROTECTED, 0x03
        .set    NOT_FOUND, 0x04
        .set    BAD_DATA, 0x10
        .set    FAILED, 0x20
        .set    BAD_SEEK, 0x40
        .set    TIMED_OUT, 0x80

/* Commands of the controller. */
        .set    SPECIFY, 0x03
        .set    RECALIBRATE, 0x07
        .set    SENSE, 0x08
        .set    SEEK_TO, 0x0F
        .set    READ, 0x46              /* of double density */
        .set    WRITE, 0x45

        .set    AWAKE, 1 << 2           /* of the output register: no reset, no interrupt */

/* SEND gives the controller a byte. */
        .macro  SEND value
        mov     \value, %al
        call    send
        .endm

        SERVICES floppy13, 0x13, BAD_COMMAND
        FUNCTION 0x00, reset
        FUNCTION 0x01, status
        FUNCTION 0x02, read
        FUNCTION 0x03, write
        FUNCTION 0x04, read             /* and thrown away: verified */
        FUNCTION 0x08, parameters
        FUNCTION 0x15, type
        FUNCTION 0x16, changed
        FUNCTION 0x17, media
        FUNCTION 0x18, media
        END

/* floppy_table is what INT 1E points to: times for SPECIFY, sector size, sectors of a track, gaps. */
floppy_table:
        .byte   0xDF, 0x02, 0x25, 2, 18, 0x1B, 0xFF, 0x6C, 0xF6, 0x0F, 0x08

/* formats are, by the type of drive that CMOS memory has, sectors of a track and cylinders. */
formats:
        .byte   9, 40, 15, 80, 9, 80, 18, 80, 36, 80, 36, 80
formats_end:

/* IRQ 6 comes for those who drive the controller themselves and let it interrupt. */
int0e:  push    %ds
        push    $0x40
        pop     %ds
        orb     $0x80, SEEK
        pop     %ds
        jmp     master

floppy_init:
        mov     $AWAKE, %al
        mov     $0x3F2, %dx
        out     %al, %dx
        ret

/* find gives the format of drive DL in CS:SI and its type in AL; the carry flag and the error if
   there is no such drive. */
find:   mov     $0x10, %al
        call    cmos
        cmp     $1, %dl
        je      1f
        ja      2f
        shr     $4, %al
1:      and     $15, %al
        movzbw  %al, %si
        shl     %si
        jz      2f
        add     $formats - 2, %si
        cmp     $formats_end, %si
        cmc
        jnc     3f
2:      mov     $BAD_COMMAND, %ah
        stc
3:      ret

/* over ends a function with the error AH, 0 for none. */
over:   mov     %ah, FLOPPY_STATUS
        jmp     ended

/* AH=00: the controller is reset, and the heads will have to find cylinder 0 again. */
reset:  call    find
        jc      over
        andb    $0xF0, SEEK
        xor     %al, %al
        mov     $0x3F2, %dx
        out     %al, %dx
        mov     $AWAKE, %al
        out     %al, %dx
        xor     %ah, %ah
        jmp     over

/* AH=01: how the last function ended. */
status: mov     FLOPPY_STATUS, %ah
        jmp     over

/* AH=02, 03, 04: AL sectors from cylinder CH, head DH, sector CL on are read to ES:BX,
   written from there, or verified. AL tells how many were. */
read:   mov     $READ, %bl
        jmp     1f
write:  mov     $WRITE, %bl
1:      sti
        call    find
        jc      over
        mov     $BAD_COMMAND, %ah
        cmpb    $0, R_AL(%bp)
        je      over
        test    %cl, %cl
        jz      over
        cmp     %cs:(%si), %cl
        ja      over
        cmp     %cs:1(%si), %ch
        jae     over
        cmp     $1, %dh
        ja      over
        mov     %ch, %al
        shl     %al
        add     %dh, %al
        mulb    %cs:(%si)
        movzbw  %cl, %cx
        add     %cx, %ax
        dec     %ax                     /* the sector's number */
        movzbw  R_AL(%bp), %cx
        mov     R_ES(%bp), %es
        mov     R_BX(%bp), %di

2:      push    %ax                     /* a track at most at a time */
        push    %cx
        divb    %cs:(%si)               /* AL: the track, AH: the sector before the first one */
        mov     %al, %bh
        shr     %bh
        and     $1, %al
        movzbw  %cs:(%si), %dx
        sub     %ah, %dl
        cmp     %cx, %dx
        jbe     3f
        mov     %cx, %dx
3:      mov     %es, %cx                /* ES:DI with room for a track */
        push    %di
        shr     $4, %di
        add     %di, %cx
        mov     %cx, %es
        pop     %di
        and     $15, %di
        push    %dx
        call    sectors
        pop     %dx
        pop     %cx
        pop     %bx
        jc      4f
        mov     %bx, %ax
        add     %dx, %ax
        sub     %dx, %cx
        mov     $READ, %bl
        cmpb    $3, R_AH(%bp)
        jne     5f
        mov     $WRITE, %bl
5:      test    %cx, %cx
        jnz     2b
        xor     %ah, %ah
4:      sub     %cl, R_AL(%bp)
        jmp     over

/* sectors does command BL for DX sectors of cylinder BH, head AL, from the one behind sector AH on, to
   or from ES:DI. The carry flag tells of an error, in AH. */
sectors:
        push    %si
        mov     %ax, %cx                /* CL: the head, CH: the sector before */
        mov     %dx, %si
        call    seek
        jc      9f
        SEND    %bl
        mov     %cl, %al
        shl     $2, %al
        or      R_DL(%bp), %al
        call    send
        SEND    %bh
        SEND    %cl
        mov     %ch, %al
        inc     %al
        call    send
        SEND    $2                      /* sectors of 512 bytes */
        mov     %si, %ax
        add     %ch, %al                /* the last one */
        call    send
        SEND    $0x1B                   /* the gap between two */
        SEND    $0xFF
1:      call    ready
        jc      9f
        test    $1 << 5, %al            /* no more data */
        jz      4f
        inc     %dx
        cmp     $WRITE, %bl
        je      3f
        in      %dx, %al
        cmpb    $4, R_AH(%bp)
        je      1b
        stosb
        jmp     1b
3:      mov     %es:(%di), %al
        inc     %di
        out     %al, %dx
        jmp     1b
4:      mov     $FLOPPY_RESULT, %si
        mov     $7, %cx
5:      call    take
        jc      9f
        mov     %al, (%si)
        inc     %si
        loop    5b
        mov     FLOPPY_RESULT, %al
        and     $0xC0, %al
        jz      9f
        mov     FLOPPY_RESULT + 1, %al
        mov     $errors, %si
6:      test    %cs:(%si), %al
        jnz     7f
        add     $2, %si
        jmp     6b
7:      mov     %cs:1(%si), %ah
        cmp     $1, %ah                 /* the carry flag, unless that is 0 */
        cmc
9:      pop     %si
        ret

/* errors are by bits of the second status register, which is 0 for a command that is not
   understood: the first one that matches counts. */
errors: .byte   1 << 2, NOT_FOUND
        .byte   1 << 0, NO_ADDRESS
        .byte   1 << 1, PROTECTED
        .byte   1 << 5, BAD_DATA
        .byte   1 << 4, FAILED
        .byte   1 << 7, 0               /* the end of a cylinder: as wanted */
        .byte   0xFF, FAILED

/* seek turns the motor of the caller's drive on, and moves its head CL to cylinder BH. The carry
   flag tells of an error, in AH. */
seek:   mov     R_DL(%bp), %al
        push    %cx
        mov     %al, %cl
        mov     $1, %ah
        shl     %cl, %ah                /* the drive's bit */
        pop     %cx
        movb    $37, MOTOR_TICKS        /* two seconds */
        or      %ah, MOTOR
        mov     %ah, %dl
        shl     $4, %dl
        or      %dl, %al
        or      $AWAKE, %al
        mov     $0x3F2, %dx
        out     %al, %dx
        SEND    $SPECIFY
        SEND    $0xDF
        SEND    $0x03                   /* no DMA */
        test    %ah, SEEK
        jnz     1f
        push    %ax
        SEND    $RECALIBRATE
        SEND    R_DL(%bp)
        call    sense
        pop     %dx
        jc      4f
        or      %dh, SEEK
1:      mov     $SEEK_TO, %al
        call    send
        mov     %cl, %al
        shl     $2, %al
        or      R_DL(%bp), %al
        call    send
        SEND    %bh

/* sense waits for the end of a seek. */
sense:  push    %ecx
        mov     $1 << 20, %ecx
1:      mov     $SENSE, %al
        call    send
        call    take
        jc      3f
        cmp     $0x80, %al              /* nothing has ended yet */
        je      2f
        mov     %al, %ah
        call    take                    /* the cylinder */
        jc      3f
        test    $1 << 5, %ah            /* else it was a reset */
        jz      2f
        test    $0xC0, %ah
        mov     $BAD_SEEK, %ah
        jz      3f
        stc
        jmp     3f
2:      addr32 loop 1b
        mov     $TIMED_OUT, %ah
        stc
3:      pop     %ecx
4:      ret

/* ready waits until the controller wants a byte or has one, and gives its main status in AL and the
   port of that in DX. The carry flag tells that it does not, with the error in AH. */
ready:  push    %ecx
        mov     $0x3F4, %dx
        mov     $1 << 24, %ecx
1:      in      %dx, %al
        test    %al, %al
        js      2f
        addr32 loop 1b
        mov     $TIMED_OUT, %ah
        stc
2:      pop     %ecx
        ret

/* send gives the controller a byte of a command, take takes one of a result. */
send:   push    %ax
        call    ready
        pop     %ax
        inc     %dx
        out     %al, %dx
        ret
take:   call    ready
        inc     %dx                     /* the carry flag stays */
        in      %dx, %al
        ret

/* AH=08: the drive's type, its last cylinder, sector and head, how many drives there are, and INT 1E's table. */
parameters:
        call    find
        jc      over
        mov     %al, R_BL(%bp)
        movb    $0, R_BH(%bp)
        mov     %cs:(%si), %cx
        dec     %ch
        mov     %cx, R_CX(%bp)
        mov     EQUIPMENT, %dl
        shr     $6, %dl
        inc     %dl
        mov     $1, %dh
        mov     %dx, R_DX(%bp)
        movb    $0, R_AL(%bp)

/* AH=17, 18: the kind of disk is what it is. */
media:  movw    $0xF000, R_ES(%bp)
        movw    $floppy_table, R_DI(%bp)
        xor     %ah, %ah
        jmp     over

/* AH=15: a drive that does not tell when its disk is changed (1), or none (0). */
type:   call    find
        mov     $1, %ah
        sbb     $0, %ah
        mov     %ah, R_AH(%bp)
        ret

/* AH=16: nobody changes the disk. */
changed:
        call    find
        jc      over
        xor     %ah, %ah
        jmp     over

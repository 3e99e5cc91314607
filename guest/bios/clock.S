/* clock.S: time, and waiting for it. INT 08 is the timer's interrupt, 18.2 times a second,
   INT 70 the real-time clock's, INT 1A gives the time.
   [IBM PS/2 and PC BIOS Interface Technical Reference, Interrupt 1Ah, Real-Time Clock] */
        .include "bios.inc"

        .globl  int08, int70, clock_init, clock_enable

        .set    DAY, 0x1800B0           /* ticks in a day */

/* clock_init starts the timer with its longest period, and takes the time of day from
   the real-time clock. */
clock_init:
        mov     $0x34, %al              /* counter 0, mode 2 */
        out     %al, $0x43
        xor     %al, %al
        out     %al, $0x40
        out     %al, $0x40
        mov     $0x04, %al              /* hours */
        call    binary
        imul    $3600, %eax, %ecx
        mov     $0x02, %al              /* minutes */
        call    binary
        imul    $60, %eax, %eax
        add     %eax, %ecx
        mov     $0x00, %al              /* seconds */
        call    binary
        add     %ecx, %eax
        mov     $1193182, %ecx          /* the timer's clocks, of which a tick has 65536 */
        mul     %ecx
        shrd    $16, %edx, %eax
        mov     %eax, TICKS
        mov     $0x0C, %al              /* no interrupt is left over */
        jmp     cmos

/* binary gives register AL of the real-time clock, a BCD number, in EAX. */
binary: call    cmos
        mov     %al, %ah
        and     $15, %al
        shr     $4, %ah
        aad
        movzwl  %ax, %eax
        ret

/* clock_enable lets the interrupts AH of the real-time clock come; clock_disable stops them. */
clock_enable:
        mov     $0x0B, %al
        call    cmos
        or      %ah, %al
        jmp     1f
clock_disable:
        mov     $0x0B, %al
        call    cmos
        not     %ah
        and     %ah, %al
1:      mov     %al, %ah
        mov     $0x0B, %al
        jmp     cmos_write

/* cmos_write writes AH to register AL of the CMOS memory. */
cmos_write:
        out     %al, $0x70
        mov     %ah, %al
        out     %al, $0x71
        ret

/* INT 08 counts ticks and days, stops the floppy disk's motor in time, and calls INT 1C, which
   is anybody's. */
int08:  push    %ds
        push    %eax
        push    %edx
        push    $0x40
        pop     %ds
        incl    TICKS
        cmpl    $DAY, TICKS
        jb      1f
        movl    $0, TICKS
        incb    MIDNIGHT
1:      cmpb    $0, MOTOR_TICKS
        je      2f
        decb    MOTOR_TICKS
        jnz     2f
        andb    $0xF0, MOTOR
        mov     $0x04, %al              /* no motor, drive 0 */
        mov     $0x3F2, %dx
        out     %al, %dx
2:      int     $0x1C
        cli
        mov     $0x20, %al
        out     %al, $0x20
        pop     %edx
        pop     %eax
        pop     %ds
        iret

/* INT 70 counts what is left of a wait (INT 15, AH=86), and calls INT 4A at the alarm. */
int70:  push    %ds
        push    %eax
        push    $0x40
        pop     %ds
        mov     $0x0C, %al
        call    cmos
        mov     %al, %ah
        mov     $0x0B, %al
        call    cmos
        and     %ah, %al                /* of those that came, those that are wanted */
        test    $1 << 6, %al
        jz      1f
        subl    $976, WAIT_LEFT
        ja      1f
        movb    $0, WAITING
        push    %ax
        mov     $1 << 6, %ah
        call    clock_disable
        pop     %ax
1:      test    $1 << 5, %al
        jz      2f
        sti
        int     $0x4A
        cli
2:      mov     $0x20, %al
        out     %al, $0xA0
        out     %al, $0x20
        pop     %eax
        pop     %ds
        iret

        SERVICES int1a, 0x1A
        FUNCTION 0x00, get_ticks
        FUNCTION 0x01, set_ticks
        FUNCTION 0x02, get_time
        FUNCTION 0x03, set_time
        FUNCTION 0x04, get_date
        FUNCTION 0x05, set_date
        FUNCTION 0x06, set_alarm
        FUNCTION 0x07, no_alarm
        END

/* AH=00, 01: the ticks since midnight are CX:DX; AL tells how many midnights have been
   since somebody asked. */
get_ticks:
        cli
        mov     TICKS, %ax
        mov     %ax, R_DX(%bp)
        mov     TICKS + 2, %ax
        mov     %ax, R_CX(%bp)
        mov     MIDNIGHT, %al
        mov     %al, R_AL(%bp)
        movb    $0, MIDNIGHT
        ret
set_ticks:
        cli
        mov     %dx, TICKS
        mov     %cx, TICKS + 2
        movb    $0, MIDNIGHT
        ret

/* steady waits until the real-time clock is not about to change. With AL=0 and the carry flag it does
   not run. */
steady: mov     $0x0A, %al
        call    cmos
        test    $1 << 7, %al
        jnz     steady
        ret

/* TELL gives the caller a register of the real-time clock, PUT writes one. */
        .macro  TELL number, where
        mov     $\number, %al
        call    cmos
        mov     %al, \where(%bp)
        .endm
        .macro  PUT number, value
        mov     $\number, %al
        mov     \value, %ah
        call    cmos_write
        .endm

/* AH=02: hours CH, minutes CL, seconds DH, and whether it is summer time, in BCD. */
get_time:
        call    steady
        TELL    0x04, R_CH
        TELL    0x02, R_CL
        TELL    0x00, R_DH
        mov     $0x0B, %al
        call    cmos
        and     $1, %al
        mov     %al, R_DL(%bp)
        ret

/* AH=04: century CH, year CL, month DH, day DL. */
get_date:
        call    steady
        TELL    0x32, R_CH
        TELL    0x09, R_CL
        TELL    0x08, R_DH
        TELL    0x07, R_DL
        ret

/* AH=03, 05: the time or the date is set, as above. The clock stands meanwhile. */
set_time:
        mov     $1 << 7, %ah
        call    clock_enable
        PUT     0x00, %dh
        PUT     0x02, %cl
        PUT     0x04, %ch
        jmp     go_on
set_date:
        mov     $1 << 7, %ah
        call    clock_enable
        PUT     0x07, %dl
        PUT     0x08, %dh
        PUT     0x09, %cl
        PUT     0x32, %ch
go_on:  mov     $1 << 7, %ah
        jmp     clock_disable

/* AH=06, 07: an alarm at hours CH, minutes CL, seconds DH, or none. There may be one. */
set_alarm:
        mov     $0x0B, %al
        call    cmos
        test    $1 << 5, %al
        mov     $0, %ah
        jnz     fail
        PUT     0x01, %dh
        PUT     0x03, %cl
        PUT     0x05, %ch
        mov     $1 << 5, %ah
        jmp     clock_enable
no_alarm:
        mov     $1 << 5, %ah
        jmp     clock_disable

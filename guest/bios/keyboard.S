/* keyboard.S: IRQ 1 puts keys into the ring in the BIOS data area, INT 16 takes them out.
   The keyboard controller translates to scan codes of set 1; keys are those of a
   keyboard of the United States. Left out are the keypad's numbers with Alt, the lights,
   and what Print Screen and Pause do.
   [IBM PS/2 and PC BIOS Interface Technical Reference, Interrupt 16h, Keyboard; Intel 8042] */
        .include "bios.inc"

        .globl  keyboard_init, int09

/* Bits of SHIFTS. */
        .set    RIGHT, 1 << 0
        .set    LEFT, 1 << 1
        .set    CTRL, 1 << 2
        .set    ALT, 1 << 3
        .set    SCROLL, 1 << 4
        .set    NUM, 1 << 5
        .set    CAPS, 1 << 6
        .set    INSERT, 1 << 7

/* keyboard_init empties the ring and lets the keyboard interrupt. */
keyboard_init:
        movw    $KEYS, KEYS_START
        movw    $KEYS + 32, KEYS_END
        movw    $KEYS, KEY_HEAD
        movw    $KEYS, KEY_TAIL
        movb    $0x10, KEY_PREFIX
        mov     $0x60, %al              /* the command byte: translated, tested, the mouse's */
        call    ready                   /* side off, IRQ 1 on */
        jc      1f
        out     %al, $0x64
        call    ready
        mov     $0x65, %al
        out     %al, $0x60
        call    ready
        mov     $0xAE, %al              /* the keyboard's side is on */
        out     %al, $0x64
1:      ret

/* ready waits until the controller takes a byte; the carry flag tells that it does not. */
ready:  push    %ax
        mov     $1000, %cx
1:      in      $0x64, %al
        test    $2, %al
        jz      2f
        loop    1b
        stc
2:      pop     %ax
        ret

/* INT 09 takes a byte of the keyboard. INT 15, AH=4F may change it or swallow it before. */
int09:  push    %ds
        push    %es
        pushal
        cld
        push    $0x40
        pop     %ds
        in      $0x60, %al
        mov     $0x4F, %ah
        stc
        int     $0x15
        jnc     1f
        call    key
1:      cli
        mov     $0x20, %al
        out     %al, $0x20
        popal
        pop     %es
        pop     %ds
        iret

/* key does what byte AL of the keyboard means. */
key:    mov     KEY_PREFIX, %bl         /* which prefixes came before */
        cmp     $0xE0, %al
        jne     1f
        orb     $2, KEY_PREFIX
        ret
1:      cmp     $0xE1, %al              /* Pause is E1 and two bytes more, the first one Ctrl's */
        jne     2f
        orb     $1, KEY_PREFIX
        ret
2:      mov     %al, %ah                /* AL: the key, AH: bit 7 if it goes up */
        and     $0x7F, %al
        andb    $~2, KEY_PREFIX
        test    $1, %bl
        jz      3f
        cmp     $0x1D, %al
        je      4f
        andb    $~1, KEY_PREFIX
4:      ret
3:      mov     $modifiers, %si
5:      cmp     %cs:(%si), %al
        je      modifier
        add     $2, %si
        cmp     $modifiers_end, %si
        jb      5b
        test    %ah, %ah
        js      4b
        cmp     $(table_end - table) / 8, %al
        jae     4b
        test    $2, %bl
        jnz     grey

        mov     SHIFTS, %ah             /* which column of the table */
        mov     $6, %cx
        test    $ALT, %ah
        jnz     2f
        mov     $4, %cx
        test    $CTRL, %ah
        jnz     2f
        mov     $NUM, %dl               /* a lock is another shift: for the keypad */
        cmp     $0x4A, %al
        je      1f
        cmp     $0x4E, %al
        je      1f
        cmp     $0x47, %al
        jae     0f
        mov     $CAPS, %dl              /* and for letters */
        call    look
        mov     %cs:table(%si), %dh
        cmp     $'a', %dh
        jb      1f
        cmp     $'z', %dh
        jbe     0f
1:      xor     %dl, %dl
0:      and     %ah, %dl
        neg     %dl                     /* the carry flag: the lock counts */
        sbb     %cx, %cx
        and     $2, %cx
        test    $LEFT | RIGHT, %ah
        jz      2f
        xor     $2, %cx
2:      call    look
        add     %cx, %si
        cmp     $0x53, %al
        jne     3f
        and     $CTRL | ALT, %ah        /* Ctrl, Alt and Del: a reset */
        cmp     $CTRL | ALT, %ah
        je      reset
3:      cmp     $0x52, %al
        jne     4f
        xorb    $INSERT, SHIFTS
4:      mov     %cs:table(%si), %ax
        test    %ax, %ax
        jz      9f

/* put puts key AX into the ring; the carry flag tells that there is no room. */
put:    mov     KEY_TAIL, %si
        mov     %si, %di
        inc     %di
        inc     %di
        cmp     KEYS_END, %di
        jb      1f
        mov     KEYS_START, %di
1:      cmp     KEY_HEAD, %di
        stc
        je      9f
        mov     %ax, (%si)
        mov     %di, KEY_TAIL
        clc
9:      ret

/* look gives the place of key AL in the table, in SI. */
look:   movzbw  %al, %si
        shl     $3, %si
        ret

reset:  mov     $0xFE, %al
        out     %al, $0x64
        ret

/* grey is a key that the first keyboards did not have, told by E0. */
grey:   mov     SHIFTS, %ah
        cmp     $0x53, %al
        jne     1f
        mov     %ah, %dl
        and     $CTRL | ALT, %dl
        cmp     $CTRL | ALT, %dl
        je      reset
1:      cmp     $0x1C, %al
        je      2f
        cmp     $0x35, %al
        je      2f
        cmp     $0x46, %al
        je      stop
        cmp     $0x47, %al              /* those of the keypad, without its numbers */
        jb      9b
        call    look
        test    $ALT, %ah
        jnz     4f
        cmp     $0x52, %al
        jne     0f
        xorb    $INSERT, SHIFTS
0:      test    $CTRL, %ah
        mov     %cs:table(%si), %ax
        jz      3f
        mov     %cs:table + 4(%si), %ax
3:      mov     $0xE0, %al
        jmp     put
4:      mov     %cs:table + 6(%si), %ax
        jmp     put
2:      call    look                    /* Enter and / of the keypad */
        test    $CTRL, %ah
        mov     %cs:table(%si), %ax
        jz      5f
        mov     %cs:table + 4(%si), %ax
5:      mov     $0xE0, %ah
        test    %al, %al
        jnz     put
        ret

/* stop is Ctrl and Break. */
stop:   movb    $0x80, BREAK
        mov     KEYS_START, %ax
        mov     %ax, KEY_HEAD
        mov     %ax, KEY_TAIL
        int     $0x1B
        xor     %ax, %ax
        jmp     put

/* modifier is a shift key or a lock: the bit in the byte at SI+1. A lock changes when it
   goes down, unless it is held down already. */
modifier:
        mov     %cs:1(%si), %cl
        cmp     $locks, %si
        jae     2f
        test    $2, %bl
        jz      1f
        cmp     $CTRL, %cl              /* E0 before a shift key means nothing */
        jb      9b
1:      or      %cl, SHIFTS
        test    %ah, %ah
        jns     9b
        not     %cl
        and     %cl, SHIFTS
        ret
2:      cmp     $0x46, %al
        jne     3f
        test    $2, %bl
        jz      3f
        test    %ah, %ah
        jns     stop
        ret
3:      mov     SHIFTS2, %ch
        or      %cl, SHIFTS2
        test    %ah, %ah
        js      4f
        test    %cl, %ch
        jnz     9b
        xor     %cl, SHIFTS
        ret
4:      not     %cl
        and     %cl, SHIFTS2
        ret

modifiers:
        .byte   0x2A, LEFT, 0x36, RIGHT, 0x1D, CTRL, 0x38, ALT
locks:  .byte   0x3A, CAPS, 0x45, NUM, 0x46, SCROLL
modifiers_end:

        SERVICES int16, 0x16
        FUNCTION 0x00, get_key
        FUNCTION 0x01, peek_key
        FUNCTION 0x02, get_shifts
        FUNCTION 0x03, rate
        FUNCTION 0x05, put_key
        FUNCTION 0x10, get_any
        FUNCTION 0x11, peek_any
        FUNCTION 0x12, get_all_shifts
        END

/* AH=00, 10: the next key is taken. AH=00 does not know the keys that the first keyboards
   lacked, and gives those that they had by their old numbers. */
get_any:
        call    next
        mov     %ax, R_AX(%bp)
        ret
get_key:
        call    next
        call    old
        jc      get_key
        mov     %ax, R_AX(%bp)
        ret

/* next waits for a key and takes it, in AX. */
next:   cli
        mov     KEY_HEAD, %bx
        cmp     KEY_TAIL, %bx
        jne     take
        sti
        hlt
        jmp     next

/* take takes the key at BX. */
take:   mov     (%bx), %ax
        inc     %bx
        inc     %bx
        cmp     KEYS_END, %bx
        jb      1f
        mov     KEYS_START, %bx
1:      mov     %bx, KEY_HEAD
        ret

/* old makes AX what the first keyboards had; the carry flag tells that they had no such key. */
old:    cmp     $0xE0, %ah              /* Enter or / of the keypad */
        jne     2f
        mov     $0x1C, %ah
        cmp     $'/', %al
        jne     1f
        mov     $0x35, %ah
1:      clc
        ret
2:      cmp     $0xE0, %al
        jne     3f
        xor     %al, %al
3:      cmp     $0x85, %ah              /* F11 and all that follows */
        cmc
        ret

/* AH=01, 11: the next key is told and stays; the zero flag tells that there is none. */
peek_any:
        xor     %cl, %cl
        jmp     1f
peek_key:
        mov     $1, %cl
1:      cli
        orb     $ZF, R_FLAGS(%bp)
        mov     KEY_HEAD, %bx
        cmp     KEY_TAIL, %bx
        je      3f
        mov     (%bx), %ax
        test    %cl, %cl
        jz      2f
        call    old
        jnc     2f
        call    take                    /* one that this caller will never take */
        jmp     1b
2:      mov     %ax, R_AX(%bp)
        andb    $~ZF, R_FLAGS(%bp)
3:      ret

/* AH=02, 12: the shift keys and locks. */
get_all_shifts:
        mov     SHIFTS2, %al
        mov     %al, R_AH(%bp)
get_shifts:
        mov     SHIFTS, %al
        mov     %al, R_AL(%bp)
        ret

/* AH=03: how fast a key repeats: as it does. */
rate:   ret

/* AH=05: key CX comes as if it had been pressed; AL=1 if there is no room. */
put_key:
        cli
        mov     %cx, %ax
        call    put
        sbb     %al, %al
        neg     %al
        mov     %al, R_AL(%bp)
        ret

/* table has the keys by scan code: alone, with Shift, with Ctrl, with Alt. The upper byte is the
   scan code, or a number for a key without a character. */
        .macro  KEY scan, alone, shift, ctrl=0, alt=0
        .word   \scan<<8|\alone, \scan<<8|\shift, \ctrl, \alt
        .endm
        .macro  LETTERS scan, all:vararg
        .set    at, \scan
        .irp    letter, \all
        .word   at<<8|\letter, at<<8|(\letter-32), at<<8|(\letter-96), at<<8
        .set    at, at + 1
        .endr
        .endm
        .macro  NOTHING count=1
        .fill   4 * \count, 2, 0
        .endm
table:  NOTHING
        KEY     0x01, 27, 27, 0x011B, 0x0100
        KEY     0x02, '1', '!', 0, 0x7800
        KEY     0x03, '2', '@', 0x0300, 0x7900
        KEY     0x04, '3', '#', 0, 0x7A00
        KEY     0x05, '4', '$', 0, 0x7B00
        KEY     0x06, '5', '%', 0, 0x7C00
        KEY     0x07, '6', '^', 0x071E, 0x7D00
        KEY     0x08, '7', '&', 0, 0x7E00
        KEY     0x09, '8', '*', 0, 0x7F00
        KEY     0x0A, '9', '(', 0, 0x8000
        KEY     0x0B, '0', ')', 0, 0x8100
        KEY     0x0C, '-', '_', 0x0C1F, 0x8200
        KEY     0x0D, '=', '+', 0, 0x8300
        KEY     0x0E, 8, 8, 0x0E7F, 0x0E00
        KEY     0x0F, 9, 0, 0x9400, 0xA500
        LETTERS 0x10, 'q', 'w', 'e', 'r', 't', 'y', 'u', 'i', 'o', 'p'
        KEY     0x1A, '[', '{', 0x1A1B, 0x1A00
        KEY     0x1B, ']', '}', 0x1B1D, 0x1B00
        KEY     0x1C, 13, 13, 0x1C0A, 0x1C00
        NOTHING
        LETTERS 0x1E, 'a', 's', 'd', 'f', 'g', 'h', 'j', 'k', 'l'
        KEY     0x27, ';', ':', 0, 0x2700
        KEY     0x28, 39, 34, 0, 0x2800
        KEY     0x29, '`', '~', 0, 0x2900
        NOTHING
        KEY     0x2B, 92, '|', 0x2B1C, 0x2B00
        LETTERS 0x2C, 'z', 'x', 'c', 'v', 'b', 'n', 'm'
        KEY     0x33, ',', '<', 0, 0x3300
        KEY     0x34, '.', '>', 0, 0x3400
        KEY     0x35, '/', '?', 0x9500, 0xA400
        NOTHING
        KEY     0x37, '*', '*', 0x9600, 0x3700
        NOTHING
        KEY     0x39, ' ', ' ', 0x3920, 0x3920
        NOTHING
        .irp    n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9
        .word   (0x3B + \n) << 8, (0x54 + \n) << 8, (0x5E + \n) << 8, (0x68 + \n) << 8
        .endr
        NOTHING 2
        KEY     0x47, 0, '7', 0x7700, 0x9700
        KEY     0x48, 0, '8', 0x8D00, 0x9800
        KEY     0x49, 0, '9', 0x8400, 0x9900
        KEY     0x4A, '-', '-', 0x8E00, 0x4A00
        KEY     0x4B, 0, '4', 0x7300, 0x9B00
        KEY     0x4C, 0, '5', 0x8F00, 0x9C00
        KEY     0x4D, 0, '6', 0x7400, 0x9D00
        KEY     0x4E, '+', '+', 0x9000, 0x4E00
        KEY     0x4F, 0, '1', 0x7500, 0x9F00
        KEY     0x50, 0, '2', 0x9100, 0xA000
        KEY     0x51, 0, '3', 0x7600, 0xA100
        KEY     0x52, 0, '0', 0x9200, 0xA200
        KEY     0x53, 0, '.', 0x9300, 0xA300
        NOTHING 2
        KEY     0x56, 92, '|'
        .word   0x8500, 0x8700, 0x8900, 0x8B00
        .word   0x8600, 0x8800, 0x8A00, 0x8C00
table_end:

/* video.S: INT 10, the text screen of 80 columns and 25 lines in colour: 8 pages of
   4 KiB from B8000 on, a byte for each character and one for its colours.
   [IBM PS/2 and PC BIOS Interface Technical Reference, Interrupt 10h, Video] */
        .include "bios.inc"

        .globl  video_init

        .set    BLANK, 0x0720           /* a space, light grey on black */

        SERVICES int10, 0x10
        FUNCTION 0x00, set_mode
        FUNCTION 0x01, set_shape
        FUNCTION 0x02, set_cursor
        FUNCTION 0x03, get_cursor
        FUNCTION 0x05, set_page
        FUNCTION 0x06, scroll_up
        FUNCTION 0x07, scroll_down
        FUNCTION 0x08, read_cell
        FUNCTION 0x09, write_cells
        FUNCTION 0x0A, write_characters
        FUNCTION 0x0E, teletype
        FUNCTION 0x0F, get_mode
        FUNCTION 0x10, colours
        FUNCTION 0x12, adapter
        FUNCTION 0x13, write_string
        FUNCTION 0x1A, combination
        END

/* AH=00: mode AL. There is mode 3, which is mode 2 with colours; bit 7 keeps what is
   on the screen. */
set_mode:
        mov     %al, %ah
        and     $0x7F, %ah
        cmp     $2, %ah
        je      1f
        cmp     $3, %ah
        jne     missing
1:      movb    $0x20, R_AL(%bp)        /* what a VGA gives back */
        mov     $0x60, %ah
        test    $0x80, %al
        jz      init
        mov     $0xE0, %ah              /* the screen was kept */
        jmp     init

video_init:
        mov     $3, %al
        mov     $0x60, %ah

/* init makes the screen as mode AL has it, AH being the mark that tells whether it was
   cleared; it is if AL has bit 7 clear. */
init:   mov     %ah, VIDEO_OPTIONS
        movb    $3, MODE
        movw    $80, COLUMNS
        movw    $0x1000, PAGE_SIZE
        movw    $0x3D4, CRTC
        movb    $24, LAST_ROW
        movw    $16, CHAR_HEIGHT
        movb    $0, PAGE
        push    %ds
        pop     %es
        push    %ax
        xor     %ax, %ax
        mov     %ax, PAGE_START
        mov     $CURSORS, %di
        mov     $8, %cx
        rep stosw
        pop     %ax
        test    $0x80, %al
        jnz     1f
        push    $0xB800
        pop     %es
        xor     %di, %di
        mov     $BLANK << 16 | BLANK, %eax
        mov     $0x2000, %cx
        rep stosl
1:      xor     %ax, %ax
        call    start
        mov     $0x0607, %cx

/* AH=01: the cursor goes from line CH to line CL of a character; bit 5 of CH hides it. Lines
   0 to 7 are those of a character that has 8, as on the first screens: here it has 16. */
set_shape:
        mov     %cx, CURSOR_SHAPE
        cmp     $8, %ch
        jae     2f
        cmp     $8, %cl
        jae     2f
        inc     %ch
        cmp     %cl, %ch                /* a cursor of two lines stays one */
        mov     %cl, %al
        je      1f
        mov     %ch, %al
        dec     %al
        shl     %al
        inc     %al
        jmp     3f
1:      shl     %al
3:      mov     %al, %ch
        shl     %cl
        inc     %cl
2:      mov     $0x0A, %al
        jmp     crtc

/* start shows the screen from character AX of the memory on. */
start:  mov     %ax, %cx
        mov     $0x0C, %al

/* crtc writes CH to register AL of the CRT controller and CL to the next one. */
crtc:   mov     CRTC, %dx
        mov     %ch, %ah
        out     %ax, %dx
        inc     %al
        mov     %cl, %ah
        out     %ax, %dx
        ret

/* AH=02: the cursor of page BH is at row DH, column DL. */
set_cursor:
        and     $7, %bh
        movzbw  %bh, %si
        shl     %si
        mov     %dx, CURSORS(%si)
        cmp     PAGE, %bh
        jne     1f
        call    cell
        mov     %di, %cx
        shr     %cx
        mov     $0x0E, %al
        jmp     crtc
1:      ret

/* AH=03: cursor and its shape, of page BH. */
get_cursor:
        call    cursor
        mov     %dx, R_DX(%bp)
        mov     CURSOR_SHAPE, %ax
        mov     %ax, R_CX(%bp)
        ret

/* AH=05: page AL is seen. */
set_page:
        and     $7, %al
        mov     %al, PAGE
        mov     %al, %bh
        xor     %al, %al
        mov     %bh, %ah
        shl     $3, %ah                 /* 0x800 characters each */
        push    %ax
        shl     %ax
        mov     %ax, PAGE_START
        pop     %ax
        call    start
        call    cursor
        jmp     set_cursor

/* cursor gives row DH, column DL of the cursor of page BH, which it makes one of eight. */
cursor: and     $7, %bh
        movzbw  %bh, %si
        shl     %si
        mov     CURSORS(%si), %dx
        ret

/* cell gives ES:DI of the cell in row DH, column DL of page BH. */
cell:   push    %ax
        push    $0xB800
        pop     %es
        mov     %dh, %al
        mulb    COLUMNS
        movzbw  %dl, %di
        add     %ax, %di
        shl     %di
        movzbw  %bh, %ax
        shl     $12, %ax
        add     %ax, %di
        and     $0x7FFF, %di            /* there is no more memory */
        pop     %ax
        ret

/* AH=06, 07: the window from row CH, column CL to row DH, column DL of the page that is
   seen moves up or down by AL lines, or becomes empty if AL is 0; what is new has the
   colours BH. */
scroll_up:
        mov     %bh, %ah
        mov     PAGE, %bh
        mov     $1, %bl
        jmp     scroll
scroll_down:
        mov     %bh, %ah
        mov     PAGE, %bh
        mov     $-1, %bl

/* scroll moves a window of page BH up (BL = 1) or down (BL = -1) and fills with the
   colours AH. */
scroll: cmp     COLUMNS, %dl            /* the window ends where the screen does */
        jb      1f
        mov     COLUMNS, %dl
        dec     %dl
1:      cmp     LAST_ROW, %dh
        jbe     2f
        mov     LAST_ROW, %dh
2:      cmp     %dl, %cl
        ja      9f
        cmp     %dh, %ch
        ja      9f
        push    %dx
        sub     %ch, %dh
        inc     %dh                     /* its height */
        test    %al, %al
        jz      3f
        cmp     %dh, %al
        jbe     4f
3:      mov     %dh, %al
4:      sub     %al, %dh
        movzbw  %dh, %si                /* SI: rows to move, AL: rows to fill */
        pop     %dx
        push    %ax
        cmp     $1, %bl
        je      5f
        neg     %al
        mov     %dh, %ch
5:      sub     %cl, %dl                /* DH: the row, DL: the first column, CL: the width */
        inc     %dl
        mov     %ch, %dh
        xchg    %dl, %cl
6:      test    %si, %si
        jz      7f
        push    %si
        call    cell
        push    %di
        push    %dx
        add     %al, %dh
        call    cell
        pop     %dx
        mov     %di, %si
        pop     %di
        push    %cx
        xor     %ch, %ch
        es rep movsw
        pop     %cx
        pop     %si
        dec     %si
        add     %bl, %dh
        jmp     6b
7:      pop     %si
        and     $0xFF, %si
        mov     $' ', %al
8:      call    cell
        push    %cx
        xor     %ch, %ch
        rep stosw
        pop     %cx
        add     %bl, %dh
        dec     %si
        jnz     8b
9:      ret

/* AH=08: character and colours at the cursor of page BH. */
read_cell:
        call    cursor
        call    cell
        mov     %es:(%di), %ax
        mov     %ax, R_AX(%bp)
        ret

/* AH=09, 0A: CX times character AL from the cursor of page BH on, with the colours BL or
   with those that are there. The cursor stays. */
write_cells:
        call    room
        mov     %bl, %ah
        rep stosw
        ret
write_characters:
        call    room
        jcxz    2f
1:      stosb
        inc     %di
        loop    1b
2:      ret

/* room gives ES:DI of the cursor's cell in page BH, and lets CX end with the memory. */
room:   call    cursor
        call    cell
        mov     $0x8000, %dx
        sub     %di, %dx
        shr     %dx
        cmp     %dx, %cx
        jbe     1f
        mov     %dx, %cx
1:      ret

/* AH=0E: character AL on the page that is seen, at its cursor, which goes on. */
teletype:
        mov     PAGE, %bh
        xor     %bl, %bl

/* type writes character AL at the cursor of page BH, with the colours AH unless BL is 0,
   and moves the cursor and, at the end of the screen, the page. */
type:   call    cursor
        cmp     $7, %al                 /* a bell: nobody hears it */
        je      5f
        cmp     $'\b', %al
        je      3f
        cmp     $'\r', %al
        je      4f
        cmp     $'\n', %al
        je      1f
        call    cell
        mov     %al, %es:(%di)
        test    %bl, %bl
        jz      0f
        mov     %ah, %es:1(%di)
0:      inc     %dl
        cmp     COLUMNS, %dl
        jb      set_cursor
        xor     %dl, %dl
1:      inc     %dh
        cmp     LAST_ROW, %dh
        jbe     set_cursor
        dec     %dh
        call    cell                    /* a new line is coloured as the last one */
        mov     %es:1(%di), %ah
        push    %dx
        mov     $1, %al
        mov     $1, %bl
        xor     %cx, %cx
        mov     $-1, %dx
        call    scroll
        pop     %dx
        jmp     set_cursor
3:      sub     $1, %dl
        jnc     set_cursor
        ret
4:      xor     %dl, %dl
        jmp     set_cursor
5:      ret

/* AH=0F: the mode, how many columns, which page is seen. */
get_mode:
        mov     VIDEO_OPTIONS, %al
        and     $0x80, %al
        or      MODE, %al
        mov     COLUMNS, %ah
        mov     %ax, R_AX(%bp)
        mov     PAGE, %bh
        mov     %bh, R_BH(%bp)
        ret

/* AH=10, AL=03: bit 7 of the colours is a bright background (BL=0) or blinks. */
colours:
        cmp     $3, %al
        jne     missing
        mov     $0x3DA, %dx             /* the next write to 3C0 is an index */
        in      %dx, %al
        mov     $0x3C0, %dx
        mov     $0x30, %al              /* mode control; the screen stays on */
        out     %al, %dx
        mov     %bl, %al
        and     $1, %al
        shl     $3, %al
        or      $4, %al
        out     %al, %dx
        ret

/* AH=12, BL=10: an EGA's memory of 256 KiB, in colour. Software asks by it for an EGA. */
adapter:
        cmp     $0x10, %bl
        jne     missing
        movw    $3, R_BX(%bp)
        movw    $9, R_CX(%bp)
        ret

/* AH=13: CX characters of ES:BP from row DH, column DL of page BH on, with the colours BL;
   with bit 1 of AL each is followed by its own. Bit 0 moves the cursor. */
write_string:
        cmp     $3, %al
        ja      missing
        jcxz    3f
        push    %ax
        push    %dx
        call    cursor
        mov     %dx, %di
        pop     %dx
        pop     %ax
        push    %di
        pusha
        call    set_cursor
        popa
        mov     %bl, %ah
        mov     R_BP(%bp), %si
1:      mov     R_ES(%bp), %es
        mov     %es:(%si), %dl
        inc     %si
        test    $2, %al
        jz      2f
        mov     %es:(%si), %ah
        inc     %si
2:      pusha
        mov     %dl, %al
        mov     $1, %bl
        call    type
        popa
        loop    1b
        pop     %dx
        test    $1, %al
        jz      set_cursor
3:      ret

/* AH=1A, AL=00: a VGA with a colour monitor. */
combination:
        test    %al, %al
        jnz     missing
        movb    $0x1A, R_AL(%bp)
        movw    $8, R_BX(%bp)
        ret

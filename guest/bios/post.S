/* post.S: from the processor's first instruction to a boot sector's. */
        .include "bios.inc"

        .section .reset, "ax"
        ljmp    $0xF000, $post
        .ascii  "01/01/26"              /* at FFF5, as on a PC: its BIOS's date */
        .byte   0                       /* FFFD */
        .byte   0xFC                    /* FFFE: the model, an AT */
        .byte   0

        .text
        .globl  int18, int19

/* post initialises the board and boots. The first words of memory are the
   interrupt table, then come the BIOS data area and, below 7C00, the stack. */
post:   cli
        cld
        xor     %ax, %ax
        mov     %ax, %ss
        mov     $0x7C00, %sp
        mov     %ax, %ds
        mov     %ax, %es

        in      $0x92, %al              /* address line 20 is open */
        or      $2, %al
        and     $~1, %al                /* bit 0 would reset */
        out     %al, $0x92

        xor     %di, %di                /* all vectors: nothing */
        mov     $nothing + 0xF0000000, %eax
        mov     $0x60, %cx
        rep stosl
        xor     %eax, %eax              /* 60-67 are the user's, and are zero */
        mov     $8, %cx
        rep stosl
        mov     $nothing + 0xF0000000, %eax
        mov     $0x98, %cx
        rep stosl
        xor     %ax, %ax                /* the BIOS data area */
        mov     $0x80, %cx
        rep stosw

        mov     $8 * 4, %di             /* the controllers' vectors */
        mov     $master, %ax
        call    irqs
        mov     $0x70 * 4, %di
        mov     $slave, %ax
        call    irqs
        mov     $vectors, %si           /* and those that are served */
1:      cs lodsb
        movzbw  %al, %di
        shl     $2, %di
        jz      2f
        cs lodsw
        mov     %ax, (%di)
        jmp     1b

2:      push    $EBDA
        pop     %es
        xor     %di, %di
        xor     %ax, %ax
        mov     $512, %cx
        rep stosw
        movb    $1, %es:0               /* its size in KiB */

        push    $0x40
        pop     %ds
        movw    $EBDA, EBDA_SEG
        movw    $639, MEMORY
        call    controllers
        call    devices
        call    clock_init
        call    video_init
        call    keyboard_init
        call    floppy_init
        call    disk_init
        sti
        int     $0x19

/* irqs points eight vectors from ES:DI on to AX. */
irqs:   mov     $8, %cx
1:      stosw
        inc     %di
        inc     %di
        loop    1b
        ret

/* vectors are the interrupts that are served: a byte and where, up to a 0. */
        .macro  VECTOR number, where
        .byte   \number
        .word   \where
        .endm
vectors:
        VECTOR  0x08, int08
        VECTOR  0x09, int09
        VECTOR  0x0E, int0e
        VECTOR  0x10, int10
        VECTOR  0x11, int11
        VECTOR  0x12, int12
        VECTOR  0x13, int13
        VECTOR  0x14, int14
        VECTOR  0x15, int15
        VECTOR  0x16, int16
        VECTOR  0x17, int17
        VECTOR  0x18, int18
        VECTOR  0x19, int19
        VECTOR  0x1A, int1a
        VECTOR  0x1E, floppy_table
        VECTOR  0x70, int70
        .byte   0

/* controllers puts IRQ 0 to 7 at vectors 08 to 0F and IRQ 8 to 15 at 70 to 77, and
   lets the timer, the keyboard, the floppy disk and the clock through. [Intel 8259A data sheet] */
controllers:
        mov     $0x11, %al              /* begin; cascaded; ICW4 follows */
        out     %al, $0x20
        out     %al, $0xA0
        mov     $0x08, %al
        out     %al, $0x21
        mov     $0x70, %al
        out     %al, $0xA1
        mov     $4, %al                 /* the slave is at the master's input 2 */
        out     %al, $0x21
        mov     $2, %al
        out     %al, $0xA1
        mov     $1, %al                 /* 8086 mode */
        out     %al, $0x21
        out     %al, $0xA1
        mov     $0xB8, %al              /* all but 0, 1, 2 and 6 are masked */
        out     %al, $0x21
        mov     $0xFE, %al              /* all but 8 */
        out     %al, $0xA1
        ret

/* devices notes the equipment: what CMOS memory has of floppy drives and the
   coprocessor, 80 columns in colour, and COM1 and COM2 if they answer. */
devices:
        mov     $0x14, %al
        call    cmos
        and     $0xC3, %al
        or      $2 << 4, %al
        xor     %ah, %ah
        mov     %ax, EQUIPMENT
        mov     $COM, %bx
        mov     $0x3FF, %dx             /* a scratch register keeps what it is given */
        call    1f
        mov     $0x2FF, %dx
1:      mov     $0x5A, %al
        out     %al, %dx
        in      %dx, %al
        cmp     $0x5A, %al
        jne     2f
        sub     $7, %dx
        mov     %dx, (%bx)
        inc     %bx
        inc     %bx
        addw    $1 << 9, EQUIPMENT
2:      ret

/* int19 boots from the devices in the order of CMOS memory, 3D and the upper half of
   38: 1 is the floppy disk, 2 the hard disk. Where one has no boot sector comes the next. */
int19:  sti
        cld
        push    $0
        pop     %ss
        mov     $0x7C00, %sp
        mov     $0x38, %al
        call    cmos
        mov     %al, %dh                /* bit 0: a floppy disk needs no signature */
        mov     $0x3D, %al
        call    cmos
        mov     %al, %bl
        mov     %dh, %bh
        shr     $4, %bh                 /* BX: a digit for each device, the first one lowest */
1:      mov     %bl, %cl
        and     $15, %cl
        mov     $0x00, %dl
        cmp     $1, %cl
        je      2f
        mov     $0x80, %dl
        cmp     $2, %cl
        jne     3f
2:      call    boot
3:      shr     $4, %bx
        jnz     1b
        int     $0x18

/* boot loads the boot sector of drive DL and enters it with DL as it is. It
   returns if there is none; bit 0 of DH says that a floppy disk's needs no signature. */
boot:   pusha
        push    $0
        pop     %es
        mov     $3, %di                 /* a drive may need more than one try */
1:      mov     $0x201, %ax
        mov     $0x7C00, %bx
        mov     $1, %cx
        push    %dx
        xor     %dh, %dh
        int     $0x13
        pop     %dx
        jnc     2f
        xor     %ah, %ah
        int     $0x13
        dec     %di
        jnz     1b
        jmp     4f
2:      not     %dh
        test    $1, %dh                 /* unsigned is good enough */
        jnz     3f
        test    %dl, %dl
        jz      5f
3:      cmpw    $0xAA55, %es:0x7DFE
        je      5f
4:      popa
        ret
5:      xor     %ax, %ax
        mov     %ax, %ds
        mov     %ax, %bx
        mov     %ax, %cx
        mov     %ax, %si
        mov     %ax, %di
        mov     %ax, %bp
        mov     $0x7C00, %sp
        xor     %dh, %dh
        mov     $0xAA55, %ax
        ljmp    $0, $0x7C00

/* int18 is where nothing could be booted. */
int18:  mov     $nobody, %si
1:      cs lodsb
        test    %al, %al
        jz      2f
        mov     $0x0E, %ah
        xor     %bx, %bx
        int     $0x10
        jmp     1b
2:      cli
        hlt
        jmp     2b
nobody: .asciz  "No boot sector on any drive.\r\n"

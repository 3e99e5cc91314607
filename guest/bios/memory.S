/* memory.S: how much memory there is, and where; address line 20; copies beyond
   1 MiB; waiting. INT 11, 12 and 15.
   [IBM PS/2 and PC BIOS Interface Technical Reference, Interrupt 15h; ACPI
   Specification, INT 15H, E820H - Query System Address Map] */
        .include "bios.inc"

        .globl  int11, int12, cmos

/* INT 11: the equipment. INT 12: KiB of memory below 640 KiB. */
int11:  push    %ds
        push    $0x40
        pop     %ds
        mov     EQUIPMENT, %ax
        pop     %ds
        iret
int12:  push    %ds
        push    $0x40
        pop     %ds
        mov     MEMORY, %ax
        pop     %ds
        iret

        SERVICES int15, 0x15, 0x86
        FUNCTION 0x24, a20
        FUNCTION 0x4F, intercept
        FUNCTION 0x86, wait
        FUNCTION 0x87, move
        FUNCTION 0x88, extended
        FUNCTION 0x90, done
        FUNCTION 0x91, done
        FUNCTION 0xC0, configuration
        FUNCTION 0xC1, ebda
        FUNCTION 0xE8, sizes
        END

/* cmos gives register AL of the CMOS memory in AL, with non-maskable interrupts on. */
cmos:   out     %al, $0x70
        in      $0x71, %al
        ret

/* cmos_word gives registers AL and AL+1 in DX. */
cmos_word:
        mov     %al, %ah
        call    cmos
        mov     %al, %dl
        mov     %ah, %al
        inc     %al
        call    cmos
        mov     %al, %dh
        ret

/* AH=4F: the keyboard's interrupt asks about key AL: with the carry flag it is to be
   taken as it is. */
intercept:
        orb     $CF, R_FLAGS(%bp)
        ret

/* AH=90, 91: something waits for a device, or is ready. Nothing else would run. */
done:   movb    $0, R_AH(%bp)
        ret

/* AH=24: address line 20 is closed (AL=0), opened (1), asked for (2); how that can be done (3). */
a20:    cmp     $3, %al
        ja      missing
        movb    $0, R_AH(%bp)
        je      2f
        mov     %al, %ah
        in      $0x92, %al
        cmp     $2, %ah
        je      1f
        and     $~3, %al
        shl     %ah
        or      %ah, %al
        out     %al, $0x92
        ret
1:      shr     %al
        and     $1, %al
        mov     %al, R_AL(%bp)
        ret
2:      movw    $2, R_BX(%bp)           /* by port 92 */
        ret

/* AH=86: returns when CX:DX microseconds have passed. Longer waits sleep, and count the
   periodic interrupts of the real-time clock, of 976 us each. */
wait:   shl     $16, %ecx
        mov     %dx, %cx
        cmp     $976, %ecx
        ja      3f
        add     $14, %cx                /* the refresh bit of port 61 changes every 15 us */
        mov     %cx, %ax
        xor     %dx, %dx
        mov     $15, %cx
        div     %cx
        mov     %ax, %cx
        inc     %cx
        in      $0x61, %al
        mov     %al, %ah
1:      in      $0x61, %al
        xor     %ah, %al
        test    $1 << 4, %al
        jz      1b
        xor     %al, %ah
        loop    1b
        ret
3:      cli
        movb    $1, WAITING
        add     $976, %ecx              /* a period has begun already */
        mov     %ecx, WAIT_LEFT
        mov     $1 << 6, %ah            /* periodic interrupts */
        call    clock_enable
4:      sti
        hlt
        cli
        testb   $1, WAITING
        jnz     4b
        ret

/* AH=87: CX words are copied from where the descriptor at ES:SI+10 points to where that
   at ES:SI+18 does, in protected mode. The BIOS fills in the table's others: its own
   place at 08, code at 20, and at 28 the segment that gives real mode its limits back. */
move:   cli
        mov     R_ES(%bp), %es
        mov     R_SI(%bp), %si
        movzwl  R_ES(%bp), %eax
        shl     $4, %eax
        movzwl  %si, %edx
        add     %edx, %eax              /* the table's address */
        movw    $0x2F, %es:8(%si)
        mov     %eax, %es:10(%si)
        movl    $0x0000FFFF, %es:0x20(%si)
        movl    $0x00009B0F, %es:0x24(%si)
        movl    $0x0000FFFF, %es:0x28(%si)
        movl    $0x00009300, %es:0x2C(%si)
        in      $0x92, %al
        push    %ax
        or      $2, %al                 /* address line 20 is open meanwhile */
        and     $~1, %al
        out     %al, $0x92
        push    %bp
        lgdtl   %es:8(%si)
        mov     %cr0, %eax
        or      $1, %al
        mov     %eax, %cr0
        ljmp    $0x20, $1f
1:      mov     $0x10, %dx
        mov     %dx, %ds
        mov     $0x18, %dx
        mov     %dx, %es
        xor     %si, %si
        xor     %di, %di
        rep movsw
        mov     $0x28, %dx
        mov     %dx, %ds
        mov     %dx, %es
        and     $~1, %al
        mov     %eax, %cr0
        ljmp    $0xF000, $2f
2:      pop     %bp
        pop     %ax
        and     $~1, %al
        out     %al, $0x92
        movb    $0, R_AH(%bp)
        ret

/* AH=88: KiB above 1 MiB, up to 64 MiB. */
extended:
        mov     $0x30, %al
        call    cmos_word
        mov     %dx, R_AX(%bp)
        ret

/* AH=C0: what kind of machine it is. */
configuration:
        movw    $table, R_BX(%bp)
        movw    $0xF000, R_ES(%bp)
        movb    $0, R_AH(%bp)
        ret
table:  .word   8
        .byte   0xFC, 0x01, 0x00        /* an AT, as FFFE says too */
        .byte   0x74                    /* two 8259s, a clock, INT 15/4F, an extended data area */
        .byte   0, 0, 0, 0

/* AH=C1: the extended data area. */
ebda:   movw    $EBDA, R_ES(%bp)
        movb    $0, R_AH(%bp)
        ret

/* AX=E801: KiB from 1 to 16 MiB, and 64 KiB units above. AX=E820: the entry BX of the
   memory map goes to ES:DI. */
sizes:  cmp     $0x01, %al
        je      1f
        cmp     $0x20, %al
        je      3f
        jmp     missing
1:      mov     $0x30, %al
        call    cmos_word
        cmp     $15 << 10, %dx
        jbe     2f
        mov     $15 << 10, %dx
2:      mov     %dx, R_AX(%bp)
        mov     %dx, R_CX(%bp)
        mov     $0x34, %al
        call    cmos_word
        mov     %dx, R_BX(%bp)
        mov     %dx, R_DX(%bp)
        ret

3:      mov     $0x86, %ah
        cmpl    $0x534D4150, R_DX(%bp)  /* "SMAP" */
        jne     fail
        cmpl    $20, R_CX(%bp)
        jb      fail
        mov     R_ES(%bp), %es
        mov     R_DI(%bp), %di
        mov     R_BX(%bp), %ebx
        cmp     $2, %ebx
        jae     4f
        imul    $20, %bx, %si           /* the first MiB */
        add     $first, %si
        mov     $20, %cx
        cs rep movsb
        inc     %ebx
        jmp     6f

4:      push    %di
        call    map
        pop     %di
        mov     %eax, %esi
        lea     -2(%ebx), %ecx
        mov     $0x86, %ah
        cmp     %esi, %ecx
        jae     fail
        imul    $20, %cx, %cx
        jcxz    8f
5:      in      %dx, %al
        loop    5b
8:      mov     $20, %cx
        rep insb
        cmp     $2, %bx
        jne     7f
        movb    $0x10, %es:-18(%di)     /* RAM beyond the first MiB */
        subl    $1 << 20, %es:-12(%di)
        sbbl    $0, %es:-8(%di)
7:      inc     %ebx
        lea     -2(%ebx), %ecx
        cmp     %esi, %ecx
        jb      6f
        xor     %ebx, %ebx              /* there is no more */
6:      mov     %ebx, R_BX(%bp)
        movl    $0x534D4150, R_AX(%bp)
        movl    $20, R_CX(%bp)
        ret

/* first is the map of the first MiB: what begins where, how long, and is 1, RAM, or 2,
   reserved. */
first:  .quad   0x00000, 0x9FC00
        .long   1
        .quad   0x9FC00, 0x60400
        .long   2

/* map selects the file etc/e820 of fw_cfg: the same of all RAM, and of what devices have above.
   It gives in EAX how many entries that has, and the port of its bytes in DX. [QEMU,
   docs/specs/fw_cfg] */
map:    mov     $0x19, %ax              /* the directory */
        call    select
        call    number
        mov     %eax, %ecx
        jcxz    4f
1:      call    number
        push    %eax                    /* size */
        call    number
        shr     $16, %eax
        push    %ax                     /* key */
        push    %cx
        mov     $56, %cx
        mov     $name, %si
        xor     %ah, %ah
2:      in      %dx, %al
        xor     %cs:(%si), %al
        or      %al, %ah
        cmpb    $1, %cs:(%si)           /* SI stays at the name's end */
        sbb     $-1, %si
        loop    2b
        pop     %cx
        pop     %si
        pop     %edi
        test    %ah, %ah
        loopnz  1b
        jnz     4f
        mov     %si, %ax
        call    select
        mov     %edi, %eax
        push    %dx
        xor     %edx, %edx
        mov     $20, %esi
        div     %esi
        pop     %dx
        ret
4:      xor     %eax, %eax
        ret
name:   .asciz  "etc/e820"

/* select selects item AX of fw_cfg, and gives the port of its bytes in DX. */
select: mov     $0x510, %dx
        out     %ax, %dx
        inc     %dx
        ret

/* number reads one of 32 bits in EAX, the highest first. */
number: push    %cx
        mov     $4, %cx
1:      shl     $8, %eax
        in      %dx, %al
        loop    1b
        pop     %cx
        ret

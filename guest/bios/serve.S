/* serve.S: how a service is entered and left, and what becomes of a call that
   this BIOS does not know. */
        .include "bios.inc"

        .globl  serve, missing, fail, nothing, master, slave

/* serve keeps the caller's registers at BP, and calls the function for AH with the
   carry flag that the caller will see clear, DS the BIOS data area, and AX, BX, CX
   and DX as they came. A function may change every register: what it gives back
   it writes to the caller's. The word on top of the stack is the table. */
serve:  push    %ds
        push    %es
        pushal
        mov     %sp, %bp
        cld
        push    $0x40
        pop     %ds
        andb    $~CF, R_FLAGS(%bp)
        mov     R_TABLE(%bp), %si
        inc     %si                     /* past vector and error */
        inc     %si
1:      mov     %cs:1(%si), %di
        test    %di, %di
        jz      2f
        cmp     %cs:(%si), %ah
        je      3f
        add     $3, %si
        jmp     1b
2:      mov     $missing, %di
3:      call    *%di
        popal
        pop     %es
        pop     %ds
        lea     2(%esp), %esp           /* the table */
        iret

/* missing ends a function that is not there: the caller sees the carry flag, and the
   firmware's log has a line. It may be jumped to by a function that finds a
   subfunction missing. */
missing:
        mov     R_TABLE(%bp), %si
        mov     $said, %di
        call    log
        mov     %cs:(%si), %al
        call    log_hex
        call    log
        mov     R_AH(%bp), %al
        call    log_hex
        mov     R_AL(%bp), %al
        call    log_hex
        call    log
        mov     R_BH(%bp), %al
        call    log_hex
        mov     R_BL(%bp), %al
        call    log_hex
        call    log
        mov     %cs:1(%si), %ah
        test    %ah, %ah
        jz      carry

/* fail ends a function with the number AH and the carry flag. */
fail:   mov     %ah, R_AH(%bp)
carry:  orb     $CF, R_FLAGS(%bp)
        ret

/* log writes the text at CS:DI to the firmware's log, port 402, and leaves DI after
   it; log_hex writes AL. */
log:    mov     $0x402, %dx
1:      mov     %cs:(%di), %al
        inc     %di
        test    %al, %al
        jz      2f
        out     %al, %dx
        jmp     1b
2:      ret

log_hex:
        mov     $0x402, %dx
        push    %ax
        shr     $4, %al
        call    3f
        pop     %ax
        and     $15, %al
3:      cmp     $10, %al                /* the digit's character, by decimal adjustments */
        sbb     $0x69, %al
        das
        out     %al, %dx
        ret

said:   .asciz  "BIOS: no INT "
        .asciz  "h AX="
        .asciz  "h BX="
        .asciz  "h\n"

/* The interrupts that nobody handles: nothing returns, master and slave tell the
   interrupt controllers before. */
slave:  push    %ax
        mov     $0x20, %al
        out     %al, $0xA0
        jmp     1f
master: push    %ax
        mov     $0x20, %al
1:      out     %al, $0x20
        pop     %ax
nothing: iret

/* calls.S: a boot sector that makes the BIOS calls of a table, which follows on the
   disk, and writes what came of each to the debug console, port E9. calls_test.go makes
   the table, and knows what to expect.

   A record of the table has 48 bytes:

        0       vector; 0 ends the table, FE is OUT DX, AL, FD is IN AL, DX
        2       DS, ES
        8       EAX, EBX, ECX, EDX, ESI, EDI, EBP
        36      offset, segment and length of what is wanted of memory after the call

   and what comes of it is as PUSHAL leaves it: EDI, ESI, EBP, ESP, EBX, EDX, ECX, EAX,
   then ES and FLAGS, and that memory. */
        .set    TABLE, 0x8000
        .set    RECORD, 48

        .code16
        .globl  _start
_start: xor     %ax, %ax
        mov     %ax, %ds
        mov     %ax, %es
        mov     %ax, %ss
        mov     $0x7C00, %sp
        ljmp    $0, $1f
1:      mov     sectors, %al
        mov     $2, %ah
        mov     $TABLE, %bx
        mov     $2, %cx                 /* from the disk's second sector on */
        xor     %dh, %dh
        int     $0x13
        jc      end

next:   mov     record, %si
        mov     (%si), %al
        cmp     $0, %al
        je      end
        movw    $0x90EE, what           /* out %al, %dx; nop */
        cmp     $0xFE, %al
        je      2f
        movw    $0x90EC, what           /* in %dx, %al; nop */
        cmp     $0xFD, %al
        je      2f
        movb    $0xCD, what             /* int */
        mov     %al, what + 1
2:      sti
        pushw   2(%si)
        pushw   4(%si)
        mov     8(%si), %eax
        mov     12(%si), %ebx
        mov     16(%si), %ecx
        mov     20(%si), %edx
        mov     28(%si), %edi
        mov     32(%si), %ebp
        mov     24(%si), %esi
        pop     %es
        pop     %ds
        jmp     what                    /* an old processor has fetched it already */
what:   .word   0
        pushf
        push    %es
        pushal
        xor     %ax, %ax
        mov     %ax, %ds
        cld
        mov     %sp, %si
        mov     $36, %cx
        call    tell
        add     $36, %sp
        mov     record, %bx
        addw    $RECORD, record
        mov     40(%bx), %cx
        lds     36(%bx), %si
        call    tell
        xor     %ax, %ax
        mov     %ax, %ds
        jmp     next

/* tell writes CX bytes from DS:SI on. */
tell:   jcxz    4f
3:      lodsb
        out     %al, $0xE9
        loop    3b
4:      ret

end:    xor     %ax, %ax
        out     %al, $0xF4
5:      cli
        hlt
        jmp     5b

record: .word   TABLE

        .org    508
sectors: .byte  0, 0                    /* of the table */
        .byte   0x55, 0xAA

/* sector.S: hello, as a boot sector. A PC's firmware reads the first 512 bytes
   of a disk to 0x7C00 and jumps there in real mode, if the last two are 55 AA.
   Nothing else is sure, so the segment registers and the stack come first. */
        .code16
        .globl  _start
_start: cli
        cld
        xor     %ax, %ax
        mov     %ax, %ds
        mov     %ax, %ss
        mov     $0x7C00, %sp            /* the stack grows down from here */
        ljmp    $0, $1f                 /* CS too: some firmware has 0x07C0:0 */
1:      mov     $0x3FB, %dx             /* COM1's line control */
        mov     $3, %al                 /* 8 bits a character; reset leaves 5 */
        out     %al, %dx
        mov     $hello, %si
        mov     $0x3F8, %dx             /* COM1 */
        call    send

/* The end of the run: 0 to port 0xF4, the word Shutdown to port 0x8900. */
        call    drain
        xor     %al, %al
        out     %al, $0xF4
        mov     $shutdown, %si
        mov     $0x8900, %dx
        call    send
2:      hlt
        jmp     2b

/* send writes the text at SI, which ends with a 0, to port DX. */
send:   lodsb
        test    %al, %al
        jz      3f
        call    drain
        out     %al, %dx
        jmp     send
3:      ret

/* drain waits until COM1 has sent everything. */
drain:  push    %ax
        push    %dx
        mov     $0x3FD, %dx             /* its line status */
4:      in      %dx, %al
        test    $0x40, %al
        jz      4b
        pop     %dx
        pop     %ax
        ret

hello:  .ascii  "hello-16: a boot sector that prints and ends\n\n"
        .asciz  "Hello from 16-bit real mode, paging off.\n"
shutdown: .asciz "Shutdown"

        .org    510
        .byte   0x55, 0xAA

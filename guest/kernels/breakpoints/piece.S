/* piece.S: the code in which the breakpoints are, copied to 0x3d0000. It works
   on the bytes at 0x3d1000. The labels are where a #DB or #BP must be. */
        .text
        .globl  piece, piece_end, inc_at, stored, byte_stored, loaded, patched
piece:
#ifdef __x86_64__
        push    %rbx
        mov     $0x3d1000, %rbx
#define DATA(n) n(%rbx)
#else
        push    %ebx
        mov     $0x3d1000, %ebx
#define DATA(n) n(%ebx)
#endif
        mov     $41, %eax
inc_at: inc     %eax
        mov     %eax, DATA(0)           /* the 4 bytes at 0 */
stored: movb    $1, DATA(3)             /* a byte of the 4 */
byte_stored:
        movb    $1, DATA(4)             /* the byte behind them */
        mov     DATA(0), %ecx
        mov     DATA(8), %cl            /* another breakpoint's byte */
loaded: nop
patched:
        add     $100, %eax
#ifdef __x86_64__
        pop     %rbx
#else
        pop     %ebx
#endif
        ret
piece_end:

        .section .note.GNU-stack, "", @progbits

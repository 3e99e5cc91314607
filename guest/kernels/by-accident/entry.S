/* entry.S: the command line. A multiboot loader passes the address of its
   information in EBX, and boot32.S and boot64.S leave that register alone. */
        .text
        .globl  kernel_main
kernel_main:
#ifdef __x86_64__
        mov     %ebx, %edi              /* the argument; the upper half is zero */
        jmp     begin
#else
        push    %ebx
        call    begin
#endif

/* The handler of the module: it counts in the module's data, if it has some,
   and goes on at the kernel's handler, with its register as it was. The loader
   of the module fills in the address of data, as for a relocation. */
#ifdef __x86_64__
#define LOAD movabs
#define AX %rax
#define SP %rsp
#else
#define LOAD mov
#define AX %eax
#define SP %esp
#endif
        .globl  handler, handler_data, handler_end
handler:
        push    AX
        LOAD    $-1, AX
        .set    handler_data, . - __SIZEOF_POINTER__  /* the operand is the end of it */
        incl    (AX)                    /* the count */
        mov     __SIZEOF_POINTER__(AX), AX            /* where to go on */
        xchg    AX, (SP)
        ret
handler_end:

        .section .note.GNU-stack, "", @progbits

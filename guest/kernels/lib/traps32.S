/* Trap stubs. Each pushes its vector (and a 0 where the CPU pushes no error
   code), then all lead to trap_common, which saves the registers and hands
   a struct trap to C. The data segments stay as they are: see segments_init. */
        .text
        .altmacro
        .macro  stub vector
        .align  16                      /* 16 bytes each: trap_entry counts on it */
        /* #DF, #TS, #NP, #SS, #GP, #PF and #AC bring an error code. */
        .if     \vector != 8 && (\vector < 10 || \vector > 14) && \vector != 17
        push    $0
        .endif
        push    $\vector
        jmp     trap_common
        .endm

        .globl  trap_stubs, syscall_stub, trap_common
        .align  16
trap_stubs:
        .set    v, 0
        .rept   32
        stub    %v
        .set    v, v + 1
        .endr
        .align  16
syscall_stub:
        push    $0
        push    $0x80
trap_common:
        pusha
        push    %esp
        call    trap_dispatch
        add     $4, %esp
        popa
        add     $8, %esp                /* the vector and the error code */
        iret

/* void run_user(word ip): remember where to come back to, then pretend to
   return from a trap that user code had raised. */
        .globl  run_user, leave_user
run_user:
        mov     4(%esp), %eax
        push    %ebp
        push    %ebx
        push    %esi
        push    %edi
        mov     %esp, user_caller
        push    $0x23                   /* SS, ESP: the program needs no stack */
        push    $0
        push    $2                      /* EFLAGS: interrupts off */
        push    $0x1B                   /* CS, EIP */
        push    %eax
        iret
leave_user:
        mov     user_caller, %esp
        pop     %edi
        pop     %esi
        pop     %ebx
        pop     %ebp
        ret

        .bss
        .align  4
user_caller: .skip 4

        .section .note.GNU-stack, "", @progbits

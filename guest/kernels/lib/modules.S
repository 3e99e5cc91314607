/* modules.S: what is not part of the kernel proper. Each piece is copied to
   the page where it will run, so it reaches its own data relative to RIP, or
   in 32 bits by the address that it will have there. */
#include "layout.h"

#ifdef __x86_64__
#define AT(label, start, base) label(%rip)
#define BX %rbx
#else
#define AT(label, start, base) label - start + base
#define BX %ebx
#endif

        .text

/* The driver: one function that counts its calls and returns the count. */
        .globl  driver, driver_end
driver: incl    AT(calls, driver, DRIVER_BASE)
        mov     AT(calls, driver, DRIVER_BASE), %eax
        ret
        .align  8
calls:  .long   0
driver_end:

/* The module: a page-fault handler that counts, then passes the fault on to
   the handler that was there before. It needs no register. */
        .globl  module, module_end, module_count, module_next
module: incl    AT(module_count, module, MODULE_BASE)
        jmp     *AT(module_next, module, MODULE_BASE)
        .align  8
module_count: .long 0, 0
module_next:  .long 0, 0                /* filled in at load time */
module_end:

/* Two user programs. INT 0x80 is the system call, its number is in EAX: 0
   leaves, 1 lets the kernel work on the process's behalf. */
        .globl  enter_kernel, enter_kernel_end
enter_kernel:
        mov     $1, %eax
        int     $0x80
        mov     $0, %eax
        int     $0x80
enter_kernel_end:

        .globl  touch_heap, touch_heap_store, touch_heap_end
touch_heap:
        mov     $USER_HEAP, BX
touch_heap_store:
        movl    $1234, (BX)
        mov     $0, %eax
        int     $0x80
touch_heap_end:

        .section .note.GNU-stack, "", @progbits

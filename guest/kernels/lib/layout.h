/* layout.h: where things lie in the stories about processes, for C and for the
   assembler.

   A 32-bit PDE covers 4 MiB, a 64-bit PML4 entry 512 GiB. User memory, the
   driver and the module each have a top-level entry to themselves. */
#ifdef __ASSEMBLER__
#define A(x) x
#else
#define A(x) x##ul
#endif

#ifdef __x86_64__
#define USER_BASE   A(0x0000400000000000) /* PML4 entry 128 */
#define DRIVER_BASE A(0xffffc90000000000) /* PML4 entry 402 */
#define MODULE_BASE A(0xffffc98000000000) /* PML4 entry 403 */
#else
#define USER_BASE   A(0x40000000) /* PDE 256 */
#define DRIVER_BASE A(0xf8000000) /* PDE 992 */
#define MODULE_BASE A(0xf8400000) /* PDE 993 */
#endif

#define USER_HEAP (USER_BASE + 0x1000) /* one page, promised but not backed */

/* In the part of memory that every table maps to itself: */
#define STACK_BOTTOM A(0x3c1000) /* the kernel stack: one page, under it a guard page */
#define STACK_TOP    A(0x3c2000)
#define KERNEL_HEAP  A(0x3d0000) /* one page, promised but not backed */

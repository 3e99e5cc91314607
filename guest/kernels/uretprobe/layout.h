/* layout.h: the addresses of the story, for C and for the assembler. */
#ifdef __ASSEMBLER__
#define A(x) x
#else
#define A(x) x##ul
#endif

#ifdef __x86_64__
#define USER_BASE A(0x0000400000000000)
#else
#define USER_BASE A(0x40000000)
#endif

/* The user's page of code has, besides the program, what the probe needs. */
#define TRAMPOLINE (USER_BASE + 0x700)
#define SLOT       (USER_BASE + 0x800)

#define USER_STACK     (USER_BASE + 0x2000) /* one page */
#define USER_STACK_TOP (USER_BASE + 0x3000)

#define KERNEL_STACK_TOP A(0x3c2000)

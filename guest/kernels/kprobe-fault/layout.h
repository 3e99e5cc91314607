/* layout.h: the addresses of the story, for C and for the assembler. */
#ifdef __ASSEMBLER__
#define A(x) x
#else
#define A(x) x##ul
#endif

#define PROBED A(0x3a0000) /* the page with the probed functions */
#define SLOT   A(0x3b0000) /* where their displaced instructions are stepped */

#ifdef __x86_64__
#define PROMISED A(0x0000400000000000) /* a user's page that is not in memory now */
#define NOWHERE  A(0x0000500000000000) /* nobody's memory */
#else
#define PROMISED A(0x40000000)
#define NOWHERE  A(0x50000000)
#endif

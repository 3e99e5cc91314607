/* layout.h: the addresses of the story, for C and for the assembler. All are in
   the part of memory that the kernel maps to itself. */
#ifdef __ASSEMBLER__
#define A(x) x
#else
#define A(x) x##ul
#endif

#define PROBED   A(0x3a0000) /* the page with the functions of functions.S */
#define SLOTS    A(0x3b0000) /* the page of the slots, 16 bytes each */
#define PROMISED A(0x3d0000) /* a page that is brought in when it is touched */

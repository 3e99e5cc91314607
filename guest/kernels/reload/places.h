/* places.h: where this story puts its modules, beside layout.h. The second
   address has a top-level entry to itself. */
#include "layout.h"

#ifdef __x86_64__
#define SECOND_BASE A(0xffffca0000000000) /* PML4 entry 404 */
#else
#define SECOND_BASE A(0xf8800000) /* PDE 994 */
#endif

/* A module without a fault handler: a page of code and a page of data. */
#define CODE (DRIVER_BASE + A(0x80000))
#define DATA (DRIVER_BASE + A(0x81000))

/* A page of the kernel's own, in the part that every table maps to itself, and
   a number that a program likes. It is this page's entry too: present, write,
   user. */
#define KERNEL_PAGE A(0x3c8000)
#define NUMBER      A(0x3c8007)

/* The other driver's handler gives up after so many rounds. */
#define ENOUGH 1000

/* modules.h: where the modules of this story keep what is not code. Each place
   has a top-level entry to itself. */
#include "layout.h"

#ifdef __x86_64__
#define MODULE_DATA  A(0xffffca0000000000) /* PML4 entry 404 */
#define MODULE_STACK A(0xffffca8000000000) /* PML4 entry 405 */
#else
#define MODULE_DATA  A(0xf8800000) /* PDE 994 */
#define MODULE_STACK A(0xf8c00000) /* PDE 995 */
#endif

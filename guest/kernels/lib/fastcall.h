/* fastcall.h: system calls by SYSENTER and, in 64 bits, SYSCALL. Kernels that
   use this name it in the Makefile. */
#ifndef FASTCALL_H
#define FASTCALL_H

#include "lib.h"

/* enable_fast_calls makes both instructions enter the functions below, on a
   stack that is given. It ends the run on a processor without SYSENTER. */
void enable_fast_calls(word stack);

/* The kernel that uses this has these two. ax is what the program had in AX;
   what they return it gets there. SYSENTER saves nothing: the program passes
   its stack pointer in CX and where it will go on in DX. SYSCALL saves the
   instruction pointer in RCX and the flags in R11. */
word sysenter_call(word ax, word sp, word ip);
word syscall_call(word ax, word ip, word flags);

#endif

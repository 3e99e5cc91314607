/* doomed.h: the scene of the kernels that do not survive. Process A runs on a
   page table without the page-fault handler, so its first page fault becomes a
   double fault; the kernel has broken what would take that one. */
#ifndef DOOMED_H
#define DOOMED_H

#include "process.h"

extern struct process victim;

/* What the page faults leave on the kernel stack: bytes of the first frame and
   of each nested one, and how many of these a page has room for. */
enum { first = IN_64(48, 24), nested = IN_64(48, 16), fit = (PAGE - first) / nested };

/* A page for another stack, with a guard page under it. */
#define SPARE_BOTTOM A(0x3c4000)
#define SPARE_TOP    A(0x3c5000)

/* set_scene prints the title and tells what is there and what is missing. */
void set_scene(const char *name, const char *title);

/* tss_field is where a field of the TSS of a selector lies. */
void *tss_field(int selector, unsigned offset);

/* gate is where the gate of a vector lies: 8 bytes, 16 in 64 bits. */
uint64_t *gate(int vector);

/* begin lets the process have its page fault. Nothing comes after it. */
void begin(void) __attribute__((noreturn));

#endif

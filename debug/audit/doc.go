// Package audit foretells what would become of an event if it came now: whether
// its handler would begin, or which fault instead; whether page faults would
// recurse until a double fault; whether the machine would shut down, or go round
// for ever.
//
// No instruction runs and nothing of the guest changes. The rules of delivery are
// those of package idt, on a copy of the registers and on memory of its own: gate,
// descriptors, TSS, every word of the frame, task switches, the classes of double
// faults. After each delivery the first byte of the handler is looked for as a
// fetch would; if it is not there, that is the next page fault. So it goes on until a
// handler can begin, nothing is delivered any more, or a state comes round again.
// What frames overwrite on the way counts: a page table under a stack without a
// guard is destroyed in the copy as it would be in the guest.
// [SDM 3A, Interrupt 8—Double Fault Exception (#DF); Interrupt 14—Page-Fault Exception (#PF)]
//
// An event is asked about from where the processor is (its privilege, its stack),
// and as if user mode were interrupted (the stack of the TSS). The address
// space can be any: what CR3 would load is loaded, and global entries of the TLB
// stay.
//
// Not foretold: what a handler does once it has begun, that another of its pages
// is missing too, instruction breakpoints at its first byte, and interrupts that
// come in between.
package audit

// Package tables shows what a processor reads when it translates an address or
// delivers an event: page tables, IDT, GDT and LDT, and the TSS, as they stand at
// one moment.
//
// A Moment is taken from a machine, or read from an ELF memory core as QEMU's
// dump-guest-memory writes it. Nothing that is asked of it changes the machine:
// no A or D bit is set, no TLB entry made.
//
// Of page tables there are the mapped ranges with the rights that all levels
// give together, and the holes between them with the entry that is missing
// (pages.go); who maps a frame, and which frames are mapped more than once
// (alias.go); tables that are mapped themselves (self.go); and what two address
// spaces do not share (diff.go).
// [SDM 3A, Paging]
//
// Descriptor tables are decoded entry by entry, and what the processor would
// refuse is told beside it, in the manual's words for the fault (idt.go, gdt.go,
// tss.go). [SDM 3A, Segment Descriptors; IDT Descriptors; Task Management]
//
// Not looked at: the TLB, which may still hold what the tables do not
// (package mmu, Stale); memory types.
package tables

// Package mmu models physical memory and the translation of linear addresses,
// as far as software can see them. [SDM 3A, Paging]
//
// A Memory is the physical address space: RAM made of copy-on-write pages,
// ROM, devices, and holes. It knows which bytes decoded code was taken from
// and reports stores to them.
//
// An MMU translates for one processor: no paging, 32-bit paging with 4-KByte
// and 4-MByte pages (PSE-36), PAE paging with its PDPTE registers, 4-level and
// 5-level paging with 4-KByte, 2-MByte and 1-GByte pages. A walk reads the
// guest's own tables, checks P, reserved bits and rights by the manual's rules
// (CR0.WP, SMEP, SMAP, NXE, protection keys), sets A and D, and ends in a
// physical address or in the error code of a page fault.
//
//	linear -> View (host shortcut) -> TLB entry -> walk -> physical -> Memory
//
// The TLB is architectural: an entry stays until the guest flushes it, a
// stale one is used, PCIDs and global pages count. Views hold what is derived
// from it: for one kind of privilege, the pages that need no further check.
// They only ever say yes where TLB and control registers do.
//
// Faults are values: a method returns false and leaves MMU.Fault. No table,
// register or address that a guest can make leads to a panic.
//
// Not modelled: paging-structure caches (each walk reads every level), memory
// types (PWT, PCD, PAT are ignored), supervisor keys, shadow stacks, HLAT,
// linear-address masking, and other processors.
package mmu

// Package stats counts what a guest does: instructions by form, events by
// vector, walks of the page tables by depth and verdict, hits and misses of the
// TLB, accesses by page, instructions by block.
//
// A form is an operation with the kinds and sizes of its operands, "mov r32,m32".
// A block is a run of instructions entered by a transfer of control or an event
// and left by the next one.
//
// A TLB lookup is one for each page that an instruction's bytes, or an access
// to the program's data, lie in; it is a miss if that page was walked for it,
// which a write through an entry that is not dirty yet is, too. What the
// processor reads and writes by itself (tables, frames) is among the walks, not
// among the lookups. Without a TLB every lookup misses.
//
// Watching needs an observer: the guest runs one instruction at a time. Pages and
// blocks are counted up to a bound, beyond which new ones are summed up.
package stats

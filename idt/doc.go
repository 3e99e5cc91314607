// Package idt models what the processor does with interrupts and exceptions,
// and everything that shares its machinery: descriptors, gates, privilege
// changes, task switches, returns.
//
//	Deliver                      an event through the IVT or IDT, to the handler, #DF or shutdown
//	IRET, FarRet                 back again, at the same or an outer level, to VM86, to another task
//	FarJump, FarCall             code segments, call gates, task gates, TSS descriptors
//	LoadSegment, LoadLDTR, LoadTR  selectors into registers
//	Verify, AccessRights, SegmentLimit  VERR, VERW, LAR and LSL
//
// It follows the Intel SDM: volume 3A, the chapters Protection, Interrupt and
// Exception Handling, and Task Management, and volume 2's pseudo-code of INT n,
// IRET, CALL, JMP and RET. Every check is one rule (see Rule), in the manual's
// order, with the manual's error code.
//
// An operation first reads and checks all that it needs, then probes all that
// it will write, then writes: until the last check has passed no register and
// no byte of memory has changed. The one exception is the architecture's own,
// a fault that an incoming task takes while its segments load.
//
// The package keeps no state. It reaches the processor through CPU, and
// guest memory through mmu. Descriptor tables, gates and TSSs are accessed as
// supervisor whatever the CPL; stacks with the rights of the level that uses
// them. Fetching the handler's code is not part of a delivery.
//
// Not modelled: shadow stacks and indirect branch tracking, user interrupts,
// FRED, SYSCALL and SYSENTER (package cpu), and the redirection of INT n in
// VM86 mode with CR4.VME, which is decided before Deliver is called.
package idt

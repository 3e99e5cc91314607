package mmu

// Slots is the number of entries of the TLB and of each View.
const Slots = 1024

// Slot is a host-side shortcut derived from a TLB entry: the page-aligned
// linear address for which a read (R), write (W) or fetch (X) at the view's
// privilege needs no further check, or 1, which no address equals. Host is the
// page in host memory. An access of n bytes at lin hits when
// R == (lin+n-1)&^PageMask of the slot at lin>>PageShift&(Slots-1), so that one
// compare also sends page-crossing accesses to the slow path.
type Slot struct {
	R, W, X uint64
	Host    *Page
}

// View is the set of shortcuts valid for one kind of privilege.
type View [Slots]Slot

// ViewOf tells which view an access uses.
const (
	ViewKernel   = 0 // supervisor
	ViewUser     = 1 // user
	ViewKernelAC = 2 // supervisor, EFLAGS.AC = 1
)

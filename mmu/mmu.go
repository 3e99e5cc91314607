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

// noView is never written.
var noView = newView()

// NoView sends every access down the slow path: it never has a shortcut.
func NoView() *View { return noView }

func newView() *View {
	v := new(View)
	for i := range v {
		v[i] = Slot{R: noPage, W: noPage, X: noPage}
	}
	return v
}

// UseView gives a view for accesses to come. It is made when it is used first,
// for a machine that is forked to run a little may never need it.
func (m *MMU) UseView(n int) *View {
	if m.View[n] == noView {
		m.View[n] = newView()
	}
	return m.View[n]
}

// ViewOf tells which view an access uses.
const (
	ViewKernel   = 0 // supervisor
	ViewUser     = 1 // user
	ViewKernelAC = 2 // supervisor, EFLAGS.AC = 1
)

// ViewOf gives the view that an access uses.
func (a Access) ViewOf() int { return int(viewOf[a&(User|AC)]) }

var viewOf = [...]uint8{0: ViewKernel, User: ViewUser, AC: ViewKernelAC, User | AC: ViewUser}

// MMU translates and accesses for one processor. Ctl is changed through the
// Set methods only, CR2 excepted, which is free.
type MMU struct {
	Ctl   Control
	Mem   *Memory
	Fault Fault    // set by a method that returned ok == false
	Gen   uint64   // changes when a shortcut for fetching was dropped
	View  [3]*View // those not used yet are one that has no shortcut: see UseView

	// OnWalk is called after each walk, and for each fault that a TLB entry
	// gave without a walk. The Walk is only valid during the call.
	OnWalk func(*Walk)
	// OnStep is called for each entry that a walk told to OnWalk reads, before A
	// or D is set; the entry is the Walk's last Step.
	OnStep func(*Walk)
	// OnHit is called for each access that a TLB entry lets through without a walk,
	// before it is made, and tells whether a shortcut may be left: accesses by one
	// are not seen (DropShortcuts). The entry is only valid during the call.
	OnHit func(Linear, Access, *Entry) (shortcut bool)
	// OnAccess is called after each read and write that touches what WatchLinear
	// names, the processor's own of tables and stacks included; not for fetches.
	// [lin, lin+n) may reach into a second page.
	OnAccess func(lin Linear, n uint, write bool)
	// OnPhys is OnAccess for physical addresses, which WatchPhys names: by whatever
	// mapping. [p, p+n) lies within a page. Walks are not told.
	OnPhys func(p Phys, n uint, write bool)
	// OnCR3 is called after CR3 was loaded by SetCR3, with its new value.
	OnCR3 func(cr3 uint64)

	cfg       Config
	mode      Mode
	level     [levels]format
	linMask   Linear // 32 bits outside long mode
	a20       Phys   // mask of the A20 gate
	pcid      uint16 // current; 0 without CR4.PCIDE
	global    uint64 // PteGlobal if it counts
	fetchCode uint32 // PFFetch if it is reported
	wp, smep  bool
	smap      bool
	keys      bool // protection keys count

	// Where the walk last found a table of each level: host-side, like a View.
	tables [levels]struct {
		frame Phys
		host  *Page
	}
	trunk trunk

	tlb         tlb
	trace       Walk
	watching    bool                     // one of the next two is not empty
	watched     map[Linear][]LinearRange // by page
	watchedPhys map[Phys][]Range         // likewise
}

package stale

import (
	"x86emu/cpu"
	"x86emu/idt"
	"x86emu/machine"
	"x86emu/mmu"
)

// Use is an access that went through a stale entry.
type Use struct {
	Place  // where the processor was
	Lin    mmu.Linear
	Access mmu.Access
	Entry  mmu.Entry // as the TLB has it
	Now    mmu.Walk  // what the tables say of the same access

	Known bool     // the watch saw the entry being made: Made and CR3 tell of it
	Made  Place    // when the entry was made
	CR3   uint64   // CR3 then
	Was   mmu.Step // the entry in memory that has changed since, as it was then; Size 0 and Raw 0: none has
	Is    uint64   // what it is now
	Write *Place   // who changed it last, if it was a store that was seen
	PCIDs bool     // CR4.PCIDE is set
}

// Place is an instruction at a tick.
type Place struct {
	Tick uint64
	CS   uint16
	RIP  uint64
	CPL  uint8
}

// Watcher watches one machine.
type Watcher struct {
	m      *machine.Machine
	report func(*Use)
	now    Place
	next   cpu.Observer

	made   [mmu.Slots]origin         // of the entry in each slot of the TLB
	tables map[mmu.Phys]bool         // pages that walks have read
	ranges []mmu.Range               // the same, to be watched
	writes map[mmu.Phys]Place        // last change, by 4 bytes of a table
	told   map[told]bool             // uses that were reported
	walked func(*mmu.Walk)           // who watched walks before
	loaded func(uint64)              // and loads of CR3
	stored func(mmu.Phys, int, bool) // and stores
}

// origin is the walk that an entry was made by, or for an entry from before the
// watch, what the tables said when they were first seen to support it.
type origin struct {
	Place
	seen  bool // the walk was seen
	page  mmu.Linear
	cr3   uint64
	n     int
	steps [5]mmu.Step
}

// told is a use as it is reported once: the instruction, the page, the store.
type told struct {
	rip   uint64
	page  mmu.Linear
	write Place
}

// Watch watches a machine from now on, and gives each use to report, once for an
// instruction, page and store that made it stale. Who observes the machine already
// goes on to do so; watched stores (mmu.Memory.Watch) are the watcher's alone.
func Watch(m *machine.Machine, report func(*Use)) *Watcher {
	w := &Watcher{m: m, report: report, tables: map[mmu.Phys]bool{}, writes: map[mmu.Phys]Place{}, told: map[told]bool{}}
	w.next = m.CPU.Observer()
	w.walked, w.loaded, w.stored = m.MMU.OnWalk, m.MMU.OnCR3, m.Mem.OnStore
	m.CPU.SetObserver(w)
	m.MMU.OnWalk, m.MMU.OnHit, m.MMU.OnCR3, m.Mem.OnStore = w.walk, w.hit, w.cr3, w.store
	m.MMU.DropShortcuts()
	return w
}

// Close ends the watch.
func (w *Watcher) Close() {
	if w.next == nil {
		w.m.CPU.SetObserver(nil)
	} else {
		w.m.CPU.SetObserver(w.next)
	}
	w.m.MMU.OnWalk, w.m.MMU.OnHit, w.m.MMU.OnCR3, w.m.Mem.OnStore = w.walked, nil, w.loaded, w.stored
	w.m.Mem.Watch(nil)
}

// Instruction is cpu.Observer's.
func (w *Watcher) Instruction(e *cpu.InstEvent) {
	w.now = Place{e.Tick, e.CS, e.RIP, w.m.CPU.Regs().CPL}
	if w.next != nil {
		w.next.Instruction(e)
	}
}

// Access is cpu.Observer's.
func (w *Watcher) Access(e *cpu.AccessEvent) {
	if w.next != nil {
		w.next.Access(e)
	}
}

// Delivery is idt.Observer's.
func (w *Watcher) Delivery(e *idt.DeliveryEvent) {
	if w.next != nil {
		w.next.Delivery(e)
	}
}

func slot(page mmu.Linear) int { return int(page>>mmu.PageShift) & (mmu.Slots - 1) }

// walk notes of which entries in memory a TLB entry is made.
func (w *Watcher) walk(k *mmu.Walk) {
	if w.walked != nil {
		w.walked(k)
	}
	if k.OK() && k.N > 0 {
		w.note(k, true)
	}
}

// note remembers what an entry comes of, and watches the tables for stores.
func (w *Watcher) note(k *mmu.Walk, seen bool) {
	page := k.Lin &^ mmu.PageMask
	o := origin{Place: w.now, seen: seen, page: page, cr3: w.m.MMU.Ctl.CR3, n: k.N}
	copy(o.steps[:], k.Steps[:k.N])
	w.made[slot(page)] = o
	old := len(w.ranges)
	for _, s := range k.Steps[:k.N] {
		if p := s.At &^ mmu.PageMask; s.Size != 0 && !w.tables[p] {
			w.tables[p] = true
			w.ranges = append(w.ranges, mmu.Range{At: p, Len: mmu.PageSize})
		}
	}
	if len(w.ranges) > old {
		w.m.Mem.Watch(w.ranges)
	}
}

// store notes who changes a table. A and D, which the processor sets, are no change.
func (w *Watcher) store(p mmu.Phys, n int, walking bool) {
	if w.stored != nil {
		w.stored(p, n, walking)
	}
	if walking {
		return
	}
	for at := p &^ 3; at < p+mmu.Phys(n); at += 4 {
		w.writes[at] = w.now
	}
	w.m.MMU.DropShortcuts()
}

// cr3 lets entries that stay be looked at again: global ones, and with PCIDs others.
func (w *Watcher) cr3(v uint64) {
	if w.loaded != nil {
		w.loaded(v)
	}
	w.m.MMU.DropShortcuts()
}

// hit compares an entry that is about to be used with what memory says. Only one
// that memory supports in all may be used unseen from now on.
func (w *Watcher) hit(lin mmu.Linear, a mmu.Access, e *mmu.Entry) bool {
	if w.m.MMU.Mode() == mmu.ModeNone {
		return true
	}
	k := w.m.MMU.Explain(lin, a)
	if k.OK() && k.Frame == e.Frame {
		if w.origin(e) == nil {
			w.note(&k, false)
		}
		const rights = mmu.RightWrite | mmu.RightUser | mmu.RightExec
		return e.Rights&^k.Rights&rights == 0 && k.Key == e.Key
	}
	w.use(lin, a, e, k)
	return false
}

// use reports a use of a stale entry, if it was not reported before.
func (w *Watcher) use(lin mmu.Linear, a mmu.Access, e *mmu.Entry, k mmu.Walk) {
	u := Use{Place: w.now, Lin: lin, Access: a, Entry: *e, Now: k, PCIDs: w.m.MMU.Ctl.CR4&mmu.CR4PCIDE != 0}
	u.Tick = w.m.CPU.Ticks()
	if a&mmu.Exec != 0 {
		r := w.m.CPU.Regs()
		u.CS, u.CPL = r.Seg[1].Sel, r.CPL
		u.RIP = uint64(lin) - r.Seg[1].Base
	}
	w.find(&u)
	t := told{rip: u.RIP, page: e.Page}
	if u.Write != nil {
		t.write = *u.Write
	}
	if w.told[t] || len(w.told) == maxTold {
		return
	}
	w.told[t] = true
	w.report(&u)
}

// maxTold bounds how many uses are reported.
const maxTold = 1 << 16

// origin is what an entry comes of; nil for one from before the watch.
func (w *Watcher) origin(e *mmu.Entry) *origin {
	if o := &w.made[slot(e.Page)]; o.page == e.Page && o.n > 0 {
		return o
	}
	return nil
}

// used are the bits that the processor sets by itself.
const used = mmu.PteAccessed | mmu.PteDirty

// find looks for the first entry in memory that has changed since the TLB entry
// was made, and for who changed it.
func (w *Watcher) find(u *Use) {
	o := w.origin(&u.Entry)
	if o == nil {
		return
	}
	if o.seen {
		u.Known, u.Made, u.CR3 = true, o.Place, o.cr3
	}
	for _, s := range o.steps[:o.n] {
		if s.Size == 0 {
			continue
		}
		if is := w.m.Mem.Read(s.At, uint(s.Size)); (is^s.Raw)&^used != 0 {
			u.Was, u.Is = s, is
			var last *Place
			for at := s.At; at < s.At+mmu.Phys(s.Size); at += 4 {
				if p, ok := w.writes[at]; ok && (last == nil || p.Tick > last.Tick) {
					last = &p
				}
			}
			u.Write = last
			return
		}
	}
}

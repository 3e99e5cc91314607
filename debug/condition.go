package debug

import (
	"bytes"
	"fmt"
	"slices"

	"x86emu/debug/tables"
	"x86emu/idt"
	"x86emu/machine"
	"x86emu/mmu"
)

// Condition is what a run forward or backward stops at: one of AtAddress,
// OnEvent, OnWrite, OnAccess and OnEntry. Conditions are data; they are looked up in the
// guest, its page tables for one, when the run begins. None of them slows the
// guest down but where it comes near.
type Condition interface {
	fmt.Stringer
	arm(w *watch, i int) error
}

// AtAddress is met before an instruction at a linear address. One that goes on
// after an interruption (RF is set) does not meet it again.
type AtAddress struct {
	Linear mmu.Linear
	If     *Test // what must hold there as well; nil: nothing
}

// Test is what must hold of a machine; it looks and changes nothing.
type Test struct {
	Text  string // in words
	Holds func(*machine.Machine) bool
}

// MetBy tells whether a machine stands where the condition is met.
func (c AtAddress) MetBy(m *machine.Machine) bool {
	return c.Linear == m.CPU.CodeAt() && (c.If == nil || c.If.Holds(m))
}

// OnEvent is met by the delivery of an event, also by one that came up while
// another was delivered.
type OnEvent struct {
	Vector idt.Vector
	Any    bool   // any exception, whatever the vector
	Code   uint32 // the error code, in the bits of Mask
	Mask   uint32 // 0: any, or none at all
	// For a page fault CR2 must lie in [First, Last], if Last is not 0.
	First, Last uint64
}

// OnWrite is met by a store to any of Len bytes (0 is 1) at an address, whoever
// makes it and through whatever mapping: a linear address stands for the
// memory that it is mapped to as the run begins.
type OnWrite struct {
	Addr     uint64
	Len      uint64 // at most MaxWatched
	Physical bool   // Addr is a physical address
	Changes  bool   // only stores that change what is there
}

// OnAccess is met by a data access to any of Len bytes (0 is 1) at a linear
// address, wherever the page tables lead it at the time, if anywhere; or at a physical
// one, by whatever mapping. What the processor reads of its descriptor tables and writes
// to its stacks counts; fetches, walks and devices do not.
type OnAccess struct {
	Addr        uint64
	Physical    bool
	Len         uint64 // at most MaxWatched
	Read, Write bool   // which accesses
}

// OnEntry is met by a change of the page-table entries that a linear address
// is translated by, at any level, as they lie when the run begins.
type OnEntry struct {
	Linear   mmu.Linear
	CR3      *uint64 // of the address space; nil: the present one
	Accessed bool    // a change of an A or D bit counts too
}

// MaxWatched is how many bytes one OnWrite or OnAccess may watch.
const MaxWatched = 1 << 20

func (c AtAddress) String() string {
	s := fmt.Sprintf("instruction at 0x%x", uint64(c.Linear))
	if c.If != nil {
		s += " if " + c.If.Text
	}
	return s
}

func (c OnEvent) String() string {
	s := c.Vector.String()
	if c.Any {
		s = "any exception"
	}
	if c.Mask != 0 {
		s += fmt.Sprintf(" with error code 0x%x (of 0x%x)", c.Code, c.Mask)
	}
	if c.Last != 0 {
		s += fmt.Sprintf(" with CR2 0x%x-0x%x", c.First, c.Last)
	}
	return s
}

func (c OnWrite) String() string {
	s, kind := "write to ", ""
	if c.Changes {
		s = "change of "
	}
	if c.Physical {
		kind = "physical "
	}
	if c.Len > 1 {
		return fmt.Sprintf("%s%d bytes at %s0x%x", s, c.Len, kind, c.Addr)
	}
	return fmt.Sprintf("%s%s0x%x", s, kind, c.Addr)
}

func (c OnAccess) String() string {
	s := "access to "
	switch {
	case !c.Write:
		s = "read of "
	case !c.Read:
		s = "write to "
	}
	if c.Len > 1 {
		s += fmt.Sprintf("%d bytes at ", c.Len)
	}
	return fmt.Sprintf("%s%s0x%x", s, map[bool]string{true: "physical "}[c.Physical], c.Addr)
}

func (c OnEntry) String() string {
	s := fmt.Sprintf("change of a page-table entry of 0x%x", uint64(c.Linear))
	if c.CR3 != nil {
		s += fmt.Sprintf(" under CR3 0x%x", *c.CR3)
	}
	return s
}

func (c AtAddress) arm(w *watch, i int) error {
	// The mode may change on the way there: any mode's addresses will do.
	if err := tables.CheckCanonical(uint64(c.Linear)); err != nil {
		return err
	}
	w.places[c.Linear] = append(w.places[c.Linear], i)
	return nil
}

func (c OnEvent) arm(w *watch, i int) error {
	w.events = append(w.events, i)
	return nil
}

func (c OnWrite) arm(w *watch, i int) error {
	left := max(c.Len, 1)
	if left > MaxWatched || c.Addr+left-1 < c.Addr {
		return fmt.Errorf("cannot watch %d bytes at 0x%x: at most %d", left, c.Addr, MaxWatched)
	}
	for at := c.Addr; left > 0; {
		n := min(left, mmu.PageSize-at&mmu.PageMask)
		p := mmu.Phys(at)
		if !c.Physical {
			if err := tables.CheckLinear(w.m.MMU, at); err != nil {
				return err
			}
			t := w.m.MMU.Explain(mmu.Linear(at), mmu.Read)
			if t.Rule == mmu.RuleNotPresent || t.Rule == mmu.RuleReserved {
				return fmt.Errorf("address 0x%x is not mapped (%s)", at, t.Rule)
			}
			p = t.Frame | mmu.Phys(at&mmu.PageMask)
		}
		w.stores = append(w.stores, stored{cond: i, Range: mmu.Range{At: p, Len: n}, changes: c.Changes})
		at, left = at+n, left-n
	}
	return nil
}

func (c OnAccess) arm(w *watch, i int) error {
	n := max(c.Len, 1)
	if n > MaxWatched || c.Addr+n-1 < c.Addr {
		return fmt.Errorf("cannot watch %d bytes at 0x%x: at most %d", n, c.Addr, MaxWatched)
	}
	w.accesses = append(w.accesses, accessed{OnAccess: c, cond: i})
	return nil
}

func (c OnEntry) arm(w *watch, i int) error {
	if err := tables.CheckLinear(w.m.MMU, uint64(c.Linear)); err != nil {
		return err
	}
	now := tables.At(w.m)
	cr3 := now.State.CR3
	if c.CR3 != nil {
		cr3 = *c.CR3
	}
	if err := now.CheckCR3(cr3); err != nil {
		return err
	}
	space, err := now.Space(cr3)
	if err != nil {
		return err
	}
	t := space.Explain(c.Linear, mmu.Read)
	for _, s := range t.Steps[:t.N] {
		r := stored{cond: i, Range: mmu.Range{At: s.At, Len: uint64(s.Size)}, changes: true}
		if s.Size == 0 { // a PDPTE register: what it is loaded from
			r.At, r.Len = mmu.Phys(cr3&^31)+mmu.Phys(c.Linear>>30&3*8), 8
		}
		if !c.Accessed {
			r.ignore = mmu.PteAccessed | mmu.PteDirty
		}
		w.stores = append(w.stores, r)
	}
	return nil
}

// CanMeet tells why a condition cannot be looked for as a machine is, if so.
func CanMeet(m *machine.Machine, c Condition) error {
	_, err := newWatch(m, []Condition{c})
	return err
}

// watch is a set of conditions at work on a machine.
type watch struct {
	m        *machine.Machine
	conds    []Condition
	places   map[mmu.Linear][]int // by index into conds
	events   []int
	stores   []stored
	accesses []accessed

	stop  bool   // the machine is to stop where one is met
	begin uint64 // an address met at this tick does not count
	last  sighting
}

// stored is a range that is watched for stores.
type stored struct {
	mmu.Range
	cond     int
	changes  bool
	ignore   byte   // bits of the first byte that may change
	old, now []byte // what it held; a buffer
}

// accessed is a range of addresses that is watched.
type accessed struct {
	OnAccess
	cond int
}

// sighting is where conditions were met. The tick is that of the boundary
// before; for stores made by a block of instructions the block began then.
type sighting struct {
	met   []int // empty: nowhere yet
	tick  uint64
	exact bool // the tick is exact
	late  bool // by a walk that set A or D, or a read: more may have run before the stop
}

func newWatch(m *machine.Machine, conds []Condition) (*watch, error) {
	w := &watch{m: m, conds: conds, places: make(map[mmu.Linear][]int)}
	for i, c := range conds {
		if err := c.arm(w, i); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// on sets the machine's hooks; stop says to stop at each sighting.
func (w *watch) on(stop bool) {
	w.stop, w.last, w.begin = stop, sighting{}, ^uint64(0)
	if stop {
		w.begin = w.m.CPU.Ticks()
	}
	w.prime()
	var places []mmu.Linear
	for lin := range w.places {
		places = append(places, lin)
	}
	if places != nil {
		w.m.CPU.SetBreaks(places, w.reached)
	}
	var ranges []mmu.Range
	for i := range w.stores {
		ranges = append(ranges, w.stores[i].Range)
	}
	if ranges != nil {
		w.m.Mem.OnStore = w.wrote
		w.m.Mem.Watch(ranges)
	}
	var linear []mmu.LinearRange
	var physical []mmu.Range
	for _, a := range w.accesses {
		if n := max(a.Len, 1); a.Physical {
			physical = append(physical, mmu.Range{At: mmu.Phys(a.Addr), Len: n})
		} else {
			linear = append(linear, mmu.LinearRange{At: mmu.Linear(a.Addr), Len: n})
		}
	}
	if linear != nil {
		w.m.MMU.OnAccess = func(lin mmu.Linear, n uint, write bool) { w.touched(uint64(lin), n, write, false) }
		w.m.MMU.WatchLinear(linear)
	}
	if physical != nil {
		w.m.MMU.OnPhys = func(p mmu.Phys, n uint, write bool) { w.touched(uint64(p), n, write, true) }
		w.m.MMU.WatchPhys(physical)
	}
}

// off takes the hooks away.
func (w *watch) off() {
	if len(w.places) > 0 {
		w.m.CPU.SetBreaks(nil, nil)
	}
	if len(w.stores) > 0 {
		w.m.Mem.Watch(nil)
		w.m.Mem.OnStore = nil
	}
	if len(w.accesses) > 0 {
		w.m.MMU.WatchLinear(nil)
		w.m.MMU.WatchPhys(nil)
		w.m.MMU.OnAccess, w.m.MMU.OnPhys = nil, nil
	}
}

// prime remembers what the watched memory holds.
func (w *watch) prime() {
	for i := range w.stores {
		s := &w.stores[i]
		if s.changes {
			s.old, s.now = make([]byte, s.Len), make([]byte, s.Len)
			w.m.Mem.ReadBytes(s.At, s.old)
		}
	}
}

// see notes a sighting: the conditions that are met at one tick together.
func (w *watch) see(cond int, at sighting) {
	if w.stop && len(w.last.met) > 0 && w.last.tick != at.tick {
		return // a few instructions may run between the first and the stop
	}
	met := w.last.met
	if len(met) > 0 && w.last.tick != at.tick {
		met = met[:0]
	}
	if !slices.Contains(met, cond) {
		met = append(met, cond)
	}
	at.met = met
	w.last = at
}

func (w *watch) reached(lin mmu.Linear) bool {
	now := w.m.CPU.Ticks()
	if now == w.begin {
		return false
	}
	met := false
	for _, i := range w.places[lin] {
		if c := w.conds[i].(AtAddress); c.If == nil || c.If.Holds(w.m) {
			w.see(i, sighting{tick: now, exact: true})
			met = true
		}
	}
	if met && w.stop {
		w.m.Stop()
	}
	return met && w.stop
}

// delivered is called by the history, which follows all deliveries.
func (w *watch) delivered(out *idt.Outcome) {
	at := sighting{tick: w.m.CPU.Ticks(), exact: true}
	if !out.Shutdown {
		at.tick--
	}
	for _, i := range w.events {
		c := w.conds[i].(OnEvent)
		for _, e := range out.Chain[:out.N] {
			if c.meets(&e) {
				w.see(i, at)
				if w.stop {
					w.m.Stop()
				}
				break
			}
		}
	}
}

// meets tells whether an event is one of those meant.
func (c *OnEvent) meets(e *idt.Event) bool {
	switch {
	case c.Any && e.Kind != idt.Exception, !c.Any && e.Vector != c.Vector:
		return false
	case c.Mask != 0 && (!e.HasCode || e.Code&c.Mask != c.Code&c.Mask):
		return false
	}
	return c.Last == 0 || e.IsPageFault() && c.First <= e.CR2 && e.CR2 <= c.Last
}

func (w *watch) wrote(p mmu.Phys, n int, walk bool) {
	met := false
	for i := range w.stores {
		s := &w.stores[i]
		if p >= s.At+mmu.Phys(s.Len) || s.At >= p+mmu.Phys(n) {
			continue
		}
		if s.changes && !s.changed(w.m.Mem) {
			continue
		}
		w.see(s.cond, sighting{tick: w.m.CPU.Ticks(), late: walk})
		met = true
	}
	if met {
		w.pause()
	}
}

// touched takes in an access to n bytes at a linear or physical address.
func (w *watch) touched(at uint64, n uint, write, physical bool) {
	met := false
	for _, a := range w.accesses {
		wanted := a.Physical == physical && (a.Read && !write || a.Write && write)
		if !wanted || at >= a.Addr+max(a.Len, 1) || a.Addr >= at+uint64(n) {
			continue
		}
		w.see(a.cond, sighting{tick: w.m.CPU.Ticks(), late: !write})
		met = true
	}
	if met {
		w.pause()
	}
}

// pause ends the run after a sighting, or lets the next one have a tick of its own.
func (w *watch) pause() {
	if w.stop {
		w.m.Stop()
	} else {
		w.m.CPU.RequestStop()
	}
}

// changed tells whether the memory is another than before, and remembers it.
func (s *stored) changed(mem *mmu.Memory) bool {
	old, now := s.old, s.now
	mem.ReadBytes(s.At, now)
	s.old, s.now = now, old
	old[0] ^= (old[0] ^ now[0]) & s.ignore
	return !bytes.Equal(old, now)
}

// untouched tells whether no store can have met any condition between two
// states of the memory, and nothing but stores can.
func (w *watch) untouched(before, after *mmu.Memory) bool {
	if len(w.places) > 0 || len(w.events) > 0 || len(w.accesses) > 0 {
		return false
	}
	for i := range w.stores {
		if !before.SamePage(after, w.stores[i].At) {
			return false
		}
	}
	return true
}

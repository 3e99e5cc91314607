package mmu

// What an entry of the paging structures is good for.
type EntryKind uint8

const (
	EntryAbsent   EntryKind = iota // P = 0
	EntryReserved                  // present, a reserved bit set: of no use either
	EntryTable                     // refers to a table
	EntryPage                      // maps a page
)

// TableEntry is one entry of the paging structures, and what it governs.
type TableEntry struct {
	Step
	Kind  EntryKind
	First Linear // the first address that it governs
	Size  uint64 // how many bytes
	Table Phys   // of EntryTable: where the table is
	// Of EntryPage: Frame of its first byte; rights with those of all levels above.
	Translation
}

// Next is what a visitor wants to see next.
type Next uint8

const (
	Descend Next = iota // what the entry refers to, then its neighbour
	Skip                // its neighbour
	Stop                // nothing
)

// Tables shows the entries of the paging structures at CR3 to visit, those that
// govern addresses from first to last, in order of address, each before what it
// refers to. Nothing is changed by it. Without paging there are none. Tables
// that refer to themselves make the number of entries exponential: it is the
// visitor that ends it.
func (m *MMU) Tables(first, last Linear, visit func(*TableEntry) Next) {
	v := tableVisitor{m: m, first: first & m.linMask, last: last & m.linMask, visit: visit}
	switch m.mode {
	case Mode32:
		v.table(LevelPDE, Phys(m.Ctl.CR3&0xfffff000), 0, ^uint64(0), 0)
	case ModePAE:
		v.registers()
	case Mode4Level:
		v.table(LevelPML4E, Phys(m.Ctl.CR3&addrMask), 0, ^uint64(0), 0)
	case Mode5Level:
		v.table(LevelPML5E, Phys(m.Ctl.CR3&addrMask), 0, ^uint64(0), 0)
	}
}

type tableVisitor struct {
	m           *MMU
	first, last Linear
	visit       func(*TableEntry) Next
}

// registers visits the PDPTE registers of PAE paging.
func (v *tableVisitor) registers() bool {
	for i, raw := range v.m.Ctl.PDPTE {
		e := TableEntry{Step: Step{Level: LevelPDPTE, Raw: raw}, First: Linear(i) << 30, Size: 1 << 30}
		if raw&PtePresent != 0 {
			e.Kind, e.Table = EntryTable, Phys(raw&addrMask)
		}
		if !v.entry(&e, ^uint64(0), 0) {
			return false
		}
	}
	return true
}

// table visits the entries of one table, base the first address that it
// governs, and and or the bits of the entries above combined.
func (v *tableVisitor) table(l Level, at Phys, base Linear, and, or uint64) bool {
	m := v.m
	f := &m.level[l]
	n, size := 512, uint8(8)
	if m.mode == Mode32 {
		n, size = 1024, 4
	}
	for i := range n {
		e := TableEntry{Step: Step{Level: l, At: (at + Phys(i)*Phys(size)) & m.a20, Size: size}}
		e.First, e.Size = v.extend(base+Linear(i)<<f.shift), 1<<f.shift
		if e.First+Linear(e.Size-1) < v.first || e.First > v.last {
			continue
		}
		e.Raw = ^uint64(0) >> (64 - 8*uint(size))
		if pg := m.Mem.page(e.At); pg != nil {
			e.Raw = load(pg, uint64(e.At), uint(size))
		}
		v.decode(&e, and&e.Raw, or|e.Raw)
		if !v.entry(&e, and&e.Raw, or|e.Raw) {
			return false
		}
	}
	return true
}

// decode tells what an entry is good for, as a walk would.
func (v *tableVisitor) decode(e *TableEntry, and, or uint64) {
	m := v.m
	f := &m.level[e.Level]
	page := e.Level == LevelPTE || e.Raw&f.large != 0
	switch {
	case e.Raw&PtePresent == 0:
	case page && e.Raw&f.rsvdPage != 0 || !page && m.mode != Mode32 && e.Raw&f.rsvdTable != 0:
		e.Kind = EntryReserved
	case !page:
		e.Kind, e.Table = EntryTable, Phys(e.Raw&addrMask)&m.a20
	case m.mode == Mode32:
		e.Kind, e.Shift, e.Rights = EntryPage, f.shift, m.rights(and, 0, e.Raw)
		e.Frame = Phys(e.Raw & 0xfffff000)
		if e.Level == LevelPDE {
			e.Frame = Phys(e.Raw&0xffc00000 | e.Raw>>13&0xff<<32)
		}
		e.Frame &= m.a20
	default:
		e.Kind, e.Shift, e.Rights = EntryPage, f.shift, m.rights(and, or, e.Raw)
		e.Frame = Phys(e.Raw&addrMask&^(e.Size-1)) & m.a20
		if m.mode >= Mode4Level {
			e.Key = uint8(e.Raw>>keyShift) & 15
		}
	}
}

// entry shows one entry and, if that is wanted, what it refers to.
func (v *tableVisitor) entry(e *TableEntry, and, or uint64) bool {
	if e.First+Linear(e.Size-1) < v.first || e.First > v.last {
		return true
	}
	level, table, base := e.Level, e.Table, e.First
	kind := e.Kind
	switch v.visit(e) {
	case Stop:
		return false
	case Skip:
		return true
	}
	return kind != EntryTable || v.table(level-1, table, base, and, or)
}

// extend makes an address canonical.
func (v *tableVisitor) extend(lin Linear) Linear {
	switch v.m.mode {
	case Mode4Level:
		return Linear(int64(lin<<16) >> 16)
	case Mode5Level:
		return Linear(int64(lin<<7) >> 7)
	}
	return lin
}

// Config is what the MMU was made with.
func (m *MMU) Config() Config { return m.cfg }

// Backed tells whether there is RAM or ROM at p.
func (m *Memory) Backed(p Phys) bool { return m.page(p) != nil }

package mmu

// What drops TLB entries. The paging-structure caches of silicon are not
// modelled: a walk always reads every level, as the manual permits.
// [SDM 3A, Operations that Invalidate TLBs and Paging-Structure Caches]

// FlushAll drops all entries, global ones too, and derives everything from
// the control registers anew.
func (m *MMU) FlushAll() {
	t := &m.tlb
	for l := range t.list {
		for _, i := range t.list[l][:t.n[l]] {
			m.drop(uint(i))
			t.listed[i] = 0
		}
		t.n[l] = 0
	}
	t.large = [3]uint64{}
	t.lent = frameSet{}
	m.Gen++
	m.derive()
}

// flushPCID drops the entries of a PCID except global ones.
func (m *MMU) flushPCID(pcid uint16) {
	m.flushLocal(func(e *Entry) bool { return e.PCID == pcid })
}

// flushLocal drops the chosen ones of the entries that are not global.
func (m *MMU) flushLocal(gone func(*Entry) bool) {
	t := &m.tlb
	kept := 0
	for _, i := range t.list[listLocal][:t.n[listLocal]] {
		t.listed[i] &^= 1 << listLocal
		e := &t.entry[i]
		switch {
		case e.Rights&RightValid == 0 || e.Rights&RightGlobal != 0:
		case gone(e):
			m.drop(uint(i))
		default:
			t.listed[i] |= 1 << listLocal
			t.list[listLocal][kept] = i
			kept++
		}
	}
	t.n[listLocal] = kept
	if t.n[listGlobal] == 0 && kept == 0 {
		t.large = [3]uint64{}
	}
	m.Gen++
}

// dropPage drops the entries for the page of lin that match: of a large page, all fragments.
func (m *MMU) dropPage(lin Linear, match func(*Entry) bool) {
	t := &m.tlb
	page := lin &^ PageMask
	i := slot(page)
	if e := &t.entry[i]; e.Page == page && e.Rights&RightValid != 0 && match(e) {
		m.drop(i)
	}
	for c, shift := range largeShift {
		if t.large[c]&(1<<(lin>>shift&63)) == 0 {
			continue
		}
		m.each(func(i uint, e *Entry) {
			if e.Shift == shift && e.Page>>shift == lin>>shift && match(e) {
				m.drop(i)
			}
		})
	}
}

// dropCurrent drops the entries for the page of lin that are used under the
// current PCID.
func (m *MMU) dropCurrent(lin Linear) {
	if m.tlb.large != [3]uint64{} {
		m.dropPage(lin, m.current)
		return
	}
	page := lin &^ PageMask
	i := slot(page)
	if e := &m.tlb.entry[i]; e.Page == page && e.Rights&RightValid != 0 && m.current(e) {
		m.drop(i)
	}
}

// current tells whether an entry is used under the current PCID.
func (m *MMU) current(e *Entry) bool {
	return e.PCID == m.pcid || e.Rights&RightGlobal != 0
}

// Invlpg is INVLPG: it drops the entries for the page of lin under the
// current PCID, and global ones.
func (m *MMU) Invlpg(lin Linear) {
	m.dropCurrent(lin & m.linMask)
}

// Types of INVPCID. [SDM 2A, INVPCID—Invalidate Process-Context Identifier]
const (
	InvpcidAddress   = 0 // one page of one PCID, not global
	InvpcidContext   = 1 // one PCID, not global
	InvpcidAll       = 2 // everything
	InvpcidAllLocal  = 3 // all PCIDs, not global
	invpcidPCIDWidth = 0xfff
)

// Invpcid is INVPCID, its operands already checked by the processor: kind is
// 0 to 3, pcid below 4096. Others do nothing.
func (m *MMU) Invpcid(kind, pcid uint64, lin Linear) {
	id := uint16(pcid & invpcidPCIDWidth)
	switch kind {
	case InvpcidAddress:
		m.dropPage(lin, func(e *Entry) bool { return e.PCID == id && e.Rights&RightGlobal == 0 })
	case InvpcidContext:
		m.flushPCID(id)
	case InvpcidAll:
		m.FlushAll()
	case InvpcidAllLocal:
		m.flushLocal(func(*Entry) bool { return true })
	}
}

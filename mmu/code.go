package mmu

// Where decoded code is kept of a page, a mask has one bit for each 128 bytes
// of it, so that stores into data beside code do not disturb the code.
const granuleShift = 7

type codeMasks [chunkPages]uint32

// granules gives the mask of [off, off+n), which lies within one page.
func granules(off Phys, n int) uint32 {
	first := uint(off&PageMask) >> granuleShift
	last := (uint(off&PageMask) + uint(n) - 1) >> granuleShift
	return uint32(uint64(1)<<(last+1) - uint64(1)<<first)
}

// MarkCode says that decoded code was taken from [p, p+n), n at least 1,
// within one page: from now on stores there call OnCodeWrite, and no View
// lets a store to that page pass unseen. What is not RAM cannot be marked:
// stores do not change it.
func (m *Memory) MarkCode(p Phys, n int) {
	i, j := p>>chunkShift, p>>PageShift&(chunkPages-1)
	if i >= Phys(len(m.dir)) || m.dir[i].page[j] == nil || m.dir[i].flags[j]&pageROM != 0 {
		return
	}
	if m.code[i] == nil {
		m.code[i] = new(codeMasks)
	}
	if m.code[i][j] == 0 {
		for _, v := range m.mmus {
			v.dropStores(p &^ PageMask)
		}
	}
	m.code[i][j] |= granules(p, n)
}

// ClearCode says that no decoded code of the page of p is kept any more.
func (m *Memory) ClearCode(p Phys) {
	if i := p >> chunkShift; i < Phys(len(m.dir)) && m.code[i] != nil {
		m.code[i][p>>PageShift&(chunkPages-1)] = 0
	}
}

// wrote reports a store of n bytes at p, within one page of RAM, if it hit
// code or what is watched.
func (m *Memory) wrote(p Phys, n int) {
	if m.watched != nil {
		m.tellStore(p, n)
	}
	i := p >> chunkShift
	if m.code[i] == nil {
		return
	}
	if mask := m.code[i][p>>PageShift&(chunkPages-1)]; mask != 0 && mask&granules(p, n) != 0 && m.OnCodeWrite != nil {
		m.OnCodeWrite(p, n)
	}
}

// codeLost reports all marked code as written and drops the marks, since
// memory was replaced as a whole.
func (m *Memory) codeLost() {
	for i, masks := range m.code {
		m.code[i] = nil
		if masks == nil || m.OnCodeWrite == nil {
			continue
		}
		for j, mask := range masks {
			if mask != 0 {
				m.OnCodeWrite(Phys(i)<<chunkShift|Phys(j)<<PageShift, PageSize)
			}
		}
	}
	for _, v := range m.mmus {
		v.dropViews()
	}
}

package gen

// deviation is one thing that an entry of a valid walk may have otherwise.
type deviation struct {
	name string
	// fits tells whether it is for entries of a level, which map pages or not.
	fits func(m *mode, level int, page bool) bool
	do   func(p *paging, e *entry)
}

// set gives a deviation that sets or clears bits.
func set(bits, clear uint64) func(*paging, *entry) {
	return func(_ *paging, e *entry) { e.value = e.value&^clear | bits }
}

// oneOf gives a deviation that sets one of bits hi to lo.
func oneOf(hi, lo int) func(*paging, *entry) {
	return func(p *paging, e *entry) { e.value |= 1 << (lo + p.r.IntN(hi-lo+1)) }
}

// Which entries a deviation is for. PDPTE registers are loaded before a case begins:
// theirs must be bits that can be loaded.
func anyEntry(*mode, int, bool) bool           { return true }
func notPDPTR(m *mode, level int, _ bool) bool { return m.levels != 3 || level != 3 }
func of64(m *mode, level int, _ bool) bool     { return m.size == 8 && notPDPTR(m, level, false) }
func ofPAE(m *mode, level int, _ bool) bool    { return m.levels == 3 && level < 3 }
func ofLong(m *mode, _ int, _ bool) bool       { return m.long }
func keyed(m *mode, _ int, page bool) bool     { return m.long && page }
func large(_ *mode, level int, page bool) bool { return page && level > 1 }
func small(_ *mode, level int, page bool) bool { return page && level == 1 }

const maxPhysAddr = 40 // of the model "max"

var deviations = []deviation{
	{"P=0", anyEntry, set(0, entryP)},
	{"P=0 else ones", anyEntry, func(_ *paging, e *entry) { e.value = ^uint64(entryP) }},
	{"W=0", notPDPTR, set(0, entryW)},
	{"U=0", notPDPTR, set(0, entryU)},
	{"W=0 U=0", notPDPTR, set(0, entryW|entryU)},
	{"PWT PCD", anyEntry, oneOf(4, 3)},
	{"A=1", notPDPTR, set(entryA, 0)},
	{"D=1", notPDPTR, set(entryD, 0)},
	{"A=1 D=1", notPDPTR, set(entryA|entryD, 0)},
	{"G=1", notPDPTR, set(entryG, 0)},
	{"ignored 11:9", anyEntry, oneOf(11, 9)},
	{"XD=1", of64, set(entryXD, 0)},
	{"rsvd 51:M", of64, oneOf(51, maxPhysAddr)},
	{"rsvd 62:52", ofPAE, oneOf(62, 52)},
	{"ignored 58:52", ofLong, oneOf(58, 52)},
	{"ignored 62:59", func(m *mode, _ int, page bool) bool { return m.long && !page }, oneOf(62, 59)},
	{"PAT", small, set(entryPS, 0)},
	{"PAT", large, set(entryPAT, 0)},
	{"PS=1", func(m *mode, level int, page bool) bool { return m.size == 8 && !page && notPDPTR(m, level, page) }, set(entryPS, 0)},
	{"PS=1 without PSE", func(m *mode, _ int, page bool) bool { return m.size == 4 && !page }, func(p *paging, e *entry) {
		if !p.has4M() {
			e.value |= entryPS
			p.regs.CR4 &^= cr4PSE
		}
	}},
	{"rsvd 20:13", func(m *mode, level int, page bool) bool { return m.size == 8 && level == 2 && page }, oneOf(20, 13)},
	{"rsvd 29:13", func(_ *mode, level int, page bool) bool { return level == 3 && page }, oneOf(29, 13)},
	{"rsvd 21", func(m *mode, level int, page bool) bool { return m.size == 4 && large(m, level, page) }, set(1<<21, 0)},
	{"PSE-36", func(m *mode, level int, page bool) bool { return m.size == 4 && large(m, level, page) }, func(p *paging, e *entry) {
		// There is no memory: the access must not show what it reads.
		if p.kind == load && p.size > 1 || p.kind == store {
			e.value |= 1 << (13 + p.r.IntN(8))
			p.noMemory = true
		}
	}},
	{"key", keyed, func(p *paging, e *entry) { p.key(e, 0) }},
	{"key AD=1", keyed, func(p *paging, e *entry) { p.key(e, 1) }},
	{"key WD=1", keyed, func(p *paging, e *entry) { p.key(e, 2) }},
	{"key AD=1 WD=1", keyed, func(p *paging, e *entry) { p.key(e, 3) }},
}

// key gives a page a protection key with rights in PKRU.
func (p *paging) key(e *entry, rights uint32) {
	k := p.r.IntN(16)
	e.value = e.value&^(15<<59) | uint64(k)<<59
	p.regs.PKRU = p.regs.PKRU&^(3<<(2*k)) | rights<<(2*k)
	if !p.oneIn(8) {
		p.regs.CR4 |= cr4PKE
	}
}

// deviate changes an entry.
func (p *paging) deviate(e *entry, d *deviation) {
	value, regs := e.value, p.regs
	if d.do(p, e); e.value != value || p.regs != regs {
		p.rule(e.name + "." + d.name)
	}
}

// deviateAny changes any entry in any way that fits it.
func (p *paging) deviateAny() {
	e := p.entries[p.r.IntN(len(p.entries))]
	d := &deviations[p.r.IntN(len(deviations))]
	if d.fits(&p.mode, e.level, e.page) {
		p.deviate(e, d)
	}
}

// scramble gives every entry flags by chance.
func (p *paging) scramble() {
	p.rule("flags by chance")
	for _, e := range p.entries {
		flip := func(n int, bits uint64) {
			if p.oneIn(n) {
				e.value ^= bits
			}
		}
		if p.oneIn(24) {
			e.value &^= entryP
		}
		if p.isPDPTR(e) {
			continue
		}
		flip(4, entryW)
		flip(4, entryU)
		flip(3, entryG)
		flip(3, 1<<(9+p.r.IntN(3)))
		if p.mode.size == 8 {
			flip(8, entryXD)
			flip(24, 1<<(maxPhysAddr+p.r.IntN(12)))
		}
		if p.mode.long {
			e.value ^= uint64(p.r.IntN(16)) << 59
		}
	}
}

package mmu

// A walk reads one entry at each level, from memory only (not from devices:
// what is not RAM or ROM reads as ones), and sets A and D only when it ends in
// an allowed access: the manual leaves open whether the levels above a fault
// get their A. [SDM 3A, Accessed and Dirty Flags]

// path is where a walk has been: the entries that it has read, whose A, and D of the
// last, it may set.
type path struct {
	at   [levels]Phys
	raw  [levels]uint64
	high Level // the first one
	low  Level // the last one; above high if there is none
	todo bool  // some A is clear
}

// walk translates a page for an access. On success it sets A and D, unless
// dry; else it gives the rule that failed and has set m.Fault. tr is nil or takes the story.
func (m *MMU) walk(lin Linear, a Access, dry bool, tr *Walk) (e Translation, rule Rule) {
	var p path
	switch m.mode {
	case ModeNone:
		e = Translation{Frame: Phys(lin) & 0xfffff000, Rights: RightWrite | RightUser | RightExec | RightDirty, Shift: PageShift}
	case Mode32:
		e, rule = m.walk32(lin, &p)
	default:
		e, rule = m.walk64(lin, &p, tr != nil)
	}
	if tr != nil {
		m.tellPath(tr, &p)
	}
	if rule == RuleOK {
		e.Frame &= m.a20
		rule = m.check(e.Rights, e.Key, a)
	}
	if rule != RuleOK {
		m.Fault = Fault{Addr: lin, Code: m.faultCode(rule, e.Rights, e.Key, a)}
		return e, rule
	}
	if !dry && m.mode != ModeNone && (p.todo || a&Write != 0 && e.Rights&RightDirty == 0) {
		m.setAccessed(&p, a)
	}
	if a&Write != 0 {
		e.Rights |= RightDirty
	}
	return e, RuleOK
}

// walk64 reads the levels of PAE, 4-level and 5-level paging; all of them, or those
// that the trunk leaves.
func (m *MMU) walk64(lin Linear, p *path, all bool) (e Translation, rule Rule) {
	level := LevelPML4E
	table := m.Ctl.CR3
	switch m.mode {
	case ModePAE:
		// The PDPTE registers stand for the first level; memory is not read.
		// They have no rights and no A. [SDM 3A, PDPTE Registers]
		table = m.Ctl.PDPTE[lin>>30&3]
		// A PDPTE must be present, else #PF with P = 0. [SDM 3A, Page-Fault Exceptions]
		if table&PtePresent == 0 {
			p.low = levels
			return e, RuleNotPresent
		}
		level = LevelPDE
	case Mode5Level:
		level = LevelPML5E
	}
	p.high = level
	and, or := ^uint64(0), uint64(0)
	if !all && m.trunk.holds(lin) {
		p.high, level = LevelPTE, LevelPTE
		table, and, or = m.trunk.table, m.trunk.and, m.trunk.or
	}
	for {
		f := &m.level[level]
		at := Phys(table&addrMask|uint64(lin)>>f.shift&0x1ff*8) & m.a20
		raw := ^uint64(0)
		if pg := m.table(level, at); pg != nil {
			raw = Load64(pg, uint64(at))
		}
		p.at[level], p.raw[level], p.low = at, raw, level
		// Every entry must be present, else #PF with P = 0. [SDM 3A, Page-Fault Exceptions]
		if raw&PtePresent == 0 {
			return e, RuleNotPresent
		}
		and &= raw
		or |= raw
		if level != LevelPTE && raw&f.large == 0 {
			// An entry that refers to a table must have its reserved bits clear, else
			// #PF with RSVD. [SDM 3A, Page-Fault Exceptions]
			if raw&f.rsvdTable != 0 {
				return e, RuleReserved
			}
			table = raw
			level--
			if level == LevelPTE {
				m.offerTrunk(lin, p, and, or)
			}
			continue
		}
		// An entry that maps a page must have its reserved bits clear, else #PF
		// with RSVD. [SDM 3A, Page-Fault Exceptions]
		if raw&f.rsvdPage != 0 {
			return e, RuleReserved
		}
		p.todo = and&PteAccessed == 0
		inPage := uint64(1)<<f.shift - 1
		e.Frame = Phys(raw&addrMask&^inPage | uint64(lin)&inPage&^PageMask)
		e.Rights = m.rights(and, or, raw)
		if m.mode >= Mode4Level {
			e.Key = uint8(raw>>keyShift) & 15
		}
		e.Shift = f.shift
		return e, RuleOK
	}
}

// walk32 reads the levels of 32-bit paging.
func (m *MMU) walk32(lin Linear, p *path) (e Translation, rule Rule) {
	level := LevelPDE
	table := m.Ctl.CR3
	p.high = level
	and := ^uint64(0)
	for {
		f := &m.level[level]
		at := Phys(table&0xfffff000|uint64(lin)>>f.shift&0x3ff*4) & m.a20
		raw := uint64(0xffffffff)
		if pg := m.table(level, at); pg != nil {
			raw = uint64(Load32(pg, uint64(at)))
		}
		p.at[level], p.raw[level], p.low = at, raw, level
		// Every entry must be present, else #PF with P = 0. [SDM 3A, Page-Fault Exceptions]
		if raw&PtePresent == 0 {
			return e, RuleNotPresent
		}
		and &= raw
		if level == LevelPDE && raw&f.large == 0 {
			table = raw
			level--
			continue
		}
		// An entry that maps a page must have its reserved bits clear, else #PF
		// with RSVD. [SDM 3A, Page-Fault Exceptions]
		if raw&f.rsvdPage != 0 {
			return e, RuleReserved
		}
		p.todo = and&PteAccessed == 0
		e.Frame = Phys(raw & 0xfffff000)
		if level == LevelPDE {
			// A 4-MByte page: bits 20:13 are address bits 39:32.
			e.Frame = Phys(raw&0xffc00000 | raw>>13&0xff<<32 | uint64(lin)&0x3ff000)
		}
		e.Rights = m.rights(and, 0, raw)
		e.Shift = f.shift
		return e, RuleOK
	}
}

// table gives the host page of the table that an entry at one level lies in,
// or nil. The last one of each level is remembered: only where it is, its
// entries are read anew.
func (m *MMU) table(l Level, at Phys) *Page {
	if m.tables[l].frame != at&^PageMask {
		m.findTable(l, at)
	}
	return m.tables[l].host
}

//go:noinline
func (m *MMU) findTable(l Level, at Phys) {
	m.tables[l].frame, m.tables[l].host = at&^PageMask, m.Mem.page(at)
}

// forgetTables is for when a host page may have changed.
func (m *MMU) forgetTables() {
	for l := range m.tables {
		m.tables[l].frame = noFrame
	}
	m.trunk.region = noRegion
}

const noFrame Phys = 1 // no frame has it

// rights combines all entries' bits (and, or) with the last entry's own.
func (m *MMU) rights(and, or, last uint64) Rights {
	const w, u = PteWritable, PteUser
	r := Rights(and&w>>1)*RightWrite | Rights(and&u>>2)*RightUser | Rights(last&PteDirty>>6)*RightDirty
	// Without NXE a set XD bit is reserved and does not come here.
	r |= Rights(or>>63^1) * RightExec
	if last&m.global != 0 {
		r |= RightGlobal
	}
	return r
}

// setAccessed sets A in every entry of the path and, for a write, D in the
// last: read-modify-writes of the entry as it is now, since one entry may
// serve at several levels. [SDM 3A, Accessed and Dirty Flags]
//
//go:noinline
func (m *MMU) setAccessed(p *path, a Access) {
	size := uint(8)
	if m.mode == Mode32 {
		size = 4
	}
	for l := p.high; ; l-- {
		set := uint64(PteAccessed)
		if l == p.low && a&Write != 0 {
			set |= PteDirty
		}
		// What the walk has seen set still is: nothing clears it in between.
		if p.raw[l]&set != set {
			if pg := m.Mem.own(p.at[l]); pg != nil {
				if v := load(pg, uint64(p.at[l]), size); v&set != set {
					m.Mem.walking = true
					store(pg, uint64(p.at[l]), size, v|set)
					m.Mem.wrote(p.at[l], int(size))
					m.Mem.walking = false
				}
			}
		}
		if l == p.low {
			return
		}
	}
}

// loadEntry64 reads a 64-bit entry as a walk does.
func (m *MMU) loadEntry64(at Phys) uint64 {
	at &= m.a20
	if pg := m.Mem.page(at); pg != nil {
		return Load64(pg, uint64(at))
	}
	return ^uint64(0)
}

package mmu

// Read reads size bytes (1 to 8) at lin. On false m.Fault tells why. Addresses
// wrap at 4 GiB outside long mode; the caller checks canonical form.
func (m *MMU) Read(lin Linear, size uint, a Access) (uint64, bool) {
	lin &= m.linMask
	s := &m.View[a.ViewOf()][slot(lin)]
	if s.R == uint64(lin+Linear(size)-1)&^PageMask {
		return load(s.Host, uint64(lin), size), true
	}
	return m.readSlow(lin, size, a)
}

func (m *MMU) readSlow(lin Linear, size uint, a Access) (uint64, bool) {
	n := PageSize - uint(lin&PageMask)
	var v uint64
	if size > n {
		q := (lin + Linear(n)) & m.linMask
		f, g, ok := m.resolvePair(lin, q, a)
		if !ok {
			return 0, false
		}
		v = m.Mem.Read(f|Phys(lin&PageMask), n) | m.Mem.Read(g, size-n)<<(8*n)
		if m.watching {
			m.tell(lin, size, f|Phys(lin&PageMask), g, n, false)
		}
		return v, true
	}
	f, ok := m.resolve(lin, a)
	if !ok {
		return 0, false
	}
	v = m.Mem.Read(f|Phys(lin&PageMask), size)
	if m.watching {
		m.tell(lin, size, f|Phys(lin&PageMask), 0, size, false)
	}
	return v, true
}

// Write writes size bytes (1 to 8) at lin, all or nothing.
func (m *MMU) Write(lin Linear, size uint, v uint64, a Access) bool {
	lin &= m.linMask
	s := &m.View[a.ViewOf()][slot(lin)]
	if s.W == uint64(lin+Linear(size)-1)&^PageMask {
		store(s.Host, uint64(lin), size, v)
		return true
	}
	return m.writeSlow(lin, size, v, a|Write)
}

func (m *MMU) writeSlow(lin Linear, size uint, v uint64, a Access) bool {
	n := PageSize - uint(lin&PageMask)
	if size > n {
		q := (lin + Linear(n)) & m.linMask
		f, g, ok := m.resolvePair(lin, q, a)
		if !ok {
			return false
		}
		m.Mem.Write(f|Phys(lin&PageMask), n, v)
		m.Mem.Write(g, size-n, v>>(8*n))
		if m.watching {
			m.tell(lin, size, f|Phys(lin&PageMask), g, n, true)
		}
		return true
	}
	f, ok := m.resolve(lin, a)
	if !ok {
		return false
	}
	m.Mem.Write(f|Phys(lin&PageMask), size, v)
	if m.watching {
		m.tell(lin, size, f|Phys(lin&PageMask), 0, size, true)
	}
	return true
}

// Probe tells whether an access of size bytes (1 to PageSize) would succeed.
// It sets A and D as the access would: the caller goes on to make it.
func (m *MMU) Probe(lin Linear, size uint, a Access) bool {
	lin &= m.linMask
	if n := PageSize - uint(lin&PageMask); size > n {
		_, _, ok := m.resolvePair(lin, (lin+Linear(n))&m.linMask, a)
		return ok
	}
	s := &m.View[a.ViewOf()][slot(lin)]
	if page := uint64(lin) &^ PageMask; a&Write != 0 && s.W == page || a&(Write|Exec) == 0 && s.R == page {
		return true
	}
	_, ok := m.resolve(lin, a)
	return ok
}

// Translate gives the physical address of one byte, A20 applied, for an
// access that is made, by setting A and D and filling the TLB as it would.
func (m *MMU) Translate(lin Linear, a Access) (Phys, bool) {
	lin &= m.linMask
	f, ok := m.resolve(lin, a)
	return f | Phys(lin&PageMask), ok
}

// Fetch is Translate for an instruction fetch.
func (m *MMU) Fetch(lin Linear, a Access) (Phys, bool) { return m.Translate(lin, a|Exec) }

// FetchPage gives the frame, A20 applied, that instructions at lin come from,
// and its host page, nil if it is neither RAM nor ROM. Both stay good as long
// as Gen is unchanged, the view is the same and TLBOff is false.
func (m *MMU) FetchPage(lin Linear, a Access) (frame Phys, host *Page, ok bool) {
	lin &= m.linMask
	i := slot(lin)
	if s := &m.View[a.ViewOf()][i]; s.X == uint64(lin)&^PageMask {
		return m.tlb.entry[i].Frame, s.Host, true
	}
	frame, ok = m.resolve(lin, a|Exec)
	return frame, m.Mem.page(frame), ok
}

// resolve finds the frame for an access within one page, by the TLB or a
// walk, and leaves a shortcut in the access's view.
func (m *MMU) resolve(lin Linear, a Access) (Phys, bool) {
	e := m.lookup(lin &^ PageMask)
	// A write through an entry with D = 0 walks again, to set D.
	// [SDM 3A, Accessed and Dirty Flags]
	if e == nil || a&Write != 0 && e.Rights&RightDirty == 0 && m.check(e.Rights, e.Key, a) == RuleOK {
		var n Translation
		var rule Rule
		if m.OnWalk == nil {
			n, rule = m.walk(lin, a, false, nil)
		} else {
			n, rule = m.observedWalk(lin, a, false)
		}
		if rule != RuleOK {
			m.dropFaulting(lin)
			return 0, false
		}
		if m.cfg.TLBOff {
			return n.Frame, true
		}
		e = m.insert(lin&^PageMask, n)
	} else if rule := m.check(e.Rights, e.Key, a); rule != RuleOK {
		m.deny(lin, a, e, rule)
		return 0, false
	} else if m.OnHit != nil && !m.OnHit(lin, a, e) {
		return e.Frame, true
	}
	m.shortcut(e, a)
	return e.Frame, true
}

// resolvePair is resolve for an access to two pages. Neither walk sets A or D
// before both pages are known to allow the access.
func (m *MMU) resolvePair(lin, next Linear, a Access) (f, g Phys, ok bool) {
	if !m.allowed(lin, a) || !m.allowed(next, a) {
		return 0, 0, false
	}
	if f, ok = m.resolve(lin, a); ok {
		g, ok = m.resolve(next, a)
	}
	return f, g, ok
}

// allowed tells whether resolve would succeed. If not, it has the fault's effects.
func (m *MMU) allowed(lin Linear, a Access) bool {
	e := m.lookup(lin &^ PageMask)
	if e != nil {
		if rule := m.check(e.Rights, e.Key, a); rule != RuleOK {
			m.deny(lin, a, e, rule)
			return false
		}
		if a&Write == 0 || e.Rights&RightDirty != 0 {
			return true
		}
	}
	if _, rule := m.walk(lin, a, true, nil); rule != RuleOK {
		if m.OnWalk != nil {
			m.observedWalk(lin, a, true)
		}
		m.dropFaulting(lin)
		return false
	}
	return true
}

// deny makes a fault out of a TLB entry's rights, without a walk. If the
// tables allow the access by now the fault is spurious, once.
// [SDM 3A, Optional Invalidation]
func (m *MMU) deny(lin Linear, a Access, e *Entry, rule Rule) {
	m.Fault = Fault{Addr: lin, Code: m.faultCode(rule, e.Rights, e.Key, a)}
	if m.OnWalk != nil {
		m.trace = Walk{Lin: lin, Access: a, Mode: m.mode, FromTLB: true}
		m.trace.finish(m, e.Translation, rule)
		m.OnWalk(&m.trace)
	}
	m.dropFaulting(lin)
}

// dropFaulting drops the entries for the page of a #PF, so that the fault
// does not recur because of them.
// [SDM 3A, Operations that Invalidate TLBs and Paging-Structure Caches]
func (m *MMU) dropFaulting(lin Linear) { m.dropCurrent(lin) }

// shortcut leaves in the access's view what the entry allows there, as far as
// it is known: reads and writes by a data access, fetches by a fetch.
func (m *MMU) shortcut(e *Entry, a Access) {
	host, owned, plain := m.Mem.pageState(e.Frame)
	if a&Write != 0 && !owned {
		m.Mem.own(e.Frame)
		host, owned, plain = m.Mem.pageState(e.Frame)
	}
	if host == nil {
		return
	}
	if !owned {
		m.tlb.lent.add(e.Frame)
	}
	i, v := slot(e.Page), a.ViewOf()
	s := &m.UseView(v)[i]
	s.Host = host
	m.tlb.viewed[i] |= 1 << v
	if a&Exec != 0 {
		s.X = uint64(e.Page)
		return
	}
	if m.watching && (m.watched[e.Page] != nil || m.watchedPhys[e.Frame] != nil) {
		return
	}
	s.R = uint64(e.Page)
	if plain && e.Rights&RightDirty != 0 && (a&Write != 0 || m.check(e.Rights, e.Key, a|Write) == RuleOK) {
		s.W = uint64(e.Page)
	}
}

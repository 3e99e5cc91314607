package mmu

// Step is one entry that a walk read.
type Step struct {
	Level Level
	At    Phys   // its address; meaningless for a PDPTE register
	Raw   uint64 // as read, before A or D was set
	Size  uint8  // 8 or 4 bytes; 0 for a PDPTE register of PAE paging
}

// Walk is the story of one walk, with its verdict.
type Walk struct {
	Lin    Linear
	Access Access
	Mode   Mode
	N      int // steps made
	Steps  [levels]Step

	Rule        Rule   // RuleOK, or what failed first
	Decider     int    // the step that decided, or -1 if no single entry did
	Bits        uint64 // the bits of that step which decided
	Code        uint32 // error code, if it failed
	Translation        // the translation, if there is one, though not allowed
	FromTLB     bool   // a TLB entry decided, nothing was read
}

// OK tells whether the access is allowed.
func (w *Walk) OK() bool { return w.Rule == RuleOK }

// Phys is the physical address, if the access is allowed.
func (w *Walk) Phys() Phys { return w.Frame | Phys(w.Lin&PageMask) }

// tellPath records what a walk has read, in its order.
//
//go:noinline
func (m *MMU) tellPath(w *Walk, p *path) {
	size := uint8(8)
	switch m.mode {
	case ModeNone:
		return
	case Mode32:
		size = 4
	case ModePAE:
		m.step(w, LevelPDPTE, 0, m.Ctl.PDPTE[w.Lin>>30&3], 0)
	}
	for l := int(p.high); l >= int(p.low); l-- {
		m.step(w, Level(l), p.at[l], p.raw[l], size)
	}
}

// step records an entry read. What Explain reads is nobody else's business.
func (m *MMU) step(w *Walk, l Level, at Phys, raw uint64, size uint8) {
	w.Steps[w.N] = Step{l, at, raw, size}
	w.N++
	if m.OnStep != nil && w == &m.trace {
		m.OnStep(&m.trace)
	}
}

// finish records the verdict and what made it.
func (w *Walk) finish(m *MMU, e Translation, rule Rule) {
	w.Translation, w.Rule, w.Decider = e, rule, -1
	if rule != RuleOK {
		w.Code = m.Fault.Code
		w.decide(m)
	}
}

// decide finds the step and the bits that made the verdict.
func (w *Walk) decide(m *MMU) {
	last := w.N - 1
	first := func(bit, want uint64) {
		for i := range w.Steps[:w.N] {
			if s := &w.Steps[i]; s.Size != 0 && s.Raw&bit == want {
				w.Decider, w.Bits = i, bit
				return
			}
		}
	}
	switch w.Rule {
	case RuleNotPresent:
		w.Decider, w.Bits = last, PtePresent
	case RuleReserved:
		s := &w.Steps[last]
		f := &m.level[s.Level]
		w.Decider, w.Bits = last, s.Raw&f.rsvdPage
		if s.Level != LevelPTE && s.Raw&f.large == 0 {
			w.Bits = s.Raw & f.rsvdTable
		}
	case RuleUser:
		first(PteUser, 0)
	case RuleWrite:
		first(PteWritable, 0)
	case RuleXD:
		first(PteXD, PteXD)
	case RuleSMEP, RuleSMAP:
		w.Decider, w.Bits = last, PteUser
	case RuleKeyAccess, RuleKeyWrite:
		w.Decider, w.Bits = last, 15<<keyShift
	}
}

// Explain walks for an access without any effect: no A or D, no TLB, no fault.
func (m *MMU) Explain(lin Linear, a Access) Walk {
	saved := m.Fault
	w := Walk{Lin: lin & m.linMask, Access: a, Mode: m.mode}
	e, rule := m.walk(w.Lin, a, true, &w)
	w.finish(m, e, rule)
	m.Fault = saved
	return w
}

// observedWalk is walk, told to OnWalk.
//
//go:noinline
func (m *MMU) observedWalk(lin Linear, a Access, dry bool) (Translation, Rule) {
	w := &m.trace
	*w = Walk{Lin: lin, Access: a, Mode: m.mode}
	e, rule := m.walk(lin, a, dry, w)
	w.finish(m, e, rule)
	m.OnWalk(w)
	return e, rule
}

package mmu

// Config is what the CPU model decides about paging. The zero value of each
// field but MaxPhysBits is what a present-day processor has.
type Config struct {
	MaxPhysBits uint // MAXPHYADDR, 32 to 52
	TLBOff      bool // walk on every access, keep nothing
	NoPAT       bool // no page attribute table: its bits are reserved where bits are checked
	No1G        bool // no 1-GByte pages: PS of a PDPTE is reserved
}

// noPage is the tag of an empty Slot.
const noPage = 1

// New makes an MMU upon mem: paging off, A20 open, TLB empty.
func New(mem *Memory, cfg Config) *MMU {
	m := &MMU{Mem: mem, cfg: cfg}
	m.cfg.MaxPhysBits = min(max(cfg.MaxPhysBits, 32), 52)
	m.Ctl.A20 = true
	m.View = [...]*View{noView, noView, noView}
	mem.attach(m)
	m.forgetTables()
	m.derive()
	return m
}

// TLBOff tells whether every access walks: then no View has shortcuts, and
// nothing found by Fetch may be kept.
func (m *MMU) TLBOff() bool { return m.cfg.TLBOff }

// Mode tells how linear addresses are translated now.
func (m *MMU) Mode() Mode { return m.mode }

// SetControl replaces all control registers without any flush, as a restore
// does. Use SetTLB or FlushAll after it.
func (m *MMU) SetControl(c Control) {
	m.Ctl = c
	m.derive()
	m.dropViews()
}

// derive computes from the control registers what a walk needs.
func (m *MMU) derive() {
	c := &m.Ctl
	m.trunk.region = noRegion
	m.mode, m.linMask = ModeNone, 0xffffffff
	switch {
	case c.CR0&CR0PG == 0:
	case c.EFER&EFERLMA != 0:
		m.linMask = ^Linear(0)
		m.mode = Mode4Level
		if c.CR4&CR4LA57 != 0 {
			m.mode = Mode5Level
		}
	case c.CR4&CR4PAE != 0:
		m.mode = ModePAE
	default:
		m.mode = Mode32
	}
	if m.mode == Mode32 {
		m.formats32()
	} else {
		m.formats64()
	}
	m.pcid = 0
	if c.CR4&CR4PCIDE != 0 {
		m.pcid = uint16(c.CR3 & 0xfff)
	}
	m.a20 = ^Phys(0)
	if !c.A20 {
		m.a20 = ^Phys(1 << 20)
	}
	on := m.mode != ModeNone
	m.wp = on && c.CR0&CR0WP != 0
	m.smep = on && c.CR4&CR4SMEP != 0
	m.smap = on && c.CR4&CR4SMAP != 0
	m.keys = m.mode >= Mode4Level && c.CR4&CR4PKE != 0
	m.global = 0
	if c.CR4&CR4PGE != 0 {
		m.global = PteGlobal
	}
	// I/D is reported if CR4.SMEP = 1, or CR4.PAE = 1 and EFER.NXE = 1.
	// [SDM 3A, Page-Fault Exceptions]
	m.fetchCode = 0
	if c.CR4&CR4SMEP != 0 || c.CR4&CR4PAE != 0 && c.EFER&EFERNXE != 0 {
		m.fetchCode = PFFetch
	}
}

// SetCR0 is MOV to CR0, checked by the processor. With EFER.LME it sets and
// clears EFER.LMA as PG goes on and off. A change of PG or PE drops all
// entries, one of WP changes what they allow.
// [SDM 3A, Operations that Invalidate TLBs and Paging-Structure Caches; Invalidating the Translation Lookaside Buffers (TLBs)]
func (m *MMU) SetCR0(v uint64) {
	diff := m.Ctl.CR0 ^ v
	m.Ctl.CR0 = v
	if diff&CR0PG != 0 {
		m.Ctl.EFER &^= EFERLMA
		if v&CR0PG != 0 && m.Ctl.EFER&EFERLME != 0 {
			m.Ctl.EFER |= EFERLMA
		}
	}
	switch {
	case diff&(CR0PG|CR0PE) != 0:
		m.FlushAll()
	case diff&CR0WP != 0:
		m.derive()
		m.dropViews()
	}
}

// SetCR3 is MOV to CR3, checked by the processor: it drops the entries of the
// PCID loaded except global ones, unless CR4.PCIDE = 1 and bit 63 is set,
// which is not kept. With PAE paging LoadPDPTEs comes first.
func (m *MMU) SetCR3(v uint64) {
	keep := false
	if m.Ctl.CR4&CR4PCIDE != 0 {
		keep = v>>63 != 0
		v &^= 1 << 63
		m.pcid = uint16(v & 0xfff)
	}
	m.Ctl.CR3 = v
	m.trunk.region = noRegion
	if !keep {
		m.flushPCID(m.pcid)
	}
	// What other PCIDs left in the views is not for this one.
	if m.Ctl.CR4&CR4PCIDE != 0 {
		m.dropViews()
	}
	if m.OnCR3 != nil {
		m.OnCR3(v)
	}
}

// SetCR4 is MOV to CR4, checked by the processor. All entries go on a change
// of PGE, PSE, PAE or LA57, when PCIDE is cleared and when SMEP is set; the
// manual lets the last one spare other PCIDs, and need not.
func (m *MMU) SetCR4(v uint64) {
	diff := m.Ctl.CR4 ^ v
	m.Ctl.CR4 = v
	switch {
	case diff&(CR4PGE|CR4PSE|CR4PAE|CR4LA57) != 0 || diff&^v&CR4PCIDE != 0 || diff&v&CR4SMEP != 0:
		m.FlushAll()
	case diff != 0:
		m.derive()
		m.dropViews()
	}
}

// SetEFER is WRMSR to IA32_EFER, checked by the processor. NXE decides
// whether XD is reserved: a change drops all entries.
func (m *MMU) SetEFER(v uint64) {
	diff := m.Ctl.EFER ^ v
	m.Ctl.EFER = v
	if diff&(EFERNXE|EFERLMA) != 0 {
		m.FlushAll()
	}
}

// SetPKRU is WRPKRU: entries stay, what they allow changes.
func (m *MMU) SetPKRU(v uint32) {
	if m.Ctl.PKRU == v {
		return
	}
	m.Ctl.PKRU = v
	if m.keys {
		m.dropViews()
	}
}

// SetA20 opens or closes the gate of address bit 20. Entries hold addresses
// after the gate, so they go.
func (m *MMU) SetA20(open bool) {
	if m.Ctl.A20 != open {
		m.Ctl.A20 = open
		m.FlushAll()
	}
}

// LoadPDPTEs loads the four PDPTE registers from the table at cr3, as MOV to
// CR0, CR3, CR4 and a task switch do under PAE paging. On false a present one
// has reserved bits set, nothing is loaded, and the processor raises #GP(0).
// [SDM 3A, PDPTE Registers]
func (m *MMU) LoadPDPTEs(cr3 uint64) bool {
	var e [4]uint64
	for i := range e {
		e[i] = m.loadEntry64(Phys(cr3&0xffffffe0) + Phys(8*i))
		// A present PDPTE must have its reserved bits clear, else #GP(0). [SDM 3A, PDPTE Registers]
		if e[i]&PtePresent != 0 && e[i]&m.pdpteReserved() != 0 {
			return false
		}
	}
	m.Ctl.PDPTE = e
	m.trunk.region = noRegion
	return true
}

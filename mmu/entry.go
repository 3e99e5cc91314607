package mmu

// Bits of a paging-structure entry. The low byte is the same at all levels and
// in all modes; a 32-bit entry is the low half.
//
//	63 62..59 58..52 51..M M-1..12        11..9 8 7   6 5 4   3   2   1   0
//	XD key    ign    rsvd  page or table  ign   G PS  D A PCD PWT U/S R/W P
//
// M is MAXPHYADDR. G, PS and D have their meaning in entries that map a page
// (PS is PAT in a PTE); the key too. PAE paging has no key, and 62..M are
// reserved. [SDM 3A, 32-Bit Paging; PAE Paging; 4-Level Paging and 5-Level Paging]
const (
	PtePresent  = 1 << 0
	PteWritable = 1 << 1
	PteUser     = 1 << 2
	PteAccessed = 1 << 5
	PteDirty    = 1 << 6
	PteLarge    = 1 << 7
	PteGlobal   = 1 << 8
	PteXD       = 1 << 63

	keyShift = 59
)

// Mode is how linear addresses are translated.
type Mode uint8

const (
	ModeNone   Mode = iota // CR0.PG = 0: linear addresses are physical
	Mode32                 // two levels of 32-bit entries
	ModePAE                // PDPTE registers and two levels of 64-bit entries
	Mode4Level             // 4-level paging
	Mode5Level             // 5-level paging
)

func (m Mode) String() string {
	return [...]string{"no", "32-bit", "PAE", "4-level", "5-level"}[m]
}

// Level is the place of an entry in the hierarchy.
type Level uint8

const (
	LevelPTE Level = iota
	LevelPDE
	LevelPDPTE
	LevelPML4E
	LevelPML5E
	levels
)

func (l Level) String() string {
	return [...]string{"PTE", "PDE", "PDPTE", "PML4E", "PML5E"}[l]
}

// format is what the mode and the control registers make of the entries of one level.
type format struct {
	shift     uint8  // of the lowest address bit that indexes its table
	large     uint64 // PteLarge if an entry may map a page by it, else 0
	rsvdTable uint64 // reserved bits of an entry that refers to a table
	rsvdPage  uint64 // reserved bits of an entry that maps a page
}

// bits gives a mask of bits hi to lo; empty if hi < lo.
func bits(hi, lo uint) uint64 {
	if hi < lo {
		return 0
	}
	return 1<<(hi+1) - 1<<lo
}

const addrMask = 0x000ffffffffff000 // address bits of a 64-bit entry

// formats32 fills in the levels of 32-bit paging.
func (m *MMU) formats32() {
	pse := m.Ctl.CR4&CR4PSE != 0
	m.level[LevelPTE] = format{shift: 12}
	m.level[LevelPDE] = format{shift: 22}
	// Without CR4.PSE no bits are reserved. [SDM 3A, 32-Bit Paging]
	if !pse {
		return
	}
	// A 4-MByte page has address bits 39:32 in its bits 20:13, as far as MAXPHYADDR
	// reaches; the rest up to bit 21 is reserved. [SDM 3A, 32-Bit Paging]
	m.level[LevelPDE].large = PteLarge
	m.level[LevelPDE].rsvdPage = bits(21, min(m.cfg.MaxPhysBits, 40)-19)
	// Without PAT its bits are reserved. [SDM 3A, 32-Bit Paging]
	if m.cfg.NoPAT {
		m.level[LevelPTE].rsvdPage |= 1 << 7
		m.level[LevelPDE].rsvdPage |= 1 << 12
	}
}

// formats64 fills in the levels of PAE, 4-level and 5-level paging.
func (m *MMU) formats64() {
	// Bits from MAXPHYADDR to 51 are reserved, with PAE paging to 62.
	// [SDM 3A, PAE Paging; 4-Level Paging and 5-Level Paging]
	rsvd := bits(51, m.cfg.MaxPhysBits)
	if m.mode == ModePAE {
		rsvd = bits(62, m.cfg.MaxPhysBits)
	}
	// XD is reserved while EFER.NXE = 0.
	if m.Ctl.EFER&EFERNXE == 0 {
		rsvd |= PteXD
	}
	pat4K, patLarge := uint64(0), uint64(0)
	if m.cfg.NoPAT {
		pat4K, patLarge = 1<<7, 1<<12
	}
	m.level = [levels]format{
		LevelPTE:   {12, 0, rsvd, rsvd | pat4K},
		LevelPDE:   {21, PteLarge, rsvd, rsvd | bits(20, 13) | patLarge},
		LevelPDPTE: {30, PteLarge, rsvd, rsvd | bits(29, 13) | patLarge},
		LevelPML4E: {39, 0, rsvd | PteLarge, 0},
		LevelPML5E: {48, 0, rsvd | PteLarge, 0},
	}
	// Where 1-GByte pages are missing, PS of a PDPTE is reserved.
	if m.cfg.No1G {
		m.level[LevelPDPTE] = format{30, 0, rsvd | PteLarge, 0}
	}
}

// pdpteReserved gives the bits that must be 0 in a present PDPTE of PAE
// paging: 2:1, 8:5 and from MAXPHYADDR on. [SDM 3A, PDPTE Registers]
func (m *MMU) pdpteReserved() uint64 {
	return bits(2, 1) | bits(8, 5) | bits(63, m.cfg.MaxPhysBits)
}

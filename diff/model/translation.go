package model

// entry is a paging-structure entry that a translation has used.
type entry struct {
	at    uint64 // its physical address
	size  int    // 4 or 8 bytes
	value uint64
}

// The flags that entries of all levels and modes have in common.
// [SDM 3A, 32-Bit Paging; PAE Paging; 4-Level Paging and 5-Level Paging]
func (e entry) p() bool  { return bit(e.value, 0) }
func (e entry) rw() bool { return bit(e.value, 1) }
func (e entry) us() bool { return bit(e.value, 2) }
func (e entry) ps() bool { return bit(e.value, 7) }
func (e entry) xd() bool { return bit(e.value, 63) }

// translation is how a linear address was translated: the entries used, from the
// first paging structure to the one that maps the page, and the physical address.
type translation struct {
	entries  []entry
	physical uint64
}

// outcome says whether there is a translation, and if not, why.
type outcome int

const (
	translated outcome = iota
	notPresent         // an entry with P = 0 was met
	reserved           // an entry with a reserved bit was met
)

// use reads an entry. If its P flag is 0 or it sets any reserved bit, it is used
// neither to reference another paging structure nor to map a page: there is no
// translation. Reserved bits are not looked at if P is 0.
// [SDM 3A, 32-Bit Paging; PAE Paging; 4-Level Paging and 5-Level Paging; Page-Fault Exceptions]
func (m *machine) use(t *translation, physical uint64, size int, isReserved func(entry) bool) (entry, outcome) {
	e := entry{physical, size, m.load(physical, size)}
	t.entries = append(t.entries, e)
	switch {
	case !e.p():
		return e, notPresent
	case isReserved(e):
		return e, reserved
	}
	return e, translated
}

// translate translates a linear address in the paging mode of the control registers.
// [SDM 3A, Paging Modes and Control Bits]
func (m *machine) translate(linear uint64) (translation, outcome) {
	switch {
	// If CR0.PG = 0, paging is not used: linear addresses are physical addresses.
	case !m.cr0PG():
		return translation{physical: linear}, translated
	// If CR0.PG = 1 and CR4.PAE = 0, 32-bit paging is used.
	case !m.cr4PAE():
		return m.translate32(linear)
	// If CR0.PG = 1, CR4.PAE = 1 and IA32_EFER.LME = 0, PAE paging is used. (While
	// CR0.PG = 1, LMA is LME.)
	case !m.eferLMA():
		return m.translatePAE(linear)
	// If CR0.PG = 1, CR4.PAE = 1, IA32_EFER.LME = 1 and CR4.LA57 = 0, 4-level paging is used.
	case !m.cr4LA57():
		return m.translate4Level(linear)
	// If all four are 1, 5-level paging is used.
	default:
		return m.translate5Level(linear)
	}
}

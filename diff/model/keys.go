package model

// keyPermits tells whether the protection key of a user-mode address permits a
// data access. [SDM 3A, Protection Keys]
func (m *machine) keyPermits(t translation, a access) bool {
	// Protection keys are used with 4-level and 5-level paging only, and for user-mode
	// addresses only if CR4.PKE = 1.
	if !m.cr0PG() || !m.eferLMA() || !m.cr4PKE() {
		return true
	}
	// The key of a linear address is bits 62:59 of the entry that maps the page.
	i := uint(bits(t.entries[len(t.entries)-1].value, 62, 59))
	// If ADi, bit 2i of PKRU, is 1, no data access is permitted.
	if bit(uint64(m.regs.PKRU), 2*i) {
		return false
	}
	// If WDi, bit 2i+1 of PKRU, is 1, user-mode write accesses are not permitted, and
	// supervisor-mode write accesses are not permitted if CR0.WP = 1.
	if bit(uint64(m.regs.PKRU), 2*i+1) && a.write && (a.userMode || m.cr0WP()) {
		return false
	}
	return true
}

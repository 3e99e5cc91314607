package model

// errorCode is the error code of a page fault. [SDM 3A, Page-Fault Exceptions]
func (m *machine) errorCode(t translation, o outcome, a access) (code uint32) {
	// P flag (bit 0) is 0 if there is no translation because the P flag was 0 in one of
	// the entries used; else it is 1.
	if o != notPresent {
		code |= 1 << 0
	}
	// W/R (bit 1) is 1 if the access was a write. It tells of the access, not of
	// the rights that paging gives.
	if a.write {
		code |= 1 << 1
	}
	// U/S (bit 2) is 1 if it was a user-mode access.
	if a.userMode {
		code |= 1 << 2
	}
	// RSVD flag (bit 3) is 1 if there is no translation because a reserved bit was set
	// in one of the entries used.
	if o == reserved {
		code |= 1 << 3
	}
	// I/D flag (bit 4) is 1 if the access was an instruction fetch and either CR4.SMEP
	// = 1, or both CR4.PAE = 1 and IA32_EFER.NXE = 1.
	if a.fetch && (m.cr4SMEP() || m.cr4PAE() && m.eferNXE()) {
		code |= 1 << 4
	}
	// PK flag (bit 5) is 1 if IA32_EFER.LMA = CR4.PKE = 1, the access was a data access,
	// the linear address was a user-mode address with protection key i, and PKRU is such
	// that ADi = 1, or WDi = 1, the access was a write, and CR0.WP = 1 or it was a
	// user-mode access.
	if o == translated && !a.fetch && userModeAddress(t) && !m.keyPermits(t, a) {
		code |= 1 << 5
	}
	return code
}

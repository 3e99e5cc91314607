package model

// access is one access to one linear address, as the text sorts them.
type access struct {
	linear   uint64
	write    bool // a data write; a read-modify-write is one too
	fetch    bool // an instruction fetch
	userMode bool
	implicit bool
}

// userModeAddress tells what a translation says of its linear address: if the U/S
// flag is 0 in at least one of the entries, it is a supervisor-mode address,
// else a user-mode address. [SDM 3A, Determination of Access Rights]
func userModeAddress(t translation) bool {
	for _, e := range t.entries {
		if !e.us() {
			return false
		}
	}
	return true
}

// writable tells whether the R/W flag is 1 in every entry.
func writable(t translation) bool {
	for _, e := range t.entries {
		if !e.rw() {
			return false
		}
	}
	return true
}

// executeDisabled tells whether the XD flag is 1 in any entry. 32-bit entries have none.
func executeDisabled(t translation) bool {
	for _, e := range t.entries {
		if e.size == 8 && e.xd() {
			return true
		}
	}
	return false
}

// allowed decides by the tables of access rights, in their order.
// [SDM 3A, Determination of Access Rights]
func (m *machine) allowed(t translation, a access) bool {
	switch {
	case !a.userMode && !userModeAddress(t) && a.fetch:
		return m.supervisorFetchFromSupervisor(t)
	case !a.userMode && userModeAddress(t) && a.fetch:
		return m.supervisorFetchFromUser(t)
	case !a.userMode && !userModeAddress(t) && a.write:
		return m.supervisorWriteToSupervisor(t)
	case !a.userMode && userModeAddress(t) && a.write:
		return m.supervisorWriteToUser(t, a)
	case !a.userMode && !userModeAddress(t):
		// Data may be read from any supervisor-mode address.
		return true
	case !a.userMode:
		return m.supervisorReadFromUser(t, a)
	case a.fetch:
		return m.userFetch(t)
	case a.write:
		return m.userWrite(t, a)
	default:
		return m.userRead(t, a)
	}
}

func (m *machine) supervisorReadFromUser(t translation, a access) bool {
	// If CR4.SMAP = 0, data may be read from any user-mode address with a protection key
	// for which read access is permitted.
	if !m.cr4SMAP() {
		return m.keyPermits(t, a)
	}
	// If CR4.SMAP = 1, EFLAGS.AC = 1 and the access is explicit, likewise.
	if m.flagAC() && !a.implicit {
		return m.keyPermits(t, a)
	}
	// If EFLAGS.AC = 0 or the access is implicit, data may not be read from any user-mode address.
	return false
}

func (m *machine) supervisorWriteToSupervisor(t translation) bool {
	// If CR0.WP = 0, data may be written to any supervisor-mode address.
	if !m.cr0WP() {
		return true
	}
	// If CR0.WP = 1, the R/W flag must be 1 in every entry.
	return writable(t)
}

func (m *machine) supervisorWriteToUser(t translation, a access) bool {
	if !m.cr0WP() {
		// If CR0.WP = 0 and CR4.SMAP = 0, data may be written to any user-mode address with a
		// protection key for which write access is permitted.
		if !m.cr4SMAP() {
			return m.keyPermits(t, a)
		}
		// If CR0.WP = 0, CR4.SMAP = 1, EFLAGS.AC = 1 and the access is explicit, likewise.
		if m.flagAC() && !a.implicit {
			return m.keyPermits(t, a)
		}
		// If EFLAGS.AC = 0 or the access is implicit, data may not be written to any user-mode address.
		return false
	}
	// If CR0.WP = 1 and CR4.SMAP = 0, the R/W flag must be 1 in every entry, and the
	// protection key must permit write access.
	if !m.cr4SMAP() {
		return writable(t) && m.keyPermits(t, a)
	}
	// If CR0.WP = 1, CR4.SMAP = 1, EFLAGS.AC = 1 and the access is explicit, likewise.
	if m.flagAC() && !a.implicit {
		return writable(t) && m.keyPermits(t, a)
	}
	// If EFLAGS.AC = 0 or the access is implicit, data may not be written to any user-mode address.
	return false
}

func (m *machine) supervisorFetchFromSupervisor(t translation) bool {
	// With 32-bit paging or if IA32_EFER.NXE = 0, instructions may be fetched from any
	// supervisor-mode address.
	if !m.cr4PAE() || !m.eferNXE() {
		return true
	}
	// Else the XD flag must be 0 in every entry.
	return !executeDisabled(t)
}

func (m *machine) supervisorFetchFromUser(t translation) bool {
	// If CR4.SMEP = 1, instructions may not be fetched from any user-mode address.
	if m.cr4SMEP() {
		return false
	}
	// If CR4.SMEP = 0, with 32-bit paging or if IA32_EFER.NXE = 0, instructions may be
	// fetched from any user-mode address.
	if !m.cr4PAE() || !m.eferNXE() {
		return true
	}
	// Else the XD flag must be 0 in every entry.
	return !executeDisabled(t)
}

func (m *machine) userRead(t translation, a access) bool {
	// Data may be read from any user-mode address with a protection key for which read
	// access is permitted, and not from any supervisor-mode address.
	return userModeAddress(t) && m.keyPermits(t, a)
}

func (m *machine) userWrite(t translation, a access) bool {
	// Data may be written to any user-mode address whose R/W flag is 1 in every entry
	// with a protection key for which write access is permitted, and not to any
	// supervisor-mode address.
	return userModeAddress(t) && writable(t) && m.keyPermits(t, a)
}

func (m *machine) userFetch(t translation) bool {
	// Instructions may not be fetched from any supervisor-mode address.
	if !userModeAddress(t) {
		return false
	}
	// With 32-bit paging or if IA32_EFER.NXE = 0, instructions may be fetched from any
	// user-mode address.
	if !m.cr4PAE() || !m.eferNXE() {
		return true
	}
	// Else the XD flag must be 0 in every entry.
	return !executeDisabled(t)
}

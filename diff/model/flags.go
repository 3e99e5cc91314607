package model

// setAccessedAndDirty is what a translation leaves in the entries it used. The text
// leaves open which flags are set if the access faults; here, as in the
// emulator, none. [SDM 3A, Accessed and Dirty Flags]
func (m *machine) setAccessedAndDirty(t translation, a access) {
	for i, e := range t.entries {
		// Whenever the processor uses an entry as part of linear-address translation, it
		// sets the accessed flag in that entry.
		m.setBit(e.at, 5)
		// Whenever there is a write to a linear address, the processor sets the dirty flag
		// in the entry that identifies the final physical address.
		if a.write && i == len(t.entries)-1 {
			m.setBit(e.at, 6)
		}
	}
}

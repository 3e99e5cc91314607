package model

// translate32 is 32-bit paging. [SDM 3A, 32-Bit Paging]
func (m *machine) translate32(linear uint64) (t translation, o outcome) {
	// A PDE is at bits 31:12 from CR3, bits 11:2 from bits 31:22 of the linear address,
	// bits 1:0 zero.
	pde, o := m.use(&t, bits(m.regs.CR3, 31, 12)<<12|bits(linear, 31, 22)<<2, 4, m.reservedPDE32)
	if o != translated {
		return t, o
	}
	// If CR4.PSE = 1 and the PDE's PS flag is 1, the PDE maps a 4-MByte page: bits
	// 39:32 are bits 20:13 of the PDE, bits 31:22 are its bits 31:22, bits 21:0 are from
	// the linear address.
	if m.cr4PSE() && pde.ps() {
		t.physical = bits(pde.value, 20, 13)<<32 | bits(pde.value, 31, 22)<<22 | bits(linear, 21, 0)
		return t, translated
	}
	// If CR4.PSE = 0 or the PDE's PS flag is 0, a PTE is at bits 31:12 from the PDE,
	// bits 11:2 from bits 21:12 of the linear address, bits 1:0 zero.
	pte, o := m.use(&t, bits(pde.value, 31, 12)<<12|bits(linear, 21, 12)<<2, 4, m.reservedPTE32)
	if o != translated {
		return t, o
	}
	// Bits 31:12 are from the PTE, bits 11:0 from the linear address.
	t.physical = bits(pte.value, 31, 12)<<12 | bits(linear, 11, 0)
	return t, translated
}

// reservedPDE32 tells whether a present PDE sets a reserved bit. [SDM 3A, 32-Bit Paging]
func (m *machine) reservedPDE32(e entry) bool {
	// With 32-bit paging there are reserved bits only if CR4.PSE = 1.
	if !m.cr4PSE() {
		return false
	}
	// If the PS flag of a PDE is 1 and PSE-36 is not supported, bits 21:13 are reserved.
	if e.ps() && !m.cpu.pse36 && anyBit(e.value, 21, 13) {
		return true
	}
	// If the PS flag of a PDE is 1 and PSE-36 is supported, bits 21:(M-19) are reserved,
	// where M is the minimum of 40 and MAXPHYADDR.
	if e.ps() && m.cpu.pse36 && anyBit(e.value, 21, min(40, m.cpu.maxPhysAddr)-19) {
		return true
	}
	// If the PAT is not supported and the PS flag of a PDE is 1, bit 12 is reserved.
	return e.ps() && !m.cpu.pat && bit(e.value, 12)
}

// reservedPTE32 tells whether a present PTE sets a reserved bit. [SDM 3A, 32-Bit Paging]
func (m *machine) reservedPTE32(e entry) bool {
	// With 32-bit paging there are reserved bits only if CR4.PSE = 1.
	if !m.cr4PSE() {
		return false
	}
	// If the PAT is not supported, bit 7 of a PTE is reserved.
	return !m.cpu.pat && bit(e.value, 7)
}

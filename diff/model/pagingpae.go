package model

// movToCR3 loads CR3, and with PAE paging the PDPTE registers: it tells whether the
// instruction succeeds or causes #GP(0). [SDM 3A, PDPTE Registers]
func (m *machine) movToCR3(value uint64) bool {
	if m.cr0PG() && m.cr4PAE() && !m.eferLMA() {
		// PAE paging uses bits 31:5 of CR3 to locate the PDPTEs.
		table := bits(value, 31, 5) << 5
		var loaded [4]uint64
		for i := range loaded {
			loaded[i] = m.load(table+uint64(8*i), 8)
			// If any of the PDPTEs sets both the P flag and any reserved bit, the
			// instruction causes #GP(0) and the PDPTEs are not loaded. Bits 2:1, 8:5 and
			// 63:MAXPHYADDR are reserved.
			if bit(loaded[i], 0) && (anyBit(loaded[i], 2, 1) || anyBit(loaded[i], 8, 5) || anyBit(loaded[i], 63, m.cpu.maxPhysAddr)) {
				return false
			}
		}
		m.pdpte = loaded
	}
	m.regs.CR3 = value
	return true
}

// translatePAE is PAE paging. [SDM 3A, Linear-Address Translation with PAE Paging]
func (m *machine) translatePAE(linear uint64) (t translation, o outcome) {
	// Bits 31:30 of the linear address select a PDPTE register; there is no reference
	// to memory.
	pdpte := m.pdpte[bits(linear, 31, 30)]
	// If its P flag is 0, there is no translation.
	if !bit(pdpte, 0) {
		return t, notPresent
	}
	// A PDE is at bits 51:12 from the PDPTE, bits 11:3 from bits 29:21 of the linear
	// address, bits 2:0 zero.
	pde, o := m.use(&t, bits(pdpte, 51, 12)<<12|bits(linear, 29, 21)<<3, 8, m.reservedPDEofPAE)
	if o != translated {
		return t, o
	}
	// If the PDE's PS flag is 1, it maps a 2-MByte page: bits 51:21 are from the PDE,
	// bits 20:0 from the linear address.
	if pde.ps() {
		t.physical = bits(pde.value, 51, 21)<<21 | bits(linear, 20, 0)
		return t, translated
	}
	// If its PS flag is 0, a PTE is at bits 51:12 from the PDE, bits 11:3 from bits
	// 20:12 of the linear address, bits 2:0 zero.
	pte, o := m.use(&t, bits(pde.value, 51, 12)<<12|bits(linear, 20, 12)<<3, 8, m.reservedPTEofPAE)
	if o != translated {
		return t, o
	}
	// Bits 51:12 are from the PTE, bits 11:0 from the linear address.
	t.physical = bits(pte.value, 51, 12)<<12 | bits(linear, 11, 0)
	return t, translated
}

// reservedPDEofPAE tells whether a present PDE sets a reserved bit.
// [SDM 3A, Linear-Address Translation with PAE Paging]
func (m *machine) reservedPDEofPAE(e entry) bool {
	// Bits 62:MAXPHYADDR are reserved.
	if anyBit(e.value, 62, m.cpu.maxPhysAddr) {
		return true
	}
	// If IA32_EFER.NXE = 0, the XD flag is reserved.
	if !m.eferNXE() && e.xd() {
		return true
	}
	// If the PS flag of a PDE is 1, bits 20:13 are reserved.
	if e.ps() && anyBit(e.value, 20, 13) {
		return true
	}
	// If the PAT is not supported and the PS flag of a PDE is 1, bit 12 is reserved.
	return e.ps() && !m.cpu.pat && bit(e.value, 12)
}

// reservedPTEofPAE tells whether a present PTE sets a reserved bit.
// [SDM 3A, Linear-Address Translation with PAE Paging]
func (m *machine) reservedPTEofPAE(e entry) bool {
	// Bits 62:MAXPHYADDR are reserved.
	if anyBit(e.value, 62, m.cpu.maxPhysAddr) {
		return true
	}
	// If IA32_EFER.NXE = 0, the XD flag is reserved.
	if !m.eferNXE() && e.xd() {
		return true
	}
	// If the PAT is not supported, bit 7 of a PTE is reserved.
	return !m.cpu.pat && bit(e.value, 7)
}

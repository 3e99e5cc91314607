package model

// translate5Level is 5-level paging.
// [SDM 3A, Linear-Address Translation with 4-Level Paging and 5-Level Paging]
func (m *machine) translate5Level(linear uint64) (t translation, o outcome) {
	// A PML5E is at bits 51:12 from CR3, bits 11:3 from bits 56:48 of the linear
	// address, bits 2:0 zero.
	pml5e, o := m.use(&t, bits(m.regs.CR3, 51, 12)<<12|bits(linear, 56, 48)<<3, 8, m.reservedPML5E)
	if o != translated {
		return t, o
	}
	// With 5-level paging, a PML4E is at bits 51:12 from the PML5E, bits 11:3 from
	// bits 47:39 of the linear address, bits 2:0 zero.
	pml4e, o := m.use(&t, bits(pml5e.value, 51, 12)<<12|bits(linear, 47, 39)<<3, 8, m.reservedPML4E)
	if o != translated {
		return t, o
	}
	o = m.translateFromPML4E(&t, pml4e, linear)
	return t, o
}

// translate4Level is 4-level paging.
// [SDM 3A, Linear-Address Translation with 4-Level Paging and 5-Level Paging]
func (m *machine) translate4Level(linear uint64) (t translation, o outcome) {
	// With 4-level paging, a PML4E is at bits 51:12 from CR3, bits 11:3 from bits
	// 47:39 of the linear address, bits 2:0 zero.
	pml4e, o := m.use(&t, bits(m.regs.CR3, 51, 12)<<12|bits(linear, 47, 39)<<3, 8, m.reservedPML4E)
	if o != translated {
		return t, o
	}
	o = m.translateFromPML4E(&t, pml4e, linear)
	return t, o
}

// translateFromPML4E is what 4-level and 5-level paging have in common.
// [SDM 3A, Linear-Address Translation with 4-Level Paging and 5-Level Paging]
func (m *machine) translateFromPML4E(t *translation, pml4e entry, linear uint64) outcome {
	// A PDPTE is at bits 51:12 from the PML4E, bits 11:3 from bits 38:30 of the linear
	// address, bits 2:0 zero.
	pdpte, o := m.use(t, bits(pml4e.value, 51, 12)<<12|bits(linear, 38, 30)<<3, 8, m.reservedPDPTE)
	if o != translated {
		return o
	}
	// If the PDPTE's PS flag is 1, it maps a 1-GByte page: bits 51:30 are from the
	// PDPTE, bits 29:0 from the linear address.
	if pdpte.ps() {
		t.physical = bits(pdpte.value, 51, 30)<<30 | bits(linear, 29, 0)
		return translated
	}
	// If its PS flag is 0, a PDE is at bits 51:12 from the PDPTE, bits 11:3 from bits
	// 29:21 of the linear address, bits 2:0 zero.
	pde, o := m.use(t, bits(pdpte.value, 51, 12)<<12|bits(linear, 29, 21)<<3, 8, m.reservedPDE)
	if o != translated {
		return o
	}
	// If the PDE's PS flag is 1, it maps a 2-MByte page: bits 51:21 are from the PDE,
	// bits 20:0 from the linear address.
	if pde.ps() {
		t.physical = bits(pde.value, 51, 21)<<21 | bits(linear, 20, 0)
		return translated
	}
	// If its PS flag is 0, a PTE is at bits 51:12 from the PDE, bits 11:3 from bits
	// 20:12 of the linear address, bits 2:0 zero.
	pte, o := m.use(t, bits(pde.value, 51, 12)<<12|bits(linear, 20, 12)<<3, 8, m.reservedPTE)
	if o != translated {
		return o
	}
	// Bits 51:12 are from the PTE, bits 11:0 from the linear address.
	t.physical = bits(pte.value, 51, 12)<<12 | bits(linear, 11, 0)
	return translated
}

// reservedInAll tells whether a present entry sets a bit that is reserved in entries
// of every level. [SDM 3A, Linear-Address Translation with 4-Level Paging and 5-Level Paging]
func (m *machine) reservedInAll(e entry) bool {
	// Bits 51:MAXPHYADDR are reserved.
	if anyBit(e.value, 51, m.cpu.maxPhysAddr) {
		return true
	}
	// If IA32_EFER.NXE = 0, the XD flag is reserved.
	return !m.eferNXE() && e.xd()
}

// The bits that are reserved in present entries of one level.
// [SDM 3A, Linear-Address Translation with 4-Level Paging and 5-Level Paging]

func (m *machine) reservedPML5E(e entry) bool {
	// The PS flag of a PML5E is reserved.
	return m.reservedInAll(e) || e.ps()
}

func (m *machine) reservedPML4E(e entry) bool {
	// The PS flag of a PML4E is reserved.
	return m.reservedInAll(e) || e.ps()
}

func (m *machine) reservedPDPTE(e entry) bool {
	if m.reservedInAll(e) {
		return true
	}
	// If 1-GByte pages are not supported, the PS flag of a PDPTE is reserved.
	if !m.cpu.page1GB && e.ps() {
		return true
	}
	// If the PS flag of a PDPTE is 1, bits 29:13 are reserved.
	if e.ps() && anyBit(e.value, 29, 13) {
		return true
	}
	// If the PAT is not supported and the PS flag of a PDPTE is 1, bit 12 is reserved.
	return e.ps() && !m.cpu.pat && bit(e.value, 12)
}

func (m *machine) reservedPDE(e entry) bool {
	if m.reservedInAll(e) {
		return true
	}
	// If the PS flag of a PDE is 1, bits 20:13 are reserved.
	if e.ps() && anyBit(e.value, 20, 13) {
		return true
	}
	// If the PAT is not supported and the PS flag of a PDE is 1, bit 12 is reserved.
	return e.ps() && !m.cpu.pat && bit(e.value, 12)
}

func (m *machine) reservedPTE(e entry) bool {
	// If the PAT is not supported, bit 7 of a PTE is reserved.
	return m.reservedInAll(e) || !m.cpu.pat && bit(e.value, 7)
}

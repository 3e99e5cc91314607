package model

import "x86emu/diff"

// Vectors. [SDM 3A, Exception and Interrupt Vectors]
const (
	vectorBP = 3
	vectorGP = 13
	vectorPF = 14
)

// paging answers a Paging case: the access of the case, then INT3.
func paging(c *diff.Case, w *diff.World) diff.Result {
	m := newMachine(c, w)
	r := m.access(c.Access)
	if m.outside {
		return diff.Result{End: diff.Silent, Note: "a paging structure outside the arena"}
	}
	r.Mem = m.marks()
	return r
}

// access makes the access of a case. On success the INT3 behind it traps.
func (m *machine) access(a *diff.Access) diff.Result {
	if a.Poke != nil {
		m.store(uint64(a.Poke.At.Phys()), a.Poke.Bytes)
	}
	if a.CR3 != 0 && !m.movToCR3(a.CR3) {
		return diff.Result{Vector: vectorGP, HasError: true}
	}
	last := a.Linear + uint64(a.Size) - 1
	// In 64-bit mode, a data access to an address that is not in canonical form causes
	// #GP(0). No translation is tried. [SDM 1, Canonical Addressing]
	if !a.Fetch && (!m.canonical(a.Linear) || !m.canonical(last)) {
		return diff.Result{Vector: vectorGP, HasError: true}
	}
	// An access that is not within one page is an access to each; whose fault is
	// reported when both have one is left open: that of the lower page. Nor is it said
	// whether the lower page is used if the upper one faults: the bytes of an instruction
	// are, data are not, as in the emulator.
	var done []translation
	for _, part := range pages(a) {
		// So does an instruction fetch, when it comes there.
		if !m.canonical(part.linear) {
			return diff.Result{Vector: vectorGP, HasError: true}
		}
		t, o := m.translate(part.linear)
		if o != translated || !m.allowed(t, part) {
			// A page-fault exception loads CR2 with the linear address. If the access crosses
			// into the next page, it is the address of the first byte that cannot be accessed.
			// [SDM 3A, Interrupt 14 - Page-Fault Exception (#PF)]
			return diff.Result{Vector: vectorPF, HasError: true, Error: m.errorCode(t, o, part), CR2: part.linear}
		}
		if part.fetch {
			m.setAccessedAndDirty(t, part)
		}
		done = append(done, t)
	}
	for i, part := range pages(a) {
		m.setAccessedAndDirty(done[i], part)
	}
	return diff.Result{Vector: vectorBP}
}

// canonical tells whether bits 63 down to the most significant one that is used are
// all equal: bit 47, with 5-level paging bit 56. Outside IA-32e mode addresses
// have 32 bits. [SDM 1, Canonical Addressing]
func (m *machine) canonical(linear uint64) bool {
	switch {
	case !m.eferLMA():
		return linear <= 0xffffffff
	case m.cr4LA57():
		return linear>>56 == 0 || linear>>56 == 0xff
	default:
		return linear>>47 == 0 || linear>>47 == 0x1ffff
	}
}

// pages cuts an access where it crosses into the next page.
func pages(a *diff.Access) []access {
	first := access{linear: a.Linear, write: a.Write, fetch: a.Fetch, userMode: a.User && !a.Implicit, implicit: a.Implicit}
	if a.Linear%4096+uint64(a.Size) <= 4096 {
		return []access{first}
	}
	second := first
	second.linear = a.Linear&^4095 + 4096
	return []access{first, second}
}

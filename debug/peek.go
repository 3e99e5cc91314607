package debug

import (
	"bytes"

	"x86emu/machine"
	"x86emu/mmu"
)

// Poke stores bytes at a linear address as Peek reads them: whatever the rights,
// and with no effect on the TLB and the tables. It gives how many bytes lie in
// RAM and were stored.
func Poke(m *machine.Machine, lin mmu.Linear, b []byte) (n int) {
	return byPages(m, lin, b, func(p mmu.Phys, part []byte) int {
		if !m.Mem.Backed(p) {
			return 0
		}
		m.Mem.WriteBytes(p, part)
		stored := make([]byte, len(part))
		if m.Mem.Peek(p, stored); !bytes.Equal(stored, part) { // ROM
			return 0
		}
		return len(part)
	})
}

// Peek reads what lies at a linear address, through the TLB and the page tables,
// whatever their rights and with no effect on either. It gives how many bytes
// could be read: they end where the pages do, or RAM and ROM.
func Peek(m *machine.Machine, lin mmu.Linear, b []byte) (n int) {
	return byPages(m, lin, b, m.Mem.Peek)
}

// byPages does bytes at a linear address page by page, as far as there are pages and all
// bytes of one can be done. It gives how many were done.
func byPages(m *machine.Machine, lin mmu.Linear, b []byte, do func(p mmu.Phys, part []byte) int) (n int) {
	for n < len(b) {
		at := lin + mmu.Linear(n)
		frame, ok := frameOf(m, at)
		if !ok {
			break
		}
		part := b[n:min(len(b), n+int(mmu.PageSize-at&mmu.PageMask))]
		done := do(frame|mmu.Phys(at&mmu.PageMask), part)
		n += done
		if done < len(part) {
			break
		}
	}
	return n
}

// frameOf is where a linear address leads.
func frameOf(m *machine.Machine, at mmu.Linear) (mmu.Phys, bool) {
	if e, ok := m.MMU.Cached(at); ok {
		return e.Frame, true
	}
	w := m.MMU.Explain(at, mmu.Read)
	return w.Frame, w.Rule != mmu.RuleNotPresent && w.Rule != mmu.RuleReserved
}

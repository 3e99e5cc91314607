package debug

import (
	"x86emu/machine"
	"x86emu/mmu"
)

// Peek reads what lies at a linear address, through the TLB and the page tables,
// whatever their rights and with no effect on either. It gives how many bytes
// could be read: they end where the pages do, or RAM and ROM.
func Peek(m *machine.Machine, lin mmu.Linear, b []byte) (n int) {
	for n < len(b) {
		at := lin + mmu.Linear(n)
		var frame mmu.Phys
		if e, ok := m.MMU.Cached(at); ok {
			frame = e.Frame
		} else if w := m.MMU.Explain(at, mmu.Read); w.Rule != mmu.RuleNotPresent && w.Rule != mmu.RuleReserved {
			frame = w.Frame
		} else {
			break
		}
		part := b[n:min(len(b), n+int(mmu.PageSize-at&mmu.PageMask))]
		got := m.Mem.Peek(frame|mmu.Phys(at&mmu.PageMask), part)
		n += got
		if got < len(part) {
			break
		}
	}
	return n
}

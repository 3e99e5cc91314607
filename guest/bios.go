package guest

import (
	"fmt"

	"x86emu/decode"
	"x86emu/idt"
	"x86emu/machine"
	"x86emu/mmu"
)

// Call is a call of the BIOS, which is not there: an interrupt in real mode
// whose vector is empty.
type Call struct {
	Vector idt.Vector
	Kind   idt.Kind
	AX     uint16
	Tick   uint64
}

func (c Call) String() string {
	if c.Kind != idt.SoftInt {
		return fmt.Sprintf("%v in real mode at tick %d finds an empty vector: there is no BIOS to handle it", c.Vector, c.Tick)
	}
	return fmt.Sprintf("INT 0x%02x with AX=0x%04x at tick %d calls the BIOS: there is none", uint8(c.Vector), c.AX, c.Tick)
}

// StopAtBIOS ends a run with machine.Stopped at the first call of the BIOS, and
// calls seen with it. Without, the guest would run through the interrupt table as
// if it were code. It stands behind what CPU.OnDelivery does already.
func StopAtBIOS(m *machine.Machine, seen func(Call)) {
	before := m.CPU.OnDelivery
	m.CPU.OnDelivery = func(out *idt.Outcome) {
		if before != nil {
			before(out)
		}
		s := m.CPU.Regs()
		if m.MMU.Ctl.CR0&mmu.CR0PE != 0 || s.Seg[decode.CS].Base != 0 || s.RIP != 0 {
			return
		}
		e := out.Last()
		seen(Call{Vector: e.Vector, Kind: e.Kind, AX: uint16(m.CPU.State().GPR[0]), Tick: m.CPU.Ticks()})
		m.Stop()
	}
}

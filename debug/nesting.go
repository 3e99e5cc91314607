package debug

import (
	"x86emu/idt"
	"x86emu/machine"
	"x86emu/mmu"
)

// Nesting follows which events are being handled, for whoever watches a
// machine's deliveries and returns: it tells how many handlers each of them
// ends. The zero Nesting has none.
//
// A handler is at work until an IRET from its frame, or until the processor is
// at CPL 3 again. One that is left by a longjmp is noticed at the next event.
type Nesting struct{ nest nest }

// Delivered takes in a delivery, at CPU.OnDelivery: it first ends so many
// handlers, innermost first, then begins one; a shutdown does neither.
func (n *Nesting) Delivered(m *machine.Machine, out *idt.Outcome) (ended int) {
	if out.Shutdown {
		return 0
	}
	before := n.Depth()
	n.nest.delivered(m, out)
	return before + 1 - n.Depth()
}

// Returned takes in an IRET, at CPU.OnReturn with its frame: it ends so many
// handlers, innermost first.
func (n *Nesting) Returned(m *machine.Machine, frame mmu.Linear) (ended int) {
	before := n.Depth()
	n.nest.returned(m, frame)
	return before - n.Depth()
}

// Depth is how many handlers are at work.
func (n *Nesting) Depth() int { return n.nest.n + n.nest.deep }

package debug

import (
	"x86emu/idt"
	"x86emu/machine"
	"x86emu/mmu"
)

// nest follows which events are being handled: those that were entered and
// whose handlers have not returned. It is flat, so that each point of a
// history has its own copy.
type nest struct {
	open [maxNest]opened // the outermost first; the deepest are left out
	n    int
}

// opened is an event whose handler is at work.
type opened struct {
	tick  uint64     // of the boundary before its delivery
	frame mmu.Linear // where its frame begins: the lowest address
	fault bool       // an exception, not INT n, an external interrupt or an NMI
}

const (
	maxNest = 32
	// sameStack is how far apart two addresses of one stack may be: for frames
	// that were left without an IRET.
	sameStack = 1 << 16
	// leastFrame is the size in bytes of the smallest frame.
	leastFrame = 6
)

// delivered takes in the delivery just made.
func (s *nest) delivered(m *machine.Machine, out *idt.Outcome) {
	if out.Shutdown {
		return
	}
	frame := m.CPU.StackAt()
	if m.CPU.Interrupted() == 3 {
		s.n = 0 // the program was at work, and no handler
	}
	s.leave(frame + leastFrame - 1)
	if s.n < maxNest {
		s.open[s.n] = opened{m.CPU.Ticks() - 1, frame, out.Chain[0].Kind == idt.Exception}
		s.n++
	}
}

// returned takes in an IRET from a frame.
func (s *nest) returned(m *machine.Machine, frame mmu.Linear) {
	if m.CPU.Regs().CPL == 3 {
		s.n = 0
		return
	}
	s.leave(frame)
}

// leave closes the events whose frames lie at or below an address of their stack.
func (s *nest) leave(sp mmu.Linear) {
	for i, e := range s.open[:s.n] {
		if e.frame <= sp && sp-e.frame < sameStack {
			s.n = i
			return
		}
	}
}

// first is the tick before the event that the chain began with: the outermost
// exception, or where there is none the outermost event.
func (s *nest) first(m *machine.Machine) (tick uint64, ok bool) {
	if s.n == 0 || m.CPU.Regs().CPL == 3 {
		return 0, false
	}
	for _, e := range s.open[:s.n] {
		if e.fault {
			return e.tick, true
		}
	}
	return s.open[0].tick, true
}

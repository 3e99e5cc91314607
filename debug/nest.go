package debug

import (
	"x86emu/idt"
	"x86emu/machine"
	"x86emu/mmu"
)

// nest follows which events are being handled: those that were entered and
// whose handlers have not returned. It is flat, so that each point of a
// history has its own copy.
//
// A handler returns by an IRET from its frame, or by any way to CPL 3. One that
// is left by a longjmp is noticed at the next event, by a stack pointer a
// little above the frame. A guest that changes stacks within a handler can
// mislead that.
type nest struct {
	open [maxNest]opened // the outermost first
	n    int
	deep int // events within the last of them
}

// opened is an event whose handler is at work.
type opened struct {
	tick  uint64     // of the boundary before its delivery
	frame mmu.Linear // where its frame begins: the lowest address
	code  mmu.Linear // the instruction that raised it, or the one that would have come next
	event idt.Event
}

const (
	maxNest = 32
	// errorCode is the most that a handler takes off its frame before IRET.
	errorCode = 8
	// little is how far above a frame the same stack is supposed to go on.
	little = 1 << 14
)

// delivered takes in the delivery just made.
func (s *nest) delivered(m *machine.Machine, out *idt.Outcome) {
	if out.Shutdown {
		return
	}
	from := m.CPU.Interrupted()
	if from.CPL == 3 {
		s.n, s.deep = 0, 0 // the program was at work, and no handler
	}
	for s.n > 0 && s.deep == 0 && from.SP > s.open[s.n-1].frame && from.SP-s.open[s.n-1].frame < little {
		s.n--
	}
	if s.n == maxNest {
		s.deep++
		return
	}
	s.open[s.n] = opened{m.CPU.Ticks() - 1, m.CPU.StackAt(), from.Code, out.Chain[0]}
	s.n++
}

// returned takes in an IRET from a frame.
func (s *nest) returned(m *machine.Machine, frame mmu.Linear) {
	if m.CPU.Regs().CPL == 3 {
		s.n, s.deep = 0, 0
		return
	}
	for i := s.n - 1; i >= 0; i-- {
		if at := s.open[i].frame; at <= frame && frame-at <= errorCode {
			s.n, s.deep = i, 0
			return
		}
	}
	s.deep = max(s.deep-1, 0)
}

// first is the tick before the event that the chain began with: the outermost
// exception, or where there is none the outermost event.
func (s *nest) first(m *machine.Machine) (tick uint64, ok bool) {
	if s.n == 0 || m.CPU.Regs().CPL == 3 {
		return 0, false
	}
	for _, e := range s.open[:s.n] {
		if e.event.Kind == idt.Exception {
			return e.tick, true
		}
	}
	return s.open[0].tick, true
}

package debug

import (
	"context"
	"iter"

	"x86emu/cpu"
	"x86emu/decode"
	"x86emu/idt"
	"x86emu/machine"
)

// Stepper runs a machine and can stop at each stage of an architectural step:
// of an instruction, of an iteration of a repeated one, or of the delivery of
// an event. At a stage the machine stands still in the midst of its work, so
// its memory is what the stage says: after the second push two words lie there
// and no third. Registers are to be asked of State.
//
// Between two steps a Stepper holds nothing of the machine, which may then be
// run, forked and watched by others. In the midst of a step it may only be
// looked at: memory by Peek and Explain, registers by State.
type Stepper struct {
	m    *machine.Machine
	syms *Symbols

	next   func() (*Stage, bool) // nil between two steps
	quiet  bool                  // no more stops in this step
	rec    *Recorder
	stage  *Stage
	index  int
	late   bool // the registers of package idt have gone ahead of the processor's
	result machine.Result
	err    error
}

// NewStepper makes a Stepper of a machine that stands between two instructions.
// Names of places come from syms, which may be nil.
func NewStepper(m *machine.Machine, syms *Symbols) *Stepper {
	return &Stepper{m: m, syms: syms, result: machine.Result{Reason: machine.Budget}}
}

// Next goes on to the next stage and gives it. At the end of the step it gives
// nil; the call after that begins the next step. The error is as machine.Run's.
func (s *Stepper) Next(ctx context.Context) (*Stage, error) {
	if s.next == nil {
		s.begin(ctx)
	}
	stage, ok := s.next()
	if !ok {
		s.next, s.stage, s.index, s.late = nil, nil, 0, false
		s.rec.Close()
		return nil, s.err
	}
	if s.stage != nil {
		s.index++
	}
	s.stage = stage
	switch stage.Kind {
	case StageEvent, StageTaskSave, StageTaskLink, StageTaskLoad, StageTaskDone:
		s.late = true
	}
	return stage, nil
}

// begin starts a step, which then waits at its first stage. The step is a
// coroutine: it runs on another stack, but never at the same time as its
// caller, and hands each stage over from within the observers' calls.
func (s *Stepper) begin(ctx context.Context) {
	s.quiet = false
	s.next, _ = iter.Pull(func(yield func(*Stage) bool) {
		s.rec = Record(s.m, s.syms, func(stage *Stage) {
			if !s.quiet && !yield(stage) {
				s.quiet = true
			}
		})
		s.result, s.err = s.m.Run(ctx, 1)
	})
}

// Step goes on to the end of the step; between two steps it does a whole one,
// unwatched.
func (s *Stepper) Step(ctx context.Context) error {
	if s.next == nil {
		s.result, s.err = s.m.Run(ctx, 1)
		return s.err
	}
	s.quiet = true
	_, err := s.Next(ctx)
	return err
}

// Close ends the step that is under way, at its end. The machine stands between
// two instructions afterwards.
func (s *Stepper) Close() error {
	if s.next == nil {
		return nil
	}
	return s.Step(context.Background())
}

// Machine is the machine that is stepped.
func (s *Stepper) Machine() *machine.Machine { return s.m }

// Stage is the stage at which the machine stands, nil between two steps.
func (s *Stepper) Stage() *Stage { return s.stage }

// Index counts the stages of this step before the present one.
func (s *Stepper) Index() int { return s.index }

// Result is how the last step ended: machine.Budget if the machine can go on.
func (s *Stepper) Result() machine.Result { return s.result }

// State is the processor's state at the stage. While a handler's frame is
// pushed, SS:RSP go with the pushes as in the manual's description of the
// operation; a fault on the way takes them back.
func (s *Stepper) State() cpu.State {
	st := s.m.CPU.State()
	if !s.late {
		return st
	}
	regs := s.m.CPU.Regs()
	st.RIP, st.RFLAGS = regs.RIP, regs.RFLAGS
	d := &s.rec.d
	if d.stack.Choice == "" {
		return st
	}
	sp := uint64(d.stack.RSP) - uint64(d.pushed)*d.size
	if d.stack.Choice != idt.StackCurrent.String() {
		st.Seg[decode.SS], st.GPR[4] = d.ss, uint64(d.stack.RSP)
	}
	switch {
	case s.rec.long():
		st.GPR[4] = sp
	case d.ss.Attr&idt.AttrDB != 0:
		st.GPR[4] = uint64(uint32(sp))
	default: // SP alone moves
		st.GPR[4] = st.GPR[4]&^0xffff | sp&0xffff
	}
	return st
}

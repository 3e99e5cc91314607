package audit

import (
	"slices"

	"x86emu/debug/tables"
	"x86emu/idt"
	"x86emu/mmu"
)

// Verdict is what becomes of an event.
type Verdict string

// The verdicts. Frames, in all but the first two, is how many deliveries
// succeeded whose handlers did not begin.
const (
	Fine        Verdict = "fine"         // its handler begins
	Other       Verdict = "other"        // another handler begins, that of Begins
	Recursion   Verdict = "recursion"    // after Frames, a #DF, whose handler begins
	DoubleFault Verdict = "double fault" // the first delivery becomes #DF, whose handler begins
	Triple      Verdict = "triple fault" // shutdown
	Endless     Verdict = "endless"      // the same state comes round, for ever
	TooLong     Verdict = "too long"     // no end within the limit
)

// Bad tells the verdicts that no kernel wants.
func (v Verdict) Bad() bool { return v != Fine && v != Other }

// Question is an event in an address space, and who is interrupted.
type Question struct {
	Event idt.Event // with the address that it returns to
	CR3   uint64
	From  From
	// Limit is how many deliveries are followed; 0 is DefaultLimit.
	Limit int
}

// DefaultLimit is for recursions without a guard page: at 16 bytes a frame, 1 MiB.
const DefaultLimit = 1 << 16

// Answer is what becomes of a Question.
type Answer struct {
	Verdict      Verdict
	Deliveries   int // that succeeded, the one whose handler begins included
	Frames       int // of them before the first #DF, or in all, whose handlers did not begin
	DoubleFaults int // #DFs among them

	Begins  idt.Event // whose handler begins
	Last    idt.Outcome
	Period  int         // Endless: deliveries in a round
	Vectors [256]uint64 // Endless: how many of the round, by vector

	// The processor in the end: at the handler's first instruction, at a
	// shutdown, or in a round.
	Regs     idt.Regs
	GPR      [16]uint64
	Control  mmu.Control
	DR6, DR7 uint64
	Mem      *mmu.Memory // what memory would be

	// Steps tell the way: the first ones, those on which something failed, and
	// the last one.
	Steps []Step
	// Missing is the first thing that failed; empty if nothing did.
	Missing string
}

// Step is one delivery.
type Step struct {
	N      int // counted from 1
	Chain  []Cause
	Stack  string // which one, and its pointer
	CS     uint16
	RIP    uint64
	Task   bool   // entered by a task switch
	Missed string // why the first fetch fails; empty if it does not

	Shutdown bool // nothing was entered
}

// Cause is an event that was taken, and what failed to bring it about.
type Cause struct {
	Event idt.Event
	Why   string
}

// Ask foretells what becomes of an event. The error says that the address space
// cannot be loaded at all.
func Ask(o *tables.Moment, q Question) (*Answer, error) {
	if q.Limit == 0 {
		q.Limit = DefaultLimit
	}
	s, err := newShadow(o, q.CR3, q.From)
	if err != nil {
		return nil, err
	}
	a := &Answer{}
	trouble := follow(s, q, a)
	a.Regs, a.GPR, a.Control, a.DR6, a.DR7, a.Mem = s.r, s.g, s.m.Ctl, s.dr6, s.dr7, s.m.Mem
	if a.Verdict != Fine {
		// Once more, with an eye on what fails.
		again, err := newShadow(o, q.CR3, q.From)
		if err != nil {
			panic("BUG: an address space can be loaded once only")
		}
		made := a.Deliveries
		if a.Verdict == Triple {
			made++
		}
		a.Steps = tell(again, q, made, trouble)
		a.Missing = first(a.Steps)
	}
	return a, nil
}

// most is how many deliveries with something wrong are told of.
const most = 4

// follow delivers until the end and judges it. It returns the deliveries, counted
// from 1, that met more than the event given.
func follow(s *shadow, q Question, a *Answer) (trouble []int) {
	ev := q.Event
	var anchor *mark
	power := 1
	var round [256]uint64
	for {
		idt.Deliver(s, &ev, &a.Last)
		if a.Last.N > 1 && len(trouble) < most {
			trouble = append(trouble, a.Deliveries+1)
		}
		if a.Last.Shutdown {
			a.Verdict = Triple
			if a.DoubleFaults == 0 {
				a.Frames = a.Deliveries
			}
			return trouble
		}
		last := a.Last.Last()
		a.Deliveries++
		asked := a.Deliveries == 1 && a.Last.N == 1
		if last.Kind == idt.Exception && last.Vector == idt.VecDF && !asked {
			if a.DoubleFaults == 0 {
				a.Frames = a.Deliveries - 1
			}
			a.DoubleFaults++
		}
		if s.begin(&ev) {
			a.Begins = last
			a.judge()
			return trouble
		}
		round[last.Vector]++
		a.Period++
		if anchor != nil && anchor.same(s) {
			a.Verdict, a.Vectors = Endless, round
			return trouble
		}
		if a.Deliveries == q.Limit {
			a.Verdict = TooLong
			return trouble
		}
		// Brent's search: the anchor moves up at distances that double.
		if anchor == nil || a.Period == power {
			anchor, power = s.mark(), power*2
			a.Period, round = 0, [256]uint64{}
		}
	}
}

// same tells whether the processor is where it was when the mark was made.
func (k *mark) same(s *shadow) bool {
	return k.r == s.r && k.g == s.g && k.ctl == s.m.Ctl && k.dr6 == s.dr6 && k.dr7 == s.dr7 &&
		slices.Equal(k.tlb, s.m.TLB()) && k.mem.Equal(s.m.Mem)
}

// judge tells what it means that a handler begins.
func (a *Answer) judge() {
	switch {
	case a.DoubleFaults > 0 && a.Frames > 0:
		a.Verdict = Recursion
	case a.DoubleFaults > 0:
		a.Verdict = DoubleFault
	case a.Deliveries == 1 && a.Last.N == 1:
		a.Verdict = Fine
	default:
		a.Verdict = Other
		a.Frames = a.Deliveries - 1
	}
}

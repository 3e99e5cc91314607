package idt

import (
	"fmt"

	"x86emu/decode"
	"x86emu/mmu"
)

// Observer watches deliveries, returns, far transfers and task switches. What
// it is given is valid during the call only.
type Observer interface{ Delivery(*DeliveryEvent) }

// Stage is what a DeliveryEvent tells about.
type Stage uint8

const (
	StageEvent    Stage = iota // Event is taken, CR2 or DR6 is set: the one given to Deliver, a second fault, the #DF
	StageVector                // real mode: 4 bytes of the IVT were read: Addr, Raw[0]
	StageGate                  // a gate was read: Addr, Raw, Gate
	StageSelector              // a selector's descriptor was read: Selector, Addr, Raw[0], Seg as it decodes
	StageCheck                 // a check was made: Rule, OK
	StageStack                 // the stack was chosen: Choice, Seg, Value its pointer (IST its number)
	StagePush                  // a word was pushed: Addr, Size, Word, Value
	StageEntered               // Event's handler was entered: Seg is CS, Value RIP
	StageShutdown              // Event was the third fault
	StageTaskSave              // the outgoing task was saved: Selector and Addr of its TSS
	StageTaskLink              // back link and busy bits were written: Selector and Addr of the incoming task's TSS
	StageTaskLoad              // the incoming task's state was loaded, segments excepted: Selector and Addr of its TSS
	StageTaskDone              // the incoming task's segments were loaded
)

var stageNames = [...]string{"event", "vector", "gate", "selector", "check", "stack", "push", "entered", "shutdown", "task-save", "task-link", "task-load", "task-done"}

func (s Stage) String() string { return stageNames[s] }

// Choice is why a handler's stack is where it is.
type Choice uint8

const (
	StackCurrent Choice = iota // same privilege level: stays
	StackTSS                   // more privileged level: from the TSS
	StackIST                   // the gate names an IST entry
)

func (c Choice) String() string { return [...]string{"current", "TSS", "IST"}[c] }

// DeliveryEvent is one stage of an operation; which fields it fills is told at
// the stages.
type DeliveryEvent struct {
	Stage    Stage
	Event    Event
	Rule     Rule
	OK       bool
	Choice   Choice
	IST      uint8
	Size     uint8
	Word     Word
	Selector uint16
	Addr     mmu.Linear
	Value    uint64
	Raw      [2]uint64
	Gate     Gate
	Seg      Segment
}

// String tells the stage on one line.
func (e *DeliveryEvent) String() string {
	s := e.Stage.String()
	switch e.Stage {
	case StageEvent, StageShutdown:
		return s + " " + e.Event.String()
	case StageEntered:
		return fmt.Sprintf("%s %v CS:RIP=%04x:%x", s, e.Event.Vector, e.Seg.Sel, e.Value)
	case StageVector:
		return fmt.Sprintf("%s %x: %08x", s, e.Addr, e.Raw[0])
	case StageGate:
		g := &e.Gate
		return fmt.Sprintf("%s %x: type=%x DPL=%d IST=%d target=%04x:%x", s, e.Addr, g.Type, g.DPL, g.IST, g.Selector, g.Offset)
	case StageSelector:
		return fmt.Sprintf("%s %04x %x: %016x", s, e.Selector, e.Addr, e.Raw[0])
	case StageCheck:
		if e.OK {
			return s + " passed: " + e.Rule.String()
		}
		return s + " FAILED: " + e.Rule.String()
	case StageStack:
		return fmt.Sprintf("%s %v SS:RSP=%04x:%x", s, e.Choice, e.Seg.Sel, e.Value)
	case StagePush:
		return fmt.Sprintf("%s %x: %0*x %s", s, e.Addr, 2*e.Size, e.Value, e.Word.Name(e.Size))
	}
	return fmt.Sprintf("%s TSS=%04x at %x", s, e.Selector, e.Addr)
}

// pass reports a check to the observer and gives its result back.
func (p *Core) pass(rule Rule, ok bool) bool {
	if p.obs != nil {
		p.emitCheck(rule, ok)
	}
	return ok
}

// The emitters are called with an observer only: their events are the sole
// heap allocations of this package. They stay out of line, so that the paths
// without an observer stay short.

//go:noinline
func (p *Core) emitCheck(rule Rule, ok bool) {
	p.obs.Delivery(&DeliveryEvent{Stage: StageCheck, Rule: rule, OK: ok})
}

//go:noinline
func (p *Core) emitStage(s Stage, ev *Event) {
	p.obs.Delivery(&DeliveryEvent{Stage: s, Event: *ev})
}

//go:noinline
func (p *Core) emitEntered(ev *Event) {
	p.obs.Delivery(&DeliveryEvent{Stage: StageEntered, Event: *ev, Seg: p.r.Seg[decode.CS], Value: p.r.RIP})
}

//go:noinline
func (p *Core) emitVector(at, raw uint64) {
	p.obs.Delivery(&DeliveryEvent{Stage: StageVector, Addr: mmu.Linear(at), Raw: [2]uint64{raw}})
}

//go:noinline
func (p *Core) emitGate(at, lo, hi uint64, g *Gate) {
	p.obs.Delivery(&DeliveryEvent{Stage: StageGate, Addr: mmu.Linear(at), Raw: [2]uint64{lo, hi}, Gate: *g})
}

//go:noinline
func (p *Core) emitSelector(e *entry) {
	p.obs.Delivery(&DeliveryEvent{
		Stage: StageSelector, Selector: e.sel, Addr: mmu.Linear(e.lin), Raw: [2]uint64{uint64(e.descriptor)},
		Seg: Segment{Sel: e.sel, Attr: e.attr(), Limit: e.limit(), Base: e.base()},
	})
}

//go:noinline
func (p *Core) emitStack(s *stack, inner bool, ist uint8) {
	e := DeliveryEvent{Stage: StageStack, IST: ist, Value: s.sp}
	if s.seg != nil {
		e.Seg = *s.seg
	}
	switch {
	case ist != 0:
		e.Choice = StackIST
	case inner:
		e.Choice = StackTSS
	}
	p.obs.Delivery(&e)
}

//go:noinline
func (p *Core) emitPush(at mmu.Linear, size uint64, w Word, v uint64) {
	v &= ^uint64(0) >> (64 - 8*size)
	p.obs.Delivery(&DeliveryEvent{Stage: StagePush, Addr: at, Size: uint8(size), Word: w, Value: v})
}

//go:noinline
func (p *Core) emitTask(s Stage, sel uint16, base uint64) {
	p.obs.Delivery(&DeliveryEvent{Stage: s, Selector: sel, Addr: mmu.Linear(base)})
}

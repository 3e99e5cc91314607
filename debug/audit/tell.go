package audit

import (
	"fmt"
	"slices"

	"x86emu/debug/tables"
	"x86emu/idt"
	"x86emu/mmu"
)

// aboutLastRead are the rules on the gate or descriptor that was read just before.
var aboutLastRead = map[idt.Rule]bool{
	idt.RuleGateType: true, idt.RuleGateDPL: true, idt.RuleGatePresent: true, idt.RuleHandlerNull: true, idt.RuleHandlerLimit: true,
	idt.RuleHandlerType: true, idt.RuleHandler64: true, idt.RuleHandlerDPL: true, idt.RuleHandlerPresent: true, idt.RuleHandlerV86: true,
	idt.RuleInnerSSRPL: true, idt.RuleInnerSSDPL: true, idt.RuleInnerSSType: true, idt.RuleInnerSSPresent: true,
	idt.RuleTaskInGDT: true, idt.RuleTaskLimit: true, idt.RuleTaskAvailable: true, idt.RuleTaskPresent: true, idt.RuleTSSSize: true,
	idt.RuleTaskCSType: true, idt.RuleTaskCSDPL: true, idt.RuleTaskCSPresent: true,
	idt.RuleTaskSSType: true, idt.RuleTaskSSDPL: true, idt.RuleTaskSSPresent: true,
}

// teller watches deliveries and keeps why they fail.
type teller struct {
	step   *Step
	failed string // the last thing that did
	where  string // the gate or descriptor that was read last
}

// Delivery is idt.Observer's.
func (t *teller) Delivery(e *idt.DeliveryEvent) {
	switch e.Stage {
	case idt.StageEvent:
		t.step.Chain = append(t.step.Chain, Cause{e.Event, t.failed})
		t.failed, t.where = "", ""
	case idt.StageGate:
		t.where = fmt.Sprintf("gate %s at 0x%x = 0x%x", t.vector(), uint64(e.Addr), e.Raw[0])
	case idt.StageSelector:
		t.where = fmt.Sprintf("descriptor 0x%x at 0x%x = 0x%x", e.Selector&^3, uint64(e.Addr), e.Raw[0])
	case idt.StageCheck:
		if !e.OK {
			t.failed = "not so: " + e.Rule.String()
			if t.where != "" && aboutLastRead[e.Rule] {
				t.failed = t.where + ", " + t.failed
			}
		}
	case idt.StageStack:
		t.step.Stack = fmt.Sprintf("%s, 0x%x", e.Choice, e.Value)
		if e.Choice == idt.StackIST {
			t.step.Stack = fmt.Sprintf("IST%d, 0x%x", e.IST, e.Value)
		}
	case idt.StageTaskLoad:
		t.step.Task = true
	case idt.StageEntered:
		t.step.CS, t.step.RIP = e.Seg.Sel, e.Value
	}
}

// vector is that of the event under way.
func (t *teller) vector() idt.Vector { return t.step.Chain[len(t.step.Chain)-1].Event.Vector }

// walked is mmu's OnWalk.
func (t *teller) walked(w *mmu.Walk) {
	if !w.OK() {
		t.failed = tables.Missing(w)
	}
}

// tell goes the same way again, so many deliveries, and keeps the steps of
// interest: the first two, those with trouble, and the last.
func tell(s *shadow, q Question, deliveries int, trouble []int) []Step {
	ev := q.Event
	var steps []Step
	var out idt.Outcome
	t := &teller{}
	for n := 1; n <= deliveries; n++ {
		told := n <= 2 || n >= deliveries || slices.Contains(trouble, n)
		t.step = &Step{N: n}
		s.core.Observe(nil)
		s.m.OnWalk = nil
		if told {
			s.core.Observe(t)
			s.m.OnWalk = t.walked
		}
		t.failed = ""
		idt.Deliver(s, &ev, &out)
		t.step.Shutdown = out.Shutdown
		if !out.Shutdown && !s.begin(&ev) {
			t.step.Missed = t.failed
			if ev.Vector == idt.VecDB {
				t.step.Missed = "the task's T flag: #DB before its first instruction"
			}
		}
		if told {
			steps = append(steps, *t.step)
		}
	}
	return steps
}

// first is the first thing that failed.
func first(steps []Step) string {
	for i := range steps {
		for _, c := range steps[i].Chain {
			if c.Why != "" {
				return c.Why
			}
		}
		if steps[i].Missed != "" {
			return steps[i].Missed
		}
	}
	return ""
}

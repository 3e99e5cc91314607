package debug

import (
	"fmt"
	"strings"
)

// String tells the stage on one line.
func (s *Stage) String() string {
	label, text := s.words()
	return label + " " + text
}

// words tells the stage on one line: what it is about, and what there is to say.
func (s *Stage) words() (label, text string) {
	p := fmt.Sprintf
	switch s.Kind {
	case StageInstruction:
		i := s.Inst
		return "instruction", p("%s:%s%s  %s", i.CS, i.RIP, at(i.At), i.Text)
	case StageAccess:
		a := s.Access
		return "access", p("%s %s of %s: %s", a.Mode, a.Kind, a.Lin, a.For)
	case StageLevel:
		return "level", s.Level.String()
	case StageVerdict:
		if v := s.Verdict; !v.OK {
			return "verdict", p("refused, %s: %s", v.Rule, refusals[v.Rule])
		}
		return "verdict", p("allowed, physical %s", s.Verdict.Phys)
	case StageStale:
		return "stale TLB", s.Stale.Head()
	case StageData:
		verb := "read"
		if s.Data.Write {
			verb = "written"
		}
		return "data", p("%s %s: %s", s.Data.Lin, verb, s.Data.Value.wide(s.Data.Size))
	case StageEvent:
		e := s.Event
		text = p("%s, %s", e.Name, e.Words)
		if e.Code != nil {
			text += p(", error code %s", *e.Code)
		}
		if e.CR2 != nil {
			text += p(", CR2 %s", *e.CR2)
		}
		if e.Float != nil {
			text = p("%s (%s), %s", e.Name, e.Float.CR0+e.Float.Unmasked, e.Words)
		}
		return "event", text
	case StageGate:
		return "gate", p("of vector %d at %s: %s", s.Gate.Vector, s.Gate.Lin, s.Gate.Type)
	case StageSelector:
		return "selector", p("%s, in the %s at %s: %s", s.Selector.Sel, s.Selector.Table, s.Selector.Lin, s.Selector.Type)
	case StageCheck:
		return "check", p("%-4s  %s", map[bool]string{true: "ok", false: "FAIL"}[s.Check.OK], s.Check.Rule)
	case StageStack:
		return "stack", p("%s:%s: %s", s.Stack.SS, s.Stack.RSP, s.Stack.Why)
	case StagePush:
		return "push", p("%-10s [%s] = %s", s.Push.Name, s.Push.Lin, s.Push.Value.wide(s.Push.Size))
	case StageTaskSave:
		return "task switch", p("the old task is saved in its TSS %s at %s", s.Task.TSS, s.Task.Base)
	case StageTaskLink:
		return "task switch", p("back link and busy bits are written, TSS %s at %s", s.Task.TSS, s.Task.Base)
	case StageTaskLoad:
		return "task switch", p("registers and CR3 are loaded from TSS %s at %s", s.Task.TSS, s.Task.Base)
	case StageTaskDone:
		return "task switch", "segments are loaded: the new task is complete"
	case StageEntered:
		e := s.Entered
		return "entered", p("%s:%s%s, CPL %d, stack %s:%s", e.CS, e.RIP, at(e.At), e.CPL, e.SS, e.RSP)
	}
	return "shutdown", "a fault while a double fault is delivered: the processor stops"
}

// String tells an entry of the page tables on one line.
func (l *Level) String() string {
	where := "[" + l.At.String() + "]"
	if l.Size == 0 {
		where = "register"
	}
	return fmt.Sprintf("%-5s %-14s = %s  %s", l.Level, where, l.Raw.wide(max(l.Size, 4)), l.Bits)
}

func presence(p bool) string { return map[bool]string{true: "present", false: "not present"}[p] }

// at is a place in angle brackets, as disassemblers write it.
func at(p *Place) string {
	if p == nil {
		return ""
	}
	return " <" + p.String() + ">"
}

// Spaced puts a space between the bytes of a string of digits.
func Spaced(digits string) string {
	var b strings.Builder
	for i := 0; i+1 < len(digits); i += 2 {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(digits[i : i+2])
	}
	return b.String()
}

func plural(n uint64, noun string) string {
	switch {
	case n == 1:
		return "1 " + noun
	case strings.HasSuffix(noun, "y"):
		noun = noun[:len(noun)-1] + "ie"
	case strings.HasSuffix(noun, "s"):
		noun += "e"
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

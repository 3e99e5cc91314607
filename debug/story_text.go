package debug

import (
	"bufio"
	"fmt"
	"io"
	"reflect"
	"strings"
)

// WriteText writes the story for people: each event indented under what caused
// it, except that the rounds of a recursion stand one below the other.
func (s *Story) WriteText(w io.Writer) error {
	t := &storyText{w: bufio.NewWriter(w), story: s}
	depth := map[int]int{}
	var before *Event // the last one told
	for i := range s.Events {
		e := &s.Events[i]
		d := 0
		if e.Cause != 0 {
			d = depth[e.Cause] + 1
		}
		if i > 0 && (e.Fold != nil || s.Events[i-1].Fold != nil || alike(&s.Events[i-1], e)) {
			d = depth[e.Cause]
		}
		depth[e.ID] = d
		t.indent = strings.Repeat("  ", d)
		t.event(e, before)
		if e.Fold == nil {
			before = e
		}
	}
	t.indent = ""
	t.end()
	return t.w.Flush()
}

// alike tells whether two events are rounds of one recursion.
func alike(a, b *Event) bool {
	x, y := shapeOf(a), shapeOf(b)
	return x.ok && x.text == y.text
}

// repeats counts the stages, up to the choice of the stack, with which an event
// only repeats the one before it.
func (e *Event) repeats(before *Event) int {
	if before == nil || e.How != before.How {
		return 0
	}
	for i := range e.Stages {
		if e.Stages[i].Kind == StageStack {
			return i
		}
		if i >= len(before.Stages) || e.Stages[i].Kind != before.Stages[i].Kind {
			return 0
		}
		x, y := e.Stages[i], before.Stages[i]
		y.Tick = x.Tick
		if !reflect.DeepEqual(x, y) {
			return 0
		}
	}
	return 0
}

type storyText struct {
	w      *bufio.Writer
	story  *Story
	indent string
	walk   []*Stage // the walk being read: access and levels
}

// line writes a line: what it is about, and what there is to say.
func (t *storyText) line(label, format string, args ...any) {
	text := strings.TrimRight(fmt.Sprintf("%s  %-12s %s", t.indent, label, fmt.Sprintf(format, args...)), " ")
	t.w.WriteString(text)
	t.w.WriteByte('\n')
}

func (t *storyText) event(e, before *Event) {
	if f := e.Fold; f != nil {
		fmt.Fprintf(t.w, "%s... %d more %s", t.indent, f.Count, e.Name)
		switch {
		case f.Lower > 0:
			fmt.Fprintf(t.w, ", each %d bytes lower", f.Lower)
		case f.Lower < 0:
			fmt.Fprintf(t.w, ", each %d bytes higher", -f.Lower)
		}
		t.w.WriteString(" ...\n")
		return
	}
	words := ""
	if s := e.Find(StageEvent); s != nil && s.Event.Words != "" {
		words = ", " + s.Event.Words
	}
	fmt.Fprintf(t.w, "%stick %d: %s%s%s\n", t.indent, e.Tick, e.Name, words, t.how(e))
	t.walk = nil
	same := e.repeats(before)
	if same > 0 {
		t.line("as before", "up to the choice of the stack")
	}
	for i := range e.Stages[same:] {
		t.stage(&e.Stages[same+i])
	}
	if e.Outcome == OutcomeDoubled {
		t.line("outcome", "not delivered: it becomes a double fault")
	}
}

// how tells what an event came of.
func (t *storyText) how(e *Event) string {
	cause := t.story.at(e.Cause)
	switch {
	case e.How == CauseBetween:
		return ", between two instructions"
	case cause == nil:
		return ""
	case e.How == CauseDelivery:
		return fmt.Sprintf(", met while %s was delivered", cause.Name)
	case e.How == CauseDouble:
		first := ""
		if c := t.story.at(cause.Cause); c != nil {
			first = c.Name
		}
		return fmt.Sprintf(", for %s was met while %s was delivered", cause.Name, first)
	case e.How == CauseFetch:
		return fmt.Sprintf(", for the first instruction of the handler of %s cannot be fetched", cause.Name)
	}
	return fmt.Sprintf(", by the first instruction of the handler of %s", cause.Name)
}

// stage writes what a stage has to say.
func (t *storyText) stage(s *Stage) {
	switch s.Kind {
	case StageInstruction:
		t.instruction(s.Inst)
	case StageAccess:
		t.walk = append(t.walk[:0], s)
	case StageLevel:
		t.walk = append(t.walk, s)
	case StageVerdict:
		t.verdict(s.Verdict)
	case StageData:
		verb := "read"
		if s.Data.Write {
			verb = "written"
		}
		t.line("data", "%s %s: %s", s.Data.Lin, verb, s.Data.Value.wide(s.Data.Size))
	case StageEvent:
		t.taken(s.Event)
	case StageGate:
		t.gate(s.Gate)
	case StageSelector:
		d := s.Selector
		t.line("selector", "%s, in the %s at %s: %s", d.Sel, d.Table, d.Lin, d.Raw.wide(8))
		t.line("", "%s, %s, DPL %d, base %s, limit %s", d.Type, presence(d.Present), d.DPL, d.Base, d.Limit)
	case StageCheck:
		t.line("check", "%s  %s", map[bool]string{true: "ok  ", false: "FAIL"}[s.Check.OK], s.Check.Rule)
	case StageStack:
		t.line("stack", "%s:%s: %s", s.Stack.SS, s.Stack.RSP, s.Stack.Why)
	case StagePush:
		t.line("push", "%-10s [%s] = %s", s.Push.Name, s.Push.Lin, s.Push.Value.wide(s.Push.Size))
	case StageEntered:
		e := s.Entered
		t.line("entered", "%s:%s%s, CPL %d, stack %s:%s", e.CS, e.RIP, at(e.At), e.CPL, e.SS, e.RSP)
		t.line("", "flags %s = %s", e.RFLAGS, bitNames(uint64(e.RFLAGS), flagNames))
	case StageShutdown:
		t.line("shutdown", "a fault while a double fault is delivered: the processor stops")
	case StageTaskSave:
		t.line("task switch", "the old task is saved in its TSS %s at %s", s.Task.TSS, s.Task.Base)
	case StageTaskLink:
		t.line("task switch", "back link and busy bits are written, TSS %s at %s", s.Task.TSS, s.Task.Base)
	case StageTaskLoad:
		t.line("task switch", "registers and CR3 are loaded from TSS %s at %s", s.Task.TSS, s.Task.Base)
	case StageTaskDone:
		t.line("task switch", "segments are loaded: the new task is complete")
	}
}

func (t *storyText) instruction(i *Instruction) {
	t.line("instruction", "%s:%s%s, CPL %d, %d-bit code", i.CS, i.RIP, at(i.At), i.CPL, i.Bits)
	t.line("", "%s  %s", spaced(i.Bytes), i.Text)
	if i.Level0 && i.CPL != 0 {
		t.line("", "an instruction for CPL 0")
	}
	for _, o := range i.Operands {
		size, refused := "", ""
		if o.Size != 0 {
			size = ", " + plural(uint64(o.Size), "byte")
		}
		if o.Refused != "" {
			refused = "  <- " + o.Refused
		}
		t.line("operand", "%s:%s, base %s: linear %s%s%s%s", o.Segment, o.Offset, o.Base, o.Lin, at(o.At), size, refused)
	}
}

func (t *storyText) verdict(v *Verdict) {
	a, levels := &Access{}, []Level(nil)
	for _, s := range t.walk {
		if s.Access != nil {
			a = s.Access
		} else {
			levels = append(levels, *s.Level)
		}
	}
	if v.OK {
		path := ""
		for _, l := range levels {
			path += fmt.Sprintf("%s %s, ", l.Level, l.Raw)
		}
		t.line("walk", "%s, %s %s %s: %sphysical %s", a.For, a.Mode, a.Kind, v.Lin, path, v.Phys)
		return
	}
	t.line("walk", "%s, %s %s %s, %s paging, CR3 %s", a.For, a.Mode, a.Kind, v.Lin, a.Paging, a.CR3)
	t.levels(levels, v)
	if v.FromTLB {
		t.line("", "decided by an entry of the TLB: %s; the tables say:", v.Rights)
		t.levels(v.Tables, v)
	}
	t.line("verdict", "refused, %s: %s", v.Rule, refusals[v.Rule])
}

// levels writes a line for each entry of a walk.
func (t *storyText) levels(all []Level, v *Verdict) {
	for _, l := range all {
		where, mark := "["+l.At.String()+"]", ""
		if l.Level == v.Level {
			mark = "  <- " + v.Rule
		}
		if l.Size == 0 {
			where = "register"
		}
		t.line("", "%-5s %-14s = %s  %s%s", l.Level, where, l.Raw.wide(max(l.Size, 4)), l.Bits, mark)
	}
}

func (t *storyText) taken(e *Taken) {
	if e.Code != nil {
		means := e.Means
		if means != "" {
			means = " = " + means
		}
		t.line("error code", "%s%s", *e.Code, means)
	}
	if e.CR2 != nil {
		t.line("CR2", "%s%s", *e.CR2, at(e.CR2At))
	}
	if e.DR6 != nil {
		t.line("DR6", "sets %s = %s", *e.DR6, bitNames(uint64(*e.DR6), dr6Names))
	}
	t.line("returns to", "%s%s", e.Return, at(e.At))
}

func (t *storyText) gate(g *Gate) {
	raw := g.Raw.wide(8)
	if g.High != nil {
		raw += " " + g.High.wide(8)
	}
	if !g.protected() {
		t.line("vector", "%d at %s: %s, handler %s:%s%s", g.Vector, g.Lin, g.Raw.wide(4), *g.CS, *g.RIP, at(g.At))
		return
	}
	t.line("gate", "of vector %d at %s: %s", g.Vector, g.Lin, raw)
	to := ""
	switch {
	case g.TSS != nil:
		to = fmt.Sprintf("TSS %s", *g.TSS)
	case g.CS != nil:
		to = fmt.Sprintf("handler %s:%s%s", *g.CS, *g.RIP, at(g.At))
	}
	if g.IST != 0 {
		to = fmt.Sprintf("IST%d, %s", g.IST, to)
	}
	t.line("", "%s, %s, DPL %d, %s", g.Type, presence(g.Present), g.DPL, to)
}

// end tells how the story ends.
func (t *storyText) end() {
	switch t.story.End {
	case "handler":
		fmt.Fprintln(t.w, "the handler runs")
	case "endless":
		n := t.story.Loop.Period
		fmt.Fprintf(t.w, "and so on for ever: the same state comes round with every %s\n", map[bool]string{true: "delivery", false: plural(n, "delivery")}[n == 1])
	case "cut":
		fmt.Fprintln(t.w, "... (not followed further)")
	case "exit", "halt":
		fmt.Fprintf(t.w, "the run ends: %s\n", t.story.End)
	}
}

func presence(p bool) string { return map[bool]string{true: "present", false: "not present"}[p] }

// at is a place in angle brackets, as disassemblers write it.
func at(p *Place) string {
	if p == nil {
		return ""
	}
	return " <" + p.String() + ">"
}

// spaced puts a space between the bytes of a string of digits.
func spaced(digits string) string {
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
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

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
	t.stale()
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
func (t *storyText) line(label, text string) {
	t.w.WriteString(strings.TrimRight(fmt.Sprintf("%s  %-12s %s", t.indent, label, text), " "))
	t.w.WriteByte('\n')
}

func (t *storyText) linef(label, format string, args ...any) {
	t.line(label, fmt.Sprintf(format, args...))
}

// stale tells the uses of stale TLB entries that came before.
func (t *storyText) stale() {
	for i := range t.story.Stale {
		u := &t.story.Stale[i]
		fmt.Fprintf(t.w, "tick %d: stale TLB entry used: %s\n", u.Tick, u.Head())
		for _, text := range u.Details {
			t.line("", text)
		}
	}
	if t.story.StaleMore > 0 {
		fmt.Fprintf(t.w, "... %d more uses of stale TLB entries ...\n", t.story.StaleMore)
	}
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

// stage writes what a stage has to say, some in several lines.
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
	case StageEvent:
		t.taken(s.Event)
	case StageGate:
		t.gate(s.Gate)
	case StageSelector:
		t.selector(s.Selector)
	case StageStale:
		t.line(s.words())
		for _, text := range s.Stale.Details {
			t.line("", text)
		}
	case StageEntered:
		t.line(s.words())
		t.line("", "flags "+s.Entered.RFLAGS.String()+" = "+bitNames(uint64(s.Entered.RFLAGS), FlagBits))
	default:
		t.line(s.words())
	}
}

func (t *storyText) selector(d *Selector) {
	t.linef("selector", "%s, in the %s at %s: %s", d.Sel, d.Table, d.Lin, d.Raw.wide(8))
	t.linef("", "%s, %s, DPL %d, base %s, limit %s", d.Type, presence(d.Present), d.DPL, d.Base, d.Limit)
}

func (t *storyText) instruction(i *Instruction) {
	t.linef("instruction", "%s:%s%s, CPL %d, %d-bit code", i.CS, i.RIP, at(i.At), i.CPL, i.Bits)
	t.linef("", "%s  %s", Spaced(i.Bytes), i.Text)
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
		t.linef("operand", "%s:%s, base %s: linear %s%s%s%s", o.Segment, o.Offset, o.Base, o.Lin, at(o.At), size, refused)
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
		t.linef("walk", "%s, %s %s %s: %sphysical %s", a.For, a.Mode, a.Kind, v.Lin, path, v.Phys)
		return
	}
	t.linef("walk", "%s, %s %s %s, %s paging, CR3 %s", a.For, a.Mode, a.Kind, v.Lin, a.Paging, a.CR3)
	t.levels(levels, v)
	if v.FromTLB {
		t.linef("", "decided by an entry of the TLB: %s; the tables say:", v.Rights)
		t.levels(v.Tables, v)
	}
	t.line((&Stage{Kind: StageVerdict, Verdict: v}).words())
}

// levels writes a line for each entry of a walk.
func (t *storyText) levels(all []Level, v *Verdict) {
	for i := range all {
		mark := ""
		if all[i].Level == v.Level {
			mark = "  <- " + v.Rule
		}
		t.line("", all[i].String()+mark)
	}
}

func (t *storyText) taken(e *Taken) {
	if e.Code != nil {
		means := e.Means
		if means != "" {
			means = " = " + means
		}
		t.linef("error code", "%s%s", *e.Code, means)
	}
	if e.CR2 != nil {
		t.linef("CR2", "%s%s", *e.CR2, at(e.CR2At))
	}
	if e.DR6 != nil {
		t.linef("DR6", "sets %s = %s", *e.DR6, bitNames(uint64(*e.DR6), dr6Names))
	}
	if e.Float != nil {
		t.float(e.Float)
	}
	t.linef("returns to", "%s%s", e.Return, at(e.At))
}

// segmented is an address with its selector, if that is known.
func segmented(sel, offset Hex) string {
	if sel == 0 {
		return offset.String()
	}
	return sel.String() + ":" + offset.String()
}

// float tells why #NM, #MF or #XM was raised, and by whom.
func (t *storyText) float(f *FloatFault) {
	t.line("cause", f.Why)
	switch {
	case f.By != nil:
		t.linef("", "FSW %s, FCW %s", *f.Status, *f.Control)
		t.linef("x87", "last instruction %s%s, opcode %s  %s", segmented(f.By.CS, f.By.RIP), at(f.By.At), f.By.Opcode, f.By.Text)
		if f.By.DS != 0 || f.By.Operand != 0 {
			t.linef("", "last operand in memory %s", segmented(f.By.DS, f.By.Operand))
		}
	case f.Status != nil:
		t.linef("", "MXCSR %s", *f.Status)
	}
}

func (t *storyText) gate(g *Gate) {
	raw := g.Raw.wide(8)
	if g.High != nil {
		raw += " " + g.High.wide(8)
	}
	if !g.protected() {
		t.linef("vector", "%d at %s: %s, handler %s:%s%s", g.Vector, g.Lin, g.Raw.wide(4), *g.CS, *g.RIP, at(g.At))
		return
	}
	t.linef("gate", "of vector %d at %s: %s", g.Vector, g.Lin, raw)
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
	t.linef("", "%s, %s, DPL %d, %s", g.Type, presence(g.Present), g.DPL, to)
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
	case "exit", "halt", "off", "reset":
		fmt.Fprintf(t.w, "the run ends: %s\n", t.story.End)
	}
}

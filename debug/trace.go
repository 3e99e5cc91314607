package debug

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"x86emu/cpu"
	"x86emu/idt"
	"x86emu/machine"
	"x86emu/mmu"
)

// Kinds is a set of kinds of events.
type Kinds uint8

const (
	KindInst  Kinds = 1 << iota // an instruction is about to run
	KindMem                     // the program reads or writes data
	KindWalk                    // the page tables are walked
	KindEvent                   // an exception or interrupt: taken, entered, shutdown; a task switch
	KindStage                   // the steps of a delivery: gates, checks, stacks, pushes
	KindIO                      // a port is read or written

	AllKinds = 1<<iota - 1
)

// kindNames are what ParseKinds takes.
var kindNames = []string{"inst", "mem", "walk", "event", "stage", "io"}

// ParseKinds reads a comma-separated list of kinds, or "all".
func ParseKinds(list string) (Kinds, error) {
	var k Kinds
	for _, name := range strings.Split(list, ",") {
		if name == "all" {
			return AllKinds, nil
		}
		i := slices.Index(kindNames, name)
		if i < 0 {
			return 0, fmt.Errorf("kind %q: must be of %s, or all", name, strings.Join(kindNames, ", "))
		}
		k |= 1 << i
	}
	return k, nil
}

// Filter chooses events.
type Filter struct {
	Kinds Kinds
	// First and Last bound the linear address: of an instruction, of the data
	// of an access or walk, of a #PF's CR2, and for other events of the
	// instruction that they happen at.
	First, Last uint64
	Count       uint64 // stop after so many; 0: no end
}

// Tracer writes one line for each event of a machine that its filter lets
// through, in order.
type Tracer struct {
	f    Filter
	w    *bufio.Writer
	m    *machine.Machine
	gnu  bool
	rec  record
	left uint64
	here uint64 // linear address of the present instruction
	done func()
}

// TraceOptions are how a trace is written.
type TraceOptions struct {
	JSON bool
	GNU  bool   // AT&T syntax
	Done func() // called once when Filter.Count events are written
}

// NewTracer watches a machine from now on.
func NewTracer(m *machine.Machine, w io.Writer, f Filter, o TraceOptions) *Tracer {
	t := &Tracer{f: f, w: bufio.NewWriterSize(w, 1<<16), m: m, gnu: o.GNU, left: f.Count, done: o.Done}
	t.rec.json = o.JSON
	if f.Count == 0 {
		t.left = ^uint64(0)
	}
	m.CPU.SetObserver(t)
	if f.Kinds&KindWalk != 0 {
		m.MMU.OnWalk = t.walk
	}
	if f.Kinds&KindIO != 0 {
		m.OnIO = t.io
	}
	return t
}

// Close ends the watch and writes what is buffered.
func (t *Tracer) Close() error {
	t.m.CPU.SetObserver(nil)
	t.m.MMU.OnWalk = nil
	t.m.OnIO = nil
	return t.w.Flush()
}

// wants tells whether an event at a linear address is to be written, and if
// so begins its line.
func (t *Tracer) wants(k Kinds, lin uint64, name string) bool {
	if t.f.Kinds&k == 0 || lin < t.f.First || lin > t.f.Last || t.left == 0 {
		return false
	}
	t.rec.begin(t.m.CPU.Ticks(), name)
	return true
}

// put writes the line.
func (t *Tracer) put() {
	t.w.Write(t.rec.end()) // the error comes out of Flush
	if t.left--; t.left == 0 {
		t.m.CPU.RequestStop()
		if t.done != nil {
			t.done()
		}
	}
}

// Instruction is cpu.Observer's.
func (t *Tracer) Instruction(e *cpu.InstEvent) {
	t.here = uint64(e.Linear)
	if !t.wants(KindInst, t.here, "inst") {
		return
	}
	t.rec.hex("cs", uint64(e.CS))
	t.rec.hex("rip", e.RIP)
	if t.gnu {
		t.rec.text("text", e.Inst.GNU(e.RIP))
	} else {
		t.rec.text("text", e.Inst.Intel(e.RIP))
	}
	t.put()
}

// Access is cpu.Observer's.
func (t *Tracer) Access(e *cpu.AccessEvent) {
	name := "read"
	if e.Write {
		name = "write"
	}
	if !t.wants(KindMem, uint64(e.Linear), name) {
		return
	}
	t.rec.hex("lin", uint64(e.Linear))
	t.rec.num("size", uint64(e.Size))
	t.rec.hex("value", e.Value)
	t.put()
}

// io is the machine's.
func (t *Tracer) io(e machine.IOEvent) {
	name := "in"
	if e.Write {
		name = "out"
	}
	if !t.wants(KindIO, t.here, name) {
		return
	}
	t.rec.hex("port", uint64(e.Port))
	t.rec.num("size", uint64(e.Size))
	t.rec.hex("value", uint64(e.Value))
	t.put()
}

// walk is the MMU's.
func (t *Tracer) walk(w *mmu.Walk) {
	if !t.wants(KindWalk, uint64(w.Lin), "walk") {
		return
	}
	r := &t.rec
	r.hex("lin", uint64(w.Lin))
	r.text("access", w.Access.String())
	for i := range w.Steps[:w.N] {
		s := &w.Steps[i]
		r.hex(s.Level.String(), s.Raw)
		if s.Size != 0 { // else a PDPTE register
			r.at(s.Level.String()+".at", uint64(s.At))
		}
		r.note(s.Level.String()+".bits", s.Flags())
	}
	if w.OK() {
		r.hex("phys", uint64(w.Phys()))
	} else {
		r.text("rule", w.Rule.String())
		r.hex("code", uint64(w.Code))
		r.note("means", mmu.CodeString(w.Code))
	}
	t.put()
}

// Delivery is idt.Observer's.
func (t *Tracer) Delivery(e *idt.DeliveryEvent) {
	kind := KindStage
	switch e.Stage {
	case idt.StageEvent, idt.StageEntered, idt.StageShutdown, idt.StageTaskSave, idt.StageTaskLink, idt.StageTaskLoad, idt.StageTaskDone:
		kind = KindEvent
	}
	at := t.here
	if e.Event.IsPageFault() {
		at = e.Event.CR2
	}
	if !t.wants(kind, at, e.Stage.String()) {
		return
	}
	t.stage(e)
	t.put()
}

// stage tells what a stage fills in.
func (t *Tracer) stage(e *idt.DeliveryEvent) {
	r := &t.rec
	switch e.Stage {
	case idt.StageEvent, idt.StageShutdown:
		t.event(&e.Event)
	case idt.StageEntered:
		t.name(&e.Event)
		r.hex("cs", uint64(e.Seg.Sel))
		r.hex("rip", e.Value)
	case idt.StageVector:
		r.hex("lin", uint64(e.Addr))
		r.hex("raw", e.Raw[0])
	case idt.StageGate:
		g := &e.Gate
		r.text("type", idt.Attr(g.Type).TypeText(t.long()))
		r.num("dpl", uint64(g.DPL))
		if g.IST != 0 {
			r.num("ist", uint64(g.IST))
		}
		if idt.Attr(g.Type).IsTaskGate() {
			r.hex("tss", uint64(g.Selector))
		} else {
			r.hex("cs", uint64(g.Selector))
			r.hex("rip", g.Offset)
		}
		r.hex("lin", uint64(e.Addr))
		r.hex("raw", e.Raw[0])
		if t.long() {
			r.hex("high", e.Raw[1])
		}
	case idt.StageSelector:
		r.hex("sel", uint64(e.Selector))
		r.text("type", e.Seg.Attr.TypeText(t.long()))
		r.num("dpl", uint64(e.Seg.Attr.DPL()))
		r.hex("base", e.Seg.Base)
		r.hex("limit", uint64(e.Seg.Limit))
		r.hex("lin", uint64(e.Addr))
		r.hex("raw", e.Raw[0])
	case idt.StageCheck:
		r.verdict(e.OK)
		r.text("rule", e.Rule.String())
	case idt.StageStack:
		r.text("choice", e.Choice.String())
		r.hex("ss", uint64(e.Seg.Sel))
		r.hex("rsp", e.Value)
		if e.IST != 0 {
			r.num("ist", uint64(e.IST))
		}
	case idt.StagePush:
		r.text("word", e.Word.Name(e.Size))
		r.hex("lin", uint64(e.Addr))
		r.num("size", uint64(e.Size))
		r.hex("value", e.Value)
	default:
		r.hex("tss", uint64(e.Selector))
		r.hex("lin", uint64(e.Addr))
	}
}

// long tells whether the processor is in IA-32e mode.
func (t *Tracer) long() bool { return t.m.MMU.Ctl.EFER&mmu.EFERLMA != 0 }

// name tells which event it is; the vector is in the name, but for programs.
func (t *Tracer) name(e *idt.Event) {
	t.rec.text("event", e.Name())
	if t.rec.json {
		t.rec.num("vector", uint64(e.Vector))
	}
}

// event tells an event: error code, CR2, where it returns to.
func (t *Tracer) event(e *idt.Event) {
	t.name(e)
	if e.HasCode {
		t.rec.hex("code", uint64(e.Code))
		t.rec.note("means", e.CodeText())
	}
	if e.IsPageFault() {
		t.rec.hex("cr2", e.CR2)
	}
	t.rec.hex("return", e.Return)
}

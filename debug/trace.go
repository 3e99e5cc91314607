package debug

import (
	"fmt"
	"slices"
	"strings"

	"x86emu/cpu"
	"x86emu/decode"
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
	KindRegs                    // registers have changed

	AllKinds = 1<<iota - 1
)

// kindNames are what ParseKinds takes.
var kindNames = []string{"inst", "mem", "walk", "event", "stage", "io", "regs"}

// String lists the kinds as ParseKinds takes them.
func (k Kinds) String() string {
	var names []string
	for i, name := range kindNames {
		if k>>i&1 != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, ",")
}

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

// Holds tells whether an event of a kind at a linear address is chosen.
func (f *Filter) Holds(k Kinds, lin uint64) bool {
	return f.Kinds&k != 0 && lin >= f.First && lin <= f.Last
}

// TraceInst is an instruction about to run.
type TraceInst struct {
	Tick     uint64
	CS       uint16
	RIP, Lin uint64
	Mode     decode.Mode
	Code     []byte // as many bytes as it has
	Inst     *decode.Inst
}

// TraceWriter takes the events of a trace, in order; what it is given is good
// during the call. What can be kept smaller than as a line comes by itself.
type TraceWriter interface {
	Instruction(*TraceInst)
	Access(*cpu.AccessEvent)
	// Registers tells what has changed since the last call. The first tells all
	// that is not 0.
	Registers(tick uint64, changes []Change)
	// Line is any other event: a flat JSON object with its newline.
	Line(line []byte)
	// Close ends the trace. The error is that of the first write that failed.
	Close() error
}

// Tracer gives each event of a machine that its filter lets through to a
// TraceWriter, in order.
type Tracer struct {
	f       Filter
	w       TraceWriter
	m       *machine.Machine
	rec     record
	left    uint64
	here    uint64 // linear address of the present instruction
	done    func()
	state   cpu.State // as the last KindRegs told it
	changes []Change
	code    [15]byte
}

// NewTracer watches a machine from now on. done, if not nil, is called once,
// when Filter.Count events are written.
func NewTracer(m *machine.Machine, w TraceWriter, f Filter, done func()) *Tracer {
	t := &Tracer{f: f, w: w, m: m, left: f.Count, done: done}
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

// Close ends the watch, and the trace. A run's result, if there is one, is its
// last line.
func (t *Tracer) Close(r *machine.Result) error {
	t.m.CPU.SetObserver(nil)
	t.m.MMU.OnWalk = nil
	t.m.OnIO = nil
	if r != nil {
		t.registers()
		t.rec.begin(t.m.CPU.Ticks(), KindEnd)
		reason := r.Reason.String()
		if t.left == 0 {
			reason = "count"
		}
		t.rec.text("reason", reason)
		if r.Reason == machine.Exited {
			t.rec.num("value", uint64(r.Value))
		}
		t.w.Line(t.rec.end())
	}
	return t.w.Close()
}

// KindEnd is the kind of a trace's last line. No filter takes it away.
const KindEnd = "end"

// wants tells whether an event at a linear address is to be written, and if
// so begins its line.
func (t *Tracer) wants(k Kinds, lin uint64, name string) bool {
	if t.left == 0 || !t.f.Holds(k, lin) {
		return false
	}
	t.rec.begin(t.m.CPU.Ticks(), name)
	return true
}

// put writes the line.
func (t *Tracer) put() {
	t.w.Line(t.rec.end())
	t.count()
}

// count counts an event.
func (t *Tracer) count() {
	if t.left--; t.left == 0 {
		t.m.CPU.RequestStop()
		if t.done != nil {
			t.done()
		}
	}
}

// registers tells what the instruction or delivery before has changed.
func (t *Tracer) registers() {
	if t.left == 0 || !t.f.Holds(KindRegs, t.here) {
		return
	}
	now := t.m.CPU.State()
	t.changes = appendChanges(t.changes[:0], &t.state, &now)
	if len(t.changes) == 0 {
		return
	}
	t.state = now
	t.w.Registers(now.Ticks, t.changes)
	t.count()
}

// Instruction is cpu.Observer's.
func (t *Tracer) Instruction(e *cpu.InstEvent) {
	t.registers()
	t.here = uint64(e.Linear)
	if t.left == 0 || !t.f.Holds(KindInst, t.here) {
		return
	}
	code := t.code[:e.Inst.Len]
	code = code[:Peek(t.m, e.Linear, code)]
	t.w.Instruction(&TraceInst{Tick: e.Tick, CS: e.CS, RIP: e.RIP, Lin: t.here, Mode: e.Inst.Mode, Code: code, Inst: e.Inst})
	t.count()
}

// Access is cpu.Observer's.
func (t *Tracer) Access(e *cpu.AccessEvent) {
	if t.left == 0 || !t.f.Holds(KindMem, uint64(e.Linear)) {
		return
	}
	t.w.Access(e)
	t.count()
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
			r.hex(s.Level.String()+".at", uint64(s.At))
		}
		r.text(s.Level.String()+".bits", s.Flags())
	}
	if w.OK() {
		r.hex("phys", uint64(w.Phys()))
	} else {
		r.text("rule", w.Rule.String())
		r.hex("code", uint64(w.Code))
		r.text("means", mmu.CodeString(w.Code))
	}
	t.put()
}

// Delivery is idt.Observer's.
func (t *Tracer) Delivery(e *idt.DeliveryEvent) {
	if e.Stage == idt.StageEvent {
		t.registers()
	}
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
		r.truth("ok", e.OK)
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
	t.rec.num("vector", uint64(e.Vector))
}

// event tells an event: error code, CR2, where it returns to.
func (t *Tracer) event(e *idt.Event) {
	t.name(e)
	if e.HasCode {
		t.rec.hex("code", uint64(e.Code))
		t.rec.text("means", e.CodeText())
	}
	if e.IsPageFault() {
		t.rec.hex("cr2", e.CR2)
	}
	t.rec.hex("return", e.Return)
}

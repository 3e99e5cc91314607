package perfetto

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"

	"x86emu/debug"
	"x86emu/idt"
	"x86emu/machine"
	"x86emu/mmu"
)

// Options are how a time line is written.
type Options struct {
	Image  string         // its name
	Syms   *debug.Symbols // may be nil
	Period uint64         // ticks between samples of the TLB's misses; 0: DefaultPeriod
}

// DefaultPeriod is how many ticks lie between two samples of a counter.
const DefaultPeriod = 1000

// Writer writes a machine's time line.
type Writer struct {
	m      *machine.Machine
	o      Options
	w      *bufio.Writer
	nest   debug.Nesting
	from   spot // of the event under way
	counts [256]uint64
	misses uint64
	told   uint64 // misses at the last sample
	first  bool   // nothing is written yet
	err    error
}

// spot is where an event came, and how the code there is called.
type spot struct {
	lin uint64
	at  *debug.Place
}

// entry is one event of the format. [Trace Event Format, Google]
type entry struct {
	Name  string  `json:"name,omitempty"`
	Phase string  `json:"ph"`
	Time  float64 `json:"ts"` // microseconds
	PID   int     `json:"pid"`
	TID   int     `json:"tid"`
	Cat   string  `json:"cat,omitempty"`
	Scope string  `json:"s,omitempty"`
	Args  any     `json:"args,omitempty"`
}

// Tracks: the process is the machine.
const (
	machineID   = 1
	eventsTrack = 1
)

// Watch writes the time line of a machine from now on. It takes CPU.OnEvent,
// OnDelivery and OnReturn, MMU.OnWalk and Machine.OnTick.
func Watch(m *machine.Machine, w io.Writer, o Options) *Writer {
	if o.Period == 0 {
		o.Period = DefaultPeriod
	}
	p := &Writer{m: m, o: o, w: bufio.NewWriterSize(w, 1<<16), first: true}
	p.text(`{"displayTimeUnit":"ns","otherData":{"clock":"one nanosecond is one tick of virtual time"},"traceEvents":[`)
	p.put(&entry{Name: "process_name", Phase: "M", PID: machineID, Args: map[string]string{"name": o.Image}})
	p.put(&entry{Name: "thread_name", Phase: "M", PID: machineID, TID: eventsTrack, Args: map[string]string{"name": "events"}})
	m.CPU.OnEvent, m.CPU.OnDelivery, m.CPU.OnReturn = p.take, p.delivered, p.returned
	m.MMU.OnWalk = p.walk
	m.OnTick = p.tick
	return p
}

// Close ends the watch, and every slice that is open. The error is that of the
// first write that failed.
func (p *Writer) Close(r machine.Result) error {
	p.m.CPU.OnEvent, p.m.CPU.OnDelivery, p.m.CPU.OnReturn = nil, nil, nil
	p.m.MMU.OnWalk, p.m.OnTick = nil, nil
	now := p.m.CPU.Ticks()
	p.sample(now)
	p.end(now, p.nest.Depth())
	p.mark(now, r.Reason.String(), nil)
	p.text("\n]}\n")
	p.err = cmp.Or(p.err, p.w.Flush())
	return p.err
}

func (p *Writer) text(s string) {
	if _, err := p.w.WriteString(s); p.err == nil {
		p.err = err
	}
}

// put writes one event.
func (p *Writer) put(e *entry) {
	b, err := json.Marshal(e)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	if !p.first {
		p.text(",")
	}
	p.first = false
	p.text("\n" + string(b))
}

// at is an event at a tick.
func at(tick uint64, e entry) *entry {
	e.Time, e.PID, e.TID = float64(tick)/1000, machineID, eventsTrack
	return &e
}

// take is the processor's: an event comes.
func (p *Writer) take(*idt.Event) (deliver bool) {
	lin := uint64(p.m.CPU.CodeAt())
	p.from = spot{lin, p.o.Syms.On(p.m, lin)}
	return true
}

// delivered is the processor's.
func (p *Writer) delivered(out *idt.Outcome) {
	now := p.m.CPU.Ticks()
	if out.Shutdown {
		for i := range out.Chain[:out.N] {
			p.count(now, &out.Chain[i])
		}
		p.mark(now, "shutdown", args(&out.Chain[out.N-1], p.from, spot{}))
		return
	}
	begin := now - 1 // a delivery takes a tick
	p.end(begin, p.nest.Delivered(p.m, out))
	for i := range out.Chain[:out.N] {
		e := &out.Chain[i]
		p.count(begin, e)
		if i < int(out.N)-1 {
			p.mark(begin, e.Name()+" met, not delivered", args(e, p.from, spot{}))
			continue
		}
		lin := uint64(p.m.CPU.CodeAt())
		p.put(at(begin, entry{Name: name(e, p.from.at), Phase: "B", Cat: category(e), Args: args(e, p.from, spot{lin, p.o.Syms.On(p.m, lin)})}))
	}
}

// returned is the processor's.
func (p *Writer) returned(frame mmu.Linear) {
	// The IRET's own tick has not passed yet, so it is counted here.
	p.end(p.m.CPU.Ticks()+1, p.nest.Returned(p.m, frame))
}

// end ends slices.
func (p *Writer) end(tick uint64, n int) {
	for range n {
		p.put(at(tick, entry{Phase: "E"}))
	}
}

// mark is something that takes no time.
func (p *Writer) mark(tick uint64, name string, args any) {
	p.put(at(tick, entry{Name: name, Phase: "i", Scope: "t", Args: args}))
}

// count counts an event by its vector.
func (p *Writer) count(tick uint64, e *idt.Event) {
	p.counts[e.Vector]++
	p.counter(tick, e.Vector.String(), p.counts[e.Vector])
}

func (p *Writer) counter(tick uint64, name string, n uint64) {
	p.put(at(tick, entry{Name: name, Phase: "C", Args: map[string]uint64{"count": n}}))
}

// walk is the MMU's: an answer that the TLB did not have.
func (p *Writer) walk(w *mmu.Walk) {
	if !w.FromTLB && w.Mode != mmu.ModeNone {
		p.misses++
	}
}

// tick is the machine's.
func (p *Writer) tick(now uint64) (next uint64) {
	p.sample(now)
	return now + p.o.Period
}

// sample tells the TLB's misses, if there are more.
func (p *Writer) sample(now uint64) {
	if p.misses != p.told {
		p.told = p.misses
		p.counter(now, "TLB misses", p.misses)
	}
}

// name is what a slice is called: the event, and the function that it came in.
func name(e *idt.Event, at *debug.Place) string {
	if at == nil || at.Symbol == "" {
		return e.Name()
	}
	return e.Name() + " in " + at.Symbol
}

// category tells exceptions and interrupts apart.
func category(e *idt.Event) string {
	if e.Kind == idt.Exception {
		return "exception"
	}
	return "interrupt"
}

// args are what the UI shows of a slice.
func args(e *idt.Event, from, handler spot) map[string]string {
	a := map[string]string{"vector": fmt.Sprint(uint8(e.Vector)), "at": place(from)}
	if e.HasCode {
		a["error code"] = fmt.Sprintf("0x%x %s", e.Code, e.CodeText())
	}
	if e.IsPageFault() {
		a["CR2"] = fmt.Sprintf("0x%x", e.CR2)
	}
	if handler.lin != 0 {
		a["handler"] = place(handler)
	}
	return a
}

func place(p spot) string {
	if p.at == nil {
		return fmt.Sprintf("0x%x", p.lin)
	}
	return fmt.Sprintf("0x%x %s", p.lin, p.at)
}

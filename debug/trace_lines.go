package debug

import (
	"bufio"
	"io"

	"x86emu/cpu"
)

// LineOptions are how a trace is written in lines.
type LineOptions struct {
	JSON bool // JSON lines, else words
	GNU  bool // AT&T syntax
	// Registers are the names that changes go by; nil: those of RegisterNames.
	Registers []string
}

// Lines is a TraceWriter that writes one line for each event.
type Lines struct {
	w   *bufio.Writer
	o   LineOptions
	rec record
}

// NewLines makes one.
func NewLines(w io.Writer, o LineOptions) *Lines {
	if o.Registers == nil {
		o.Registers = RegisterNames()
	}
	return &Lines{w: bufio.NewWriterSize(w, 1<<16), o: o}
}

// Instruction is TraceWriter's.
func (l *Lines) Instruction(i *TraceInst) {
	r := &l.rec
	r.begin(i.Tick, "inst")
	r.hex("cs", uint64(i.CS))
	r.hex("rip", i.RIP)
	if i.Lin != i.RIP {
		r.hex("lin", i.Lin)
	}
	if l.o.GNU {
		r.text("text", i.Inst.GNU(i.RIP))
	} else {
		r.text("text", i.Inst.Intel(i.RIP))
	}
	r.bytes("bytes", i.Code)
	l.Line(r.end())
}

// Access is TraceWriter's.
func (l *Lines) Access(e *cpu.AccessEvent) {
	name := "read"
	if e.Write {
		name = "write"
	}
	l.rec.begin(e.Tick, name)
	l.rec.hex("lin", uint64(e.Linear))
	l.rec.num("size", uint64(e.Size))
	l.rec.hex("value", e.Value)
	l.Line(l.rec.end())
}

// Registers is TraceWriter's.
func (l *Lines) Registers(tick uint64, changes []Change) {
	l.rec.begin(tick, "regs")
	for _, c := range changes {
		l.rec.wide(l.o.Registers[c.Index], c.High, c.Low)
	}
	l.Line(l.rec.end())
}

// Line is TraceWriter's. The end of a run is told in JSON only.
func (l *Lines) Line(line []byte) {
	switch {
	case l.o.JSON:
		l.w.Write(line) // the error comes out of Flush
	default:
		if _, kind, _ := LineKind(line); kind == KindEnd {
			return
		}
		l.w.WriteString(Words(line))
		l.w.WriteByte('\n')
	}
}

// Close is TraceWriter's.
func (l *Lines) Close() error { return l.w.Flush() }

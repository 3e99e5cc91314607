package session

import (
	"fmt"
	"strings"

	"x86emu/cpu"
	"x86emu/debug"
	"x86emu/decode"
	"x86emu/idt"
	"x86emu/machine"
	"x86emu/mmu"
)

// Frame is what a screen shows: plain data, of one moment.
type Frame struct {
	Image    string
	Tick     uint64
	Frontier uint64 // the latest tick that was reached
	Mode     string // "real mode", "32-bit code", ...
	Paging   string
	CPL      uint8
	Stop     string // why the machine stands here
	Over     bool

	Where  string // what the symbols know of the next instruction
	Regs   []Reg
	Flags  string        // those that are set
	Units  [Banks][]Reg  // the other banks
	Words  [Banks]string // what their control and status words say
	Code   []CodeLine
	CodeAt int // index of the line in Code that is looked at
	Stack  []DataLine
	DataAt int
	Stages []StageLine
	Stage  int // the one at which the machine stands, -1: before the step
	Count  int // stages of the step; what Stages has beyond them is about the run
	Stale  Stale
	Walk   []WalkLine
	Serial []string
	Breaks []Break
}

// Reg is a register.
type Reg struct {
	Name    string
	Value   string // as wide as the register is in this mode
	Old     string // before the last movement, if it was another
	Place   string // what the value points to, if it has a name
	Changed bool
}

// CodeLine is an instruction, or a label above one.
type CodeLine struct {
	Label string // not empty: the line is a label
	Addr  uint64
	Bytes string
	Text  string
	Place string // source line
	// Source and Line are that line; of Instructions only.
	Source string
	Line   int
	Now    bool // it is the next one
	Break  bool // a breakpoint is there
}

// DataLine is a word of memory.
type DataLine struct {
	Addr  uint64
	Value string // "?": not mapped
	Place string
	Text  string // its bytes as characters
	SP    bool   // the stack pointer is there
	Fresh bool   // a push of this step has put it there
}

// StageLine is a stage of the next step.
type StageLine struct {
	Text string
	Done bool // it was passed
	Bad  bool // a refusal, a failed check, an event
}

// WalkLine is a line of a walk of the page tables: an entry, or words.
type WalkLine struct {
	Depth int
	Text  string
	Entry *debug.Level // nil: words
	Mark  string       // what decided there
	Bad   bool
}

// Frame gives what is to be shown now.
func (s *Session) Frame() *Frame {
	m, st := s.present()
	f := &Frame{
		Image: s.o.Image, Tick: s.Tick(), Frontier: s.h.Frontier(), CPL: st.CPL, Stop: s.stop, Over: s.over,
		Paging: pagingWords(m), Mode: modeWords(m, &st), Stage: s.at, Breaks: s.Breaks(), Flags: flagWords(st.RFLAGS),
	}
	f.Where = s.place(m, uint64(m.CPU.CodeAt())).String()
	f.Regs = s.regs(m, &st)
	f.units(s, m, &st)
	f.Code, f.CodeAt = s.code(m)
	f.Stack, f.DataAt = s.stack(m, &st)
	f.Stages, f.Count = s.stageLines(), len(s.stages)
	f.Walk = s.walk(m)
	f.tellStale(s)
	f.Serial = lines(s.serial.at(s.Tick(), s.over))
	return f
}

func pagingWords(m *machine.Machine) string {
	if m.MMU.Mode() == mmu.ModeNone {
		return "no paging"
	}
	return m.MMU.Mode().String() + " paging"
}

func modeWords(m *machine.Machine, st *cpu.State) string {
	switch {
	case st.CR0&mmu.CR0PE == 0:
		return "real mode"
	case st.RFLAGS&idt.FlagVM != 0:
		return "virtual-8086 mode"
	}
	return fmt.Sprintf("%d-bit code", modeOf(m))
}

// [SDM 1, EFLAGS Register]
func flagWords(v uint64) string {
	var set []string
	for i, name := range [22]string{"CF", "", "PF", "", "AF", "", "ZF", "SF", "TF", "IF", "DF", "OF", "", "", "NT", "", "RF", "VM", "AC", "VIF", "VIP", "ID"} {
		if name != "" && v>>i&1 != 0 {
			set = append(set, name)
		}
	}
	if v>>12&3 != 0 {
		set = append(set, fmt.Sprintf("IOPL=%d", v>>12&3))
	}
	return strings.Join(set, " ")
}

// place is what the symbols know of an address.
func (s *Session) place(m *machine.Machine, at uint64) *debug.Place {
	return s.o.Symbols.On(m, at)
}

// named is a place with a name, as "<symbol+0x12>".
func (s *Session) named(m *machine.Machine, at uint64) string {
	p := s.place(m, at)
	if p == nil || p.Symbol == "" {
		return ""
	}
	return "<" + (&debug.Place{Symbol: p.Symbol, Offset: p.Offset}).String() + ">"
}

// GeneralOrder is the order in which debuggers list them, by index.
var GeneralOrder = []int{0, 3, 1, 2, 6, 7, 5, 4, 8, 9, 10, 11, 12, 13, 14, 15}

// regs lists the registers in the order in which people read them.
func (s *Session) regs(m *machine.Machine, st *cpu.State) []Reg {
	var all []Reg
	add := func(name string, now, before uint64, digits int, points bool) {
		r := number(name, now, before, digits)
		if points {
			r.Place = s.named(m, now)
		}
		all = append(all, r)
	}
	old, n, digits, width := &s.before, 8, 8, "e"
	long := m.MMU.Ctl.EFER&mmu.EFERLMA != 0
	if modeOf(m) == decode.Mode64 {
		n, digits, width = 16, 16, "r"
	}
	for _, i := range GeneralOrder[:n] {
		name, a, b := GeneralNames[i], st.GPR[i], old.GPR[i]
		if i < 8 {
			name = width + name
		}
		if n == 8 {
			a, b = uint64(uint32(a)), uint64(uint32(b))
		}
		add(name, a, b, digits, true)
	}
	add(width+"ip", st.RIP, old.RIP, digits, false)
	add(width+"fl", st.RFLAGS, old.RFLAGS, 8, false)
	for i, name := range [6]string{"es", "cs", "ss", "ds", "fs", "gs"} {
		add(name, uint64(st.Seg[i].Sel), uint64(old.Seg[i].Sel), 4, false)
	}
	if long {
		add("fsb", st.Seg[decode.FS].Base, old.Seg[decode.FS].Base, digits, true)
		add("gsb", st.Seg[decode.GS].Base, old.Seg[decode.GS].Base, digits, true)
	}
	add("tr", uint64(st.TR.Sel), uint64(old.TR.Sel), 4, false)
	add("cr0", st.CR0, old.CR0, 8, false)
	add("cr2", st.CR2, old.CR2, digits, true)
	add("cr3", st.CR3, old.CR3, 8, false)
	add("cr4", st.CR4, old.CR4, 8, false)
	return all
}

// stageLines tells the stages of the next step.
func (s *Session) stageLines() []StageLine {
	all := make([]StageLine, 0, len(s.stages)+1)
	for i, stage := range s.stages {
		l := StageLine{Text: stage.String(), Done: i <= s.at}
		switch stage.Kind {
		case debug.StageVerdict:
			l.Bad = !stage.Verdict.OK
		case debug.StageCheck:
			l.Bad = !stage.Check.OK
		case debug.StageEvent, debug.StageShutdown:
			l.Bad = true
		}
		all = append(all, l)
	}
	if s.over {
		return append(all, StageLine{Text: "the run is over: " + endWords(s.end)})
	}
	if s.after.Reason != machine.Budget {
		all = append(all, StageLine{Text: "the run ends: " + endWords(s.after), Bad: s.after.Reason != machine.Exited})
	}
	return all
}

// lines cuts what the guest has sent into lines fit for a screen: the last ones.
func lines(text []byte) []string {
	const most = 500
	all := strings.Split(string(text), "\n")
	if n := len(all); n > 1 && all[n-1] == "" {
		all = all[:n-1]
	}
	all = all[max(0, len(all)-most):]
	for i, l := range all {
		all[i] = printable(l)
	}
	return all
}

// printable replaces what would move a terminal's cursor, or confuse it.
func printable(line string) string {
	line = strings.TrimRight(line, "\r")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case r < ' ' || r >= 0x7f:
			return '.'
		}
		return r
	}, line)
}

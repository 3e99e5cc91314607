package debug

import (
	"encoding/hex"

	"x86emu/cpu"
	"x86emu/decode"
	"x86emu/idt"
	"x86emu/machine"
	"x86emu/mmu"
)

// Recorder turns what a machine's processor reports into stages, as they
// happen. While it watches, every instruction goes by itself; what the machine
// does is the same.
type Recorder struct {
	m    *machine.Machine
	syms *Symbols
	sink func(*Stage)

	next         cpu.Observer // who watched before, and goes on to
	steps, walks func(*mmu.Walk)

	inst   *Instruction // under way; nil before it is fetched
	failed mmu.Access   // of the last walk that was refused
	took   bool         // an event has been taken in this step
	d      delivery
}

// delivery is what is known of the one under way.
type delivery struct {
	on     bool
	ev     idt.Event
	cpl    uint8 // before
	gate   idt.Gate
	code   idt.Segment // the code that the gate names
	tss    *idt.Segment
	stack  Stack
	ss     idt.Segment // of that stack
	size   uint64
	words  []string
	pushed int
}

// Record watches a machine from now on and gives each stage to sink, to keep.
// The names of places come from syms, which may be nil. Who observes the machine
// already goes on to do so.
func Record(m *machine.Machine, syms *Symbols, sink func(*Stage)) *Recorder {
	r := &Recorder{m: m, syms: syms, sink: sink, steps: m.MMU.OnStep, walks: m.MMU.OnWalk}
	r.next = m.CPU.Observer()
	m.CPU.SetObserver(r)
	m.MMU.OnStep, m.MMU.OnWalk = r.step, r.walk
	return r
}

// Close ends the watch.
func (r *Recorder) Close() {
	if r.next == nil {
		r.m.CPU.SetObserver(nil)
	} else {
		r.m.CPU.SetObserver(r.next)
	}
	r.m.MMU.OnStep, r.m.MMU.OnWalk = r.steps, r.walks
}

// Boundary tells the recorder that the machine stands between two
// instructions: what comes belongs to the next one.
func (r *Recorder) Boundary() { r.inst, r.took, r.d, r.failed = nil, false, delivery{}, 0 }

// put gives a stage away.
func (r *Recorder) put(s Stage) {
	s.Tick = r.m.CPU.Ticks()
	r.sink(&s)
}

// long tells whether the processor is in IA-32e mode.
func (r *Recorder) long() bool { return r.m.MMU.Ctl.EFER&mmu.EFERLMA != 0 }

// Instruction is cpu.Observer's.
func (r *Recorder) Instruction(e *cpu.InstEvent) {
	if r.next != nil {
		r.next.Instruction(e)
	}
	r.inst = r.instruction(e.Inst, uint64(e.CS), e.RIP, uint64(e.Linear))
	r.put(Stage{Kind: StageInstruction, Inst: r.inst})
}

// instruction describes a decoded instruction, its operands by the registers
// as they are.
func (r *Recorder) instruction(in *decode.Inst, cs, rip, lin uint64) *Instruction {
	i := &Instruction{
		CS: Hex(cs), RIP: Hex(rip), Lin: Hex(lin), CPL: r.m.CPU.Regs().CPL, Bits: uint8(in.Mode),
		Bytes: hex.EncodeToString(r.code(lin, int(in.Len))), Text: in.Intel(rip), At: r.place(lin),
		Level0: in.Props&decode.Privileged != 0,
	}
	for _, a := range in.Args[:in.NArgs] {
		if a.Kind == decode.ArgMem || a.Kind == decode.ArgStr {
			o := r.operand(in, a, rip)
			o.At = r.place(uint64(o.Lin))
			i.Operands = append(i.Operands, o)
		}
	}
	return i
}

// operand computes the address of an operand in memory.
func (r *Recorder) operand(in *decode.Inst, a decode.Arg, rip uint64) Operand {
	g, seg := r.m.CPU.GPR(), in.Seg
	off := uint64(in.Disp)
	if a.Kind == decode.ArgStr {
		off = g[a.Num&15]
		if a.Num == 3 { // XLAT adds AL
			off += g[0] & 0xff
		}
		if a.Num == 7 {
			seg = decode.ES
		}
	} else {
		switch {
		case in.Base == decode.RegRIP:
			off += rip + uint64(in.Len)
		case in.Base != decode.NoReg:
			off += g[in.Base&15]
		}
		if in.Index != decode.NoReg {
			off += g[in.Index&15] << (in.Scale & 3)
		}
	}
	if in.AddrSize < 8 {
		off &= 1<<(8*in.AddrSize) - 1
	}
	o := Operand{Segment: seg.String(), Offset: Hex(off), Size: a.Size}
	s, used := &r.m.CPU.Regs().Seg[seg], in.Props&decode.MayFault != 0
	if in.Mode == decode.Mode64 {
		if seg >= decode.FS {
			o.Base = Hex(s.Base)
		}
		o.Lin = o.Base + Hex(off)
		if used && (!r.canonical(uint64(o.Lin)) || !r.canonical(uint64(o.Lin)+uint64(max(a.Size, 1))-1)) {
			o.Refused = "not canonical"
		}
		return o
	}
	o.Base, o.Lin = Hex(s.Base), Hex(uint32(s.Base+off))
	switch last := off + uint64(max(a.Size, 1)) - 1; {
	case !used:
	case s.Attr&idt.AttrUnusable != 0 && r.m.MMU.Ctl.CR0&mmu.CR0PE != 0:
		o.Refused = "null segment"
	case s.Attr&(idt.AttrCode|idt.AttrDown) == idt.AttrDown && off <= uint64(s.Limit):
		o.Refused = "not above the limit " + Hex(s.Limit).String()
	case s.Attr&(idt.AttrCode|idt.AttrDown) != idt.AttrDown && last > uint64(s.Limit):
		o.Refused = "beyond the limit " + Hex(s.Limit).String()
	}
	return o
}

// canonical tells whether an address is canonical. [SDM 1, Canonical Addressing]
func (r *Recorder) canonical(a uint64) bool {
	shift := 16
	if r.m.MMU.Ctl.CR4&mmu.CR4LA57 != 0 {
		shift = 7
	}
	return uint64(int64(a<<shift)>>shift) == a
}

// place tells what the symbols know of an address.
func (r *Recorder) place(lin uint64) *Place { return r.syms.On(r.m, lin) }

// code reads up to n bytes of code without any effect, as far as they are
// mapped and in RAM or ROM.
func (r *Recorder) code(lin uint64, n int) []byte {
	b := make([]byte, n)
	return b[:Peek(r.m, mmu.Linear(lin), b)]
}

// Access is cpu.Observer's.
func (r *Recorder) Access(e *cpu.AccessEvent) {
	if r.next != nil {
		r.next.Access(e)
	}
	r.put(Stage{Kind: StageData, Data: &Data{Lin: Hex(e.Linear), Size: e.Size, Write: e.Write, Value: Hex(e.Value)}})
}

// access tells that a walk begins.
func (r *Recorder) access(w *mmu.Walk) {
	a := Access{Lin: Hex(w.Lin), Kind: "read", Mode: "supervisor", For: r.purpose(uint64(w.Lin), w.Access), Paging: w.Mode.String(), CR3: Hex(r.m.MMU.Ctl.CR3)}
	switch {
	case w.Access&mmu.Exec != 0:
		a.Kind = "fetch"
	case w.Access&mmu.Write != 0:
		a.Kind = "write"
	}
	if w.Access&mmu.User != 0 {
		a.Mode = "user"
	}
	r.put(Stage{Kind: StageAccess, Access: &a})
}

// step is the MMU's: an entry was read.
func (r *Recorder) step(w *mmu.Walk) {
	if r.steps != nil {
		r.steps(w)
	}
	if w.N == 1 {
		r.access(w)
	}
	l := levelOf(&w.Steps[w.N-1])
	r.put(Stage{Kind: StageLevel, Level: &l})
}

func levelOf(s *mmu.Step) Level {
	return Level{Level: s.Level.String(), At: Hex(s.At), Raw: Hex(s.Raw), Size: s.Size, Bits: s.Flags()}
}

// walk is the MMU's: an access was decided.
func (r *Recorder) walk(w *mmu.Walk) {
	if r.walks != nil {
		r.walks(w)
	}
	if w.N == 0 {
		r.access(w)
	}
	v := Verdict{OK: w.OK(), Lin: Hex(w.Lin), FromTLB: w.FromTLB}
	if w.Rule != mmu.RuleNotPresent && w.Rule != mmu.RuleReserved && w.Mode != mmu.ModeNone {
		v.Rights = w.Rights.String()
	}
	if w.OK() {
		v.Phys = Hex(w.Phys())
	} else {
		r.failed = w.Access | failedMark
		v.Rule, v.Code, v.Means = w.Rule.String(), hexOf(w.Code), mmu.CodeString(w.Code)
		if w.Decider >= 0 {
			v.Level, v.Bits = w.Steps[w.Decider].Level.String(), Hex(w.Bits)
		}
	}
	if w.FromTLB {
		now := r.m.MMU.Explain(w.Lin, w.Access)
		for i := range now.Steps[:now.N] {
			v.Tables = append(v.Tables, levelOf(&now.Steps[i]))
		}
	}
	r.put(Stage{Kind: StageVerdict, Verdict: &v})
}

// failedMark tells a refused read from no refused access.
const failedMark mmu.Access = 1 << 7

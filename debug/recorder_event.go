package debug

import (
	"encoding/hex"
	"fmt"

	"x86emu/decode"
	"x86emu/idt"
)

// Delivery is idt.Observer's.
func (r *Recorder) Delivery(e *idt.DeliveryEvent) {
	if r.next != nil {
		r.next.Delivery(e)
	}
	switch e.Stage {
	case idt.StageEvent:
		r.event(&e.Event)
	case idt.StageShutdown:
		r.put(Stage{Kind: StageShutdown, Event: r.taken(&e.Event)})
		r.d = delivery{}
	case idt.StageVector:
		r.vector(e)
	case idt.StageGate:
		r.gate(e)
	case idt.StageSelector:
		r.selector(e)
	case idt.StageCheck:
		r.put(Stage{Kind: StageCheck, Check: &Check{OK: e.OK, Rule: e.Rule.String()}})
	case idt.StageStack:
		r.stack(e)
	case idt.StagePush:
		r.push(e)
	case idt.StageEntered:
		r.entered(e)
	default:
		task := &Task{TSS: Hex(e.Selector), Base: Hex(e.Addr)}
		switch e.Stage {
		case idt.StageTaskSave:
			r.put(Stage{Kind: StageTaskSave, Task: task})
		case idt.StageTaskLink:
			r.put(Stage{Kind: StageTaskLink, Task: task})
		case idt.StageTaskLoad:
			r.put(Stage{Kind: StageTaskLoad, Task: task})
		case idt.StageTaskDone:
			if r.d.on && pushesCode(&r.d.ev) {
				// The error code alone goes onto the new task's stack.
				r.d.words, r.d.size = []string{wordCode}, gateSize(uint8(r.m.CPU.Regs().TR.Attr&8), false)
			}
			r.put(Stage{Kind: StageTaskDone, Task: task})
		}
	}
}

// event begins the delivery of an event, or tells of one that will not have any.
func (r *Recorder) event(ev *idt.Event) {
	if !r.took && r.inst == nil && ev.Kind == idt.Exception && ev.Vector == idt.VecUD {
		r.undecoded(ev)
	}
	r.took = true
	r.d = delivery{on: true, ev: *ev, cpl: r.m.CPU.Regs().CPL}
	r.put(Stage{Kind: StageEvent, Event: r.taken(ev)})
}

// undecoded shows the bytes that are no instruction.
func (r *Recorder) undecoded(ev *idt.Event) {
	regs := r.m.CPU.Regs()
	cs := regs.Seg[decode.CS]
	i := &Instruction{CS: Hex(cs.Sel), RIP: Hex(ev.Return), CPL: regs.CPL, Bits: r.bits(), Text: "(bad)"}
	i.Lin = Hex(r.linear(cs.Base, ev.Return))
	i.At = r.place(uint64(i.Lin))
	code := r.code(uint64(i.Lin), 15)
	var in decode.Inst
	d := decode.Decoder{Features: r.m.CPU.Model.Features}
	d.Decode(&in, code, decode.Mode(i.Bits))
	i.Bytes = hex.EncodeToString(code[:min(len(code), max(1, int(in.Len)))])
	r.inst = i
	r.put(Stage{Kind: StageInstruction, Inst: i})
}

// bits is the code size: 16, 32 or 64.
func (r *Recorder) bits() uint8 {
	switch cs := r.m.CPU.Regs().Seg[decode.CS]; {
	case r.long() && cs.Attr&idt.AttrL != 0:
		return 64
	case cs.Attr&idt.AttrDB != 0:
		return 32
	}
	return 16
}

// linear is where an instruction pointer leads.
func (r *Recorder) linear(base, ip uint64) uint64 {
	if r.bits() == 64 {
		return ip
	}
	return uint64(uint32(base + ip))
}

func (r *Recorder) taken(ev *idt.Event) *Taken {
	t := &Taken{Name: ev.Name(), Vector: uint8(ev.Vector), Words: eventWords(ev), Return: Hex(ev.Return), Float: r.floatFault(ev)}
	t.At = r.place(r.linear(r.m.CPU.Regs().Seg[decode.CS].Base, ev.Return))
	if ev.HasCode {
		t.Code, t.Means = hexOf(ev.Code), ev.CodeText()
	}
	if ev.IsPageFault() {
		t.CR2, t.CR2At = hexOf(ev.CR2), r.place(ev.CR2)
	}
	if ev.Vector == idt.VecDB && ev.Kind == idt.Exception {
		t.DR6 = hexOf(ev.DR6)
	}
	return t
}

func (r *Recorder) vector(e *idt.DeliveryEvent) {
	g := &Gate{Vector: uint8(r.d.ev.Vector), Lin: Hex(e.Addr), Raw: Hex(e.Raw[0]), Type: realVector, Present: true}
	cs, ip := e.Raw[0]>>16, e.Raw[0]&0xffff
	g.CS, g.RIP, g.At = hexOf(cs), hexOf(ip), r.place(cs<<4+ip)
	r.put(Stage{Kind: StageGate, Gate: g})
	ss := r.m.CPU.Regs().Seg[decode.SS]
	r.d.size, r.d.words, r.d.ss = 2, frameWords(2, false, false, false), ss
	r.d.stack = Stack{Choice: "current", SS: Hex(ss.Sel), RSP: Hex(r.m.CPU.GPR()[4] & 0xffff), Why: "real mode has no other"}
	stack := r.d.stack
	r.put(Stage{Kind: StageStack, Stack: &stack})
}

func (r *Recorder) gate(e *idt.DeliveryEvent) {
	long, attr := r.long(), idt.Attr(e.Gate.Type)
	g := &Gate{
		Vector: uint8(r.d.ev.Vector), Lin: Hex(e.Addr), Raw: Hex(e.Raw[0]), Type: attr.TypeText(long),
		Present: e.Raw[0]>>47&1 != 0, DPL: e.Gate.DPL,
	}
	if attr.IsTaskGate() {
		g.TSS = hexOf(e.Gate.Selector)
	} else {
		g.CS, g.RIP, g.At = hexOf(e.Gate.Selector), hexOf(e.Gate.Offset), r.place(e.Gate.Offset)
	}
	if long {
		g.High, g.IST = hexOf(e.Raw[1]), e.Gate.IST
	}
	r.d.gate, r.d.size = e.Gate, gateSize(e.Gate.Type, long)
	r.put(Stage{Kind: StageGate, Gate: g})
}

func (r *Recorder) selector(e *idt.DeliveryEvent) {
	s := &Selector{
		Sel: Hex(e.Selector), Table: "GDT", Lin: Hex(e.Addr), Raw: Hex(e.Raw[0]), Type: e.Seg.Attr.TypeText(r.long()),
		Present: e.Seg.Attr&idt.AttrPresent != 0, DPL: e.Seg.Attr.DPL(), Base: Hex(e.Seg.Base), Limit: Hex(e.Seg.Limit),
	}
	if e.Selector&4 != 0 {
		s.Table = "LDT"
	}
	switch {
	case e.Seg.Attr&(idt.AttrS|idt.AttrCode) == idt.AttrS|idt.AttrCode:
		r.d.code = e.Seg
	case e.Seg.Attr&idt.AttrS == 0 && e.Seg.Attr&5 == 1:
		seg := e.Seg
		r.d.tss = &seg
	}
	r.put(Stage{Kind: StageSelector, Selector: s})
}

// newCPL is the privilege level of the handler's code.
func (r *Recorder) newCPL() uint8 {
	if r.d.code.Attr&idt.AttrDown != 0 { // conforming
		return r.d.cpl
	}
	return r.d.code.Attr.DPL()
}

func (r *Recorder) stack(e *idt.DeliveryEvent) {
	long := r.long()
	s := &Stack{Choice: e.Choice.String(), SS: Hex(e.Seg.Sel), RSP: Hex(e.Value), IST: e.IST}
	old, cpl := r.m.CPU.Regs().CPL, r.newCPL()
	switch e.Choice {
	case idt.StackCurrent:
		s.Why = fmt.Sprintf("the handler runs at the same level, CPL %d", old)
		s.SS = Hex(r.m.CPU.Regs().Seg[decode.SS].Sel)
	case idt.StackTSS:
		names := fmt.Sprintf("SS%d:ESP%d", cpl, cpl)
		if long {
			names = fmt.Sprintf("RSP%d", cpl)
		}
		s.Why = fmt.Sprintf("CPL %d is entered from CPL %d, so it is %s of the TSS", cpl, old, names)
	case idt.StackIST:
		s.Why = fmt.Sprintf("the gate asks for IST%d of the TSS", e.IST)
	}
	if long {
		s.Why += ", aligned down to 16"
	}
	r.d.stack, r.d.ss = *s, e.Seg
	if long {
		r.d.ss = r.m.CPU.Regs().Seg[decode.SS]
		if cpl < old {
			// A null SS carries the new CPL. [SDM 3A, Stack Switching in IA-32e Mode]
			r.d.ss = idt.Segment{Sel: uint16(cpl), Limit: r.d.ss.Limit, Attr: r.d.ss.Attr&(idt.AttrG|idt.AttrDB) | idt.AttrUnusable}
		}
	}
	if r.d.on {
		v86 := r.m.CPU.Regs().RFLAGS&idt.FlagVM != 0 && !long
		r.d.words = frameWords(r.d.size, long || e.Choice == idt.StackTSS, v86 && e.Choice == idt.StackTSS, pushesCode(&r.d.ev))
	}
	r.put(Stage{Kind: StageStack, Stack: s})
}

func (r *Recorder) push(e *idt.DeliveryEvent) {
	p := &Push{Lin: Hex(e.Addr), Size: e.Size, Value: Hex(e.Value)}
	if r.d.pushed < len(r.d.words) {
		p.Name = r.d.words[r.d.pushed]
	}
	r.d.pushed++
	r.put(Stage{Kind: StagePush, Push: p})
}

func (r *Recorder) entered(e *idt.DeliveryEvent) {
	regs := r.m.CPU.Regs()
	r.d = delivery{}
	r.put(Stage{Kind: StageEntered, Entered: &Entered{
		Name: e.Event.Name(), CS: Hex(e.Seg.Sel), RIP: Hex(e.Value), SS: Hex(regs.Seg[decode.SS].Sel), RSP: Hex(r.m.CPU.GPR()[4]),
		RFLAGS: Hex(regs.RFLAGS), CPL: regs.CPL, At: r.place(r.linear(e.Seg.Base, e.Value)),
	}})
}

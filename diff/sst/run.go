package sst

import (
	"fmt"

	"x86emu/cpu"
	"x86emu/decode"
	"x86emu/diff"
	"x86emu/idt"
	"x86emu/mmu"
)

// ramSize is the memory that the suites assume, in bytes.
const ramSize = 16 << 20

// budget bounds a test, in ticks.
const budget = 1 << 17

// runner runs tests on one processor, each in cleared memory.
type runner struct {
	cpu   *cpu.CPU
	mem   *mmu.Memory
	base  cpu.State
	wide  bool // a 32-bit suite
	halts bool // tests end with HLT
	step  bool // instruction by instruction
}

// outcome is what a test has led to.
type outcome struct {
	regs    [NumRegs]uint32
	vector  int // of the first exception or interrupt, or -1
	running bool
}

func newRunner(f *File, model *cpu.Model, step bool) *runner {
	r := &runner{mem: mmu.NewMemory(ramSize, model.MaxPhysBits), halts: true, step: step}
	r.cpu = cpu.New(model, mmu.New(r.mem, model.Paging()), noPorts{})
	r.base = cpu.ResetState(model)
	r.base.IDTR = idt.Table{Limit: 0x3ff}
	r.base.A20 = !wraps[f.CPU]
	for i := range f.Tests {
		t := &f.Tests[i]
		r.wide = r.wide || t.Initial.Has>>CR0&1 != 0
		r.halts = r.halts && len(t.Bytes) > 0 && t.Bytes[len(t.Bytes)-1] == 0xf4
	}
	return r
}

// wraps tells the processors with 20 address lines.
var wraps = map[string]bool{"8086": true, "8088": true, "V20": true, "V30": true, "186": true}

// noPorts reads as ones, as the boards of the captures did.
type noPorts struct{}

func (noPorts) In(uint16, uint8) uint32   { return ^uint32(0) }
func (noPorts) Out(uint16, uint8, uint32) {}
func (noPorts) Ack() uint8                { return 0 }

// gprs and segments say which registers of the format are which of ours.
var (
	gprs     = [8]int{EAX, ECX, EDX, EBX, ESP, EBP, ESI, EDI}
	segments = [6]int{ES, CS, SS, DS, FS, GS}
)

// start makes memory, all zero, and processor what a test begins with.
func (r *runner) start(t *Test) {
	for _, b := range t.Initial.RAM {
		r.mem.Write(mmu.Phys(b.At), 1, uint64(b.Value))
	}
	in := &t.Initial.Regs
	s := r.base
	for i, reg := range gprs {
		s.GPR[i] = uint64(in[reg])
	}
	for i, reg := range segments {
		sel := uint16(in[reg])
		s.Seg[i] = idt.Segment{Sel: sel, Base: uint64(sel) << 4, Limit: 0xffff,
			Attr: idt.AttrPresent | idt.AttrS | idt.AttrWritable | idt.AttrAccessed}
	}
	s.Seg[decode.CS].Attr |= idt.AttrCode
	s.RIP = uint64(in[EIP])
	s.RFLAGS = uint64(in[EFLAGS])&uint64(r.flags()) | idt.Flag1
	if r.wide {
		const switches = mmu.CR0MP | mmu.CR0EM | mmu.CR0TS
		s.CR0 |= uint64(in[CR0]) & switches
		s.DR[7] = uint64(in[DR7])&0xffff | 0x400
	}
	r.cpu.SetState(s)
}

// flags are the bits of EFLAGS that a suite can tell of in real mode, where a 286
// keeps IOPL and NT zero.
func (r *runner) flags() uint32 {
	if r.wide {
		return 0x7fd5
	}
	return 0x0fd5
}

// run runs a test to its end.
func (r *runner) run(t *Test) outcome {
	r.start(t)
	o := outcome{vector: -1}
	if r.halts {
		r.untilHalt(&o)
	} else {
		r.oneInstruction(t, &o)
	}
	s := r.cpu.State()
	for i, reg := range gprs {
		o.regs[reg] = uint32(s.GPR[i])
	}
	for i, reg := range segments {
		o.regs[reg] = uint32(s.Seg[i].Sel)
	}
	o.regs[EIP], o.regs[EFLAGS] = uint32(s.RIP), uint32(s.RFLAGS)
	o.regs[CR0], o.regs[CR3], o.regs[DR6], o.regs[DR7] = uint32(s.CR0), uint32(s.CR3), uint32(s.DR[6]), uint32(s.DR[7])
	return o
}

func (r *runner) untilHalt(o *outcome) {
	r.cpu.StopAfter(1)
	defer r.cpu.StopAfter(0)
	for until := r.cpu.Ticks() + budget; r.cpu.Ticks() < until; {
		var stop cpu.Stop
		if r.step {
			stop = r.cpu.Step()
		} else {
			stop = r.cpu.Run(until)
		}
		switch stop {
		case cpu.StopTick:
		case cpu.StopDelivery:
			o.vector = int(r.cpu.LastDelivered().Vector)
			until = r.cpu.Ticks() + 4 // the HLT at the handler
		case cpu.StopHalt:
			return
		default:
			o.running = true
			return
		}
	}
	o.running = true
}

// oneInstruction runs one instruction with all its iterations, or to its fault.
func (r *runner) oneInstruction(t *Test, o *outcome) {
	r.cpu.StopAfter(1)
	defer r.cpu.StopAfter(0)
	for range budget {
		if r.cpu.Step() == cpu.StopDelivery {
			o.vector = int(r.cpu.LastDelivered().Vector)
			return
		}
		s := r.cpu.State()
		if uint32(s.RIP) != t.Initial.Regs[EIP] || !repeats(t.Bytes) {
			return
		}
	}
}

// clear makes the memory that a test names zero again.
func (r *runner) clear(t *Test) {
	for _, list := range [][]Byte{t.Initial.RAM, t.Final.RAM} {
		for _, b := range list {
			r.mem.Write(mmu.Phys(b.At), 1, 0)
		}
	}
}

// strays finds what tests have written elsewhere, and makes it zero. It tells of
// a few bytes.
func (r *runner) strays() (what []string) {
	const few = 8
	for at, page := range r.mem.Pages() {
		if *page == (mmu.Page{}) {
			continue
		}
		for i, v := range page {
			if v != 0 && len(what) < few {
				what = append(what, fmt.Sprintf("[%05x] %02x, not 00", uint64(at)+uint64(i), v))
			}
		}
		r.mem.WriteBytes(at, make([]byte, mmu.PageSize))
	}
	return what
}

// repeats tells a repeated string instruction.
func repeats(code []byte) bool {
	rep := false
	for _, b := range code {
		switch b {
		case 0xf2, 0xf3:
			rep = true
		case 0x26, 0x2e, 0x36, 0x3e, 0xf0:
		default:
			return rep && (b&0xfc == 0x6c || b&0xf4 == 0xa4 || b&0xfe == 0xaa)
		}
	}
	return false
}

// undefined are the flags that the manual leaves undefined after the
// instruction.
func undefined(t *Test, model *cpu.Model) uint32 {
	x := &diff.Context{Case: new(diff.Case), World: new(diff.World), Mode: decode.Mode16}
	for i, reg := range gprs {
		x.Case.Regs.GPR[i] = uint64(t.Initial.Regs[reg])
	}
	dec := decode.Decoder{Features: model.Features}
	if dec.Decode(&x.Inst, t.Bytes, decode.Mode16) != decode.OK {
		return 0
	}
	x.Insts = []decode.Inst{x.Inst}
	m, _ := x.MaskOf(&diff.Result{})
	return uint32(m.Flags)
}

package sst

import (
	"slices"
)

// difference is something that an older processor does otherwise than the 386
// that its tests run on.
type difference struct {
	name   string
	reason string
	cpus   []string
	// foretell tells whether the row explains how a test and its outcome differ. A
	// test that it returns must then come out as captured; nil if all has been
	// checked already.
	foretell func(p *replay, r *runner, t *Test, o *outcome) (like *Test, ok bool)
}

// differences are tried in order; the one that a row leads to may need another.
var differences = []difference{
	{
		name: "an instruction of more than 10 bytes",
		reason: "A 286 raises interrupt 13 where an instruction with its prefixes is longer than 10 bytes; " +
			"since the 386 the limit is 15. [iAPX 286 Programmer's Reference Manual, Interrupt 13; SDM 3B, Architecture Compatibility, Instruction Length]",
		cpus: []string{"C286"},
		foretell: func(p *replay, r *runner, t *Test, o *outcome) (*Test, bool) {
			return nil, len(t.Bytes)-1 > 10 && t.Exception != nil && t.Exception.Vector == 13 && t.faults(r, 13)
		},
	},
	{
		name: "LOCK before any instruction",
		reason: "A 286 lets LOCK precede every instruction; since the 386 it is #UD but before a few, with a memory destination. " +
			"[SDM 3B, Architecture Compatibility, LOCK]",
		cpus: []string{"C286"},
		foretell: func(p *replay, r *runner, t *Test, o *outcome) (*Test, bool) {
			i := slices.Index(t.Bytes, 0xf0)
			if o.vector != 6 || i < 0 {
				return nil, false
			}
			for _, b := range t.Bytes[:i] {
				if !slices.Contains([]byte{0x26, 0x2e, 0x36, 0x3e, 0xf2, 0xf3}, b) {
					return nil, false
				}
			}
			return t.without(i), true
		},
	},
	{
		name: "a stack operand beyond the limit: interrupt 13, not 12",
		reason: "A 286 in real mode raises interrupt 13 for an operand beyond the limit of any segment; since the 386 it is 12 for the stack segment. " +
			"[SDM 3B, Architecture Compatibility, Stack-Fault Exceptions in Real-Address Mode]",
		cpus: []string{"C286"},
		foretell: func(p *replay, r *runner, t *Test, o *outcome) (*Test, bool) {
			if o.vector != 12 || t.Exception == nil || t.Exception.Vector != 13 {
				return nil, false
			}
			like := *t
			like.Initial.RAM = slices.Clone(t.Initial.RAM)
			for _, b := range t.Initial.RAM { // the entry of 12 is that of 13
				if b.At >= 4*13 && b.At < 4*14 {
					like.Initial.RAM = append(like.Initial.RAM, Byte{b.At - 4, b.Value})
				}
			}
			return &like, true
		},
	},
}

// without is the test without the prefix at i, which begins a byte later.
func (t *Test) without(i int) *Test {
	like := *t
	like.Bytes = slices.Delete(slices.Clone(t.Bytes), i, i+1)
	like.Initial.RAM = slices.Clone(t.Initial.RAM)
	ip := t.Initial.Regs[EIP]
	base := t.Initial.Regs[CS] << 4
	for j := range i {
		like.Initial.RAM = append(like.Initial.RAM, Byte{base + ip + 1 + uint32(j), t.Bytes[j]})
	}
	like.Initial.set(EIP, ip+1)
	if !has(t.Final.Has, EIP) {
		like.Final.set(EIP, ip)
	}
	if t.Exception != nil { // it pushed where the instruction begins
		like.Final.RAM = append(slices.Clone(t.Final.RAM), word(t.frame(0), ip+1)...)
	}
	return &like
}

func has(mask uint32, reg int) bool { return mask>>reg&1 != 0 }

func word(at, v uint32) []Byte { return []Byte{{at, uint8(v)}, {at + 1, uint8(v >> 8)}} }

// faults tells whether the capture shows nothing but an exception of the
// instruction: the frame, and HLT at the handler.
func (t *Test) faults(r *runner, vector uint32) bool {
	in := &t.Initial.Regs
	mem := map[uint32]uint8{}
	for _, b := range t.Initial.RAM {
		mem[b.At] = b.Value
	}
	read := func(at uint32) uint32 { return uint32(mem[at]) | uint32(mem[at+1])<<8 }
	want := *in
	want[EIP], want[CS] = (read(4*vector)+1)&0xffff, read(4*vector+2)
	want[ESP] = (in[ESP] - 6) & 0xffff
	const ifTF = 0x300
	want[EFLAGS] = in[EFLAGS] &^ ifTF
	for i := range NumRegs {
		mask := r.width(i)
		if i == EFLAGS {
			mask = r.flags()
		}
		if (t.reg(i)^want[i])&mask != 0 {
			return false
		}
	}
	for i, v := range []uint32{in[EIP], in[CS], in[EFLAGS]&r.flags() | 2} {
		for _, b := range word(0, v) {
			off := (in[ESP] - 6 + 2*uint32(i) + b.At) & 0xffff
			mem[(in[SS]<<4+off)&0xffffff] = b.Value
		}
	}
	for _, b := range t.Final.RAM {
		if mem[b.At] != b.Value {
			return false
		}
	}
	return true
}

// Differences lists the table for people: name and reason.
func Differences() [][2]string {
	var out [][2]string
	for _, d := range differences {
		out = append(out, [2]string{d.name, d.reason})
	}
	return out
}

package cpu

import (
	"x86emu/cpu/fp"
	"x86emu/decode"
)

// The x87's arithmetic and comparisons.
// [SDM 1, x87 FPU Basic Arithmetic Instructions; Comparison Instructions]

// arith87 is how an arithmetic instruction combines its operands.
type arith87 struct {
	op      fp.Operation
	reverse bool // source op destination
	pop     bool
	integer bool // the memory operand is an integer
}

var x87Arith = map[decode.Op]arith87{
	decode.FADD: {op: fp.OpAdd}, decode.FADDP: {op: fp.OpAdd, pop: true}, decode.FIADD: {op: fp.OpAdd, integer: true},
	decode.FMUL: {op: fp.OpMul}, decode.FMULP: {op: fp.OpMul, pop: true}, decode.FIMUL: {op: fp.OpMul, integer: true},
	decode.FSUB: {op: fp.OpSub}, decode.FSUBP: {op: fp.OpSub, pop: true}, decode.FISUB: {op: fp.OpSub, integer: true},
	decode.FSUBR: {op: fp.OpSub, reverse: true}, decode.FSUBRP: {op: fp.OpSub, reverse: true, pop: true}, decode.FISUBR: {op: fp.OpSub, reverse: true, integer: true},
	decode.FDIV: {op: fp.OpDiv}, decode.FDIVP: {op: fp.OpDiv, pop: true}, decode.FIDIV: {op: fp.OpDiv, integer: true},
	decode.FDIVR: {op: fp.OpDiv, reverse: true}, decode.FDIVRP: {op: fp.OpDiv, reverse: true, pop: true}, decode.FIDIVR: {op: fp.OpDiv, reverse: true, integer: true},
}

// compare87 is how a comparison works.
type compare87 struct {
	signals bool // a QNaN is invalid
	pops    int
	flags   bool // the outcome goes to EFLAGS
	integer bool
}

var x87Compare = map[decode.Op]compare87{
	decode.FCOM: {signals: true}, decode.FCOMP: {signals: true, pops: 1}, decode.FCOMPP: {signals: true, pops: 2},
	decode.FUCOM: {}, decode.FUCOMP: {pops: 1}, decode.FUCOMPP: {pops: 2},
	decode.FICOM: {signals: true, integer: true}, decode.FICOMP: {signals: true, integer: true, pops: 1},
	decode.FCOMI: {signals: true, flags: true}, decode.FCOMIP: {signals: true, flags: true, pops: 1},
	decode.FUCOMI: {flags: true}, decode.FUCOMIP: {flags: true, pops: 1},
}

func init() {
	for op, a := range x87Arith {
		set87(op, func(c *CPU, in *decode.Inst) bool { return c.arithmetic87(in, a) })
	}
	for op, a := range x87Compare {
		set87(op, func(c *CPU, in *decode.Inst) bool { return c.comparison87(in, a) })
	}
}

// memory87 reads a memory operand of an arithmetic instruction.
func (c *CPU) memory87(in *decode.Inst, integer bool) (v fp.Value, ok bool) {
	a := in.Args[0]
	raw, ok := c.load(in.Seg, c.ea(in), a.Size)
	switch {
	case !ok:
		return v, false
	case integer:
		return fp.FromInteger(signed(raw, a.Size)), true
	case a.Size == 4:
		return fp.FromMemory(&fp.Single, raw), true
	}
	return fp.FromMemory(&fp.Double, raw), true
}

// signed sign-extends an integer of a size in bytes.
func signed(v uint64, size uint8) int64 {
	sh := 64 - 8*uint(size)
	return int64(v<<sh) >> sh
}

func (c *CPU) arithmetic87(in *decode.Inst, a arith87) bool {
	if !c.x87Ready(in) {
		return false
	}
	p := &c.s.FP
	var dst, src uint8
	var y fp.Value
	if in.Args[0].Kind == decode.ArgMem {
		var ok bool
		if y, ok = c.memory87(in, a.integer); !ok {
			return false
		}
	} else {
		dst, src = in.Args[0].Num&7, in.Args[1].Num&7
	}
	if p.empty(dst) || p.empty(src) {
		if p.underflow() {
			p.setST(dst, fp.Indefinite80)
			if a.pop {
				p.pop()
			}
		}
		return true
	}
	if in.Args[0].Kind != decode.ArgMem {
		y = fp.FromRegister(*p.st(src))
	}
	x := fp.FromRegister(*p.st(dst))
	if a.reverse {
		x, y = y, x
	}
	e := p.env()
	r := e.Arith80(a.op, x, y)
	if p.settle(&e) {
		p.setST(dst, r)
		if a.pop {
			p.pop()
		}
	}
	return true
}

func (c *CPU) comparison87(in *decode.Inst, a compare87) bool {
	if !c.x87Ready(in) {
		return false
	}
	p := &c.s.FP
	src := uint8(1) // FCOMPP, FUCOMPP
	var y fp.Value
	memory := in.NArgs > 0 && in.Args[0].Kind == decode.ArgMem
	switch {
	case memory:
		var ok bool
		if y, ok = c.memory87(in, a.integer); !ok {
			return false
		}
		src = 0
	case in.NArgs > 0:
		src = in.Args[in.NArgs-1].Num & 7
	}
	o := fp.Unordered
	if p.empty(0) || p.empty(src) {
		if !p.underflow() {
			return true
		}
	} else {
		if !memory {
			y = fp.FromRegister(*p.st(src))
		}
		e := p.env()
		o = e.Compare80(fp.FromRegister(*p.st(0)), y, a.signals)
		if !p.settle(&e) {
			// An invalid operand leaves the conditions alone, a denormal one does not.
			// [SDM 2, FCOM/FCOMP/FCOMPP; observed on AMD Zen 4]
			if e.Unmasked()&fp.Invalid == 0 {
				c.order87(o, a.flags)
			}
			return true
		}
	}
	c.order87(o, a.flags)
	for range a.pops {
		p.pop()
	}
	return true
}

// order87 sets the condition codes, or EFLAGS, to the outcome of a comparison.
// [SDM 1, Table "Condition Code Interpretation"]
func (c *CPU) order87(o fp.Order, flags bool) {
	below, unordered, equal := o == fp.Less || o == fp.Unordered, o == fp.Unordered, o == fp.Equal || o == fp.Unordered
	if flags {
		c.setZPC(equal, unordered, below)
		return
	}
	c.conditions(equal, unordered, below)
}

// conditions sets C3, C2 and C0.
func (c *CPU) conditions(c3, c2, c0 bool) {
	p := &c.s.FP
	p.SW &^= swC3 | swC2 | swC0
	if c3 {
		p.SW |= swC3
	}
	if c2 {
		p.SW |= swC2
	}
	if c0 {
		p.SW |= swC0
	}
}

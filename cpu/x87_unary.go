package cpu

import (
	"x86emu/cpu/fp"
	"x86emu/decode"
)

// The x87's operations on ST(0), and on ST(0) and ST(1), that are no plain
// arithmetic. [SDM 1, x87 FPU Basic Arithmetic Instructions]

var x87Unary = map[decode.Op]handler{
	decode.FCHS: execFCHS, decode.FABS: execFCHS, decode.FXAM: execFXAM, decode.FTST: execFTST,
	decode.FSQRT: execRound87, decode.FRNDINT: execRound87,
	decode.FSCALE: execFSCALE, decode.FPREM: execFPREM, decode.FPREM1: execFPREM, decode.FXTRACT: execFXTRACT,
}

func init() {
	for op, h := range x87Unary {
		set87(op, h)
	}
}

// have tells whether ST(0) to ST(n-1) are not empty, else raises a stack
// underflow whose masked response is an indefinite ST(0).
func (p *FPState) have(n uint8) bool {
	for i := range n {
		if p.empty(i) {
			if p.underflow() {
				p.setST(0, fp.Indefinite80)
			}
			return false
		}
	}
	return true
}

// execFCHS is FCHS and FABS: the sign alone.
func execFCHS(c *CPU, in *decode.Inst) bool {
	if !c.x87Ready(in) {
		return false
	}
	p := &c.s.FP
	if !p.have(1) {
		return true
	}
	p.SW &^= swC1
	if in.Op == decode.FCHS {
		p.st(0).SE ^= 0x8000
	} else {
		p.st(0).SE &^= 0x8000
	}
	return true
}

// execFXAM tells what is in ST(0), empty or not; C1 is its sign.
func execFXAM(c *CPU, in *decode.Inst) bool {
	if !c.x87Ready(in) {
		return false
	}
	p := &c.s.FP
	class := fp.ClassOf(*p.st(0))
	if p.empty(0) {
		class = fp.ClassEmpty
	}
	c.conditions(class&4 != 0, class&2 != 0, class&1 != 0)
	p.SW &^= swC1
	if p.st(0).SE>>15 != 0 {
		p.SW |= swC1
	}
	return true
}

func execFTST(c *CPU, in *decode.Inst) bool {
	if !c.x87Ready(in) {
		return false
	}
	p := &c.s.FP
	o := fp.Unordered
	if p.empty(0) {
		if !p.underflow() {
			return true
		}
	} else {
		e := p.env()
		o = e.Compare80(fp.FromRegister(*p.st(0)), fp.FromRegister(fp.F80{}), true)
		if !p.settle(&e) && e.Unmasked()&fp.Invalid != 0 {
			return true // as for FCOM
		}
	}
	c.order87(o, false)
	return true
}

// replace replaces ST(0) by the result of an operation.
func (p *FPState) replace(e *fp.Env, v fp.F80) {
	if p.settle(e) {
		p.setST(0, v)
	}
}

// execRound87 is FSQRT and FRNDINT.
func execRound87(c *CPU, in *decode.Inst) bool {
	if !c.x87Ready(in) {
		return false
	}
	p := &c.s.FP
	if !p.have(1) {
		return true
	}
	e := p.env()
	if in.Op == decode.FSQRT {
		p.replace(&e, e.Sqrt80(*p.st(0)))
	} else {
		p.replace(&e, e.Integral80(*p.st(0)))
	}
	return true
}

func execFSCALE(c *CPU, in *decode.Inst) bool {
	if !c.x87Ready(in) {
		return false
	}
	p := &c.s.FP
	if !p.have(2) {
		return true
	}
	e := p.env()
	p.replace(&e, e.Scale80(*p.st(0), *p.st(1)))
	return true
}

// execFPREM is FPREM and FPREM1: C2 says that it is not complete, C0, C3 and C1 are
// the low bits of the quotient, if there is one.
func execFPREM(c *CPU, in *decode.Inst) bool {
	if !c.x87Ready(in) {
		return false
	}
	p := &c.s.FP
	p.SW &^= swC2
	if !p.have(2) {
		return true
	}
	e := p.env()
	r, part := e.Remainder80(*p.st(0), *p.st(1), in.Op == decode.FPREM1)
	e.RoundedUp = false
	if !p.settle(&e) {
		return true
	}
	p.setST(0, r)
	if part.None {
		return true
	}
	q := part.Quotient
	c.conditions(q&2 != 0, part.More, q&4 != 0)
	if q&1 != 0 {
		p.SW |= swC1
	}
	return true
}

// execFXTRACT replaces ST(0) by its exponent and pushes its significand.
func execFXTRACT(c *CPU, in *decode.Inst) bool {
	if !c.x87Ready(in) {
		return false
	}
	p := &c.s.FP
	switch {
	case p.empty(0):
		if p.underflow() {
			p.setST(0, fp.Indefinite80)
			p.push(fp.Indefinite80)
		}
		return true
	case !p.empty(7):
		if p.overflow() {
			p.setST(0, fp.Indefinite80)
			p.push(fp.Indefinite80)
		}
		return true
	}
	e := p.env()
	sig, exp := e.Extract80(*p.st(0))
	if p.settle(&e) {
		p.setST(0, exp)
		p.push(sig)
	}
	return true
}

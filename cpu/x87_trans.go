package cpu

import (
	"x86emu/cpu/fp"
	"x86emu/decode"
)

// The x87's transcendental instructions; package fp computes them.
// [SDM 1, x87 FPU Trigonometric Instructions; Logarithmic, Exponential, and Scale Instructions]

func init() {
	for op, trig := range map[decode.Op]fp.Trig{
		decode.FSIN: fp.Sin, decode.FCOS: fp.Cos, decode.FSINCOS: fp.SinCos, decode.FPTAN: fp.Tan,
	} {
		set87(op, func(c *CPU, in *decode.Inst) bool { return c.trigonometric(in, trig) })
	}
	set87(decode.F2XM1, execF2XM1)
	for op, f := range map[decode.Op]func(e *fp.Env, st0, st1 fp.F80) fp.F80{
		decode.FYL2X: (*fp.Env).Log80, decode.FYL2XP1: (*fp.Env).LogPlus80, decode.FPATAN: (*fp.Env).Atan80,
	} {
		set87(op, func(c *CPU, in *decode.Inst) bool { return c.binaryPop(in, f) })
	}
}

// trigonometric is FSIN, FCOS, FSINCOS and FPTAN; the last two push a second result.
func (c *CPU) trigonometric(in *decode.Inst, op fp.Trig) bool {
	if !c.x87Ready(in) {
		return false
	}
	p := &c.s.FP
	p.SW &^= swC2
	two := op == fp.SinCos || op == fp.Tan
	switch {
	case p.empty(0):
		if p.underflow() {
			p.setST(0, fp.Indefinite80)
			if two {
				p.push(fp.Indefinite80)
			}
		}
		return true
	case two && !p.empty(7):
		if p.overflow() {
			p.setST(0, fp.Indefinite80)
			p.push(fp.Indefinite80)
		}
		return true
	}
	e := p.env()
	first, second, far := e.Trig80(op, *p.st(0))
	if far {
		p.SW = p.SW&^swC1 | swC2
		return true
	}
	if !p.settle(&e) {
		return true
	}
	p.setST(0, first)
	if two {
		p.push(second)
	}
	return true
}

func execF2XM1(c *CPU, in *decode.Inst) bool {
	if !c.x87Ready(in) {
		return false
	}
	p := &c.s.FP
	if !p.have(1) {
		return true
	}
	e := p.env()
	p.replace(&e, e.Exp80(*p.st(0)))
	return true
}

// binaryPop is an operation on ST(0) and ST(1) that leaves its result alone.
func (c *CPU) binaryPop(in *decode.Inst, f func(e *fp.Env, st0, st1 fp.F80) fp.F80) bool {
	if !c.x87Ready(in) {
		return false
	}
	p := &c.s.FP
	if p.empty(0) || p.empty(1) {
		if p.underflow() {
			p.setST(1, fp.Indefinite80)
			p.pop()
		}
		return true
	}
	e := p.env()
	r := f(&e, *p.st(0), *p.st(1))
	if p.settle(&e) {
		p.setST(1, r)
		p.pop()
	}
	return true
}

package cpu

import (
	"x86emu/cpu/fp"
	"x86emu/cpu/simd"
	"x86emu/decode"
	"x86emu/idt"
	"x86emu/mmu"
)

// The floating-point instructions of SSE. An instruction is an operation of
// package fp on some lanes of a format; what its exceptions do is decided here.
// [SDM 1, Handling SIMD Floating-Point Exceptions]

// lanes says which lanes an instruction works on.
type lanes struct {
	f *fp.Format
	n int // 1: the lowest alone, the others stay
}

var (
	ps = lanes{&fp.Single, 4}
	pd = lanes{&fp.Double, 2}
	ss = lanes{&fp.Single, 1}
	sd = lanes{&fp.Double, 1}
)

func (l lanes) size() int { return int(l.f.Bits) / 8 }

// floatOp is an operation on one lane.
type floatOp func(e *fp.Env, f *fp.Format, a, b uint64) uint64

// floats lists the instructions that combine lane by lane.
var floats = map[decode.Op]struct {
	lanes
	op floatOp
}{
	decode.ADDPS: {ps, (*fp.Env).Add}, decode.ADDPD: {pd, (*fp.Env).Add}, decode.ADDSS: {ss, (*fp.Env).Add}, decode.ADDSD: {sd, (*fp.Env).Add},
	decode.SUBPS: {ps, (*fp.Env).Sub}, decode.SUBPD: {pd, (*fp.Env).Sub}, decode.SUBSS: {ss, (*fp.Env).Sub}, decode.SUBSD: {sd, (*fp.Env).Sub},
	decode.MULPS: {ps, (*fp.Env).Mul}, decode.MULPD: {pd, (*fp.Env).Mul}, decode.MULSS: {ss, (*fp.Env).Mul}, decode.MULSD: {sd, (*fp.Env).Mul},
	decode.DIVPS: {ps, (*fp.Env).Div}, decode.DIVPD: {pd, (*fp.Env).Div}, decode.DIVSS: {ss, (*fp.Env).Div}, decode.DIVSD: {sd, (*fp.Env).Div},
	decode.MINPS: {ps, (*fp.Env).Min}, decode.MINPD: {pd, (*fp.Env).Min}, decode.MINSS: {ss, (*fp.Env).Min}, decode.MINSD: {sd, (*fp.Env).Min},
	decode.MAXPS: {ps, (*fp.Env).Max}, decode.MAXPD: {pd, (*fp.Env).Max}, decode.MAXSS: {ss, (*fp.Env).Max}, decode.MAXSD: {sd, (*fp.Env).Max},
	decode.SQRTPS: {ps, root}, decode.SQRTPD: {pd, root}, decode.SQRTSS: {ss, root}, decode.SQRTSD: {sd, root},
}

func root(e *fp.Env, f *fp.Format, _, b uint64) uint64 { return e.Sqrt(f, b) }

func init() {
	for op, x := range floats {
		handlers[op] = func(c *CPU, in *decode.Inst) bool {
			return c.floating(in, func(e *fp.Env, d, s simd.Vec) simd.Vec { return x.apply(e, d, s, x.op) })
		}
	}
	for op, l := range map[decode.Op]lanes{decode.CMPPS: ps, decode.CMPPD: pd, decode.CMPSS: ss, decode.CMPSD_XMM: sd} {
		handlers[op] = func(c *CPU, in *decode.Inst) bool {
			return c.floating(in, func(e *fp.Env, d, s simd.Vec) simd.Vec {
				return l.apply(e, d, s, func(e *fp.Env, f *fp.Format, a, b uint64) uint64 {
					return predicate(e, f, a, b, uint8(in.Imm)&7)
				})
			})
		}
	}
	for op, l := range map[decode.Op]lanes{decode.ROUNDPS: ps, decode.ROUNDPD: pd, decode.ROUNDSS: ss, decode.ROUNDSD: sd} {
		handlers[op] = func(c *CPU, in *decode.Inst) bool {
			return c.floating(in, func(e *fp.Env, d, s simd.Vec) simd.Vec {
				return l.apply(e, d, s, func(e *fp.Env, f *fp.Format, _, b uint64) uint64 {
					mode := fp.Rounding(in.Imm & 3)
					if in.Imm&4 != 0 {
						mode = e.Round
					}
					return e.Integral(f, b, mode, in.Imm&8 == 0)
				})
			})
		}
	}
	for op, f := range map[decode.Op]func(e *fp.Env, d, s simd.Vec) simd.Vec{
		decode.ADDSUBPS: func(e *fp.Env, d, s simd.Vec) simd.Vec { return addSub(e, ps, d, s) },
		decode.ADDSUBPD: func(e *fp.Env, d, s simd.Vec) simd.Vec { return addSub(e, pd, d, s) },
		decode.HADDPS:   func(e *fp.Env, d, s simd.Vec) simd.Vec { return horizontal(e, ps, d, s, (*fp.Env).Add) },
		decode.HADDPD:   func(e *fp.Env, d, s simd.Vec) simd.Vec { return horizontal(e, pd, d, s, (*fp.Env).Add) },
		decode.HSUBPS:   func(e *fp.Env, d, s simd.Vec) simd.Vec { return horizontal(e, ps, d, s, (*fp.Env).Sub) },
		decode.HSUBPD:   func(e *fp.Env, d, s simd.Vec) simd.Vec { return horizontal(e, pd, d, s, (*fp.Env).Sub) },
	} {
		handlers[op] = func(c *CPU, in *decode.Inst) bool { return c.floating(in, f) }
	}
	for op, f := range map[decode.Op]func(uint64) uint64{
		decode.RCPPS: fp.Reciprocal, decode.RCPSS: fp.Reciprocal, decode.RSQRTPS: fp.ReciprocalRoot, decode.RSQRTSS: fp.ReciprocalRoot,
	} {
		l := ps
		if op == decode.RCPSS || op == decode.RSQRTSS {
			l = ss
		}
		handlers[op] = func(c *CPU, in *decode.Inst) bool {
			return c.floating(in, func(e *fp.Env, d, s simd.Vec) simd.Vec {
				return l.apply(e, d, s, func(_ *fp.Env, _ *fp.Format, _, b uint64) uint64 { return f(b) })
			})
		}
	}
	for op, l := range map[decode.Op]lanes{decode.COMISS: ss, decode.UCOMISS: ss, decode.COMISD: sd, decode.UCOMISD: sd} {
		signals := op == decode.COMISS || op == decode.COMISD
		handlers[op] = func(c *CPU, in *decode.Inst) bool { return c.compareFloat(in, l, signals) }
	}
}

// apply works lane by lane; lanes beyond keep the destination's value.
func (l lanes) apply(e *fp.Env, d, s simd.Vec, op floatOp) simd.Vec {
	size := l.size()
	r := d
	for i := range l.n {
		r.SetLane(i, size, op(e, l.f, d.Lane(i, size), s.Lane(i, size)))
	}
	return r
}

// addSub subtracts in even lanes and adds in odd ones. [SDM 2, ADDSUBPS; ADDSUBPD]
func addSub(e *fp.Env, l lanes, d, s simd.Vec) (r simd.Vec) {
	size := l.size()
	for i := range l.n {
		op := (*fp.Env).Sub
		if i&1 != 0 {
			op = (*fp.Env).Add
		}
		r.SetLane(i, size, op(e, l.f, d.Lane(i, size), s.Lane(i, size)))
	}
	return r
}

// horizontal combines neighbours: the destination's go to the low half. [SDM 2, HADDPS; HADDPD; HSUBPS; HSUBPD]
func horizontal(e *fp.Env, l lanes, d, s simd.Vec, op floatOp) (r simd.Vec) {
	size, half := l.size(), l.n/2
	for i := range half {
		r.SetLane(i, size, op(e, l.f, d.Lane(2*i, size), d.Lane(2*i+1, size)))
		r.SetLane(half+i, size, op(e, l.f, s.Lane(2*i, size), s.Lane(2*i+1, size)))
	}
	return r
}

// predicate is one lane of CMPxx. [SDM 2, CMPPD]
func predicate(e *fp.Env, f *fp.Format, a, b uint64, imm uint8) uint64 {
	// LT, LE and their negations signal QNaNs too.
	signals := imm&3 == 1 || imm&3 == 2
	o := e.Compare(f, a, b, signals)
	var is bool
	switch imm & 3 {
	case 0:
		is = o == fp.Equal
	case 1:
		is = o == fp.Less
	case 2:
		is = o == fp.Less || o == fp.Equal
	case 3:
		is = o == fp.Unordered
	}
	if is != (imm&4 != 0) {
		return ^uint64(0)
	}
	return 0
}

// env is the unit's state as MXCSR says.
func (c *CPU) env() fp.Env {
	m := c.s.FP.MXCSR
	return fp.Env{
		Round: fp.Rounding(m >> mxRound & 3), Masked: fp.Flags(m>>mxMasks) & fp.AllFlags,
		DAZ: m&mxDAZ != 0, FTZ: m&mxFTZ != 0,
	}
}

// raised takes over the exceptions that an instruction raised. One that is not
// masked is a fault, and the destination stays.
// [SDM 1, Handling SIMD Floating-Point Exceptions; SDM 3A, Interrupt 19—SIMD Floating-Point Exception (#XM)]
func (c *CPU) raised(e *fp.Env) bool {
	const before = fp.Invalid | fp.Denormal | fp.ZeroDiv
	if e.Unmasked()&before != 0 {
		// Found before any lane is computed: what rounding raises is not seen.
		e.Flags &= before
	}
	c.s.FP.MXCSR |= uint32(e.Flags)
	if e.Unmasked() == 0 {
		return true
	}
	// Without CR4.OSXMMEXCPT the kernel knows no #XM: #UD.
	if c.mmu.Ctl.CR4&mmu.CR4OSXMMEXCPT == 0 {
		return c.ud()
	}
	return c.raise(idt.VecXM)
}

// floating is an instruction that replaces operand 0 by a function of operands 0 and 1.
func (c *CPU) floating(in *decode.Inst, f func(e *fp.Env, d, s simd.Vec) simd.Vec) bool {
	if !c.sseReady() {
		return false
	}
	s, ok := c.vec(in, 1)
	if !ok {
		return false
	}
	e := c.env()
	r := f(&e, c.s.FP.XMM[in.Args[0].Num&15], s)
	if !c.raised(&e) {
		return false
	}
	c.s.FP.XMM[in.Args[0].Num&15] = r
	return true
}

// compareFloat is COMISS, COMISD and their unordered sisters.
func (c *CPU) compareFloat(in *decode.Inst, l lanes, signals bool) bool {
	if !c.sseReady() {
		return false
	}
	s, ok := c.vec(in, 1)
	if !ok {
		return false
	}
	d, _ := c.vec(in, 0)
	e := c.env()
	o := e.Compare(l.f, d.Lane(0, l.size()), s.Lane(0, l.size()), signals)
	if !c.raised(&e) {
		return false
	}
	c.setZPC(o == fp.Equal || o == fp.Unordered, o == fp.Unordered, o == fp.Less || o == fp.Unordered)
	return true
}

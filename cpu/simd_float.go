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

// floatInst is an instruction that combines lane by lane.
type floatInst struct {
	lanes
	op fp.Operation
}

// floats lists the instructions that combine lane by lane.
var floats = map[decode.Op]floatInst{
	decode.ADDPS: {ps, fp.OpAdd}, decode.ADDPD: {pd, fp.OpAdd}, decode.ADDSS: {ss, fp.OpAdd}, decode.ADDSD: {sd, fp.OpAdd},
	decode.SUBPS: {ps, fp.OpSub}, decode.SUBPD: {pd, fp.OpSub}, decode.SUBSS: {ss, fp.OpSub}, decode.SUBSD: {sd, fp.OpSub},
	decode.MULPS: {ps, fp.OpMul}, decode.MULPD: {pd, fp.OpMul}, decode.MULSS: {ss, fp.OpMul}, decode.MULSD: {sd, fp.OpMul},
	decode.DIVPS: {ps, fp.OpDiv}, decode.DIVPD: {pd, fp.OpDiv}, decode.DIVSS: {ss, fp.OpDiv}, decode.DIVSD: {sd, fp.OpDiv},
	decode.MINPS: {ps, fp.OpMin}, decode.MINPD: {pd, fp.OpMin}, decode.MINSS: {ss, fp.OpMin}, decode.MINSD: {sd, fp.OpMin},
	decode.MAXPS: {ps, fp.OpMax}, decode.MAXPD: {pd, fp.OpMax}, decode.MAXSS: {ss, fp.OpMax}, decode.MAXSD: {sd, fp.OpMax},
	decode.SQRTPS: {ps, fp.OpSqrt}, decode.SQRTPD: {pd, fp.OpSqrt}, decode.SQRTSS: {ss, fp.OpSqrt}, decode.SQRTSD: {sd, fp.OpSqrt},
}

func init() {
	for op, x := range floats {
		handlers[op] = func(c *CPU, in *decode.Inst) bool { return c.arithmetic(in, x.lanes, x.op) }
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

// env is the unit's state as MXCSR says, good until the next instruction.
func (c *CPU) env() *fp.Env {
	m := c.s.FP.MXCSR
	c.float = fp.Env{
		Round: fp.Rounding(m >> mxRound & 3), Masked: fp.Flags(m>>mxMasks) & fp.AllFlags,
		DAZ: m&mxDAZ != 0, FTZ: m&mxFTZ != 0,
	}
	if c.float.Masked == fp.AllFlags {
		// What is raised already need not be looked for again.
		c.float.Flags = fp.Flags(m) & fp.AllFlags
	}
	return &c.float
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

// arithmetic combines operands 0 and 1 lane by lane.
func (c *CPU) arithmetic(in *decode.Inst, l lanes, op fp.Operation) bool {
	_, s, ok := c.vectors(in)
	return ok && c.byLane(&c.s.FP.XMM[in.Args[0].Num&15], s, l, op)
}

// byLane combines d with s lane by lane.
func (c *CPU) byLane(d *simd.Vec, s simd.Vec, l lanes, op fp.Operation) bool {
	e := c.env()
	r := *d
	switch {
	case l.f == &fp.Double:
		r.Lo = e.Apply(op, l.f, d.Lo, s.Lo)
		if l.n > 1 {
			r.Hi = e.Apply(op, l.f, d.Hi, s.Hi)
		}
	case l.n > 1:
		r.Lo = e.Apply2(op, d.Lo, s.Lo)
		r.Hi = e.Apply2(op, d.Hi, s.Hi)
	default:
		r.SetLane(0, 4, e.Apply(op, l.f, d.Lane(0, 4), s.Lane(0, 4)))
	}
	if !c.raised(e) {
		return false
	}
	*d = r
	return true
}

// floating is an instruction that replaces operand 0 by a function of operands 0 and 1.
func (c *CPU) floating(in *decode.Inst, f func(e *fp.Env, d, s simd.Vec) simd.Vec) bool {
	d, s, ok := c.vectors(in)
	if !ok {
		return false
	}
	e := c.env()
	r := f(e, d, s)
	if !c.raised(e) {
		return false
	}
	c.s.FP.XMM[in.Args[0].Num&15] = r
	return true
}

// compareFloat is COMISS, COMISD and their unordered sisters.
func (c *CPU) compareFloat(in *decode.Inst, l lanes, signals bool) bool {
	d, s, ok := c.vectors(in)
	if !ok {
		return false
	}
	e := c.env()
	o := e.Compare(l.f, d.Lane(0, l.size()), s.Lane(0, l.size()), signals)
	if !c.raised(e) {
		return false
	}
	c.setZPC(o == fp.Equal || o == fp.Unordered, o == fp.Unordered, o == fp.Less || o == fp.Unordered)
	return true
}

package cpu

import (
	"x86emu/cpu/fp"
	"x86emu/cpu/simd"
	"x86emu/decode"
)

// The conversions of SSE and SSE2, the dot products, and the loads and stores of MXCSR.
// [SDM 1, SSE2 Conversion Instructions]

// conversion is one lane's: from, to are sizes in bytes; the source's lanes are
// read from its low end, those of the result written to its low end, and the rest
// of the destination is cleared, or kept if it is scalar or in an XMM register fed from MMX.
type conversion struct {
	n        int // lanes
	from, to int
	keep     bool
	f        func(e *fp.Env, v uint64) uint64
}

func toInt(f *fp.Format, width uint) func(e *fp.Env, v uint64) uint64 {
	return func(e *fp.Env, v uint64) uint64 { return e.ToInt(f, v, width, e.Round) }
}

func truncate(f *fp.Format, width uint) func(e *fp.Env, v uint64) uint64 {
	return func(e *fp.Env, v uint64) uint64 { return e.ToInt(f, v, width, fp.Zero) }
}

func fromInt32(f *fp.Format) func(e *fp.Env, v uint64) uint64 {
	return func(e *fp.Env, v uint64) uint64 { return e.FromInt(f, int64(int32(v))) }
}

func between(from, to *fp.Format) func(e *fp.Env, v uint64) uint64 {
	return func(e *fp.Env, v uint64) uint64 { return e.Convert(from, to, v) }
}

// conversions lists those from vector to vector.
var conversions = map[decode.Op]conversion{
	decode.CVTPS2PD:  {2, 4, 8, false, between(&fp.Single, &fp.Double)},
	decode.CVTPD2PS:  {2, 8, 4, false, between(&fp.Double, &fp.Single)},
	decode.CVTSS2SD:  {1, 4, 8, true, between(&fp.Single, &fp.Double)},
	decode.CVTSD2SS:  {1, 8, 4, true, between(&fp.Double, &fp.Single)},
	decode.CVTDQ2PS:  {4, 4, 4, false, fromInt32(&fp.Single)},
	decode.CVTDQ2PD:  {2, 4, 8, false, fromInt32(&fp.Double)},
	decode.CVTPI2PS:  {2, 4, 4, true, fromInt32(&fp.Single)},
	decode.CVTPI2PD:  {2, 4, 8, false, fromInt32(&fp.Double)},
	decode.CVTPS2DQ:  {4, 4, 4, false, toInt(&fp.Single, 32)},
	decode.CVTTPS2DQ: {4, 4, 4, false, truncate(&fp.Single, 32)},
	decode.CVTPD2DQ:  {2, 8, 4, false, toInt(&fp.Double, 32)},
	decode.CVTTPD2DQ: {2, 8, 4, false, truncate(&fp.Double, 32)},
	decode.CVTPS2PI:  {2, 4, 4, false, toInt(&fp.Single, 32)},
	decode.CVTTPS2PI: {2, 4, 4, false, truncate(&fp.Single, 32)},
	decode.CVTPD2PI:  {2, 8, 4, false, toInt(&fp.Double, 32)},
	decode.CVTTPD2PI: {2, 8, 4, false, truncate(&fp.Double, 32)},
}

func init() {
	for op, v := range conversions {
		handlers[op] = func(c *CPU, in *decode.Inst) bool { return c.convert(in, v) }
	}
	for op, h := range map[decode.Op]handler{
		decode.CVTSI2SS: execFromInt, decode.CVTSI2SD: execFromInt,
		decode.CVTSS2SI: execToInt, decode.CVTTSS2SI: execToInt, decode.CVTSD2SI: execToInt, decode.CVTTSD2SI: execToInt,
		decode.DPPS: execDotProduct, decode.DPPD: execDotProduct,
		decode.LDMXCSR: execLDMXCSR, decode.STMXCSR: execSTMXCSR,
	} {
		handlers[op] = h
	}
}

// convert is a conversion from vector to vector. One with MMX registers also
// looks for a pending x87 exception, and turns the x87 to MMX if it goes there or
// takes its operand from there. [SDM 2, CVTPI2PS; CVTPS2PI]
func (c *CPU) convert(in *decode.Inst, v conversion) bool {
	if !c.sseReady() {
		return false
	}
	mmx := in.Args[0].Kind == decode.ArgMMX || in.Args[1].Kind == decode.ArgMMX
	if mmx && !c.noPending() {
		return false
	}
	s, ok := c.vec(in, 1)
	if !ok {
		return false
	}
	e := c.env()
	var r simd.Vec
	if v.keep {
		r = c.s.FP.XMM[in.Args[0].Num&15]
	}
	for i := range v.n {
		r.SetLane(i, v.to, v.f(e, s.Lane(i, v.from)))
	}
	if mmx {
		c.toMMX()
	}
	if !c.raised(e) {
		return false
	}
	c.setVec(in, 0, r)
	return true
}

// execFromInt is CVTSI2SS and CVTSI2SD.
func execFromInt(c *CPU, in *decode.Inst) bool {
	if !c.sseReady() {
		return false
	}
	v, ok := c.get(in, 1)
	if !ok {
		return false
	}
	if in.Args[1].Size == 4 {
		v = uint64(int64(int32(v)))
	}
	l := ss
	if in.Op == decode.CVTSI2SD {
		l = sd
	}
	e := c.env()
	r := e.FromInt(l.f, int64(v))
	if !c.raised(e) {
		return false
	}
	c.s.FP.XMM[in.Args[0].Num&15].SetLane(0, l.size(), r)
	return true
}

// execToInt is CVTSS2SI, CVTSD2SI and the truncating ones.
func execToInt(c *CPU, in *decode.Inst) bool {
	if !c.sseReady() {
		return false
	}
	v, ok := c.vec(in, 1)
	if !ok {
		return false
	}
	e := c.env()
	l, round := ss, e.Round
	switch in.Op {
	case decode.CVTTSS2SI:
		round = fp.Zero
	case decode.CVTSD2SI:
		l = sd
	case decode.CVTTSD2SI:
		l, round = sd, fp.Zero
	}
	r := e.ToInt(l.f, v.Lane(0, l.size()), 8*uint(in.Args[0].Size), round)
	if !c.raised(e) {
		return false
	}
	c.setReg(in.Args[0], r)
	return true
}

// execDotProduct is DPPS and DPPD: the high bits of the immediate choose the
// products, which are added in pairs; the low ones where the sum goes. An
// exception of the products that is not masked comes before their sums.
// [SDM 2, DPPS; DPPD]
func execDotProduct(c *CPU, in *decode.Inst) bool {
	d, s, ok := c.vectors(in)
	if !ok {
		return false
	}
	l := ps
	if in.Op == decode.DPPD {
		l = pd
	}
	size := l.size()
	e := c.env()
	var p [4]uint64
	for i := range l.n {
		if in.Imm>>(4+i)&1 != 0 {
			p[i] = e.Mul(l.f, d.Lane(i, size), s.Lane(i, size))
		}
	}
	if !c.raised(e) {
		return false
	}
	sum := e.Add(l.f, p[0], p[1])
	if l.n == 4 {
		high := e.Add(l.f, p[2], p[3])
		if !c.raised(e) {
			return false
		}
		sum = e.Add(l.f, sum, high)
	}
	if !c.raised(e) {
		return false
	}
	var r simd.Vec
	for i := range l.n {
		if in.Imm>>i&1 != 0 {
			r.SetLane(i, size, sum)
		}
	}
	c.setVec(in, 0, r)
	return true
}

// execLDMXCSR loads MXCSR; a reserved bit is #GP(0). [SDM 2, LDMXCSR]
func execLDMXCSR(c *CPU, in *decode.Inst) bool {
	if !c.sseReady() {
		return false
	}
	v, ok := c.load(in.Seg, c.ea(in), 4)
	if !ok {
		return false
	}
	if v&^uint64(c.mxcsrValid()) != 0 {
		return c.gp(0)
	}
	c.s.FP.MXCSR = uint32(v)
	return true
}

func execSTMXCSR(c *CPU, in *decode.Inst) bool {
	return c.sseReady() && c.store(in.Seg, c.ea(in), 4, uint64(c.s.FP.MXCSR))
}

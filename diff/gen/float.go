package gen

import (
	"math/rand/v2"

	"x86emu/decode"
	"x86emu/diff"
)

// hostState are the operations whose outcome at CPL 3 tells of the components that
// the host's kernel has switched on in XCR0, which are not those of our world.
var hostState = map[decode.Op]bool{
	decode.XGETBV: true, decode.XSETBV: true, decode.XSAVE: true, decode.XSAVE64: true, decode.XRSTOR: true, decode.XRSTOR64: true,
	decode.XSAVEOPT: true, decode.XSAVEOPT64: true, decode.XSAVEC: true, decode.XSAVEC64: true,
}

// floatOps are the floating-point operations whose operands do not show it.
var floatOps = map[decode.Op]bool{
	decode.FWAIT: true, decode.EMMS: true, decode.LDMXCSR: true, decode.STMXCSR: true,
	decode.FXSAVE: true, decode.FXSAVE64: true, decode.FXRSTOR: true, decode.FXRSTOR64: true,
	decode.CVTSS2SI: true, decode.CVTTSS2SI: true, decode.CVTSD2SI: true, decode.CVTTSD2SI: true,
}

// isFloat tells whether a form is one of the x87, MMX or SSE.
func (g *Insn) isFloat(f *decode.Form) bool {
	if f.Map == 0 && f.Opcode>>3 == 0xd8>>3 || floatOps[f.Op] {
		return true
	}
	var in decode.Inst
	e := encode(rand.New(rand.NewPCG(0, 0)), f)
	g.dec.Decode(&in, e.code, f.Mode)
	for _, a := range in.Args[:in.NArgs] {
		switch a.Kind {
		case decode.ArgST, decode.ArgMMX, decode.ArgXMM:
			return true
		}
	}
	return false
}

// Edges of the formats: zeros, the least and largest denormals and normals, one and
// its neighbours, halves, powers at which integers end, infinities, NaNs of both kinds.
var (
	singles = []uint32{
		0, 1, 2, 0x7fffff, 0x800000, 0x800001, 0xffffff, 0x3f800000, 0x3f7fffff, 0x3f800001, 0x3f000000, 0x3effffff, 0x3fc00000, 0x40200000,
		0x4b000000, 0x4effffff, 0x4f000000, 0x5effffff, 0x5f000000, 0x7f7fffff, 0x7f800000, 0x7f800001, 0x7fbfffff, 0x7fc00000, 0x7fc01234,
	}
	doubles = []uint64{
		0, 1, 0xfffffffffffff, 0x10000000000000, 0x10000000000001, 0x3ff0000000000000, 0x3fefffffffffffff, 0x3ff0000000000001,
		0x3fe0000000000000, 0x3fdfffffffffffff, 0x3ff8000000000000, 0x4004000000000000, 0x41dfffffffc00000, 0x41e0000000000000, 0x41dfffffffe00000,
		0x43dfffffffffffff, 0x43e0000000000000, 0x4330000000000000, 0x36a0000000000000, 0x380fffffffffffff, 0x380ffffff0000000, 0x47efffffe0000000, 0x47effffff0000000,
		0x1ff0000000000000, 0x7fefffffffffffff, 0x7ff0000000000000, 0x7ff0000000000001, 0x7ff8000000000000, 0x7ffc000000001234,
	}
	exponents = []uint16{
		0, 1, 2, 0x3fff, 0x3ffe, 0x4000, 0x7ffe, 0x7fff, 0x403e, 0x403d, 0x401e, 0x400e, 0x3c01, 0x3c00, 0x43fe, 0x43ff, 0x3bcd, 0x3f81, 0x3f80, 0x3f6a, 0x407e, 0x407f, 0x5fff, 0x1fff,
	}
	significands = []uint64{
		0, 1, 1 << 63, 1<<63 | 1, ^uint64(0), 0xc << 60, 0xa << 60, 1<<63 - 1, 1 << 62, 0xfffffffffffff800, 0xfffffffffffffc00, 0xffffff0000000000, 0xffffff8000000000, 0x8000008000000000,
		0x8000000000000400, 0xc000000000001234, 0xbfffffffffffffff,
	}
)

// single, double and packed are operands of SSE.
func single(r *rand.Rand) uint32 {
	v := singles[r.IntN(len(singles))]
	switch r.IntN(4) {
	case 0:
		v = r.Uint32()&0x7fffff | uint32(97+r.IntN(60))<<23
	case 1:
		v = r.Uint32()
	}
	return v ^ uint32(r.IntN(2))<<31
}

func double(r *rand.Rand) uint64 {
	v := doubles[r.IntN(len(doubles))]
	switch r.IntN(4) {
	case 0:
		v = r.Uint64()&(1<<52-1) | uint64(963+r.IntN(120))<<52
	case 1:
		v = r.Uint64()
	}
	return v ^ uint64(r.IntN(2))<<63
}

func packed(r *rand.Rand) uint64 {
	switch r.IntN(6) {
	case 0, 1:
		return double(r)
	case 2, 3:
		return uint64(single(r)) | uint64(single(r))<<32
	case 4: // small bytes: counts, indices, text
		v := uint64(0)
		for range 8 {
			v = v<<8 | uint64(r.IntN(20))
		}
		return v
	}
	return value(r)
}

// extended is an operand of the x87, now and then one that no operation makes.
func extended(r *rand.Rand) diff.Extended {
	v := diff.Extended{Sig: significands[r.IntN(len(significands))], SE: exponents[r.IntN(len(exponents))]}
	if once(r, 3) {
		v.Sig = r.Uint64()
	}
	if once(r, 2) {
		v.SE = uint16(0x3fff - 70 + r.IntN(140))
	}
	if v.SE != 0 && !once(r, 8) {
		v.Sig |= 1 << 63
	}
	v.SE |= uint16(r.IntN(2)) << 15
	return v
}

// floats gives a case registers of the units, and a memory operand that is worth
// reading.
func (m *maker) floats() {
	r, f := m.r, &m.c.Regs.Float
	// Registers that the instruction does not name keep a value that tells them apart.
	for i := range uint64(8) {
		f.ST[i] = diff.Extended{Sig: 1<<63 | i<<40, SE: 0x3fff}
	}
	for i := range uint64(16) {
		f.XMM[i] = [2]uint64{i * 0x0101010101010101, i * 0x0101010101010101}
	}
	f.ST[0], f.ST[1], f.ST[7] = extended(r), extended(r), extended(r)
	f.XMM[0] = [2]uint64{packed(r), packed(r)}
	for _, a := range m.in.Args[:m.in.NArgs] {
		switch a.Kind {
		case decode.ArgST:
			f.ST[a.Num&7] = extended(r)
		case decode.ArgMMX: // by its physical register: all of them
			for i := range f.ST {
				f.ST[i] = diff.Extended{Sig: packed(r), SE: 0xffff}
			}
		case decode.ArgXMM:
			f.XMM[a.Num&15] = [2]uint64{packed(r), packed(r)}
		}
	}
	if m.f.Mode != decode.Mode64 {
		clear(f.XMM[8:])
	}
	if once(r, 6) {
		f.ST[1] = f.ST[0]
	}
	masks := uint16(0x3f)
	if once(r, 3) {
		masks = uint16(r.IntN(64))
	}
	f.CW = 0x40 | masks | pick[uint16](r, 0, 0x200, 0x300, 0x300) | uint16(r.IntN(4))<<10
	f.SW = uint16(r.IntN(8))<<11 | uint16(r.Uint32())&0x4700
	f.Tags = pick[uint16](r, 0xff, 0xff, 0, uint16(r.IntN(256)))
	f.MXCSR = 0x1f80
	if once(r, 3) {
		f.MXCSR = uint32(r.IntN(64)) << 7
	}
	f.MXCSR |= uint32(r.IntN(4))<<13 | pick[uint32](r, 0, 0, 0, 1<<6, 1<<15, 1<<15|1<<6)
	if once(r, 12) { // exceptions from before, pending if they are not masked
		f.MXCSR |= uint32(r.IntN(64))
		f.SW |= uint16(r.IntN(64))
		if f.SW&0x3f&^f.CW != 0 {
			f.SW |= 0x8080
		}
	}
	// Operands of 16 bytes must mostly be aligned, or they tell of nothing else.
	in := &m.in
	for _, a := range in.Args[:in.NArgs] {
		switch {
		case a.Kind != decode.ArgMem || a.Size != 16 && a.Size != 0:
		case once(r, 4):
			if once(r, 2) {
				m.c.Regs.RFLAGS |= flagAC
				m.aimOperand(m.offset(diff.UserData+0x200+uint64(r.IntN(0x1000)), in.Seg, 16))
			}
		default:
			m.aimOperand(m.offset(diff.UserData+0x200+uint64(r.IntN(0x100))*16, in.Seg, 16))
		}
	}
	m.narrow()
	// An operand among the code would take the place of the INT3s that end it.
	if linear, ok := m.operand(); ok && !once(r, 4) && linear >= diff.UserData {
		switch v := extended(r); r.IntN(3) {
		case 0:
			m.poke(linear, 8, packed(r), packed(r))
		case 1:
			m.poke(linear, 8, v.Sig, uint64(v.SE))
		default:
			m.poke(linear, 8, uint64(r.IntN(1<<20))-1<<19, 0)
		}
	}
}

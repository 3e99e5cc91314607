package cpu

import (
	"x86emu/cpu/simd"
	"x86emu/decode"
)

// The integer, logic and shuffle instructions of MMX and SSE, by family. Those
// that only combine two vectors are rows of a table of package simd's functions;
// operand plumbing is here. [SDM 1, Intel MMX Technology; SSE; SSE2; SSSE3; SSE4]

// combined lists the instructions of a destination and a source.
var combined = map[decode.Op]simd.Op{
	decode.PADDB: simd.PADDB, decode.PADDW: simd.PADDW, decode.PADDD: simd.PADDD, decode.PADDQ: simd.PADDQ,
	decode.PSUBB: simd.PSUBB, decode.PSUBW: simd.PSUBW, decode.PSUBD: simd.PSUBD, decode.PSUBQ: simd.PSUBQ,
	decode.PADDSB: simd.PADDSB, decode.PADDSW: simd.PADDSW, decode.PADDUSB: simd.PADDUSB, decode.PADDUSW: simd.PADDUSW,
	decode.PSUBSB: simd.PSUBSB, decode.PSUBSW: simd.PSUBSW, decode.PSUBUSB: simd.PSUBUSB, decode.PSUBUSW: simd.PSUBUSW,
	decode.PMULLW: simd.PMULLW, decode.PMULHW: simd.PMULHW, decode.PMULHUW: simd.PMULHUW, decode.PMULHRSW: simd.PMULHRSW,
	decode.PMULLD: simd.PMULLD, decode.PMULUDQ: simd.PMULUDQ, decode.PMULDQ: simd.PMULDQ,
	decode.PMADDWD: simd.PMADDWD, decode.PMADDUBSW: simd.PMADDUBSW,
	decode.PAVGB: simd.PAVGB, decode.PAVGW: simd.PAVGW, decode.PSADBW: simd.PSADBW, decode.PHMINPOSUW: simd.PHMINPOSUW,
	decode.PMINUB: simd.PMINUB, decode.PMINSB: simd.PMINSB, decode.PMINUW: simd.PMINUW, decode.PMINSW: simd.PMINSW,
	decode.PMINUD: simd.PMINUD, decode.PMINSD: simd.PMINSD, decode.PMAXUB: simd.PMAXUB, decode.PMAXSB: simd.PMAXSB,
	decode.PMAXUW: simd.PMAXUW, decode.PMAXSW: simd.PMAXSW, decode.PMAXUD: simd.PMAXUD, decode.PMAXSD: simd.PMAXSD,
	decode.PABSB: simd.PABSB, decode.PABSW: simd.PABSW, decode.PABSD: simd.PABSD,
	decode.PSIGNB: simd.PSIGNB, decode.PSIGNW: simd.PSIGNW, decode.PSIGND: simd.PSIGND,
	decode.PHADDW: simd.PHADDW, decode.PHADDD: simd.PHADDD, decode.PHADDSW: simd.PHADDSW,
	decode.PHSUBW: simd.PHSUBW, decode.PHSUBD: simd.PHSUBD, decode.PHSUBSW: simd.PHSUBSW,

	decode.PAND: simd.PAND, decode.PANDN: simd.PANDN, decode.POR: simd.POR, decode.PXOR: simd.PXOR,
	decode.ANDPS: simd.PAND, decode.ANDNPS: simd.PANDN, decode.ORPS: simd.POR, decode.XORPS: simd.PXOR,
	decode.ANDPD: simd.PAND, decode.ANDNPD: simd.PANDN, decode.ORPD: simd.POR, decode.XORPD: simd.PXOR,
	decode.PCMPEQB: simd.PCMPEQB, decode.PCMPEQW: simd.PCMPEQW, decode.PCMPEQD: simd.PCMPEQD, decode.PCMPEQQ: simd.PCMPEQQ,
	decode.PCMPGTB: simd.PCMPGTB, decode.PCMPGTW: simd.PCMPGTW, decode.PCMPGTD: simd.PCMPGTD, decode.PCMPGTQ: simd.PCMPGTQ,

	decode.PACKSSWB: simd.PACKSSWB, decode.PACKUSWB: simd.PACKUSWB, decode.PACKSSDW: simd.PACKSSDW, decode.PACKUSDW: simd.PACKUSDW,
	decode.PUNPCKLBW: simd.PUNPCKLBW, decode.PUNPCKLWD: simd.PUNPCKLWD, decode.PUNPCKLDQ: simd.PUNPCKLDQ, decode.PUNPCKLQDQ: simd.PUNPCKLQDQ,
	decode.PUNPCKHBW: simd.PUNPCKHBW, decode.PUNPCKHWD: simd.PUNPCKHWD, decode.PUNPCKHDQ: simd.PUNPCKHDQ, decode.PUNPCKHQDQ: simd.PUNPCKHQDQ,
	decode.UNPCKLPS: simd.PUNPCKLDQ, decode.UNPCKHPS: simd.PUNPCKHDQ, decode.UNPCKLPD: simd.PUNPCKLQDQ, decode.UNPCKHPD: simd.PUNPCKHQDQ,
	decode.PSHUFB: simd.PSHUFB,

	decode.AESENC: simd.AESENC, decode.AESENCLAST: simd.AESENCLAST, decode.AESDEC: simd.AESDEC, decode.AESDECLAST: simd.AESDECLAST,
	decode.AESIMC:   simd.AESIMC,
	decode.SHA1MSG1: simd.SHA1MSG1, decode.SHA1MSG2: simd.SHA1MSG2, decode.SHA1NEXTE: simd.SHA1NEXTE,
	decode.SHA256MSG1: simd.SHA256MSG1, decode.SHA256MSG2: simd.SHA256MSG2,
}

// chosen lists the instructions whose immediate says how: imm is its byte.
var chosen = map[decode.Op]func(d, s simd.Vec, imm uint8, w int) simd.Vec{
	decode.PSHUFD:    func(_, s simd.Vec, imm uint8, _ int) simd.Vec { return simd.PSHUFD(s, imm) },
	decode.PSHUFLW:   func(_, s simd.Vec, imm uint8, _ int) simd.Vec { return simd.PSHUFLW(s, imm) },
	decode.PSHUFHW:   func(_, s simd.Vec, imm uint8, _ int) simd.Vec { return simd.PSHUFHW(s, imm) },
	decode.PSHUFW:    func(_, s simd.Vec, imm uint8, _ int) simd.Vec { return simd.PSHUFLW(s, imm) },
	decode.SHUFPS:    func(d, s simd.Vec, imm uint8, _ int) simd.Vec { return simd.SHUFPS(d, s, imm) },
	decode.SHUFPD:    func(d, s simd.Vec, imm uint8, _ int) simd.Vec { return simd.SHUFPD(d, s, imm) },
	decode.PALIGNR:   simd.PALIGNR,
	decode.BLENDPS:   func(d, s simd.Vec, imm uint8, _ int) simd.Vec { return simd.Blend(d, s, imm, 4) },
	decode.BLENDPD:   func(d, s simd.Vec, imm uint8, _ int) simd.Vec { return simd.Blend(d, s, imm, 8) },
	decode.PBLENDW:   func(d, s simd.Vec, imm uint8, _ int) simd.Vec { return simd.Blend(d, s, imm, 2) },
	decode.MPSADBW:   func(d, s simd.Vec, imm uint8, _ int) simd.Vec { return simd.MPSADBW(d, s, imm) },
	decode.PCLMULQDQ: func(d, s simd.Vec, imm uint8, _ int) simd.Vec { return simd.PCLMULQDQ(d, s, imm) },
	decode.SHA1RNDS4: func(d, s simd.Vec, imm uint8, _ int) simd.Vec { return simd.SHA1RNDS4(d, s, imm) },
	decode.AESKEYGENASSIST: func(_, s simd.Vec, imm uint8, _ int) simd.Vec {
		return simd.AESKEYGENASSIST(s, imm)
	},
}

// byXMM0 lists the instructions with XMM0 as their third operand.
var byXMM0 = map[decode.Op]func(d, s, x simd.Vec) simd.Vec{
	decode.BLENDVPS:    func(d, s, x simd.Vec) simd.Vec { return simd.BlendBySign(d, s, x, 4) },
	decode.BLENDVPD:    func(d, s, x simd.Vec) simd.Vec { return simd.BlendBySign(d, s, x, 8) },
	decode.PBLENDVB:    func(d, s, x simd.Vec) simd.Vec { return simd.BlendBySign(d, s, x, 1) },
	decode.SHA256RNDS2: simd.SHA256RNDS2,
}

// shifted lists the shifts of lanes: by an immediate, or by the low quadword of a vector.
var shifted = map[decode.Op]func(d simd.Vec, n uint64) simd.Vec{
	decode.PSLLW:  func(d simd.Vec, n uint64) simd.Vec { return simd.Left(d, n, 2) },
	decode.PSLLD:  func(d simd.Vec, n uint64) simd.Vec { return simd.Left(d, n, 4) },
	decode.PSLLQ:  func(d simd.Vec, n uint64) simd.Vec { return simd.Left(d, n, 8) },
	decode.PSRLW:  func(d simd.Vec, n uint64) simd.Vec { return simd.Right(d, n, 2) },
	decode.PSRLD:  func(d simd.Vec, n uint64) simd.Vec { return simd.Right(d, n, 4) },
	decode.PSRLQ:  func(d simd.Vec, n uint64) simd.Vec { return simd.Right(d, n, 8) },
	decode.PSRAW:  func(d simd.Vec, n uint64) simd.Vec { return simd.Arithmetic(d, n, 2) },
	decode.PSRAD:  func(d simd.Vec, n uint64) simd.Vec { return simd.Arithmetic(d, n, 4) },
	decode.PSLLDQ: func(d simd.Vec, n uint64) simd.Vec { return simd.PSLLDQ(d, uint8(n)) },
	decode.PSRLDQ: func(d simd.Vec, n uint64) simd.Vec { return simd.PSRLDQ(d, uint8(n)) },
}

// extended lists the widening moves.
var extended = map[decode.Op]struct {
	from, to int
	signed   bool
}{
	decode.PMOVSXBW: {1, 2, true}, decode.PMOVSXBD: {1, 4, true}, decode.PMOVSXBQ: {1, 8, true},
	decode.PMOVSXWD: {2, 4, true}, decode.PMOVSXWQ: {2, 8, true}, decode.PMOVSXDQ: {4, 8, true},
	decode.PMOVZXBW: {1, 2, false}, decode.PMOVZXBD: {1, 4, false}, decode.PMOVZXBQ: {1, 8, false},
	decode.PMOVZXWD: {2, 4, false}, decode.PMOVZXWQ: {2, 8, false}, decode.PMOVZXDQ: {4, 8, false},
}

func init() {
	for op, f := range combined {
		handlers[op] = vectorHandler(func(_ *decode.Inst, d, s simd.Vec, w int) simd.Vec { return f(d, s, w) })
	}
	for op, f := range chosen {
		handlers[op] = vectorHandler(func(in *decode.Inst, d, s simd.Vec, w int) simd.Vec { return f(d, s, uint8(in.Imm), w) })
	}
	for op, f := range byXMM0 {
		handlers[op] = func(c *CPU, in *decode.Inst) bool {
			return c.combine(in, func(_ *decode.Inst, d, s simd.Vec, _ int) simd.Vec { return f(d, s, c.s.FP.XMM[0]) })
		}
	}
	for op, f := range shifted {
		handlers[op] = vectorHandler(func(_ *decode.Inst, d, s simd.Vec, _ int) simd.Vec { return f(d, s.Lo) })
	}
	for op, e := range extended {
		handlers[op] = vectorHandler(func(_ *decode.Inst, _, s simd.Vec, _ int) simd.Vec {
			return simd.Extend(s, e.from, e.to, e.signed)
		})
	}
}

// vectorHandler is the handler of an instruction that replaces operand 0 by a
// function of operands 0 and 1.
func vectorHandler(f func(in *decode.Inst, d, s simd.Vec, w int) simd.Vec) handler {
	return func(c *CPU, in *decode.Inst) bool { return c.combine(in, f) }
}

func (c *CPU) combine(in *decode.Inst, f func(in *decode.Inst, d, s simd.Vec, w int) simd.Vec) bool {
	if !c.vectorReady(in) {
		return false
	}
	s, ok := c.vec(in, 1)
	if !ok {
		return false
	}
	d, _ := c.vec(in, 0)
	c.touched(in)
	c.setVec(in, 0, f(in, d, s, width(in, 0)))
	return true
}

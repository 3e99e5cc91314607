package cpu

import (
	"x86emu/cpu/simd"
	"x86emu/decode"
	"x86emu/mmu"
)

// This file is how MMX and SSE handlers reach vector operands.

// on16 checks that an aligned operand lies on 16 bytes, else #GP(0), before limits
// and #AC. [SDM 1, Memory Alignment of SSE instructions; the order observed on AMD Zen 4]
func (c *CPU) on16(seg decode.SegReg, off uint64, aligned bool) bool {
	if base := c.s.Seg[seg].Base; c.mode != decode.Mode64 || seg >= decode.FS {
		off += base
	}
	return !aligned || off&15 == 0 || c.gp(0)
}

// load128 reads 16 bytes. aligned asks for an address that is a multiple of 16.
func (c *CPU) load128(seg decode.SegReg, off uint64, aligned bool) (v simd.Vec, ok bool) {
	if !c.on16(seg, off, aligned) {
		return v, false
	}
	if _, ok = c.linear(seg, off, 16, false); !ok {
		return v, false
	}
	if v.Lo, ok = c.load(seg, off, 8); !ok {
		return v, false
	}
	v.Hi, ok = c.load(seg, off+8, 8)
	return v, ok
}

// store128 writes 16 bytes, all or nothing.
func (c *CPU) store128(seg decode.SegReg, off uint64, v simd.Vec, aligned bool) bool {
	if !c.on16(seg, off, aligned) {
		return false
	}
	lin, ok := c.linear(seg, off, 16, true)
	if !ok {
		return false
	}
	if c.wraps(lin, 16) {
		if !c.probeWrapped(lin, 16) {
			return false
		}
	} else if !c.mmu.Probe(lin, 16, c.dataAcc|mmu.Write) {
		return c.pageFault()
	}
	return c.store(seg, off, 8, v.Lo) && c.store(seg, off+8, 8, v.Hi)
}

// vec reads operand n: an MMX or XMM register, or memory of its size.
func (c *CPU) vec(in *decode.Inst, n int) (simd.Vec, bool) {
	switch a := in.Args[n]; a.Kind {
	case decode.ArgXMM:
		return c.s.FP.XMM[a.Num&15], true
	case decode.ArgMMX:
		return simd.Vec{Lo: c.s.FP.R[a.Num&7].Sig}, true
	case decode.ArgMem:
		if a.Size == 16 {
			return c.load128(in.Seg, c.ea(in), true)
		}
		v, ok := c.load(in.Seg, c.ea(in), a.Size)
		return simd.Vec{Lo: v}, ok
	}
	v, ok := c.get(in, n)
	return simd.Vec{Lo: v}, ok
}

// setVec writes register operand n.
func (c *CPU) setVec(in *decode.Inst, n int, v simd.Vec) {
	if a := in.Args[n]; a.Kind == decode.ArgMMX {
		c.setMMX(a.Num, v.Lo)
	} else {
		c.s.FP.XMM[a.Num&15] = v
	}
}

// width is the width in bytes of the registers that operand n is one of.
func width(in *decode.Inst, n int) int {
	if in.Args[n].Kind == decode.ArgMMX {
		return 8
	}
	return 16
}

// vectorReady makes the checks before an instruction on MMX or XMM registers.
func (c *CPU) vectorReady(in *decode.Inst) bool {
	for _, a := range in.Args[:in.NArgs] {
		if a.Kind == decode.ArgXMM {
			return c.sseReady()
		}
	}
	return c.mmxReady()
}

// vectors makes the checks before an instruction on XMM registers, and reads operands 0 and 1.
func (c *CPU) vectors(in *decode.Inst) (d, s simd.Vec, ok bool) {
	if !c.sseReady() {
		return d, s, false
	}
	if s, ok = c.vec(in, 1); !ok {
		return d, s, false
	}
	return c.s.FP.XMM[in.Args[0].Num&15], s, true
}

// touched tells the x87 that MMX registers were used.
func (c *CPU) touched(in *decode.Inst) {
	for _, a := range in.Args[:in.NArgs] {
		if a.Kind == decode.ArgMMX {
			c.toMMX()
			return
		}
	}
}

package cpu

import (
	"x86emu/cpu/simd"
	"x86emu/decode"
	"x86emu/idt"
)

// Moves between vectors, general registers and memory.
// [SDM 1, SSE Data Transfer Instructions; SSE2 Data Movement Instructions]
var moveOps = map[decode.Op]handler{
	decode.MOVAPS: execMoveAligned, decode.MOVAPD: execMoveAligned, decode.MOVDQA: execMoveAligned,
	decode.MOVNTPS: execMoveAligned, decode.MOVNTPD: execMoveAligned, decode.MOVNTDQ: execMoveAligned, decode.MOVNTDQA: execMoveAligned,
	decode.MOVUPS: execMoveUnaligned, decode.MOVUPD: execMoveUnaligned, decode.MOVDQU: execMoveUnaligned, decode.LDDQU: execMoveUnaligned,
	decode.MOVD: execMOVD, decode.MOVQ: execMOVD, decode.MOVNTQ: execMOVD, decode.MOVDQ2Q: execMOVD, decode.MOVQ2DQ: execMOVD,
	decode.MOVSS: execMoveScalar, decode.MOVSD_XMM: execMoveScalar,
	decode.MOVLPS: execMoveHalf, decode.MOVLPD: execMoveHalf, decode.MOVHPS: execMoveHalf, decode.MOVHPD: execMoveHalf,
	decode.MOVLHPS: execMoveHalf, decode.MOVHLPS: execMoveHalf,
	decode.MOVDDUP: execMoveDup, decode.MOVSHDUP: execMoveDup, decode.MOVSLDUP: execMoveDup,
	decode.MOVMSKPS: execMoveMask, decode.MOVMSKPD: execMoveMask, decode.PMOVMSKB: execMoveMask,
	decode.MASKMOVQ: execMaskMove, decode.MASKMOVDQU: execMaskMove,
	decode.PEXTRB: execExtract, decode.PEXTRW: execExtract, decode.PEXTRD: execExtract, decode.PEXTRQ: execExtract, decode.EXTRACTPS: execExtract,
	decode.PINSRB: execInsert, decode.PINSRW: execInsert, decode.PINSRD: execInsert, decode.PINSRQ: execInsert,
	decode.INSERTPS: execINSERTPS, decode.PTEST: execPTEST, decode.EMMS: execEMMS,
	decode.PCMPISTRI: execCompareText, decode.PCMPISTRM: execCompareText, decode.PCMPESTRI: execCompareText, decode.PCMPESTRM: execCompareText,
}

// masks lists the instructions that make a number of the signs of lanes.
var masks = map[decode.Op]simd.Op{
	decode.MOVMSKPS: simd.MOVMSKPS, decode.MOVMSKPD: simd.MOVMSKPD, decode.PMOVMSKB: simd.PMOVMSKB,
}

func init() {
	for op, h := range moveOps {
		handlers[op] = h
	}
}

// move16 moves a whole XMM register.
func (c *CPU) move16(in *decode.Inst, aligned bool) bool {
	if !c.sseReady() {
		return false
	}
	x := &c.s.FP.XMM
	switch {
	case in.Args[0].Kind == decode.ArgMem:
		return c.store128(in.Seg, c.ea(in), x[in.Args[1].Num&15], aligned)
	case in.Args[1].Kind == decode.ArgMem:
		v, ok := c.load128(in.Seg, c.ea(in), aligned)
		if ok {
			x[in.Args[0].Num&15] = v
		}
		return ok
	}
	x[in.Args[0].Num&15] = x[in.Args[1].Num&15]
	return true
}

func execMoveAligned(c *CPU, in *decode.Inst) bool   { return c.move16(in, true) }
func execMoveUnaligned(c *CPU, in *decode.Inst) bool { return c.move16(in, false) }

// execMOVD is MOVD, MOVQ and the moves between MMX and XMM registers: an XMM
// destination's other lanes are cleared. [SDM 2, MOVD/MOVQ; MOVQ; MOVQ2DQ; MOVDQ2Q; MOVNTQ]
func execMOVD(c *CPU, in *decode.Inst) bool {
	if !c.vectorReady(in) {
		return false
	}
	// A transfer to or from an MMX register also looks for a pending x87 exception. [SDM 2, MOVQ2DQ; MOVDQ2Q]
	mmx := in.Args[0].Kind == decode.ArgMMX || in.Args[1].Kind == decode.ArgMMX
	if mmx && !c.noPending() {
		return false
	}
	v, ok := c.vec(in, 1)
	if !ok {
		return false
	}
	switch a := in.Args[0]; a.Kind {
	case decode.ArgXMM, decode.ArgMMX:
		c.touched(in)
		c.setVec(in, 0, simd.Vec{Lo: v.Lo})
		return true
	}
	if !c.put(in, 0, v.Lo) {
		return false
	}
	c.touched(in)
	return true
}

// execMoveScalar is MOVSS and MOVSD: from memory the other lanes are cleared,
// between registers they stay. [SDM 2, MOVSS; MOVSD]
func execMoveScalar(c *CPU, in *decode.Inst) bool {
	if !c.sseReady() {
		return false
	}
	size := 8
	if in.Op == decode.MOVSS {
		size = 4
	}
	v, ok := c.vec(in, 1)
	switch {
	case !ok:
		return false
	case in.Args[0].Kind == decode.ArgMem:
		return c.put(in, 0, v.Lane(0, size))
	case in.Args[1].Kind == decode.ArgMem:
		c.setVec(in, 0, v)
		return true
	}
	c.s.FP.XMM[in.Args[0].Num&15].SetLane(0, size, v.Lane(0, size))
	return true
}

// execMoveHalf moves one half of a register. [SDM 2, MOVLPS; MOVHPS; MOVLHPS; MOVHLPS]
func execMoveHalf(c *CPU, in *decode.Inst) bool {
	if !c.sseReady() {
		return false
	}
	half := 0
	switch in.Op {
	case decode.MOVHPS, decode.MOVHPD, decode.MOVLHPS:
		half = 1
	}
	v, ok := c.vec(in, 1)
	switch {
	case !ok:
		return false
	case in.Args[0].Kind == decode.ArgMem:
		return c.put(in, 0, v.Lane(half, 8))
	case in.Op == decode.MOVHLPS:
		v.Lo = v.Hi
	}
	c.s.FP.XMM[in.Args[0].Num&15].SetLane(half, 8, v.Lo)
	return true
}

// execMoveDup is MOVDDUP, MOVSHDUP and MOVSLDUP.
func execMoveDup(c *CPU, in *decode.Inst) bool {
	if !c.sseReady() {
		return false
	}
	v, ok := c.vec(in, 1)
	if !ok {
		return false
	}
	switch in.Op {
	case decode.MOVDDUP:
		v.Hi = v.Lo
	case decode.MOVSHDUP:
		v = simd.PSHUFD(v, 0xf5)
	default:
		v = simd.PSHUFD(v, 0xa0)
	}
	c.setVec(in, 0, v)
	return true
}

// execMoveMask is MOVMSKPS, MOVMSKPD and PMOVMSKB: the signs of the lanes.
func execMoveMask(c *CPU, in *decode.Inst) bool {
	if !c.vectorReady(in) {
		return false
	}
	v, _ := c.vec(in, 1)
	c.touched(in)
	return c.put(in, 0, masks[in.Op](v, v, width(in, 1)).Lo)
}

// execMaskMove stores the bytes whose mask has its top bit set at DS:RDI. Memory
// that no byte goes to is not touched. [SDM 2, MASKMOVQ; MASKMOVDQU]
func execMaskMove(c *CPU, in *decode.Inst) bool {
	if !c.vectorReady(in) {
		return false
	}
	v, _ := c.vec(in, 0)
	mask, _ := c.vec(in, 1)
	n := width(in, 0)
	at := c.gpr(7, in.AddrSize)
	// All bytes are checked before the first is written.
	for _, write := range [...]bool{false, true} {
		for i := range n {
			if mask.Lane(i, 1)>>7 == 0 {
				continue
			}
			off := maskAddr(at+uint64(i), in.AddrSize)
			if !write && !c.probeStore(in.Seg, off, 1) || write && !c.store(in.Seg, off, 1, v.Lane(i, 1)) {
				return false
			}
		}
	}
	c.touched(in)
	return true
}

// laneSize is the size of the lane that PEXTRx and PINSRx move.
func laneSize(op decode.Op) int {
	switch op {
	case decode.PEXTRB, decode.PINSRB:
		return 1
	case decode.PEXTRW, decode.PINSRW:
		return 2
	case decode.PEXTRQ, decode.PINSRQ:
		return 8
	}
	return 4
}

// execExtract is PEXTRx and EXTRACTPS. [SDM 2, PEXTRB/PEXTRD/PEXTRQ; PEXTRW; EXTRACTPS]
func execExtract(c *CPU, in *decode.Inst) bool {
	if !c.vectorReady(in) {
		return false
	}
	v, _ := c.vec(in, 1)
	size := laneSize(in.Op)
	x := v.Lane(int(in.Imm)&(width(in, 1)/size-1), size)
	if !c.put(in, 0, x) {
		return false
	}
	c.touched(in)
	return true
}

// execInsert is PINSRx.
func execInsert(c *CPU, in *decode.Inst) bool {
	if !c.vectorReady(in) {
		return false
	}
	x, ok := c.get(in, 1)
	if !ok {
		return false
	}
	c.touched(in)
	v, _ := c.vec(in, 0)
	size := laneSize(in.Op)
	v.SetLane(int(in.Imm)&(width(in, 0)/size-1), size, x)
	c.setVec(in, 0, v)
	return true
}

func execINSERTPS(c *CPU, in *decode.Inst) bool {
	d, s, ok := c.vectors(in)
	if !ok {
		return false
	}
	lane := 0
	if in.Args[1].Kind == decode.ArgXMM {
		lane = int(in.Imm >> 6 & 3)
	}
	c.setVec(in, 0, simd.INSERTPS(d, s.Lane(lane, 4), uint8(in.Imm)))
	return true
}

// flagIf is an arithmetic flag and whether it is to be set.
type flagIf struct {
	on   bool
	flag uint64
}

// setFlagsIf sets the arithmetic flags that are on, and clears all others.
func (c *CPU) setFlagsIf(flags ...flagIf) {
	v := uint64(0)
	for _, f := range flags {
		if f.on {
			v |= f.flag
		}
	}
	c.setArithMask(arithFlags, v)
}

// setZPC sets ZF, PF and CF and clears OF, AF and SF.
func (c *CPU) setZPC(zf, pf, cf bool) {
	c.setFlagsIf(flagIf{zf, idt.FlagZF}, flagIf{pf, idt.FlagPF}, flagIf{cf, idt.FlagCF})
}

func execPTEST(c *CPU, in *decode.Inst) bool {
	d, s, ok := c.vectors(in)
	if !ok {
		return false
	}
	zf, cf := simd.PTEST(d, s)
	c.setZPC(zf, false, cf)
	return true
}

// execEMMS empties the x87's registers.
func execEMMS(c *CPU, _ *decode.Inst) bool {
	if !c.mmxReady() {
		return false
	}
	c.s.FP.Used = 0
	c.s.FP.SW &^= swTop
	return true
}

// execCompareText is PCMPISTRI, PCMPISTRM, PCMPESTRI and PCMPESTRM: their memory
// operand needs no alignment. REX.W makes the lengths 64 bits wide.
func execCompareText(c *CPU, in *decode.Inst) bool {
	if !c.sseReady() {
		return false
	}
	b, ok := c.s.FP.XMM[in.Args[1].Num&15], true
	if in.Args[1].Kind == decode.ArgMem {
		if b, ok = c.load128(in.Seg, c.ea(in), false); !ok {
			return false
		}
	}
	a, _ := c.vec(in, 0)
	imm := uint8(in.Imm)
	var t simd.Text
	switch in.Op {
	case decode.PCMPISTRI, decode.PCMPISTRM:
		t = simd.Implicit(a, b, imm)
	default:
		lenA, lenB := int64(int32(c.r[rAX])), int64(int32(c.r[rDX]))
		if in.Prefix&decode.PrefixRexW != 0 {
			lenA, lenB = int64(c.r[rAX]), int64(c.r[rDX])
		}
		t = simd.Explicit(a, b, lenA, lenB, imm)
	}
	switch in.Op {
	case decode.PCMPISTRI, decode.PCMPESTRI:
		c.r[rCX] = uint64(t.Index(imm))
	default:
		c.s.FP.XMM[0] = t.Mask(imm)
	}
	c.setFlagsIf(flagIf{t.CF, idt.FlagCF}, flagIf{t.ZF, idt.FlagZF}, flagIf{t.SF, idt.FlagSF}, flagIf{t.OF, idt.FlagOF})
	return true
}

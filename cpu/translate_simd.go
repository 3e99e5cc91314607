package cpu

import (
	"x86emu/cpu/simd"
	"x86emu/decode"
)

// How the commonest instructions of SSE become uops. All of it rests on keySSE:
// a block with such uops runs only while the unit is there, so none of them
// checks that again. Forms with MMX registers and the rarer ones run their handler.

// xTmp is the vector register of uops that holds an operand loaded from memory.
const xTmp = 16

// The operations that uops name by a number, and their numbers.
var (
	vecs, vecNumber           = numbered(combined, masks)
	immVecs, immVecNumber     = numbered(chosen)
	vecShifts, vecShiftNumber = numbered(shifted)
	vecFloats, vecFloatNumber = numbered(floats)
)

func numbered[T any](tables ...map[decode.Op]T) (list []T, number map[decode.Op]uint64) {
	number = make(map[decode.Op]uint64)
	for _, table := range tables {
		for op, entry := range table {
			number[op] = uint64(len(list))
			list = append(list, entry)
		}
	}
	return list, number
}

// xmm gives a vector register of a uop.
func (c *CPU) xmm(n uint8) *simd.Vec {
	if n == xTmp {
		return &c.xTmp
	}
	return &c.s.FP.XMM[n&15]
}

// alignment is what the low four bits of an operand's address must not have, by whether
// it must be aligned.
func alignment(aligned bool) uint64 {
	if aligned {
		return 15
	}
	return 0
}

// vector translates an instruction on XMM registers that has uops of its own.
func (t *translator) vector(in *decode.Inst) bool {
	if t.c.key&keySSE == 0 {
		return false
	}
	a := in.Args[0]
	switch in.Op {
	case decode.MOVAPS, decode.MOVAPD, decode.MOVDQA, decode.MOVNTPS, decode.MOVNTPD, decode.MOVNTDQ, decode.MOVNTDQA:
		return t.moveVector(in, true)
	case decode.MOVUPS, decode.MOVUPD, decode.MOVDQU, decode.LDDQU:
		return t.moveVector(in, false)
	case decode.MOVD, decode.MOVQ:
		return t.moveLow(in)
	case decode.MOVSS, decode.MOVSD_XMM:
		// Between registers they merge.
		return (a.Kind == decode.ArgMem || in.Args[1].Kind == decode.ArgMem) && t.moveLow(in)
	}
	u := uop{dst: a.Num}
	if masks[in.Op] != nil && in.Args[1].Kind == decode.ArgXMM {
		t.emit(uop{code: uVec, dst: xTmp, src: in.Args[1].Num, imm: vecNumber[in.Op]})
		t.emit(uop{code: uRFromX32, dst: a.Num, src: xTmp})
		return true
	}
	if a.Kind != decode.ArgXMM {
		return false
	}
	imm := uint64(uint8(in.Imm)) << 8
	if n, ok := vecNumber[in.Op]; ok {
		u.code, u.imm = uVec, n
	} else if n, ok := immVecNumber[in.Op]; ok {
		u.code, u.imm = uVecImm, n|imm
	} else if n, ok := vecShiftNumber[in.Op]; ok {
		if in.Args[1].Kind == decode.ArgImm {
			u.code, u.imm = uVecShiftImm, n|imm
			t.emit(u)
			return true
		}
		u.code, u.imm = uVecShift, n
	} else if n, ok := vecFloatNumber[in.Op]; ok {
		u.code, u.imm = uFloat, n
		return t.vectorSource(in, vecFloats[n].size()*vecFloats[n].n, &u)
	} else {
		return false
	}
	return t.vectorSource(in, 16, &u)
}

// vectorSource gives operand 1 of n bytes as u.src, loading it if it is memory, and emits u.
func (t *translator) vectorSource(in *decode.Inst, n int, u *uop) bool {
	switch a := in.Args[1]; a.Kind {
	case decode.ArgXMM:
		u.src = a.Num
	case decode.ArgMem:
		var l uop
		if !t.addr(in, &l) {
			return false
		}
		u.src = xTmp
		if n == 16 {
			l.code, l.dst, l.imm = uLdX, xTmp, alignment(true)
			t.emit(l)
			break
		}
		l.code, l.dst = bySize(uint8(n), 0, uLd32, uLd64), rTmp
		t.emit(l)
		t.emit(uop{code: uXFromR, dst: xTmp, src: rTmp})
	default:
		return false
	}
	t.emit(*u)
	return true
}

// moveVector translates a move of 16 bytes.
func (t *translator) moveVector(in *decode.Inst, aligned bool) bool {
	a, b := in.Args[0], in.Args[1]
	var u uop
	switch {
	case a.Kind == decode.ArgXMM && b.Kind == decode.ArgXMM:
		u.code, u.dst, u.src = uMovX, a.Num, b.Num
	case a.Kind == decode.ArgXMM && t.addr(in, &u):
		u.code, u.dst, u.imm = uLdX, a.Num, alignment(aligned)
	case b.Kind == decode.ArgXMM && t.addr(in, &u):
		u.code, u.src, u.imm = uStX, b.Num, alignment(aligned)
	default:
		return false
	}
	t.emit(u)
	return true
}

// moveLow translates a move of the low 4 or 8 bytes, to an XMM register with the rest cleared.
func (t *translator) moveLow(in *decode.Inst) bool {
	a, b := in.Args[0], in.Args[1]
	switch {
	case a.Kind == decode.ArgXMM && b.Kind == decode.ArgXMM:
		t.emit(uop{code: uRFromX64, dst: rTmp, src: b.Num})
		t.emit(uop{code: uXFromR, dst: a.Num, src: rTmp})
		return true
	case a.Kind == decode.ArgXMM:
		var u uop
		if !t.source(in, 1, &u) {
			return false
		}
		if b.Kind == decode.ArgReg && b.Size == 4 {
			t.emit(uop{code: uMov32, dst: rTmp, src: u.src})
			u.src = rTmp
		}
		t.emit(uop{code: uXFromR, dst: a.Num, src: u.src})
		return true
	case b.Kind != decode.ArgXMM:
		return false
	case a.Kind == decode.ArgReg:
		t.emit(uop{code: bySize(a.Size, 0, uRFromX32, uRFromX64), dst: a.Num, src: b.Num})
		return true
	}
	t.emit(uop{code: uRFromX64, dst: rTmp, src: b.Num})
	var u uop
	if !t.addr(in, &u) {
		return false
	}
	u.code, u.src, u.imm = bySize(a.Size, 0, uSt32, uSt64), rTmp, 0
	t.emit(u)
	return true
}

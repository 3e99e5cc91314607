package cpu

import (
	"golang.org/x/arch/x86/x86asm"

	"x86emu/decode"
)

// translator turns the instructions of one block into uops.
type translator struct {
	c     *CPU
	uops  []uop
	insts []decode.Inst
	n     int
	size  int
	ended bool
	// lastFlags is the index of the latest uop whose flags nothing has been
	// able to see yet, or -1.
	lastFlags int
}

// add translates one instruction and tells whether the block ends with it.
func (t *translator) add(in *decode.Inst) bool {
	if t.n == 0 {
		t.lastFlags = -1
	}
	first := len(t.uops)
	if !t.fast(in) && !t.vector(in) {
		t.uops = t.uops[:first]
		code := uExec
		if endsBlock(in) {
			code, t.ended = uExecEnd, true
		}
		t.uops = append(t.uops, uop{code: code, imm: uint64(len(t.insts))})
		t.insts = append(t.insts, *in)
	}
	for i := first; i < len(t.uops); i++ {
		u := &t.uops[i]
		u.off, u.n, u.len = uint16(t.size), uint8(t.n), in.Len
	}
	t.dropDeadFlags(in, first)
	t.n++
	t.size += int(in.Len)
	// With the TLB off every fetch walks: a store may have changed the walk.
	if t.c.mmu.TLBOff() && in.Props&decode.MemWrite != 0 {
		return true
	}
	return t.ended
}

// finish closes a block that has no end of its own.
func (t *translator) finish() {
	if !t.ended {
		last := t.uops[len(t.uops)-1]
		t.uops = append(t.uops, uop{code: uNext, off: last.off, n: last.n, len: last.len, disp: uint64(t.size)})
	}
}

// endsBlock tells whether the run loop looks up behind an instruction that it leaves
// to a handler.
func endsBlock(in *decode.Inst) bool {
	switch {
	case in.Op == decode.INVLPG:
		// It matters only if it drops the page that the block is on: the run loop sees
		// that by the MMU's generation.
		return false
	case in.Op == decode.MOV && in.Args[1].Kind == decode.ArgCR:
		// Reading a control register changes nothing; page fault handlers do it each time.
		return false
	case in.Prefix&(decode.PrefixRep|decode.PrefixRepne) != 0 && isString(in):
		return true
	}
	return in.Props&decode.EndsBlock != 0
}

func isString(in *decode.Inst) bool {
	for _, a := range in.Args[:in.NArgs] {
		if a.Kind == decode.ArgStr {
			return true
		}
	}
	return false
}

// noFlags maps a uop to its form that leaves the flags alone.
var noFlags = [...]uopCode{
	uAdd32: uAddNF32, uAdd64: uAddNF64, uSub32: uSubNF32, uSub64: uSubNF64,
	uAnd32: uAndNF32, uAnd64: uAndNF64, uOr32: uOrNF32, uOr64: uOrNF64,
	uXor32: uXorNF32, uXor64: uXorNF64,
	uShl32: uShlNF32, uShl64: uShlNF64, uShr32: uShrNF32, uShr64: uShrNF64,
}

// dropDeadFlags turns the latest flag-setting uop into its NF form once an
// instruction overwrites all its flags without having read them, and nothing
// in between can fault and so show them.
func (t *translator) dropDeadFlags(in *decode.Inst, first int) {
	reads := in.FlagsRead&arithFlags != 0
	last := &t.uops[len(t.uops)-1]
	opaque := last.code == uExec || last.code == uExecEnd || last.code == uFloat || in.Props&decode.MayFault != 0 || len(t.uops) > first+1
	if t.lastFlags >= 0 {
		switch {
		case reads || opaque:
			t.lastFlags = -1
		case in.FlagsWrit&arithFlags == arithFlags:
			u := &t.uops[t.lastFlags]
			u.code = noFlags[u.code]
			t.lastFlags = -1
		case in.FlagsWrit&arithFlags != 0:
			t.lastFlags = -1
		}
	}
	if int(last.code) < len(noFlags) && noFlags[last.code] != 0 {
		t.lastFlags = len(t.uops) - 1
	}
}

// operand forms --------------------------------------------------------------

// lowReg tells whether an operand is a register that uops can name: not AH to BH.
func lowReg(a decode.Arg) bool { return a.Kind == decode.ArgReg && !a.High }

// addr fills in the address of the memory operand, and tells whether uops can
// do it at all: no address-size override, and a segment that needs no check.
// An access through FS or GS adds a uop for the segment base.
func (t *translator) addr(in *decode.Inst, u *uop) bool {
	c := t.c
	u.base, u.index, u.scale, u.disp, u.seg = rZero, rZero, in.Scale, uint64(in.Disp), uint8(in.Seg)
	switch {
	case in.Base == decode.RegRIP:
		u.base, u.disp = rIP, uint64(in.Disp)+uint64(t.size)+uint64(in.Len)
	case in.Base != decode.NoReg:
		u.base = in.Base
	}
	if in.Index != decode.NoReg {
		u.index = in.Index
	}
	switch {
	case c.mode == decode.Mode64 && in.AddrSize == 8:
		if in.Seg >= decode.FS {
			a := *u
			a.code = uAddr
			t.uops = append(t.uops, a)
			u.base, u.index, u.disp = rAddr, rZero, 0
		}
		return true
	case c.key&keyFlat != 0 && in.AddrSize == 4:
		return in.Seg < decode.FS && in.Seg != decode.CS
	}
	return false
}

func (t *translator) emit(u uop) { t.uops = append(t.uops, u) }

// source gives the second operand as src and imm, loading it if it is memory.
func (t *translator) source(in *decode.Inst, n int, u *uop) bool {
	switch a := in.Args[n]; a.Kind {
	case decode.ArgReg:
		u.src = a.Num
		return lowReg(a)
	case decode.ArgImm:
		u.src, u.imm = rZero, uint64(in.Imm)
		return true
	case decode.ArgOne:
		u.src, u.imm = rZero, 1
		return true
	case decode.ArgMem:
		var l uop
		if !t.addr(in, &l) {
			return false
		}
		switch a.Size {
		case 1:
			l.code = uLd8
		case 2:
			l.code = uLd16
		case 4:
			l.code = uLd32
		case 8:
			l.code = uLd64
		default:
			return false
		}
		l.dst = rTmp
		t.emit(l)
		u.src = rTmp
		return true
	}
	return false
}

// bySize picks a uop by operand size: 4 or 8 bytes, or 1 where there is one.
func bySize(size uint8, c8, c32, c64 uopCode) uopCode {
	switch size {
	case 1:
		return c8
	case 4:
		return c32
	case 8:
		return c64
	}
	return 0
}

// alu translates dst = dst op src. cmp says that dst is only read.
func (t *translator) alu(in *decode.Inst, code uopCode, cmp bool) bool {
	if code == 0 {
		return false
	}
	u := uop{code: code, src: rZero}
	if x86asm.Op(in.Op) == x86asm.NOT {
		u.imm = ^uint64(0) // XOR with all ones
	}
	dst := in.Args[0]
	if in.NArgs > 1 && in.Args[1].Kind != decode.ArgMem || dst.Kind == decode.ArgReg {
		if in.NArgs > 1 && !t.source(in, 1, &u) {
			return false
		}
	}
	switch dst.Kind {
	case decode.ArgReg:
		u.dst = dst.Num
		if !lowReg(dst) {
			return false
		}
		t.emit(u)
		return true
	case decode.ArgMem:
		var l uop
		if in.Prefix&decode.PrefixLock != 0 || !t.addr(in, &l) {
			return false
		}
		if cmp {
			l.code, l.dst = bySize(dst.Size, uLd8, uLd32, uLd64), rVal
			t.emit(l)
			u.dst = rVal
			t.emit(u)
			return true
		}
		l.code, l.dst = bySize(dst.Size, uMod8, uMod32, uMod64), rVal
		t.emit(l)
		u.dst = rVal
		t.emit(u)
		l.code, l.src, l.imm = bySize(dst.Size, uSt8, uSt32, uSt64), rVal, 0
		t.emit(l)
		return true
	}
	return false
}

// fast translates an instruction that has uops of its own.
func (t *translator) fast(in *decode.Inst) bool {
	c := t.c
	if c.mode == decode.Mode16 || in.Prefix&(decode.PrefixRep|decode.PrefixRepne) != 0 {
		return false
	}
	a, b := in.Args[0], in.Args[1]
	switch x86asm.Op(in.Op) {
	case x86asm.MOV:
		return t.mov(in, a, b)
	case x86asm.MOVZX, x86asm.MOVSX, x86asm.MOVSXD:
		return t.movx(in, a, b)
	case x86asm.LEA:
		var u uop
		lin := *in
		lin.Seg = decode.DS // LEA has no segment
		if c.mode == decode.Mode64 && in.AddrSize != 8 || c.mode == decode.Mode32 && in.AddrSize != 4 || a.Size == 2 {
			return false
		}
		if c.mode == decode.Mode32 {
			u.base, u.index, u.scale, u.disp = rZero, rZero, in.Scale, uint64(in.Disp)
			if in.Base != decode.NoReg {
				u.base = in.Base
			}
			if in.Index != decode.NoReg {
				u.index = in.Index
			}
		} else if !t.addr(&lin, &u) {
			return false
		}
		u.code, u.dst = bySize(a.Size, 0, uLea32, uLea64), a.Num
		t.emit(u)
		return true
	case x86asm.ADD:
		return t.alu(in, bySize(a.Size, uAdd8, uAdd32, uAdd64), false)
	case x86asm.SUB:
		return t.alu(in, bySize(a.Size, uSub8, uSub32, uSub64), false)
	case x86asm.AND:
		return t.alu(in, bySize(a.Size, uAnd8, uAnd32, uAnd64), false)
	case x86asm.OR:
		return t.alu(in, bySize(a.Size, uOr8, uOr32, uOr64), false)
	case x86asm.XOR:
		return t.alu(in, bySize(a.Size, uXor8, uXor32, uXor64), false)
	case x86asm.CMP:
		return t.alu(in, bySize(a.Size, uCmp8, uCmp32, uCmp64), true)
	case x86asm.TEST:
		if b.Kind == decode.ArgMem {
			return false
		}
		return t.alu(in, bySize(a.Size, uTest8, uTest32, uTest64), true)
	case x86asm.ADC:
		return t.alu(in, bySize(a.Size, 0, uAdc32, uAdc64), false)
	case x86asm.SBB:
		return t.alu(in, bySize(a.Size, 0, uSbb32, uSbb64), false)
	case x86asm.INC:
		return t.alu(in, bySize(a.Size, 0, uInc32, uInc64), false)
	case x86asm.DEC:
		return t.alu(in, bySize(a.Size, 0, uDec32, uDec64), false)
	case x86asm.NEG:
		return t.alu(in, bySize(a.Size, 0, uNeg32, uNeg64), false)
	case x86asm.NOT:
		return t.alu(in, bySize(a.Size, 0, uXorNF32, uXorNF64), false)
	case x86asm.SHL, x86asm.SHR, x86asm.SAR, x86asm.ROL:
		return t.shift(in, a, b)
	case x86asm.SHLD:
		return t.doubleShift(in, uShld32)
	case x86asm.SHRD:
		return t.doubleShift(in, uShrd32)
	case x86asm.IMUL:
		return t.imul(in, a, b)
	case x86asm.PUSH, x86asm.POP, x86asm.CALL, x86asm.RET:
		return t.stack(in, a)
	case x86asm.JMP:
		return t.jmp(in, a)
	case x86asm.NOP:
		t.emit(uop{code: uMov64, dst: rTmp, src: rZero})
		return true
	}
	if cc, ok := condOf(in); ok {
		return t.jcc(in, cc)
	}
	return false
}

func (t *translator) mov(in *decode.Inst, a, b decode.Arg) bool {
	u := uop{}
	switch a.Kind {
	case decode.ArgReg:
		if !lowReg(a) {
			return false
		}
		if b.Kind == decode.ArgMem && a.Size >= 4 {
			if !t.addr(in, &u) {
				return false
			}
			u.code, u.dst = bySize(a.Size, 0, uLd32, uLd64), a.Num
			t.emit(u)
			return true
		}
		if !t.source(in, 1, &u) {
			return false
		}
		u.code, u.dst = bySize(a.Size, uMov8, uMov32, uMov64), a.Num
		if a.Size == 2 {
			u.code = uMov16
		}
		t.emit(u)
		return true
	case decode.ArgMem:
		if b.Kind != decode.ArgReg && b.Kind != decode.ArgImm || !t.source(in, 1, &u) {
			return false
		}
		src, imm := u.src, u.imm
		if !t.addr(in, &u) {
			return false
		}
		u.src, u.imm = src, imm
		u.code = bySize(a.Size, uSt8, uSt32, uSt64)
		if a.Size == 2 {
			u.code = uSt16
		}
		t.emit(u)
		return true
	}
	return false
}

func (t *translator) movx(in *decode.Inst, a, b decode.Arg) bool {
	signed := x86asm.Op(in.Op) != x86asm.MOVZX
	if a.Size < 4 {
		return false
	}
	wide := a.Size == 8
	var ld, rr uopCode
	switch {
	case b.Size == 1 && !signed:
		ld, rr = uLd8, uZx8
	case b.Size == 2 && !signed:
		ld, rr = uLd16, uZx16
	case b.Size == 1 && wide:
		ld, rr = uLd8S64, uSx8x64
	case b.Size == 1:
		ld, rr = uLd8S32, uSx8x32
	case b.Size == 2 && wide:
		ld, rr = uLd16S64, uSx16x64
	case b.Size == 2:
		ld, rr = uLd16S32, uSx16x32
	case b.Size == 4 && wide:
		ld, rr = uLd32S64, uSx32x64
	default:
		return false
	}
	u := uop{code: rr, dst: a.Num, src: b.Num}
	if b.Kind == decode.ArgMem {
		if !t.addr(in, &u) {
			return false
		}
		u.code = ld
	} else if !lowReg(b) {
		return false
	}
	t.emit(u)
	return true
}

func (t *translator) shift(in *decode.Inst, a, b decode.Arg) bool {
	if !lowReg(a) || a.Size < 4 || b.Kind != decode.ArgImm && b.Kind != decode.ArgOne {
		return false
	}
	count := uint64(1)
	if b.Kind == decode.ArgImm {
		count = uint64(in.Imm)
	}
	if a.Size == 4 {
		count &= 31
	} else {
		count &= 63
	}
	if count == 0 {
		return false // 32-bit forms still clear the upper half: left to the handler
	}
	u := uop{dst: a.Num, src: rZero, imm: count}
	switch x86asm.Op(in.Op) {
	case x86asm.SHL:
		u.code = bySize(a.Size, 0, uShl32, uShl64)
	case x86asm.SHR:
		u.code = bySize(a.Size, 0, uShr32, uShr64)
	case x86asm.SAR:
		u.code = bySize(a.Size, 0, uSar32, uSar64)
	case x86asm.ROL:
		u.code = bySize(a.Size, 0, uRol32, uRol64)
	}
	t.emit(u)
	return true
}

// doubleShift translates SHLD and SHRD of 32-bit registers by a constant, with
// which compilers shift 64 bits in 32-bit code.
func (t *translator) doubleShift(in *decode.Inst, code uopCode) bool {
	a, b, count := in.Args[0], in.Args[1], uint64(in.Imm)&31
	if a.Kind != decode.ArgReg || a.Size != 4 || in.Args[2].Kind != decode.ArgImm || count == 0 {
		return false
	}
	t.emit(uop{code: code, dst: a.Num, src: b.Num, imm: count})
	return true
}

// imul translates the two- and three-operand forms.
func (t *translator) imul(in *decode.Inst, a, b decode.Arg) bool {
	if in.NArgs < 2 || !lowReg(a) || a.Size < 4 {
		return false
	}
	var u uop
	if !t.source(in, 1, &u) {
		return false
	}
	// dst = src * other: base names the first factor, imm the constant one.
	u.code, u.dst, u.base = bySize(a.Size, 0, uImul32, uImul64), a.Num, a.Num
	if in.NArgs == 3 {
		u.base, u.imm = u.src, uint64(in.Imm)
		u.src = rZero
	}
	t.emit(u)
	return true
}

// stack64 and stack32 tell whether uops may push and pop.
func (t *translator) stackSize() uint8 {
	switch {
	case t.c.mode == decode.Mode64:
		return 8
	case t.c.key&keyFlat != 0:
		return 4
	}
	return 0
}

func (t *translator) stack(in *decode.Inst, a decode.Arg) bool {
	size := t.stackSize()
	if size == 0 || in.OpSize != size {
		return false
	}
	u := uop{seg: uint8(decode.SS), src: rZero}
	ret := uint64(t.size) + uint64(in.Len)
	switch x86asm.Op(in.Op) {
	case x86asm.PUSH:
		if a.Kind != decode.ArgReg && a.Kind != decode.ArgImm && a.Kind != decode.ArgMem || !t.source(in, 0, &u) {
			return false
		}
		u.code = bySize(size, 0, uPush32, uPush64)
	case x86asm.POP:
		if a.Kind != decode.ArgReg {
			return false
		}
		u.code, u.dst = bySize(size, 0, uPop32, uPop64), a.Num
	case x86asm.CALL:
		switch a.Kind {
		case decode.ArgRel:
			u.code, u.imm, u.disp = bySize(size, 0, uCall32, uCall64), ret, ret+uint64(in.Imm)
		case decode.ArgReg, decode.ArgMem:
			if size != 8 || !t.source(in, 0, &u) {
				return false
			}
			u.code, u.imm = uCallInd64, ret
		default:
			return false
		}
		t.ended = true
	case x86asm.RET:
		if in.NArgs != 0 || in.Opcode != 0xc3 {
			return false
		}
		u.code, t.ended = bySize(size, 0, uRet32, uRet64), true
	}
	t.emit(u)
	return true
}

func (t *translator) jmp(in *decode.Inst, a decode.Arg) bool {
	size := t.stackSize()
	if size == 0 || in.OpSize != size {
		return false
	}
	u := uop{src: rZero}
	switch a.Kind {
	case decode.ArgRel:
		u.code, u.disp = uJmp, uint64(t.size)+uint64(in.Len)+uint64(in.Imm)
	case decode.ArgReg, decode.ArgMem:
		if !t.source(in, 0, &u) {
			return false
		}
		u.code = uJmpInd
	default:
		return false
	}
	t.emit(u)
	t.ended = true
	return true
}

func (t *translator) jcc(in *decode.Inst, cc uint8) bool {
	size := t.stackSize()
	if size == 0 || in.OpSize != size {
		return false
	}
	next := uint64(t.size) + uint64(in.Len)
	u := uop{code: uJcc + uopCode(cc), imm: next, disp: next + uint64(in.Imm)}
	t.emit(u)
	t.ended = true
	return true
}

// condOf gives the condition code of a Jcc.
func condOf(in *decode.Inst) (uint8, bool) {
	if in.Map == 0 && in.Opcode&0xf0 == 0x70 || in.Map == 1 && in.Opcode&0xf0 == 0x80 {
		return in.Opcode & 15, true
	}
	return 0, false
}

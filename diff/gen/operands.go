package gen

import (
	"x86emu/decode"
	"x86emu/diff"
)

// This file gives operands a meaning where random ones would only ever fault, or
// never do anything.

// registers sets those that an operation uses beside what its operands name.
func (m *maker) registers() {
	r, in, g := m.r, &m.in, &m.c.Regs.GPR
	if in.Prefix&(decode.PrefixRep|decode.PrefixRepne) != 0 && in.NArgs > 0 && stringOperand(in) || counts(in.Op) {
		g[1] = pick(r, 0, 1, 2, uint64(r.IntN(40)), uint64(r.IntN(1500)), edge(r))
	}
	switch in.Op {
	case decode.DIV, decode.IDIV:
		if once(r, 2) {
			g[2] = pick(r, 0, 1, 2, ^uint64(0))
		}
		if once(r, 3) {
			g[0] = edge(r)
		}
	case decode.SHL, decode.SHR, decode.SAR, decode.ROL, decode.ROR, decode.RCL, decode.RCR, decode.SHLD, decode.SHRD:
		g[1] = g[1]&^0xff | uint64(r.IntN(72))
	case decode.BT, decode.BTS, decode.BTR, decode.BTC:
		if a := in.Args[1]; a.Kind == decode.ArgReg && !once(r, 4) {
			g[a.Num] = uint64(r.IntN(256)) - 64
		}
	case decode.ENTER:
		if !once(r, 4) {
			m.e.put(m.e.limit-3, 3, uint64(r.IntN(96))|uint64(r.IntN(5))<<16)
			m.dec.Decode(in, m.e.code, m.f.Mode)
		}
		m.aimRegister(5, decode.SS, 32)
	case decode.LEAVE:
		m.aimRegister(5, decode.SS, 8)
	case decode.XLATB:
		g[0] = g[0]&^0xff | uint64(r.IntN(64))
	case decode.JMP, decode.CALL:
		if a := in.Args[0]; a.Kind == decode.ArgReg {
			g[a.Num] = codePointer(r) - base(&m.c.Regs, decode.CS, m.f.Mode)
		}
	case decode.LJMP, decode.LCALL:
		if in.Args[0].Kind == decode.ArgFar {
			at := m.e.limit - 2 - int(in.OpSize)
			sel := selector(r)
			m.e.put(at, int(in.OpSize), m.farOffset(sel))
			m.e.put(at+int(in.OpSize), 2, uint64(sel))
		}
	case decode.MOV, decode.LAR, decode.LSL, decode.VERR, decode.VERW, decode.ARPL:
		if a := m.selectorOperand(); a.Kind == decode.ArgReg {
			g[a.Num] = uint64(selector(r))
			if in.Op == decode.ARPL {
				g[in.Args[1].Num] = uint64(selector(r))
			}
		}
	case decode.INT:
		if in.Opcode == 0xcd && once(r, 4) { // INT3 is one too
			m.e.put(m.e.limit-1, 1, pick[uint64](r, 0, 1, 3, 4, 13, 14))
		}
	}
	if wideBranch(in) && !once(r, 4) {
		size := 4
		if m.f.Mode != decode.Mode64 {
			size = int(in.OpSize)
		}
		m.e.put(m.e.limit-size, size, uint64(r.IntN(0x2000))-0x1000)
	}
}

// wideBranch tells near branches whose displacement is not a byte.
func wideBranch(in *decode.Inst) bool {
	return in.Args[0].Kind == decode.ArgRel && (in.Map == 1 || in.Opcode == 0xe8 || in.Opcode == 0xe9)
}

// counts tells operations that use rCX as a counter without REP.
func counts(op decode.Op) bool {
	switch op {
	case decode.LOOP, decode.LOOPE, decode.LOOPNE, decode.JCXZ, decode.JECXZ, decode.JRCXZ:
		return true
	}
	return false
}

// stringOperand tells whether the operands are strings.
func stringOperand(in *decode.Inst) bool {
	for _, a := range in.Args[:in.NArgs] {
		if a.Kind == decode.ArgStr {
			return true
		}
	}
	return false
}

// selectorOperand is the operand that is a selector, if there is one.
func (m *maker) selectorOperand() decode.Arg {
	in := &m.in
	switch in.Op {
	case decode.VERR, decode.VERW, decode.ARPL:
		return in.Args[0]
	case decode.LAR, decode.LSL:
		return in.Args[1]
	case decode.MOV:
		if in.Args[0].Kind == decode.ArgSeg {
			return in.Args[1]
		}
	}
	return decode.Arg{}
}

// farOffset is an offset in the segment of a selector, most often one of the code's.
func (m *maker) farOffset(sel uint16) uint64 {
	if once(m.r, 6) {
		return pick(m.r, edge(m.r), limitEdge(m.r, sel, 1))
	}
	b := diff.UserSegment(sel)
	return codePointer(m.r) - (b>>16&0xffffff | b>>56<<24)
}

// memory puts into memory what an operation finds there.
func (m *maker) memory() {
	r, in, g := m.r, &m.in, &m.c.Regs.GPR
	size := int(in.OpSize)
	at, isMem := m.operand()
	switch in.Op {
	case decode.CMPXCHG:
		if isMem && once(r, 2) {
			m.poke(at, int(in.Args[0].Size), g[0])
		}
	case decode.CMPXCHG8B:
		if once(r, 2) {
			m.poke(at, 4, g[0], g[2])
		}
	case decode.CMPXCHG16B:
		if once(r, 2) {
			m.poke(at, 8, g[0], g[2])
		}
	case decode.JMP, decode.CALL:
		if isMem {
			m.poke(at, size, codePointer(r)-base(&m.c.Regs, decode.CS, m.f.Mode))
		}
	case decode.LJMP, decode.LCALL, decode.LDS, decode.LES, decode.LFS, decode.LGS, decode.LSS:
		if isMem {
			sel := selector(r)
			m.poke(at, size, m.farOffset(sel))
			m.poke(at+uint64(size), 2, uint64(sel))
		}
	case decode.MOV, decode.LAR, decode.LSL, decode.VERR, decode.VERW, decode.ARPL:
		if m.selectorOperand().Kind == decode.ArgMem {
			m.poke(at, 2, uint64(selector(r)))
		}
	case decode.BOUND:
		v := g[in.Args[0].Num]
		m.poke(at, size, v-uint64(r.IntN(3))+1, v+uint64(r.IntN(3))-1)
	case decode.DIV, decode.IDIV:
		if isMem && once(r, 2) {
			m.poke(at, int(in.Args[0].Size), edge(r))
		}
	case decode.POP:
		if in.Args[0].Kind == decode.ArgSeg {
			m.poke(m.stack(), size, uint64(selector(r)))
		}
	case decode.POPF, decode.POPFD, decode.POPFQ:
		m.poke(m.stack(), size, m.image())
	case decode.RET:
		m.poke(m.stack(), size, codePointer(r)-base(&m.c.Regs, decode.CS, m.f.Mode))
	case decode.LRET:
		sel := selector(r)
		m.poke(m.stack(), size, m.farOffset(sel), uint64(sel))
	case decode.IRET, decode.IRETD, decode.IRETQ:
		sel, ss := selector(r), uint64(pick(r, stackSegments...))
		if once(r, 6) {
			ss = uint64(selector(r))
		}
		m.poke(m.stack(), size, m.farOffset(sel), uint64(sel), m.image(), target(r, 8), ss)
	}
}

// image is a flags register as it lies on a stack.
func (m *maker) image() uint64 {
	if once(m.r, 3) {
		return m.r.Uint64()
	}
	return flags(m.r) | pick[uint64](m.r, 0, flagTF)
}

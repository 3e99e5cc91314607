package native

import (
	"x86emu/decode"
	"x86emu/diff"
)

// nearBranch16 makes the answer to a near branch with 66 in 64-bit mode that
// of one whose operand has 16 bits: displacement, target, and what is pushed or
// popped. [APM 3, Near Branches in 64-Bit Mode]
func nearBranch16(x *diff.Context, r *diff.Result) bool {
	in := &x.Inst
	if x.Mode != decode.Mode64 || in.Prefix&decode.PrefixOpSize == 0 || in.Prefix&decode.PrefixRexW != 0 {
		return false
	}
	if far := in.Map == 1 && in.Opcode>>4 == 8; far && in.Prefix&decode.PrefixLock != 0 {
		return undefined(x, r) // the last two bytes are not even fetched
	}
	if x.Status != decode.OK {
		return false
	}
	regs := begin(x)
	regs.RIP += uint64(in.Len)
	g := &regs.GPR
	var target uint64
	taken := true
	switch a := in.Args[0]; {
	case in.Op == decode.RET:
		if f := fails(x, opPOP, 2, g[4]); f != nil {
			*r = *f
			return true
		}
		target = x.AtLinear(nil, g[4], 2)
		g[4] += 2
		if in.NArgs > 0 {
			g[4] += uint64(in.Imm)
		}
	case (in.Op == decode.JMP || in.Op == decode.CALL) && a.Kind == decode.ArgReg:
		target = g[a.Num]
	case (in.Op == decode.JMP || in.Op == decode.CALL) && a.Kind == decode.ArgMem:
		linear, _, _ := x.Operand()
		load := diff.Result{}
		if asIf(x, &load, func(c *diff.Case) { c.Code[opcodeAt(x)] = 0x8b }) && faulted(x, &load) { // MOV r16, m16
			*r = load
			return true
		}
		target = x.AtLinear(nil, linear, 2)
	case a.Kind == decode.ArgRel:
		if in.Map == 1 || in.Opcode == 0xe8 || in.Opcode == 0xe9 {
			regs.RIP -= 2 // the displacement has 16 bits
			target = regs.RIP + uint64(int16(in.Imm))
		} else {
			target = regs.RIP + uint64(in.Imm)
		}
		taken = branches(in, &regs)
	default:
		return false
	}
	if in.Op == decode.CALL {
		if f := fails(x, opPUSH, 2, g[4]); f != nil {
			*r = *f
			return true
		}
		g[4] -= 2
	}
	call := regs.RIP
	*r = diff.Result{End: diff.Trapped}
	switch {
	case taken:
		regs.RIP = target & 0xffff
	case regs.RIP != x.Case.Regs.RIP+uint64(len(x.Case.Code)) && regs.RFLAGS&flagTF == 0:
		return false // into the rest of the displacement
	}
	switch {
	case regs.RFLAGS&flagTF != 0:
		r.Vector = 1
	case taken: // nothing is mapped so low
		r.Vector, r.HasError, r.Error, r.CR2 = 14, true, 0x14, regs.RIP
		regs.RFLAGS |= flagRF
	default:
		r.Vector = 3
		regs.RIP++
	}
	r.Regs = regs
	if in.Op == decode.CALL {
		x.SetLinear(r, g[4], 2, call)
	}
	return true
}

// branches tells whether a conditional branch is taken, and counts for LOOP.
func branches(in *decode.Inst, regs *diff.Regs) bool {
	const cf, pf, zf, sf, of = 1 << 0, 1 << 2, 1 << 6, 1 << 7, 1 << 11
	f := regs.RFLAGS
	counter := low(regs.GPR[1], in.AddrSize)
	if in.Map == 0 && in.Opcode <= 0xe2 && in.Opcode >= 0xe0 {
		counter = low(counter-1, in.AddrSize)
		regs.GPR[1] = widen(regs.GPR[1], counter, in.AddrSize)
	}
	switch in.Op {
	case decode.JMP, decode.CALL:
		return true
	case decode.LOOP:
		return counter != 0
	case decode.LOOPE, decode.LOOPNE:
		want := in.Op == decode.LOOPE
		if in.Prefix&(decode.PrefixRep|decode.PrefixRepne) != 0 {
			want = in.Prefix&decode.PrefixRep != 0 // see loopPrefix
		}
		return counter != 0 && (f&zf != 0) == want
	case decode.JCXZ, decode.JECXZ, decode.JRCXZ:
		return counter == 0
	}
	signs := (f&sf != 0) != (f&of != 0)
	yes := [...]bool{f&of != 0, f&cf != 0, f&zf != 0, f&(cf|zf) != 0, f&sf != 0, f&pf != 0, signs, signs || f&zf != 0}[in.Opcode>>1&7]
	return yes != (in.Opcode&1 != 0)
}

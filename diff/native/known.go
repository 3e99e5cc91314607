package native

import (
	"x86emu/decode"
	"x86emu/diff"
)

// Known are the differences of silicon, asked through Linux, from the manual's
// text that have been understood: what one maker does another way, what a
// hypervisor or the kernel makes of an event. Each foretells the other answer
// exactly. [AMD: AMD64 Architecture Programmer's Manual]
var Known = []diff.Row{
	{
		Name: "Linux: a page fault above user memory has P=1", Oracles: native, Version: "Linux",
		Cite:    "Linux, arch/x86/mm/fault.c, sanitize_error_code: so that its layout does not leak",
		Predict: kernelAddress,
	},
	{
		Name: "Linux: the return to a process makes null selectors zero", Oracles: native, Version: "Linux",
		Cite:    "SDM 2, IRET: RETURN-TO-OUTER-PRIVILEGE-LEVEL: SegmentSelector := 0 for ES, FS, GS, DS that are not for the new CPL",
		Predict: nullSelectors,
	},
	{
		Name: "Linux: a return to beyond the limit of CS is its own fault, without RF", Oracles: native, Version: "Linux",
		Cite:    "SDM 2, IRET: #GP(0) if the return instruction pointer is not within the return code segment limit",
		Predict: returnBeyondLimit,
	},
	{
		Name: "silicon: of RSP an event saves ESP from 32- and 16-bit code", Oracles: silicon,
		Cite:    "SDM 1, Address-Size and Operand-Size in 64-Bit Mode: the upper 32 bits are undefined in compatibility mode",
		Predict: upperRSP,
	},
	{
		Name: "hypervisor: ICEBP returns to itself", Oracles: native, Version: "under a hypervisor",
		Cite:    "SDM 2, INT1: debug trap; the RIP of a trap is that of the next instruction",
		Predict: icebp,
	},
	{
		Name: "AMD: a step within a repeated string instruction has RF=0", Oracles: silicon, Version: amd,
		Cite:    "SDM 3A, Masking Instruction Breakpoints: RF is 1 in the image of an event between iterations",
		Predict: stepWithinREP,
	},
	{
		Name: "AMD: 66 makes a near branch one of 16 bits in 64-bit mode", Oracles: silicon, Version: amd,
		Cite:    "SDM 2, Jcc; CALL; RET: in 64-bit mode the operand size of a near branch is 64 bits; APM 3, Near Branches in 64-Bit Mode: 16 with 66",
		Predict: nearBranch16,
	},
	{
		Name: "AMD: F2 and F3 choose the condition of LOOPE and LOOPNE", Oracles: silicon, Version: amd,
		Cite:    "SDM 2, Instruction Prefixes: F2 and F3 with any other instruction are reserved",
		Predict: loopPrefix,
	},
	{
		Name: "AMD: REX.W does not widen far pointers", Oracles: silicon, Version: amd,
		Cite:    "SDM 2, LDS/LES/LFS/LGS/LSS; CALL; JMP: REX.W + m16:64; APM 3: no such form",
		Predict: farPointerW,
	},
	{
		Name: "AMD: MOVSXD of 16 bits reads 32", Oracles: silicon, Version: amd,
		Cite:    "SDM 2, MOVSX/MOVSXD: MOVSXD r16, r/m16",
		Predict: movsxd16,
	},
	{
		Name: "AMD: 0F 0D with a register is #UD", Oracles: silicon, Version: amd,
		Cite:    "SDM 2, Opcode Map: 0F 0D is a NOP; APM 3, PREFETCH: the operand is memory",
		Predict: prefetchRegister,
	},
	{
		Name: "AMD: with FS and GS the effective address too must be canonical", Oracles: silicon, Version: amd,
		Cite:    "SDM 1, Canonical Addressing: the linear address must be canonical",
		Predict: effectiveAddress,
	},
	{
		Name: "a processor without LA57: WRFSBASE takes 48 bits", Oracles: silicon,
		Cite:    "SDM 2, WRFSBASE/WRGSBASE: #GP(0) if the source is not canonical, by the width that the processor supports",
		Predict: baseWidth,
	},
	{
		Name: "a repeated store that overwrites itself goes on", Oracles: silicon,
		Cite:    "SDM 2, REP: pending interrupts may suspend it between iterations; SDM 3A, Self-Modifying Code",
		Predict: repeatOverItself,
	},
	{
		Name: "AMD: SYSENTER and SYSEXIT are #UD in long mode", Oracles: silicon, Version: amd,
		Cite:    "SDM 2, SYSENTER; SYSEXIT: valid in 64-bit and compatibility mode; APM 3: #UD in long mode",
		Predict: sysenter,
	},
	{
		Name: "AMD: SYSRET is there outside 64-bit mode", Oracles: silicon, Version: amd,
		Cite:    "SDM 2, SYSRET: Compat/Leg Mode: Invalid; APM 3: valid, #GP(0) unless CPL is 0",
		Predict: sysret,
	},
	{
		Name: "AMD: LOCK MOV CR0 is MOV CR8", Oracles: silicon, Version: amd,
		Cite:    "SDM 2, LOCK: #UD before any other instruction than those listed; APM 3, MOV CRn: LOCK for CR8",
		Predict: lockCR8,
	},
	{
		Name: "AMD: LOCK VERW is VERW", Oracles: silicon, Version: amd,
		Cite:    "SDM 2, LOCK: #UD before any other instruction than those listed",
		Predict: lockVERW,
	},
	{
		Name: "AMD: UD0 and UD1 have no ModRM byte", Oracles: silicon, Version: amd,
		Cite:    "SDM 2, UD: UD0 r32, r/m32; UD1 r32, r/m32",
		Predict: undefinedLength,
	},
	{
		Name: "a processor with BMI1: F3 BSF is TZCNT", Oracles: silicon,
		Cite:    "SDM 2, TZCNT: on processors that do not support it, it is executed as BSF",
		Predict: tzcnt,
	},
	{
		Name: "AMD: PUSH of a segment register writes all of its slot", Oracles: silicon, Version: amd,
		Cite:    "SDM 2, PUSH: if the operand size is 32 bits, either zero-extended, or the upper half is unmodified",
		Predict: pushSegment,
	},
	{
		Name: "AMD: CMPS reads [rDI] first", Oracles: silicon, Version: amd,
		Cite:    "SDM 2, CMPS/CMPSB/CMPSW/CMPSD/CMPSQ: temp := SRC1 - SRC2",
		Predict: cmpsOrder,
	},
	{
		Name: "AMD: CALL pushes before it checks its target", Oracles: silicon, Version: amd,
		Cite:    "SDM 2, CALL: target offset within the code segment limit, then the push",
		Predict: callOrder,
	},
	{
		Name: "AMD: a far CALL pushes as the new code sees the stack", Oracles: silicon, Version: amd,
		Cite:    "SDM 2, CALL: Push(CS); Push(IP); then CS := newCS",
		Predict: callStack,
	},
	{
		Name: "AMD: RETF reads CS first, IRET the flags, both the outer SS before they look", Oracles: silicon, Version: amd,
		Cite:    "SDM 2, RET; IRET: EIP := Pop(); CS := Pop(); EFLAGS := Pop()",
		Predict: returnOrder,
	},
	{
		Name: "AMD: RETF n takes parameters off as the new code sees the stack", Oracles: silicon, Version: amd,
		Cite:    "SDM 2, RET: SP := SP + SRC if the stack has 16 bits",
		Predict: returnStack,
	},
	{
		Name: "AMD: IRET looks at RIP before SS", Oracles: silicon, Version: amd,
		Cite:    "SDM 2, IRET: RETURN-TO-OUTER-PRIVILEGE-LEVEL: SS, then whether RIP is within the limit",
		Predict: iretLimit,
	},
	{
		Name: "AMD: ENTER pushes before it looks at the end of its frame", Oracles: silicon, Version: amd,
		Cite:    "SDM 2, ENTER: a fault leaves the instruction without effect",
		Predict: enterOrder,
	},
	{
		Name: "AMD: ENTER of 32 bits uses all of ESP on a 16-bit stack", Oracles: silicon, Version: amd,
		Cite:    "SDM 2, ENTER: IF StackSize = 16 THEN FrameTemp := SP",
		Predict: enterWide,
	},
	{
		Name: "AMD: PUSHA has pushed what precedes its fault", Oracles: silicon, Version: amd,
		Cite:    "SDM 3A, Exception Classifications: a fault restores the state to that before the instruction",
		Predict: pushAll,
	},
	{
		Name: "AMD: POPA has loaded what precedes its fault", Oracles: silicon, Version: amd,
		Cite:    "SDM 3A, Exception Classifications: a fault restores the state to that before the instruction",
		Predict: popAll,
	},
	{
		Name: "CMPXCHG16B finds out of line before out of range", Oracles: silicon, Version: amd,
		Cite:    "SDM 2, CMPXCHG8B/CMPXCHG16B: #GP(0) if a memory operand is not aligned; #SS(0) if it is not canonical",
		Predict: cmpxchg16b,
	},
}

var (
	native  = []string{"native"}
	silicon = []string{"native", "kvm"}
)

const amd = "AuthenticAMD"

func kernelAddress(_ *diff.Context, r *diff.Result) bool {
	const end = 0x7ffffffff000 // of user memory
	if r.End != diff.Trapped || r.Vector != 14 || r.CR2 < end || r.Error&1 != 0 {
		return false
	}
	r.Error |= 1
	return true
}

func nullSelectors(_ *diff.Context, r *diff.Result) bool {
	done := false
	for _, s := range []decode.SegReg{decode.ES, decode.DS, decode.FS, decode.GS} {
		if sel := &r.Regs.Seg[s]; *sel&^3 == 0 && *sel != 0 {
			*sel, done = 0, true
		}
	}
	return done
}

// returnBeyondLimit: an interrupt may come between an instruction and the fetch of the
// next one.
func returnBeyondLimit(_ *diff.Context, r *diff.Result) bool {
	cs := r.Regs.Seg[decode.CS]
	if r.Vector != 13 || r.Error != 0 || diff.UserMode(cs) == decode.Mode64 || r.Regs.RIP <= uint64(limit(cs)) {
		return false
	}
	r.Regs.RFLAGS &^= flagRF
	return true
}

func upperRSP(x *diff.Context, r *diff.Result) bool {
	sp := &r.Regs.GPR[4]
	if x.Mode != decode.Mode64 || diff.UserMode(r.Regs.Seg[decode.CS]) == decode.Mode64 || *sp>>32 == 0 {
		return false
	}
	*sp &= 0xffffffff
	return true
}

func icebp(x *diff.Context, r *diff.Result) bool {
	if x.Inst.Op != decode.ICEBP || r.Vector != 1 {
		return false
	}
	r.Regs.RIP = x.Case.Regs.RIP
	return true
}

func stepWithinREP(x *diff.Context, r *diff.Result) bool {
	if x.Inst.Prefix&(decode.PrefixRep|decode.PrefixRepne) == 0 || r.Vector != 1 || r.Regs.RIP != x.Case.Regs.RIP {
		return false
	}
	r.Regs.RFLAGS &^= flagRF
	return true
}

func loopPrefix(x *diff.Context, r *diff.Result) bool {
	in := &x.Inst
	if in.Op != decode.LOOPE && in.Op != decode.LOOPNE {
		return false
	}
	opcode := byte(0xe0) // LOOPNE
	switch {
	case in.Prefix&decode.PrefixRep != 0:
		opcode = 0xe1
	case in.Prefix&decode.PrefixRepne == 0:
		return false
	}
	return asIf(x, r, func(c *diff.Case) { c.Code[in.Len-2] = opcode })
}

func farPointerW(x *diff.Context, r *diff.Result) bool {
	switch x.Inst.Op {
	case decode.LSS, decode.LFS, decode.LGS, decode.LJMP, decode.LCALL:
		if x.Inst.Prefix&decode.PrefixRexW != 0 {
			return asIf(x, r, func(c *diff.Case) {
				at := opcodeAt(x)
				c.Code[at-1] &^= 8
				replace(c.Code[:at], 0x66, 0x3e) // which loses to REX.W all the same
			})
		}
	}
	return false
}

func movsxd16(x *diff.Context, r *diff.Result) bool {
	if x.Inst.Op != decode.MOVSXD || x.Inst.OpSize != 2 {
		return false
	}
	// Without 66: what differs then is the access.
	wide := *r
	if !asIf(x, &wide, func(c *diff.Case) { replace(c.Code[:opcodeAt(x)], 0x66, 0x3e) }) || !faulted(x, &wide) {
		return false
	}
	*r = wide
	return true
}

// protection makes an answer the #GP(0) of the first instruction.
func protection(x *diff.Context, r *diff.Result) bool {
	undefined(x, r)
	r.Vector, r.HasError = 13, true
	return true
}

func prefetchRegister(x *diff.Context, r *diff.Result) bool {
	return x.Inst.Map == 1 && x.Inst.Opcode == 0x0d && x.Inst.ModRM >= 0xc0 && undefined(x, r)
}

func sysenter(x *diff.Context, r *diff.Result) bool {
	return (x.Inst.Op == decode.SYSENTER || x.Inst.Op == decode.SYSEXIT) && undefined(x, r)
}

func sysret(x *diff.Context, r *diff.Result) bool {
	in := &x.Inst
	return in.Map == 1 && in.Opcode == 0x07 && x.Mode != decode.Mode64 && in.Prefix&decode.PrefixLock == 0 &&
		r.Vector == 6 && protection(x, r)
}

func lockCR8(x *diff.Context, r *diff.Result) bool {
	in := &x.Inst
	return in.Map == 1 && in.Opcode&^2 == 0x20 && in.Prefix&decode.PrefixLock != 0 && in.ModRM>>3&7 == 0 &&
		r.Vector == 6 && protection(x, r)
}

func lockVERW(x *diff.Context, r *diff.Result) bool {
	in := &x.Inst
	return in.Map == 1 && in.Opcode == 0x00 && in.ModRM>>3&7 == 5 && in.Prefix&decode.PrefixLock != 0 && r.Vector == 6 &&
		asIf(x, r, func(c *diff.Case) { replace(c.Code[:opcodeAt(x)], 0xf0, 0xf2) }) // which means nothing there
}

func undefinedLength(x *diff.Context, r *diff.Result) bool {
	return x.Inst.Map == 1 && (x.Inst.Opcode == 0xb9 || x.Inst.Opcode == 0xff) && undefined(x, r)
}

func tzcnt(x *diff.Context, r *diff.Result) bool {
	in := &x.Inst
	if in.Op != decode.BSF || in.Prefix&decode.PrefixRep == 0 || faulted(x, r) {
		return false
	}
	const cf, zf = 1 << 0, 1 << 6
	a := in.Args[0]
	old := x.Case.Regs.GPR[a.Num]
	flags := r.Regs.RFLAGS &^ (cf | zf)
	if r.Regs.RFLAGS&zf != 0 { // the source was zero
		flags |= cf
		r.Regs.GPR[a.Num] = widen(old, 8*uint64(a.Size), a.Size)
	} else if low(r.Regs.GPR[a.Num], a.Size) == 0 {
		flags |= zf
	}
	r.Regs.RFLAGS = flags
	return true
}

func pushSegment(x *diff.Context, r *diff.Result) bool {
	in := &x.Inst
	if in.Op != decode.PUSH || in.Args[0].Kind != decode.ArgSeg || in.OpSize != 4 {
		return false
	}
	// As PUSH EAX does, with the selector in EAX; the length stays.
	rax := x.Case.Regs.GPR[0]
	if !asIf(x, r, func(c *diff.Case) {
		at := opcodeAt(x)
		replace(c.Code[at:at+1], 0x0f, 0x3e)
		c.Code[in.Len-1] = 0x50
		c.Regs.GPR[0] = uint64(c.Regs.Seg[in.Args[0].Num])
	}) {
		return false
	}
	r.Regs.GPR[0] = rax
	return true
}

func cmpsOrder(x *diff.Context, r *diff.Result) bool {
	in := &x.Inst
	switch in.Op {
	case decode.CMPSB, decode.CMPSW, decode.CMPSD, decode.CMPSQ:
	default:
		return false
	}
	if !faulted(x, r) {
		return false
	}
	// The faulting iteration begins as SCAS does.
	first := diff.Result{}
	if !asIf(x, &first, func(c *diff.Case) {
		c.Regs.GPR = r.Regs.GPR
		c.Code[opcodeAt(x)] += 0xae - 0xa6
	}) || !faulted(x, &first) {
		return false
	}
	copyFault(r, &first)
	return true
}

func cmpxchg16b(x *diff.Context, r *diff.Result) bool {
	linear, _, ok := x.Operand()
	if !ok || x.Inst.Op != decode.CMPXCHG16B || r.Vector != 12 || linear%16 == 0 {
		return false
	}
	r.Vector = 13
	return true
}

func effectiveAddress(x *diff.Context, r *diff.Result) bool {
	in := &x.Inst
	if x.Status != decode.OK || x.Mode != decode.Mode64 || in.Seg < decode.FS || in.AddrSize < 8 {
		return false
	}
	base := x.Segment(in.Seg).Base
	for _, a := range in.Args[:in.NArgs] {
		offset, size := r.Regs.GPR[6], int(a.Size)
		switch {
		case a.Kind == decode.ArgStr && a.Num == 6:
		case a.Kind == decode.ArgMem:
			var linear uint64
			linear, size, _ = x.Operand()
			offset = linear - base
		default:
			continue
		}
		if !refused(offset, base, size) {
			continue
		}
		*r = diff.Result{End: diff.Trapped, Vector: 13, HasError: true, Regs: begin(x)}
		r.Regs.RFLAGS |= flagRF
		return true
	}
	return false
}

// refused tells whether AMD finds an effective address not canonical, of the first
// byte or the last, or that it goes round with a base that takes it round once more.
func refused(offset, base uint64, size int) bool {
	canonical := func(a uint64) bool { return int64(a<<16)>>16 == int64(a) }
	last := offset + uint64(max(size, 1)) - 1
	round := last < offset && base+last < base+offset && base>>63 != 0
	return !canonical(offset) || !canonical(last) || round
}

func baseWidth(x *diff.Context, r *diff.Result) bool {
	in := &x.Inst
	if in.Op != decode.WRFSBASE && in.Op != decode.WRGSBASE || in.OpSize != 8 || faulted(x, r) {
		return false
	}
	if v := x.Case.Regs.GPR[in.Args[0].Num]; int64(v<<16)>>16 == int64(v) {
		return false
	}
	*r = diff.Result{End: diff.Trapped, Vector: 13, HasError: true, Regs: begin(x)}
	r.Regs.RFLAGS |= flagRF
	return true
}

package idt

import (
	"x86emu/decode"
	"x86emu/mmu"
)

// IRET returns from an interrupt with the given operand size in bytes (2, 4 or
// 8). next is the address of the following instruction, which a return to
// another task saves.
//
// It returns nil, or the fault, which is good until the processor's next operation.
// With a fault nothing has changed but that NMIs are unblocked; a fault of the task
// returned to excepted, with which Regs are that task's. Either way the fault's
// Return is Regs.RIP as it stands.
// [SDM 2, IRET/IRETD/IRETQ]
func IRET(c CPU, opSize uint8, next uint64) *Event {
	p := begin(c)
	// IRET unblocks NMIs, also when it faults. [SDM 3A, Handling Multiple NMIs]
	p.r.NMIBlocked = false
	ok := false
	switch {
	case !p.protected():
		ok = p.iretReal(opSize)
	case p.r.RFLAGS&FlagVM != 0:
		ok = p.iretV86(opSize)
	case p.r.RFLAGS&FlagNT != 0:
		ok = p.iretTask(next)
	default:
		ok = p.iretProtected(opSize)
	}
	return p.result(ok)
}

// Flags that IRET takes from the image on the stack.
const (
	iretFlags   = FlagCF | FlagPF | FlagAF | FlagZF | FlagSF | FlagTF | FlagDF | FlagOF | FlagNT
	iretFlags32 = FlagRF | FlagAC | FlagID
)

// replaceFlags takes the masked flags from an image.
func (p *Core) replaceFlags(mask, image uint64) {
	p.setFlags(p.r.RFLAGS&^mask | image&mask)
}

// iretReal is IRET in real mode. [SDM 2, IRET/IRETD/IRETQ, REAL-ADDRESS-MODE]
func (p *Core) iretReal(opSize uint8) bool {
	mask := uint64(iretFlags | FlagIF | FlagIOPL)
	if opSize == 4 {
		mask |= iretFlags32
	}
	return p.popReal(opSize, mask)
}

// iretV86 is IRET in VM86 mode, staying there.
// [SDM 2, IRET/IRETD/IRETQ, RETURN-FROM-VIRTUAL-8086-MODE]
func (p *Core) iretV86(opSize uint8) bool {
	if p.iopl() == 3 {
		mask := uint64(iretFlags | FlagIF)
		if opSize == 4 {
			mask |= iretFlags32
		}
		return p.popReal(opSize, mask)
	}
	// With IOPL below 3 the monitor takes over, #GP(0), unless VME virtualises a 16-bit IRET.
	if !p.pass(RuleIRETV86, p.m.Ctl.CR4&mmu.CR4VME != 0 && opSize == 2) {
		return p.fail(VecGP, 0)
	}
	return p.iretVME()
}

// iretVME is a 16-bit IRET in VM86 mode with CR4.VME and IOPL below 3: the
// image's IF goes to VIF. [SDM 3B, Virtual-8086 Mode Extensions]
func (p *Core) iretVME() bool {
	var s stack
	var w [3]uint64
	p.currentStack(&s)
	if !p.pop(&s, 0, 2, w[:]) {
		return false
	}
	// A pending virtual interrupt that the image would enable, and TF in the image, are #GP(0).
	pending := p.r.RFLAGS&FlagVIP != 0 && w[2]&FlagIF != 0
	if !p.pass(RuleIRETVME, !pending && w[2]&FlagTF == 0) {
		return p.fail(VecGP, 0)
	}
	w[2] |= w[2] & FlagIF * (FlagVIF / FlagIF)
	return p.finishReal(&s, 2, &w, iretFlags|FlagVIF)
}

// popReal pops IP, CS and FLAGS in real or VM86 mode.
func (p *Core) popReal(opSize uint8, mask uint64) bool {
	var s stack
	var w [3]uint64
	p.currentStack(&s)
	return p.pop(&s, 0, uint64(opSize), w[:]) && p.finishReal(&s, opSize, &w, mask)
}

func (p *Core) finishReal(s *stack, opSize uint8, w *[3]uint64, mask uint64) bool {
	// EIP must lie within the CS limit, else #GP(0).
	if !p.pass(RuleTargetLimit, w[0] <= uint64(p.r.Seg[decode.CS].Limit)) {
		return p.fail(VecGP, 0)
	}
	p.setSP(s.mask, s.sp+3*uint64(opSize))
	p.loadRealSegment(decode.CS, uint16(w[1]))
	p.r.RIP = w[0]
	p.replaceFlags(mask, w[2])
	return true
}

// iretProtected is IRET in protected, compatibility and 64-bit mode without
// NT. [SDM 2, IRET/IRETD/IRETQ, PROTECTED-MODE; IA-32e-MODE]
//
//	low    RIP CS RFLAGS
//	       RSP SS        to an outer level, and always in 64-bit mode
//	high   ES DS FS GS   to VM86 mode
func (p *Core) iretProtected(opSize uint8) bool {
	r := p.r
	size := uint64(opSize)
	var s stack
	p.currentStack(&s)
	var w [5]uint64
	all := p.mode64() && p.popDirect(&s, 0, size, w[:])
	if !all && !p.pop(&s, 0, size, w[:3]) {
		return false
	}
	ip, image := w[0], w[2]
	// VM counts only at CPL 0 outside IA-32e mode; 16-bit images do not reach it.
	if image&FlagVM != 0 && r.CPL == 0 && !p.long {
		return p.iretToV86(&s, ip, uint16(w[1]), image)
	}
	cs := p.returnCode(uint16(w[1]))
	if cs == nil {
		return false
	}
	mask := p.iretMask(opSize)
	if rpl(cs.sel) > r.CPL || p.mode64() {
		if !all && !p.pop(&s, 3*size, size, w[3:]) {
			return false
		}
		ss := p.returnSS(uint16(w[4]), cs)
		if ss == nil {
			return false
		}
		// RIP must lie within the new code segment, else #GP(0).
		if !p.targetWithin(&cs.seg, ip) || !p.returnTo(cs, ip, ss, w[3]) {
			return false
		}
	} else {
		if !p.targetWithin(&cs.seg, ip) || !p.returnTo(cs, ip, nil, 0) {
			return false
		}
		p.setSP(s.mask, s.sp+3*size)
	}
	p.replaceFlags(mask, image)
	return true
}

// iretMask is the set of flags that IRET may change at the CPL: IF needs
// CPL <= IOPL; IOPL, VIF and VIP need CPL 0. [SDM 2, IRET/IRETD/IRETQ]
func (p *Core) iretMask(opSize uint8) uint64 {
	mask := uint64(iretFlags)
	if opSize > 2 {
		mask |= iretFlags32
	}
	if p.r.CPL <= p.iopl() {
		mask |= FlagIF
	}
	if p.r.CPL == 0 {
		mask |= FlagIOPL
		if opSize > 2 {
			mask |= FlagVIF | FlagVIP
		}
	}
	return mask
}

// iretToV86 returns from CPL 0 to VM86 mode.
// [SDM 2, IRET/IRETD/IRETQ, RETURN-TO-VIRTUAL-8086-MODE]
func (p *Core) iretToV86(s *stack, ip uint64, cs uint16, image uint64) bool {
	// EIP must lie within the 64 KiB of the new CS, else #GP(0).
	if !p.pass(RuleV86Target, ip <= 0xffff) {
		return p.fail(VecGP, 0)
	}
	var w [6]uint64 // ESP SS ES DS FS GS
	if !p.pop(s, 12, 4, w[:]) {
		return false
	}
	p.setFlags(image)
	p.r.CPL = 3
	p.r.RIP = ip
	p.loadV86Segment(decode.CS, cs)
	p.g[regSP] = w[0]
	for i, reg := range [...]decode.SegReg{decode.SS, decode.ES, decode.DS, decode.FS, decode.GS} {
		p.loadV86Segment(reg, uint16(w[1+i]))
	}
	return true
}

// iretTask returns to the task that the current TSS's link names.
// [SDM 2, IRET/IRETD/IRETQ, TASK-RETURN; SDM 3A, Task Linking]
func (p *Core) iretTask(next uint64) bool {
	// IA-32e mode has no task switches: #GP(0).
	if !p.pass(RuleIRETNT, !p.long) {
		return p.fail(VecGP, 0)
	}
	link, ok := p.read(p.r.TR.Base+tssLink, 2)
	if !ok {
		return false
	}
	tss, ok := p.taskOfLink(uint16(link))
	if !ok || !p.switchTask(&tss, taskReturn, next, p.r.RFLAGS) {
		return false
	}
	// EIP must lie within the new task's code segment, else #GP(0) in the new task.
	return p.targetWithin(&p.r.Seg[decode.CS], p.r.RIP)
}

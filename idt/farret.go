package idt

import "x86emu/decode"

// FarRet is RETF: pop is the number of bytes that RETF imm16 releases, on both
// stacks where the privilege level changes; opSize is the width in bytes of
// the words popped. Failures are as for IRET. [SDM 2, RET]
func FarRet(c CPU, pop uint16, opSize uint8) *Event {
	p := begin(c)
	if !p.protected() || p.v86() {
		return p.result(p.retReal(uint64(pop), uint64(opSize)))
	}
	return p.result(p.retProtected(uint64(pop), uint64(opSize)))
}

func (p *Core) retReal(release, size uint64) bool {
	var s stack
	var w [2]uint64
	p.currentStack(&s)
	if !p.pop(&s, 0, size, w[:]) {
		return false
	}
	// EIP must lie within the CS limit, else #GP(0). [SDM 2, RET, REAL-ADDRESS-MODE]
	if !p.pass(RuleTargetLimit, w[0] <= uint64(p.r.Seg[decode.CS].Limit)) {
		return p.fail(VecGP, 0)
	}
	p.setSP(s.mask, s.sp+2*size+release)
	p.loadRealSegment(decode.CS, uint16(w[1]))
	p.r.RIP = w[0]
	return true
}

// retProtected is RETF in protected, compatibility and 64-bit mode.
//
//	low    RIP CS
//	       parameters
//	high   RSP SS       to an outer level
func (p *Core) retProtected(release, size uint64) bool {
	var s stack
	var w [4]uint64
	p.currentStack(&s)
	if !p.pop(&s, 0, size, w[:2]) {
		return false
	}
	cs := p.returnCode(uint16(w[1]))
	if cs == nil {
		return false
	}
	// All 64 bits of RIP count, also on the way to compatibility mode. [observed on AMD Zen 4]
	ip := w[0]
	if rpl(cs.sel) == p.r.CPL {
		// RIP must lie within the code segment, else #GP(0).
		if !p.targetWithin(&cs.seg, ip) || !p.returnTo(cs, ip, nil, 0) {
			return false
		}
		p.setSP(s.mask, s.sp+2*size+release)
		return true
	}
	if !p.pop(&s, 2*size+release, size, w[2:]) {
		return false
	}
	ss := p.returnSS(uint16(w[3]), cs)
	if ss == nil {
		return false
	}
	return p.targetWithin(&cs.seg, ip) && p.returnTo(cs, ip, ss, w[2]+release)
}

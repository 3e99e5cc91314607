package cpu

import (
	"encoding/binary"

	"x86emu/decode"
	"x86emu/idt"
	"x86emu/mmu"
)

// The XSAVE feature set, for the two components that there are: x87 (bit 0) and
// SSE (bit 1). [SDM 1, Managing State Using the XSAVE Feature Set]

const (
	compX87 = 1 << 0
	compSSE = 1 << 1

	xcr0Valid = compX87 | compSSE

	xsHeader   = fxArea      // XSTATE_BV, then XCOMP_BV
	xsArea     = fxArea + 64 // without extended components
	xsCompact  = 1 << 63     // of XCOMP_BV: the compacted format
	xsAlign    = 64
	xsInitCW   = 0x37f
	headerSize = 64
)

func init() {
	for op, h := range map[decode.Op]handler{
		decode.XSAVE: execXSAVE, decode.XSAVE64: execXSAVE, decode.XSAVEOPT: execXSAVE, decode.XSAVEOPT64: execXSAVE,
		decode.XSAVEC: execXSAVE, decode.XSAVEC64: execXSAVE,
		decode.XRSTOR: execXRSTOR, decode.XRSTOR64: execXRSTOR,
		decode.XGETBV: execXGETBV, decode.XSETBV: execXSETBV,
	} {
		handlers[op] = h
	}
}

// xsaveOn makes the check that all of the set share: CR4.OSXSAVE, else #UD.
// [SDM 2, XSAVE; XGETBV; XSETBV]
func (c *CPU) xsaveOn() bool {
	if c.mmu.Ctl.CR4&mmu.CR4OSXSAVE == 0 {
		return c.ud()
	}
	return true
}

// inUse tells which components differ from their initial state. MXCSR is part of
// neither. [SDM 1, Processor Tracking of XSAVE-Managed State]
func (p *FPState) inUse() (comp uint64) {
	initial := FPState{CW: xsInitCW}
	x := *p
	x.XMM, x.MXCSR, x.XCR0 = initial.XMM, 0, 0
	if x != initial {
		comp |= compX87
	}
	if p.XMM != initial.XMM {
		comp |= compSSE
	}
	return comp
}

// xsaveReady makes the checks before XSAVE and XRSTOR and gives the components
// asked for: EDX:EAX, as far as XCR0 has them.
func (c *CPU) xsaveReady(in *decode.Inst) (rfbm uint64, ok bool) {
	if !c.xsaveOn() {
		return 0, false
	}
	// CR0.TS must be clear, else #NM. [SDM 2, XSAVE; XRSTOR]
	if c.mmu.Ctl.CR0&mmu.CR0TS != 0 {
		return 0, c.raise(idt.VecNM)
	}
	lin, ok := c.linear(in.Seg, c.ea(in), 1, false)
	if !ok {
		return 0, false
	}
	// The area must lie on 64 bytes, else #GP(0). [SDM 2, XSAVE; XRSTOR]
	if lin&(xsAlign-1) != 0 {
		return 0, c.gp(0)
	}
	return (c.r[rDX]<<32 | c.r[rAX]&0xffffffff) & c.s.FP.XCR0, true
}

// execXSAVE is XSAVE, XSAVEOPT and XSAVEC. XSAVEOPT and XSAVEC do not write what is
// in its initial state; XSAVE writes all that it is asked for.
// [SDM 1, Operation of XSAVE; XSAVEOPT; XSAVEC]
func execXSAVE(c *CPU, in *decode.Inst) bool {
	rfbm, ok := c.xsaveReady(in)
	if !ok {
		return false
	}
	compact := in.Op == decode.XSAVEC || in.Op == decode.XSAVEC64
	all := in.Op == decode.XSAVE || in.Op == decode.XSAVE64
	p := &c.s.FP
	ea := c.ea(in)
	// The area is read first, and written back with what changes in it: a program
	// sees no difference, and all of it must be writable.
	var b [xsArea]byte
	if !c.loadBlock(in.Seg, ea, in.AddrSize, b[:]) {
		return false
	}
	bv := binary.LittleEndian.Uint64(b[xsHeader:])
	if compact {
		bv = 0
	}
	used := p.inUse()
	bv = bv&^rfbm | used&rfbm
	write := rfbm
	if !all {
		write &= used
	}
	if write&compX87 != 0 {
		mxcsr := [8]byte(b[fxMXCSR : fxMXCSR+8])
		p.putX87(b[:], wideArea(in))
		copy(b[fxMXCSR:], mxcsr[:])
	}
	if write&compSSE != 0 {
		p.putXMM(b[:], c.xmmCount())
	}
	// MXCSR goes with SSE, whether or not the registers are in use. (XSAVEC writes it only if they are.)
	if rfbm&compSSE != 0 && (!compact || used&compSSE != 0 || p.MXCSR != mxcsrReset) {
		binary.LittleEndian.PutUint32(b[fxMXCSR:], p.MXCSR)
		binary.LittleEndian.PutUint32(b[fxMXCSR+4:], c.mxcsrMask())
		if compact && p.MXCSR != mxcsrReset {
			bv |= compSSE
			p.putXMM(b[:], c.xmmCount())
		}
	}
	binary.LittleEndian.PutUint64(b[xsHeader:], bv)
	if compact {
		binary.LittleEndian.PutUint64(b[xsHeader+8:], xsCompact|rfbm)
	}
	return c.storeBlock(in.Seg, ea, in.AddrSize, b[:])
}

// execXRSTOR loads the components asked for that the header says are there, and
// initialises the others. [SDM 1, Operation of XRSTOR]
func execXRSTOR(c *CPU, in *decode.Inst) bool {
	rfbm, ok := c.xsaveReady(in)
	if !ok {
		return false
	}
	var b [xsArea]byte
	if !c.loadBlock(in.Seg, c.ea(in), in.AddrSize, b[:]) {
		return false
	}
	p := &c.s.FP
	le := binary.LittleEndian
	bv, comp := le.Uint64(b[xsHeader:]), le.Uint64(b[xsHeader+8:])
	compact := comp&xsCompact != 0
	switch {
	// A component that XCR0 does not have must not be there, else #GP(0). [SDM 1, Standard Form of XRSTOR; Compacted Form of XRSTOR]
	case bv&^p.XCR0 != 0 && !compact, compact && comp&^xsCompact&^p.XCR0 != 0:
		return c.gp(0)
	// The standard form demands an XCOMP_BV of 0, else #GP(0).
	case !compact && comp != 0:
		return c.gp(0)
	// What is there must be among what was saved, else #GP(0).
	case compact && bv&^comp != 0:
		return c.gp(0)
	}
	// The rest of the header must be 0, else #GP(0): bytes 16 to 23, in the compacted form to 63.
	end := 24
	if compact {
		end = headerSize
	}
	for _, v := range b[xsHeader+16 : xsHeader+end] {
		if v != 0 {
			return c.gp(0)
		}
	}
	mxcsr := uint32(mxcsrReset)
	loadMXCSR := rfbm&compSSE != 0
	if loadMXCSR && (!compact || bv&compSSE != 0) {
		mxcsr = le.Uint32(b[fxMXCSR:])
		// A reserved bit of MXCSR must be clear, else #GP(0).
		if mxcsr&^c.mxcsrValid() != 0 {
			return c.gp(0)
		}
	}
	if rfbm&compX87 != 0 {
		if bv&compX87 != 0 {
			p.setX87(b[:], wideArea(in))
			c.dropSelectors()
		} else {
			p.init87()
			clear(p.R[:])
		}
	}
	if rfbm&compSSE != 0 {
		p.MXCSR = mxcsr
		n := c.xmmCount()
		if bv&compSSE != 0 {
			p.setXMM(b[:], n)
		} else {
			clear(p.XMM[:n])
		}
	}
	return c.calm()
}

// execXGETBV reads XCR0, or with ECX = 1 which of its components are in use.
// [SDM 2, XGETBV]
func execXGETBV(c *CPU, _ *decode.Inst) bool {
	if !c.xsaveOn() {
		return false
	}
	p := &c.s.FP
	v := p.XCR0
	switch uint32(c.r[rCX]) {
	case 0:
	case 1:
		v &= p.inUse()
	default:
		// There is no other extended control register, else #GP(0).
		return c.gp(0)
	}
	c.r[rAX], c.r[rDX] = v&0xffffffff, v>>32
	return true
}

// execXSETBV writes XCR0. [SDM 2, XSETBV]
func execXSETBV(c *CPU, _ *decode.Inst) bool {
	if !c.xsaveOn() {
		return false
	}
	// CPL must be 0, else #GP(0).
	if c.s.CPL != 0 {
		return c.gp(0)
	}
	v := c.r[rDX]<<32 | c.r[rAX]&0xffffffff
	// ECX must be 0, no reserved bit be set, and x87 be among the components, else #GP(0).
	if uint32(c.r[rCX]) != 0 || v&^xcr0Valid != 0 || v&compX87 == 0 {
		return c.gp(0)
	}
	c.s.FP.XCR0 = v
	return true
}

package cpu

import (
	"x86emu/decode"
	"x86emu/mmu"
)

// This file holds the instructions that manage caches, translations and
// protection keys.

// execInvalidateCaches is INVD, WBINVD and WBNOINVD: there are no caches.
func execInvalidateCaches(c *CPU, in *decode.Inst) bool {
	// CPL must be 0, else #GP(0). [SDM 2A, INVD—Invalidate Internal Caches]
	if c.s.CPL != 0 {
		return c.gp(0)
	}
	return true
}

// execINVLPG drops what is cached of a page's translation.
func execINVLPG(c *CPU, in *decode.Inst) bool {
	// CPL must be 0, else #GP(0). [SDM 2A, INVLPG—Invalidate TLB Entries]
	if c.s.CPL != 0 {
		return c.gp(0)
	}
	lin := c.ea(in)
	if c.mode == decode.Mode64 {
		if in.Seg >= decode.FS {
			lin += c.s.Seg[in.Seg].Base
		}
		// A non-canonical address is passed over. [SDM 2A, INVLPG—Invalidate TLB Entries]
		if !c.canonicalBase(lin) {
			return true
		}
	} else {
		lin = (lin + c.s.Seg[in.Seg].Base) & 0xffffffff
	}
	c.mmu.Invlpg(mmu.Linear(lin))
	return true
}

// The kinds of INVPCID. [SDM 2A, INVPCID—Invalidate Process-Context Identifier]
const (
	invpcidAddress = 0
	invpcidContext = 1
	invpcidKinds   = 4
)

// execINVPCID drops cached translations by PCID.
func execINVPCID(c *CPU, in *decode.Inst) bool {
	// CPL must be 0, else #GP(0). [SDM 2A, INVPCID—Invalidate Process-Context Identifier]
	if c.s.CPL != 0 {
		return c.gp(0)
	}
	kind := c.reg(c.systemReg(in.Args[0]))
	a := c.ea(in)
	pcid, ok := c.load(in.Seg, a, 8)
	if !ok {
		return false
	}
	lin, ok := c.load(in.Seg, maskAddr(a+8, in.AddrSize), 8)
	if !ok {
		return false
	}
	// The kind must be known, else #GP(0). [SDM 2A, INVPCID—Invalidate Process-Context Identifier]
	if kind >= invpcidKinds {
		return c.gp(0)
	}
	// Bits 63:12 of the descriptor's first half must be 0, else #GP(0).
	// [SDM 2A, INVPCID—Invalidate Process-Context Identifier]
	if pcid>>12 != 0 {
		return c.gp(0)
	}
	if kind == invpcidAddress || kind == invpcidContext {
		// Without CR4.PCIDE the PCID must be 0, else #GP(0). [SDM 2A, INVPCID—Invalidate Process-Context Identifier]
		if pcid != 0 && c.mmu.Ctl.CR4&mmu.CR4PCIDE == 0 {
			return c.gp(0)
		}
	}
	if kind == invpcidAddress {
		// The address must be canonical, else #GP(0). [SDM 2A, INVPCID—Invalidate Process-Context Identifier]
		if !c.canonicalBase(lin) {
			return c.gp(0)
		}
	}
	c.mmu.Invpcid(kind, pcid, mmu.Linear(lin))
	return true
}

// mayPKRU makes the checks that RDPKRU and WRPKRU share.
func (c *CPU) mayPKRU() bool {
	// CR4.PKE must be set, else #UD. [SDM 2B, RDPKRU—Read Protection Key Rights for User Pages]
	if c.mmu.Ctl.CR4&mmu.CR4PKE == 0 {
		return c.ud()
	}
	// ECX must be 0, else #GP(0). [SDM 2B, RDPKRU—Read Protection Key Rights for User Pages]
	if uint32(c.r[rCX]) != 0 {
		return c.gp(0)
	}
	return true
}

// execRDPKRU reads PKRU.
func execRDPKRU(c *CPU, in *decode.Inst) bool {
	if !c.mayPKRU() {
		return false
	}
	c.setEDXEAX(uint64(c.mmu.Ctl.PKRU))
	return true
}

// execWRPKRU writes PKRU.
func execWRPKRU(c *CPU, in *decode.Inst) bool {
	if !c.mayPKRU() {
		return false
	}
	// EDX must be 0, else #GP(0). [SDM 2B, WRPKRU—Write Data to User Page Key Register]
	if uint32(c.r[rDX]) != 0 {
		return c.gp(0)
	}
	c.mmu.SetPKRU(uint32(c.r[rAX]))
	return true
}

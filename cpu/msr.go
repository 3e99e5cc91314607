package cpu

import (
	"x86emu/decode"
	"x86emu/mmu"
)

// Model-specific registers. [SDM 4, Model-Specific Registers]
const (
	msrP5McAddr     = 0x0
	msrP5McType     = 0x1
	msrTSC          = 0x10
	msrPlatformID   = 0x17
	msrAPICBase     = 0x1b
	msrBIOSUpdate   = 0x79
	msrBIOSSign     = 0x8b
	msrMTRRCap      = 0xfe
	msrArchCaps     = 0x10a
	msrSysenterCS   = 0x174
	msrSysenterESP  = 0x175
	msrSysenterEIP  = 0x176
	msrMCGCap       = 0x179
	msrMCGStatus    = 0x17a
	msrMiscEnable   = 0x1a0
	msrDebugCtl     = 0x1d9
	msrMTRRPhys0    = 0x200
	msrMTRRFix64K   = 0x250
	msrMTRRFix16K   = 0x258
	msrMTRRFix4K    = 0x268
	msrPAT          = 0x277
	msrMTRRDefType  = 0x2ff
	msrTSCDeadline  = 0x6e0
	msrX2APIC       = 0x800
	msrX2APICLast   = 0x8ff
	msrEFER         = 0xc0000080
	msrSTAR         = 0xc0000081
	msrLSTAR        = 0xc0000082
	msrCSTAR        = 0xc0000083
	msrSFMASK       = 0xc0000084
	msrFSBase       = 0xc0000100
	msrGSBase       = 0xc0000101
	msrKernelGSBase = 0xc0000102
	msrTSCAux       = 0xc0000103
)

const (
	// Eight variable ranges, fixed ranges, write combining.
	mtrrCap = 8 | 1<<8 | 1<<10
	// Not subject to the faults of speculation, as nothing is speculated:
	// RDCL_NO, SKIP_L1DFL_VMENTRY, SSB_NO, MDS_NO, PSCHANGE_MC_NO, TAA_NO.
	archCaps = 1<<0 | 1<<3 | 1<<4 | 1<<5 | 1<<6 | 1<<8
	// The microcode revision that IA32_BIOS_SIGN_ID reports.
	microcode = 1

	miscWritable = miscFastStrings | miscMonitor | miscLimitCPUID | miscXDDisable
	patReset     = 0x0007040600070406
)

// resetMSRs gives the MSRs as they are after RESET.
func (m *Model) resetMSRs() MSRs {
	r := MSRs{PAT: patReset}
	if m.is(traitP6) || m.is(traitAPIC) {
		r.APICBase = 0xfee00000 | APICBaseBSP
	}
	if m.is(traitMisc) {
		r.MiscEnable = miscFastStrings | miscBTSUnavail | miscPEBSUnavail
		if m.has(decode.FeatMONITOR) {
			r.MiscEnable |= miscMonitor
		}
	}
	return r
}

// mtrrFixed gives the index of a fixed-range MTRR in MSRs.MTRRFix.
func mtrrFixed(n uint32) (int, bool) {
	switch {
	case n == msrMTRRFix64K:
		return 0, true
	case n == msrMTRRFix16K, n == msrMTRRFix16K+1:
		return 1 + int(n-msrMTRRFix16K), true
	case n >= msrMTRRFix4K && n < msrMTRRFix4K+8:
		return 3 + int(n-msrMTRRFix4K), true
	}
	return 0, false
}

// msrExists tells whether the model has an MSR.
func (m *Model) msrExists(n uint32) bool {
	switch n {
	case msrP5McAddr, msrP5McType, msrTSC:
		return true
	case msrPlatformID, msrAPICBase, msrBIOSUpdate, msrBIOSSign, msrDebugCtl:
		return m.is(traitP6)
	case msrSysenterCS, msrSysenterESP, msrSysenterEIP:
		return m.has(decode.FeatSEP)
	case msrMCGCap, msrMCGStatus:
		return m.is(traitMCA)
	case msrMiscEnable:
		return m.is(traitMisc)
	case msrArchCaps:
		return m.is(traitArchCaps)
	case msrPAT:
		return m.is(traitPAT)
	case msrMTRRCap, msrMTRRDefType:
		return m.is(traitMTRR)
	case msrEFER:
		return m.EFERValid != 0
	case msrSTAR, msrLSTAR, msrCSTAR, msrSFMASK, msrFSBase, msrGSBase, msrKernelGSBase:
		return m.has(decode.FeatLM)
	case msrTSCAux:
		return m.has(decode.FeatRDTSCP) || m.has(decode.FeatRDPID)
	}
	if n >= msrMTRRPhys0 && n < msrMTRRPhys0+16 {
		return m.is(traitMTRR)
	}
	_, fixed := mtrrFixed(n)
	return fixed && m.is(traitMTRR)
}

// msrSlot gives the MSRs that are mere storage, with the bits that may be set
// and whether the value must be a canonical address.
func (c *CPU) msrSlot(n uint32) (slot *uint64, valid uint64, address bool) {
	s := &c.s.MSR
	all := ^uint64(0)
	switch n {
	case msrSysenterCS:
		return &s.SysenterCS, all, false
	case msrSysenterESP:
		return &s.SysenterESP, all, true
	case msrSysenterEIP:
		return &s.SysenterEIP, all, true
	case msrSTAR:
		return &s.STAR, all, false
	case msrLSTAR:
		return &s.LSTAR, all, true
	case msrCSTAR:
		return &s.CSTAR, all, true
	case msrSFMASK:
		return &s.SFMASK, 0xffffffff, false
	case msrFSBase:
		return &c.s.Seg[decode.FS].Base, all, true
	case msrGSBase:
		return &c.s.Seg[decode.GS].Base, all, true
	case msrKernelGSBase:
		return &s.KernelGSBase, all, true
	case msrTSCAux:
		return &s.TSCAux, 0xffffffff, false
	case msrDebugCtl:
		return &s.DebugCtl, c.Model.DebugCtl, false
	case msrMCGStatus:
		return &s.MCGStatus, 0, false
	case msrPAT:
		return &s.PAT, all, false
	case msrMTRRDefType:
		return &s.MTRRDefType, 0xcff, false
	}
	if i := n - msrMTRRPhys0; i < 16 {
		valid := 1<<c.Model.MaxPhysBits - 1 - uint64(mmu.PageMask)
		if i&1 == 0 {
			return &s.MTRRPhys[i], valid | 0xff, false
		}
		return &s.MTRRPhys[i], valid | 1<<11, false
	}
	if i, ok := mtrrFixed(n); ok {
		return &s.MTRRFix[i], all, false
	}
	return nil, 0, false
}

// readMSR reads an MSR; ok is false where the model has none.
func (c *CPU) readMSR(n uint32) (v uint64, ok bool) {
	if c.isAPIC(n) {
		return c.apic.ReadAPIC(n)
	}
	if !c.Model.msrExists(n) {
		return 0, false
	}
	switch n {
	case msrP5McAddr, msrP5McType, msrPlatformID, msrMCGCap:
		return 0, true
	case msrTSC:
		return c.TSC(), true
	case msrAPICBase:
		return c.s.MSR.APICBase, true
	case msrBIOSUpdate:
		return 0, false // write only
	case msrBIOSSign:
		return microcode << 32, true
	case msrMTRRCap:
		return mtrrCap, true
	case msrArchCaps:
		return archCaps, true
	case msrMiscEnable:
		return c.s.MSR.MiscEnable, true
	case msrEFER:
		return c.mmu.Ctl.EFER, true
	}
	slot, _, _ := c.msrSlot(n)
	return *slot, true
}

// memoryType tells whether a byte of PAT or an MTRR is a memory type:
// UC, WC, WT, WP, WB, and for PAT also UC-.
func memoryType(t uint8, pat bool) bool {
	return t <= 1 || t >= 4 && t <= 6 || t == 7 && pat
}

// memoryTypes checks n types, a byte each.
func memoryTypes(v uint64, n int, pat bool) bool {
	for ; n > 0; n-- {
		if !memoryType(uint8(v), pat) {
			return false
		}
		v >>= 8
	}
	return true
}

// canonicalBase tells whether an address may be loaded into a base register or
// an MSR. Processors with LA57 take any 57-bit canonical address there, also
// while four levels are in use.
func (c *CPU) canonicalBase(a uint64) bool {
	sh := 64 - uint(c.Model.linearBits())
	return uint64(int64(a<<sh)>>sh) == a
}

// writeMSR is WRMSR.
func (c *CPU) writeMSR(n uint32, v uint64) bool {
	if c.isAPIC(n) {
		// The APIC must take the value, else #GP(0). [SDM 3A, x2APIC Register Availability]
		return c.apic.WriteAPIC(n, v) || c.gp(0)
	}
	// The MSR must exist, else #GP(0). [SDM 2B, WRMSR—Write to Model Specific Register]
	if !c.Model.msrExists(n) {
		return c.gp(0)
	}
	s := &c.s.MSR
	switch n {
	case msrEFER:
		return c.writeEFER(v)
	case msrP5McAddr, msrP5McType, msrBIOSUpdate, msrBIOSSign:
		return true
	case msrPlatformID, msrMTRRCap, msrMCGCap, msrArchCaps:
		// The MSR must be writable, else #GP(0). [SDM 4, Architectural MSRs]
		return c.gp(0)
	case msrTSC:
		s.TSCOffset += v - c.TSC()
		if c.apic != nil {
			c.apic.TSCLoaded()
		}
		return true
	case msrAPICBase:
		return c.writeAPICBase(v)
	case msrMiscEnable:
		if v&miscXDDisable != 0 && c.Model.EFERValid&mmu.EFERNXE == 0 {
			return c.gp(0)
		}
		s.MiscEnable = s.MiscEnable&^miscWritable | v&miscWritable
		return true
	case msrPAT:
		// Each field must hold a memory type, else #GP(0). [SDM 3A, IA32_PAT MSR]
		if !memoryTypes(v, 8, true) {
			return c.gp(0)
		}
	case msrMTRRDefType:
		// The default must be a memory type, else #GP(0). [SDM 3A, IA32_MTRR_DEF_TYPE MSR]
		if !memoryTypes(v, 1, false) {
			return c.gp(0)
		}
	}
	slot, valid, address := c.msrSlot(n)
	if i := n - msrMTRRPhys0; i < 16 && i&1 == 0 && !memoryTypes(v, 1, false) {
		// A range must have a memory type, else #GP(0). [SDM 3A, Variable Range MTRRs]
		return c.gp(0)
	}
	if _, fixed := mtrrFixed(n); fixed && !memoryTypes(v, 8, false) {
		// Each field must hold a memory type, else #GP(0). [SDM 3A, Fixed Range MTRRs]
		return c.gp(0)
	}
	// No reserved bit may be set, else #GP(0). [SDM 2B, WRMSR—Write to Model Specific Register]
	if v&^valid != 0 {
		return c.gp(0)
	}
	// An address must be canonical, else #GP(0). [SDM 2B, WRMSR—Write to Model Specific Register]
	if address && c.Model.has(decode.FeatLM) && !c.canonicalBase(v) {
		return c.gp(0)
	}
	*slot = v
	return true
}

// execRDMSR reads the MSR that ECX names into EDX:EAX.
func execRDMSR(c *CPU, in *decode.Inst) bool {
	// CPL must be 0, else #GP(0). [SDM 2B, RDMSR—Read From Model Specific Register]
	if c.s.CPL != 0 {
		return c.gp(0)
	}
	v, ok := c.readMSR(uint32(c.r[rCX]))
	// The MSR must exist, else #GP(0). [SDM 2B, RDMSR—Read From Model Specific Register]
	if !ok {
		return c.gp(0)
	}
	c.setEDXEAX(v)
	return true
}

// execWRMSR writes EDX:EAX to the MSR that ECX names.
func execWRMSR(c *CPU, in *decode.Inst) bool {
	// CPL must be 0, else #GP(0). [SDM 2B, WRMSR—Write to Model Specific Register]
	if c.s.CPL != 0 {
		return c.gp(0)
	}
	return c.writeMSR(uint32(c.r[rCX]), c.edxEAX())
}

// setEDXEAX stores a 64-bit result in EDX:EAX; in 64-bit mode the upper halves
// of both registers are cleared.
func (c *CPU) setEDXEAX(v uint64) {
	c.r[rAX], c.r[rDX] = v&0xffffffff, v>>32
}

// edxEAX is the 64-bit operand in EDX:EAX.
func (c *CPU) edxEAX() uint64 { return c.r[rDX]<<32 | c.r[rAX]&0xffffffff }

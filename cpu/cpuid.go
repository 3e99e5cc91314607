package cpu

import (
	"encoding/binary"

	"x86emu/decode"
	"x86emu/mmu"
)

// CPUID's registers.
const (
	eax = iota
	ebx
	ecx
	edx
)

// cpuidBit is one feature flag of CPUID. It is reported when the model has
// everything that the row names.
type cpuidBit struct {
	name  string // as Linux and QEMU write it
	leaf  uint32
	reg   uint8
	bit   uint8
	feat  decode.Feature
	trait trait
	cr4   uint64 // the feature exists when these CR4 bits do
	efer  uint64 // likewise for EFER
}

// cpuidBits is the table of feature flags. [SDM 2A, CPUID—CPU Identification]
var cpuidBits = []cpuidBit{
	{name: "pni", leaf: 1, reg: ecx, bit: 0, feat: decode.FeatSSE3},
	{name: "pclmulqdq", leaf: 1, reg: ecx, bit: 1, feat: decode.FeatPCLMULQDQ},
	{name: "monitor", leaf: 1, reg: ecx, bit: 3, feat: decode.FeatMONITOR},
	{name: "ssse3", leaf: 1, reg: ecx, bit: 9, feat: decode.FeatSSSE3},
	{name: "cx16", leaf: 1, reg: ecx, bit: 13, feat: decode.FeatCX16},
	{name: "pcid", leaf: 1, reg: ecx, bit: 17, cr4: mmu.CR4PCIDE},
	{name: "sse4.1", leaf: 1, reg: ecx, bit: 19, feat: decode.FeatSSE41},
	{name: "sse4.2", leaf: 1, reg: ecx, bit: 20, feat: decode.FeatSSE42},
	{name: "x2apic", leaf: 1, reg: ecx, bit: 21, trait: traitX2APIC},
	{name: "movbe", leaf: 1, reg: ecx, bit: 22, feat: decode.FeatMOVBE},
	{name: "popcnt", leaf: 1, reg: ecx, bit: 23, feat: decode.FeatPOPCNT},
	{name: "tsc-deadline", leaf: 1, reg: ecx, bit: 24, trait: traitTSCDeadline},
	{name: "aes", leaf: 1, reg: ecx, bit: 25, feat: decode.FeatAES},
	{name: "xsave", leaf: 1, reg: ecx, bit: 26, feat: decode.FeatXSAVE, cr4: mmu.CR4OSXSAVE},
	{name: "rdrand", leaf: 1, reg: ecx, bit: 30, feat: decode.FeatRDRAND},

	{name: "fpu", leaf: 1, reg: edx, bit: 0, trait: traitFPU},
	{name: "vme", leaf: 1, reg: edx, bit: 1, cr4: mmu.CR4VME},
	{name: "de", leaf: 1, reg: edx, bit: 2, cr4: mmu.CR4DE},
	{name: "pse", leaf: 1, reg: edx, bit: 3, cr4: mmu.CR4PSE},
	{name: "tsc", leaf: 1, reg: edx, bit: 4, feat: decode.FeatTSC},
	{name: "msr", leaf: 1, reg: edx, bit: 5, feat: decode.FeatMSR},
	{name: "pae", leaf: 1, reg: edx, bit: 6, cr4: mmu.CR4PAE},
	{name: "mce", leaf: 1, reg: edx, bit: 7, cr4: mmu.CR4MCE},
	{name: "cx8", leaf: 1, reg: edx, bit: 8, feat: decode.FeatCX8},
	{name: "apic", leaf: 1, reg: edx, bit: 9, trait: traitAPIC},
	{name: "sep", leaf: 1, reg: edx, bit: 11, feat: decode.FeatSEP},
	{name: "mtrr", leaf: 1, reg: edx, bit: 12, trait: traitMTRR},
	{name: "pge", leaf: 1, reg: edx, bit: 13, cr4: mmu.CR4PGE},
	{name: "mca", leaf: 1, reg: edx, bit: 14, trait: traitMCA},
	{name: "cmov", leaf: 1, reg: edx, bit: 15, feat: decode.FeatCMOV},
	{name: "pat", leaf: 1, reg: edx, bit: 16, trait: traitPAT},
	{name: "pse36", leaf: 1, reg: edx, bit: 17, trait: traitPSE36},
	{name: "clflush", leaf: 1, reg: edx, bit: 19, feat: decode.FeatCLFLUSH},
	{name: "mmx", leaf: 1, reg: edx, bit: 23, feat: decode.FeatMMX, trait: traitMMX},
	{name: "fxsr", leaf: 1, reg: edx, bit: 24, feat: decode.FeatFXSR, cr4: mmu.CR4OSFXSR},
	{name: "sse", leaf: 1, reg: edx, bit: 25, feat: decode.FeatSSE, trait: traitSSE, cr4: mmu.CR4OSXMMEXCPT},
	{name: "sse2", leaf: 1, reg: edx, bit: 26, feat: decode.FeatSSE2, trait: traitSSE2},

	{name: "fsgsbase", leaf: 7, reg: ebx, bit: 0, feat: decode.FeatFSGSBASE, cr4: mmu.CR4FSGSBASE},
	{name: "smep", leaf: 7, reg: ebx, bit: 7, cr4: mmu.CR4SMEP},
	{name: "erms", leaf: 7, reg: ebx, bit: 9, trait: traitERMS},
	{name: "invpcid", leaf: 7, reg: ebx, bit: 10, feat: decode.FeatINVPCID},
	{name: "zero-fcs-fds", leaf: 7, reg: ebx, bit: 13, trait: traitZeroFCS},
	{name: "rdseed", leaf: 7, reg: ebx, bit: 18, feat: decode.FeatRDSEED},
	{name: "adx", leaf: 7, reg: ebx, bit: 19, feat: decode.FeatADX},
	{name: "smap", leaf: 7, reg: ebx, bit: 20, feat: decode.FeatSMAP, cr4: mmu.CR4SMAP},
	{name: "clflushopt", leaf: 7, reg: ebx, bit: 23, feat: decode.FeatCLFLUSHOPT},
	{name: "clwb", leaf: 7, reg: ebx, bit: 24, feat: decode.FeatCLWB},
	{name: "sha-ni", leaf: 7, reg: ebx, bit: 29, feat: decode.FeatSHA},
	{name: "umip", leaf: 7, reg: ecx, bit: 2, cr4: mmu.CR4UMIP},
	{name: "pku", leaf: 7, reg: ecx, bit: 3, feat: decode.FeatPKU, cr4: mmu.CR4PKE},
	{name: "la57", leaf: 7, reg: ecx, bit: 16, cr4: mmu.CR4LA57},
	{name: "rdpid", leaf: 7, reg: ecx, bit: 22, feat: decode.FeatRDPID},
	{name: "arch-capabilities", leaf: 7, reg: edx, bit: 29, trait: traitArchCaps},

	{name: "lahf-lm", leaf: 0x80000001, reg: ecx, bit: 0, feat: decode.FeatLAHF64},
	{name: "abm", leaf: 0x80000001, reg: ecx, bit: 5, feat: decode.FeatLZCNT},
	{name: "3dnowprefetch", leaf: 0x80000001, reg: ecx, bit: 8, feat: decode.FeatPREFETCHW},
	{name: "nx", leaf: 0x80000001, reg: edx, bit: 20, efer: mmu.EFERNXE},
	{name: "pdpe1gb", leaf: 0x80000001, reg: edx, bit: 26, trait: traitPage1G},
	{name: "rdtscp", leaf: 0x80000001, reg: edx, bit: 27, feat: decode.FeatRDTSCP},
	{name: "lm", leaf: 0x80000001, reg: edx, bit: 29, feat: decode.FeatLM | decode.FeatSYSCALL, efer: mmu.EFERLME | mmu.EFERLMA | mmu.EFERSCE},
	{name: "invtsc", leaf: 0x80000007, reg: edx, bit: 8, trait: traitConstTSC},
}

const vendor = "GenuineIntel"

// reports tells whether the model has what a flag stands for.
func (m *Model) reports(b *cpuidBit) bool {
	return m.has(b.feat) && m.is(b.trait) && m.CR4Valid&b.cr4 == b.cr4 && m.EFERValid&b.efer == b.efer
}

// leaf gives the part of a CPUID leaf that the model alone decides. A leaf out
// of range gives the data of the highest basic leaf, as Intel's processors do.
func (m *Model) leaf(leaf, sub uint32) (r [4]uint32) {
	if leaf > m.maxLeaf && (leaf < 0x80000000 || leaf > m.maxExt) {
		leaf = m.maxLeaf
	}
	// Of the leaves with flags only 7 has sub-leaves; the others ignore ECX.
	flags := leaf != 7 || sub == 0
	for i := range cpuidBits {
		b := &cpuidBits[i]
		if b.leaf == leaf && flags && m.reports(b) {
			r[b.reg] |= 1 << b.bit
		}
	}
	switch leaf {
	case 0:
		r[eax] = m.maxLeaf
		r[ebx] = binary.LittleEndian.Uint32([]byte(vendor[0:]))
		r[edx] = binary.LittleEndian.Uint32([]byte(vendor[4:]))
		r[ecx] = binary.LittleEndian.Uint32([]byte(vendor[8:]))
	case 1:
		r[eax] = m.Signature
		if m.has(decode.FeatCLFLUSH) {
			r[ebx] = 1<<16 | 64/8<<8 // one logical processor, CLFLUSH line size
		}
	case 2:
		r = m.leaf2
	case 4:
		if int(sub) < len(m.caches) {
			c := m.caches[sub]
			r = [4]uint32{c.kind | c.level<<5 | 1<<8, 64 - 1 | (c.ways-1)<<22, c.sets - 1, 0}
		}
	case 5:
		if m.has(decode.FeatMONITOR) {
			// Monitored lines of 64 bytes; interrupts break MWAIT although masked.
			r = [4]uint32{64, 64, 3, m.wakeups}
		}
	case 0xb:
		// One thread in one core.
		switch sub {
		case 0:
			r = [4]uint32{0, 1, 0x100, 0}
		case 1:
			r = [4]uint32{0, 1, 0x201, 0}
		default:
			r[ecx] = sub & 0xff
		}
	case 0xd:
		// The XSAVE area: x87 and SSE alone, without extended components.
		switch {
		case !m.has(decode.FeatXSAVE):
		case sub == 0:
			r = [4]uint32{xcr0Valid, xsArea, xsArea, 0}
		case sub == 1:
			r[eax] = 1<<0 | 1<<1 | 1<<2 // XSAVEOPT, XSAVEC, XGETBV with ECX = 1
			r[ebx] = xsArea
		}
	case 0x80000000:
		r[eax] = m.maxExt
	case 0x80000002, 0x80000003, 0x80000004:
		var text [48]byte
		copy(text[:47], m.brand)
		for i := range r {
			r[i] = binary.LittleEndian.Uint32(text[int(leaf-0x80000002)*16+i*4:])
		}
	case 0x80000006:
		if n := len(m.caches); n > 0 {
			l2 := m.caches[n-1]
			r[ecx] = 64 | 8<<12 | l2.ways*l2.sets*64/1024<<16
		}
	case 0x80000008:
		r[eax] = uint32(m.MaxPhysBits) | m.linearBits()<<8
	}
	return r
}

// IA32_MISC_ENABLE bits that change what CPUID says. [SDM 4, IA32_MISC_ENABLE]
const (
	miscFastStrings = 1 << 0
	miscBTSUnavail  = 1 << 11
	miscPEBSUnavail = 1 << 12
	miscMonitor     = 1 << 18
	miscLimitCPUID  = 1 << 22
	miscXDDisable   = 1 << 34
)

// FeatureFlags are those of leaf 1 in EDX; a model without CPUID has none.
func (m *Model) FeatureFlags() uint32 { return m.leaf(1, 0)[edx] }

// cpuid gives a leaf as the guest sees it now: the model's, with the bits that
// follow control registers, IA32_MISC_ENABLE and the board.
func (c *CPU) cpuid(leaf, sub uint32) [4]uint32 {
	misc := c.s.MSR.MiscEnable
	if misc&miscLimitCPUID != 0 && c.Model.is(traitMisc) && leaf > 2 && leaf < 0x80000000 {
		leaf = 2
	}
	r := c.Model.leaf(leaf, sub)
	switch leaf {
	case 0:
		if misc&miscLimitCPUID != 0 && r[eax] > 2 {
			r[eax] = 2
		}
	case 1:
		c.apicFlags(&r)
		if misc&miscMonitor == 0 {
			r[ecx] &^= 1 << 3
		}
		if c.mmu.Ctl.CR4&mmu.CR4OSXSAVE != 0 {
			r[ecx] |= 1 << 27 // OSXSAVE
		}
	case 7:
		if sub == 0 && c.mmu.Ctl.CR4&mmu.CR4PKE != 0 {
			r[ecx] |= 1 << 4 // OSPKE
		}
	case 0x80000001:
		if misc&miscXDDisable != 0 {
			r[edx] &^= 1 << 20
		}
		// Intel reports SYSCALL in 64-bit mode alone.
		if c.mode == decode.Mode64 && c.Model.has(decode.FeatSYSCALL) {
			r[edx] |= 1 << 11
		}
	}
	return r
}

// execCPUID reports what the processor is.
func execCPUID(c *CPU, in *decode.Inst) bool {
	r := c.cpuid(uint32(c.r[rAX]), uint32(c.r[rCX]))
	c.r[rAX], c.r[rBX], c.r[rCX], c.r[rDX] = uint64(r[eax]), uint64(r[ebx]), uint64(r[ecx]), uint64(r[edx])
	return true
}

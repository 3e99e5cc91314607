package cpu

import (
	"slices"
	"strings"

	"x86emu/decode"
	"x86emu/idt"
	"x86emu/mmu"
)

// Model is a CPU model: what it can do and what its CPUID says. A model is
// constant (Without makes another of it); several processors may share one.
type Model struct {
	Name        string
	Features    decode.Feature
	MaxPhysBits uint   // MAXPHYADDR
	CR0Valid    uint64 // CR0 bits that exist; writes to the others are ignored
	CR0Fixed    uint64 // CR0 bits that always read as 1
	CR4Valid    uint64 // CR4 bits that may be set; 0: there is no CR4
	EFERValid   uint64 // EFER bits that may be set; 0: there is no EFER
	FlagsValid  uint64 // RFLAGS bits that exist
	DebugCtl    uint64 // IA32_DEBUGCTL bits that may be set

	Signature uint32 // CPUID.1:EAX, and EDX at reset
	traits    trait
	maxLeaf   uint32 // highest basic CPUID leaf
	maxExt    uint32 // highest extended CPUID leaf, 0 for none
	brand     string // at most 47 bytes
	leaf2     [4]uint32
	caches    []cache
	wakeups   uint32 // what CPUID.5:EDX says of MWAIT's states
}

// trait is what CPUID reports or an MSR depends on and neither a decoder
// feature nor a control register bit tells.
type trait uint32

const (
	traitFPU         trait = 1 << iota // x87
	traitMMX                           // MMX
	traitSSE                           // SSE
	traitSSE2                          // SSE2
	traitPSE36                         // 4 MiB pages above 4 GiB
	traitMTRR                          // memory type range registers
	traitPAT                           // page attribute table
	traitMCA                           // machine check architecture
	traitP6                            // the model-specific registers of the P6 family
	traitMisc                          // IA32_MISC_ENABLE
	traitPage1G                        // 1 GiB pages
	traitERMS                          // fast REP MOVSB and STOSB
	traitConstTSC                      // the TSC counts at one rate
	traitArchCaps                      // IA32_ARCH_CAPABILITIES
	traitZeroFCS                       // the x87 keeps no selectors: FCS and FDS are 0
	traitFOPFaults                     // the x87 keeps opcodes of unmasked exceptions only
	traitAPIC                          // a local APIC
	traitX2APIC                        // which has x2APIC mode,
	traitTSCDeadline                   // and whose timer has TSC-deadline mode
)

// cache is one row of the deterministic cache leaf.
type cache struct {
	kind, level uint32 // kind: 1 data, 2 instruction, 3 unified
	ways, sets  uint32 // of 64-byte lines
}

// ModelByName finds a CPU model by the name that --cpu takes: one of ModelNames,
// or one less some features, "max,-smep,-nx" (see Without).
func ModelByName(name string) (*Model, bool) {
	name, less, some := strings.Cut(name, ",")
	i := slices.IndexFunc(models, func(m *Model) bool { return m.Name == name })
	if i < 0 {
		return nil, false
	}
	if !some {
		return models[i], true
	}
	features := strings.Split(less, ",")
	for i, f := range features {
		var minus bool
		if features[i], minus = strings.CutPrefix(f, "-"); !minus {
			return nil, false
		}
	}
	v, err := models[i].Without(features...)
	return v, err == nil
}

// ModelNames lists the names of all models, oldest first.
func ModelNames() []string {
	names := make([]string, len(models))
	for i, m := range models {
		names[i] = m.Name
	}
	return names
}

// Paging is what the model decides about paging.
func (m *Model) Paging() mmu.Config {
	return mmu.Config{MaxPhysBits: m.MaxPhysBits, NoPAT: !m.is(traitPAT), No1G: !m.is(traitPage1G)}
}

// has tells whether the model has all the decoder features of f.
func (m *Model) has(f decode.Feature) bool { return m.Features&f == f }

// is tells whether the model has all the traits of t.
func (m *Model) is(t trait) bool { return m.traits&t == t }

// linearBits is the width of a linear address as CPUID reports it.
func (m *Model) linearBits() uint32 {
	switch {
	case m.CR4Valid&mmu.CR4LA57 != 0:
		return 57
	case m.has(decode.FeatLM):
		return 48
	}
	return 32
}

// EFLAGS by generation: the 486 brought AC, and with its later steppings ID
// and the virtual interrupt flags. [SDM 3A, 386/486/Pentium Flag Compatibility]
const (
	flags386     = arithFlags | idt.FlagTF | idt.FlagIF | idt.FlagDF | idt.FlagIOPL | idt.FlagNT | idt.FlagRF | idt.FlagVM | idt.Flag1
	flagsPentium = flags386 | idt.FlagAC | idt.FlagID | idt.FlagVIF | idt.FlagVIP
)

const (
	cr0of386 = mmu.CR0PE | mmu.CR0MP | mmu.CR0EM | mmu.CR0TS | mmu.CR0ET | mmu.CR0PG
	cr0of486 = cr0of386 | mmu.CR0NE | mmu.CR0WP | mmu.CR0AM | mmu.CR0NW | mmu.CR0CD

	cr4ofPentium  = mmu.CR4VME | mmu.CR4PVI | mmu.CR4TSD | mmu.CR4DE | mmu.CR4PSE | mmu.CR4MCE
	cr4ofPentium3 = cr4ofPentium | mmu.CR4PAE | mmu.CR4PGE | mmu.CR4PCE | mmu.CR4OSFXSR | mmu.CR4OSXMMEXCPT
	cr4ofMax      = cr4ofPentium3 | mmu.CR4UMIP | mmu.CR4LA57 | mmu.CR4FSGSBASE | mmu.CR4PCIDE | mmu.CR4SMEP | mmu.CR4SMAP | mmu.CR4PKE | mmu.CR4OSXSAVE

	eferValid = mmu.EFERSCE | mmu.EFERLME | mmu.EFERLMA | mmu.EFERNXE
)

const (
	feat486      = decode.FeatI486 | decode.FeatCPUID
	featPentium  = feat486 | decode.FeatTSC | decode.FeatMSR | decode.FeatCX8
	featPentium3 = featPentium | decode.FeatMMX | decode.FeatP6 | decode.FeatCMOV | decode.FeatSEP | decode.FeatFXSR | decode.FeatSSE
	featCore2    = featPentium3 | decode.FeatSSE2 | decode.FeatSSE3 | decode.FeatSSSE3 | decode.FeatCLFLUSH | decode.FeatMONITOR | decode.FeatCX16 |
		decode.FeatLM | decode.FeatSYSCALL | decode.FeatLAHF64
	featMax = featCore2 | decode.FeatXSAVE | decode.FeatXSAVEOPT | decode.FeatXSAVEC | decode.FeatSSE41 | decode.FeatAES | decode.FeatPCLMULQDQ | decode.FeatSHA | decode.FeatCLFLUSHOPT | decode.FeatCLWB | decode.FeatMOVBE | decode.FeatPOPCNT | decode.FeatSSE42 |
		decode.FeatLZCNT | decode.FeatADX | decode.FeatRDRAND | decode.FeatRDSEED | decode.FeatRDPID | decode.FeatRDTSCP |
		decode.FeatFSGSBASE | decode.FeatSMAP | decode.FeatINVPCID | decode.FeatPKU | decode.FeatPREFETCHW

	traitsPentium3 = traitFPU | traitMMX | traitSSE | traitPSE36 | traitMTRR | traitPAT | traitMCA | traitP6 | traitAPIC
	traitsCore2    = traitsPentium3 | traitSSE2 | traitMisc | traitConstTSC | traitFOPFaults
)

const (
	debugCtlLBR = 1 << 0
	debugCtlBTF = 1 << 1
)

// models holds all models, oldest first. FPU, MMX, SSE and SSE2 are reported
// where the processor named has them, as kernels demand them before they
// start; AVX, BMI and XSAVE are reported nowhere.
var models = []*Model{
	{
		// An 80386DX without a 387.
		Name: "386", MaxPhysBits: 32,
		CR0Valid: cr0of386, FlagsValid: flags386,
		Signature: 0x308,
	},
	{
		// An IntelDX4 with the enhancements that the last 486s share with the
		// Pentium: CPUID, VME and CR4.
		Name: "486", MaxPhysBits: 32, Features: feat486,
		CR0Valid: cr0of486, CR0Fixed: mmu.CR0ET, CR4Valid: mmu.CR4VME | mmu.CR4PVI, FlagsValid: flagsPentium,
		Signature: 0x480, traits: traitFPU, maxLeaf: 1,
	},
	{
		// A Pentium P54C.
		Name: "pentium", MaxPhysBits: 32, Features: featPentium,
		CR0Valid: cr0of486, CR0Fixed: mmu.CR0ET, CR4Valid: cr4ofPentium, FlagsValid: flagsPentium,
		Signature: 0x52c, traits: traitFPU | traitAPIC, maxLeaf: 1,
	},
	{
		// A Pentium III "Coppermine".
		Name: "pentium3", MaxPhysBits: 36, Features: featPentium3,
		CR0Valid: cr0of486, CR0Fixed: mmu.CR0ET, CR4Valid: cr4ofPentium3, FlagsValid: flagsPentium,
		DebugCtl:  debugCtlLBR | debugCtlBTF,
		Signature: 0x68a, traits: traitsPentium3, maxLeaf: 2,
		leaf2: [4]uint32{0x03020101, 0, 0, 0x0c040882},
	},
	{
		// A Core 2 "Conroe", the first of the 64-bit Core family.
		Name: "core2", MaxPhysBits: 36, Features: featCore2,
		CR0Valid: cr0of486, CR0Fixed: mmu.CR0ET, CR4Valid: cr4ofPentium3, EFERValid: eferValid, FlagsValid: flagsPentium,
		DebugCtl:  debugCtlLBR | debugCtlBTF,
		Signature: 0x6fb, traits: traitsCore2, maxLeaf: 0xa, maxExt: 0x80000008,
		brand: "x86emu core2", leaf2: [4]uint32{0x05b0b101, 0x005657f0, 0, 0x2cb43049},
		caches:  []cache{{1, 1, 8, 64}, {2, 1, 8, 64}, {3, 2, 16, 4096}},
		wakeups: 0x20,
	},
	{
		// All that x86emu models. The signature is of Goldmont Plus, whose
		// instruction set comes nearest: x86-64 with the integer extensions
		// and without AVX. 40 physical address bits as QEMU's default has, so
		// that reserved-bit faults agree.
		Name: "max", MaxPhysBits: 40, Features: featMax,
		CR0Valid: cr0of486, CR0Fixed: mmu.CR0ET, CR4Valid: cr4ofMax, EFERValid: eferValid, FlagsValid: flagsPentium,
		DebugCtl:  debugCtlLBR | debugCtlBTF,
		Signature: 0x706a1, traits: traitsCore2 | traitPage1G | traitERMS | traitArchCaps | traitZeroFCS | traitX2APIC | traitTSCDeadline, maxLeaf: 0xd, maxExt: 0x80000008,
		brand: "x86emu max", leaf2: [4]uint32{0x00f0ff01, 0, 0, 0},
		caches:  []cache{{1, 1, 8, 64}, {2, 1, 8, 64}, {3, 2, 16, 1024}},
		wakeups: 0x20,
	},
}

// Units tells which of the units with registers of their own the model has.
func (m *Model) Units() (x87, mmx, sse bool) {
	return m.is(traitFPU), m.is(traitMMX), m.is(traitSSE)
}

package cpu

import (
	"x86emu/idt"
	"x86emu/mmu"
)

// State is the whole architectural state of the processor except its TLB:
// flat, pointer-free, comparable with ==. A snapshot is State, TLB, memory and
// devices, and nothing else.
type State struct {
	GPR [16]uint64
	idt.Regs
	mmu.Control
	DR      [8]uint64 // DR4 and DR5 unused
	PendDB  uint64    // DR6 bits of debug exceptions not yet delivered
	CR8     uint64    // task priority
	MSR     MSRs
	FP      FPState
	Monitor Monitor
	Halted  bool   // in HLT, or frozen before an x87 instruction: waiting for an interrupt
	NMI     bool   // an NMI is latched
	INTR    bool   // the INTR line
	Seed    uint64 // state of the generator behind RDRAND and RDSEED
	Ticks   uint64 // virtual time: one for each instruction, REP iteration and delivery
}

// Monitor is what MONITOR has set up for MWAIT.
type Monitor struct {
	Armed bool
	Line  mmu.Phys // the line watched
	Sum   uint64   // what it held, condensed
}

// MSRs are the model-specific registers that hold state.
type MSRs struct {
	STAR, LSTAR, CSTAR, SFMASK           uint64
	KernelGSBase                         uint64
	SysenterCS, SysenterESP, SysenterEIP uint64
	TSCAux                               uint64
	TSCOffset                            uint64 // TSC = Ticks + TSCOffset
	APICBase, PAT, MiscEnable, DebugCtl  uint64
	MCGStatus                            uint64
	MTRRDefType                          uint64
	MTRRPhys                             [16]uint64
	MTRRFix                              [11]uint64
}

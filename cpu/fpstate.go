package cpu

import (
	"x86emu/cpu/fp"
	"x86emu/cpu/simd"
	"x86emu/idt"
	"x86emu/mmu"
)

// FPState is the state of the x87, MMX and SSE units.
type FPState struct {
	// R are the x87's physical registers: ST(i) is R[(TOP+i)&7]. The significand of
	// R[i] is also MMX register i. [SDM 1, x87 FPU Data Registers; MMX Registers]
	R        [8]fp.F80
	CW, SW   uint16 // control and status word; TOP is bits 13:11 of SW
	Used     uint8  // bit i: R[i] is not empty
	FOP      uint16 // opcode of the last x87 instruction, 11 bits
	FIP, FDP uint64 // where it was and where its operand was
	FCS, FDS uint16 // likewise, in which segments
	XMM      [16]simd.Vec
	MXCSR    uint32
	XCR0     uint64
}

// Bits of the x87 status word above the exceptions. [SDM 1, x87 FPU Status Register]
const (
	swSF  = 1 << 6 // stack fault
	swES  = 1 << 7 // an exception that is not masked is pending
	swC0  = 1 << 8
	swC1  = 1 << 9
	swC2  = 1 << 10
	swTop = 7 << 11
	swC3  = 1 << 14
	swB   = 1 << 15 // busy: ES again
)

// Bits of MXCSR. [SDM 1, MXCSR Control and Status Register]
const (
	mxDAZ   = 1 << 6
	mxMasks = 7 // place of the masks
	mxRound = 13
	mxFTZ   = 1 << 15

	mxcsrReset = 0x1f80
)

// mxcsrValid are the bits of MXCSR that exist: DAZ came with SSE2.
// [SDM 1, Checking for the DAZ Flag in the MXCSR Register]
func (c *CPU) mxcsrValid() uint32 {
	if c.Model.is(traitSSE2) {
		return 0xffff
	}
	return 0xffff &^ mxDAZ
}

// mxcsrMask is what FXSAVE tells of them; 0 stands for those without DAZ.
// [SDM 1, Guidelines for Writing to the MXCSR Register]
func (c *CPU) mxcsrMask() uint32 {
	if c.Model.is(traitSSE2) {
		return 0xffff
	}
	return 0
}

// resetFP is the state after RESET#. [SDM 3A, Table "IA-32 and Intel 64 Processor States Following Power-up, Reset, or INIT"]
func resetFP() FPState {
	return FPState{CW: 0x40, Used: 0xff, MXCSR: mxcsrReset, XCR0: 1}
}

// sseReady makes the checks that come before an SSE instruction's own.
func (c *CPU) sseReady() bool {
	ctl := &c.mmu.Ctl
	// CR0.EM must be clear and CR4.OSFXSR set, else #UD. [SDM 2, Exception Conditions of SSE instructions]
	if ctl.CR0&mmu.CR0EM != 0 || ctl.CR4&mmu.CR4OSFXSR == 0 {
		return c.ud()
	}
	return c.unitHere()
}

// mmxReady makes the checks that come before an MMX instruction's own.
func (c *CPU) mmxReady() bool {
	// CR0.EM must be clear, else #UD. [SDM 3A, Effect of CR0.EM on MMX instructions]
	if c.mmu.Ctl.CR0&mmu.CR0EM != 0 {
		return c.ud()
	}
	return c.unitHere() && c.noPending()
}

// unitHere raises #NM if the registers are another task's.
// [SDM 3A, Interrupt 7—Device Not Available Exception (#NM)]
func (c *CPU) unitHere() bool {
	if c.mmu.Ctl.CR0&mmu.CR0TS != 0 {
		return c.raise(idt.VecNM)
	}
	return true
}

// noPending raises the x87 exception that an earlier instruction left pending.
// [SDM 3A, Interrupt 16—x87 FPU Floating-Point Error (#MF)]
func (c *CPU) noPending() bool {
	if c.s.FP.SW&swES == 0 {
		return true
	}
	if c.mmu.Ctl.CR0&mmu.CR0NE == 0 {
		// The PC's way: FERR#, which its board turns into IRQ 13. Under IGNNE# the
		// instruction runs, without it the processor freezes before it until an
		// interrupt comes. [SDM 1, MS-DOS Compatibility Sub-mode]
		c.s.Halted = !c.signalFERR()
		return !c.s.Halted
	}
	return c.raise(idt.VecMF)
}

// signalFERR gives FERR# the level that the status word has and returns that of IGNNE#.
func (c *CPU) signalFERR() (ignne bool) {
	return c.ferr == nil || c.ferr.FERR(c.s.FP.SW&swES != 0)
}

// calm releases FERR# where no exception is pending any more: it comes after
// whatever may have cleared one.
func (c *CPU) calm() bool {
	if c.s.FP.SW&swES == 0 {
		c.signalFERR()
	}
	return true
}

// toMMX is what every MMX instruction but EMMS does to the x87: all registers are
// in use and the stack begins at 0. [SDM 1, Transitions Between x87 FPU and MMX Code]
func (c *CPU) toMMX() {
	c.s.FP.Used = 0xff
	c.s.FP.SW &^= swTop
}

// setMMX writes an MMX register: the exponent above it becomes all ones.
func (c *CPU) setMMX(n uint8, v uint64) {
	c.s.FP.R[n&7] = fp.F80{Sig: v, SE: 0xffff}
}

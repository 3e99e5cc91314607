package cpu

import (
	"math/bits"

	"x86emu/decode"
	"x86emu/idt"
	"x86emu/mmu"
)

// This file holds the debug registers and what they watch.
// [SDM 3B, Debug Registers]
//
//	DR7  31..16: LEN and R/W of each breakpoint, four bits for each
//	     13 GD   9 GE  8 LE   7..0: G3 L3 G2 L2 G1 L1 G0 L0
//	DR6  15 BT  14 BS  13 BD  3..0: B3 B2 B1 B0; the rest is fixed
const (
	dr6Hits  = 0xf // B0 to B3: breakpoints hit
	dr6BD    = 1 << 13
	dr6BS    = 1 << 14
	dr6BT    = 1 << 15
	dr6Fixed = 0xffff0ff0
	dr6Valid = dr6BD | dr6BS | dr6BT | 0xf

	dr7GD    = 1 << 13
	dr7Fixed = 1 << 10
	dr7Valid = 0xffff0000 | dr7GD | 0x3ff
)

// What a breakpoint watches: R/W in DR7.
const (
	breakExec   = 0
	breakWrite  = 1
	breakIO     = 2 // with CR4.DE; undefined without, then nothing
	breakAccess = 3
)

// debugArmed tells whether any breakpoint is enabled.
func (c *CPU) debugArmed() bool { return c.s.DR[7]&0xff != 0 }

// breakEnabled tells whether breakpoint i is enabled, and what it watches.
func (c *CPU) breakEnabled(i int) (kind uint64, ok bool) {
	dr7 := c.s.DR[7]
	return dr7 >> (16 + 4*i) & 3, dr7>>(2*i)&3 != 0
}

// breakRange gives the first and last address that breakpoint i watches. The
// address is taken as aligned to the length.
func (c *CPU) breakRange(i int) (first, last uint64) {
	n := [4]uint64{1, 2, 8, 4}[c.s.DR[7]>>(18+4*i)&3]
	first = c.s.DR[i] &^ (n - 1)
	return first, first + n - 1
}

// checkInstrBreak looks for a breakpoint on the instruction at lin; on one it
// makes the #DB, a fault, the instruction's.
func (c *CPU) checkInstrBreak(lin uint64) bool {
	// Behind MOV SS and POP SS none hits. [SDM 3B, Instruction-Breakpoint Exception Condition]
	if c.s.Shadow&idt.ShadowMovSS != 0 {
		return false
	}
	if c.mode != decode.Mode64 {
		lin &= 0xffffffff
	}
	hit := uint64(0)
	for i := range 4 {
		if kind, ok := c.breakEnabled(i); ok && kind == breakExec && c.s.DR[i] == lin {
			hit |= 1 << i
		}
	}
	if hit == 0 {
		return false
	}
	c.fault = idt.Event{Vector: idt.VecDB, DR6: hit}
	return true
}

// checkDataBreak looks for breakpoints on an access to size bytes at lin; the
// #DB, a trap, waits for the end of the instruction.
func (c *CPU) checkDataBreak(lin uint64, size uint8, write bool) {
	for i := range 4 {
		kind, ok := c.breakEnabled(i)
		if !ok || kind != breakAccess && (kind != breakWrite || !write) {
			continue
		}
		if first, last := c.breakRange(i); lin <= last && first <= lin+uint64(size)-1 {
			c.s.PendDB |= 1 << i
		}
	}
}

// checkIOBreak does the same for an access to ports.
func (c *CPU) checkIOBreak(port uint16, size uint8) {
	if !c.debugArmed() || c.mmu.Ctl.CR4&mmu.CR4DE == 0 {
		return
	}
	for i := range 4 {
		if kind, ok := c.breakEnabled(i); !ok || kind != breakIO {
			continue
		}
		if first, last := c.breakRange(i); uint64(port) <= last && first <= uint64(port)+uint64(size)-1 {
			c.s.PendDB |= 1 << i
		}
	}
}

// stepTraps tells whether the single step of an instruction traps, before RIP
// moves: always, or with IA32_DEBUGCTL.BTF when it has branched. SYSCALL traps
// if it leaves TF set: kernels rely on IA32_FMASK to keep the trap away.
// [SDM 3B, Single-Stepping on Branches]
func (c *CPU) stepTraps(in *decode.Inst) bool {
	if in.Op == decode.SYSCALL && c.s.RFLAGS&idt.FlagTF == 0 {
		return false
	}
	if c.s.MSR.DebugCtl&debugCtlBTF == 0 {
		return true
	}
	following := (c.ip + uint64(in.Len)) & c.ipMask
	return c.next != following && c.next != c.ip // a REP goes on at its own address
}

// debugReg resolves the number of a debug register and checks the right to it.
func (c *CPU) debugReg(n uint8) (uint8, bool) {
	if n == 4 || n == 5 {
		// DR4 and DR5 are other names of DR6 and DR7 unless CR4.DE is set, then #UD.
		// [SDM 2B, MOV—Move to/from Debug Registers]
		if c.mmu.Ctl.CR4&mmu.CR4DE != 0 {
			return 0, c.ud()
		}
		n += 2
	}
	// CPL must be 0, else #GP(0). [SDM 2B, MOV—Move to/from Debug Registers]
	if c.s.CPL != 0 {
		return 0, c.gp(0)
	}
	// DR7.GD must be clear, else #DB. [SDM 2B, MOV—Move to/from Debug Registers]
	if c.s.DR[7]&dr7GD != 0 {
		c.fault = idt.Event{Vector: idt.VecDB, DR6: dr6BD}
		return 0, false
	}
	return n, true
}

// execMovFromDR stores a debug register.
func execMovFromDR(c *CPU, in *decode.Inst) bool {
	n, ok := c.debugReg(in.Args[1].Num)
	if !ok {
		return false
	}
	c.setReg(c.systemReg(in.Args[0]), c.s.DR[n])
	return true
}

// execMovToDR loads a debug register.
func execMovToDR(c *CPU, in *decode.Inst) bool {
	n, ok := c.debugReg(in.Args[0].Num)
	if !ok {
		return false
	}
	v := c.reg(c.systemReg(in.Args[1]))
	if n >= 6 {
		// Bits 63:32 of DR6 and DR7 must be 0, else #GP(0). [SDM 2B, MOV—Move to/from Debug Registers]
		if bits.Len64(v) > 32 {
			return c.gp(0)
		}
		if n == 6 {
			v = v&dr6Valid | dr6Fixed
		} else {
			v = v&dr7Valid | dr7Fixed
		}
	}
	c.s.DR[n] = v
	c.debugChanged()
	return true
}

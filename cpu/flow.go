package cpu

import (
	"x86emu/decode"
	"x86emu/idt"
	"x86emu/mmu"
)

// This file holds the software interrupts and their return.

// software makes a software interrupt the event that the handler ends with.
// It is not a fault: it returns behind the instruction.
func (c *CPU) software(kind idt.Kind, v idt.Vector) bool {
	c.fault = idt.Event{Vector: v, Kind: kind, Return: c.next}
	return false
}

// execINT is INT n. INT3 and INT1 have operations or opcodes of their own.
func execINT(c *CPU, in *decode.Inst) bool {
	v := idt.Vector(in.Imm)
	if in.Opcode == 0xcc {
		return c.software(idt.SoftExc, idt.VecBP)
	}
	if c.v86 {
		if c.mmu.Ctl.CR4&mmu.CR4VME != 0 {
			redirect, ok := c.redirected(uint8(v))
			if !ok {
				return false
			}
			if redirect {
				return c.intVME(uint8(v))
			}
		}
		// IOPL must be 3 in virtual-8086 mode, else #GP(0).
		// [SDM 2A, INT n/INTO/INT3/INT1—Call to Interrupt Procedure]
		if c.iopl() < 3 {
			return c.gp(0)
		}
	}
	return c.software(idt.SoftInt, v)
}

// redirected tells whether the TSS sends INT v to the 8086 program's own
// interrupt table. [SDM 3A, Software Interrupt Handling Methods While Operating in Virtual-8086 Mode]
func (c *CPU) redirected(v uint8) (redirect, ok bool) {
	bits, ok := c.ioMapBase()
	if !ok {
		return false, false
	}
	// The redirection bitmap is the 32 bytes below the I/O permission bitmap.
	// [SDM 3A, Software Interrupt Redirection Bit Map]
	at := bits - 32 + uint32(v)/8
	b, ok := c.tssRead(at, 1)
	return b>>(v&7)&1 == 0, ok
}

// intVME delivers INT v through the interrupt table at linear address 0,
// without leaving virtual-8086 mode.
// [SDM 3A, Method 5: Software Interrupt Handling; Method 6: Software Interrupt Handling]
func (c *CPU) intVME(v uint8) bool {
	vec, ok := c.mmu.Read(mmu.Linear(v)*4, 4, c.dataAcc)
	if !ok {
		return c.pageFault()
	}
	image := c.flags() & 0xffff
	clear := uint64(idt.FlagTF | idt.FlagIF)
	if c.iopl() < 3 {
		image = c.virtualFlags()
		clear = idt.FlagTF | idt.FlagVIF
	}
	frame := [3]uint64{c.next & 0xffff, uint64(c.s.Seg[decode.CS].Sel), image}
	for i := range frame {
		if !c.probeStore(decode.SS, (c.sp()-6+uint64(i)*2)&0xffff, 2) {
			return false
		}
	}
	for i, w := range frame {
		if !c.store(decode.SS, (c.sp()-6+uint64(i)*2)&0xffff, 2, w) {
			return false
		}
	}
	c.setSP(c.sp() - 6)
	cs := &c.s.Seg[decode.CS]
	cs.Sel, cs.Base = uint16(vec>>16), vec>>16<<4
	c.modeChanged()
	c.next = vec & 0xffff
	c.setFlags(c.flags() &^ clear)
	return true
}

// execINTO is INTO: #OF as a trap if OF is set.
func execINTO(c *CPU, in *decode.Inst) bool {
	// INTO does not exist in 64-bit mode, else #UD. [SDM 2A, INT n/INTO/INT3/INT1—Call to Interrupt Procedure]
	if c.mode == decode.Mode64 {
		return c.ud()
	}
	if c.of() == 0 {
		return true
	}
	return c.software(idt.SoftExc, idt.VecOF)
}

// execINT1 is INT1, also called ICEBP: #DB without a bit in DR6.
func execINT1(c *CPU, in *decode.Inst) bool {
	return c.software(idt.SoftICEBP, idt.VecDB)
}

// execIRET is IRET, IRETD and IRETQ.
func execIRET(c *CPU, in *decode.Inst) bool {
	c.settle()
	if c.OnReturn == nil {
		return c.takeBack(idt.IRET(c, in.OpSize, c.next))
	}
	sp := c.StackAt()
	ok := c.takeBack(idt.IRET(c, in.OpSize, c.next))
	if ok {
		c.OnReturn(sp)
	}
	return ok
}

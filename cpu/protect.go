package cpu

import (
	"x86emu/decode"
	"x86emu/idt"
	"x86emu/mmu"
)

// This file holds the instructions about descriptors: the table registers, and
// LAR, LSL, VERR, VERW and ARPL.

// umip raises #GP(0) for the instructions that CR4.UMIP keeps from CPL above 0.
func (c *CPU) umip() bool {
	// With CR4.UMIP CPL must be 0, else #GP(0). [SDM 3A, Control Registers]
	if c.mmu.Ctl.CR4&mmu.CR4UMIP != 0 && c.s.CPL != 0 {
		c.gp(0)
		return true
	}
	return false
}

// unprotected raises #UD for the instructions that real and virtual-8086 mode
// do not know.
func (c *CPU) unprotected() bool {
	if !c.protected || c.v86 {
		c.ud()
		return true
	}
	return false
}

// baseSize is the width in bytes of a table's base in memory.
func (c *CPU) baseSize() uint8 {
	if c.mode == decode.Mode64 {
		return 8
	}
	return 4
}

// loadTable is LGDT and LIDT.
func (c *CPU) loadTable(in *decode.Inst, t *idt.Table) bool {
	// CPL must be 0, else #GP(0). [SDM 2A, LGDT/LIDT—Load Global/Interrupt Descriptor Table Register]
	if c.s.CPL != 0 {
		return c.gp(0)
	}
	a := c.ea(in)
	limit, ok := c.load(in.Seg, a, 2)
	if !ok {
		return false
	}
	base, ok := c.load(in.Seg, maskAddr(a+2, in.AddrSize), c.baseSize())
	if !ok {
		return false
	}
	switch {
	case c.mode == decode.Mode64:
		// The base must be canonical, else #GP(0). [SDM 2A, LGDT/LIDT—Load Global/Interrupt Descriptor Table Register]
		if !c.canonicalBase(base) {
			return c.gp(0)
		}
	case in.OpSize == 2:
		base &= 0xffffff // as the 286 has it
	}
	*t = idt.Table{Base: base, Limit: uint16(limit)}
	return true
}

// storeTable is SGDT and SIDT. The whole base is stored, with a 16-bit operand
// size too.
func (c *CPU) storeTable(in *decode.Inst, t idt.Table) bool {
	if c.umip() {
		return false
	}
	a := c.ea(in)
	b := maskAddr(a+2, in.AddrSize)
	size := c.baseSize()
	return c.probeStore(in.Seg, a, 2) && c.probeStore(in.Seg, b, size) &&
		c.store(in.Seg, a, 2, uint64(t.Limit)) && c.store(in.Seg, b, size, t.Base)
}

func execLGDT(c *CPU, in *decode.Inst) bool { return c.loadTable(in, &c.s.GDTR) }
func execLIDT(c *CPU, in *decode.Inst) bool { return c.loadTable(in, &c.s.IDTR) }
func execSGDT(c *CPU, in *decode.Inst) bool { return c.storeTable(in, c.s.GDTR) }
func execSIDT(c *CPU, in *decode.Inst) bool { return c.storeTable(in, c.s.IDTR) }

// loadSystem is LLDT and LTR.
func (c *CPU) loadSystem(in *decode.Inst, load func(idt.CPU, uint16) *idt.Event) bool {
	// Protected mode alone has them, else #UD. [SDM 2A, LLDT—Load Local Descriptor Table Register]
	if c.unprotected() {
		return false
	}
	// CPL must be 0, else #GP(0). [SDM 2A, LTR—Load Task Register]
	if c.s.CPL != 0 {
		return c.gp(0)
	}
	sel, ok := c.selectorOperand(in, 0)
	if !ok {
		return false
	}
	c.settle()
	if fault := load(c, sel); fault != nil {
		return c.raiseEvent(fault)
	}
	return true
}

func execLLDT(c *CPU, in *decode.Inst) bool { return c.loadSystem(in, idt.LoadLDTR) }
func execLTR(c *CPU, in *decode.Inst) bool  { return c.loadSystem(in, idt.LoadTR) }

// storeSystem is SLDT and STR: a word to memory, zero-extended to a register.
func (c *CPU) storeSystem(in *decode.Inst, sel uint16) bool {
	// Protected mode alone has them, else #UD. [SDM 2B, SLDT—Store Local Descriptor Table Register]
	if c.unprotected() || c.umip() {
		return false
	}
	if a := in.Args[0]; a.Kind == decode.ArgReg {
		c.setGPR(a.Num, in.OpSize, uint64(sel))
		return true
	}
	return c.store(in.Seg, c.ea(in), 2, uint64(sel))
}

func execSLDT(c *CPU, in *decode.Inst) bool { return c.storeSystem(in, c.s.LDTR.Sel) }
func execSTR(c *CPU, in *decode.Inst) bool  { return c.storeSystem(in, c.s.TR.Sel) }

// inspect is LAR and LSL: a fact about a descriptor, and ZF, which tells
// whether the selector passed the checks.
func (c *CPU) inspect(in *decode.Inst, look func(idt.CPU, uint16) (uint32, bool, *idt.Event)) bool {
	// Protected mode alone has them, else #UD. [SDM 2A, LAR—Load Access Rights Byte]
	if c.unprotected() {
		return false
	}
	sel, ok := c.selectorOperand(in, 1)
	if !ok {
		return false
	}
	c.settle()
	v, zf, fault := look(c, sel)
	if fault != nil {
		return c.raiseEvent(fault)
	}
	if zf {
		c.setGPR(in.Args[0].Num, in.OpSize, uint64(v))
	}
	c.setZF(zf)
	return true
}

func execLAR(c *CPU, in *decode.Inst) bool { return c.inspect(in, idt.AccessRights) }
func execLSL(c *CPU, in *decode.Inst) bool { return c.inspect(in, idt.SegmentLimit) }

// verify is VERR and VERW.
func (c *CPU) verify(in *decode.Inst, write bool) bool {
	// Protected mode alone has them, else #UD. [SDM 2B, VERR/VERW—Verify a Segment for Reading or Writing]
	if c.unprotected() {
		return false
	}
	sel, ok := c.selectorOperand(in, 0)
	if !ok {
		return false
	}
	c.settle()
	zf, fault := idt.Verify(c, sel, write)
	if fault != nil {
		return c.raiseEvent(fault)
	}
	c.setZF(zf)
	return true
}

func execVERR(c *CPU, in *decode.Inst) bool { return c.verify(in, false) }
func execVERW(c *CPU, in *decode.Inst) bool { return c.verify(in, true) }

// execARPL raises a selector's RPL to that of another.
func execARPL(c *CPU, in *decode.Inst) bool {
	// Protected mode alone has it, else #UD. [SDM 2A, ARPL—Adjust RPL Field of Segment Selector]
	if c.unprotected() {
		return false
	}
	// Memory is written only where the RPL is raised. [SDM 2A, ARPL; observed on AMD Zen 4]
	dst, ok := c.get(in, 0)
	if !ok {
		return false
	}
	rpl := c.reg(in.Args[1]) & 3
	raise := dst&3 < rpl
	if raise && !c.put(in, 0, dst&^3|rpl) {
		return false
	}
	c.setZF(raise)
	return true
}

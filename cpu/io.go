package cpu

import (
	"x86emu/decode"
	"x86emu/idt"
	"x86emu/mmu"
)

// This file holds port I/O and its protection by IOPL and the I/O permission
// bitmap. [SDM 1, Protected-Mode I/O]

// tssRead reads size bytes of the current TSS as the processor does for itself.
func (c *CPU) tssRead(off uint32, size uint) (uint64, bool) {
	// What is read must lie within the TSS's limit, else #GP(0). [SDM 1, I/O Permission Bit Map]
	if uint64(off)+uint64(size)-1 > uint64(c.s.TR.Limit) {
		return 0, c.gp(0)
	}
	lin := c.s.TR.Base + uint64(off)
	if !c.long {
		lin &= 0xffffffff
	}
	v, ok := c.mmu.Read(mmu.Linear(lin), size, mmu.Read)
	if !ok {
		return 0, c.pageFault()
	}
	return v, true
}

// ioMapBase gives the offset of the I/O permission bitmap in the TSS.
func (c *CPU) ioMapBase() (uint32, bool) {
	// The TSS must be of 32 or 64 bits, else #GP(0). [SDM 1, I/O Permission Bit Map]
	if t := c.s.TR.Attr & (idt.AttrS | idt.AttrType); t != 9 && t != 11 {
		return 0, c.gp(0)
	}
	v, ok := c.tssRead(0x66, 2)
	return uint32(v), ok
}

// mayIO checks the right to an I/O access of size bytes.
func (c *CPU) mayIO(port uint16, size uint8) bool {
	if !c.protected || !c.v86 && c.s.CPL <= c.iopl() {
		return true
	}
	base, ok := c.ioMapBase()
	if !ok {
		return false
	}
	// Two bytes are read always, as an access may span two bytes of the map.
	// [SDM 1, I/O Permission Bit Map]
	bits, ok := c.tssRead(base+uint32(port)/8, 2)
	if !ok {
		return false
	}
	// Each port's bit must be 0, else #GP(0). [SDM 1, I/O Permission Bit Map]
	if bits>>(port&7)&(1<<size-1) != 0 {
		return c.gp(0)
	}
	return true
}

// ioPort gives the port operand: an immediate byte or DX.
func (c *CPU) ioPort(a decode.Arg, in *decode.Inst) uint16 {
	if a.Kind == decode.ArgImm {
		return uint16(uint8(in.Imm))
	}
	return uint16(c.r[rDX])
}

// execIN is IN.
func execIN(c *CPU, in *decode.Inst) bool {
	dst := in.Args[0]
	port := c.ioPort(in.Args[1], in)
	if !c.mayIO(port, dst.Size) {
		return false
	}
	c.setReg(dst, c.portIn(port, dst.Size))
	return true
}

// execOUT is OUT.
func execOUT(c *CPU, in *decode.Inst) bool {
	src := in.Args[1]
	port := c.ioPort(in.Args[0], in)
	if !c.mayIO(port, src.Size) {
		return false
	}
	c.portOut(port, src.Size, c.reg(src))
	return true
}

// portIn reads a port, with no bus behind it all ones.
func (c *CPU) portIn(port uint16, size uint8) uint64 {
	c.checkIOBreak(port, size)
	v := ^uint32(0)
	if c.io != nil {
		v = c.io.In(port, size)
	}
	return uint64(v) & (1<<(8*uint(size)) - 1)
}

func (c *CPU) portOut(port uint16, size uint8, v uint64) {
	c.checkIOBreak(port, size)
	if c.io != nil {
		c.io.Out(port, size, uint32(v)&uint32(1<<(8*uint(size))-1))
	}
}

// execINS is INS: a port into memory at ES:rDI.
func execINS(c *CPU, in *decode.Inst) bool { return c.repeatIO(in, ins) }

// repeatIO checks the permission before the count, so that a REP INS or OUTS
// with a count of zero needs it too. [observed on AMD Zen 4]
func (c *CPU) repeatIO(in *decode.Inst, one func(*CPU, *decode.Inst) bool) bool {
	return c.mayIO(uint16(c.r[rDX]), stringSize(in)) && c.repeat(in, one, nil, nil)
}

func ins(c *CPU, in *decode.Inst) bool {
	size, port := stringSize(in), uint16(c.r[rDX])
	off := maskAddr(c.r[rDI], in.AddrSize)
	// A device is read only when nothing can fault any more.
	if !c.mayIO(port, size) || !c.probeStore(decode.ES, off, size) {
		return false
	}
	if !c.store(decode.ES, off, size, c.portIn(port, size)) {
		return false
	}
	c.passElements(rDI, in, 1)
	return true
}

// execOUTS is OUTS: memory at rSI, in DS or the segment of an override, to a port.
func execOUTS(c *CPU, in *decode.Inst) bool { return c.repeatIO(in, outs) }

func outs(c *CPU, in *decode.Inst) bool {
	size, port := stringSize(in), uint16(c.r[rDX])
	if !c.mayIO(port, size) {
		return false
	}
	v, ok := c.source(in)
	if !ok {
		return false
	}
	c.portOut(port, size, v)
	c.passElements(rSI, in, 1)
	return true
}

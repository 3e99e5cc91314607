package cpu

import (
	"x86emu/decode"
	"x86emu/idt"
	"x86emu/mmu"
)

// This file is how handlers reach registers and memory. An access that fails
// returns ok == false with c.fault set.

// ea computes the effective address of the memory operand, an offset in its segment.
func (c *CPU) ea(in *decode.Inst) uint64 {
	a := uint64(in.Disp)
	switch {
	case in.Base == decode.RegRIP:
		a += c.next
	case in.Base != decode.NoReg:
		a += c.r[in.Base&15]
	}
	if in.Index != decode.NoReg {
		a += c.r[in.Index&15] << (in.Scale & 3)
	}
	return maskAddr(a, in.AddrSize)
}

// maskAddr truncates an address to an address size in bytes.
func maskAddr(a uint64, size uint8) uint64 {
	switch size {
	case 2:
		return a & 0xffff
	case 4:
		return a & 0xffffffff
	}
	return a
}

// segFault raises #SS(0) for SS, else #GP(0).
func (c *CPU) segFault(seg decode.SegReg) bool {
	if seg == decode.SS {
		return c.raiseCode(idt.VecSS, 0)
	}
	return c.gp(0)
}

// linear applies segmentation to an access of size bytes at offset off, and
// the alignment check. write tells the segment's right that is needed.
func (c *CPU) linear(seg decode.SegReg, off uint64, size uint8, write bool) (mmu.Linear, bool) {
	s := &c.s.Seg[seg]
	if c.mode == decode.Mode64 {
		lin := off
		if seg >= decode.FS {
			lin += s.Base
		}
		// The address of each byte must be canonical, else #SS(0) for SS, #GP(0) otherwise.
		// [SDM 1, Canonical Addressing]
		if !c.canonical(lin) || !c.canonical(lin+uint64(size)-1) {
			return 0, c.segFault(seg)
		}
		if !c.aligned(lin, size) {
			return 0, false
		}
		return mmu.Linear(lin), true
	}
	if !c.segmentAllows(s, off, size, write) {
		return 0, c.segFault(seg)
	}
	lin := (s.Base + off) & 0xffffffff
	if !c.aligned(lin, size) {
		return 0, false
	}
	return mmu.Linear(lin), true
}

// segmentAllows checks type and limit of a segment outside 64-bit mode.
func (c *CPU) segmentAllows(s *idt.Segment, off uint64, size uint8, write bool) bool {
	if c.protected && !c.v86 {
		// The segment must not be null. [SDM 3A, Limit Checking; Type Checking; Null Segment Selector Checking]
		if s.Attr&idt.AttrUnusable != 0 {
			return false
		}
		if write {
			// No store into a code segment or a read-only data segment.
			if s.Attr&(idt.AttrCode|idt.AttrWritable) != idt.AttrWritable {
				return false
			}
		} else if s.Attr&idt.AttrCode != 0 && s.Attr&idt.AttrWritable == 0 {
			// No read of an execute-only code segment.
			return false
		}
	}
	last := off + uint64(size) - 1
	if s.Attr&(idt.AttrCode|idt.AttrDown) == idt.AttrDown {
		// Expand-down: the valid offsets lie above the limit, up to 64 KiB or 4 GiB by B.
		top := uint64(0xffff)
		if s.Attr&idt.AttrDB != 0 {
			top = 0xffffffff
		}
		return off > uint64(s.Limit) && last <= top
	}
	return last <= uint64(s.Limit)
}

// canonical tells whether a linear address is canonical under the paging mode.
func (c *CPU) canonical(a uint64) bool {
	return uint64(int64(a<<(c.canonShift&63))>>(c.canonShift&63)) == a
}

// aligned raises #AC(0) for a misaligned data access at CPL 3 with CR0.AM and EFLAGS.AC set.
// [SDM 3A, Interrupt 17—Alignment Check Exception (#AC)]
func (c *CPU) aligned(lin uint64, size uint8) bool {
	if c.alignCheck && lin&(uint64(size)-1) != 0 {
		return c.raiseCode(idt.VecAC, 0)
	}
	return true
}

// load reads size bytes (1, 2, 4, 8) at an offset in a segment.
func (c *CPU) load(seg decode.SegReg, off uint64, size uint8) (uint64, bool) {
	lin, ok := c.linear(seg, off, size, false)
	if !ok {
		return 0, false
	}
	if c.wraps(lin, size) {
		return c.loadWrapped(lin, size)
	}
	v, ok := c.mmu.Read(lin, uint(size), c.dataAcc)
	if !ok {
		return 0, c.pageFault()
	}
	if c.watchAccess {
		c.sawAccess(lin, size, false, v)
	}
	return v, true
}

// store writes size bytes at an offset in a segment.
func (c *CPU) store(seg decode.SegReg, off uint64, size uint8, v uint64) bool {
	lin, ok := c.linear(seg, off, size, true)
	if !ok {
		return false
	}
	if c.wraps(lin, size) {
		return c.storeWrapped(lin, size, v)
	}
	if !c.mmu.Write(lin, uint(size), v, c.dataAcc) {
		return c.pageFault()
	}
	if c.watchAccess {
		c.sawAccess(lin, size, true, v)
	}
	return true
}

// loadRMW reads for a read-modify-write: the right to write is checked first,
// so that the store that follows cannot fault, and a fault reports W=1 as
// silicon does.
func (c *CPU) loadRMW(seg decode.SegReg, off uint64, size uint8) (uint64, bool) {
	lin, ok := c.linear(seg, off, size, true)
	if !ok {
		return 0, false
	}
	if c.wraps(lin, size) {
		if !c.probeWrapped(lin, size) {
			return 0, false
		}
		return c.loadWrapped(lin, size)
	}
	if !c.mmu.Probe(lin, uint(size), c.dataAcc|mmu.Write) {
		return 0, c.pageFault()
	}
	v, ok := c.mmu.Read(lin, uint(size), c.dataAcc)
	if !ok {
		return 0, c.pageFault()
	}
	if c.watchAccess {
		c.sawAccess(lin, size, false, v)
	}
	return v, true
}

// probeStore checks that a store of size bytes would succeed.
func (c *CPU) probeStore(seg decode.SegReg, off uint64, size uint8) bool {
	lin, ok := c.linear(seg, off, size, true)
	if !ok {
		return false
	}
	if c.wraps(lin, size) {
		return c.probeWrapped(lin, size)
	}
	if !c.mmu.Probe(lin, uint(size), c.dataAcc|mmu.Write) {
		return c.pageFault()
	}
	return true
}

// reg reads a general register operand, zero-extended.
func (c *CPU) reg(a decode.Arg) uint64 {
	v := c.r[a.Num&15]
	switch a.Size {
	case 1:
		if a.High {
			return v >> 8 & 0xff
		}
		return v & 0xff
	case 2:
		return v & 0xffff
	case 4:
		return v & 0xffffffff
	}
	return v
}

// setReg writes a general register operand: 32-bit writes clear the upper
// half, 8- and 16-bit writes keep the rest.
func (c *CPU) setReg(a decode.Arg, v uint64) {
	p := &c.r[a.Num&15]
	switch a.Size {
	case 1:
		if a.High {
			*p = *p&^0xff00 | v&0xff<<8
		} else {
			*p = *p&^0xff | v&0xff
		}
	case 2:
		*p = *p&^0xffff | v&0xffff
	case 4:
		*p = v & 0xffffffff
	default:
		*p = v
	}
}

// setGPR writes register n at a width in bytes (never a high byte).
func (c *CPU) setGPR(n uint8, size uint8, v uint64) {
	c.setReg(decode.Arg{Kind: decode.ArgReg, Num: n, Size: size}, v)
}

// gpr reads register n at a width in bytes (never a high byte).
func (c *CPU) gpr(n uint8, size uint8) uint64 {
	return c.reg(decode.Arg{Kind: decode.ArgReg, Num: n, Size: size})
}

// get reads operand n, zero-extended to 64 bits; an immediate is cut to the
// size of the first operand by the caller's arithmetic.
func (c *CPU) get(in *decode.Inst, n int) (uint64, bool) {
	switch a := in.Args[n]; a.Kind {
	case decode.ArgReg:
		return c.reg(a), true
	case decode.ArgMem:
		return c.load(in.Seg, c.ea(in), a.Size)
	case decode.ArgImm, decode.ArgRel:
		return uint64(in.Imm), true
	case decode.ArgImm2:
		return uint64(in.Imm2), true
	case decode.ArgOne:
		return 1, true
	case decode.ArgSeg:
		return uint64(c.s.Seg[a.Num&7].Sel), true
	}
	panic("BUG: operand kind")
}

// getRMW reads operand n, which the instruction will write: memory is checked
// for writing first.
func (c *CPU) getRMW(in *decode.Inst, n int) (uint64, bool) {
	if a := in.Args[n]; a.Kind == decode.ArgMem {
		return c.loadRMW(in.Seg, c.ea(in), a.Size)
	}
	return c.get(in, n)
}

// put writes operand n.
func (c *CPU) put(in *decode.Inst, n int, v uint64) bool {
	a := in.Args[n]
	if a.Kind == decode.ArgMem {
		return c.store(in.Seg, c.ea(in), a.Size, v)
	}
	c.setReg(a, v)
	return true
}

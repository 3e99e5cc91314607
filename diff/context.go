package diff

import (
	"encoding/binary"

	"x86emu/cpu"
	"x86emu/decode"
	"x86emu/idt"
	"x86emu/mmu"
)

// Context is what a row of a table can know about a case without running it.
type Context struct {
	Case  *Case
	World *World
	Mode  decode.Mode
	CS    idt.Segment
	// Inst is the first instruction, as far as Status says that there is one.
	Inst   decode.Inst
	Status decode.Status
	// Insts are all instructions of the code in a line, from Inst on.
	Insts []decode.Inst
}

// NewContext looks at a case. It fails on a world or model that there is none of.
func NewContext(c *Case) (*Context, error) {
	w, err := WorldByName(c.World)
	if err != nil {
		return nil, err
	}
	x := &Context{Case: c, World: w}
	x.CS, x.Mode = x.codeSegment()
	model, ok := cpu.ModelByName(c.Model)
	if !ok {
		return nil, errModel(c)
	}
	dec := decode.Decoder{Features: model.Features}
	for code := c.Code; ; {
		var in decode.Inst
		st := dec.Decode(&in, code, x.Mode)
		if len(x.Insts) == 0 {
			x.Inst, x.Status = in, st
		}
		if st != decode.OK {
			return x, nil
		}
		x.Insts = append(x.Insts, in)
		code = code[in.Len:]
	}
}

// codeSegment is CS at the start, and the mode of its code.
func (x *Context) codeSegment() (idt.Segment, decode.Mode) {
	r := &x.Case.Regs
	sel := r.Seg[decode.CS]
	switch {
	case x.World.User:
		cs := segmentOf(sel, UserSegment(sel))
		return cs, codeMode(cs, true)
	case r.CR0&mmu.CR0PE == 0 || r.RFLAGS&idt.FlagVM != 0:
		return realSegment(sel, 0), decode.Mode16
	}
	base := r.GDTR.Base
	if sel&4 != 0 {
		if at, ok := x.World.Offset(base + uint64(r.LDTR&^7)); ok {
			base = segmentOf(r.LDTR, x.Start(at)).Base
		}
	}
	cs := nullSegment(sel)
	if at, ok := x.World.Offset(base + uint64(sel&^7)); ok && !isNull(sel) {
		cs = segmentOf(sel, x.Start(at))
	}
	return cs, codeMode(cs, r.EFER&mmu.EFERLMA != 0)
}

// Segment is what a segment register holds at the start, in a user world.
func (x *Context) Segment(i decode.SegReg) idt.Segment {
	sel := x.Case.Regs.Seg[i]
	seg := nullSegment(sel)
	if !isNull(sel) {
		seg = segmentOf(sel, UserSegment(sel))
	}
	switch long := x.Mode == decode.Mode64; {
	case long && i < decode.FS:
		seg.Base = 0
	case i == decode.FS && (long || isNull(sel)):
		seg.Base = x.Case.Regs.FSBase
	case i == decode.GS && (long || isNull(sel)):
		seg.Base = x.Case.Regs.GSBase
	}
	return seg
}

// Start is the eight bytes of the arena at an offset, at the start of the case.
func (x *Context) Start(at Offset) uint64 {
	var b [8]byte
	if int(at) < len(x.World.Arena) {
		copy(b[:], x.World.Arena[at:])
	}
	for _, p := range x.Case.Patches {
		overlay(&b, at, p.At, p.Bytes)
	}
	if x.Mode != 0 { // CS is known: the code too has its place
		linear, code := codeLinear(x.Case.Regs.RIP, x.CS, x.Mode), x.Case.Code
		for len(code) > 0 {
			n := min(len(code), PageSize-int(linear%PageSize))
			if o, ok := x.World.Offset(linear); ok {
				overlay(&b, at, o, code[:n])
			}
			code, linear = code[n:], linear+uint64(n)
		}
	}
	return binary.LittleEndian.Uint64(b[:])
}

// overlay puts what of src at from lies in the eight bytes at to into dst.
func overlay(dst *[8]byte, to, from Offset, src []byte) {
	for i := range dst {
		if j := int(to) + i - int(from); j >= 0 && j < len(src) {
			dst[i] = src[j]
		}
	}
}

// Operand is the linear address of the instruction's memory operand at the
// start, in a user world; ok is false if it has none.
func (x *Context) Operand() (linear uint64, size int, ok bool) {
	in := &x.Inst
	for _, a := range in.Args[:in.NArgs] {
		if a.Kind != decode.ArgMem || x.Status != decode.OK {
			continue
		}
		sum := uint64(in.Disp)
		switch in.Base {
		case decode.NoReg:
		case decode.RegRIP:
			sum += x.Case.Regs.RIP + uint64(in.Len)
		default:
			sum += x.Case.Regs.GPR[in.Base]
		}
		if in.Index != decode.NoReg {
			sum += x.Case.Regs.GPR[in.Index] << in.Scale
		}
		if in.AddrSize < 8 {
			sum &= 1<<(8*in.AddrSize) - 1
		}
		sum += x.Segment(in.Seg).Base
		if x.Mode != decode.Mode64 {
			sum &= 1<<32 - 1
		}
		return sum, int(a.Size), true
	}
	return 0, 0, false
}

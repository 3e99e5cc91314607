package diff

import (
	"x86emu/decode"
	"x86emu/idt"
)

// segmentOf is what a segment register holds after a load of a selector with
// descriptor d, accessed. [SDM 3A, Segment Descriptors]
func segmentOf(sel uint16, d uint64) idt.Segment {
	s := idt.Segment{Sel: sel, Base: d>>16&0xffffff | d>>56<<24, Attr: idt.Attr(d>>40) &^ 0x0f00}
	s.Limit = uint32(d)&0xffff | uint32(d>>32)&0xf0000
	if s.Attr&idt.AttrG != 0 {
		s.Limit = s.Limit<<12 | 0xfff
	}
	if s.Attr&idt.AttrS != 0 {
		s.Attr |= idt.AttrAccessed
	}
	return s
}

// nullSegment is what a segment register holds after a load of a null selector.
func nullSegment(sel uint16) idt.Segment { return idt.Segment{Sel: sel, Attr: idt.AttrUnusable} }

// isNull tells a null selector.
func isNull(sel uint16) bool { return sel&^3 == 0 }

// realSegment is what a segment register holds in real mode, or in VM86 mode,
// where the privilege level is 3. [SDM 3B, 8086 Emulation]
func realSegment(sel uint16, dpl idt.Attr) idt.Segment {
	return idt.Segment{
		Sel: sel, Base: uint64(sel) << 4, Limit: 0xffff,
		Attr: idt.AttrPresent | dpl<<5 | idt.AttrS | idt.AttrWritable | idt.AttrAccessed,
	}
}

// codeMode is the mode that a code segment's code runs in.
func codeMode(cs idt.Segment, long bool) decode.Mode {
	switch {
	case long && cs.Attr&idt.AttrL != 0:
		return decode.Mode64
	case cs.Attr&idt.AttrDB != 0:
		return decode.Mode32
	}
	return decode.Mode16
}

// codeLinear is the linear address of the case's first instruction.
func codeLinear(rip uint64, cs idt.Segment, mode decode.Mode) uint64 {
	if mode == decode.Mode64 {
		return rip
	}
	return uint64(uint32(cs.Base + rip))
}

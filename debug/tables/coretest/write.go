// Package coretest writes ELF memory cores in the layout of QEMU's
// dump-guest-memory, for tests of who reads them.
package coretest

import (
	"bytes"
	"encoding/binary"

	"x86emu/debug/tables"
	"x86emu/decode"
	"x86emu/idt"
	"x86emu/mmu"
)

// Options say what a core has.
type Options struct {
	RAM    uint64 // bytes of RAM from address 0, in two segments
	NoNote bool   // leave out QEMU's note
}

// Write writes what a moment holds: ELF64 for a machine in long mode, else
// ELF32. In both an NT_PRSTATUS note of zeros comes before QEMU's.
func Write(o *tables.Moment, opt Options) []byte {
	long := o.State.EFER&mmu.EFERLMA != 0
	notes := note("CORE", 1, make([]byte, 336))
	if !opt.NoNote {
		notes = append(notes, note("QEMU", 0, state(o))...)
	}
	const low = 0xa0000 // the first segment, below the hole of a PC
	type segment struct{ kind, offset, phys, size uint64 }
	head, each := uint64(52), uint64(32)
	if long {
		head, each = 64, 56
	}
	data := head + 3*each
	segments := []segment{{4, data, 0, uint64(len(notes))}}
	data += uint64(len(notes))
	segments = append(segments, segment{1, data, 0, low}, segment{1, data + low, low, opt.RAM - low})

	var b bytes.Buffer
	put := func(v ...any) {
		for _, x := range v {
			if err := binary.Write(&b, binary.LittleEndian, x); err != nil {
				panic("BUG: " + err.Error())
			}
		}
	}
	b.WriteString("\x7fELF")
	if long {
		put([12]byte{2, 1, 1}, uint16(4), uint16(62), uint32(1), uint64(0), head, uint64(0), uint32(0), uint16(head), uint16(each), uint16(3), [3]uint16{})
	} else {
		put([12]byte{1, 1, 1}, uint16(4), uint16(3), uint32(1), uint32(0), uint32(head), uint32(0), uint32(0), uint16(head), uint16(each), uint16(3), [3]uint16{})
	}
	for _, s := range segments {
		if long {
			put(uint32(s.kind), uint32(0), s.offset, uint64(0), s.phys, s.size, s.size, uint64(0))
		} else {
			put(uint32(s.kind), uint32(s.offset), uint32(0), uint32(s.phys), uint32(s.size), uint32(s.size), uint32(0), uint32(0))
		}
	}
	b.Write(notes)
	ram := make([]byte, opt.RAM)
	o.Mem.ReadBytes(0, ram)
	b.Write(ram)
	return b.Bytes()
}

// note is a note of an ELF core.
func note(name string, kind uint32, desc []byte) []byte {
	b := binary.LittleEndian.AppendUint32(nil, uint32(len(name)+1))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(desc)))
	b = binary.LittleEndian.AppendUint32(b, kind)
	b = append(b, name...)
	b = append(b, make([]byte, 4-len(name)%4)...)
	return append(b, append(desc, make([]byte, -len(desc)&3)...)...)
}

// state is QEMU's note: 440 bytes of version 1.
func state(o *tables.Moment) []byte {
	s := &o.State
	le := binary.LittleEndian
	b := le.AppendUint32(nil, 1)
	b = le.AppendUint32(b, 440)
	for _, r := range [...]int{0, 3, 1, 2, 6, 7, 4, 5, 8, 9, 10, 11, 12, 13, 14, 15} {
		b = le.AppendUint64(b, s.GPR[r])
	}
	b = le.AppendUint64(b, s.RIP)
	b = le.AppendUint64(b, s.RFLAGS)
	segment := func(sel uint16, limit uint32, attr idt.Attr, base uint64) {
		b = le.AppendUint32(b, uint32(sel))
		b = le.AppendUint32(b, limit)
		b = le.AppendUint32(b, uint32(attr&^idt.AttrUnusable)<<8)
		b = le.AppendUint32(b, 0)
		b = le.AppendUint64(b, base)
	}
	for _, r := range [...]decode.SegReg{decode.CS, decode.DS, decode.ES, decode.FS, decode.GS, decode.SS} {
		x := &s.Seg[r]
		segment(x.Sel, x.Limit, x.Attr, x.Base)
	}
	segment(s.LDTR.Sel, s.LDTR.Limit, s.LDTR.Attr, s.LDTR.Base)
	segment(s.TR.Sel, s.TR.Limit, s.TR.Attr, s.TR.Base)
	segment(0, uint32(s.GDTR.Limit), 0, s.GDTR.Base)
	segment(0, uint32(s.IDTR.Limit), 0, s.IDTR.Base)
	for _, c := range [...]uint64{s.CR0, 0, s.CR2, s.CR3, s.CR4, 0} {
		b = le.AppendUint64(b, c)
	}
	return b
}

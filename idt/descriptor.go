package idt

import "x86emu/mmu"

// descriptor is one 8-byte entry of the GDT or LDT. [SDM 3A, Segment Descriptors]
//
//	 63      56 55  54  53  52  51    48 47  46  45 44  43  40 39      32
//	+----------+---+---+---+---+--------+---+-----+---+------+----------+
//	|base 31:24| G |D/B| L |AVL|lim19:16| P | DPL | S | type |base 23:16|
//	+----------+---+---+---+---+--------+---+-----+---+------+----------+
//	 31                               16 15                            0
//	+-----------------------------------+-------------------------------+
//	|             base 15:0             |           limit 15:0          |
//	+-----------------------------------+-------------------------------+
type descriptor uint64

func (d descriptor) attr() Attr { return Attr(d>>40) &^ 0x0f00 }

func (d descriptor) base() uint64 { return uint64(d>>16)&0xffffff | uint64(d>>56)<<24 }

// limit is the limit in bytes, granularity applied.
func (d descriptor) limit() uint32 {
	l := uint32(d)&0xffff | uint32(d>>32)&0xf0000
	if d.attr()&AttrG != 0 {
		l = l<<12 | 0xfff
	}
	return l
}

func (d descriptor) present() bool  { return d.attr()&AttrPresent != 0 }
func (d descriptor) dpl() uint8     { return d.attr().DPL() }
func (d descriptor) accessed() bool { return d>>40&descriptor(AttrAccessed) != 0 }

// system is the type of a system descriptor, or 0 for code and data.
func (d descriptor) system() Attr {
	if d.attr()&AttrS != 0 {
		return 0
	}
	return d.attr() & AttrType
}

// isCode tells a code segment, isData a data segment; writable only that.
func (d descriptor) isCode() bool { return d.attr()&(AttrS|AttrCode) == AttrS|AttrCode }

func (d descriptor) conforming() bool {
	const m = AttrS | AttrCode | AttrDown
	return d.attr()&m == m
}

func (d descriptor) writableData() bool {
	return d.attr()&(AttrS|AttrCode|AttrWritable) == AttrS|AttrWritable
}

// readable tells a data or a readable code segment.
func (d descriptor) readable() bool {
	a := d.attr()
	return a&AttrS != 0 && a&(AttrCode|AttrWritable) != AttrCode
}

// code64 tells a 64-bit code segment: L=1, D=0.
func (d descriptor) code64() bool { return d.attr()&(AttrL|AttrDB) == AttrL }

// Types of system descriptors and gates. [SDM 3A, System Descriptor Types]
const (
	typeTSS16    Attr = 0x1
	typeLDT      Attr = 0x2
	typeBusy16   Attr = 0x3
	typeCall16   Attr = 0x4
	typeTaskGate Attr = 0x5
	typeInt16    Attr = 0x6
	typeTrap16   Attr = 0x7
	typeTSS32    Attr = 0x9 // 64-bit TSS in IA-32e mode
	typeBusy32   Attr = 0xb
	typeCall32   Attr = 0xc // 64-bit call gate in IA-32e mode
	typeInt32    Attr = 0xe // 64-bit interrupt gate in IA-32e mode
	typeTrap32   Attr = 0xf

	typeBusyBit Attr = 0x2
	type32Bit   Attr = 0x8
)

// isNull tells a null selector: index 0 of the GDT, whatever the RPL.
func isNull(sel uint16) bool { return sel&^3 == 0 }

func rpl(sel uint16) uint8 { return uint8(sel & 3) }

// selTI is the table indicator: the selector's descriptor is in the LDT.
const selTI = 1 << 2

// selCode is a selector as an error code has it: index and TI, RPL left out
// for EXT and IDT. [SDM 3A, Error Code]
func selCode(sel uint16) uint32 { return uint32(sel &^ 3) }

// entry is a descriptor with the linear address that it came from.
type entry struct {
	descriptor
	lin uint64
	sel uint16
}

// segment is the register contents that the entry gives.
func (e *entry) segment(sel uint16) Segment {
	return Segment{Sel: sel, Attr: e.attr() | AttrAccessed, Limit: e.limit(), Base: e.base()}
}

// locate finds where a selector's descriptor of n bytes lies; in is false when
// it is outside its table's limit or the LDT is null.
func (p *Core) locate(sel uint16, n uint32) (lin uint64, in bool) {
	off := uint32(sel &^ 7)
	if sel&selTI == 0 {
		return p.r.GDTR.Base + uint64(off), off+n-1 <= uint32(p.r.GDTR.Limit)
	}
	l := &p.r.LDTR
	return l.Base + uint64(off), l.Attr&AttrUnusable == 0 && uint64(off)+uint64(n)-1 <= uint64(l.Limit)
}

// entry reads a selector's descriptor. One outside its table is a fault of
// vector v with the selector as error code, under the given rule.
func (p *Core) entry(sel uint16, rule Rule, v Vector) (entry, bool) {
	lin, in := p.locate(sel, 8)
	if !p.pass(rule, in) {
		return entry{}, p.fail(v, selCode(sel))
	}
	raw, ok := p.read(lin, 8)
	e := entry{descriptor(raw), lin, sel}
	if p.obs != nil && ok {
		p.emitSelector(&e)
	}
	return e, ok
}

// highHalf reads the upper 8 bytes of a 16-byte descriptor in IA-32e mode: the
// base's bits 63 to 32. They too must lie within the table and their type
// field must be zero, else #GP(selector).
// [SDM 3A, TSS Descriptor in 64-bit Mode; IA-32e Mode Call Gates]
func (p *Core) highHalf(e *entry) (uint64, bool) {
	_, in := p.locate(e.sel, 16)
	if !p.pass(RuleHighHalf, in) {
		return 0, p.fail(VecGP, selCode(e.sel))
	}
	hi, ok := p.read(e.lin+8, 8)
	if !ok {
		return 0, false
	}
	if !p.pass(RuleHighHalf, hi>>40&0x1f == 0) {
		return 0, p.fail(VecGP, selCode(e.sel))
	}
	return hi, true
}

// canAccess probes the write that setAccessed will make. The byte that is
// written, and that a page fault names, is that of the access rights.
func (p *Core) canAccess(e *entry) bool {
	return e.accessed() || p.probe(e.lin+5, 1, mmu.Write)
}

// setAccessed sets the accessed bit in memory, where it is not set already: a
// locked read-modify-write. [SDM 3A, Automatic Locking]
func (p *Core) setAccessed(e *entry) bool {
	return e.accessed() || p.writeAccessed(e)
}

//go:noinline
func (p *Core) writeAccessed(e *entry) bool {
	return p.write(e.lin+5, 1, uint64(e.descriptor>>40)&0xff|uint64(AttrAccessed))
}

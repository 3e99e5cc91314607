package idt

// This file decodes descriptors for who looks at tables from outside.

// ParseSegment decodes a descriptor of the GDT or LDT: base, limit, attributes.
// Of a 16-byte descriptor of IA-32e mode, hi has the base's upper half.
func ParseSegment(sel uint16, lo, hi uint64) Segment {
	d := descriptor(lo)
	return Segment{Sel: sel, Attr: d.attr(), Limit: d.limit(), Base: d.base() | hi<<32}
}

// ParseGate decodes a gate and tells whether it is present. Of a 16-byte gate
// of IA-32e mode, hi is the second half.
func ParseGate(lo, hi uint64) (g Gate, present bool) {
	d := descriptor(lo)
	g = d.gate()
	if hi != 0 {
		g.Offset |= hi << 32
	}
	return g, d.present()
}

// Attributes of a gate's type, for Attr's words.
func (g *Gate) Attr() Attr { return Attr(g.Type) }

// IsCode tells a code segment, IsTSS a TSS, available or busy, of any width.
func (a Attr) IsCode() bool { return a&(AttrS|AttrCode) == AttrS|AttrCode }

// IsTSS tells a TSS, available or busy.
func (a Attr) IsTSS() bool {
	t := a & (AttrS | AttrType) &^ typeBusyBit
	return t == typeTSS16 || t == typeTSS32
}

// Busy tells a TSS whose task runs, or waits for a nested one.
func (a Attr) Busy() bool { return a.IsTSS() && a&typeBusyBit != 0 }

// Wide tells a 32-bit TSS or gate (in IA-32e mode a 64-bit one).
func (a Attr) Wide() bool { return a&type32Bit != 0 }

// IsLDT tells the descriptor of an LDT.
func (a Attr) IsLDT() bool { return a&(AttrS|AttrType) == typeLDT }

// IsGate tells a gate, of any kind.
func (a Attr) IsGate() bool {
	t := a & AttrType
	return a&AttrS == 0 && t&^type32Bit >= typeCall16
}

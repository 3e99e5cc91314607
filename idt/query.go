package idt

// This file holds the instructions that ask about a selector. A selector that
// fails a check clears ZF (zf == false) and faults nothing; only paging can
// fault.

// visible reads a selector's descriptor if the current program may know about
// it: it is within its table, and neither CPL nor RPL exceeds its DPL unless it
// is conforming code. [SDM 2, VERR/VERW; LAR; LSL]
func (p *Core) visible(sel uint16) (e entry, seen, ok bool) {
	lin, in := p.locate(sel, 8)
	if isNull(sel) || !in {
		return e, false, true
	}
	raw, ok := p.read(lin, 8)
	e = entry{descriptor(raw), lin, sel}
	return e, ok && (e.conforming() || e.dpl() >= p.r.CPL && e.dpl() >= rpl(sel)), ok
}

// Verify is VERR, or VERW with write set: whether the segment can be read or
// written at the current level.
func Verify(c CPU, sel uint16, write bool) (zf bool, fault *Event) {
	p := begin(c)
	d, seen, ok := p.visible(sel)
	if write {
		return seen && d.writableData(), p.result(ok)
	}
	return seen && d.readable(), p.result(ok)
}

// AccessRights is LAR: the second word of the descriptor without the base.
// The limit's bits 19:16, which the manual leaves undefined in the result,
// stand in it. (Observed on an AMD EPYC: LAR of a flat segment gives 00CFF300H.)
func AccessRights(c CPU, sel uint16) (v uint32, zf bool, fault *Event) {
	p := begin(c)
	d, seen, ok := p.visible(sel)
	known := d.attr()&AttrS != 0
	switch d.system() {
	case typeLDT, typeTSS32, typeBusy32, typeCall32:
		known = true
	case typeTSS16, typeBusy16, typeCall16, typeTaskGate:
		known = !p.long
	}
	if !seen || !known {
		return 0, false, p.result(ok)
	}
	return uint32(d.descriptor>>32) & 0x00ffff00, true, nil
}

// SegmentLimit is LSL: the limit in bytes.
func SegmentLimit(c CPU, sel uint16) (v uint32, zf bool, fault *Event) {
	p := begin(c)
	d, seen, ok := p.visible(sel)
	known := d.attr()&AttrS != 0
	switch d.system() {
	case typeLDT, typeTSS32, typeBusy32:
		known = true
	case typeTSS16, typeBusy16:
		known = !p.long
	}
	if !seen || !known {
		return 0, false, p.result(ok)
	}
	return d.limit(), true, nil
}

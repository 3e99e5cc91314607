package tables

import (
	"fmt"

	"x86emu/idt"
	"x86emu/mmu"
)

// SegmentEntry is one entry of the GDT or LDT, decoded.
type SegmentEntry struct {
	Sel   uint16 // RPL 0
	At    uint64
	Raw   [2]uint64 // the second is of 16-byte descriptors
	Wide  bool      // 16 bytes
	Seg   idt.Segment
	Gate  idt.Gate // of call and task gates
	Used  []string // registers that were loaded from it
	Wrong []Note
}

// Empty tells an entry of zeros.
func (e *SegmentEntry) Empty() bool { return e.Raw[0] == 0 && len(e.Wrong) == 0 }

func (e *SegmentEntry) wrong(format string, args ...any) {
	e.Wrong = append(e.Wrong, Note(fmt.Sprintf(format, args...)))
}

// GDT decodes every entry of the GDT within its limit.
func (v *View) GDT() ([]SegmentEntry, error) {
	if !v.Protected() {
		return nil, fmt.Errorf("real mode: there is no GDT in use")
	}
	t := v.State.GDTR
	return v.segments(t.Base, uint64(t.Limit), 0), nil
}

// LDT decodes every entry of the LDT, at most 8192.
func (v *View) LDT() ([]SegmentEntry, error) {
	l := &v.State.LDTR
	if l.Attr&idt.AttrUnusable != 0 || !v.Protected() {
		return nil, fmt.Errorf("there is no LDT: LDTR is null")
	}
	return v.segments(l.Base, min(uint64(l.Limit), 0xffff), 4), nil
}

func (v *View) segments(base, limit uint64, ti uint16) []SegmentEntry {
	var all []SegmentEntry
	for off := uint64(0); off+7 <= limit; off += 8 {
		e := SegmentEntry{Sel: uint16(off) | ti, At: base + off}
		var problem string
		if e.Raw[0], problem = v.read(e.At, 8); problem != "" {
			e.wrong("#PF or #GP: %s", problem)
			all = append(all, e)
			continue
		}
		e.Seg = idt.ParseSegment(e.Sel, e.Raw[0], 0)
		e.Gate, _ = idt.ParseGate(e.Raw[0], 0)
		if e.Wide = v.Long() && v.wide(e.Seg.Attr) && e.Raw[0] != 0; e.Wide {
			v.second(&e, off+15 <= limit)
		}
		v.judgeSegment(&e)
		v.users(&e)
		all = append(all, e)
		if e.Wide {
			off += 8
		}
	}
	return all
}

// wide tells descriptors that have 16 bytes in IA-32e mode.
func (v *View) wide(a idt.Attr) bool { return a.IsTSS() || a.IsLDT() || a.IsGate() && a&7 == 4 }

// second reads the second half of a 16-byte descriptor.
func (v *View) second(e *SegmentEntry, within bool) {
	if !within {
		e.wrong("#GP(0x%x): its second half is beyond the table's limit", e.Sel)
		return
	}
	hi, problem := v.read(e.At+8, 8)
	if problem != "" {
		e.wrong("#PF or #GP: %s", problem)
		return
	}
	e.Raw[1] = hi
	e.Seg = idt.ParseSegment(e.Sel, e.Raw[0], hi)
	e.Gate, _ = idt.ParseGate(e.Raw[0], hi&0xffffffff)
	if hi>>40&0x1f != 0 {
		e.wrong("#GP(0x%x): the type field of its second half is not 0", e.Sel)
	}
}

// judgeSegment tells what a load of the descriptor would stumble over whoever
// makes it. [SDM 3A, Segment Descriptors; System Descriptor Types]
func (v *View) judgeSegment(e *SegmentEntry) {
	a := e.Seg.Attr
	switch {
	case e.Raw[0] == 0:
		return
	case e.Sel == 0:
		return // the first entry of the GDT is never used
	case a&idt.AttrPresent == 0:
		e.wrong("not present: #NP, for SS #SS")
		return
	}
	switch {
	case a&idt.AttrS != 0:
		if v.Long() && a.IsCode() && a&(idt.AttrL|idt.AttrDB) == idt.AttrL|idt.AttrDB {
			e.wrong("#GP(0x%x): L and D are both set", e.Sel)
		}
	case a.IsTSS(), a.IsLDT():
		v.judgeSystem(e)
	case !a.IsGate() || v.Long() && a&15 != 12:
		e.wrong("#GP(0x%x): type 0x%x is reserved", e.Sel, uint8(a&idt.AttrType))
	case a&7 != 4 && !a.IsTaskGate():
		e.wrong("#GP(0x%x): %s belongs into the IDT", e.Sel, a.TypeText(v.Long()))
	}
}

// judgeSystem looks at where a TSS or LDT is.
func (v *View) judgeSystem(e *SegmentEntry) {
	a, s := e.Seg.Attr, &e.Seg
	if v.Long() && a.IsTSS() && !a.Wide() {
		e.wrong("#GP(0x%x): type 0x%x is reserved in IA-32e mode", e.Sel, uint8(a&idt.AttrType))
		return
	}
	if a.IsTSS() {
		least := uint32(43)
		if a.Wide() {
			least = 103
		}
		if s.Limit < least {
			e.wrong("#TS(0x%x): the limit 0x%x does not hold a whole TSS", e.Sel, s.Limit)
		}
	}
	if problem := v.reach(s.Base, min(uint64(s.Limit), 103)+1, mmu.Read); problem != "" {
		e.wrong("#PF or #GP when it is used: %s", problem)
	}
}

// users finds the registers that hold the selector, and whether what they cache
// is still what stands here.
func (v *View) users(e *SegmentEntry) {
	names := [...]string{"ES", "CS", "SS", "DS", "FS", "GS"}
	check := func(name string, s *idt.Segment) {
		if s.Sel&^3 != e.Sel || s.Sel&^3 == 0 || s.Attr&idt.AttrUnusable != 0 {
			return
		}
		e.Used = append(e.Used, name)
		same := s.Base == e.Seg.Base && s.Limit == e.Seg.Limit
		if e.Seg.Attr&idt.AttrS != 0 && v.Long() {
			same = true // 64-bit mode looks at neither, and MSRs change FS and GS
		}
		if !same && !v.Core {
			e.wrong("%s still has base 0x%x, limit 0x%x: changed since it was loaded", name, s.Base, s.Limit)
		}
	}
	for i := range v.State.Seg {
		check(names[i], &v.State.Seg[i])
	}
	check("LDTR", &v.State.LDTR)
	check("TR", &v.State.TR)
}

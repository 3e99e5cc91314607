package tables

import (
	"fmt"

	"x86emu/idt"
	"x86emu/mmu"
)

// View is a moment seen through one address space: descriptor tables are linear
// addresses.
type View struct {
	*Moment
	MMU *mmu.MMU
}

// View gives the moment's view through a page table.
func (o *Moment) View(cr3 uint64) (*View, error) {
	m, err := o.Space(cr3)
	if err != nil {
		return nil, err
	}
	return &View{o, m}, nil
}

// Long tells IA-32e mode, Protected the mode in which there is an IDT.
func (v *View) Long() bool      { return v.State.EFER&mmu.EFERLMA != 0 }
func (v *View) Protected() bool { return v.State.CR0&mmu.CR0PE != 0 }

// read reads size bytes as the processor reads tables, or tells why it cannot.
func (v *View) read(lin uint64, size uint) (uint64, string) {
	if problem := v.reach(lin, uint64(size), mmu.Read); problem != "" {
		return 0, problem
	}
	b := uint64(0)
	for i := range size {
		w := v.MMU.Explain(mmu.Linear(lin)+mmu.Linear(i), mmu.Read)
		b |= v.Mem.Read(w.Phys(), 1) << (8 * i)
	}
	return b, ""
}

// reach tells why a supervisor access to n bytes would fail, or nothing.
func (v *View) reach(lin, n uint64, a mmu.Access) string {
	if Width(v.MMU) != 32 && (!canonical(lin, Width(v.MMU)) || !canonical(lin+n-1, Width(v.MMU))) {
		return fmt.Sprintf("0x%x is not canonical", lin)
	}
	for at := lin; ; {
		w := v.MMU.Explain(mmu.Linear(at), a)
		if !w.OK() {
			return Missing(&w)
		}
		if next := at&^mmu.PageMask + mmu.PageSize; next-lin >= n || next == 0 {
			return ""
		} else {
			at = next
		}
	}
}

// Missing tells what a walk failed at: the entry and what is wrong with it.
func Missing(w *mmu.Walk) string {
	return fmt.Sprintf("%s of 0x%x: %s", w.Access, uint64(w.Lin), Refusal(w))
}

// Refusal is the rule that a walk failed by, and the entry.
func Refusal(w *mmu.Walk) string {
	s := w.Rule.String()
	if w.Decider >= 0 {
		s += " in " + entryText(w.Steps[w.Decider])
	}
	return s
}

// Note is a remark on an entry: what the processor would refuse, with the fault.
type Note string

// GateEntry is one entry of the IDT, decoded.
type GateEntry struct {
	Vector  idt.Vector
	At      uint64
	Raw     [2]uint64
	Present bool
	Gate    idt.Gate
	Wrong   []Note
	Mapped  string // of a handler that cannot be fetched: why
}

// IDT decodes every gate within the limit.
func (v *View) IDT() ([]GateEntry, error) {
	if !v.Protected() {
		return nil, fmt.Errorf("real mode: there is no IDT, but the vectors at 0x%x", v.State.IDTR.Base)
	}
	size := uint64(8)
	if v.Long() {
		size = 16
	}
	var all []GateEntry
	for n := uint64(0); n < 256 && (n+1)*size-1 <= uint64(v.State.IDTR.Limit); n++ {
		e := GateEntry{Vector: idt.Vector(n), At: v.State.IDTR.Base + n*size}
		var problem string
		if e.Raw[0], problem = v.read(e.At, 8); problem == "" && size == 16 {
			e.Raw[1], problem = v.read(e.At+8, 8)
		}
		if problem != "" {
			e.wrong("#PF or #GP: %s", problem)
		} else {
			e.Gate, e.Present = idt.ParseGate(e.Raw[0], e.Raw[1]&0xffffffff)
			v.judgeGate(&e)
		}
		all = append(all, e)
	}
	return all, nil
}

func (e *GateEntry) wrong(format string, args ...any) {
	e.Wrong = append(e.Wrong, Note(fmt.Sprintf(format, args...)))
}

// Empty tells an entry that nobody has filled in.
func (e *GateEntry) Empty() bool {
	return len(e.Wrong) == 0 && !e.Present && e.Raw[0]>>40&0x1f == 0
}

// judgeGate tells what a delivery through the gate would stumble over, the
// privilege of whoever is interrupted and its stack left out.
// [SDM 2, INT n/INTO/INT3/INT1]
func (v *View) judgeGate(e *GateEntry) {
	if e.Empty() {
		return
	}
	g := &e.Gate
	long := v.Long()
	kind := g.Attr()
	code := uint32(e.Vector)<<3 | 2
	switch {
	case kind.IsTaskGate() && !long:
	case kind&^8 == 6 || kind&^8 == 7:
		if long && !kind.Wide() {
			e.wrong("#GP(0x%x): a 16-bit gate in IA-32e mode", code)
			return
		}
	default:
		e.wrong("#GP(0x%x): type 0x%x is no interrupt, trap or task gate", code, uint8(kind))
		return
	}
	if !e.Present {
		e.wrong("#NP(0x%x): the gate is not present", code)
		return
	}
	if kind.IsTaskGate() {
		v.judgeTask(e)
		return
	}
	v.judgeHandler(e)
	if g.IST != 0 && long {
		v.judgeIST(e)
	}
}

// judgeTask looks at the TSS that a task gate names.
func (v *View) judgeTask(e *GateEntry) {
	sel := e.Gate.Selector
	if sel&4 != 0 {
		e.wrong("#GP(0x%x): the TSS selector names the LDT", sel&^3)
		return
	}
	d, problem := v.segment(sel)
	switch {
	case problem != "":
		e.wrong("TSS 0x%x: %s", sel, problem)
	case !d.Attr.IsTSS():
		e.wrong("#GP(0x%x): not a TSS but %s", sel&^3, d.Attr.TypeText(false))
	case d.Attr.Busy():
		e.wrong("#GP(0x%x): the TSS is busy", sel&^3)
	case d.Attr&idt.AttrPresent == 0:
		e.wrong("#NP(0x%x): the TSS is not present", sel&^3)
	}
}

// judgeHandler looks at the code segment and the handler's first byte.
func (v *View) judgeHandler(e *GateEntry) {
	g := &e.Gate
	if g.Selector&^3 == 0 {
		e.wrong("#GP(0): the code selector is null")
		return
	}
	d, problem := v.segment(g.Selector)
	sel := g.Selector &^ 3
	switch {
	case problem != "":
		e.wrong("code 0x%x: %s", g.Selector, problem)
		return
	case !d.Attr.IsCode():
		e.wrong("#GP(0x%x): not code but %s", sel, d.Attr.TypeText(v.Long()))
		return
	case v.Long() && d.Attr&(idt.AttrL|idt.AttrDB) != idt.AttrL:
		e.wrong("#GP(0x%x): not 64-bit code", sel)
		return
	case d.Attr&idt.AttrPresent == 0:
		e.wrong("#NP(0x%x): the code segment is not present", sel)
		return
	case d.Attr.DPL() != 0:
		e.wrong("#GP(0x%x) from the kernel: the code segment has DPL %d", sel, d.Attr.DPL())
	}
	lin := g.Offset
	if !v.Long() {
		if g.Offset > uint64(d.Limit) {
			e.wrong("#GP(0): the entry 0x%x is beyond the code segment's limit 0x%x", g.Offset, d.Limit)
			return
		}
		lin = (g.Offset + d.Base) & 0xffffffff
	} else if !canonical(lin, Width(v.MMU)) {
		e.wrong("#GP(0): the entry 0x%x is not canonical", lin)
		return
	}
	if w := v.MMU.Explain(mmu.Linear(lin), mmu.Exec); !w.OK() {
		e.Mapped = Missing(&w)
		e.wrong("#PF once entered: %s", e.Mapped)
	}
}

// judgeIST looks at the stack of the interrupt stack table.
func (v *View) judgeIST(e *GateEntry) {
	sp, problem := v.tssField(uint64(e.Gate.IST)*8+28, 8)
	switch {
	case problem != "":
		e.wrong("IST%d: %s", e.Gate.IST, problem)
	default:
		if problem := v.judgeStack(sp, 48); problem != "" {
			e.wrong("IST%d = 0x%x: %s", e.Gate.IST, sp, problem)
		}
	}
}

// judgeStack tells why a frame of n bytes cannot be pushed below a stack pointer.
func (v *View) judgeStack(sp, n uint64) string {
	return v.reach(sp&^15-n, n, mmu.Write)
}

// tssField reads a field of the current TSS.
func (v *View) tssField(off uint64, size uint) (uint64, string) {
	tr := &v.State.TR
	if tr.Attr&idt.AttrUnusable != 0 || off+uint64(size)-1 > uint64(tr.Limit) {
		return 0, fmt.Sprintf("#TS(0x%x): beyond the TSS limit 0x%x", tr.Sel&^3, tr.Limit)
	}
	return v.read(tr.Base+off, size)
}

// segment reads the descriptor that a selector names, 16 bytes of it if that is
// a TSS or LDT of IA-32e mode.
func (v *View) segment(sel uint16) (idt.Segment, string) {
	base, limit := v.State.GDTR.Base, uint64(v.State.GDTR.Limit)
	if sel&4 != 0 {
		l := &v.State.LDTR
		if l.Attr&idt.AttrUnusable != 0 {
			return idt.Segment{}, fmt.Sprintf("#GP(0x%x): there is no LDT", sel&^3)
		}
		base, limit = l.Base, uint64(l.Limit)
	}
	off := uint64(sel &^ 7)
	if off+7 > limit {
		return idt.Segment{}, fmt.Sprintf("#GP(0x%x): beyond the table's limit 0x%x", sel&^3, limit)
	}
	lo, problem := v.read(base+off, 8)
	if problem != "" {
		return idt.Segment{}, problem
	}
	hi := uint64(0)
	if s := idt.ParseSegment(sel, lo, 0); v.Long() && (s.Attr.IsTSS() || s.Attr.IsLDT()) {
		if off+15 > limit {
			return s, fmt.Sprintf("#GP(0x%x): its second half is beyond the table's limit 0x%x", sel&^3, limit)
		}
		if hi, problem = v.read(base+off+8, 8); problem != "" {
			return s, problem
		}
	}
	return idt.ParseSegment(sel, lo, hi), ""
}

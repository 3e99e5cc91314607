package tables

import (
	"fmt"

	"x86emu/idt"
	"x86emu/mmu"
)

// TSSField is one field of a TSS.
type TSSField struct {
	Name  string
	Off   uint64
	Size  uint
	Value uint64
	Wrong []Note
}

func (f *TSSField) wrong(format string, args ...any) {
	f.Wrong = append(f.Wrong, Note(fmt.Sprintf(format, args...)))
}

// TSS is a TSS, decoded.
type TSS struct {
	Seg    idt.Segment
	Fields []TSSField
	Wrong  []Note
}

// field is where a field of a TSS lies. stack says what a pointer is good for:
// the privilege level, or "IST".
type field struct {
	name string
	off  uint64
	size uint
}

// The fields of the three kinds of TSS. [SDM 3A, Task-State Segment (TSS);
// 16-Bit Task-State Segment (TSS); Task Management in 64-bit Mode]
var tssFields = map[uint][]field{
	16: {
		{"link", 0, 2}, {"SP0", 2, 2}, {"SS0", 4, 2}, {"SP1", 6, 2}, {"SS1", 8, 2}, {"SP2", 10, 2}, {"SS2", 12, 2},
		{"IP", 14, 2}, {"FLAGS", 16, 2}, {"AX", 18, 2}, {"CX", 20, 2}, {"DX", 22, 2}, {"BX", 24, 2}, {"SP", 26, 2},
		{"BP", 28, 2}, {"SI", 30, 2}, {"DI", 32, 2}, {"ES", 34, 2}, {"CS", 36, 2}, {"SS", 38, 2}, {"DS", 40, 2}, {"LDT", 42, 2},
	},
	32: {
		{"link", 0, 2}, {"ESP0", 4, 4}, {"SS0", 8, 2}, {"ESP1", 12, 4}, {"SS1", 16, 2}, {"ESP2", 20, 4}, {"SS2", 24, 2},
		{"CR3", 28, 4}, {"EIP", 32, 4}, {"EFLAGS", 36, 4}, {"EAX", 40, 4}, {"ECX", 44, 4}, {"EDX", 48, 4}, {"EBX", 52, 4},
		{"ESP", 56, 4}, {"EBP", 60, 4}, {"ESI", 64, 4}, {"EDI", 68, 4}, {"ES", 72, 2}, {"CS", 76, 2}, {"SS", 80, 2},
		{"DS", 84, 2}, {"FS", 88, 2}, {"GS", 92, 2}, {"LDT", 96, 2}, {"T", 100, 2}, {"I/O map base", 102, 2},
	},
	64: {
		{"RSP0", 4, 8}, {"RSP1", 12, 8}, {"RSP2", 20, 8},
		{"IST1", 36, 8}, {"IST2", 44, 8}, {"IST3", 52, 8}, {"IST4", 60, 8}, {"IST5", 68, 8}, {"IST6", 76, 8}, {"IST7", 84, 8},
		{"I/O map base", 102, 2},
	},
}

// TSS decodes the TSS that TR holds, or that a selector names.
func (v *View) TSS(sel uint16) (*TSS, error) {
	t := &TSS{Seg: v.State.TR}
	if sel != 0 {
		s, problem := v.segment(sel)
		switch {
		case problem != "":
			return nil, fmt.Errorf("TSS 0x%x: %s", sel, problem)
		case !s.Attr.IsTSS():
			return nil, fmt.Errorf("selector 0x%x names no TSS but %s", sel, s.Attr.TypeText(v.Long()))
		}
		t.Seg = s
	} else if t.Seg.Attr&idt.AttrUnusable != 0 || !t.Seg.Attr.IsTSS() || t.Seg.Sel&^3 == 0 {
		return nil, fmt.Errorf("there is no TSS: TR is null")
	}
	bits := uint(16)
	switch {
	case v.Long():
		bits = 64
	case t.Seg.Attr.Wide():
		bits = 32
	}
	for _, f := range tssFields[bits] {
		if last := f.off + uint64(f.size) - 1; last > uint64(t.Seg.Limit) {
			t.Wrong = append(t.Wrong, Note(fmt.Sprintf("ends before %s: the limit is 0x%x", f.name, t.Seg.Limit)))
			break
		}
		x := TSSField{Name: f.name, Off: f.off, Size: f.size}
		var problem string
		if x.Value, problem = v.read(t.Seg.Base+f.off, f.size); problem != "" {
			t.Wrong = append(t.Wrong, Note(fmt.Sprintf("%s cannot be read: %s", f.name, problem)))
			break
		}
		t.Fields = append(t.Fields, x)
	}
	v.judgeTSS(t, bits)
	return t, nil
}

// judgeTSS looks at the stacks, and of a task that waits to be entered at what
// its first instruction needs.
func (v *View) judgeTSS(t *TSS, bits uint) {
	field := map[string]*TSSField{}
	for i := range t.Fields {
		field[t.Fields[i].Name] = &t.Fields[i]
	}
	long := bits == 64
	for i := range t.Fields {
		f := &t.Fields[i]
		switch f.Name {
		case "RSP0", "RSP1", "RSP2", "IST1", "IST2", "IST3", "IST4", "IST5", "IST6", "IST7":
			if f.Value == 0 {
				break // not in use
			}
			if problem := v.judgeStack(f.Value, 48); problem != "" {
				f.wrong("#PF or #SS: %s", problem)
			}
		case "SP0", "ESP0", "SP1", "ESP1", "SP2", "ESP2":
			if ss := field["SS"+f.Name[len(f.Name)-1:]]; ss != nil && (f.Value != 0 || ss.Value != 0) {
				v.judgeInner(f, ss, uint8(f.Name[len(f.Name)-1]-'0'))
			}
		case "CR3":
			v.judgeTaskCR3(f, t)
		case "I/O map base":
			if f.Value > uint64(t.Seg.Limit) {
				continue // no map: every port is #GP to user mode
			}
			if last := f.Value + 1; !long && last > uint64(t.Seg.Limit) {
				f.wrong("the map has not even the byte behind it: #GP")
			}
		}
	}
}

// judgeInner looks at the stack of an inner level.
// [SDM 2, INT n/INTO/INT3/INT1, INTER-PRIVILEGE-LEVEL-INTERRUPT]
func (v *View) judgeInner(sp, ss *TSSField, level uint8) {
	sel := uint16(ss.Value)
	if sel&^3 == 0 {
		ss.wrong("#TS: SS%d is null", level)
		return
	}
	d, problem := v.segment(sel)
	switch {
	case problem != "":
		ss.wrong("#TS: %s", problem)
	case sel&3 != uint16(level) || d.Attr.DPL() != level:
		ss.wrong("#TS(0x%x): RPL %d and DPL %d are not level %d", sel&^3, sel&3, d.Attr.DPL(), level)
	case d.Attr&(idt.AttrS|idt.AttrCode|idt.AttrWritable) != idt.AttrS|idt.AttrWritable:
		ss.wrong("#TS(0x%x): not writable data but %s", sel&^3, d.Attr.TypeText(false))
	case d.Attr&idt.AttrPresent == 0:
		ss.wrong("#SS(0x%x): not present", sel&^3)
	default:
		const frame = 24 // SS ESP EFLAGS CS EIP code
		lin := (d.Base + sp.Value - frame) & 0xffffffff
		if problem := v.reach(lin, frame, mmu.Write); problem != "" {
			sp.wrong("#PF: %s", problem)
		}
	}
}

// judgeTaskCR3 looks at the page table of a task that is not the current one.
func (v *View) judgeTaskCR3(f *TSSField, t *TSS) {
	if v.State.CR0&mmu.CR0PG == 0 || t.Seg.Attr.Busy() {
		return // not loaded without paging; of a busy task it is not looked at
	}
	if err := v.CheckCR3(f.Value); err != nil {
		f.wrong("%v", err)
	}
}

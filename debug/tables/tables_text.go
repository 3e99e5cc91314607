package tables

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"x86emu/idt"
)

// head is the line that tells where a descriptor table is.
func (v *View) head(b *strings.Builder, when, name string, base uint64, limit uint32, n int) {
	mode := "real mode"
	switch {
	case v.Long():
		mode = "IA-32e mode"
	case v.Protected():
		mode = "protected mode"
	}
	fmt.Fprintf(b, "%s, %s, %s\n%s at 0x%x, limit 0x%x: %d entries\n", when, mode, Head(v.MMU), name, base, limit, n)
}

// notes puts what is wrong below the line of an entry.
func notes(b *strings.Builder, wrong []Note) {
	for _, n := range wrong {
		fmt.Fprintf(b, "      ! %s\n", n)
	}
}

// WriteIDT writes the gates; those in a row that are alike are one line, empty ones too.
func (v *View) WriteIDT(w io.Writer, when string, gates []GateEntry) error {
	var b strings.Builder
	v.head(&b, when, "IDT", v.State.IDTR.Base, uint32(v.State.IDTR.Limit), len(gates))
	for i := 0; i < len(gates); {
		e := &gates[i]
		j := i + 1
		for j < len(gates) && sameGate(e, &gates[j]) {
			j++
		}
		last := j - 1
		name := fmt.Sprintf("0x%02x", uint8(e.Vector))
		if last > i {
			name += fmt.Sprintf("-0x%02x", uint8(gates[last].Vector))
		} else if m := e.Vector.Info().Mnemonic; m != "" {
			name += " " + m
		}
		fmt.Fprintf(&b, "%-9s  %s\n", name, e.text(v))
		notes(&b, e.Wrong)
		i = j
	}
	if n := 256 - len(gates); n > 0 {
		fmt.Fprintf(&b, "0x%02x-0xff  beyond the limit: #GP(vector*8+2)\n", len(gates))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// sameGate tells whether two entries say the same, the vector in an error code excepted.
func sameGate(a, b *GateEntry) bool {
	if a.Empty() && b.Empty() {
		return true
	}
	return a.Raw == b.Raw && len(a.Wrong) == len(b.Wrong) && a.Present && (len(a.Wrong) == 0 || slices.Equal(a.Wrong, b.Wrong))
}

func (e *GateEntry) text(v *View) string {
	if e.Empty() {
		return "empty: #NP or #GP"
	}
	g := &e.Gate
	kind := g.Attr().TypeText(v.Long())
	s := fmt.Sprintf("%s, DPL %d, -> %04x:%0*x", kind, g.DPL, g.Selector, v.digits(), g.Offset)
	if g.Attr().IsTaskGate() {
		s = fmt.Sprintf("%s, DPL %d, -> TSS %04x", kind, g.DPL, g.Selector)
	}
	if g.IST != 0 && v.Long() {
		s += fmt.Sprintf(", IST%d", g.IST)
	}
	if !e.Present {
		s += ", not present"
	}
	return s
}

func (v *View) digits() int {
	if v.Long() {
		return 16
	}
	return 8
}

// WriteSegments writes a GDT or LDT.
func (v *View) WriteSegments(w io.Writer, when, name string, base uint64, limit uint32, all []SegmentEntry) error {
	var b strings.Builder
	v.head(&b, when, name, base, limit, len(all))
	for i := 0; i < len(all); {
		e := &all[i]
		j := i + 1
		for e.Empty() && j < len(all) && all[j].Empty() {
			j++
		}
		name := fmt.Sprintf("0x%04x", e.Sel)
		if j > i+1 {
			name += fmt.Sprintf("-0x%04x", all[j-1].Sel)
		}
		fmt.Fprintf(&b, "%-6s  %s\n", name, e.text(v))
		notes(&b, e.Wrong)
		i = j
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (e *SegmentEntry) text(v *View) string {
	a, s := e.Seg.Attr, &e.Seg
	used := ""
	if len(e.Used) > 0 {
		used = "  <- " + strings.Join(e.Used, " ")
	}
	switch {
	case e.Raw[0] == 0:
		return "empty"
	case a&idt.AttrS == 0 && a.IsTaskGate():
		return fmt.Sprintf("task gate, DPL %d, -> TSS %04x", a.DPL(), e.Gate.Selector)
	case a.IsGate():
		return fmt.Sprintf("%s, DPL %d, -> %04x:%x, %d words", a.TypeText(v.Long()), a.DPL(), e.Gate.Selector, e.Gate.Offset, e.Gate.Params)
	case v.Long() && a.IsCode() && a&idt.AttrL != 0:
		return fmt.Sprintf("%s, DPL %d%s%s", a.TypeText(true), a.DPL(), flagsOf(a), used)
	}
	return fmt.Sprintf("%s, DPL %d, base 0x%x, limit 0x%x%s%s", a.TypeText(v.Long()), a.DPL(), s.Base, s.Limit, flagsOf(a), used)
}

// flagsOf tells what else the attributes of code and data say.
func flagsOf(a idt.Attr) string {
	switch {
	case a&idt.AttrS == 0:
		return ""
	case a.IsCode() && a&idt.AttrWritable == 0:
		return ", not readable"
	case !a.IsCode() && a&idt.AttrWritable == 0:
		return ", read-only"
	}
	return ""
}

// WriteTSS writes a TSS.
func (v *View) WriteTSS(w io.Writer, when string, t *TSS) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %s\nTSS 0x%x at 0x%x, limit 0x%x, %s\n", when, Head(v.MMU), t.Seg.Sel&^3, t.Seg.Base, t.Seg.Limit, t.Seg.Attr.TypeText(v.Long()))
	notes(&b, t.Wrong)
	for i := range t.Fields {
		f := &t.Fields[i]
		fmt.Fprintf(&b, "+0x%02x  %-12s 0x%0*x\n", f.Off, f.Name, 2*f.Size, f.Value)
		notes(&b, f.Wrong)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

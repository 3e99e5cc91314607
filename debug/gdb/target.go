package gdb

import (
	"fmt"
	"strings"

	"x86emu/debug"
)

// This file makes the target description, of the table of registers and the
// types below. [GDB manual, Target Descriptions]

// field is a bit, or a range of bits, of a type with names.
type field struct {
	name  string
	first int
	last  int // 0: as first
}

// flagType is a register's type whose bits have names.
type flagType struct {
	id     string
	bytes  int
	fields []field
}

// fields are single bits.
func fields(names []debug.BitName) []field {
	var all []field
	for _, n := range names {
		all = append(all, field{name: n.Name, first: int(n.Bit)})
	}
	return all
}

// flagTypes are the registers that gdb shows by the names of their bits.
var flagTypes = []flagType{
	// [SDM 1, EFLAGS Register]
	{"i386_eflags", 4, []field{
		{"CF", 0, 0}, {"", 1, 0}, {"PF", 2, 0}, {"AF", 4, 0}, {"ZF", 6, 0}, {"SF", 7, 0}, {"TF", 8, 0}, {"IF", 9, 0}, {"DF", 10, 0},
		{"OF", 11, 0}, {"IOPL", 12, 13}, {"NT", 14, 0}, {"RF", 16, 0}, {"VM", 17, 0}, {"AC", 18, 0}, {"VIF", 19, 0}, {"VIP", 20, 0}, {"ID", 21, 0},
	}},
	// [SDM 1, MXCSR Control and Status Register]
	{"i386_mxcsr", 4, []field{
		{"IE", 0, 0}, {"DE", 1, 0}, {"ZE", 2, 0}, {"OE", 3, 0}, {"UE", 4, 0}, {"PE", 5, 0}, {"DAZ", 6, 0},
		{"IM", 7, 0}, {"DM", 8, 0}, {"ZM", 9, 0}, {"OM", 10, 0}, {"UM", 11, 0}, {"PM", 12, 0}, {"RC", 13, 14}, {"FZ", 15, 0},
	}},
	{"x86_cr0", 8, fields(debug.CR0Bits)},
	{"x86_cr4", 8, fields(debug.CR4Bits)},
	{"x86_efer", 8, fields(debug.EFERBits)},
	// [SDM 3B, Debug Status Register (DR6)]
	{"x86_dr6", 8, []field{{"B0", 0, 0}, {"B1", 1, 0}, {"B2", 2, 0}, {"B3", 3, 0}, {"BD", 13, 0}, {"BS", 14, 0}, {"BT", 15, 0}}},
	// Bits 40 to 55 of a descriptor. [SDM 3A, Segment Descriptors]
	{"segment_attr", 2, []field{
		{"TYPE", 0, 3}, {"S", 4, 0}, {"DPL", 5, 6}, {"P", 7, 0}, {"NULL", 8, 0}, {"AVL", 12, 0}, {"L", 13, 0}, {"DB", 14, 0}, {"G", 15, 0},
	}},
	// See stateBits.
	{"x86emu_state", 4, []field{
		{"HALTED", 0, 0}, {"NMI_BLOCKED", 1, 0}, {"STI_SHADOW", 2, 0}, {"MOVSS_SHADOW", 3, 0}, {"INTR", 4, 0}, {"NMI", 5, 0}, {"A20", 6, 0},
	}},
}

// vectorTypes are the views of a 128-bit register that gdb offers.
const vectorTypes = `<vector id="v4f" type="ieee_single" count="4"/>
<vector id="v2d" type="ieee_double" count="2"/>
<vector id="v16i8" type="int8" count="16"/>
<vector id="v8i16" type="int16" count="8"/>
<vector id="v4i32" type="int32" count="4"/>
<vector id="v2i64" type="int64" count="2"/>
<union id="vec128">
<field name="v4_float" type="v4f"/>
<field name="v2_double" type="v2d"/>
<field name="v16_int8" type="v16i8"/>
<field name="v8_int16" type="v8i16"/>
<field name="v4_int32" type="v4i32"/>
<field name="v2_int64" type="v2i64"/>
<field name="uint128" type="uint128"/>
</union>
`

// targetXML is the target description.
var targetXML = func() string {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0"?>
<!DOCTYPE target SYSTEM "gdb-target.dtd">
<target version="1.0">
<architecture>i386:x86-64</architecture>
`)
	// gdb takes the registers of a feature from one element of its name.
	for _, feature := range []string{core, sse, segment, system, models} {
		fmt.Fprintf(&b, "<feature name=%q>\n", feature)
		writeTypes(&b, feature)
		for n := range registers {
			r := &registers[n]
			if r.feature != feature {
				continue
			}
			group := ""
			if r.group != "" {
				group = fmt.Sprintf(" group=%q", r.group)
			}
			fmt.Fprintf(&b, "<reg name=%q bitsize=\"%d\" type=%q regnum=\"%d\"%s/>\n", r.name, r.bits, r.kind, n, group)
		}
		b.WriteString("</feature>\n")
	}
	b.WriteString("</target>\n")
	return b.String()
}()

// writeTypes writes the types that the registers of a feature use.
func writeTypes(b *strings.Builder, feature string) {
	if feature == sse {
		b.WriteString(vectorTypes)
	}
	for _, t := range flagTypes {
		if !uses(feature, t.id) {
			continue
		}
		fmt.Fprintf(b, "<flags id=%q size=\"%d\">\n", t.id, t.bytes)
		for _, f := range t.fields {
			fmt.Fprintf(b, "<field name=%q start=\"%d\" end=\"%d\"/>\n", f.name, f.first, max(f.first, f.last))
		}
		b.WriteString("</flags>\n")
	}
}

func uses(feature, kind string) bool {
	for i := range registers {
		if registers[i].feature == feature && registers[i].kind == kind {
			return true
		}
	}
	return false
}

// memoryMap tells gdb that any address may hold memory: a client's addresses are
// linear ones, and where they lead is the page tables' word. In two halves, since
// gdb reads a length in 64 bits.
const memoryMap = `<?xml version="1.0"?>
<!DOCTYPE memory-map PUBLIC "+//IDN gnu.org//DTD GDB Memory Map V1.0//EN" "http://sourceware.org/gdb/gdb-memory-map.dtd">
<memory-map>
<memory type="ram" start="0x0" length="0x8000000000000000"/>
<memory type="ram" start="0x8000000000000000" length="0x8000000000000000"/>
</memory-map>
`

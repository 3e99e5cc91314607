package idt

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestEventWords(t *testing.T) {
	for _, c := range []struct {
		ev         Event
		name, code string
	}{
		{Event{Vector: VecPF, HasCode: true, Code: 6}, "#PF", "W U: user write, not present"},
		{Event{Vector: VecGP, HasCode: true}, "#GP", ""},
		{Event{Vector: VecGP, HasCode: true, Code: 14<<3 | 2}, "#GP", "gate #PF of the IDT"},
		{Event{Vector: VecGP, HasCode: true, Code: 0x80<<3 | 3}, "#GP", "gate vector 0x80 of the IDT, EXT"},
		{Event{Vector: VecNP, HasCode: true, Code: 0x28}, "#NP", "selector 0x28 of the GDT"},
		{Event{Vector: VecTS, HasCode: true, Code: 0x2d}, "#TS", "selector 0x28 of the LDT, EXT"},
		{Event{Vector: VecSS, HasCode: true, Code: 1}, "#SS", "no selector, EXT"},
		{Event{Vector: 14, Kind: SoftInt}, "INT 0x0e", ""},
		{Event{Vector: 14, Kind: External}, "INTR 0x0e", ""},
		{Event{Vector: VecNMI, Kind: NMI}, "NMI", ""},
		{Event{Vector: VecBP, Kind: SoftExc}, "INT3", ""},
		{Event{Vector: VecOF, Kind: SoftExc}, "INTO", ""},
		{Event{Vector: VecDB, Kind: SoftICEBP}, "INT1", ""},
	} {
		assert.Equal(t, c.name, c.ev.Name())
		if c.ev.HasCode {
			assert.Equal(t, c.code, c.ev.CodeText(), "%v", c.ev)
		}
	}
}

func TestTypeText(t *testing.T) {
	for _, c := range []struct {
		attr         Attr
		legacy, long string
	}{
		{typeTaskGate, "task gate", "task gate"},
		{typeInt16, "16-bit interrupt gate", "16-bit interrupt gate"},
		{typeTrap32, "32-bit trap gate", "64-bit trap gate"},
		{typeCall32, "32-bit call gate", "64-bit call gate"},
		{typeTSS32, "32-bit available TSS", "64-bit available TSS"},
		{typeBusy16, "16-bit busy TSS", "16-bit busy TSS"},
		{typeLDT | AttrPresent | 3<<5, "LDT", "LDT"},
		{AttrS | AttrCode | AttrDB, "32-bit code", "32-bit code"},
		{AttrS | AttrCode | AttrL, "16-bit code", "64-bit code"},
		{AttrS | AttrCode | AttrDown, "16-bit conforming code", "16-bit conforming code"},
		{AttrS | AttrWritable | AttrDB, "32-bit data", "32-bit data"},
		{AttrS | AttrDown, "16-bit expand-down data", "16-bit expand-down data"},
	} {
		assert.Equal(t, c.legacy, c.attr.TypeText(false))
		assert.Equal(t, c.long, c.attr.TypeText(true))
	}
	assert.True(t, typeTaskGate.IsTaskGate())
	assert.False(t, (typeTaskGate | AttrS).IsTaskGate())
}

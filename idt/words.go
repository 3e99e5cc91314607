package idt

import (
	"fmt"

	"x86emu/mmu"
)

// Name tells what the event is: "#PF", "INT 0x80", "INTR 0x20", "NMI".
func (e *Event) Name() string {
	switch e.Kind {
	case External:
		return fmt.Sprintf("INTR 0x%02x", uint8(e.Vector))
	case SoftInt:
		return fmt.Sprintf("INT 0x%02x", uint8(e.Vector))
	case SoftExc:
		if e.Vector == VecOF {
			return "INTO"
		}
		return "INT3"
	case SoftICEBP:
		return "INT1"
	case NMI:
		return "NMI"
	}
	return e.Vector.String()
}

// IsPageFault tells a #PF, whose CR2 is valid, from an INT 14.
func (e *Event) IsPageFault() bool { return e.Vector == VecPF && e.Kind == Exception }

// CodeText tells what the error code says: for a #PF the bits and what they
// mean, else the selector or gate that it names. It is empty for a code of
// zero that is no page fault's. [SDM 3A, Error Code]
func (e *Event) CodeText() string {
	if e.Vector == VecPF {
		return mmu.CodeString(e.Code)
	}
	if e.Code == 0 {
		return ""
	}
	const ext, inIDT = 1, 2
	var s string
	switch sel := e.Code & 0xfff8; {
	case e.Code&inIDT != 0:
		s = fmt.Sprintf("gate %s of the IDT", Vector(e.Code>>3))
	case e.Code&selTI != 0:
		s = fmt.Sprintf("selector 0x%x of the LDT", sel)
	case sel != 0:
		s = fmt.Sprintf("selector 0x%x of the GDT", sel)
	default:
		s = "no selector"
	}
	if e.Code&ext != 0 {
		s += ", EXT"
	}
	return s
}

// systemNames are the types of system descriptors and gates; the width of a
// 32-bit one, which in IA-32e mode is 64-bit, stands in front.
// [SDM 3A, System Descriptor Types]
var systemNames = [8]string{
	"reserved", "available TSS", "LDT", "busy TSS", "call gate", "task gate", "interrupt gate", "trap gate",
}

// TypeText names a descriptor's type, as in "32-bit interrupt gate" or
// "64-bit code"; long says that it is read in IA-32e mode.
func (a Attr) TypeText(long bool) string {
	if a&AttrS != 0 {
		return a.segmentText(long)
	}
	switch t := a & AttrType; {
	case t == typeLDT, t == typeTaskGate:
		return systemNames[t]
	case t&type32Bit == 0:
		return "16-bit " + systemNames[t]
	case long:
		return "64-bit " + systemNames[t&7]
	default:
		return "32-bit " + systemNames[t&7]
	}
}

// IsTaskGate tells a task gate, whose selector is that of a TSS.
func (a Attr) IsTaskGate() bool { return a&(AttrS|AttrType) == typeTaskGate }

// segmentText names a code or data segment's type.
func (a Attr) segmentText(long bool) string {
	width := "16-bit"
	switch {
	case a&AttrDB != 0:
		width = "32-bit"
	case long && a&(AttrCode|AttrL) == AttrCode|AttrL:
		width = "64-bit"
	}
	switch {
	case a&(AttrCode|AttrDown) == AttrCode|AttrDown:
		return width + " conforming code"
	case a&AttrCode != 0:
		return width + " code"
	case a&AttrDown != 0:
		return width + " expand-down data"
	}
	return width + " data"
}

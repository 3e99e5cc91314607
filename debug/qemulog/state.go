package qemulog

import (
	"fmt"

	"x86emu/cpu"
	"x86emu/decode"
	"x86emu/idt"
	"x86emu/mmu"
)

const (
	segCS = decode.CS
	segSS = decode.SS
)

// appendState adds the registers as QEMU dumps them: 64-bit ones in 64-bit code,
// descriptor tables and control registers by EFER.LMA.
func appendState(b []byte, s *cpu.State) []byte {
	b = appendGeneral(b, s)
	for i, name := range [...]string{"ES", "CS", "SS", "DS", "FS", "GS"} {
		b = appendSegment(b, name, &s.Seg[i], s)
	}
	b = appendSegment(b, "LDT", &s.LDTR, s)
	b = appendSegment(b, "TR", &s.TR, s)
	width := 8
	if s.EFER&mmu.EFERLMA != 0 {
		width = 16
	}
	b = fmt.Appendf(b, "GDT=     %0*x %08x\nIDT=     %0*x %08x\n", width, s.GDTR.Base, s.GDTR.Limit, width, s.IDTR.Base, s.IDTR.Limit)
	b = fmt.Appendf(b, "CR0=%08x CR2=%0*x CR3=%0*x CR4=%08x\n", s.CR0, width, s.CR2, width, s.CR3, s.CR4)
	for i := range 4 {
		b = fmt.Appendf(b, "DR%d=%016x ", i, s.DR[i])
	}
	b = fmt.Appendf(b, "\nDR6=%016x DR7=%016x\n", s.DR[6], s.DR[7])
	width = 8
	if code64(s) {
		width = 16
	}
	b = fmt.Appendf(b, "CCS=%0*x CCD=%0*x CCO=EFLAGS\n", width, s.RFLAGS&arithFlags, width, 0)
	return fmt.Appendf(b, "EFER=%016x\n", s.EFER)
}

// arithFlags are the flags that QEMU keeps in CCS where CCO is EFLAGS.
const arithFlags = idt.FlagCF | idt.FlagPF | idt.FlagAF | idt.FlagZF | idt.FlagSF | idt.FlagOF

// code64 tells whether 64-bit code runs.
func code64(s *cpu.State) bool { return s.EFER&mmu.EFERLMA != 0 && s.Seg[segCS].Attr&idt.AttrL != 0 }

// appendGeneral adds the general registers, instruction pointer and flags.
func appendGeneral(b []byte, s *cpu.State) []byte {
	g := &s.GPR
	if code64(s) {
		b = fmt.Appendf(b, "RAX=%016x RBX=%016x RCX=%016x RDX=%016x\n", g[0], g[3], g[1], g[2])
		b = fmt.Appendf(b, "RSI=%016x RDI=%016x RBP=%016x RSP=%016x\n", g[6], g[7], g[5], g[4])
		b = fmt.Appendf(b, "R8 =%016x R9 =%016x R10=%016x R11=%016x\n", g[8], g[9], g[10], g[11])
		b = fmt.Appendf(b, "R12=%016x R13=%016x R14=%016x R15=%016x\n", g[12], g[13], g[14], g[15])
		b = fmt.Appendf(b, "RIP=%016x RFL=%08x", s.RIP, s.RFLAGS)
	} else {
		b = fmt.Appendf(b, "EAX=%08x EBX=%08x ECX=%08x EDX=%08x\n", uint32(g[0]), uint32(g[3]), uint32(g[1]), uint32(g[2]))
		b = fmt.Appendf(b, "ESI=%08x EDI=%08x EBP=%08x ESP=%08x\n", uint32(g[6]), uint32(g[7]), uint32(g[5]), uint32(g[4]))
		b = fmt.Appendf(b, "EIP=%08x EFL=%08x", uint32(s.RIP), s.RFLAGS)
	}
	b = append(b, " ["...)
	for _, f := range flagLetters {
		if s.RFLAGS&f.bit == 0 {
			b = append(b, '-')
		} else {
			b = append(b, f.letter)
		}
	}
	return fmt.Appendf(b, "] CPL=%d II=%d A20=%d SMM=0 HLT=%d\n", s.CPL, number(s.Shadow != 0), number(s.A20), number(s.Halted))
}

var flagLetters = []struct {
	bit    uint64
	letter byte
}{
	{idt.FlagDF, 'D'}, {idt.FlagOF, 'O'}, {idt.FlagSF, 'S'}, {idt.FlagZF, 'Z'}, {idt.FlagAF, 'A'}, {idt.FlagPF, 'P'}, {idt.FlagCF, 'C'},
}

func number(b bool) int {
	if b {
		return 1
	}
	return 0
}

// appendSegment adds a segment register with its hidden part: base, limit, and
// bits 8 to 23 of its descriptor's second word.
func appendSegment(b []byte, name string, g *idt.Segment, s *cpu.State) []byte {
	width := 8
	if code64(s) {
		width = 16
	}
	flags := descriptorFlags(g)
	b = fmt.Appendf(b, "%-3s=%04x %0*x %08x %08x", name, g.Sel, width, g.Base, g.Limit, flags)
	if s.CR0&mmu.CR0PE != 0 && flags&(uint32(idt.AttrPresent)<<8) != 0 {
		b = fmt.Appendf(b, " DPL=%d %s", g.Attr.DPL(), describe(g.Attr, s.EFER&mmu.EFERLMA != 0))
	}
	return append(b, '\n')
}

// descriptorFlags are bits 8 to 23 of a descriptor's second word, the limit's
// bits 16 to 19 among them. A register loaded with a null selector has none.
func descriptorFlags(g *idt.Segment) uint32 {
	if g.Attr&idt.AttrUnusable != 0 {
		return 0
	}
	limit := g.Limit
	if g.Attr&idt.AttrG != 0 {
		limit >>= 12
	}
	return uint32(g.Attr&^0xf00)<<8 | limit&0xf0000
}

// describe names a descriptor's type in QEMU's words.
func describe(a idt.Attr, long bool) string {
	if a&idt.AttrS == 0 {
		if long {
			return systemTypes64[a&idt.AttrType]
		}
		return systemTypes32[a&idt.AttrType]
	}
	words, first, second := "DS16", byte('E'), byte('W')
	switch {
	case a&idt.AttrCode != 0 && a&idt.AttrL != 0:
		words, first, second = "CS64", 'C', 'R'
	case a&idt.AttrCode != 0 && a&idt.AttrDB != 0:
		words, first, second = "CS32", 'C', 'R'
	case a&idt.AttrCode != 0:
		words, first, second = "CS16", 'C', 'R'
	case a&idt.AttrDB != 0 || long:
		words = "DS  "
	}
	bits := []byte{'-', '-', '-'}
	for i, f := range []struct {
		bit    idt.Attr
		letter byte
	}{{idt.AttrDown, first}, {idt.AttrWritable, second}, {idt.AttrAccessed, 'A'}} {
		if a&f.bit != 0 {
			bits[i] = f.letter
		}
	}
	return fmt.Sprintf("%s [%s]", words, bits)
}

// systemTypes32 and systemTypes64 are QEMU's names of the system types.
var (
	systemTypes32 = [16]string{
		"Reserved", "TSS16-avl", "LDT", "TSS16-busy", "CallGate16", "TaskGate", "IntGate16", "TrapGate16",
		"Reserved", "TSS32-avl", "Reserved", "TSS32-busy", "CallGate32", "Reserved", "IntGate32", "TrapGate32",
	}
	systemTypes64 = [16]string{
		"<hiword>", "Reserved", "LDT", "Reserved", "Reserved", "Reserved", "Reserved", "Reserved",
		"Reserved", "TSS64-avl", "Reserved", "TSS64-busy", "CallGate64", "Reserved", "IntGate64", "TrapGate64",
	}
)

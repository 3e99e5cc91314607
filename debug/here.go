package debug

import (
	"fmt"
	"strings"

	"x86emu/decode"
	"x86emu/machine"
)

// Next is the instruction that the machine stands before, as "linear address
// bytes, text, place"; where it cannot be fetched, why.
func Next(m *machine.Machine, syms *Symbols) string {
	lin := m.CPU.CodeAt()
	s := m.CPU.State()
	b := (&Recorder{m: m}).code(uint64(lin), 15)
	d := decode.Decoder{Features: m.CPU.Model.Features}
	var in decode.Inst
	text, n := "(bad)", len(b)
	switch d.Decode(&in, b, m.CPU.Mode()) {
	case decode.OK:
		text, n = in.Intel(s.RIP), int(in.Len)
	case decode.NeedMore:
		text = "(its bytes are not all mapped)"
	}
	line := fmt.Sprintf("0x%x: %x  %s", uint64(lin), b[:n], text)
	if p := syms.At(uint64(lin)); p != nil {
		line += "  " + p.String()
	}
	return line
}

// Registers is a machine's registers in lines: the general ones, instruction
// pointer and flags by name, segments, control registers.
func Registers(m *machine.Machine) string {
	s := m.CPU.State()
	var b strings.Builder
	names, width := "eax ecx edx ebx esp ebp esi edi", 8
	long := m.CPU.Mode() == decode.Mode64
	if long {
		names, width = "rax rcx rdx rbx rsp rbp rsi rdi r8 r9 r10 r11 r12 r13 r14 r15", 16
	}
	for i, name := range strings.Fields(names) {
		fmt.Fprintf(&b, "%-3s %0*x", name, width, s.GPR[i])
		b.WriteByte(" \n"[i%4/3])
	}
	ip := "eip"
	if long {
		ip = "rip"
	}
	fmt.Fprintf(&b, "%s %0*x flags %x [%s] cpl %d tick %d\n", ip, width, s.RIP, s.RFLAGS, bitNames(s.RFLAGS, FlagBits), s.CPL, s.Ticks)
	for i, seg := range s.Seg {
		fmt.Fprintf(&b, "%s %04x ", strings.ToLower(decode.SegReg(i).String()), seg.Sel)
	}
	fmt.Fprintf(&b, "tr %04x\n", s.TR.Sel)
	fmt.Fprintf(&b, "cr0 %x cr2 %x cr3 %x cr4 %x efer %x\n", s.CR0, s.CR2, s.CR3, s.CR4, s.EFER)
	return b.String()
}

package session

import (
	"x86emu/debug"
	"x86emu/decode"
	"x86emu/idt"
	"x86emu/machine"
	"x86emu/mmu"
)

// modeOf is the mode of the code that a state runs.
func modeOf(m *machine.Machine) decode.Mode {
	cs, ctl := &m.CPU.Regs().Seg[decode.CS], &m.MMU.Ctl
	switch {
	case ctl.EFER&mmu.EFERLMA != 0 && cs.Attr&idt.AttrL != 0:
		return decode.Mode64
	case cs.Attr&idt.AttrDB != 0 && m.CPU.Regs().RFLAGS&idt.FlagVM == 0:
		return decode.Mode32
	}
	return decode.Mode16
}

// instAt decodes the instruction at a linear address; ok is false where there is
// none to be seen.
func instAt(m *machine.Machine, at mmu.Linear) (in decode.Inst, ok bool) {
	var code [15]byte
	n := debug.Peek(m, at, code[:])
	d := decode.Decoder{Features: m.CPU.Model.Features}
	return in, d.Decode(&in, code[:n], modeOf(m)) == decode.OK
}

func (s *Session) inst(at mmu.Linear) (decode.Inst, bool) { return instAt(s.m, at) }

// calls tells whether an instruction expects that control comes back behind it.
func calls(in *decode.Inst) bool {
	switch in.Op {
	case decode.CALL, decode.LCALL, decode.INT, decode.INTO, decode.ICEBP, decode.SYSCALL, decode.SYSENTER:
		return true
	}
	return false
}

// returns tells whether an instruction takes control back to where it came from.
func returns(in *decode.Inst) bool {
	switch in.Op {
	case decode.RET, decode.LRET, decode.IRET, decode.IRETD, decode.IRETQ:
		return true
	}
	return false
}

// repeats tells whether an instruction has a repeat prefix.
func repeats(in *decode.Inst) bool { return in.Prefix&(decode.PrefixRep|decode.PrefixRepne) != 0 }

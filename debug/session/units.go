package session

import (
	"fmt"

	"x86emu/cpu"
	"x86emu/debug"
	"x86emu/decode"
	"x86emu/machine"
)

// Bank is a set of registers that are looked at together.
type Bank uint8

// The banks. Those of a unit that the model has not are empty.
const (
	BankGeneral Bank = iota
	BankX87          // ST(0) to ST(7), control, status and tag word, last instruction
	BankMMX          // the low 64 bits of the x87's physical registers
	BankSSE          // XMM registers, MXCSR, XCR0
	Banks
)

func (b Bank) String() string { return [...]string{"registers", "x87", "MMX", "SSE"}[b] }

// stRegs lists the x87's registers, their values equally wide so that they stand in
// columns.
func stRegs(p, old *cpu.FPState) []Reg {
	const width = 20 + 1 + 14
	var all []Reg
	value := func(p *cpu.FPState, i, digits int) string {
		n := (int(p.SW>>11) + i) & 7
		text := "empty"
		if p.Used>>n&1 != 0 {
			text = debug.Float80(p.R[n], digits)
		}
		return fmt.Sprintf("%04x%016x %s", p.R[n].SE, p.R[n].Sig, text)
	}
	for i := range 8 {
		r := Reg{Name: fmt.Sprintf("st%d", i), Value: fmt.Sprintf("%-*s", width, value(p, i, 7))}
		if was := value(old, i, -1); was != value(p, i, -1) {
			r.Changed, r.Old = true, was
		}
		n := (int(p.SW>>11) + i) & 7
		r.Place = fmt.Sprintf("R%d", n)
		if p.Used>>n&1 != 0 {
			r.Place += " = " + debug.Float80(p.R[n], -1)
		}
		all = append(all, r)
	}
	for _, w := range []struct {
		name     string
		now, was uint64
		digits   int
	}{
		{"fcw", uint64(p.CW), uint64(old.CW), 4}, {"fsw", uint64(p.SW), uint64(old.SW), 4},
		{"ftw", uint64(p.TagWord()), uint64(old.TagWord()), 4}, {"fop", uint64(p.FOP), uint64(old.FOP), 3},
		{"fcs", uint64(p.FCS), uint64(old.FCS), 4}, {"fip", p.FIP, old.FIP, 8},
		{"fds", uint64(p.FDS), uint64(old.FDS), 4}, {"fdp", p.FDP, old.FDP, 8},
	} {
		all = append(all, number(w.name, w.now, w.was, w.digits))
	}
	return all
}

// number is a register with an integer in it.
func number(name string, now, was uint64, digits int) Reg {
	r := Reg{Name: name, Value: fmt.Sprintf("%0*x", digits, now), Changed: now != was}
	if r.Changed {
		r.Old = fmt.Sprintf("%0*x", digits, was)
	}
	return r
}

// mmxRegs lists the MMX registers.
func mmxRegs(p, old *cpu.FPState) []Reg {
	var all []Reg
	for i := range p.R {
		all = append(all, number(fmt.Sprintf("mm%d", i), p.R[i].Sig, old.R[i].Sig, 16))
	}
	return all
}

// sseRegs lists the XMM registers that code of this size can reach.
func sseRegs(m *machine.Machine, p, old *cpu.FPState) []Reg {
	n := 8
	if modeOf(m) == decode.Mode64 {
		n = 16
	}
	var all []Reg
	for i := range n {
		r := Reg{Name: fmt.Sprintf("xmm%d", i), Value: fmt.Sprintf("%016x%016x", p.XMM[i].Hi, p.XMM[i].Lo)}
		if r.Changed = p.XMM[i] != old.XMM[i]; r.Changed {
			r.Old = fmt.Sprintf("%016x%016x", old.XMM[i].Hi, old.XMM[i].Lo)
		}
		singles, doubles := debug.Lanes(p.XMM[i].Lo, p.XMM[i].Hi)
		r.Place = "ps " + singles + "  pd " + doubles
		all = append(all, r)
	}
	return append(all, number("mxcsr", uint64(p.MXCSR), uint64(old.MXCSR), 4), number("xcr0", p.XCR0, old.XCR0, 1))
}

// units fills in the banks of the units that the model has, and what their
// control and status words say.
func (f *Frame) units(s *Session, m *machine.Machine, st *cpu.State) {
	p, old := &st.FP, &s.before.FP
	x87, mmx, sse := m.CPU.Model.Units()
	if x87 {
		f.Units[BankX87], f.Words[BankX87] = stRegs(p, old), debug.X87Words(p)
	}
	if mmx {
		f.Units[BankMMX] = mmxRegs(p, old)
	}
	if sse {
		f.Units[BankSSE], f.Words[BankSSE] = sseRegs(m, p, old), debug.MXCSRWords(p.MXCSR)
	}
}

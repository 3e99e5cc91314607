package diff

import (
	"slices"

	"x86emu/decode"
	"x86emu/idt"
)

// maskRow is one thing that the manual leaves undefined.
type maskRow struct {
	name string // as a summary counts it
	cite string
	ops  []decode.Op // those it is about; none: whatever when says
	// when says in which of their cases, nil: in all. in is one of x.Insts.
	when func(x *Context, in *decode.Inst) bool
	// flags are the bits that are undefined then; more, if there is more than flags,
	// adds the rest.
	flags  uint64
	faults bool // also of a fault of the instruction
	more   func(x *Context, in *decode.Inst, m *Mask)
}

const (
	flagsSZP   = idt.FlagSF | idt.FlagZF | idt.FlagPF
	flagsArith = flagsSZP | idt.FlagCF | idt.FlagAF | idt.FlagOF
)

// masks is everything that the manual leaves undefined. Who leaves out a
// flag here must not leave out the case: the rest of the answer counts.
var masks = []maskRow{
	{name: "logic: AF", cite: "SDM 2, AND; OR; XOR; TEST: The state of the AF flag is undefined.",
		ops: []decode.Op{decode.AND, decode.OR, decode.XOR, decode.TEST}, flags: idt.FlagAF},
	{name: "MUL, IMUL: SF ZF AF PF", cite: "SDM 2, MUL; IMUL: The SF, ZF, AF, and PF flags are undefined.",
		ops: []decode.Op{decode.MUL, decode.IMUL}, flags: flagsSZP | idt.FlagAF},
	{name: "DIV, IDIV: all", cite: "SDM 2, DIV; IDIV: The CF, OF, SF, ZF, AF, and PF flags are undefined.",
		ops: []decode.Op{decode.DIV, decode.IDIV}, flags: flagsArith},
	{name: "shift: AF", cite: "SDM 2, SAL/SAR/SHL/SHR; SHLD; SHRD: the AF flag is undefined for a non-zero count.",
		ops: []decode.Op{decode.SHL, decode.SHR, decode.SAR, decode.SHLD, decode.SHRD}, when: shifts, flags: idt.FlagAF},
	{name: "shift by more than one: OF", cite: "SDM 2, SAL/SAR/SHL/SHR; SHLD; SHRD; RCL/RCR/ROL/ROR: OF is affected only for 1-bit shifts and rotates; otherwise, it is undefined.",
		ops:  []decode.Op{decode.SHL, decode.SHR, decode.SAR, decode.SHLD, decode.SHRD, decode.ROL, decode.ROR, decode.RCL, decode.RCR},
		when: func(x *Context, in *decode.Inst) bool { n, known := count(x, in); return !known || n > 1 }, flags: idt.FlagOF},
	{name: "shift by the width and more: CF", cite: "SDM 2, SAL/SAR/SHL/SHR: CF is undefined for SHL and SHR instructions where the count is greater than or equal to the size (in bits) of the destination operand.",
		ops: []decode.Op{decode.SHL, decode.SHR}, when: overWidth, flags: idt.FlagCF},
	{name: "SHLD, SHRD by more than the width", cite: "SDM 2, SHLD; SHRD: If the count is greater than the operand size, the result is undefined; ... the flags are undefined.",
		ops: []decode.Op{decode.SHLD, decode.SHRD},
		when: func(x *Context, in *decode.Inst) bool {
			n, known := count(x, in)
			return !known || n > 8*int(in.OpSize)
		}, flags: flagsArith, more: destination},
	{name: "BT and kin: OF SF AF PF", cite: "SDM 2, BT; BTC; BTR; BTS: The ZF flag is unaffected. The OF, SF, AF, and PF flags are undefined.",
		ops: []decode.Op{decode.BT, decode.BTC, decode.BTR, decode.BTS}, flags: idt.FlagOF | idt.FlagSF | idt.FlagAF | idt.FlagPF},
	{name: "BSF, BSR: all but ZF", cite: "SDM 2, BSF; BSR: The CF, OF, SF, AF, and PF flags are undefined.",
		ops: []decode.Op{decode.BSF, decode.BSR}, flags: flagsArith &^ idt.FlagZF},
	{name: "TZCNT, LZCNT: OF SF PF AF", cite: "SDM 2, TZCNT; LZCNT: OF, SF, PF and AF flags are undefined.",
		ops: []decode.Op{decode.TZCNT, decode.LZCNT}, flags: idt.FlagOF | idt.FlagSF | idt.FlagPF | idt.FlagAF},
	{name: "BSWAP of 16 bits", cite: "SDM 2, BSWAP: When the BSWAP instruction references a 16-bit register, the result is undefined.",
		ops: []decode.Op{decode.BSWAP}, when: func(_ *Context, in *decode.Inst) bool { return in.OpSize == 2 }, more: destination},
	{name: "AAA, AAS: OF SF ZF PF", cite: "SDM 2, AAA; AAS: The OF, SF, ZF, and PF flags are undefined.",
		ops: []decode.Op{decode.AAA, decode.AAS}, flags: idt.FlagOF | flagsSZP},
	{name: "DAA, DAS: OF", cite: "SDM 2, DAA; DAS: The OF flag is undefined.",
		ops: []decode.Op{decode.DAA, decode.DAS}, flags: idt.FlagOF},
	{name: "RDTSC, RDTSCP: the time", cite: "SDM 2, RDTSC; RDTSCP: the current value of the processor's time-stamp counter",
		ops: []decode.Op{decode.RDTSC, decode.RDTSCP}, more: registers(0, 2)},
	{name: "CPUID: who it is", cite: "SDM 2, CPUID: returns processor identification and feature information",
		ops: []decode.Op{decode.CPUID}, more: registers(0, 1, 2, 3)},
	{name: "RDRAND, RDSEED: chance", cite: "SDM 2, RDRAND; RDSEED: loads a hardware-generated random value",
		ops: []decode.Op{decode.RDRAND, decode.RDSEED}, more: destination},
	{name: "AAM, AAD: OF AF CF", cite: "SDM 2, AAM; AAD: The OF, AF, and CF flags are undefined.",
		ops: []decode.Op{decode.AAM, decode.AAD}, flags: idt.FlagOF | idt.FlagAF | idt.FlagCF},
	{name: "x87 functions: the last place", cite: "SDM 1, Transcendental Instruction Accuracy: the worst case error is less than 1 ulp",
		ops:  []decode.Op{decode.FSIN, decode.FCOS, decode.FSINCOS, decode.FPTAN, decode.FPATAN, decode.F2XM1, decode.FYL2X, decode.FYL2XP1},
		more: func(_ *Context, _ *decode.Inst, m *Mask) { m.Places, m.SW = 1, 1<<9 }},
	{name: "x87 and SSE state: which byte of it faults", cite: "SDM 2, FXSAVE; FXRSTOR; FSAVE; FLDENV: the order of the accesses is not said",
		ops:    []decode.Op{decode.FXSAVE, decode.FXSAVE64, decode.FXRSTOR, decode.FXRSTOR64, decode.FNSAVE, decode.FRSTOR, decode.FNSTENV, decode.FLDENV},
		faults: true, more: func(_ *Context, in *decode.Inst, m *Mask) {
			m.CR2 = ^uint64(0)
			switch in.Op {
			case decode.FXRSTOR, decode.FXRSTOR64, decode.FRSTOR, decode.FLDENV:
				m.Fields |= FieldFloat // a fault in the midst of it
			}
		}},
	{name: "MASKMOVQ, MASKMOVDQU: how they fault", cite: "SDM 2, MASKMOVQ; MASKMOVDQU: exceptions of bytes that are not stored may be signaled (implementation dependent)",
		ops: []decode.Op{decode.MASKMOVQ, decode.MASKMOVDQU}, faults: true,
		more: func(_ *Context, _ *decode.Inst, m *Mask) {
			m.CR2, m.Error = ^uint64(0), ^uint32(0)
			m.Fields |= FieldFloat // the change to MMX comes before or after
		}},
	{name: "LAR: bits 19:16", cite: "SDM 2, LAR: ... masked with 00FxFF00H, where x indicates that the four associated bits are undefined.",
		ops: []decode.Op{decode.LAR}, more: func(_ *Context, in *decode.Inst, m *Mask) { m.GPR[in.Args[0].Num] |= 0xf0000 }},
}

// MaskOf gives what must not be compared with an answer to a case, and the
// names of the rows that say so.
func (x *Context) MaskOf(r *Result) (m Mask, names []string) {
	if x.Case.Kind == Paging && r.End == Trapped && r.Vector == vectorPF {
		// A translation that ends in a fault has used entries, or has not. A and D of both
		// halves count out, since 32-bit entries lie two in a word.
		// [SDM 3A, Accessed and Dirty Flags]
		m.Tables = 0x60<<32 | 0x60
		names = append(names, "A and D of a walk that faults")
	}
	undone := x.undone(r)
	for i := range x.Insts {
		in := &x.Insts[i]
		if x.Case.Kind != Sequence && x.Case.Kind != Paging && i > 0 {
			break
		}
		for j := range masks {
			row := &masks[j]
			if undone && !row.faults {
				continue
			}
			if len(row.ops) > 0 && !slices.Contains(row.ops, in.Op) || row.when != nil && !row.when(x, in) {
				continue
			}
			m.Flags |= row.flags
			if row.more != nil {
				row.more(x, in, &m)
			}
			if !slices.Contains(names, row.name) {
				names = append(names, row.name)
			}
		}
	}
	return m, names
}

// undone tells whether the first instruction has faulted: then it has changed
// nothing, and nothing is undefined.
func (x *Context) undone(r *Result) bool {
	return x.World.User && r.End == Trapped && r.Regs.RIP == x.Case.Regs.RIP && r.Vector != uint8(idt.VecDB)
}

// count is the count of a shift or rotate, masked as the processor does, and
// whether it is known before the case runs.
func count(x *Context, in *decode.Inst) (n int, known bool) {
	limit := int64(31)
	if in.OpSize == 8 {
		limit = 63
	}
	switch a := in.Args[in.NArgs-1]; a.Kind {
	case decode.ArgOne:
		return 1, true
	case decode.ArgImm:
		return int(in.Imm & limit), true
	}
	if in != &x.Insts[0] {
		return 0, false // CL may have changed
	}
	return int(int64(x.Case.Regs.GPR[1]) & limit), true
}

func shifts(x *Context, in *decode.Inst) bool {
	n, known := count(x, in)
	return !known || n > 0
}

func overWidth(x *Context, in *decode.Inst) bool {
	n, known := count(x, in)
	return !known || n >= 8*int(in.OpSize)
}

// registers masks whole registers.
func registers(numbers ...int) func(x *Context, in *decode.Inst, m *Mask) {
	return func(_ *Context, _ *decode.Inst, m *Mask) {
		for _, n := range numbers {
			m.GPR[n] = ^uint64(0)
		}
	}
}

// destination masks the destination operand, a register or in memory.
func destination(x *Context, in *decode.Inst, m *Mask) {
	a := in.Args[0]
	if a.Kind == decode.ArgReg {
		m.GPR[a.Num] |= 1<<(8*a.Size) - 1
		return
	}
	if in != &x.Insts[0] {
		return
	}
	linear, size, ok := x.Operand()
	for i := 0; ok && i < size; i++ {
		if at, mapped := x.World.Offset(linear + uint64(i)); mapped {
			m.Mem = append(m.Mem, Word{at &^ 7, 0xff << (at % 8 * 8)})
		}
	}
}

// Undefined lists the table for people: name and citation.
func Undefined() [][2]string {
	out := make([][2]string, len(masks))
	for i := range masks {
		out[i] = [2]string{masks[i].name, masks[i].cite}
	}
	return out
}

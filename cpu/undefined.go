package cpu

import (
	"golang.org/x/arch/x86/x86asm"

	"x86emu/idt"
)

// choice is the value that we give to a flag which the manual leaves undefined.
type choice string

const (
	cleared  choice = "0"
	set      choice = "1"
	kept     choice = "as before"
	byResult choice = "as the result says"
	asIfOne  choice = "as defined for a count of one"
	asSum    choice = "as of the addition or subtraction of the adjustment"
)

const (
	flagsSZP  = idt.FlagSF | idt.FlagZF | idt.FlagPF
	flagsSZAP = flagsSZP | idt.FlagAF
	flagsCO   = idt.FlagCF | idt.FlagOF
)

// undefinedFlags is the complete list of arithmetic flags that the manual
// leaves undefined, with the value that they get here. hw tells that the
// processor on which testdata was captured (AMD Zen 4) gives the same value,
// so that the corpus proves it too. Where processors disagree we take what
// recent ones of either maker give, except that the flags of IMUL and of
// shifts depend on nothing but the operands, which lets the run loop forget
// earlier flags before them.
//
// The comments say what Intel's P6 line, from which today's cores descend,
// and its P4 line give. [sandpile.org, x86 architecture rFLAGS register]
var undefinedFlags = []struct {
	ops    []x86asm.Op
	flags  uint64
	choice choice
	hw     bool
}{
	// P6, P4: 0.
	{[]x86asm.Op{x86asm.AND, x86asm.OR, x86asm.XOR, x86asm.TEST}, idt.FlagAF, cleared, true},
	// P6: as before; P4: as here. Zen 4: as before.
	{[]x86asm.Op{x86asm.MUL, x86asm.IMUL}, flagsSZP, byResult, false},
	{[]x86asm.Op{x86asm.MUL, x86asm.IMUL}, idt.FlagAF, cleared, false},
	// P6, P4: all as before.
	{[]x86asm.Op{x86asm.DIV, x86asm.IDIV}, flagsCO, kept, true},
	{[]x86asm.Op{x86asm.DIV, x86asm.IDIV}, flagsSZP, cleared, true},
	{[]x86asm.Op{x86asm.DIV, x86asm.IDIV}, idt.FlagAF, set, true},
	// P6: as before; P4: 0. Zen 4: 1.
	{[]x86asm.Op{x86asm.SHL, x86asm.SHR, x86asm.SAR, x86asm.SHLD, x86asm.SHRD}, idt.FlagAF, cleared, false},
	// P6, P4: as here. CF of a shift by more than the operand's width is 0, or
	// the sign for SAR.
	{[]x86asm.Op{x86asm.SHL, x86asm.SHR, x86asm.SAR, x86asm.SHLD, x86asm.SHRD}, idt.FlagOF, asIfOne, true},
	{[]x86asm.Op{x86asm.SHL, x86asm.SHR, x86asm.SAR}, idt.FlagCF, byResult, true},
	// P6, P4: as here, save that a count that is a multiple of the width keeps OF.
	{[]x86asm.Op{x86asm.ROL, x86asm.ROR, x86asm.RCL, x86asm.RCR}, idt.FlagOF, asIfOne, true},
	// P6, P4: as before.
	{[]x86asm.Op{x86asm.BT, x86asm.BTS, x86asm.BTR, x86asm.BTC}, idt.FlagOF | idt.FlagSF | idt.FlagAF | idt.FlagPF, kept, true},
	// P6: as before; P4: as here.
	{[]x86asm.Op{x86asm.BSF, x86asm.BSR}, flagsCO | idt.FlagSF | idt.FlagAF, cleared, true},
	{[]x86asm.Op{x86asm.BSF, x86asm.BSR}, idt.FlagPF, byResult, true},
	// Not known for Intel.
	{[]x86asm.Op{x86asm.TZCNT, x86asm.LZCNT}, idt.FlagOF, kept, true},
	{[]x86asm.Op{x86asm.TZCNT, x86asm.LZCNT}, idt.FlagSF | idt.FlagAF | idt.FlagPF, cleared, true},
	// P6: OF as before, or constant; the others as here.
	{[]x86asm.Op{x86asm.AAA, x86asm.AAS}, idt.FlagOF | flagsSZP, asSum, true},
	{[]x86asm.Op{x86asm.DAA, x86asm.DAS}, idt.FlagOF, asSum, true},
	// P6, P4: as here.
	{[]x86asm.Op{x86asm.AAM}, flagsCO | idt.FlagAF, cleared, true},
	{[]x86asm.Op{x86asm.AAD}, flagsCO | idt.FlagAF, asSum, true},
}

// Undefined results, as opposed to flags:
//
//	BSF, BSR of zero: the destination stays as it was, all 64 bits. AMD
//	  documents it, Intel's silicon does it.
//	BSWAP of 16 bits: zero, on both makers' silicon.
//	SHLD, SHRD of 16 bits by more than 16: after the source's bits come the
//	  destination's, as on Intel since the P6. Zen 4 takes the source's twice.

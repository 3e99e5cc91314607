package cpu

import (
	"x86emu/decode"
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
	ops    []decode.Op
	flags  uint64
	choice choice
	hw     bool
}{
	// P6, P4: 0.
	{[]decode.Op{decode.AND, decode.OR, decode.XOR, decode.TEST}, idt.FlagAF, cleared, true},
	// P6: as before; P4: as here. Zen 4: as before.
	{[]decode.Op{decode.MUL, decode.IMUL}, flagsSZP, byResult, false},
	{[]decode.Op{decode.MUL, decode.IMUL}, idt.FlagAF, cleared, false},
	// P6, P4: all as before.
	{[]decode.Op{decode.DIV, decode.IDIV}, flagsCO, kept, true},
	{[]decode.Op{decode.DIV, decode.IDIV}, flagsSZP, cleared, true},
	{[]decode.Op{decode.DIV, decode.IDIV}, idt.FlagAF, set, true},
	// P6: as before; P4: 0. Zen 4: 1.
	{[]decode.Op{decode.SHL, decode.SHR, decode.SAR, decode.SHLD, decode.SHRD}, idt.FlagAF, cleared, false},
	// P6, P4: as here. CF of a shift by more than the operand's width is 0, or
	// the sign for SAR.
	{[]decode.Op{decode.SHL, decode.SHR, decode.SAR, decode.SHLD, decode.SHRD}, idt.FlagOF, asIfOne, true},
	{[]decode.Op{decode.SHL, decode.SHR, decode.SAR}, idt.FlagCF, byResult, true},
	// P6, P4: as here, save that a count that is a multiple of the width keeps OF.
	{[]decode.Op{decode.ROL, decode.ROR, decode.RCL, decode.RCR}, idt.FlagOF, asIfOne, true},
	// P6, P4: as before.
	{[]decode.Op{decode.BT, decode.BTS, decode.BTR, decode.BTC}, idt.FlagOF | idt.FlagSF | idt.FlagAF | idt.FlagPF, kept, true},
	// P6: as before; P4: as here.
	{[]decode.Op{decode.BSF, decode.BSR}, flagsCO | idt.FlagSF | idt.FlagAF, cleared, true},
	{[]decode.Op{decode.BSF, decode.BSR}, idt.FlagPF, byResult, true},
	// Not known for Intel.
	{[]decode.Op{decode.TZCNT, decode.LZCNT}, idt.FlagOF, kept, true},
	{[]decode.Op{decode.TZCNT, decode.LZCNT}, idt.FlagSF | idt.FlagAF | idt.FlagPF, cleared, true},
	// P6: OF as before, or constant; the others as here.
	{[]decode.Op{decode.AAA, decode.AAS}, idt.FlagOF | flagsSZP, asSum, true},
	{[]decode.Op{decode.DAA, decode.DAS}, idt.FlagOF, asSum, true},
	// P6, P4: as here.
	{[]decode.Op{decode.AAM}, flagsCO | idt.FlagAF, cleared, true},
	{[]decode.Op{decode.AAD}, flagsCO | idt.FlagAF, asSum, true},
}

// Undefined results, as opposed to flags:
//
//	BSF, BSR of zero: the destination stays as it was, all 64 bits. AMD
//	  documents it, Intel's silicon does it.
//	BSWAP of 16 bits: zero, on both makers' silicon.
//	SHLD, SHRD of 16 bits by more than 16: after the source's bits come the
//	  destination's, as on Intel since the P6. Zen 4 takes the source's twice
//	  (and after SHLD by 16 its OF is CF); the corpus leaves these out.

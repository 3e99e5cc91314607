package diff

// Regs are the registers of a case or of a result. Segment registers and
// system registers hold selectors: what is behind them comes from the tables of
// the world, by loading them. It is comparable with ==.
type Regs struct {
	GPR            [16]uint64 // RAX RCX RDX RBX RSP RBP RSI RDI R8 to R15
	RIP, RFLAGS    uint64
	Seg            [6]uint16 // ES CS SS DS FS GS
	FSBase, GSBase uint64    // used where the selector is null, and in 64-bit mode

	// Float stays zero in cases that are not about it.
	Float Float

	// The rest stays zero in the user world.

	CR0, CR2, CR3, CR4 uint64
	EFER               uint64
	PKRU               uint32
	DR                 [8]uint64 // 4 and 5 unused
	GDTR, IDTR         TableReg
	LDTR, TR           uint16
}

// Float are the registers of the x87, MMX and SSE units, as FXSAVE has them but for
// the addresses of the last x87 instruction, which processors keep differently.
type Float struct {
	CW, SW, Tags uint16 // a tag is one bit, of a physical register: 1 is in use
	MXCSR        uint32
	ST           [8]Extended // ST(0) to ST(7); the significand is an MMX register
	XMM          [16][2]uint64
}

// Extended is a register of the x87.
type Extended struct {
	Sig uint64
	SE  uint16 // sign and exponent
}

// Used tells whether a case is about them: none leaves the control words zero.
func (f *Float) Used() bool { return f.CW != 0 || f.MXCSR != 0 }

// TableReg is GDTR or IDTR.
type TableReg struct {
	Base  uint64
	Limit uint16
}

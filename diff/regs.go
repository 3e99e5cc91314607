package diff

// Regs are the registers of a case or of a result. Segment registers and
// system registers hold selectors: what is behind them comes from the tables of
// the world, by loading them. It is comparable with ==.
type Regs struct {
	GPR            [16]uint64 // RAX RCX RDX RBX RSP RBP RSI RDI R8 to R15
	RIP, RFLAGS    uint64
	Seg            [6]uint16 // ES CS SS DS FS GS
	FSBase, GSBase uint64    // used where the selector is null, and in 64-bit mode

	// The rest stays zero in the user world.

	CR0, CR2, CR3, CR4 uint64
	EFER               uint64
	PKRU               uint32
	DR                 [8]uint64 // 4 and 5 unused
	GDTR, IDTR         TableReg
	LDTR, TR           uint16
}

// TableReg is GDTR or IDTR.
type TableReg struct {
	Base  uint64
	Limit uint16
}

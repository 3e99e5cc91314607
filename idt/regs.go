package idt

import "x86emu/mmu"

// Segment is a segment register with its hidden part (the descriptor cache).
type Segment struct {
	Sel   uint16
	Attr  Attr
	Limit uint32 // in bytes, granularity applied: the last valid offset (expand-down: the last invalid one)
	Base  uint64
}

// Attr holds the access rights as a descriptor's bits 40 to 55 do, the limit's
// bits left out: type 0-3, S 4, DPL 5-6, P 7, AVL 12, L 13, D/B 14, G 15.
type Attr uint16

const (
	AttrType     Attr = 0xf
	AttrAccessed Attr = 1 << 0
	AttrWritable Attr = 1 << 1 // data: writable; code: readable
	AttrDown     Attr = 1 << 2 // data: expand-down; code: conforming
	AttrCode     Attr = 1 << 3
	AttrS        Attr = 1 << 4
	AttrPresent  Attr = 1 << 7
	AttrUnusable Attr = 1 << 8 // loaded with a null selector
	AttrL        Attr = 1 << 13
	AttrDB       Attr = 1 << 14
	AttrG        Attr = 1 << 15
)

// DPL is the descriptor privilege level.
func (a Attr) DPL() uint8 { return uint8(a>>5) & 3 }

// Table is GDTR or IDTR.
type Table struct {
	Base  uint64
	Limit uint16
}

// Shadow is the interrupt shadow: what the next instruction boundary does not
// recognise. [SDM 3A, Masking Exceptions and Interrupts When Switching Stacks]
type Shadow uint8

const (
	ShadowSTI   Shadow = 1 << iota // STI has just set IF: INTR waits
	ShadowMovSS                    // MOV SS or POP SS: INTR, NMI and #DB wait
)

// Regs is the part of the processor's state that delivery, task switching and
// IRET read and change: pointer-free and comparable. General registers stand
// apart (CPU.GPR), control registers in mmu.Control.
type Regs struct {
	RIP, RFLAGS uint64
	CPL         uint8
	Shadow      Shadow
	NMIBlocked  bool
	Seg         [6]Segment // indexed by decode.SegReg
	LDTR, TR    Segment
	GDTR, IDTR  Table
}

// EFLAGS bits.
const (
	FlagCF   = 1 << 0
	Flag1    = 1 << 1 // always 1
	FlagPF   = 1 << 2
	FlagAF   = 1 << 4
	FlagZF   = 1 << 6
	FlagSF   = 1 << 7
	FlagTF   = 1 << 8
	FlagIF   = 1 << 9
	FlagDF   = 1 << 10
	FlagOF   = 1 << 11
	FlagIOPL = 3 << 12
	FlagNT   = 1 << 14
	FlagRF   = 1 << 16
	FlagVM   = 1 << 17
	FlagAC   = 1 << 18
	FlagVIF  = 1 << 19
	FlagVIP  = 1 << 20
	FlagID   = 1 << 21
)

// CPU is what delivery needs of a processor. Package cpu implements it; a test
// fakes it with a bare mmu.MMU. Before a call the processor settles RIP and
// RFLAGS into Regs; after it, it derives its mode from Regs anew.
type CPU interface {
	// Core is this package's own part of the processor, one for its life. What the
	// next three methods return must not change once it is in use.
	Core() *Core
	Regs() *Regs
	GPR() *[16]uint64
	MMU() *mmu.MMU
	// DR7 is the live debug control register (a task switch clears its L bits).
	DR7() *uint64
	// DR6 is the live debug status register (a #DB sets bits in it).
	DR6() *uint64
	// PendDB adds to the pending debug exceptions (DR6 bits) that the next
	// instruction boundary delivers: a task switch's T flag.
	PendDB(dr6 uint64)
}

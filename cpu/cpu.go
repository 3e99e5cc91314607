package cpu

import (
	"sync/atomic"

	"x86emu/cpu/fp"
	"x86emu/cpu/simd"
	"x86emu/decode"
	"x86emu/idt"
	"x86emu/mmu"
)

// IO is the processor's way out to ports and the interrupt controller.
// size is 1, 2 or 4 bytes.
type IO interface {
	In(port uint16, size uint8) uint32
	Out(port uint16, size uint8, v uint32)
	// Ack answers an interrupt acknowledge with the vector of the INTR pending.
	Ack() uint8
}

// FloatErrors is an IO that has the pins by which a PC reports x87 exceptions
// while CR0.NE is 0. FERR sets the level of FERR# (true is asserted) and gives
// that of IGNNE#. Without it IGNNE# is asserted: exceptions go unnoticed.
type FloatErrors interface {
	FERR(level bool) (ignne bool)
}

// CPU is one processor. Its State is kept in a form that is fast to run: the
// general registers and the arithmetic flags apart from it, the instruction
// pointer in ip. State and SetState convert.
type CPU struct {
	r        [32]uint64 // 0-15 general registers; from 16 on scratch of the executor (rZero always 0)
	ip, next uint64     // the current instruction's address (an offset in CS), the next one's
	res, aux uint64     // lazy flags, see flags.go

	mode                             decode.Mode // code size
	spMask                           uint64      // 0xffff, 0xffffffff or all ones
	ipMask                           uint64      // likewise for RIP
	dataAcc                          mmu.Access  // User and AC as data accesses at this CPL carry them
	protected, v86, long, alignCheck bool        // CR0.PE=1 (VM86 included); EFLAGS.VM; EFER.LMA; #AC armed
	view                             *mmu.View   // shortcuts for data accesses at this privilege

	fetchAcc    mmu.Access // User and Exec as fetches carry them
	csBase      uint64     // CS base, 0 in 64-bit mode
	key         uint32     // key bits of blocks in this mode
	canonShift  uint8      // 64 less the width of a linear address
	watchAccess bool       // an observer or a data breakpoint wants to see every access
	win         window
	fetched     [2]mmu.Phys // where fetchInst found the instruction: its first byte, and its first on a second page
	blocks      blockCache
	hint        **block // of the last block's hints the one that fits how it was left
	noHint      *block

	limit              uint64 // Ticks at which the run loop must look up
	inBlock            uint64 // instructions of the running block that have retired and iterations of a REP, not yet in Ticks
	repBudget, repDone int64  // iterations that a REP may do, has done

	until, deadline    uint64
	streak, streakStop uint64 // deliveries in a row without an instruction between; the number that stops Run
	deliveryStop       uint64 // deliveries until Run returns with StopDelivery; 0: never
	lastEvent          uint64 // Ticks after the last delivery
	request            bool   // a device asked Run to stop
	interrupt          atomic.Bool
	outcome            idt.Outcome // the last shutdown's
	from               Interrupted // by the last delivery
	breaks             *breaks     // of SetBreaks, or nil
	resumed            uint64      // Ticks at which RF was last found set and cleared

	fault    idt.Event // the fault of a handler that returned false
	event    idt.Event // shown to OnEvent
	inject   bool      // injected waits to be delivered
	injected idt.Event

	// OnEvent, if not nil, is asked before each event is delivered, with the processor
	// at the instruction boundary where the event was found; see intercept.go.
	OnEvent func(e *idt.Event) (deliver bool)
	// OnDelivery, if not nil, is called after each delivery, also one that ends in
	// shutdown: the outcome, good during the call. It may look at the processor
	// and ask it to stop, and changes nothing, or takes the delivery back (intercept.go).
	OnDelivery func(*idt.Outcome)
	// OnReturn, if not nil, is called after each IRET: sp is where its frame
	// began. It may look at the processor and ask it to stop.
	OnReturn func(sp mmu.Linear)

	s     State // everything else; GPR, RIP and the arithmetic flags are stale in it while running
	core  idt.Core
	float fp.Env   // of the SSE instruction under way
	fop   uint16   // opcode of the x87 instruction under way, with fopMark, or 0
	xTmp  simd.Vec // a vector operand loaded from memory
	mmu   *mmu.MMU
	io    IO
	ferr  FloatErrors // io, or nil
	apic  APIC        // io, or nil
	Model *Model
	dec   decode.Decoder
	obs   Observer
	shown shown

	single bool // run instruction by instruction: an observer, or a breakpoint armed
}

// handler executes one instruction. c.ip is its address and c.next the one
// after it, already masked; a branch changes c.next. It returns true having
// done all, or false with c.fault set and no architectural state changed
// (decision 2: restartable instructions).
type handler func(c *CPU, in *decode.Inst) bool

// handlers holds the handler of each operation; nil is #UD.
var handlers [1 << 13]handler

// Executes tells whether an operation does anything but raise #UD because it is
// not modelled.
func Executes(op decode.Op) bool { return handlers[op] != nil }

func (c *CPU) Core() *idt.Core   { return &c.core }
func (c *CPU) Regs() *idt.Regs   { return &c.s.Regs }
func (c *CPU) GPR() *[16]uint64  { return (*[16]uint64)(c.r[:16]) }
func (c *CPU) MMU() *mmu.MMU     { return c.mmu }
func (c *CPU) DR7() *uint64      { return &c.s.DR[7] }
func (c *CPU) DR6() *uint64      { return &c.s.DR[6] }
func (c *CPU) PendDB(dr6 uint64) { c.s.PendDB |= dr6 }

// raise makes an exception without error code the handler's fault.
func (c *CPU) raise(v idt.Vector) bool {
	c.fault = idt.Event{Vector: v}
	return false
}

// raiseCode makes an exception with an error code the handler's fault.
func (c *CPU) raiseCode(v idt.Vector, code uint32) bool {
	c.fault = idt.Event{Vector: v, HasCode: true, Code: code}
	return false
}

func (c *CPU) ud() bool            { return c.raise(idt.VecUD) }
func (c *CPU) gp(code uint32) bool { return c.raiseCode(idt.VecGP, code) }
func (c *CPU) raiseEvent(e *idt.Event) bool {
	c.fault = *e
	return false
}

// pageFault makes the MMU's fault the handler's.
func (c *CPU) pageFault() bool {
	f := c.mmu.Fault
	c.fault = idt.Event{Vector: idt.VecPF, HasCode: true, Code: f.Code, CR2: uint64(f.Addr)}
	return false
}

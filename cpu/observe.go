package cpu

import (
	"x86emu/decode"
	"x86emu/idt"
	"x86emu/mmu"
)

// Observer watches execution. Its methods are called before an instruction
// runs and after an access has been made; the events are valid only during
// the call. Watching changes nothing but speed.
type Observer interface {
	Instruction(*InstEvent)
	Access(*AccessEvent)
	idt.Observer
}

// InstEvent tells that an instruction is about to run.
type InstEvent struct {
	CPU    *CPU
	Tick   uint64
	CS     uint16
	RIP    uint64
	Linear mmu.Linear
	Inst   *decode.Inst
}

// AccessEvent tells of a data access of the program, not of a fetch or of what
// the processor reads and writes by itself.
type AccessEvent struct {
	Tick   uint64
	Linear mmu.Linear
	Size   uint8 // bytes
	Write  bool
	Value  uint64
}

// shown are the events that observers are given, and the instruction that one of
// them tells of: kept in the processor, so that showing them takes no memory.
type shown struct {
	inst   InstEvent
	access AccessEvent
	step   decode.Inst
}

func (c *CPU) observeInst(in *decode.Inst) {
	lin := c.csBase + c.ip
	if c.mode != decode.Mode64 {
		lin &= 0xffffffff
	}
	c.shown.inst = InstEvent{CPU: c, Tick: c.Ticks(), CS: c.s.Seg[decode.CS].Sel, RIP: c.ip, Linear: mmu.Linear(lin), Inst: in}
	c.obs.Instruction(&c.shown.inst)
}

// sawAccess shows an access to the observer and to the data breakpoints.
func (c *CPU) sawAccess(lin mmu.Linear, size uint8, write bool, v uint64) {
	c.checkDataBreak(uint64(lin), size, write)
	if c.obs != nil {
		c.shown.access = AccessEvent{Tick: c.Ticks(), Linear: lin, Size: size, Write: write, Value: v}
		c.obs.Access(&c.shown.access)
	}
}

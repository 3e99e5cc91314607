package audit

import (
	"fmt"

	"x86emu/debug/tables"
	"x86emu/decode"
	"x86emu/idt"
	"x86emu/mmu"
)

// From is who is interrupted.
type From uint8

const (
	Now  From = iota // the processor as it is: privilege, stack, mode
	User             // code at CPL 3, with flat segments of the GDT; its stack pointer is 0
)

func (f From) String() string { return [...]string{"now", "user"}[f] }

// shadow is a processor of our own, on memory of its own: what a delivery needs
// and no more.
type shadow struct {
	r        idt.Regs
	g        [16]uint64
	m        *mmu.MMU
	dr6, dr7 uint64
	pending  uint64 // debug exceptions of a task switch
	core     idt.Core
}

func (s *shadow) Core() *idt.Core   { return &s.core }
func (s *shadow) Regs() *idt.Regs   { return &s.r }
func (s *shadow) GPR() *[16]uint64  { return &s.g }
func (s *shadow) MMU() *mmu.MMU     { return s.m }
func (s *shadow) DR6() *uint64      { return &s.dr6 }
func (s *shadow) DR7() *uint64      { return &s.dr7 }
func (s *shadow) PendDB(dr6 uint64) { s.pending |= dr6 }

// newShadow takes the processor of a moment, in one of its address spaces. The
// TLB is that of the moment as far as loading CR3 leaves it.
func newShadow(o *tables.Moment, cr3 uint64, from From) (*shadow, error) {
	s := &shadow{r: o.State.Regs, g: o.State.GPR, dr6: o.State.DR[6], dr7: o.State.DR[7]}
	s.m = mmu.New(o.Mem.Fork(), o.Paging)
	s.m.SetControl(o.State.Control)
	s.m.SetTLB(o.TLB)
	if cr3 != o.State.CR3 {
		if s.m.Mode() == mmu.ModePAE && !s.m.LoadPDPTEs(cr3) {
			return nil, fmt.Errorf("CR3 0x%x cannot be loaded: a PDPTE of it has reserved bits set (#GP)", cr3)
		}
		s.m.SetCR3(cr3)
	}
	if from == User {
		s.toUser()
	}
	return s, nil
}

// toUser makes the processor one that runs user code. Which does not matter: a
// delivery looks at the privilege, and saves the rest.
func (s *shadow) toUser() {
	const flat = idt.AttrPresent | idt.AttrS | 3<<5 | idt.AttrWritable | idt.AttrAccessed | idt.AttrG
	s.r.CPL = 3
	s.r.RFLAGS = idt.Flag1 | idt.FlagIF
	s.r.Shadow = 0
	code := flat | idt.AttrCode | idt.AttrDB
	if s.long() {
		code = flat | idt.AttrCode | idt.AttrL
	}
	s.r.Seg[decode.CS] = idt.Segment{Sel: 0x23, Attr: code, Limit: 0xffffffff}
	s.r.Seg[decode.SS] = idt.Segment{Sel: 0x2b, Attr: flat | idt.AttrDB, Limit: 0xffffffff}
	s.r.RIP, s.g[4] = 0, 0
}

func (s *shadow) long() bool { return s.m.Ctl.EFER&mmu.EFERLMA != 0 }

// entry is the linear address of the instruction that the processor is at.
func (s *shadow) entry() mmu.Linear {
	cs := &s.r.Seg[decode.CS]
	if s.long() && cs.Attr&idt.AttrL != 0 {
		return mmu.Linear(s.r.RIP)
	}
	return mmu.Linear((cs.Base + s.r.RIP) & 0xffffffff)
}

// begin looks for the first byte of a handler as its fetch does. If it does not
// come, e is what comes instead.
func (s *shadow) begin(e *idt.Event) bool {
	if s.pending != 0 {
		// A task switch's T flag traps before the first instruction.
		// [SDM 3B, Task-Switch Exception Condition]
		*e = idt.Event{Vector: idt.VecDB, DR6: s.pending, Return: s.r.RIP}
		s.pending = 0
		return false
	}
	a := mmu.Exec
	if s.r.CPL == 3 {
		a |= mmu.User
	}
	if _, ok := s.m.Fetch(s.entry(), a); ok {
		return true
	}
	f := s.m.Fault
	*e = idt.Event{Vector: idt.VecPF, HasCode: true, Code: f.Code, CR2: uint64(f.Addr), Return: s.r.RIP}
	return false
}

// mark is a state to compare with: the same one again never ends.
type mark struct {
	r        idt.Regs
	g        [16]uint64
	ctl      mmu.Control
	dr6, dr7 uint64
	tlb      []mmu.Entry
	mem      *mmu.Memory
}

func (s *shadow) mark() *mark {
	return &mark{s.r, s.g, s.m.Ctl, s.dr6, s.dr7, s.m.TLB(), s.m.Mem.Fork()}
}

package idt

import "x86emu/decode"

// Outcome tells how a delivery ended: delivered, or shutdown. Chain keeps the
// event first given and those that followed from it while it was delivered
// (second faults, the #DF that one became, the third); the longest chain is
// INT n, #GP, #PF, a second fault, #DF, a third.
type Outcome struct {
	Shutdown bool
	N        uint8
	Chain    [6]Event
}

// Deliver delivers ev through the IVT or IDT, following faults met on the way
// (serially, as #DF, or to shutdown).
func Deliver(c CPU, ev Event) Outcome { panic("BUG: not built") }

// The operations below change Regs, GPR and memory on success. On ok == false
// the event is the fault and nothing has changed, except after a task switch
// whose incoming task is at fault: then Regs are the new task's. Either way the
// fault's Return is the Regs.RIP that now stands, so a caller takes RIP and
// RFLAGS from Regs again after a failure too.
//
// next is the address of the following instruction: what a call pushes and a
// task switch saves.

// IRET returns from an interrupt with the given operand size in bytes.
func IRET(c CPU, opSize uint8, next uint64) (Event, bool) { panic("BUG: not built") }

// LoadSegment loads ES, SS, DS, FS or GS with a selector as MOV and POP do,
// in any mode, with all checks.
func LoadSegment(c CPU, reg decode.SegReg, sel uint16) (Event, bool) { panic("BUG: not built") }

// LoadLDTR and LoadTR are LLDT and LTR after their privilege and mode checks.
func LoadLDTR(c CPU, sel uint16) (Event, bool) { panic("BUG: not built") }
func LoadTR(c CPU, sel uint16) (Event, bool)   { panic("BUG: not built") }

// FarJump, FarCall and FarRet are the far transfers: code segments, call
// gates with parameter copy, task gates, TSS descriptors. pop is the number of
// bytes that RETF imm16 releases.
func FarJump(c CPU, sel uint16, off uint64, opSize uint8, next uint64) (Event, bool) {
	panic("BUG: not built")
}
func FarCall(c CPU, sel uint16, off uint64, opSize uint8, next uint64) (Event, bool) {
	panic("BUG: not built")
}
func FarRet(c CPU, pop uint16, opSize uint8) (Event, bool) { panic("BUG: not built") }

// Verify is VERR and VERW, AccessRights LAR, SegmentLimit LSL: zf tells whether
// the selector passed, v is LAR's or LSL's result. They fault on paging alone.
func Verify(c CPU, sel uint16, write bool) (zf bool, e Event, ok bool)     { panic("BUG: not built") }
func AccessRights(c CPU, sel uint16) (v uint32, zf bool, e Event, ok bool) { panic("BUG: not built") }
func SegmentLimit(c CPU, sel uint16) (v uint32, zf bool, e Event, ok bool) { panic("BUG: not built") }

// Observer watches deliveries; see the event types beside each stage.
type Observer interface{ Delivery(*DeliveryEvent) }

// DeliveryEvent is one stage of a delivery or task switch.
type DeliveryEvent struct{ Event Event }

package idt

import "x86emu/decode"

// Outcome tells how a delivery ended: delivered, or shutdown. Chain keeps the
// event first given and those that followed from it while it was delivered
// (a second fault, the #DF that it became, the third).
type Outcome struct {
	Shutdown bool
	N        uint8
	Chain    [4]Event
}

// Deliver delivers ev through the IVT or IDT, following faults met on the way
// (serially, as #DF, or to shutdown).
func Deliver(c CPU, ev Event) Outcome { panic("BUG: not built") }

// IRET returns from an interrupt with the given operand size in bytes.
// On ok == false the event is the fault, Return still to be filled in by the
// caller, and nothing has changed (a fault in the new task of a nested return
// excepted).
func IRET(c CPU, opSize uint8) (Event, bool) { panic("BUG: not built") }

// LoadSegment loads ES, SS, DS, FS or GS with a selector as MOV and POP do,
// in any mode, with all checks.
func LoadSegment(c CPU, reg decode.SegReg, sel uint16) (Event, bool) { panic("BUG: not built") }

// FarJump, FarCall and FarRet are the far transfers: code segments, call
// gates with parameter copy, task gates, TSS descriptors.
func FarJump(c CPU, sel uint16, off uint64, opSize uint8) (Event, bool) { panic("BUG: not built") }
func FarCall(c CPU, sel uint16, off uint64, opSize uint8, ret uint64) (Event, bool) {
	panic("BUG: not built")
}
func FarRet(c CPU, pop uint16, opSize uint8) (Event, bool) { panic("BUG: not built") }

// Observer watches deliveries; see the event types beside each stage.
type Observer interface{ Delivery(*DeliveryEvent) }

// DeliveryEvent is one stage of a delivery or task switch.
type DeliveryEvent struct{ Event Event }

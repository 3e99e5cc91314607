package cpu

import "x86emu/idt"

// This file holds what can be done about an event before it is delivered: what
// a hypervisor does that intercepts an exception, or injects one.
//
// OnEvent is asked about each event that the processor is about to deliver:
// faults and traps, INT n, INT3 and INTO, NMI, and interrupts, whose vector is
// acknowledged already. It is not asked about what is met while another event
// is delivered; OnDelivery tells of that, and of how the delivery ended. It is
// the same for instructions that run by themselves and in blocks, and costs
// nothing while it is nil.
//
// State, GPR and Ticks are at the boundary: after a trap, an interrupt or an
// INT n that of the next instruction, for a fault that of the instruction
// itself, of which nothing has happened (of a repeated one, its last
// iterations). CR2, DR6 and the block on NMIs are still as they were.
//
// If it returns true, the event is delivered, with whatever OnEvent has made of
// it: another vector, error code, CR2 or return address, each taken as it is.
//
// If it returns false, the event does not take place, and the processor goes on
// at e.Return. So a fault's instruction is run again, with RF set so that a
// breakpoint on it does not hit twice: whoever swallows a fault mends its cause
// first, or moves e.Return behind the instruction. A trap's, INT n's or
// interrupt's successor runs next; a halted processor is awake. It costs a tick, as a
// delivery does, so that a budget ends a guest whose fault is swallowed for ever.
//
// A delivery can also be taken back when its outcome is known: OnDelivery may call
// SetState with what State was in OnEvent, its Ticks brought up to now, and the
// processor goes on from there. What was pushed stays in memory below the
// stack pointer. After a shutdown Run has ended; SetState and another Run go on.
//
// OnEvent may write to memory, change registers by GPR, or everything by SetState
// (which flushes the TLB, and after which RIP is e.Return if the event is
// swallowed); it may call RequestStop, and does not call Run or Step. A run
// repeats itself, in a debug.History too, if OnEvent gives the same answers. A
// fork of the machine has no OnEvent until it is given one.

// Inject makes Run or Step deliver an event before they run anything, whatever
// else is pending and whatever IF says; OnEvent sees it. e.Return is set to the next
// instruction's address. What waits is not part of State, and a second event
// replaces the first. Interrupts that shall wait for IF are raised by SetINTR.
func (c *CPU) Inject(e idt.Event) { c.inject, c.injected = true, e }

// ask puts an event to OnEvent. It returns what is to be delivered, or nil.
func (c *CPU) ask(e *idt.Event) *idt.Event {
	fault := e == &c.fault && e.Kind == idt.Exception
	c.event = *e
	if c.OnEvent(&c.event) {
		return &c.event
	}
	if fault && c.event.Return == e.Return {
		c.s.RFLAGS |= idt.FlagRF
	}
	c.ip = c.event.Return
	c.s.Ticks++
	return nil
}

package debug

import (
	"x86emu/cpu"
	"x86emu/idt"
)

// Observers is several observers as one: each sees every event, in their order.
type Observers []cpu.Observer

// Instruction is cpu.Observer's.
func (o Observers) Instruction(e *cpu.InstEvent) {
	for _, one := range o {
		one.Instruction(e)
	}
}

// Access is cpu.Observer's.
func (o Observers) Access(e *cpu.AccessEvent) {
	for _, one := range o {
		one.Access(e)
	}
}

// Delivery is idt.Observer's.
func (o Observers) Delivery(e *idt.DeliveryEvent) {
	for _, one := range o {
		one.Delivery(e)
	}
}

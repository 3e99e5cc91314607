package gdb

import (
	"context"

	"x86emu/cpu"
	"x86emu/debug"
	"x86emu/idt"
	"x86emu/machine"
)

// This file steps: by one instruction, or through the code of a source line, loops
// included.

// steps goes one step, or with while as many as the instruction pointer stays in
// [first, last). Watchpoints and breakpoints end it.
func (t *target) steps(ctx context.Context, while bool, first, last uint64) error {
	for n := 0; ; n++ {
		var a debug.Arrival
		var err error
		if n < fewSteps {
			a, err = t.h.Step(ctx, t.conditions(false, false)...)
		} else {
			var ticks uint64
			if ticks, err = t.ticksWithin(ctx, first, last); err == nil {
				a, err = t.h.Run(ctx, ticks, t.conditions(true, false)...)
			}
		}
		if err != nil || t.stops(a) {
			t.arrive(a, stop{})
			return err
		}
		t.stop = stop{signal: sigTRAP}
		if ip := t.machine().CPU.State().RIP; !while || ip < first || ip >= last || t.atPoint() {
			return nil
		}
	}
}

// A range is left after a few steps or it has a loop. Then a fork looks where it
// is left, so many ticks at most at a time, and the guest follows at full speed.
const (
	fewSteps  = 256
	sliceSize = 1 << 22
)

// ticksWithin is for how many ticks from now on the instruction pointer stays in
// [first, last), if no more than sliceSize.
func (t *target) ticksWithin(ctx context.Context, first, last uint64) (uint64, error) {
	f, err := t.machine().Fork()
	if err != nil {
		return 0, err
	}
	o := &outside{m: f, first: first, last: last}
	f.CPU.SetObserver(o)
	f.CPU.OnDelivery = func(*idt.Outcome) { o.at(f.CPU.Ticks(), f.CPU.State().RIP) }
	if _, err := f.Run(ctx, min(sliceSize, t.budget())); err != nil {
		return 0, err
	}
	if !o.left {
		o.tick = f.CPU.Ticks()
	}
	return max(o.tick, t.h.Tick()+1) - t.h.Tick(), nil
}

// outside is a cpu.Observer that stops a machine whose instruction pointer leaves
// a range, and notes when.
type outside struct {
	m           *machine.Machine
	first, last uint64
	left        bool
	tick        uint64
}

func (o *outside) at(tick, ip uint64) {
	if !o.left && (ip < o.first || ip >= o.last) {
		o.left, o.tick = true, tick
		o.m.Stop()
	}
}

// Instruction, Access and Delivery are cpu.Observer's.
func (o *outside) Instruction(e *cpu.InstEvent) { o.at(e.Tick, e.RIP) }
func (o *outside) Access(*cpu.AccessEvent)      {}
func (o *outside) Delivery(*idt.DeliveryEvent)  {}

package faults

import (
	"fmt"

	"x86emu/idt"
)

// gate is what a gate is, in words.
type gate string

const (
	interruptGate = gate("interrupt gate") // DPL 0, no IST
	openGate      = gate("interrupt gate, DPL 3")
	toTask        = gate("task gate")
	noGate        = gate("no gate") // the event was lost before
)

func istGate(n int) gate { return gate(fmt.Sprintf("interrupt gate, IST %d", n)) }

func describe(g idt.Gate) gate {
	name := gate(fmt.Sprintf("gate of type %d", g.Type))
	switch g.Type {
	case 5:
		name = toTask
	case 14:
		name = interruptGate
	}
	if g.DPL != 0 {
		name += gate(fmt.Sprintf(", DPL %d", g.DPL))
	}
	if g.IST != 0 {
		name += gate(fmt.Sprintf(", IST %d", g.IST))
	}
	return name
}

// depths counts the handlers that are at work. A handler may be left without a
// return (a program is ended, a longjmp), so it is at work as long as the stack
// pointer is at or below its frame.
type depths struct {
	frames []uint64 // the lowest byte of each one's frame, the outermost first
	home   uint64   // the stack pointer when the kernel was last in no handler
}

// Two stack pointers of one stack are nearer to each other than stackSize.
// What returns to the code that was interrupted comes back within justAbove.
const (
	stackSize = 8 << 10
	justAbove = 128
)

func sameStack(a, b uint64) bool { return max(a, b)-min(a, b) < stackSize }

// at is told the stack pointer before each instruction.
func (d *depths) at(sp uint64, cpl uint8) {
	if len(d.frames) == 0 || cpl == 3 {
		d.frames = d.frames[:0]
		if cpl == 0 {
			d.home = sp
		}
		return
	}
	if sp >= d.home && sp-d.home < justAbove {
		d.frames = d.frames[:0]
		return
	}
	for i := len(d.frames) - 1; i >= 0; i-- {
		if d.frames[i] >= sp && sameStack(d.frames[i], sp) {
			d.frames = d.frames[:i+1]
			return
		}
	}
	// A stack of the handler's own, or a task's.
}

// enter counts a handler whose frame lies from first, its uppermost word, down
// to last. What it has overwritten is gone.
func (d *depths) enter(first, last uint64) int {
	for n := len(d.frames); n > 0 && d.frames[n-1] <= first && sameStack(d.frames[n-1], last); n-- {
		d.frames = d.frames[:n-1]
	}
	d.frames = append(d.frames, last)
	return len(d.frames)
}

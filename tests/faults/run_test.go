// Package faults runs the built-in kernels on x86emu and checks the faults
// themselves: which events were delivered, in which order, with which error
// code and CR2, on which stack, and who was entered. The transcript alone could
// be right by accident.
package faults

import (
	"bytes"
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"x86emu/cpu"
	"x86emu/guest"
	"x86emu/idt"
	"x86emu/machine"
)

// taken is one event that was delivered, or was lost to another one on the way.
type taken struct {
	event   idt.Event
	gate    gate
	stack   idt.Choice // why the handler's stack is where it is
	pushes  int        // words pushed on it
	top     uint64     // the stack pointer before the first of them
	first   uint64     // where the first of them lies
	last    uint64     // and the last one
	entered bool       // the handler was entered
	rip     uint64     // entered: at this address
	task    uint16     // the selector of the TSS of a task switch, 0 for none
	depth   int        // entered: how many handlers are at work, this one included
}

// recorder notes every event that is taken.
type recorder struct {
	all    []taken
	depths depths
}

func (r *recorder) Instruction(e *cpu.InstEvent) {
	const sp = 4
	r.depths.at(e.CPU.GPR()[sp], e.CPU.Regs().CPL)
}

func (r *recorder) Access(*cpu.AccessEvent) {}

func (r *recorder) Delivery(e *idt.DeliveryEvent) {
	if e.Stage == idt.StageEvent {
		r.all = append(r.all, taken{event: e.Event, gate: noGate})
		return
	}
	if len(r.all) == 0 || r.all[len(r.all)-1].entered {
		return // a return or a task switch of the program's own
	}
	last := &r.all[len(r.all)-1]
	switch e.Stage {
	case idt.StageGate:
		last.gate = describe(e.Gate)
	case idt.StageStack:
		last.stack = e.Choice
	case idt.StagePush:
		if last.pushes == 0 {
			last.first = uint64(e.Addr)
			last.top = last.first + uint64(e.Size)
		}
		last.last = uint64(e.Addr)
		last.pushes++
	case idt.StageTaskLoad:
		last.task = e.Selector
	case idt.StageEntered:
		last.entered, last.rip = true, e.Value
		last.depth = r.depths.enter(last.first, last.last)
	}
}

// budget, in ticks, is many times what a built-in kernel executes, and asleep what
// one may take whose halted time is skipped.
const (
	budget = 20_000_000
	asleep = 10_000_000_000
)

// run runs a multiboot image and returns what it wrote to COM1 and how it
// ended. A recorder, if not nil, watches.
func run(t *testing.T, image []byte, config machine.Config, watch *recorder) (serial string, result machine.Result) {
	t.Helper()
	var out bytes.Buffer
	config.Serial = machine.NewOutput(&out)
	m := boot(t, image, config)
	if watch != nil {
		m.CPU.SetObserver(watch)
	}
	result, err := m.Run(context.Background(), asleep)
	require.NoError(t, err)
	return out.String(), result
}

// boot makes a machine with a kernel at its first instruction.
func boot(t *testing.T, image []byte, config machine.Config) *machine.Machine {
	t.Helper()
	m, err := machine.New(config)
	require.NoError(t, err)
	parsed, err := guest.Parse(image)
	require.NoError(t, err)
	require.NoError(t, parsed.Load(m, guest.Options{}))
	return m
}

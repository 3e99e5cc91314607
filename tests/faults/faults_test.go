package faults

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/cpu"
	"x86emu/guest"
	"x86emu/idt"
	"x86emu/machine"
)

// Each kernel on the models that it is for, with the TLB and without: the
// transcript is the golden one, and the exit code says that the story came out
// as told.
func TestTranscripts(t *testing.T) {
	models := map[int][]string{
		16: cpu.ModelNames(),
		32: {"486", "pentium", "pentium3", "core2", "max"},
		64: {"core2", "max"},
	}
	newer := map[string][]string{
		"nx-smep-smap-32":    {"max"},
		"nx-smep-smap-64":    {"max"},
		"user-mode-32":       {"pentium3", "core2", "max"}, // SYSENTER
		"apic-timer-32":      {"pentium", "pentium3", "core2", "max"},
		"ioapic-redirect-32": {"pentium", "pentium3", "core2", "max"},
	}
	for _, kernel := range guest.Kernels() {
		on, ok := newer[kernel.Name]
		if !ok {
			on = models[kernel.Bits]
		}
		for _, name := range on {
			for _, off := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%s/TLBOff=%t", kernel.Name, name, off), func(t *testing.T) {
					t.Parallel()
					model, ok := cpu.ModelByName(name)
					require.True(t, ok)
					serial, result := run(t, kernel.Image, machine.Config{Model: model, TLBOff: off, Drives: kernel.Drives(), Keys: guest.BuiltinKeys(kernel.Name)}, nil)
					if off && kernel.StaleTLB {
						assert.NotEqual(t, kernel.Transcript, serial)
					} else {
						assert.Equal(t, kernel.Transcript, serial)
					}
					assert.Equal(t, kernel.End, result.Reason, "%v", result.Story())
					assert.Zero(t, result.Value)
				})
			}
		}
	}
}

// Many machines in one program run at the same time and do not disturb one
// another.
func TestMachinesInParallel(t *testing.T) {
	for i := range 4 {
		for _, kernel := range guest.Kernels() {
			t.Run(fmt.Sprintf("%s/%d", kernel.Name, i), func(t *testing.T) {
				t.Parallel()
				serial, result := run(t, kernel.Image, machine.Config{Drives: kernel.Drives(), Keys: guest.BuiltinKeys(kernel.Name)}, nil)
				assert.Equal(t, kernel.End, result.Reason)
				assert.Equal(t, kernel.Transcript, serial)
			})
		}
	}
}

// story is what a run of a kernel must be: every delivery, in order.
type story struct {
	steps []step
	round []step         // then, if the run has no end, these again and again
	names map[uint64]who // who lives at an address at or above 4 MiB
}

// stories has a story for each kernel of the two seeds; smallStories has the others.
var stories = map[string]story{
	"unmapped-handler-32":  unmappedHandler(in32),
	"unmapped-handler-64":  unmappedHandler(in64),
	"lazy-sync-32":         lazySync(in32),
	"lazy-sync-64":         lazySync(in64),
	"fork-inherits-32":     forkInherits(in32),
	"fork-inherits-64":     forkInherits(in64),
	"seed-all-32":          seedAll(in32, parts32),
	"seed-all-64":          seedAll(in64, parts64),
	"reload-32":            reload(in32, 0xf8800000),
	"reload-64":            reload(in64, 0xffffca0000000000),
	"by-accident-32":       byAccident32,
	"by-accident-64":       byAccident64,
	"kernel-thread-32":     kernelThread(in32, 255, 0x3c0ffc),
	"kernel-thread-64":     kernelThread(in64, 84, 0x3c0ff8),
	"stack-over-tables-32": stackOverTables(in32, 510, 0x40000008),
	"stack-over-tables-64": stackOverTables(in64, 169, 0x40000000000d),
	"stack-over-top-32":    in32.shutdown(510, 0x1000, step{vector: idt.VecPF, cr2: 0xf8000440}),
	"stack-over-top-64":    in64.shutdown(169, 0x1000, step{vector: idt.VecPF, code: 2, cr2: 0xffffc90000000ff8}),
	"df-no-gate-32":        in32.shutdown(254, 0, step{vector: idt.VecNP, code: 8*8 + 3}),
	"df-no-gate-64":        in64.shutdown(84, 0, step{vector: idt.VecNP, code: 8*8 + 3}),
	"df-no-stack-32":       in32.shutdown(254, 0, step{vector: idt.VecPF, code: 2, cr2: 0x3c0ffc}),
	"df-no-stack-64":       in64.shutdown(84, 0, step{vector: idt.VecPF, code: 2, cr2: 0x3c0ff8}),
	"df-no-tss-32":         in32.shutdown(254, 0, step{vector: idt.VecNP, code: dfTask + 1}),
	"df-no-tss-64":         in64.shutdown(84, 0, step{vector: idt.VecTS, code: 0x39}),
	"df-unmapped-32":       dfUnmapped32(),
	"df-unmapped-64":       dfUnmapped64(),
	"pf-ist-64":            pfIST(),

	"kprobe-32":       kprobe32,
	"kprobe-64":       kprobe64,
	"kprobe-fault-32": kprobeFault32,
	"kprobe-fault-64": kprobeFault64,
	"uretprobe-32":    uretprobe32.story(),
	"uretprobe-64":    uretprobe64.story(),
}

// Who is entered by an event.
type who string

const (
	kernel = who("the kernel") // code below 4 MiB
	nobody = who("nobody")     // another event came in between
	module = who("the module") // the first byte of its handler
)

// step is what one delivery, or several alike in a row, must be.
type step struct {
	times  int // 0 is once
	depth  int // handlers at work, this one included; 0 is 1
	deeper int // what is added for each further time
	vector idt.Vector
	kind   idt.Kind
	code   uint32
	cr2    uint64 // page faults
	from   uint64 // the saved instruction pointer; 0: somewhere in the kernel or a program
	gate   gate   // "" is what most are: see oneByOne
	enters who
	stack  idt.Choice
	top    uint64 // where the frame begins, with the word pushed first; 0: anywhere
	lower  uint64 // what is taken off for each further time
	pushes int    // words, where somebody is entered
	task   uint16 // the TSS of the task that is entered
}

// step is an event that was taken in the form of what was wanted; what is
// wanted of it tells whether the saved instruction pointer matters.
func (e taken) step(want step, names map[uint64]who) step {
	s := step{vector: e.event.Vector, kind: e.event.Kind, code: e.event.Code, cr2: e.event.CR2, gate: e.gate, enters: nobody}
	if want.from != 0 {
		s.from = e.event.Return
	}
	if !e.entered {
		return s
	}
	if want.top != 0 {
		s.top = e.top
	}
	s.stack, s.pushes, s.task, s.depth = e.stack, e.pushes, e.task, e.depth
	if e.rip < 0x400000 {
		s.enters = kernel
	} else if name, ok := names[e.rip]; ok {
		s.enters = name
	} else {
		s.enters = who(fmt.Sprintf("%#x", e.rip))
	}
	return s
}

func TestEvents(t *testing.T) {
	for _, k := range guest.Kernels() {
		t.Run(k.Name, func(t *testing.T) {
			t.Parallel()
			told, ok := stories[k.Name]
			if !ok {
				told, ok = smallStories[k.Name]
			}
			require.True(t, ok, "no sequence of events for this kernel")
			watch := &recorder{}
			serial, _ := run(t, k.Image, machine.Config{Drives: k.Drives(), Keys: guest.BuiltinKeys(k.Name)}, watch)
			assert.Equal(t, k.Transcript, serial, "watched or not, a run is the same")

			want := oneByOne(told.steps)
			if round := oneByOne(told.round); len(round) > 0 {
				require.Greater(t, len(watch.all), len(want)+2*len(round), "too few events for two rounds")
				for len(want) < len(watch.all) {
					want = append(want, round...)
				}
				want = want[:len(watch.all)]
			}
			var got []step
			for i, e := range watch.all {
				wanted := step{from: 1} // too many events: show the address too
				if i < len(want) {
					wanted = want[i]
				}
				got = append(got, e.step(wanted, told.names))
			}
			for i := range min(len(want), len(got)) {
				require.Equal(t, want[i], got[i], "event %d of %d", i+1, len(got))
			}
			assert.Len(t, got, len(want))
		})
	}
}

// oneByOne writes out the steps that stand for several, and what they leave
// out: the gate of system calls is open to programs, a task is entered through
// a task gate.
func oneByOne(steps []step) []step {
	var all []step
	for _, s := range steps {
		times, deeper, lower := max(s.times, 1), s.deeper, s.lower
		s.times, s.deeper, s.lower = 0, 0, 0
		if s.enters != nobody {
			s.depth = max(s.depth, 1)
		}
		if s.gate == "" {
			s.gate = interruptGate
			if s.vector == 0x80 {
				s.gate = openGate
			} else if s.task != 0 {
				s.gate = toTask
			}
		}
		for range times {
			all = append(all, s)
			s.depth += deeper
			s.top -= lower
		}
	}
	return all
}

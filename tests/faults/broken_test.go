package faults

import (
	"bytes"
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/guest"
	"x86emu/idt"
	"x86emu/machine"
	"x86emu/mmu"
)

const (
	stackTop    = 0x3c2000     // of the kernel stack, one page with a guard under it
	stackBottom = 0x3c1000     //
	nowhere     = 0xffc00000   // mapped by no table of the 32-bit kernel
	nowhere64   = 0x7f00 << 32 // nor of the 64-bit one
	dfTask      = 0x38         // selector of the #DF task's TSS
)

// patient is a kernel that is stopped after its module has taken over vector
// 14, with what a test needs to break it. The kernel's memory is mapped to
// itself: a linear address of its tables is a physical one.
type patient struct {
	*machine.Machine
	bits     int
	gdt, tss uint64 // linear addresses
	processA uint64 // its CR3
}

// admit runs a kernel up to that point.
func admit(t *testing.T, name string) patient {
	t.Helper()
	kernel, ok := guest.KernelNamed(name)
	require.True(t, ok)
	p := patient{Machine: boot(t, kernel.Image, machine.Config{Serial: machine.NewOutput(&bytes.Buffer{})}), bits: kernel.Bits}
	for {
		r, err := p.Run(context.Background(), 1) // user mode lasts a few ticks
		require.NoError(t, err)
		require.Equal(t, machine.Budget, r.Reason, "the module never took over vector 14")
		s := p.CPU.State()
		switch {
		case s.CPL == 3 && p.processA == 0:
			p.processA = s.CR3
		case s.CPL == 3 || p.processA == 0:
		case p.handler(idt.VecPF) == layouts[name].module:
			p.gdt, p.tss = s.GDTR.Base, s.TR.Base
			return p
		}
	}
}

// gate is where the gate of a vector lies.
func (p patient) gate(v idt.Vector) mmu.Phys {
	return mmu.Phys(p.CPU.State().IDTR.Base + uint64(v)*uint64(p.bits)/4)
}

// handler is where the gate of a vector leads.
func (p patient) handler(v idt.Vector) uint64 {
	at := p.gate(v)
	offset := p.Mem.Read(at, 2) | p.Mem.Read(at+6, 2)<<16
	if p.bits == 64 {
		offset |= p.Mem.Read(at+8, 4) << 32
	}
	return offset
}

// setHandler makes the 64-bit gate of a vector lead elsewhere.
func (p patient) setHandler(v idt.Vector, to uint64) {
	at := p.gate(v)
	p.Mem.Write(at, 2, to&0xffff)
	p.Mem.Write(at+6, 2, to>>16&0xffff)
	p.Mem.Write(at+8, 4, to>>32)
}

// taskOf is where the TSS of a 32-bit selector lies.
func (p patient) taskOf(sel uint64) mmu.Phys {
	d := p.Mem.Read(mmu.Phys(p.gdt+sel), 8)
	return mmu.Phys(d>>16&0xffffff | d>>56<<24)
}

// clear clears bits of a byte, set sets them.
func (p patient) clear(at mmu.Phys, bits uint64) { p.Mem.Write(at, 1, p.Mem.Read(at, 1)&^bits) }
func (p patient) set(at mmu.Phys, bits uint64)   { p.Mem.Write(at, 1, p.Mem.Read(at, 1)|bits) }

// Offsets in a gate, a descriptor, a TSS.
const (
	gateIST, gateAccess = 4, 5
	descriptorAccess    = 5
	tssCR3, tssEIP      = 28, 32
	tssESP              = 56
	tssIST1             = 36
	present, busy       = 0x80, 0x02
)

// The double fault's own path broken too, each way apart. Faults while #DF is
// being delivered are a shutdown; a handler that is merely not mapped is not:
// its delivery succeeds.
func TestBrokenDoubleFault(t *testing.T) {
	var (
		lost  = idt.Event{Vector: idt.VecPF} // in the module's handler: the one whose push fails
		push  = idt.Event{Vector: idt.VecPF, Code: 2}
		twice = idt.Event{Vector: idt.VecDF}
	)
	fetch := func(code uint32) idt.Event { e := lost; e.Code = code; return e }
	tests := []struct {
		rule   string
		kernel string
		damage func(p patient)
		reason machine.Reason
		chain  []idt.Event // Shutdown: vectors and error codes
		loop   map[idt.Vector]uint64
		faults int // #PFs delivered after the process's own
	}{
		{
			rule: "32-bit: gate not present, #NP(vector*8+IDT+EXT)", kernel: "unmapped-handler-32",
			damage: func(p patient) { p.clear(p.gate(idt.VecDF)+gateAccess, present) },
			reason: machine.Shutdown, faults: 254,
			chain: []idt.Event{lost, push, twice, {Vector: idt.VecNP, Code: 8*8 + 3}},
		},
		{
			rule: "32-bit: task's TSS not present, #NP(selector+EXT)", kernel: "unmapped-handler-32",
			damage: func(p patient) { p.clear(mmu.Phys(p.gdt+dfTask+descriptorAccess), present) },
			reason: machine.Shutdown, faults: 254,
			chain: []idt.Event{lost, push, twice, {Vector: idt.VecNP, Code: dfTask + 1}},
		},
		{
			rule: "32-bit: task busy, #GP(selector+EXT)", kernel: "unmapped-handler-32",
			damage: func(p patient) { p.set(mmu.Phys(p.gdt+dfTask+descriptorAccess), busy) },
			reason: machine.Shutdown, faults: 254,
			chain: []idt.Event{lost, push, twice, {Vector: idt.VecGP, Code: dfTask + 1}},
		},
		{
			// The error code takes 4 bytes of the task's stack, each #PF 16.
			rule: "32-bit: task's code not mapped, #PFs down its stack, then its TSS is busy", kernel: "unmapped-handler-32",
			damage: func(p patient) {
				task := p.taskOf(dfTask)
				p.Mem.Write(task+tssCR3, 4, p.processA)
				p.Mem.Write(task+tssEIP, 4, nowhere)
				p.Mem.Write(task+tssESP, 4, stackTop)
			},
			reason: machine.Shutdown, faults: 254 + (4096-4)/16,
			chain: []idt.Event{lost, push, twice, {Vector: idt.VecGP, Code: dfTask + 1}},
		},
		{
			rule: "64-bit: gate not present, #NP(vector*8+IDT+EXT)", kernel: "unmapped-handler-64",
			damage: func(p patient) { p.clear(p.gate(idt.VecDF)+gateAccess, present) },
			reason: machine.Shutdown, faults: 84,
			chain: []idt.Event{fetch(0x10), push, twice, {Vector: idt.VecNP, Code: 8*8 + 3}},
		},
		{
			rule: "64-bit: IST stack not mapped, #PF", kernel: "unmapped-handler-64",
			damage: func(p patient) { p.Mem.Write(mmu.Phys(p.tss+tssIST1), 8, stackBottom) },
			reason: machine.Shutdown, faults: 84,
			chain: []idt.Event{fetch(0x10), push, twice, {Vector: idt.VecPF, Code: 2}},
		},
		{
			// The page holds the #DF's frame and those of 84 #PFs.
			rule: "64-bit: handler's code not mapped, one #DF and the #PFs that fit, for ever", kernel: "unmapped-handler-64",
			damage: func(p patient) {
				p.Mem.Write(mmu.Phys(p.tss+tssIST1), 8, stackTop)
				p.setHandler(idt.VecDF, nowhere64)
			},
			reason: machine.Looping,
			loop:   map[idt.Vector]uint64{idt.VecDF: 1, idt.VecPF: (4096 - 48) / 48},
		},
		{
			rule: "64-bit: an IST stack for #PF is begun anew each time, no #DF ever", kernel: "unmapped-handler-64",
			damage: func(p patient) { p.Mem.Write(p.gate(idt.VecPF)+gateIST, 1, 1) },
			reason: machine.Looping,
			loop:   map[idt.Vector]uint64{idt.VecPF: 1},
		},
	}
	healthy := map[string]patient{}
	for name := range layouts {
		healthy[name] = admit(t, name)
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			p := healthy[test.kernel]
			var err error
			p.Machine, err = p.Fork()
			require.NoError(t, err)
			t.Parallel()
			test.damage(p)
			watch := &recorder{}
			if test.reason == machine.Shutdown {
				p.CPU.SetObserver(watch)
			}
			result, err := p.Run(context.Background(), budget)
			require.NoError(t, err)
			require.Equal(t, test.reason, result.Reason, "%v", result.Story())

			var chain []idt.Event
			for _, e := range result.Chain.Chain[:result.Chain.N] {
				chain = append(chain, idt.Event{Vector: e.Vector, Code: e.Code})
			}
			assert.Equal(t, test.chain, chain)

			loop := map[idt.Vector]uint64{}
			period := uint64(0)
			for v, n := range result.Loop.Vectors {
				if n > 0 {
					loop[idt.Vector(v)] = n
				}
				period += n
			}
			assert.Equal(t, period, result.Loop.Period)
			if test.reason == machine.Looping {
				assert.Equal(t, test.loop, loop)
				return
			}

			delivered := 0
			for _, e := range watch.all {
				if e.entered && e.event.Vector == idt.VecPF && e.event.Code&^0x10 == 0 {
					delivered++ // a fetch in CPL 0: not the kernel thread's write, nor the process's
				}
			}
			assert.Equal(t, test.faults, delivered)
		})
	}
}

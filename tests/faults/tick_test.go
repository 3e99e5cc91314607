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
)

// at boots a kernel and stops where it is about to fetch from its module's
// handler in a process: the first of the page faults that fill the stack. The
// kernel is damaged before that fault.
func at(t *testing.T, name string, damage func(patient)) *machine.Machine {
	t.Helper()
	p := admit(t, name)
	if damage != nil {
		damage(p)
	}
	for {
		r, err := p.Run(context.Background(), 1)
		require.NoError(t, err)
		require.Equal(t, machine.Budget, r.Reason, "the process never faulted")
		if s := p.CPU.State(); s.CR3 == p.processA && s.RIP == layouts[name].module {
			return p.Machine
		}
	}
}

// code makes a machine with code for a mode at 0x1000.
func code(t *testing.T, mode guest.Mode, bytes string) *machine.Machine {
	t.Helper()
	m, err := machine.New(machine.Config{RAM: machine.MinRAM})
	require.NoError(t, err)
	img, err := guest.ParseFlat([]byte(bytes), 0x1000, mode, 0)
	require.NoError(t, err)
	require.NoError(t, img.Load(m, guest.Options{}))
	return m
}

const (
	// mov edi,0x20000; mov esi,0x20003; s: mov ecx,100; rep movsb;
	// mov ecx,50; rep stosd; std; mov ecx,30; rep movsw; cld;
	// mov ecx,40; repne scasb; jmp s
	repeats = "\xbf\x00\x00\x02\x00\xbe\x03\x00\x02\x00" + "\xb9\x64\x00\x00\x00\xf3\xa4" +
		"\xb9\x32\x00\x00\x00\xf3\xab\xfd\xb9\x1e\x00\x00\x00\xf3\x66\xa5\xfc" +
		"\xb9\x28\x00\x00\x00\xf2\xae\xeb\xda"
	// mov edi,0xffffffe0; mov ecx,64; rep stosb: into what is not mapped
	repeatOut = "\xbf\xe0\xff\xff\xff\xb9\x40\x00\x00\x00\xf3\xaa"
	// sti; nop; mov eax,ss; mov ss,eax; nop; push 0x102; popf (TF is set); nop; nop
	traps = "\xfb\x90\x8c\xd0\x8e\xd0\x90\x68\x02\x01\x00\x00\x9d\x90\x90"
)

// At every tick, in the midst of a repeated instruction or of faults upon
// faults, a machine is the same whether it came there at one go or in steps,
// and goes on the same from a fork or a snapshot.
func TestSameAtEveryTick(t *testing.T) {
	for _, c := range []struct {
		name  string
		m     func(t *testing.T) *machine.Machine
		ticks uint64
		every uint64 // ticks between two snapshots
		end   machine.Reason
	}{
		{"32-bit: repeated strings", func(t *testing.T) *machine.Machine { return code(t, guest.Mode32, repeats) }, 300, 6, machine.Budget},
		{"64-bit: repeated strings", func(t *testing.T) *machine.Machine { return code(t, guest.Mode64, repeats) }, 300, 6, machine.Budget},
		{"64-bit: a repeated store that runs into a fault", func(t *testing.T) *machine.Machine { return code(t, guest.Mode64, repeatOut) }, 60, 4, machine.Shutdown},
		{"32-bit: interrupt shadows and a trap", func(t *testing.T) *machine.Machine { return code(t, guest.Mode32, traps) }, 20, 1, machine.Shutdown},
		{"64-bit: interrupt shadows and a trap", func(t *testing.T) *machine.Machine { return code(t, guest.Mode64, traps) }, 20, 1, machine.Shutdown},
		{"32-bit: page faults down the stack, then a task gate", func(t *testing.T) *machine.Machine {
			return at(t, "unmapped-handler-32", nil)
		}, 300, 25, machine.Budget},
		{"64-bit: page faults down the stack, then an interrupt stack", func(t *testing.T) *machine.Machine {
			return at(t, "unmapped-handler-64", nil)
		}, 120, 25, machine.Budget},
		{"64-bit: page faults for ever on an interrupt stack", func(t *testing.T) *machine.Machine {
			return at(t, "unmapped-handler-64", func(p patient) { p.Mem.Write(p.gate(idt.VecPF)+gateIST, 1, 1) })
		}, 100, 25, machine.Budget},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			start := c.m(t)
			first := start.CPU.Ticks()
			steps := fork(t, start)
			result := machine.Result{Reason: machine.Budget}
			for n := uint64(1); n <= c.ticks && result.Reason == machine.Budget; n++ {
				ways := map[string]*machine.Machine{"at one go": fork(t, start), "from a fork": fork(t, steps)}
				if n%c.every == 0 {
					r, err := machine.Restore(bytes.NewReader(snapshot(t, steps)), steps.Config())
					require.NoError(t, err)
					ways["from a snapshot"] = r
				}
				result = advance(t, steps, first+n, 1)
				for way, m := range ways {
					got := advance(t, m, first+n, c.ticks)
					require.Equal(t, result.Reason, got.Reason, "%s, tick %d", way, n)
					if a, b := steps.CPU.State(), m.CPU.State(); a != b {
						require.Equal(t, a, b, "%s, tick %d", way, n)
					}
					if n%c.every == 0 {
						require.True(t, bytes.Equal(snapshot(t, steps), snapshot(t, m)), "%s, tick %d", way, n)
					}
				}
			}
			assert.Equal(t, c.end, result.Reason)
		})
	}
}

func fork(t *testing.T, m *machine.Machine) *machine.Machine {
	t.Helper()
	f, err := m.Fork()
	require.NoError(t, err)
	return f
}

package audit_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/debug/audit"
	"x86emu/debug/tables"
	"x86emu/guest"
	"x86emu/idt"
	"x86emu/machine"
)

// chain is a run of deliveries with no instruction between them.
type chain struct {
	tick  uint64 // at which the first event is about to come
	event idt.Event
	dire  bool // a #DF is among them, or the run ends there
}

// boot is a machine with a kernel at its first instruction.
func boot(t *testing.T, kernel *guest.Kernel) *machine.Machine {
	t.Helper()
	m, err := guest.Boot(kernel.Name, machine.Config{}, guest.Options{})
	require.NoError(t, err)
	return m
}

const budget = 10_000_000_000

// chains runs a kernel to its end and lists the dire chains.
func chains(t *testing.T, kernel *guest.Kernel) (dire []chain) {
	t.Helper()
	m := boot(t, kernel)
	var last chain
	m.CPU.OnDelivery = func(o *idt.Outcome) {
		tick := m.CPU.Ticks()
		first := m.CPU.Streak() == 1
		if o.Shutdown {
			first = m.CPU.Streak() == 0
		} else {
			tick--
		}
		if first {
			last = chain{tick: tick, event: o.Chain[0]}
		}
		v := o.Last()
		if !last.dire && (o.Shutdown || v.Kind == idt.Exception && v.Vector == idt.VecDF) {
			last.dire = true
			dire = append(dire, last)
		}
	}
	r, err := m.Run(context.Background(), budget)
	require.NoError(t, err)
	require.Equal(t, kernel.End, r.Reason)
	if r.Reason == machine.Looping && !last.dire {
		dire = append(dire, last)
	}
	return dire
}

// In every built-in kernel in which there is a double fault, an endless loop or
// a shutdown, the audit at the moment before foretells it: what comes, after how
// many deliveries, and in which state.
func TestBuiltInKernels(t *testing.T) {
	verdicts := map[audit.Verdict]int{}
	for _, kernel := range guest.Kernels() {
		all := chains(t, &kernel)
		if kernel.End != machine.Exited && kernel.End != machine.TurnedOff {
			assert.NotEmpty(t, all, kernel.Name)
		}
		for _, c := range all {
			m := boot(t, &kernel)
			r, err := m.Run(context.Background(), c.tick)
			require.NoError(t, err)
			require.Equal(t, machine.Budget, r.Reason)
			o := tables.At(m)
			a, err := audit.Ask(o, audit.Question{Event: c.event, CR3: o.State.CR3})
			require.NoError(t, err)
			assert.Equal(t, o.State, m.CPU.State(), "the audit has changed the guest")
			assert.True(t, o.Mem.Equal(m.Mem))
			var really run
			really.execute(m.CPU, true)
			if wrong := judge(a, &really); wrong != "" {
				t.Errorf("%s at tick %d: %s", kernel.Name, c.tick, wrong)
			}
			assert.NotEmpty(t, a.Missing, kernel.Name)
			verdicts[a.Verdict]++
			t.Logf("%s at tick %d, %s: %s; %s", kernel.Name, c.tick, c.event.Name(), a.Words(), a.Missing)
		}
	}
	for _, v := range []audit.Verdict{audit.Recursion, audit.Triple, audit.Endless} {
		assert.NotZero(t, verdicts[v], v)
	}
}

// The bug of the first seed is seen long before it strikes: at the moment when
// the module has taken over the vector, in the processes' tables and not in the
// master's, with the entry that is missing.
func TestSeedForetold(t *testing.T) {
	kernel, ok := guest.KernelNamed("unmapped-handler-32")
	require.True(t, ok)
	m := boot(t, &kernel)
	_, err := m.Run(context.Background(), 190_000)
	require.NoError(t, err)
	o := tables.At(m)
	for cr3, want := range map[uint64]audit.Verdict{0x200000: audit.Fine, 0x202000: audit.Recursion, 0x205000: audit.Recursion} {
		a, err := audit.Ask(o, audit.Question{Event: audit.EventOf(idt.VecPF), CR3: cr3, From: audit.User})
		require.NoError(t, err)
		assert.Equal(t, want, a.Verdict, "CR3 %#x", cr3)
		if want == audit.Recursion {
			assert.Equal(t, 255, a.Frames)
			assert.Contains(t, a.Missing, "supervisor fetch of 0xf8400000: P=0 in PDE 993 = 0x0")
		}
	}
}

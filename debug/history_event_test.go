package debug

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/guest"
	"x86emu/idt"
	"x86emu/machine"
	"x86emu/mmu"
)

// A host that mends faults, swallows and changes events is asked again in every
// replay and gives the same answers: going back stays exact.
func TestHistoryWithSwallowedEvents(t *testing.T) {
	// mov rbx,0x140000000; l: inc qword [rbx]; int 0x80; ud2; add rbx,0x40000000; jmp l
	const code = "\x48\xbb\x00\x00\x00\x40\x01\x00\x00\x00" + "\x48\xff\x03\xcd\x80\x0f\x0b" +
		"\x48\x81\xc3\x00\x00\x00\x40" + "\xeb\xf0"
	const pdpt, budget = guest.BootArea + 0x2000, 1000
	boot := func() *machine.Machine {
		m := loadInto(t, machine.Config{RAM: 8 << 20}, guest.Mode64, code)
		m.CPU.OnEvent = func(e *idt.Event) bool {
			switch e.Vector {
			case idt.VecPF: // each gibibyte when it is used first
				m.Mem.Write(mmu.Phys(pdpt+e.CR2>>30*8), 8, m.Mem.Read(pdpt, 8))
			case idt.VecUD:
				e.Return += 2
			}
			return false
		}
		return m
	}
	ctx := context.Background()
	plain, m := boot(), boot()
	h := NewHistory(m, 64<<20)
	defer h.Close()
	fast(h)
	a, err := h.Run(ctx, budget)
	require.NoError(t, err)
	require.EqualValues(t, budget, a.Tick)
	end := m.CPU.State()
	for range 20 {
		_, err := h.StepBack(ctx, 37)
		require.NoError(t, err)
		f := boot()
		_, err = f.Run(ctx, h.Tick())
		require.NoError(t, err)
		require.Equal(t, f.CPU.State(), m.CPU.State(), "at tick %d", h.Tick())
		require.True(t, f.Mem.Equal(m.Mem))
	}
	_, err = h.Goto(ctx, budget)
	require.NoError(t, err)
	_, err = plain.Run(ctx, budget)
	require.NoError(t, err)
	assert.Equal(t, end, m.CPU.State())
	assert.Equal(t, plain.CPU.State(), m.CPU.State())
}

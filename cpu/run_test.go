package cpu

import (
	"testing"

	"github.com/stretchr/testify/require"

	"x86emu/idt"
	"x86emu/mmu"
)

// A fetch is checked at the privilege of now, even in the page that the other
// privilege has just run from.
func TestFetchIsCheckedAtTheNewPrivilege(t *testing.T) {
	// IRETQ to CPL 3, to the instruction behind it, in a page for the kernel only.
	c := newFuzzCPU(t, "long", []byte{0x48, 0xcf, 0x90, 0x90, 0xeb, 0xfe}, 0, false)
	c.mmu.Mem.Write(fzTable+0x3000+fzCode>>12*8, 8, fzCode|mmu.PtePresent|mmu.PteWritable)
	for i, v := range []uint64{fzCode + 2, 0x33, idt.Flag1, fzStack, 0x2b} {
		c.mmu.Mem.Write(fzStack+mmu.Phys(i)*8, 8, v)
	}
	c.Run(2)
	require.Equal(t, uint64(fzCode+2), c.mmu.Ctl.CR2)
	require.Equal(t, uint64(fzStub+14*16), c.State().RIP)
	require.Equal(t, uint8(0), c.State().CPL)
}

// An operation without a handler takes the tick of its #UD alone, whatever a
// REP before it has counted.
func TestUndefinedBehindREPTakesOneTick(t *testing.T) {
	// rep stosb; rsm
	c := newFuzzCPU(t, "long", []byte{0xf3, 0xaa, 0x0f, 0xaa}, 0, false)
	s := c.State()
	s.GPR[1], s.GPR[7] = 5, fzData
	c.SetState(s)
	c.Run(5)
	require.Equal(t, uint64(fzCode+2), c.State().RIP)
	c.Step()
	require.Equal(t, uint64(6), c.Ticks())
	require.Equal(t, uint64(fzStub+6*16), c.State().RIP)
}

// OnDelivery is called once for each delivery, with the clock and the state
// that the handler begins with, and changes nothing.
func TestOnDelivery(t *testing.T) {
	code := []byte{0x90, 0x0f, 0x0b} // nop; ud2
	plain, c := newFuzzCPU(t, "long", code, 0, false), newFuzzCPU(t, "long", code, 0, false)
	var at []uint64
	c.OnDelivery = func(out *idt.Outcome) {
		require.Equal(t, idt.VecUD, out.Last().Vector)
		require.Equal(t, uint64(fzStub+6*16), c.State().RIP)
		at = append(at, c.Ticks())
	}
	plain.Run(3)
	c.Run(3)
	require.Equal(t, []uint64{2}, at)
	require.Equal(t, plain.State(), c.State())
}

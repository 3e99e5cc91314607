package cpu

import (
	"testing"

	"github.com/stretchr/testify/require"

	"x86emu/decode"
	"x86emu/idt"
)

// In compatibility mode an access that runs past 4 GiB goes on at address 0.
func TestCompatibilityModeWrapsAt4GiB(t *testing.T) {
	const top, zero = 0x50000, 0 // frames of the linear pages FFFFF000h and 0
	for _, x := range []struct {
		name string
		code []byte
		want func(t *testing.T, c *CPU)
	}{
		{"load", []byte{0xa1, 0, 0, 0, 0}, func(t *testing.T, c *CPU) { // mov eax, [0]
			require.Equal(t, uint64(0x44332211), c.State().GPR[0])
		}},
		{"store", []byte{0xc7, 0x05, 0, 0, 0, 0, 0xdd, 0xcc, 0xbb, 0xaa}, func(t *testing.T, c *CPU) {
			require.Equal(t, uint64(0xccdd), c.mmu.Mem.Read(top+0xffe, 2))
			require.Equal(t, uint64(0xaabb), c.mmu.Mem.Read(zero, 2))
		}},
		{"read-modify-write", []byte{0xff, 0x05, 0, 0, 0, 0}, func(t *testing.T, c *CPU) { // inc dword [0]
			require.Equal(t, uint64(0x2212), c.mmu.Mem.Read(top+0xffe, 2))
			require.Equal(t, uint64(0x4433), c.mmu.Mem.Read(zero, 2))
		}},
	} {
		t.Run(x.name, func(t *testing.T) {
			c := newFuzzCPU(t, "compat", x.code, 0, false)
			mem := c.mmu.Mem
			mem.Write(fzTable+0x1000+3*8, 8, 0x40007)
			mem.Write(0x40000+511*8, 8, 0x41007)
			mem.Write(0x41000+511*8, 8, top|7)
			mem.Write(top+0xffe, 2, 0x2211)
			mem.Write(zero, 2, 0x4433)
			s := c.State()
			s.Seg[decode.DS] = idt.Segment{Sel: 0x58, Base: 0xfffffffe, Limit: 0xfffff, Attr: 0xc093}
			c.SetState(s)
			c.Run(1)
			require.Equal(t, uint64(fzCode+len(x.code)), c.State().RIP)
			x.want(t, c)
		})
	}
}

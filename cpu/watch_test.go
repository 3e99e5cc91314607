package cpu

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"x86emu/mmu"
)

// A place is met before each instruction that begins there, also in a block
// that has run before, and once for a repeated one.
func TestBreaksAreMet(t *testing.T) {
	// l: inc eax; nop; rep stosb; dec ebx; jnz l
	const code = "\x40\x90\xf3\xaa\x4b\x75\xf9"
	for _, c := range []struct {
		name string
		at   []uint64 // offsets in the code
		want []uint64 // ticks; each round has 3 iterations of STOSB once ECX is set
	}{
		{"the first of a block", []uint64{0}, []uint64{0, 7, 12}},
		{"in a block", []uint64{1}, []uint64{1, 8, 13}},
		{"a repeated instruction, once", []uint64{2}, []uint64{2, 9, 14}},
		{"two places", []uint64{1, 4}, []uint64{1, 5, 8, 10, 13, 15}},
		{"in the midst of an instruction", []uint64{3}, nil},
		{"at the same offset of another page", []uint64{0x1000}, nil},
	} {
		for _, warm := range []bool{false, true} {
			m := newTestCPU(t, "pm32")
			m.mmu.Mem.WriteBytes(testCode, []byte(code))
			start := m.State()
			start.RIP, start.Ticks = testCode, 0
			start.GPR[1], start.GPR[3], start.GPR[7] = 3, 3, testData
			m.SetState(start)
			if warm {
				m.Run(17)
				m.SetState(start)
			}
			var at []mmu.Linear
			for _, off := range c.at {
				at = append(at, m.CodeAt()+mmu.Linear(off))
			}
			var got []uint64
			stop := false
			m.SetBreaks(at, func(mmu.Linear) bool {
				if stop = !stop; stop {
					got = append(got, m.Ticks())
				}
				return stop
			})
			for m.Ticks() < 17 {
				m.Run(17)
			}
			assert.Equal(t, c.want, got, "%s, warm %v", c.name, warm)
		}
	}
}

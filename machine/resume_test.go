package machine_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/cpu"
	"x86emu/guest"
	"x86emu/machine"
)

// typed is what arrives on the serial line, more than the guests below take.
func typed() *machine.Input {
	line := make([]byte, 64<<10)
	for i := range line {
		line[i] = byte(i * 7)
	}
	return machine.NewInput(bytes.NewReader(line))
}

// A machine that was saved in the midst of its work goes on as the one that was
// not: after ten million more ticks the state, memory and devices of both are
// the same, and so is what they have sent.
func TestSavedMachineGoesOn(t *testing.T) {
	ticks := uint64(10_000_000)
	if testing.Short() {
		ticks /= 25
	}
	for _, bits := range []guest.Mode{guest.Mode32, guest.Mode64} {
		for _, tlbOff := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d bits, TLB off %v", bits, tlbOff), func(t *testing.T) {
				t.Parallel()
				code, err := os.ReadFile(fmt.Sprintf("testdata/endless%d.bin", bits))
				require.NoError(t, err)
				image, err := guest.ParseFlat(code, 0x10000, bits, 0)
				require.NoError(t, err)
				var plain, resumed bytes.Buffer
				m, err := machine.New(machine.Config{RAM: 8 << 20, TLBOff: tlbOff, Input: typed(), Serial: machine.NewOutput(&plain)})
				require.NoError(t, err)
				require.NoError(t, image.Load(m, guest.Options{}))
				run := func(m *machine.Machine, ticks uint64) {
					result, err := m.Run(context.Background(), ticks)
					require.NoError(t, err)
					require.Equal(t, machine.Budget, result.Reason)
				}
				run(m, ticks/8+7)
				s := m.CPU.State()
				require.NotZero(t, plain.Len(), "the guest has read input")
				require.Less(t, plain.Len(), 60<<10)
				require.EqualValues(t, 1<<7, s.FP.Used, "and has pi on its x87 stack")
				require.NotZero(t, s.FP.XMM[1])
				require.Equal(t, tlbOff, len(m.MMU.TLB()) == 0)
				plain.Reset()

				var file bytes.Buffer
				require.NoError(t, m.Save(&file))
				r, err := machine.Restore(&file, machine.Config{Input: typed(), ResumeInput: true, Serial: machine.NewOutput(&resumed)})
				require.NoError(t, err)
				for _, m := range []*machine.Machine{m, r} {
					run(m, ticks)
				}
				same(t, m.CPU.State(), r.CPU.State())
				assert.Equal(t, m.MMU.TLB(), r.MMU.TLB())
				assert.True(t, m.Mem.Equal(r.Mem), "memory")
				var a, b bytes.Buffer
				require.NoError(t, m.Save(&a))
				require.NoError(t, r.Save(&b))
				assert.True(t, bytes.Equal(a.Bytes(), b.Bytes()), "devices and timers")
				assert.True(t, bytes.Equal(plain.Bytes(), resumed.Bytes()), "what was sent")
				assert.NotZero(t, plain.Len())
			})
		}
	}
}

// same compares states in a way that is readable where they differ.
func same(t *testing.T, want, got cpu.State) {
	t.Helper()
	if want != got {
		assert.Equal(t, fmt.Sprintf("%+v", want), fmt.Sprintf("%+v", got))
	}
}

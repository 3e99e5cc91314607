package tests

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"x86emu/guest"
	"x86emu/machine"
)

// What a PC's board costs a guest that has no use for it, against the bare one, in
// percent of time: the best of interleaved runs of each, on the workloads of
// ../shared/bench where they are beside the checkout. The timer ticks 1000 times in a
// second of the guest's.
func BenchmarkBoard(b *testing.B) {
	images, err := filepath.Glob("../../shared/bench/elf-small/*.elf")
	require.NoError(b, err)
	for _, image := range images {
		name := strings.TrimSuffix(filepath.Base(image), ".elf")
		if strings.HasPrefix(name, "null") {
			continue
		}
		b.Run(name, func(b *testing.B) {
			times := make([][]time.Duration, len(boardSetups))
			for b.Loop() {
				for i, s := range boardSetups {
					times[i] = append(times[i], s.time(b, image))
				}
			}
			bare := slices.Min(times[0])
			for i, s := range boardSetups[1:] {
				b.ReportMetric(100*(slices.Min(times[i+1])-bare).Seconds()/bare.Seconds(), "%"+s.name)
			}
		})
	}
}

// boardSetup is a board with a timer in some state.
type boardSetup struct {
	name  string
	board machine.Board
	timer bool   // counter 0 of the 8254 runs at 1 kHz
	mask  uint32 // of the master 8259A
}

var boardSetups = []boardSetup{
	{"bare", machine.Bare, false, 0},
	{"pc", machine.PC, false, 0xff},
	{"masked", machine.PC, true, 0xff},
	{"pending", machine.PC, true, 0xfe}, // IRQ 0 waits for ever: these guests run with IF = 0
}

// setUpTicks is how long the workloads take at most to set up the devices themselves.
const setUpTicks = 100_000

// time runs an image on the board and gives the time from the end of its set-up on.
func (s *boardSetup) time(b *testing.B, image string) time.Duration {
	ctx := context.Background()
	m, err := guest.Boot(image, machine.Config{RAM: 512 << 20, Board: s.board}, guest.Options{})
	require.NoError(b, err)
	_, err = m.Run(ctx, setUpTicks)
	require.NoError(b, err)
	if s.timer {
		const rateGenerator, divisor = 0x34, machine.PITHz / 1000
		const edges, vectors, wiring, mode8086 = 0x11, 0x20, 0x04, 0x01 // ICW1 to ICW4
		for _, out := range []struct {
			port  uint16
			value uint32
		}{
			{0x20, edges}, {0x21, vectors}, {0x21, wiring}, {0x21, mode8086}, {0x21, s.mask},
			{0x43, rateGenerator}, {0x40, divisor & 0xff}, {0x40, divisor >> 8},
		} {
			m.Ports.Out(out.port, 1, out.value)
		}
	}
	begin := time.Now()
	r, err := m.Run(ctx, machine.NoBudget)
	took := time.Since(begin)
	require.NoError(b, err)
	require.Equal(b, machine.Exited, r.Reason)
	return took
}

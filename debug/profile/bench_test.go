package profile

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"x86emu/guest"
	"x86emu/machine"
)

// What following calls costs an instruction.
func BenchmarkCalls(b *testing.B) {
	img, err := guest.ParseFlat([]byte("\x41\x89\x0d\x00\x20\x00\x00\xeb\xf7"), 0x500, guest.Mode32, 0) // inc ecx; mov [0x2000],ecx; jmp
	require.NoError(b, err)
	m, err := machine.New(machine.Config{})
	require.NoError(b, err)
	require.NoError(b, img.Load(m, guest.Options{}))
	p := Watch(m, Options{})
	m.CPU.SetObserver(p)
	for b.Loop() {
		if _, err := m.Run(context.Background(), 1000); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/inst")
}

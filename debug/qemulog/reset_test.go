package qemulog

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/guest"
	"x86emu/machine"
)

// A triple fault has its line, and a reset the registers; the layout of those of
// x87 and SSE is what QEMU 7.2 writes after FNINIT.
func TestReset(t *testing.T) {
	img, err := guest.ParseFlat([]byte("\xdb\xe3\x0f\x0b"), 0x500, guest.Mode32, 0)
	require.NoError(t, err)
	m, err := machine.New(machine.Config{})
	require.NoError(t, err)
	require.NoError(t, img.Load(m, guest.Options{}))
	s := m.CPU.State()
	s.FP.R[1].Sig, s.FP.R[1].SE = 0x8000000000000000, 0x3fff
	s.FP.XMM[2].Lo, s.FP.XMM[2].Hi = 1, 2
	m.CPU.SetState(s)
	var b bytes.Buffer
	l := Watch(m, &b, Options{Reset: true})
	_, err = m.Run(context.Background(), machine.NoBudget)
	require.NoError(t, err)
	l.Reset()
	require.NoError(t, l.Close())

	text := b.String()
	assert.True(t, strings.HasPrefix(text, "Triple fault\nCPU Reset (CPU 0)\nEAX=00000000 EBX=00000000 "), text)
	const want = `FCW=037f FSW=0000 [ST=0] FTW=00 MXCSR=00001f80
FPR0=0000000000000000 0000 FPR1=8000000000000000 3fff
FPR2=0000000000000000 0000 FPR3=0000000000000000 0000
FPR4=0000000000000000 0000 FPR5=0000000000000000 0000
FPR6=0000000000000000 0000 FPR7=0000000000000000 0000
XMM00=0000000000000000 0000000000000000 XMM01=0000000000000000 0000000000000000
XMM02=0000000000000002 0000000000000001 XMM03=0000000000000000 0000000000000000
XMM04=0000000000000000 0000000000000000 XMM05=0000000000000000 0000000000000000
XMM06=0000000000000000 0000000000000000 XMM07=0000000000000000 0000000000000000
`
	assert.Equal(t, want, text[strings.Index(text, "FCW="):])

	l = Watch(m, &b, Options{Int: true})
	b.Reset()
	l.Reset()
	require.NoError(t, l.Close())
	assert.Empty(t, b.String(), "nobody asked for resets")
}

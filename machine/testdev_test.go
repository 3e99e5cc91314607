package machine

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTestDev(t *testing.T) {
	for _, c := range []struct{ rule, script string }{
		{"the register keeps all sizes", "outl e0 44332211; inl e0 44332211; inw e0 2211; inw e1 0; outw e1 ffff; in e3 44; outw e2 bbaa; inl e0 bbaa2211; out e1 99; inl e0 bbaa9911"},
		{"0xE8 is the register bytewise, but for the debug console", "outl e0 44332211; in e8 11; inw ea 4433; out eb 55; inl e0 55332211; in e9 e9; inl e8 5533e911"},
		{"a flush changes nothing", "outl e4 1000; inl e4 0"},
		{"a write to 0x2000+n sets line n", "out 20 11; out 21 8; out 21 4; out 21 1; out 21 0; out 2003 1; intr 1; ack b; out 20 20; intr 0; out 2003 0; out 2003 80; ack b; out 2003 0"},
		{"a line lowered before the acknowledge is spurious", "out 20 11; out 21 8; out 21 4; out 21 1; out 21 0; out 2003 1; out 2003 0; ack f"},
		{"lines that there are none of", "out 2010 1; out 2017 1; in 2003 0; out 20 a; in 20 0"},
	} {
		t.Run(c.rule, func(t *testing.T) { newRig(t).play(t, c.script) })
	}
	// On a board without debug console all four bytes of 0xE8 are the register's.
	r := newRig(t)
	ports := StandardPorts
	ports.Console = PortRange{}
	var err error
	r.m, err = New(Config{Ports: &ports})
	require.NoError(t, err)
	r.play(t, "outl e8 44332211; inl e0 44332211; in e9 22")
}

// The window is RAM that forks share and snapshots have.
func TestTestDevWindow(t *testing.T) {
	// l: mov eax,0xff000000; inc dword [eax+ecx]; inc dword [eax+0xfffc]; add ecx,4; and ecx,0xffff; jmp l
	m := boot(t, Config{}, "\xb8\x00\x00\x00\xff\xff\x04\x08\xff\x80\xfc\xff\x00\x00\x83\xc1\x04\x81\xe1\xff\xff\x00\x00\xeb\xe7")
	m.flat()
	run(t, m, 100_000)
	assert.EqualValues(t, ^uint64(0), m.Mem.Read(0xff010000, 8), "what follows is a hole")
	f, err := m.Fork()
	require.NoError(t, err)
	var file bytes.Buffer
	require.NoError(t, m.Save(&file))
	r, err := Restore(&file, Config{})
	require.NoError(t, err)
	k := m.Moment()
	run(t, m, 100_000)
	want := m.Mem.Read(0xff00fffc, 4)
	assert.Greater(t, want, uint64(30_000))
	for _, x := range []*Machine{f, r} {
		run(t, x, 100_000)
		assert.Empty(t, same(m, x))
		assert.Equal(t, want, x.Mem.Read(0xff00fffc, 4))
	}
	m.Return(k)
	run(t, m, 100_000)
	assert.Empty(t, same(m, f))
}

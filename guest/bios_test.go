package guest

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/machine"
)

func TestStopAtBIOS(t *testing.T) {
	sector := func(code string) []byte {
		b := make([]byte, 512)
		copy(b, code)
		b[510], b[511] = 0x55, 0xaa
		return b
	}
	for _, c := range []struct {
		name, code, want string
	}{
		{"a call with AX", "\xb8\x01\x02\xcd\x13", "INT 0x13 with AX=0x0201 at tick 2 calls the BIOS: there is none"},
		{"an exception", "\x0f\x0b", "#UD in real mode at tick 1 finds an empty vector: there is no BIOS to handle it"},
		{"a vector of the guest's own", "\xc7\x06\x4c\x00\x10\x7c\xcd\x13\x90\x90\x90\x90\x90\x90\x90\x90\xfa\xf4", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newMachine(t, machine.Config{})
			img, err := ParseDisk(sector(c.code), false)
			require.NoError(t, err)
			require.NoError(t, img.Load(m, Options{}))
			got := ""
			StopAtBIOS(m, func(c Call) { got = c.String() })
			r, err := m.Run(context.Background(), 1000)
			require.NoError(t, err)
			assert.Equal(t, c.want, got)
			if got == "" {
				assert.Equal(t, machine.Halted, r.Reason)
			} else {
				assert.Equal(t, machine.Stopped, r.Reason)
			}
		})
	}
}

func TestParseDisk(t *testing.T) {
	disk := make([]byte, 1440<<10)
	_, err := ParseDisk(disk, false)
	assert.ErrorContains(t, err, "0x55 0xAA")
	img, err := ParseDisk(disk, true)
	require.NoError(t, err)
	assert.EqualValues(t, 512, img.Segments[0].Size)
	_, err = ParseDisk(disk[:511], true)
	assert.ErrorContains(t, err, "511 bytes")
}

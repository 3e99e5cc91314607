package machine

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Code in 16 bits; what follows it is HLT.
func TestPower(t *testing.T) {
	const halt = "\xfa\xf4"
	for _, c := range []struct {
		name string
		code string
		want Reason
	}{
		{"SLP_EN with type 0 turns off", "\xba\x04\x06\xb8\x00\x20\xef", TurnedOff},
		{"SLP_EN with type 1 does not", "\xba\x04\x06\xb8\x00\x24\xef", Halted},
		{"nor does a byte", "\xba\x05\x06\xb0\x20\xee", Halted},
		{"nor a double word", "\xba\x04\x06\x66\xb8\x00\x20\x00\x00\x66\xef", Halted},
		{"nor the word without SLP_EN", "\xba\x04\x06\xb8\x01\x00\xef", Halted},
		{"bit 2 of reset control", "\xba\xf9\x0c\xb0\x06\xee", Reset},
		{"bit 1 of it alone only chooses", "\xba\xf9\x0c\xb0\x02\xee", Halted},
		{"reset control as part of a double word is an address", "\xba\xf8\x0c\x66\xb8\x00\x06\x00\x00\x66\xef", Halted},
		{"the keyboard controller's pulse", "\xb0\xfe\xe6\x64", Reset},
		{"a pulse of other lines", "\xb0\xff\xe6\x64", Halted},
		{"another command of it", "\xb0\xae\xe6\x64", Halted},
		{"fast reset", "\xb0\x03\xe6\x92", Reset},
		{"the A20 gate alone", "\xb0\x02\xe6\x92", Halted},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := boot(t, Config{}, c.code+halt)
			assert.Equal(t, c.want, run(t, m, 1000).Reason)
		})
	}
}

// A bare board lets a guest write there.
func TestNoPower(t *testing.T) {
	assert.Equal(t, Halted, run(t, boot(t, Config{Board: Bare}, "\xb0\xfe\xe6\x64\xb0\x03\xe6\x92\xfa\xf4"), 1000).Reason)
}

func TestPortMap(t *testing.T) {
	const exit501, exitF4, halt = "\xba\x01\x05\xb0\x05\xee", "\xb0\x05\xe6\xf4", "\xfa\xf4"
	elsewhere := StandardPorts
	elsewhere.Exit = PortRange{0x501, 2}
	nowhere := PortMap{}
	for _, c := range []struct {
		name string
		at   *PortMap
		code string
		want Reason
	}{
		{"the standard board", nil, exitF4 + halt, Exited},
		{"exit elsewhere", &elsewhere, exit501 + halt, Exited},
		{"exit no longer where it was", &elsewhere, exitF4 + halt, Halted},
		{"a board without devices", &nowhere, exitF4 + "\xba\xf8\x03\xb0h\xee\xe6\xe9" + halt, Halted},
	} {
		t.Run(c.name, func(t *testing.T) {
			assert.Equal(t, c.want, run(t, boot(t, Config{Ports: c.at}, c.code), 1000).Reason)
		})
	}

	taken := StandardPorts
	taken.Exit = PortRange{0x3f8, 4}
	_, err := New(Config{Ports: &taken})
	require.ErrorContains(t, err, "ports 0x3f8-0x3fb are taken")
}

package decode

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// bytes encodes a form with zeros for all that it leaves open.
func (f Form) bytes() []byte {
	var b []byte
	for _, p := range []struct {
		bit  Prefix
		code byte
	}{{PrefixLock, 0xf0}, {PrefixRep, 0xf3}, {PrefixRepne, 0xf2}, {PrefixOpSize, 0x66}, {PrefixAddr, 0x67}, {PrefixRexW, 0x48}} {
		if f.Prefix&p.bit != 0 {
			b = append(b, p.code)
		}
	}
	b = append(b, [][]byte{nil, {0x0f}, {0x0f, 0x38}, {0x0f, 0x3a}}[f.Map]...)
	b = append(b, f.Opcode)
	if f.HasModRM {
		m := byte(max(f.Reg, 0))<<3 | byte(max(f.RM, 0))
		if !f.Memory {
			m |= 0xc0
		}
		b = append(b, m)
	}
	return append(b, make([]byte, 10)...)
}

// Every form decodes to its operation, and no two are one.
func TestForms(t *testing.T) {
	const integer = FeatI486 | FeatCPUID | FeatCX8 | FeatCMOV | FeatLM | FeatMOVBE
	forms := Forms(integer)
	d := Decoder{Features: integer}
	seen := map[string]bool{}
	for _, f := range forms {
		require.False(t, seen[f.String()], f.String())
		seen[f.String()] = true
		var in Inst
		require.Equal(t, OK, d.Decode(&in, f.bytes(), f.Mode), f.String())
		require.Equal(t, f.Op, in.Op, f.String())
	}
	for _, s := range []string{"16.00.mem", "64.lock.66.0fb1.mem", "32.f6/3.reg", "64.67.0f38f0.mem", "32.67.e3", "64.w.ff/2.reg"} {
		assert.True(t, seen[s], s)
	}
	for _, s := range []string{"64.06", "64.lock.89.mem", "32.0f24.reg", "32.w.89.mem", "64.d8/0.mem.mem"} {
		assert.False(t, seen[s], s)
	}
}

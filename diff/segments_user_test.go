package diff

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"x86emu/decode"
)

func TestUserSegments(t *testing.T) {
	for _, c := range []struct {
		name     string
		selector uint16
		want     uint64
	}{
		{"null", 3, 0},
		{"flat code", UserCS32, 0x00cffb000000ffff},
		{"flat data", UserDS, 0x00cff3000000ffff},
		{"64-bit code", UserCS64, 0x00affb000000ffff},
		{"of the LDT", 8*3 + 7, 0x2050f30000002fff},
		{"in pages", 8*23 + 7, 0x20dff3000800ffff},
		{"beyond the LDT", 8*24 + 7, 0},
		{"beyond the GDT", 0x83, 0},
	} {
		assert.Equal(t, c.want, UserSegment(c.selector), c.name)
	}
	assert.Equal(t, decode.Mode64, UserMode(UserCS64))
	assert.Equal(t, decode.Mode32, UserMode(UserCS32))
	assert.Equal(t, decode.Mode16, UserMode(8*2+7))
}

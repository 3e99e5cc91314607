package simd

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// The boxes are made, not written down: FIPS 197 gives some of their values.
func TestBoxes(t *testing.T) {
	for _, c := range []struct{ in, out uint8 }{{0x00, 0x63}, {0x01, 0x7c}, {0x53, 0xed}, {0xff, 0x16}, {0x10, 0xca}} {
		assert.Equal(t, c.out, sbox[c.in])
		assert.Equal(t, c.in, inverse[c.out])
	}
	for i := range 256 {
		assert.Equal(t, uint8(i), inverse[sbox[i]])
	}
}

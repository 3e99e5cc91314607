package fp

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestApproximations holds both to the manual's bound, 1.5 * 2^-12, at the edges of
// all intervals.
func TestApproximations(t *testing.T) {
	const bound = 1.5 / 4096
	for _, exp := range []uint64{1, 2, 100, 126, 127, 128, 200, 251, 252} {
		for i := range uint64(1 << 13) {
			v := exp<<23 + (i+1)/2<<11 - i&1
			x := float64(math.Float32frombits(uint32(v)))
			r := float64(math.Float32frombits(uint32(Reciprocal(v))))
			if math.Abs(r*x-1) > bound {
				t.Fatalf("1/%g is %g", x, r)
			}
			r = float64(math.Float32frombits(uint32(ReciprocalRoot(v))))
			if math.Abs(r*math.Sqrt(x)-1) > bound {
				t.Fatalf("1/sqrt(%g) is %g", x, r)
			}
		}
	}
	for _, c := range []struct{ in, rcp, rsqrt uint64 }{
		{0, 0x7f800000, 0x7f800000},
		{0x80000000, 0xff800000, 0xff800000},
		{0x80000001, 0xff800000, 0xff800000},
		{0x7f800000, 0, 0},
		{0xff800000, 0x80000000, 0xffc00000},
		{0x7e800000, 0, 0x1ffff800},
		{0xbf800000, 0xbf7ff800, 0xffc00000},
		{0x7f800001, 0x7fc00001, 0x7fc00001},
	} {
		assert.Equal(t, c.rcp, Reciprocal(c.in), "%x", c.in)
		assert.Equal(t, c.rsqrt, ReciprocalRoot(c.in), "%x", c.in)
	}
}

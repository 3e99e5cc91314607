package diff

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestNear(t *testing.T) {
	const one = 1 << 63
	for _, c := range []struct {
		rule   string
		a, b   Extended
		places uint64
		want   bool
	}{
		{"the same", Extended{one, 0x3fff}, Extended{one, 0x3fff}, 0, true},
		{"one place", Extended{one, 0x3fff}, Extended{one + 1, 0x3fff}, 1, true},
		{"two places", Extended{one, 0x3fff}, Extended{one + 2, 0x3fff}, 1, false},
		{"across a power of two", Extended{one, 0x3fff}, Extended{^uint64(0), 0x3ffe}, 1, true},
		{"across a power of two, not counted", Extended{one, 0x3fff}, Extended{^uint64(0), 0x3ffe}, 0, false},
		{"across a power of two and one more", Extended{one + 1, 0x3fff}, Extended{^uint64(0), 0x3ffe}, 1, false},
		{"across it by two", Extended{one + 1, 0x3fff}, Extended{^uint64(0), 0x3ffe}, 2, true},
		{"negative", Extended{one, 0xbfff}, Extended{^uint64(0), 0xbffe}, 1, true},
		{"from denormal to normal", Extended{one - 1, 0}, Extended{one, 1}, 1, true},
		{"of two signs", Extended{one, 0x8000}, Extended{^uint64(0), 0x7fff}, 1, false},
		{"to an infinity", Extended{^uint64(0), 0x7ffe}, Extended{one, 0x7fff}, 1, false},
		{"an exponent between", Extended{^uint64(0), 0x3ffd}, Extended{one, 0x3fff}, 1, false},
	} {
		assert.Equal(t, c.want, c.a.near(c.b, c.places), c.rule)
		assert.Equal(t, c.want, c.b.near(c.a, c.places), c.rule)
	}
}

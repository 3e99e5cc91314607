package decode

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestFormTableIsShared lets machines learn the same forms at the same time
// (run it with the race detector).
func TestFormTableIsShared(t *testing.T) {
	table := newFormTable(maxForms)
	var wg sync.WaitGroup
	got := make([][]*form, 4)
	for m := range got {
		wg.Go(func() {
			for op := range formKey(256) {
				for reg := range formKey(8) {
					got[m] = append(got[m], table.lookup(op|1<<keyMode|reg<<keyReg))
				}
			}
		})
	}
	wg.Wait()
	for m := range got {
		assert.Equal(t, got[0], got[m])
	}
}

// TestFormTableStaysSmall fills the table past its bound.
func TestFormTableStaysSmall(t *testing.T) {
	const limit = 2*firstSlots + 10
	table := newFormTable(limit)
	for k := formKey(0); k < 3*limit; k++ {
		table.lookup(k<<8 | 0x0f)
		assert.LessOrEqual(t, table.count, limit)
	}
	assert.LessOrEqual(t, len(*table.slots.Load()), 4*limit)
}

// TestOpNames wants a name for each own operation.
func TestOpNames(t *testing.T) {
	seen := map[string]bool{}
	for op := OwnOps + 1; op < numOps; op++ {
		assert.NotEmpty(t, op.String(), int(op))
		assert.False(t, seen[op.String()], op.String())
		seen[op.String()] = true
	}
	assert.LessOrEqual(t, NumOps, 1<<13)
}

// TestTooLong counts to fifteen.
func TestTooLong(t *testing.T) {
	d := Decoder{Features: FeatAll}
	var in Inst
	prefixes := func(n int, rest ...byte) []byte {
		b := make([]byte, n, n+len(rest))
		for i := range b {
			b[i] = 0x66
		}
		return append(b, rest...)
	}
	for _, c := range []struct {
		name string
		src  []byte
		want Status
	}{
		{"15 bytes", prefixes(14, 0x90), OK},
		{"15 prefixes", prefixes(15, 0x90), TooLong},
		{"the 16th byte is an immediate", prefixes(12, 0xb8, 1, 2, 3, 4), OK},
		{"the 16th byte is an immediate's second", prefixes(14, 0xb8, 1, 2), TooLong},
		{"14 bytes are there", prefixes(14), NeedMore},
		{"undefined and too long", prefixes(14, 0x0f, 0x04), TooLong},
		{"no bytes", nil, NeedMore},
	} {
		assert.Equal(t, c.want, d.Decode(&in, c.src, Mode32), c.name)
	}
}

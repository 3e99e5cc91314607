package gen

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/decode"
	"x86emu/diff"
)

// As many cases as there are forms have each form once, and each case is the
// instruction that its rule names.
func TestInsnHasEveryForm(t *testing.T) {
	g := NewInsn()
	rules := g.Rules()
	seen := map[string]bool{}
	for n := range uint64(len(rules)) {
		c := diff.MakeCase(g, 3, n)
		seen[c.Rule] = true
		var in decode.Inst
		require.Equal(t, decode.OK, g.dec.Decode(&in, c.Code, diff.UserMode(c.Regs.Seg[decode.CS])), "%s %s % x", c.ID, c.Rule, c.Code)
		require.Equal(t, len(c.Code), int(in.Len), c.ID)
	}
	assert.Len(t, seen, len(rules))
}

// A case depends on its seed and number alone.
func TestInsnIsDeterministic(t *testing.T) {
	g, fresh := NewInsn(), NewInsn()
	for n := range uint64(100) {
		assert.Equal(t, diff.MakeCase(g, 1, n), diff.MakeCase(fresh, 1, n))
	}
	assert.NotEqual(t, diff.MakeCase(g, 1, 0).Code, diff.MakeCase(g, 2, 0).Code)
}

func BenchmarkInsn(b *testing.B) {
	g := NewInsn()
	n := uint64(0)
	for b.Loop() {
		diff.MakeCase(g, 1, n)
		n++
	}
}

package gen

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/decode"
	"x86emu/diff"
)

// Sequences have 2 to 20 instructions, in every mode, some that change
// themselves and some that are stepped through.
func TestSequence(t *testing.T) {
	g := NewSequence()
	rules := map[string]int{}
	for n := range uint64(5000) {
		c := diff.MakeCase(g, 1, n)
		rules[c.Rule]++
		count := 0
		for code := c.Code; len(code) > 0; count++ {
			var in decode.Inst
			require.Equal(t, decode.OK, g.dec.Decode(&in, code, diff.UserMode(c.Regs.Seg[decode.CS])), c.ID)
			code = code[in.Len:]
		}
		require.True(t, count >= 2 && count <= 20, "%s: %d instructions", c.ID, count)
		if n%100 == 0 {
			require.Equal(t, c, diff.MakeCase(g, 1, n))
		}
	}
	for _, rule := range []string{"16", "16.tf", "32", "32.smc", "32.smc.tf", "64", "64.smc", "64.smc.tf", "64.tf"} {
		assert.Positive(t, rules[rule], rule)
	}
}

// No feature gives the encodings of this generator a meaning.
func TestUndefined(t *testing.T) {
	g := NewUndefined()
	locked, modes := 0, map[decode.Mode]int{}
	for n := range uint64(3000) {
		c := diff.MakeCase(g, 1, n)
		var in decode.Inst
		require.Equal(t, decode.Undef, g.all.Decode(&in, c.Code, diff.UserMode(c.Regs.Seg[decode.CS])), c.ID)
		modes[in.Mode]++
		if in.Prefix&decode.PrefixLock != 0 {
			locked++
		}
	}
	assert.Len(t, modes, 3)
	assert.Positive(t, locked)
	assert.Less(t, locked, 3000)
}

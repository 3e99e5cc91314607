package cpu

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/decode"
	"x86emu/mmu"
)

// A model without a feature has the flag gone from CPUID, and all others there
// but those that stand for more than one feature.
func TestWithout(t *testing.T) {
	full := model(t, "max")
	for i, b := range cpuidBits {
		t.Run(b.name, func(t *testing.T) {
			v, err := full.Without(b.name)
			require.NoError(t, err)
			assert.Zero(t, v.leaf(b.leaf, 0)[b.reg]&(1<<b.bit))
			for j, other := range cpuidBits {
				if j == i || b.name == "pcid" && other.name == "invpcid" {
					continue
				}
				assert.NotZero(t, v.leaf(other.leaf, 0)[other.reg]&(1<<other.bit), other.name)
			}
			assert.Equal(t, "max,-"+b.name, v.Name)
		})
	}
}

func TestWithoutTakesControlBits(t *testing.T) {
	v, err := model(t, "max").Without("smap", "nx", "xsave", "pcid")
	require.NoError(t, err)
	assert.Zero(t, v.CR4Valid&(mmu.CR4SMAP|mmu.CR4OSXSAVE|mmu.CR4PCIDE))
	assert.Zero(t, v.EFERValid&mmu.EFERNXE)
	assert.Zero(t, v.Features&(decode.FeatSMAP|decode.FeatXSAVE|decode.FeatXSAVEC|decode.FeatINVPCID))
	assert.NotZero(t, v.CR4Valid&mmu.CR4SMEP)
	assert.Equal(t, "max,-pcid,-xsave,-smap,-nx", v.Name, "in the order of CPUID")
	assert.Zero(t, v.leaf(0xd, 0), "no XSAVE area")
}

func TestWithoutWhatIsNotThere(t *testing.T) {
	m := model(t, "486")
	v, err := m.Without("sse", "lm")
	require.NoError(t, err)
	assert.Same(t, m, v)

	_, err = m.Without("sse", "sse9")
	assert.ErrorContains(t, err, `unknown CPU feature "sse9"`)
}

// A model made by Without is found again by its name, as a snapshot does it.
func TestVariantByName(t *testing.T) {
	v, err := model(t, "max").Without("smep", "lm")
	require.NoError(t, err)
	again, ok := ModelByName(v.Name)
	require.True(t, ok)
	assert.Equal(t, v, again)
	for _, name := range []string{"max,", "max,smep", "max,-frob", "frob,-smep", ",-smep", "max,-"} {
		_, ok := ModelByName(name)
		assert.False(t, ok, name)
	}
}

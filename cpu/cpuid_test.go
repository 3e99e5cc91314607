package cpu

import (
	"encoding/binary"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func model(t testing.TB, name string) *Model {
	t.Helper()
	m, ok := ModelByName(name)
	require.True(t, ok, "model %s", name)
	return m
}

func TestModelNames(t *testing.T) {
	assert.Equal(t, []string{"386", "486", "pentium", "pentium3", "core2", "max"}, ModelNames())
	_, ok := ModelByName("8086")
	assert.False(t, ok)
}

func TestCPUIDLeaves(t *testing.T) {
	const fpu, vme, de, pse, tsc, msr, pae, mce = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 4, 1 << 5, 1 << 6, 1 << 7
	const cx8, apic = 1 << 8, 1 << 9
	tests := []struct {
		name      string
		model     string
		leaf, sub uint32
		reg       int
		mask      uint32
		want      uint32
	}{
		{"486 knows leaf 1 only", "486", 0, 0, eax, ^uint32(0), 1},
		{"486 has FPU and VME", "486", 1, 0, edx, ^uint32(0), fpu | vme},
		{"pentium features", "pentium", 1, 0, edx, ^uint32(0), fpu | vme | de | pse | tsc | msr | mce | cx8 | apic},
		{"pentium3 has SSE, not SSE2", "pentium3", 1, 0, edx, 3 << 25, 1 << 25},
		{"pentium3 has no extended leaves: the highest basic leaf answers", "pentium3", 0x80000000, 0, eax, ^uint32(0), 0x03020101},
		{"core2 has CX16", "core2", 1, 0, ecx, 1 << 13, 1 << 13},
		{"core2 has no leaf 7: leaf 0AH answers", "core2", 7, 0, ebx, ^uint32(0), 0},
		{"core2 has long mode and NX", "core2", 0x80000001, 0, edx, 1<<29 | 1<<20, 1<<29 | 1<<20},
		{"core2 address sizes", "core2", 0x80000008, 0, eax, ^uint32(0), 48<<8 | 36},
		{"max address sizes", "max", 0x80000008, 0, eax, ^uint32(0), 57<<8 | 40},
		{"max has XSAVE, no AVX, and OSXSAVE follows CR4", "max", 1, 0, ecx, 1<<28 | 1<<26 | 1<<27, 1 << 26},
		{"max has no BMI1, BMI2, AVX2", "max", 7, 0, ebx, 1<<3 | 1<<8 | 1<<5, 0},
		{"max SMEP, SMAP, INVPCID, ADX", "max", 7, 0, ebx, 1<<7 | 1<<20 | 1<<10 | 1<<19, 1<<7 | 1<<20 | 1<<10 | 1<<19},
		{"max leaf 7 has one sub-leaf", "max", 7, 1, ebx, ^uint32(0), 0},
		{"486 has no APIC", "486", 1, 0, edx, 1 << 9, 0},
		{"core2's APIC is one of xAPIC mode alone", "core2", 1, 0, ecx, 1<<21 | 1<<24, 0},
		{"max has x2APIC and TSC-deadline modes", "max", 1, 0, ecx, 1<<21 | 1<<24, 1<<21 | 1<<24},
		{"L1 data cache of 32 KiB", "max", 4, 0, ebx, ^uint32(0), 7<<22 | 63},
		{"the cache list ends", "max", 4, 3, eax, 31, 0},
		{"a leaf out of range is the highest basic one", "max", 0x40000000, 0, ebx, ^uint32(0), 0x240},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := model(t, tt.model).leaf(tt.leaf, tt.sub)
			assert.Equal(t, tt.want, r[tt.reg]&tt.mask)
		})
	}
}

func TestCPUIDBrand(t *testing.T) {
	for _, name := range []string{"core2", "max"} {
		var b []byte
		for leaf := uint32(0x80000002); leaf <= 0x80000004; leaf++ {
			for _, v := range model(t, name).leaf(leaf, 0) {
				b = binary.LittleEndian.AppendUint32(b, v)
			}
		}
		assert.Equal(t, "x86emu "+name, strings.TrimRight(string(b), "\x00"))
	}
}

// TestModelsGrow holds the models to what their order promises: a later one
// has all that an earlier one has.
func TestModelsGrow(t *testing.T) {
	for i, m := range models[1:] {
		before := models[i]
		assert.Zero(t, before.Features&^m.Features, m.Name)
		assert.Zero(t, before.CR4Valid&^m.CR4Valid, m.Name)
		assert.Zero(t, before.traits&^m.traits, m.Name)
		assert.GreaterOrEqual(t, m.MaxPhysBits, before.MaxPhysBits)
		assert.Less(t, len(m.brand), 48)
	}
}

func TestFlagsOfLeavesWithoutSubleavesIgnoreECX(t *testing.T) {
	m, _ := ModelByName("max")
	for _, leaf := range []uint32{1, 0x80000001, 0x80000007} {
		require.Equal(t, m.leaf(leaf, 0), m.leaf(leaf, 0x1a0), "leaf %#x", leaf)
	}
	require.Zero(t, m.leaf(7, 1), "leaf 7 has sub-leaves, and no second one")
}

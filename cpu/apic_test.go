package cpu

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/mmu"
)

// testAPIC is an IO with a local APIC, which takes even values and remembers.
type testAPIC struct {
	testPorts
	log string
}

func (a *testAPIC) ReadAPIC(n uint32) (uint64, bool) { return uint64(n), n&1 == 0 }
func (a *testAPIC) WriteAPIC(n uint32, v uint64) bool {
	a.log += fmt.Sprintf("write %x=%x ", n, v)
	return v&1 == 0
}
func (a *testAPIC) BaseChanged(old uint64) { a.log += fmt.Sprintf("base was %x ", old) }
func (a *testAPIC) PriorityLoaded()        { a.log += "priority " }
func (a *testAPIC) TSCLoaded()             { a.log += "tsc " }

func newWithAPIC(t *testing.T, name string) (*CPU, *testAPIC) {
	m := model(t, name)
	a := &testAPIC{}
	return New(m, mmu.New(mmu.NewMemory(testRAM, m.MaxPhysBits), m.Paging()), a), a
}

// Transitions of IA32_APIC_BASE. [SDM 3A, Local APIC Status and Location; x2APIC State Transitions]
func TestAPICBase(t *testing.T) {
	const off, x, x2, odd, bsp = 0xfee00100, 0xfee00900, 0xfee00d00, 0xfee00500, 0xfee00800
	for _, c := range []struct {
		rule  string
		model string
		steps []uint64 // written one after the other
		ok    bool     // whether the last is taken
		want  uint64
	}{
		{"enabled after reset", "max", nil, true, x},
		{"off", "max", []uint64{off}, true, off},
		{"off and on", "max", []uint64{off, x}, true, x},
		{"x2APIC from xAPIC", "max", []uint64{x2}, true, x2},
		{"x2APIC from x2APIC", "max", []uint64{x2, x2}, true, x2},
		{"x2APIC from off", "max", []uint64{off, x2}, false, off},
		{"xAPIC from x2APIC", "max", []uint64{x2, x}, false, x2},
		{"off from x2APIC", "max", []uint64{x2, off}, true, off},
		{"x2APIC without enable, from xAPIC", "max", []uint64{odd}, false, x},
		{"x2APIC without enable, from x2APIC", "max", []uint64{x2, odd}, false, x2},
		{"x2APIC without enable, from off", "max", []uint64{off, odd}, false, off},
		{"BSP", "max", []uint64{bsp}, true, bsp},
		{"elsewhere", "max", []uint64{0xff_fffff900}, true, 0xff_fffff900},
		{"beyond MAXPHYADDR", "max", []uint64{1<<40 | x}, false, x},
		{"reserved bits", "max", []uint64{x | 1}, false, x},
		{"no x2APIC mode", "core2", []uint64{x2}, false, x},
		{"no x2APIC mode in a model without", "max,-x2apic", []uint64{x2}, false, x},
		{"the serial bus: off for good", "pentium3", []uint64{off, x}, true, off},
		{"no APIC to enable", "max,-apic", []uint64{x}, false, off},
	} {
		t.Run(c.rule, func(t *testing.T) {
			p, a := newWithAPIC(t, c.model)
			for i, v := range c.steps {
				before := p.APICBase()
				a.log = ""
				ok := p.writeMSR(msrAPICBase, v)
				require.Equal(t, c.ok || i < len(c.steps)-1, ok, "step %d", i)
				if ok && p.APICBase() != before {
					assert.Equal(t, fmt.Sprintf("base was %x ", before), a.log)
				} else {
					assert.Empty(t, a.log)
				}
			}
			v, ok := p.readMSR(msrAPICBase)
			assert.True(t, ok)
			assert.Equal(t, c.want, v)
		})
	}
}

func TestAPICReached(t *testing.T) {
	p, a := newWithAPIC(t, "max")
	has := func(bit uint) bool { return p.cpuid(1, 0)[edx]>>bit&1 != 0 }
	read := func(n uint32) bool { _, ok := p.readMSR(n); return ok }
	assert.True(t, has(9))
	assert.True(t, read(msrTSCDeadline))
	assert.False(t, read(msrX2APIC+2), "not in xAPIC mode")
	assert.False(t, p.writeMSR(msrX2APIC+2, 0), "not in xAPIC mode")
	require.True(t, p.writeMSR(msrAPICBase, 0xfee00d00))
	assert.True(t, read(msrX2APIC+2))
	assert.False(t, read(msrX2APIC+3), "refused")
	assert.False(t, read(msrX2APICLast+1))
	a.log = ""
	assert.True(t, p.writeMSR(msrX2APIC+2, 4))
	assert.False(t, p.writeMSR(msrX2APIC+2, 5))
	assert.True(t, p.writeMSR(msrTSC, 0))
	assert.True(t, p.loadPriority(7))
	assert.EqualValues(t, 7, p.Priority())
	assert.False(t, p.loadPriority(16))
	assert.Equal(t, "write 802=4 write 802=5 tsc priority ", a.log)
	require.True(t, p.writeMSR(msrAPICBase, 0xfee00100))
	assert.False(t, has(9), "off")

	p, _ = newWithAPIC(t, "core2")
	assert.False(t, read(msrTSCDeadline))
	for _, name := range []string{"486", "max,-apic"} {
		p, _ = newWithAPIC(t, name)
		assert.False(t, has(9), name)
		assert.False(t, read(msrTSCDeadline), name)
		assert.Zero(t, p.cpuid(1, 0)[ecx]&(1<<21|1<<24), name)
		_, ok := p.Model.LocalAPIC()
		assert.False(t, ok, name)
	}
}

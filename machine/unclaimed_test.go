package machine

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/mmu"
)

// access is one at a place, as a table has it.
type access struct {
	at    uint64
	size  uint8
	write bool
}

func TestUnclaimedAreCounted(t *testing.T) {
	const hole = MinRAM // the first address after RAM
	for _, c := range []struct {
		rule  string
		ports []access
		mem   []access
		want  Unclaimed // of the gaps, but for where they were met
	}{
		{"what answers is not", []access{{0x80, 1, false}, {0x21, 1, true}}, []access{{0, 4, false}, {0xf0000, 4, true}, {0xa0000, 4, true}}, Unclaimed{}},
		{"reads and writes apart", []access{{0x3e8, 1, false}, {0x3e8, 1, true}, {0x3e8, 1, true}}, nil,
			Unclaimed{Ports: Gaps{List: []Gap{{First: 0x3e8, Last: 0x3e8, Reads: 1, Writes: 2}}}}},
		{"a wide access is one", []access{{0x3e8, 4, false}}, []access{{hole + 4, 8, true}}, Unclaimed{
			Gaps{List: []Gap{{First: 0x3e8, Last: 0x3eb, Reads: 1}}}, Gaps{List: []Gap{{First: hole + 4, Last: hole + 11, Writes: 1}}}}},
		{"of an access that is answered in part, the rest", []access{{0x91, 2, true}, {0x92, 4, false}}, []access{{hole - 2, 4, false}, {0xa0006, 4, true}}, Unclaimed{
			Gaps{List: []Gap{{First: 0x91, Last: 0x91, Writes: 1}, {First: 0x93, Last: 0x95, Reads: 1}}},
			Gaps{List: []Gap{{First: 0xa0008, Last: 0xa0009, Writes: 1}, {First: hole, Last: hole + 1, Reads: 1}}}}},
		{"neighbours are one gap", []access{{0x5000, 1, false}, {0x5002, 1, false}, {0x5001, 1, true}, {0x5003, 2, false}, {0x4fff, 1, false}}, nil,
			Unclaimed{Ports: Gaps{List: []Gap{{First: 0x4fff, Last: 0x5004, Reads: 4, Writes: 1}}}}},
		{"an access that spans gaps joins them", nil, []access{{hole, 1, false}, {hole + 7, 1, false}, {hole, 8, false}},
			Unclaimed{Mem: Gaps{List: []Gap{{First: hole, Last: hole + 7, Reads: 3}}}}},
		{"the last port ends it", []access{{0xffff, 4, false}}, nil, Unclaimed{Ports: Gaps{List: []Gap{{First: 0xffff, Last: 0xffff, Reads: 1}}}}},
		{"the highest address", nil, []access{{1<<52 - 8, 8, false}}, Unclaimed{Mem: Gaps{List: []Gap{{First: 1<<52 - 8, Last: 1<<52 - 1, Reads: 1}}}}},
	} {
		t.Run(c.rule, func(t *testing.T) {
			m := boot(t, Config{Extra: withLatch}, "\xf4")
			u := m.CountUnclaimed()
			for _, a := range c.ports {
				if a.write {
					m.Ports.Out(uint16(a.at), a.size, 0)
				} else {
					m.Ports.In(uint16(a.at), a.size)
				}
			}
			for _, a := range c.mem {
				if a.write {
					m.Mem.Write(mmu.Phys(a.at), uint(a.size), 0)
				} else {
					m.Mem.Read(mmu.Phys(a.at), uint(a.size))
				}
			}
			for _, l := range [][]Gap{u.Ports.List, u.Mem.List} {
				for i := range l {
					l[i].Tick, l[i].CS, l[i].RIP = 0, 0, 0
				}
			}
			assert.Equal(t, c.want, *u)
		})
	}
}

// A gap tells which instruction met it first, in a block as well.
func TestUnclaimedTellWhere(t *testing.T) {
	// mov ax,0xf00; mov ds,ax; nop; mov [0],ax; in al,0x60; in al,0x62; in al,0x61; hlt
	const code = "\xb8\x00\xf0\x8e\xd8\x90\xa3\x00\x00\xe4\x60\xe4\x62\xe4\x61\xf4"
	m := boot(t, Config{RAM: MinRAM, Board: Bare}, code)
	m.Mem.Unmap(0xf0000, 0x10000)
	u := m.CountUnclaimed()
	run(t, m, 100)
	require.Len(t, u.Mem.List, 1)
	assert.Equal(t, Gap{First: 0xf0000, Last: 0xf0001, Writes: 1, Tick: 3, RIP: 0x7c06}, u.Mem.List[0])
	assert.Equal(t, []Gap{{First: 0x60, Last: 0x62, Reads: 3, Tick: 4, RIP: 0x7c09}}, u.Ports.List)
}

// A guest that touches everything fills no more than the list.
func TestUnclaimedAreBounded(t *testing.T) {
	m := boot(t, Config{Board: Bare}, "\xf4")
	u := m.CountUnclaimed()
	for i := range uint64(3 * maxGaps) {
		m.Mem.Read(mmu.Phys(1<<30+i*4096), 4)
		m.Ports.In(uint16(0x1000+2*i), 1)
	}
	for _, g := range []Gaps{u.Mem, u.Ports} {
		assert.Len(t, g.List, maxGaps)
		assert.EqualValues(t, 2*maxGaps, g.More)
	}
}

package gen

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/diff"
	"x86emu/diff/model"
)

// differ asks the emulator and the model the same cases.
type differ struct {
	emu, model diff.Oracle
}

func newDiffer() differ { return differ{diff.NewEmu(false), model.New()} }

// ask gives both answers to a case and the fields in which they differ.
func (d differ) ask(t testing.TB, c *diff.Case) (emu, literal diff.Result, fields diff.Fields) {
	t.Helper()
	var a, b [1]diff.Result
	require.NoError(t, d.emu.Run(context.Background(), []*diff.Case{c}, a[:]))
	require.NoError(t, d.model.Run(context.Background(), []*diff.Case{c}, b[:]))
	x, err := diff.NewContext(c)
	require.NoError(t, err)
	return a[0], b[0], x.Compare(&a[0], &b[0], diff.AllFields, &diff.Mask{})
}

func TestDeliveriesAreTheModels(t *testing.T) {
	n := uint64(1500)
	if testing.Short() {
		n = 300
	}
	d := newDiffer()
	silent, shutdowns := 0, 0
	vectors := map[uint8]int{}
	for i := range n {
		c := diff.MakeCase(NewDelivery(), 20, i)
		emu, literal, fields := d.ask(t, c)
		if !assert.Zero(t, fields, "%s %s: %s", c.ID, c.World, c.Rule) {
			assert.Equal(t, literal, emu)
			return
		}
		if literal.End == diff.Silent {
			silent++
		}
		if literal.End == diff.Shutdown {
			shutdowns++
		}
		vectors[emu.Vector]++
	}
	assert.LessOrEqual(t, silent, int(n/1000), "the model has an answer")
	assert.Less(t, shutdowns, int(n/20), "few cases end in shutdown")
	for _, v := range []uint8{0, 3, 8, 10, 11, 12, 13, 14, 0x60} {
		assert.NotZero(t, vectors[v], "vector %d is met", v)
	}
}

// Cases in which campaigns have found the emulator wrong, as small as they get.
func TestDeliveriesOnceWrong(t *testing.T) {
	patch := func(at diff.Offset, v uint64) diff.Patch {
		b := make([]byte, 8)
		diff.Put64(b, 0, v)
		return diff.Patch{At: at, Bytes: b}
	}
	start := func(cs, ss uint16, esp uint64) diff.Regs {
		w, err := diff.WorldByName("sys64")
		require.NoError(t, err)
		r := w.Regs
		r.Seg[1], r.Seg[2], r.GPR[4] = cs, ss, esp
		return r
	}
	tests := []struct {
		name   string
		c      diff.Case
		vector uint8
		cr2    uint64
	}{
		{
			"a call gate from compatibility mode pushes at RSP, without the base of SS",
			diff.Case{
				World: "sys64", Regs: start(diff.Sys64Compat0, 0x80, 0x800),
				Code: []byte{0x9a, 0, 0, 0, 0, 0x90, 0},
				Patches: []diff.Patch{
					patch(0x80, diff.SegmentDescriptor(diff.SysLinear+uint64(diff.SysStack0), 0xfff, diff.AccessData, diff.Flags32)),
					patch(0x90, diff.GateDescriptor(diff.CollectorCS, diff.Collector(0x60), diff.AccessCall, 0)),
					patch(diff.SysIDT+14*16, diff.GateDescriptor(diff.CollectorCS, diff.Collector(14), diff.AccessInt, 1)),
				},
				Event: &diff.Event{How: diff.ByFarCALL, Selector: 0x90, OpSize: 4},
			}, 14, 0x7f8,
		},
	}
	d := newDiffer()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.c.Kind, tt.c.Model = diff.Delivery, "max"
			emu, literal, fields := d.ask(t, &tt.c)
			assert.Zero(t, fields)
			assert.Equal(t, tt.vector, literal.Vector)
			assert.Equal(t, tt.vector, emu.Vector)
			assert.Equal(t, tt.cr2, emu.CR2)
		})
	}
}

func TestDeliveriesHaveAllPairs(t *testing.T) {
	known := map[string]int{}
	for _, r := range (Delivery{}).Rules() {
		assert.NotContains(t, known, r)
		known[r] = 0
	}
	for i := range uint64(20000) {
		for _, part := range strings.Split(diff.MakeCase(NewDelivery(), 1, i).Rule, ", ") {
			if strings.Contains(part, " + ") {
				assert.Contains(t, known, part)
				known[part]++
			}
		}
	}
	for r, n := range known {
		assert.NotZero(t, n, r)
	}
}

func TestDeliveryIsDeterministic(t *testing.T) {
	for n := range uint64(200) {
		assert.Equal(t, diff.MakeCase(NewDelivery(), 7, n), diff.MakeCase(NewDelivery(), 7, n))
	}
}

// FuzzDelivery changes eight bytes of the tables of a generated case.
func FuzzDelivery(f *testing.F) {
	f.Add(uint64(1), uint64(1), uint32(0x80), uint64(0x00cf9b000000ffff))
	f.Add(uint64(2), uint64(7), uint32(0x1068), uint64(0x00208e0000080000))
	f.Add(uint64(3), uint64(9), uint32(0x3004), uint64(0x0000001001007004))
	d := newDiffer()
	f.Fuzz(func(t *testing.T, seed, n uint64, at uint32, value uint64) {
		c := diff.MakeCase(NewDelivery(), seed, n)
		// Tables and task states, but not what a collector needs, nor what the event was
		// made of.
		o := diff.Offset(at) % diff.SysStack0 &^ 7
		if o < diff.SysGDT+0x18 || o < diff.SysIDT && c.Event.How == diff.ByFault {
			return
		}
		for _, s := range append(c.Regs.Seg[:], c.Regs.LDTR, c.Regs.LDTR+8, c.Regs.TR, c.Regs.TR+8) {
			if o == diff.SysGDT+diff.Offset(s&^7) {
				return
			}
		}
		p := diff.Patch{At: o}
		for i := range 8 {
			p.Bytes = append(p.Bytes, byte(value>>(8*i)))
		}
		c.Patches = append(c.Patches, p)
		emu, literal, fields := d.ask(t, c)
		if fields != 0 {
			t.Errorf("%s %s: %s, %x at %x", c.ID, c.World, c.Rule, value, o)
			assert.Equal(t, literal, emu)
		}
	})
}

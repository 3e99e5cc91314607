package gen

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/diff"
)

func TestPagingIsTheModels(t *testing.T) {
	n := uint64(5000)
	if testing.Short() {
		n = 3000
	}
	d := newDiffer()
	codes, vectors := map[uint32]bool{}, map[uint8]bool{}
	for i := range n {
		c := diff.MakeCase(Paging{}, 1, i)
		literal, same := d.walks(t, c)
		if !same {
			return
		}
		vectors[literal.Vector] = true
		if literal.Vector == 14 {
			codes[literal.Error] = true
		}
	}
	assert.Equal(t, map[uint8]bool{3: true, 13: true, 14: true}, vectors)
	// All that the error code can be: a read, a write or a fetch, each by either mode; not
	// present, not allowed, or reserved; keys for data only.
	for _, code := range []uint32{0, 2, 4, 6, 16, 20, 1, 3, 5, 7, 17, 21, 9, 11, 13, 15, 25, 29, 33, 35, 37, 39} {
		assert.True(t, codes[code], "error code %#x is met", code)
	}
}

// walks compares what the model answers to a Paging case, and tells the answer.
func (d differ) walks(t testing.TB, c *diff.Case) (literal diff.Result, same bool) {
	t.Helper()
	var a, b [1]diff.Result
	require.NoError(t, d.emu.Run(t.Context(), []*diff.Case{c}, a[:]))
	require.NoError(t, d.model.Run(t.Context(), []*diff.Case{c}, b[:]))
	x, err := diff.NewContext(c)
	require.NoError(t, err)
	fields := x.Compare(&a[0], &b[0], d.model.Answers(c), &diff.Mask{})
	if fields != 0 {
		t.Errorf("%s %s: %s: they differ in %v\nmodel %+v\nemu   %+v", c.ID, c.World, c.Rule, fields, b[0], a[0])
	}
	return b[0], fields == 0
}

// Older processors have other widths and no PAT, no large pages, no XD.
func TestPagingOfOlderModels(t *testing.T) {
	d := newDiffer()
	for model, has := range map[string]struct {
		worlds   []string
		cr4, cr0 uint64 // the bits that may be set
		efer     uint64
	}{
		"core2":    {[]string{"paging32", "pagingpae", "paging4"}, 0xb0, ^uint64(0), ^uint64(0)},
		"pentium3": {[]string{"paging32", "pagingpae"}, 0xb0, ^uint64(0), 0},
		"pentium":  {[]string{"paging32"}, 0x10, ^uint64(0), 0},
		"486":      {[]string{"paging32"}, 0, ^uint64(0), 0},
		"386":      {[]string{"paging32"}, 0, ^uint64(cr0WP), 0},
	} {
		t.Run(model, func(t *testing.T) {
			asked := 0
			for i := uint64(0); asked < 300; i++ {
				c := diff.MakeCase(Paging{}, 2, i)
				if c.World == "paging32" && c.Regs.CR4&^has.cr4&cr4PSE != 0 {
					continue // its large page would lead elsewhere
				}
				c.Model = model
				c.Regs.CR0 &= has.cr0
				c.Regs.CR4 &= has.cr4
				c.Regs.EFER &= has.efer
				if !slices.Contains(has.worlds, c.World) {
					continue
				}
				if emu, _, _ := d.ask(t, c); emu.Vector == 6 {
					continue // an instruction that it has not
				}
				asked++
				d.walks(t, c)
			}
		})
	}
}

func TestPagingIsDeterministic(t *testing.T) {
	for n := range uint64(200) {
		assert.Equal(t, diff.MakeCase(Paging{}, 7, n), diff.MakeCase(Paging{}, 7, n))
	}
}

func TestPagingLeavesTheHarnessAlone(t *testing.T) {
	for n := range uint64(2000) {
		c := diff.MakeCase(Paging{}, 3, n)
		w, err := diff.WorldByName(c.World)
		require.NoError(t, err)
		size := 8
		if c.World == "paging32" {
			size = 4
		}
		for _, p := range c.Patches {
			assert.LessOrEqual(t, int(p.At)+len(p.Bytes), diff.ArenaSize)
			at := p.At - diff.PagingRoot
			if at < diff.PageSize {
				assert.False(t, diff.PagingFixed(c.World, int(at)/size), "%s: entry %d", c.ID, int(at)/size)
			}
			assert.False(t, w.Table[0].Holds(p.At) && at >= diff.PageSize && p.At < diff.PagingTables, "%s: a table of the world", c.ID)
		}
	}
}

// FuzzPaging changes the entries that a generated case walks through.
func FuzzPaging(f *testing.F) {
	f.Add(uint64(1), uint64(1), uint8(0), uint64(0x80), uint64(0), uint32(0))
	f.Add(uint64(2), uint64(7), uint8(3), uint64(1)<<63, uint64(1)<<21, uint32(3))
	f.Add(uint64(3), uint64(9), uint8(2), uint64(5)<<59, uint64(1)<<22, uint32(0xfff))
	d := newDiffer()
	f.Fuzz(func(t *testing.T, seed, n uint64, which uint8, flip, cr4 uint64, pkru uint32) {
		c := diff.MakeCase(Paging{}, seed, n)
		var entries []*diff.Patch
		for i := range c.Patches {
			p := &c.Patches[i]
			if size := len(p.Bytes); size != 8 && (size != 4 || c.World != "paging32") {
				continue
			}
			if p.At >= diff.PagingTables || p.At >= diff.PagingRoot && p.At < diff.PagingRoot+diff.PageSize && c.World != "pagingpae" {
				entries = append(entries, p)
			}
		}
		if len(entries) == 0 {
			return
		}
		p := entries[int(which)%len(entries)]
		var b [8]byte
		copy(b[:], p.Bytes)
		// Where an entry leads to is left alone: what is executed there is not the model's.
		flip &^= 0x0000_00ff_ffff_f000
		if b[0]&entryP == 0 {
			flip &^= entryP
		}
		if c.Access.Write || c.Access.Fetch || c.Access.Implicit {
			flip &^= entryPS
		}
		v := binary.LittleEndian.Uint64(b[:]) ^ flip
		p.Bytes = binary.LittleEndian.AppendUint64(nil, v)[:len(p.Bytes)]
		c.Regs.CR4 ^= cr4 & (cr4PGE | cr4SMEP | cr4SMAP | cr4PKE)
		c.Regs.PKRU ^= pkru
		d.walks(t, c)
	})
}

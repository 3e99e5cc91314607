package diff_test

import (
	"bytes"
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"x86emu/diff"
	"x86emu/diff/gen"
	"x86emu/diff/model"
)

// Targets for an engine that knows Go's own fuzzing, such as OSS-Fuzz with
// its native Go builder. An input is the number of a case, or code; a failure is a
// difference, told in full.

// FuzzModel holds the emulator to the model: walks and deliveries.
func FuzzModel(f *testing.F) {
	generators := []diff.Generator{gen.Paging{}, gen.NewDelivery()}
	f.Add(uint8(0), uint64(1), uint64(2))
	f.Add(uint8(1), uint64(1), uint64(2))
	emu, literal := diff.NewEmu(false), model.New()
	f.Fuzz(func(t *testing.T, which uint8, seed, n uint64) {
		g := generators[int(which)%len(generators)]
		hold(t, diff.MakeCase(g, seed, n), emu, literal)
	})
}

// FuzzBlocks holds code in blocks to the same code instruction by instruction.
func FuzzBlocks(f *testing.F) {
	f.Add([]byte{0x48, 0x01, 0xc8, 0x75, 0xfb}, uint64(1), uint16(0))
	f.Add([]byte{0xf3, 0xa4, 0xff, 0xe0}, uint64(2), uint16(0x100))
	f.Add([]byte{0xc6, 0x00, 0x90, 0xe2, 0xfb}, uint64(3), uint16(0x8d5))
	w, err := diff.WorldByName("user")
	require.NoError(f, err)
	blocks, steps := diff.NewEmu(false), diff.NewEmu(true)
	f.Fuzz(func(t *testing.T, code []byte, seed uint64, flags uint16) {
		r := diff.Rand(seed, 0)
		c := &diff.Case{ID: "fuzz", Kind: diff.Sequence, World: "user", Model: "max", Regs: w.Regs, Code: code[:min(len(code), 64)], Steps: 1000}
		c.Regs.Seg[1] = []uint16{diff.UserCS64, diff.UserCS32, 0x0f, 0x17}[r.IntN(4)]
		if c.Regs.Seg[1]&4 != 0 {
			c.Regs.RIP = 0x800 // in a segment of the LDT
		} else {
			c.Regs.RIP = diff.UserCode + 0x800
		}
		c.Regs.RFLAGS |= uint64(flags) & 0xdd5
		for i := range c.Regs.GPR {
			c.Regs.GPR[i] = []uint64{diff.UserData, diff.UserCode, 0, 0}[r.IntN(4)] + r.Uint64N(0x2000)
		}
		hold(t, c, blocks, steps)
	})
}

// hold fails where two oracles differ, with the whole story.
func hold(t *testing.T, c *diff.Case, ref, other diff.Oracle) {
	t.Helper()
	answers := make([]diff.Result, 2)
	for i, o := range []diff.Oracle{ref, other} {
		require.NoError(t, o.Run(context.Background(), []*diff.Case{c}, answers[i:i+1]))
	}
	v, fields, _, err := diff.Judge(c, nil, ref, other, &answers[0], &answers[1])
	require.NoError(t, err)
	if v == diff.Unexplained {
		var story bytes.Buffer
		require.NoError(t, diff.Report(&story, c, []diff.Oracle{ref, other}, answers, "this input"))
		t.Fatalf("%v\n%s", fields, story.String())
	}
}

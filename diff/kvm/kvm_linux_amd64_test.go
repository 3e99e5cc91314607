package kvm

import (
	"context"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/diff"
	"x86emu/diff/harness"
)

func TestSegmentOf(t *testing.T) {
	tests := []struct {
		name  string
		d, up uint64
		want  segment
	}{
		{"flat 32-bit code", 0x00cf9a000000ffff, 0, segment{limit: 0xffffffff, kind: 11, present: 1, db: 1, system: 1, g: 1}},
		{"64-bit code at CPL 3", 0x00affb000000ffff, 0, segment{limit: 0xffffffff, kind: 11, present: 1, dpl: 3, l: 1, system: 1, g: 1}},
		{"data with a base", 0x12409334567800ff, 0, segment{base: 0x12345678, limit: 0xff, kind: 3, present: 1, db: 1, system: 1}},
		{"TSS above 4 GiB", 0x00008b0010000067, 0xffff8000, segment{base: 0xffff800000001000, limit: 0x67, kind: 11, present: 1}},
	}
	for _, test := range tests {
		assert.Equal(t, test.want, segmentOf(0, test.d, test.up), test.name)
	}
}

// TestMachine asks what even kvm_pvm gets right, where X86EMU_PEERS asks for it.
func TestMachine(t *testing.T) {
	if os.Getenv("X86EMU_PEERS") == "" {
		t.Skip("X86EMU_PEERS is not set")
	}
	o, err := harness.New(New())
	if err != nil {
		t.Skip(err)
	}
	t.Log(o.Version())
	w, err := diff.WorldByName("user")
	require.NoError(t, err)
	c := &diff.Case{ID: "ud2", World: "user", Model: "max", Regs: w.Regs, Code: []byte{0x0f, 0x0b}}
	got := make([]diff.Result, 1)
	require.NoError(t, o.Run(context.Background(), []*diff.Case{c}, got))
	assert.Equal(t, diff.Trapped, got[0].End, got[0].Note)
	assert.Equal(t, uint8(6), got[0].Vector)
	assert.Equal(t, uint64(diff.UserCode), got[0].Regs.RIP)
}

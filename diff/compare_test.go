package diff

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/idt"
)

func TestCompareNamesTheFieldsThatDiffer(t *testing.T) {
	c := userCase(UserCS64, 0x48, 0x01, 0xc8)
	x, err := NewContext(c)
	require.NoError(t, err)
	right := ask(t, NewEmu(false), c)
	tests := []struct {
		name   string
		change func(r *Result)
		want   Fields
	}{
		{"nothing", func(*Result) {}, 0},
		{"another vector hides the rest", func(r *Result) { r.Vector, r.Regs.RIP = 13, 0 }, FieldEnd},
		{"a silent answer differs from none", func(r *Result) { *r = Result{End: Silent} }, 0},
		{"a shutdown", func(r *Result) { r.End = Shutdown }, FieldEnd},
		{"RIP", func(r *Result) { r.Regs.RIP++ }, FieldRIP},
		{"a register and a flag", func(r *Result) { r.Regs.GPR[15]++; r.Regs.RFLAGS ^= idt.FlagCF }, FieldGPR | FieldFlags},
		{"a base", func(r *Result) { r.Regs.FSBase++ }, FieldSeg},
		{"a word of memory", func(r *Result) { r.Mem = []Word{{0x2000, 1}} }, FieldMem},
		{"a word that is as it was", func(r *Result) { r.Mem = []Word{{0x2000, x.Start(0x2000)}} }, 0},
		{"a debug register", func(r *Result) { r.Regs.DR[6]++ }, FieldSystem},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			other := right.clone()
			tt.change(&other)
			assert.Equal(t, tt.want, x.Compare(&right, &other, AllFields, &Mask{}))
			assert.Equal(t, tt.want, x.Compare(&other, &right, AllFields, &Mask{}), "the other way round")
			assert.Zero(t, x.Compare(&right, &other, AllFields&^tt.want, &Mask{}), "fields that do not count")
		})
	}
}

func TestMaskOfUndefined(t *testing.T) {
	const arith = flagsArith
	tests := []struct {
		name  string
		c     *Case
		flags uint64
		names []string
	}{
		{"ADD has nothing undefined", userCase(UserCS64, 0x48, 0x01, 0xc8), 0, nil},
		{"AND", userCase(UserCS64, 0x48, 0x21, 0xc8), idt.FlagAF, []string{"logic: AF"}},
		{"SHL by 1", userCase(UserCS64, 0xd1, 0xe0), idt.FlagAF, []string{"shift: AF"}},
		{"SHL by 0", userCase(UserCS64, 0xc1, 0xe0, 0), 0, nil},
		{"SHL of a byte by 9", userCase(UserCS64, 0xc0, 0xe0, 9), idt.FlagAF | idt.FlagOF | idt.FlagCF,
			[]string{"shift: AF", "shift by more than one: OF", "shift by the width and more: CF"}},
		{"SHL by CL, which is 0", userCase(UserCS64, 0xd3, 0xe0), 0, nil},
		{"DIV", userCase(UserCS64, 0xf7, 0xf1), arith, []string{"DIV, IDIV: all"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			x, err := NewContext(tt.c)
			require.NoError(t, err)
			m, names := x.MaskOf(&Result{})
			assert.Equal(t, tt.flags, m.Flags)
			assert.Equal(t, tt.names, names)
		})
	}
	t.Run("a fault has changed nothing", func(t *testing.T) {
		c := userCase(UserCS64, 0x21, 0x04, 0x25, 0, 0, 0, 0)
		x, err := NewContext(c)
		require.NoError(t, err)
		r := ask(t, NewEmu(false), c)
		m, _ := x.MaskOf(&r)
		assert.Zero(t, m)
	})
	t.Run("SHLD of 16 bits by 17, in memory", func(t *testing.T) {
		x, err := NewContext(userCase(UserCS64, 0x66, 0x0f, 0xa4, 0x01, 17))
		require.NoError(t, err)
		m, _ := x.MaskOf(&Result{})
		assert.Equal(t, uint64(arith), m.Flags)
		assert.Equal(t, ^uint64(0xffff), m.word(0x2100, false))
	})
}

func TestExplainNeedsTheExactValue(t *testing.T) {
	c := userCase(UserCS64, 0x48, 0x01, 0xc8)
	x, err := NewContext(c)
	require.NoError(t, err)
	right := ask(t, NewEmu(false), c)
	rows := []Row{
		{Name: "adds one", Oracles: []string{"peer"}, Predict: func(_ *Context, r *Result) bool { r.Regs.GPR[0]++; return true }},
		{Name: "stores", Version: "2.", Predict: func(x *Context, r *Result) bool { x.SetLinear(r, UserData+6, 4, 0x11223344); return true }},
		{Name: "never", Predict: func(*Context, *Result) bool { return false }},
	}
	one := right.clone()
	one.Regs.GPR[0]++
	both := one.clone()
	both.Mem = []Word{
		{0x2000, x.Start(0x2000)&0xffff_ffff_ffff | 0x3344<<48},
		{0x2008, x.Start(0x2008)&^0xffff | 0x1122},
	}
	wrong := right.clone()
	wrong.Regs.GPR[0] += 2
	explain := func(name, version string, r *Result) []string {
		return x.Explain(rows, name, version, &right, r, AllFields, &Mask{})
	}
	assert.Equal(t, []string{"adds one"}, explain("peer", "1.0", &one))
	assert.Nil(t, explain("other", "1.0", &one), "a row is about its oracles")
	assert.Equal(t, []string{"adds one", "stores"}, explain("peer", "2.0", &both))
	assert.Nil(t, explain("peer", "1.0", &both), "a row is about its versions")
	assert.Nil(t, explain("peer", "2.0", &wrong))
}

// What SetLinear stores, AtLinear reads, across words.
func TestAtLinear(t *testing.T) {
	x, err := NewContext(userCase(UserCS64, 0x90))
	require.NoError(t, err)
	var r Result
	const at = UserData + 6
	before := x.AtLinear(nil, at, 4)
	assert.Equal(t, before, x.AtLinear(&r, at, 4))
	x.SetLinear(&r, at, 4, 0x11223344)
	assert.EqualValues(t, 0x11223344, x.AtLinear(&r, at, 4))
	assert.EqualValues(t, 0x2233, x.AtLinear(&r, at+1, 2))
	assert.Equal(t, before, x.AtLinear(nil, at, 4), "the case begins as it did")
	assert.Zero(t, x.AtLinear(nil, 0, 8), "not mapped")
}

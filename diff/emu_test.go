package diff

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/idt"
)

// userCase is a case in the middle of the code page, all registers distinct.
func userCase(cs uint16, code ...byte) *Case {
	c := &Case{ID: "t", World: "user", Model: "max", Code: code}
	c.Regs = Regs{RIP: UserCode + 0x800, RFLAGS: 0x202, Seg: [6]uint16{UserDS, cs, UserDS, UserDS, 0, 0}}
	for i := range c.Regs.GPR {
		c.Regs.GPR[i] = UserData + 0x100*uint64(i)
	}
	return c
}

func ask(t testing.TB, o Oracle, c *Case) Result {
	t.Helper()
	r := make([]Result, 1)
	require.NoError(t, o.Run(context.Background(), []*Case{c}, r))
	return r[0]
}

func TestEmuAnswersUserCases(t *testing.T) {
	tests := []struct {
		name  string
		c     *Case
		check func(t *testing.T, c *Case, r *Result)
	}{
		{"INT3 behind the code ends it", userCase(UserCS64, 0x48, 0x01, 0xc8), func(t *testing.T, c *Case, r *Result) {
			assert.Equal(t, uint8(idt.VecBP), r.Vector)
			assert.Equal(t, c.Regs.RIP+4, r.Regs.RIP)
			assert.Equal(t, uint64(2*UserData+0x100), r.Regs.GPR[0])
			assert.Empty(t, r.Mem)
		}},
		{"a store is a word of Mem", userCase(UserCS32, 0x89, 0x01), func(t *testing.T, c *Case, r *Result) {
			assert.Equal(t, uint8(idt.VecBP), r.Vector)
			require.Len(t, r.Mem, 1)
			assert.Equal(t, Offset(0x2100), r.Mem[0].At)
			assert.Equal(t, uint32(UserData), uint32(r.Mem[0].Value))
		}},
		{"a store to the read-only page is #PF(P W U)", userCase(UserCS64, 0x89, 0x80, 0, 0x20, 0, 0), func(t *testing.T, c *Case, r *Result) {
			assert.Equal(t, uint8(idt.VecPF), r.Vector)
			assert.Equal(t, uint32(7), r.Error)
			assert.Equal(t, uint64(UserReadOnly), r.CR2)
			assert.Equal(t, c.Regs.RIP, r.Regs.RIP)
			assert.Equal(t, c.Regs.GPR, r.Regs.GPR)
		}},
		{"a data page has no code", userCase(UserCS64, 0xff, 0xe0), func(t *testing.T, c *Case, r *Result) {
			assert.Equal(t, uint8(idt.VecPF), r.Vector)
			assert.Equal(t, uint32(0x15), r.Error)
		}},
		{"16-bit code of the LDT", func() *Case {
			c := userCase(0x17, 0xb8, 0x34, 0x12)
			c.Regs.RIP = 0x800
			return c
		}(), func(t *testing.T, c *Case, r *Result) {
			assert.Equal(t, uint8(idt.VecBP), r.Vector)
			assert.Equal(t, uint64(0x804), r.Regs.RIP)
			assert.Equal(t, uint64(UserData+0x1234), r.Regs.GPR[0])
		}},
		{"HLT is #GP(0)", userCase(UserCS64, 0xf4), func(t *testing.T, c *Case, r *Result) {
			assert.Equal(t, uint8(idt.VecGP), r.Vector)
			assert.True(t, r.HasError)
		}},
		{"a loop without end is silence", userCase(UserCS64, 0xeb, 0xfe), func(t *testing.T, c *Case, r *Result) {
			assert.Equal(t, Silent, r.End)
			assert.Equal(t, "still running after 100000 ticks", r.Note)
		}},
		{"code that reaches into a missing page is cut", func() *Case {
			c := userCase(UserCS64, 0x48, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8)
			c.Regs.RIP = UserCode + UserCodePages*PageSize - 4
			return c
		}(), func(t *testing.T, c *Case, r *Result) {
			assert.Equal(t, uint8(idt.VecPF), r.Vector)
			assert.Equal(t, uint64(UserCode+UserCodePages*PageSize), r.CR2)
		}},
		{"TF traps behind one instruction", func() *Case {
			c := userCase(UserCS64, 0x90, 0x90)
			c.Regs.RFLAGS |= idt.FlagTF
			return c
		}(), func(t *testing.T, c *Case, r *Result) {
			assert.Equal(t, uint8(idt.VecDB), r.Vector)
			assert.Equal(t, c.Regs.RIP+1, r.Regs.RIP)
		}},
	}
	blocks, steps := NewEmu(false), NewEmu(true)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := ask(t, blocks, tt.c)
			tt.check(t, tt.c, &r)
			assert.Equal(t, r, ask(t, steps, tt.c), "by single steps")
			assert.Equal(t, r, ask(t, blocks, tt.c), "a second time: nothing is left of the first")
		})
	}
}

func BenchmarkEmu(b *testing.B) {
	o := NewEmu(false)
	cases := []*Case{
		userCase(UserCS64, 0x48, 0x01, 0xc8), userCase(UserCS32, 0x89, 0x01), userCase(UserCS64, 0x89, 0x80, 0, 0x20, 0, 0),
		userCase(0x0f, 0xf7, 0xe1), userCase(UserCS64, 0xf3, 0xa4),
	}
	cases[3].Regs.RIP = 0x800
	cases[4].Regs.GPR[1] = 5
	r := make([]Result, len(cases))
	b.ResetTimer()
	for range b.N / len(cases) {
		if err := o.Run(context.Background(), cases, r); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "cases/s")
}

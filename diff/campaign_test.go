package diff

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/decode"
	"x86emu/idt"
)

// sums is a generator of short sequences of arithmetic.
type sums struct{}

func (sums) Name() string  { return "sums" }
func (sums) About() string { return "additions for tests" }
func (sums) Make(c *Case, seed, n uint64) {
	r := Rand(seed, n)
	*c = *userCase(UserCS64)
	c.Kind, c.Rule = Sequence, fmt.Sprintf("r%d", n%5)
	for i := range c.Regs.GPR {
		if i != 4 {
			c.Regs.GPR[i] = r.Uint64()
		}
	}
	for range 2 + r.IntN(4) {
		c.Code = append(c.Code, 0x48, []byte{0x01, 0x29, 0x31, 0x39}[r.IntN(4)], 0xc0|byte(r.IntN(4))|byte(r.IntN(4))<<3)
	}
	c.Patches = []Patch{{Offset(0x2000 + 8*r.IntN(64)), []byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}}}
}

// broken is this emulator with a fault in every case whose code has a SUB of
// RCX: its carry is wrong.
type broken struct{ Oracle }

func (broken) Name() string    { return "broken" }
func (broken) Version() string { return "1.0" }

func (b broken) Run(ctx context.Context, cases []*Case, results []Result) error {
	err := b.Oracle.Run(ctx, cases, results)
	for i, c := range cases {
		x, _ := NewContext(c)
		for _, in := range x.Insts {
			if in.Op == decode.SUB && in.Args[0].Num == 1 {
				results[i].Regs.GPR[1]++
			}
		}
	}
	return err
}

func testCampaign(shard, shards int) *Campaign {
	return &Campaign{
		Oracles: []Oracle{NewEmu(false), NewEmu(true), broken{NewEmu(false)}},
		Cases:   Generated(sums{}, 7, 0, 500, shard, shards),
		Batch:   64,
	}
}

func runCampaign(t *testing.T, p *Campaign) *Summary {
	t.Helper()
	s, err := p.Run(context.Background())
	require.NoError(t, err)
	return s
}

func TestCampaignCountsWhoDiffersFromWhom(t *testing.T) {
	s := runCampaign(t, testCampaign(0, 1))
	assert.Equal(t, uint64(500), s.Cases)
	assert.Equal(t, uint64(500), s.Oracles[1].Agree, "emu-step")
	b := s.Oracles[2]
	assert.Positive(t, b.Unexplained)
	assert.Equal(t, uint64(500), b.Agree+b.Unexplained)
	require.Len(t, s.First, 20)
	assert.Equal(t, [][]string{{"emu", "emu-step"}, {"broken"}}, s.First[0].Groups)
	assert.Equal(t, "emu, emu-step against broken", s.First[0].Sides())
	assert.Equal(t, []string{"registers"}, s.First[0].Fields)
	assert.Equal(t, uint64(100), s.Rules["r3"].Cases)

	t.Run("a row explains them", func(t *testing.T) {
		p := testCampaign(0, 1)
		p.Known = []Row{{Name: "SUB", Oracles: []string{"broken"}, Predict: func(x *Context, r *Result) bool {
			n := uint64(0)
			for _, in := range x.Insts {
				if in.Op == decode.SUB && in.Args[0].Num == 1 {
					n++
				}
			}
			r.Regs.GPR[1] += n
			return n > 0
		}}}
		s := runCampaign(t, p)
		assert.Zero(t, s.Unexplained())
		assert.Equal(t, map[string]uint64{"broken: SUB": b.Unexplained}, s.Known)
	})
	t.Run("shards merge to the same", func(t *testing.T) {
		const shards = 3
		whole := *s
		whole.Shards, whole.Done = shards, []int{0, 1, 2}
		var all *Summary
		for i := range shards {
			part := runCampaign(t, testCampaign(i, shards))
			part.Shards, part.Done = shards, []int{i}
			text, err := json.Marshal(part)
			require.NoError(t, err)
			read := new(Summary)
			require.NoError(t, json.Unmarshal(text, read))
			if all == nil {
				all = read
			} else {
				require.NoError(t, all.Merge(read))
			}
		}
		assert.True(t, all.Complete())
		assert.Equal(t, &whole, all)
		assert.ErrorContains(t, all.Merge(all), "twice")
	})
	t.Run("the size of a batch does not matter", func(t *testing.T) {
		p := testCampaign(0, 1)
		p.Batch = 7
		assert.Equal(t, s, runCampaign(t, p))
	})
}

func TestMinimise(t *testing.T) {
	ref, bad := NewEmu(false), broken{NewEmu(false)}
	s := runCampaign(t, testCampaign(0, 1))
	c := MakeCase(sums{}, 7, s.First[0].N)
	small, err := Minimise(context.Background(), c, nil, ref, bad)
	require.NoError(t, err)
	x, err := NewContext(small)
	require.NoError(t, err)
	require.Len(t, x.Insts, 1, "one instruction is enough")
	assert.Equal(t, decode.SUB, x.Inst.Op)
	assert.Empty(t, small.Patches)
	for i, v := range small.Regs.GPR {
		assert.Zero(t, v, "register %d", i)
	}
	again, err := Minimise(context.Background(), c, nil, ref, bad)
	require.NoError(t, err)
	assert.Equal(t, small, again)

	_, err = Minimise(context.Background(), userCase(UserCS64, 0x90), nil, ref, bad)
	assert.ErrorContains(t, err, "do not differ")
}

func TestReport(t *testing.T) {
	oracles := []Oracle{NewEmu(false), broken{NewEmu(false)}}
	c := userCase(UserCS64, 0x48, 0x29, 0xc1, 0x89, 0x04, 0x25, 0, 0x30, 0, 0x20)
	c.Rule, c.Patches = "SUB", []Patch{{0x2000, []byte{1, 2}}}
	answers := []Result{ask(t, oracles[0], c), ask(t, oracles[1], c)}
	require.Equal(t, uint8(idt.VecPF), answers[0].Vector)
	var b bytes.Buffer
	require.NoError(t, Report(&b, c, oracles, answers, "x86emu diff ..."))
	for _, want := range []string{
		"case t  (SUB, world user, cpu max)\n",
		"emu        #PF(0x6) CR2 0x20003000\n",
		"4829c1                   sub rcx,rax\n",
		"arena 02000 = 0102\n",
		"RCX                  20000100                100                101  <-\n",
		"user write of 0x20003000, 4-level paging\n",
		"#PF: P=0, error code 0x6",
		"again: x86emu diff ...\n",
	} {
		assert.Contains(t, b.String(), want)
	}
}

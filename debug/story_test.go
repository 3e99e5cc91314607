package debug

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/decode"
	"x86emu/guest"
	"x86emu/idt"
	"x86emu/machine"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares a text with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err, "run the test with -update")
	lines, wanted := strings.Split(got, "\n"), strings.Split(string(want), "\n")
	for i := range min(len(lines), len(wanted)) {
		require.Equal(t, wanted[i], lines[i], "line %d of %s (if this is right: go test ./debug -update)", i+1, file)
	}
	require.Equal(t, len(wanted), len(lines), "lines of %s (if this is right: go test ./debug -update)", file)
}

// kernel makes a machine with a built-in kernel in it.
func kernel(t testing.TB, name string) *machine.Machine {
	t.Helper()
	m, err := guest.Boot(name, machine.Config{}, guest.Options{})
	require.NoError(t, err)
	return m
}

// explain collects the stories of a machine.
func explain(t testing.TB, m *machine.Machine, o ExplainOptions) []*Story {
	t.Helper()
	if o.Budget == 0 {
		o.Budget = machine.NoBudget
	}
	var all []*Story
	_, err := Explain(context.Background(), m, o, func(s *Story) error {
		all = append(all, s)
		return nil
	})
	require.NoError(t, err)
	return all
}

// text is the stories as people read them.
func text(t *testing.T, all []*Story) string {
	t.Helper()
	var b bytes.Buffer
	for _, s := range all {
		require.NoError(t, s.WriteText(&b))
		b.WriteByte('\n')
	}
	return b.String()
}

func TestStoriesOfKernels(t *testing.T) {
	for _, name := range []string{
		"unmapped-handler-32", "unmapped-handler-64", "stack-guard-32", "stack-guard-64",
		"cow-fork-32", "cow-fork-64", "nx-smep-smap-32", "nx-smep-smap-64",
		"stack-over-top-32", "df-no-tss-64", "df-unmapped-64", "pf-ist-64",
	} {
		t.Run(name, func(t *testing.T) {
			golden(t, "stories/"+name+".txt", text(t, explain(t, kernel(t, name), ExplainOptions{})))
		})
	}
	t.Run("task-gate-32", func(t *testing.T) {
		golden(t, "stories/task-gate-32.txt", text(t, explain(t, kernel(t, "task-gate-32"), ExplainOptions{ByVector: true, Vector: 0x40})))
	})
}

// A story as JSON is read back as it was.
func TestStoryAsJSON(t *testing.T) {
	for _, name := range []string{"unmapped-handler-32", "nx-smep-smap-64", "pf-ist-64"} {
		for _, s := range explain(t, kernel(t, name), ExplainOptions{}) {
			var b bytes.Buffer
			require.NoError(t, s.WriteJSON(&b))
			assert.Equal(t, 1, strings.Count(b.String(), "\n"))
			var back Story
			d := json.NewDecoder(&b)
			d.DisallowUnknownFields()
			require.NoError(t, d.Decode(&back))
			assert.Equal(t, s, &back)
		}
	}
}

// The names of the fields are what other programs rely on.
func TestStoryFields(t *testing.T) {
	// lidt [0x600]; mov [0x12345678],eax, which is beyond the limit of DS. The gate
	// of #GP names a selector beyond the GDT, that of #DF a handler that halts.
	m := load(t, guest.Mode32, "\x0f\x01\x1d\x00\x06\x00\x00\xa3\x78\x56\x34\x12")
	s := m.CPU.State()
	s.Seg[decode.DS].Limit = 0xfffff
	m.CPU.SetState(s)
	m.Mem.WriteBytes(0x600, []byte{0xff, 7, 0, 7, 0, 0})
	m.Mem.WriteBytes(0x700+8*8, []byte{0, 9, 8, 0, 0, 0x8e, 0, 0})
	m.Mem.WriteBytes(0x700+13*8, []byte{0, 9, 0xf8, 0, 0, 0x8f, 0, 0})
	m.Mem.WriteBytes(0x900, []byte{0xf4})
	all := explain(t, m, ExplainOptions{Budget: 100})
	require.Len(t, all, 1)
	b, err := json.MarshalIndent(all[0], "", " ")
	require.NoError(t, err)
	golden(t, "story.json", string(b)+"\n")
}

func TestEventsAreATree(t *testing.T) {
	all := explain(t, kernel(t, "unmapped-handler-32"), ExplainOptions{Last: true})
	require.Len(t, all, 1)
	type node struct {
		cause   string
		how     Cause
		name    string
		outcome Outcome
		folded  uint64
	}
	var got []node
	for _, e := range all[0].Events {
		n := node{how: e.How, name: e.Name, outcome: e.Outcome}
		if c := all[0].at(e.Cause); c != nil {
			n.cause = c.Name
		}
		if e.Fold != nil {
			n.folded = e.Fold.Count
			assert.EqualValues(t, 16, e.Fold.Lower)
		}
		got = append(got, n)
	}
	assert.Equal(t, []node{
		{"", CauseInstruction, "#PF", OutcomeEntered, 0},
		{"#PF", CauseFetch, "#PF", OutcomeEntered, 0},
		{"#PF", CauseFetch, "#PF", OutcomeEntered, 0},
		{"#PF", CauseFetch, "#PF", "", 251},
		{"#PF", CauseFetch, "#PF", OutcomeEntered, 0},
		{"#PF", CauseFetch, "#PF", OutcomeFailed, 0},
		{"#PF", CauseDelivery, "#PF", OutcomeDoubled, 0},
		{"#PF", CauseDouble, "#DF", OutcomeEntered, 0},
	}, got)
	assert.Equal(t, "handler", all[0].End)
}

func TestChoiceOfStories(t *testing.T) {
	ticks := func(o ExplainOptions) (at []uint64) {
		for _, s := range explain(t, kernel(t, "unmapped-handler-32"), o) {
			at = append(at, s.Tick)
		}
		return at
	}
	all := ticks(ExplainOptions{})
	require.Len(t, all, 4)
	assert.Equal(t, all[3:], ticks(ExplainOptions{Last: true}))
	assert.Equal(t, all[:2], ticks(ExplainOptions{Count: 2}))
	assert.Equal(t, all[1:], ticks(ExplainOptions{From: all[0] + 1}))
	assert.Equal(t, all[3:], ticks(ExplainOptions{From: all[3] + 100}), "a tick in the midst of a story")
	assert.Equal(t, all[3:], ticks(ExplainOptions{ByVector: true, Vector: idt.VecDF}))
	assert.Empty(t, ticks(ExplainOptions{ByVector: true, Vector: idt.VecAC}))
	assert.Equal(t, all[:3], ticks(ExplainOptions{Budget: all[3]}))
	assert.Equal(t, all[2:3], ticks(ExplainOptions{Budget: all[3], Last: true}))
	cut := explain(t, kernel(t, "unmapped-handler-32"), ExplainOptions{Budget: all[3] + 2, Last: true})[0]
	assert.Len(t, cut.Events, 2)
	assert.Equal(t, "cut", cut.End)
}

// Explaining leaves the machine where an ordinary run is.
func TestExplainChangesNothing(t *testing.T) {
	m, plain := kernel(t, "unmapped-handler-64"), kernel(t, "unmapped-handler-64")
	explain(t, m, ExplainOptions{})
	_, err := plain.Run(context.Background(), m.CPU.Ticks())
	require.NoError(t, err)
	assert.Equal(t, plain.CPU.State(), m.CPU.State())
	assert.True(t, plain.Mem.Equal(m.Mem))
}

// A recursion longer than what is watched: its middle is gone through at full
// speed, and the story still tells the end.
func TestLongRecursion(t *testing.T) {
	// lidt [0x600]; mov esp,0x380000; ud2
	m := load(t, guest.Mode32, "\x0f\x01\x1d\x00\x06\x00\x00\xbc\x00\x00\x38\x00\x0f\x0b")
	m.Mem.WriteBytes(0x600, []byte{0x37, 0, 0, 7, 0, 0})
	m.Mem.WriteBytes(0x700+6*8, []byte{0x0c, 0x05, 8, 0, 0, 0x8e, 0, 0}) // the handler is the UD2 itself
	all := explain(t, m, ExplainOptions{})
	require.Len(t, all, 1)
	s := all[0]
	// The frames go down to the loader's GDT, and destroy it.
	last := len(s.Events) - 1
	require.Equal(t, 12, last)
	assert.Equal(t, &Fold{Count: 256675, Lower: 12}, s.Events[3].Fold)
	assert.Equal(t, "shutdown", s.End)
	assert.Equal(t, OutcomeShutdown, s.Events[last].Outcome)
	for i := range s.Events[1:] {
		assert.NotNil(t, s.at(s.Events[i+1].Cause), "event %d", i+1)
	}
}

// An interrupt comes between two instructions, and is told where it is asked for.
func TestInterruptStory(t *testing.T) {
	// lidt [0x600]; sti; nop; nop; hlt. The handler ends the run.
	m := load(t, guest.Mode32, "\x0f\x01\x1d\x00\x06\x00\x00\xfb\x90\x90\xf4")
	m.Mem.WriteBytes(0x600, []byte{0xff, 7, 0, 7, 0, 0})
	m.Mem.WriteBytes(0x700+0x20*8, []byte{0, 9, 8, 0, 0, 0x8e, 0, 0})
	m.Mem.WriteBytes(0x900, []byte("\xe6\xf4"))
	m.RaiseINTR(0x20)
	twin, err := m.Fork()
	require.NoError(t, err)
	assert.Empty(t, explain(t, twin, ExplainOptions{}))
	all := explain(t, m, ExplainOptions{ByVector: true, Vector: 0x20})
	require.Len(t, all, 1)
	require.Len(t, all[0].Events, 1)
	e := &all[0].Events[0]
	assert.Equal(t, CauseBetween, e.How)
	assert.Equal(t, "INTR 0x20", e.Name)
	assert.EqualValues(t, 3, e.Tick, "behind the instruction that STI shields")
	assert.Equal(t, "exit", all[0].End)
	assert.Contains(t, text(t, all), "external interrupt, between two instructions\n")
}

// Whatever code runs: its stories can be told, hang together, and leave the
// machine where a plain run does.
func FuzzExplain(f *testing.F) {
	f.Add(uint8(0), []byte("\x0f\x0b"))
	f.Add(uint8(1), []byte("\x0f\x01\x1d\x00\x06\x00\x00\xcd\x20\xf1\xcc\xa1\xff\xff\xff\xff"))
	f.Add(uint8(2), []byte("\x48\xcf\x6a\x00\x9d\x48\xa1\x00\x00\x00\x00\x00\x00\x80\x00\xff\x38"))
	f.Add(uint8(1), []byte("\x0f\x22\xc0\x0f\x00\xd8\xea\x00\x00\x00\x00\x30\x00\xcf"))
	f.Add(uint8(4), []byte("\x0f\x20\xc0\x83\xc8\x08\x0f\x22\xc0\xd9\xe8")) // 32 bits, watched: CR0.TS, fld1
	f.Add(uint8(5), []byte("\x48\x8b\x04\x25\x00\x00\x00\x00\x0f\x0b"))
	f.Fuzz(func(t *testing.T, mode uint8, code []byte) { // bit 2: stale TLB entries are watched
		if len(code) == 0 || len(code) > 1<<10 {
			return
		}
		m := load(t, []guest.Mode{16, 32, 64}[mode%3], string(code))
		plain, err := m.Fork()
		require.NoError(t, err)
		extra := uint64(0) // a shutdown takes no tick
		for _, s := range explain(t, m, ExplainOptions{Budget: 3000, Count: 20, Stale: mode&4 != 0}) {
			if s.End == "shutdown" {
				extra = 1
			}
			for i, e := range s.Events {
				require.Equal(t, i == 0, s.at(e.Cause) == nil, "only the first event has no cause")
			}
			text(t, []*Story{s})
			var b bytes.Buffer
			require.NoError(t, s.WriteJSON(&b))
			require.NoError(t, json.Unmarshal(b.Bytes(), new(Story)))
		}
		_, err = plain.Run(context.Background(), m.CPU.Ticks()+extra)
		require.NoError(t, err)
		require.Equal(t, plain.CPU.State(), m.CPU.State())
	})
}

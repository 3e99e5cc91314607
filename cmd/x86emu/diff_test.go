package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// ADD RAX, RCX from the user world's registers, and INT3 behind it.
const (
	addCase  = `{"id":"a","rule":"ADD","code":"4801c8","regs":{"rax":"1","rcx":"2"}`
	addRight = addCase + `,"want":{"vector":3,"regs":{"rax":"3","rflags":"206","rip":"10000004"}}}`
	addWrong = addCase + `,"want":{"vector":3,"regs":{"rax":"4","rflags":"206","rip":"10000004"}}}`
	header   = `{"format":"x86emu-cases 1","source":"sdm","version":"by hand"}`
)

func TestDiffReplay(t *testing.T) {
	t.Run("one case is told in full", func(t *testing.T) {
		status, out, errs := cli(t, addCase+"}", "diff", "replay", "-")
		assert.Zero(t, status, errs)
		assert.Contains(t, out, "add rax,rcx")
		assert.Contains(t, out, "emu        #BP")
	})
	t.Run("a corpus that is right", func(t *testing.T) {
		name := file(t, "c.jsonl", strings.Join([]string{header, addRight, addRight}, "\n"))
		status, out, errs := cli(t, "", "diff", "replay", name)
		assert.Zero(t, status, errs)
		assert.Contains(t, out, "c.jsonl: 2 cases\n")
		assert.Contains(t, out, "agrees with emu 2, in all but what is undefined 0, known 0, unexplained 0, not asked 0")
	})
	t.Run("a corpus with a wrong line", func(t *testing.T) {
		name := file(t, "c.jsonl", strings.Join([]string{header, addRight, addWrong}, "\n"))
		status, out, errs := cli(t, "", "diff", "replay", name)
		assert.Equal(t, statusDiffers, status, errs)
		assert.Contains(t, out, "unexplained: a (ADD): emu against sdm; registers\n")
		assert.Contains(t, out, "RAX                         1                  3                  4  <-\n")
	})
	t.Run("a single case that differs", func(t *testing.T) {
		status, out, _ := cli(t, addWrong, "diff", "replay", "-")
		assert.Equal(t, statusDiffers, status)
		assert.Contains(t, out, "RAX                         1                  3                  4  <-\n")
		assert.Contains(t, out, "corpus: differs, unexplained (registers)\n")
	})
}

func TestDiffSavesWhatReplayReads(t *testing.T) {
	for _, of := range []string{"model", "majority", ""} {
		t.Run(of, func(t *testing.T) {
			name := filepath.Join(t.TempDir(), "c.jsonl.gz")
			args := []string{"diff", "--gen", "paging", "--count", "200", "--oracles", "emu,emu-step,model", "--save", name}
			if of != "" {
				args = append(args, "--answers-of", of)
			}
			status, _, errs := cli(t, "", args...)
			assert.Zero(t, status, errs)
			status, out, errs := cli(t, "", "diff", "replay", name)
			assert.Zero(t, status, errs)
			assert.Contains(t, out, ": 200 cases\n")
		})
	}
}

func TestDiffReplaySuite(t *testing.T) {
	const test = `{"idx":0,"name":"add al,cl","bytes":[0,200,244],"initial":{"regs":{"ax":1,"bx":0,"cx":2,"dx":0,"cs":256,"ss":512,` +
		`"ds":0,"es":0,"sp":256,"bp":0,"si":0,"di":0,"ip":512,"flags":2},"ram":[[4608,0],[4609,200],[4610,244]]},` +
		`"final":{"regs":{"ax":3,"ip":515,"flags":6},"ram":[]}}`
	status, out, errs := cli(t, "["+test+"]", "diff", "replay", "-")
	assert.Zero(t, status, errs)
	assert.Contains(t, out, "-: 1 cases\n")
	status, out, _ = cli(t, "["+strings.Replace(test, `"ax":3`, `"ax":5`, 1)+"]", "diff", "replay", "-")
	assert.Equal(t, statusDiffers, status)
	assert.Contains(t, out, "the first unexplained test, 0: add al,cl, 00 c8 f4\n  eax 3, not 5\n")
}

func TestDiffBadUsageIsOneLine(t *testing.T) {
	summary := file(t, "s.json", "{}")
	tests := []struct {
		args  []string
		stdin string
		want  string
	}{
		{[]string{"diff", "--gen", "moon"}, "", `no generator "moon": must be one of `},
		{[]string{"diff", "--case", "1", "--save", "x"}, "", "[case save]"},
		{[]string{"diff", "x"}, "", `diff takes no argument: "x" given`},
		{[]string{"diff", "--shard", "4/4"}, "", `--shard "4/4": must be I/N with I from 0 to N-1`},
		{[]string{"diff", "--seed", "-1"}, "", `--seed "-1": must be a whole number`},
		{[]string{"diff", "--gen", "paging", "--oracles", "emu,model", "--save", "x", "--answers-of", "y"}, "", `--answers-of "y": must be majority, or one of emu,model`},
		{[]string{"diff", "replay"}, "", "replay needs a FILE or -"},
		{[]string{"diff", "replay", "/nowhere"}, "", "open /nowhere: no such file"},
		{[]string{"diff", "replay", "-"}, "", "-: no case in it"},
		{[]string{"diff", "replay", "-"}, "{}\nx", "-:2: not a JSON object"},
		{[]string{"diff", "replay", "-"}, "{}\n{}", "-: there are no answers in it to compare with"},
		{[]string{"diff", "replay", "--oracles", "oz", "-"}, "{}", `no oracle "oz": must be some of emu, emu-step`},
		{[]string{"diff", "replay", "--oracles", "emu,emu", "-"}, "{}", "emu is there twice"},
		{[]string{"diff", "replay", "-"}, "[1]", "-: test 0: not in the JSON layout of SingleStepTests"},
		{[]string{"diff", "merge"}, "", "merge needs a FILE"},
		{[]string{"diff", "merge", summary}, "", "s.json: not a summary of x86emu diff --out"},
	}
	for _, tt := range tests {
		t.Run(strings.Join(tt.args, " "), func(t *testing.T) {
			status, out, errs := cli(t, tt.stdin, tt.args...)
			assert.Equal(t, statusBadUsage, status)
			assert.Empty(t, out)
			assert.Contains(t, errs, tt.want)
			assert.Equal(t, 1, strings.Count(errs, "\n"), errs)
		})
	}
}

func TestDiffList(t *testing.T) {
	status, out, _ := cli(t, "", "diff", "list")
	assert.Zero(t, status)
	assert.Contains(t, out, "emu-step")
}

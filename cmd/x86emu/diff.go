package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"x86emu/diff"
	"x86emu/diff/corpus"
)

// statusDiffers is the exit status of a comparison that has left something
// unexplained.
const statusDiffers = 1

func newDiff() *cobra.Command {
	var o diffOptions
	cmd := &cobra.Command{
		Use:   "diff",
		Short: "Ask several processors the same cases and tell where they differ",
		Long: `Make test cases, ask this emulator and others for their answers, and compare
them: registers, flags, memory, the exception with its error code and CR2, and the
accessed and dirty bits of page tables.

A case is registers, a memory of 64 pages and a place to begin. It comes from a
generator and is known by its number: the same seed makes the same cases on every
host. The first oracle is the reference; each of the others is compared with it.
What the manual leaves undefined is masked, field by field. A difference that is
known (of a processor that departs from the manual, or of another emulator) is
counted if its row in the table foretells the other answer to the bit; all others
are unexplained.

The first unexplained case is made as small as it gets and shown: disassembly,
the registers of both sides, the walk through the page tables, and a command that
asks again. The exit status is 0 when nothing unexplained is left, 1 when there
is something, 2 when the comparison could not be made.

A campaign can be spread over many hosts: each runs --shard I/N with the same
other flags and writes --out FILE; "x86emu diff merge" puts the files together.`,
		Example: `  x86emu diff list
  x86emu diff --gen insn --count 1000000
  x86emu diff --gen paging --oracles emu,model,qemu --count 200000
  x86emu diff --gen insn --seed 7 --case 12345      ask one case, tell all of it
  x86emu diff --gen insn --shard 3/16 --out 3.json  a part, on one of 16 hosts
  x86emu diff --gen insn --count 20000 --save hw.jsonl.gz --answers-of native
  x86emu diff replay hw.jsonl.gz`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.run(cmd)
		},
	}
	o.addFlags(cmd)
	cmd.AddCommand(newDiffReplay(), newDiffMerge(), newDiffList(), newDiffKnown())
	return cmd
}

// diffOptions are the flags of diff.
type diffOptions struct {
	oracleFlags
	gen         string
	seed, count uint64
	only        uint64
	shard       shard
	out, save   string
	answersOf   string
	rules       bool
	uncovered   bool
	first       bool
	keep, batch int
}

func (o *diffOptions) addFlags(cmd *cobra.Command) {
	o.oracleFlags.addFlags(cmd, "default as the generator needs")
	f := cmd.Flags()
	f.StringVar(&o.gen, "gen", "insn", "what the cases are about: `NAME` of a generator")
	f.Uint64Var(&o.seed, "seed", 1, "`number` that all chance comes from")
	f.Uint64Var(&o.count, "count", 100_000, "how many `cases`")
	f.Uint64Var(&o.only, "case", 0, "ask case `N` alone and tell all of it")
	f.Lookup("case").DefValue = ""
	o.shard = shard{0, 1}
	f.Var(&o.shard, "shard", "do part `I/N` of the cases: I from 0 to N-1")
	f.Lookup("shard").DefValue = ""
	f.StringVar(&o.out, "out", "", "write the summary as JSON to `FILE`, for x86emu diff merge")
	f.StringVar(&o.save, "save", "", "write the cases as a corpus to `FILE` (compressed if it ends in .gz)")
	f.StringVar(&o.answersOf, "answers-of", "", "the `oracle` whose answers --save writes, or majority (default the last)")
	f.BoolVar(&o.rules, "rules", false, "count every rule and form, not those with differences alone")
	f.BoolVar(&o.uncovered, "uncovered", false, "list the forms that were not executed")
	f.BoolVar(&o.first, "first", false, "stop behind the first batch that has something unexplained")
	f.IntVar(&o.keep, "keep", 20, "list at most so many unexplained `cases`")
	f.IntVar(&o.batch, "batch", diff.DefaultBatch, "ask so many `cases` at once")
	for _, whole := range []string{"count", "shard", "out", "save"} {
		cmd.MarkFlagsMutuallyExclusive("case", whole) // which are of a campaign
	}
}

func (o *diffOptions) run(cmd *cobra.Command) error {
	g, ask, err := o.generator()
	if err != nil {
		return err
	}
	if o.count == 0 || o.batch < 1 || o.keep < 1 {
		return errors.New("--count, --batch and --keep must be 1 or more")
	}
	all, err := o.start(ask)
	if err != nil {
		return err
	}
	defer closeAll(all)
	cases := &campaign{cmd: cmd, oracles: all, again: func(d *diff.Divergence) string {
		return fmt.Sprintf("x86emu diff --gen %s --seed %d --case %d --oracles %s", g.Name(), o.seed, d.N, nameList(all))
	}}
	if cmd.Flags().Changed("case") {
		return cases.one(diff.MakeCase(g, o.seed, o.only))
	}
	if len(all) < 2 {
		return fmt.Errorf("--oracles %s: at least two are needed to compare", nameList(all))
	}
	p := &diff.Campaign{
		Oracles: all, Known: known(), Batch: o.batch, Keep: o.keep, First: o.first,
		Cases: diff.Generated(g, o.seed, 0, o.count, o.shard.i, o.shard.n),
		Total: (o.count - uint64(o.shard.i) + uint64(o.shard.n) - 1) / uint64(o.shard.n),
	}
	closeSave, err := o.saveTo(p)
	if err != nil {
		return err
	}
	s, err := cases.run(p)
	if err := errors.Join(err, closeSave()); err != nil {
		return err
	}
	s.Of, s.Shards, s.Done = fmt.Sprintf("%s, seed %d, %d cases", g.Name(), o.seed, o.count), o.shard.n, []int{o.shard.i}
	if l, ok := g.(diff.Lister); ok {
		s.Forms = l.Rules()
	}
	if o.out != "" {
		text, err := json.Marshal(s)
		if err != nil {
			return err
		}
		if err := os.WriteFile(o.out, append(text, '\n'), 0o644); err != nil {
			return err
		}
	}
	return cases.tell(s, o.rules, o.uncovered)
}

// generator finds the generator, and the oracles that it needs.
func (o *diffOptions) generator() (diff.Generator, string, error) {
	var names []string
	for _, g := range generators {
		if g.Name() == o.gen {
			return g.Generator, g.ask, nil
		}
		names = append(names, g.Name())
	}
	return nil, "", fmt.Errorf("no generator %q: must be one of %s", o.gen, strings.Join(names, ", "))
}

// saveTo lets a campaign write a corpus. The function that is returned ends it.
func (o *diffOptions) saveTo(p *diff.Campaign) (func() error, error) {
	nothing := func() error { return nil }
	if o.save == "" {
		return nothing, nil
	}
	pick, source, version, err := o.answerer(p.Oracles)
	if err != nil {
		return nothing, err
	}
	f, err := os.Create(o.save)
	if err != nil {
		return nothing, err
	}
	w, err := corpus.NewWriter(f, o.save, source, version)
	if err != nil {
		return nothing, errors.Join(err, f.Close())
	}
	p.Answers = func(_ uint64, c *diff.Case, answers []diff.Result) error {
		i, ok := pick(c, answers)
		if !ok || answers[i].End == diff.Silent {
			return nil
		}
		return w.Write(c, p.Oracles[i].Answers(c), &answers[i])
	}
	return func() error { return errors.Join(w.Close(), f.Close()) }, nil
}

// answerer chooses whose answers are saved: those of one oracle, or the ones that
// most give.
func (o *diffOptions) answerer(all []diff.Oracle) (pick func(*diff.Case, []diff.Result) (int, bool), source, version string, err error) {
	if o.answersOf == "majority" {
		return func(c *diff.Case, answers []diff.Result) (int, bool) { return diff.Majority(all, c, answers) }, "majority", "of " + nameList(all), nil
	}
	i := len(all) - 1
	if o.answersOf != "" {
		i = slices.IndexFunc(all, func(a diff.Oracle) bool { return a.Name() == o.answersOf })
	}
	if i < 0 {
		return nil, "", "", fmt.Errorf("--answers-of %q: must be majority, or one of %s", o.answersOf, nameList(all))
	}
	return func(*diff.Case, []diff.Result) (int, bool) { return i, true }, sourceOf(all[i].Name()), all[i].Version(), nil
}

// sourceOf is what a corpus calls the answers of an oracle.
func sourceOf(oracle string) string {
	switch oracle {
	case "native":
		return "hw"
	case "kvm":
		return "kvm"
	}
	return ""
}

// shard is a part of a campaign: I of N.
type shard struct{ i, n int }

func (s *shard) String() string { return fmt.Sprintf("%d/%d", s.i, s.n) }
func (s *shard) Type() string   { return "I/N" }

func (s *shard) Set(text string) error {
	left, right, _ := strings.Cut(text, "/")
	i, err1 := strconv.ParseUint(left, 10, 31)
	n, err2 := strconv.ParseUint(right, 10, 31)
	if err1 != nil || err2 != nil || i >= n {
		return errors.New("must be I/N with I from 0 to N-1, such as 0/16")
	}
	*s = shard{int(i), int(n)}
	return nil
}

package main

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"x86emu/cpu"
	"x86emu/diff"
	"x86emu/diff/corpus"
	"x86emu/diff/sst"
)

func newDiffReplay() *cobra.Command {
	var f oracleFlags
	var rules bool
	cmd := &cobra.Command{
		Use:   "replay FILE...",
		Short: "Ask the cases of files again and compare with the answers in them",
		Long: `Read cases from files and compare this emulator's answers, or those of other
oracles, with the answers that the files hold. A file, gzip'd or not, is

  a corpus of x86emu's own: JSON lines; "x86emu diff --save" writes one
  a file of a SingleStepTests suite, in the MOO or the JSON layout: captured from
  an old processor in real mode, and run here on the model 386 in blocks and in
  steps; what the older processor does otherwise is a table, each with its reason

and - is standard input. A single case is told in full.`,
		Example: `  x86emu diff replay hw.jsonl.gz
  x86emu diff replay --oracles emu,native hw.jsonl.gz
  x86emu diff replay 80286/*.MOO.gz
  echo '{"code":"4801c8"}' | x86emu diff replay -`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return fmt.Errorf("replay needs a FILE or - (try --help)")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			all, err := f.start("emu")
			if err != nil {
				return err
			}
			defer closeAll(all)
			bad := false
			for _, name := range args {
				clean, err := replay(cmd, name, all, rules)
				if err != nil {
					return err
				}
				bad = bad || !clean
			}
			if bad {
				return status(statusDiffers)
			}
			return nil
		},
	}
	f.addFlags(cmd, "default emu; the answers of the file come last")
	cmd.Flags().BoolVar(&rules, "rules", false, "count every rule, not those with differences alone")
	return cmd
}

// replay replays one file. It tells whether nothing unexplained is left.
func replay(cmd *cobra.Command, name string, all []diff.Oracle, rules bool) (bool, error) {
	var r io.Reader = cmd.InOrStdin()
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return false, err
		}
		defer f.Close()
		r = f
	}
	b, err := unzip(r)
	if err != nil {
		return false, fmt.Errorf("%s: %w", name, err)
	}
	if head, _ := b.Peek(64); sst.Sniff(head) {
		return replaySuite(cmd, name, b)
	}
	groups, err := corpus.Read(b, name)
	if err != nil {
		return false, err
	}
	clean, n := true, 0
	for _, g := range groups {
		n += len(g.Cases)
		ok, err := replayGroup(cmd, name, g, all, rules)
		if err != nil {
			return false, err
		}
		clean = clean && ok
	}
	if n == 0 {
		return false, fmt.Errorf("%s: no case in it", name)
	}
	return clean, nil
}

func replayGroup(cmd *cobra.Command, name string, g *corpus.Group, all []diff.Oracle, rules bool) (bool, error) {
	if g.Answered() {
		all = append(all[:len(all):len(all)], g.Oracle())
	}
	k := &campaign{cmd: cmd, oracles: all, again: func(d *diff.Divergence) string {
		return fmt.Sprintf("echo '%s' | x86emu diff replay --oracles %s -", d.Case, nameList(all))
	}}
	switch {
	case len(g.Cases) == 0:
		return true, nil
	case len(g.Cases) == 1:
		err := k.one(g.Cases[0])
		if err == status(statusDiffers) {
			return false, nil
		}
		return err == nil, err
	case len(all) < 2:
		return false, fmt.Errorf("%s: there are no answers in it to compare with (ask another oracle with --oracles)", name)
	}
	s, err := k.run(&diff.Campaign{Oracles: all, Known: known(), Cases: diff.Listed(g.Cases), Total: uint64(len(g.Cases))})
	if err != nil {
		return false, err
	}
	s.Of = name
	if err := s.Print(cmd.OutOrStdout(), rules); err != nil || s.Unexplained() == 0 {
		return true, err
	}
	// It stays as it is: the file answers no other case.
	fmt.Fprintf(cmd.OutOrStdout(), "\nThe first one:\n")
	return false, k.report(g.Cases[s.First[0].N])
}

// unzip takes gzip off, where it is on.
func unzip(r io.Reader) (*bufio.Reader, error) {
	b := bufio.NewReaderSize(r, 64<<10)
	if magic, _ := b.Peek(2); string(magic) != "\x1f\x8b" {
		return b, nil
	}
	z, err := gzip.NewReader(b)
	if err != nil {
		return nil, err
	}
	return bufio.NewReaderSize(z, 64<<10), nil
}

// replaySuite replays a file of a SingleStepTests suite.
func replaySuite(cmd *cobra.Command, name string, r io.Reader) (bool, error) {
	f, err := sst.Read(r, name)
	if err != nil {
		return false, err
	}
	model, ok := cpu.ModelByName("386")
	if !ok {
		panic("BUG: no model 386")
	}
	w := cmd.OutOrStdout()
	s := sst.Replay(f, filepath.Base(name), model, func(t *sst.Test, what []string) {
		fmt.Fprintf(w, "the first unexplained test, %d: %s, % x\n  %s\n", t.Index, t.Name, t.Bytes, strings.Join(what, "\n  "))
	})
	return s.Unexplained() == 0, s.Print(w, false)
}

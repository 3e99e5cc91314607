package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"x86emu/diff"
)

func newDiffMerge() *cobra.Command {
	var rules bool
	var out string
	cmd := &cobra.Command{
		Use:   "merge FILE...",
		Short: "Put the summaries of shards together",
		Long: `Read the summaries that "x86emu diff --shard I/N --out FILE" has written, and print
the one that a single run would have. The exit status is that of the whole
campaign; a shard that is missing is an error.`,
		Example: `  for i in 0 1 2 3; do x86emu diff --gen insn --shard $i/4 --out $i.json; done
  x86emu diff merge 0.json 1.json 2.json 3.json`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return fmt.Errorf("merge needs a FILE (try --help)")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := mergeFiles(args)
			if err != nil {
				return err
			}
			if !s.Complete() {
				return fmt.Errorf("%d of %d shards are missing", s.Shards-len(s.Done), s.Shards)
			}
			if out != "" {
				text, err := json.Marshal(s)
				if err != nil {
					return err
				}
				if err := os.WriteFile(out, append(text, '\n'), 0o644); err != nil {
					return err
				}
			}
			if err := s.Print(cmd.OutOrStdout(), rules); err != nil {
				return err
			}
			for _, d := range s.First {
				fmt.Fprintf(cmd.OutOrStdout(), "again: echo '%s' | x86emu diff replay --oracles %s -\n", d.Case, oracleNames(s))
			}
			if s.Unexplained() != 0 {
				return status(statusDiffers)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&rules, "rules", false, "count every rule and form, not those with differences alone")
	cmd.Flags().StringVar(&out, "out", "", "write the whole as JSON to `FILE`")
	return cmd
}

func mergeFiles(names []string) (*diff.Summary, error) {
	var all *diff.Summary
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		s, err := diff.ReadSummary(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if all == nil {
			all = s
		} else if err := all.Merge(s); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return all, nil
}

func oracleNames(s *diff.Summary) string {
	names := ""
	for i, t := range s.Oracles {
		if i > 0 {
			names += ","
		}
		names += t.Name
	}
	return names
}

package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"x86emu/debug/tracefile"
)

func newTraceDiff() *cobra.Command {
	var context uint64
	cmd := &cobra.Command{
		Use:   "diff A B",
		Short: "Find where two traces part",
		Long: `Compare two traces, of either form, line by line, and show the first difference:
the last lines that both have, then how each goes on. The traces may be of any
length, and one of them - for standard input. They must hold the same kinds of
events.

The exit status is 0 if they are the same, 1 if they differ, 2 if one cannot be
read.`,
		Example: `  x86emu trace kernel.elf --kind inst,regs --out before.trace
  x86emu trace kernel.elf --kind inst,regs --out after.trace --tlb off
  x86emu trace diff before.trace after.trace --context 20`,
		Args: exactly("a file A", "a file B"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if context > maxContext {
				return fmt.Errorf("--context %d: must be at most %d", context, maxContext)
			}
			var r [2]*tracefile.Reader
			for i, name := range args {
				f, err := openTrace(cmd, name)
				if err != nil {
					return err
				}
				defer f.Close()
				if r[i], err = tracefile.Open(f, false); err != nil {
					return fmt.Errorf("%s: %w", name, err)
				}
			}
			d, err := tracefile.Diff(r[0], r[1], int(context))
			if err != nil || d == nil {
				return err
			}
			if err := d.WriteText(cmd.OutOrStdout()); err != nil {
				return err
			}
			return status(1)
		},
	}
	cmd.Flags().Uint64Var(&context, "context", 8, "show so many `lines` before the difference, and after it of each")
	return cmd
}

// maxContext bounds what is kept of the lines before a difference.
const maxContext = 10000

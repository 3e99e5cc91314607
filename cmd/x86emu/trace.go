package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"x86emu/debug"
	"x86emu/machine"
)

func newTrace() *cobra.Command {
	var b board
	var s streams
	var kinds, ranges, syntax, output string
	var budget uint64
	var filter debug.Filter
	var o debug.TraceOptions
	cmd := &cobra.Command{
		Use:   "trace IMAGE",
		Short: "Run a guest and print one line for each event",
		Long: `Run a guest as "run" does and print one line for each event. A line begins with
the tick and the kind:

  inst    an instruction is about to run
  mem     read, write: the program's accesses to data
  walk    a walk of the page tables, every entry and the verdict
  event   event, entered, shutdown, task-...: exceptions, interrupts, task switches
  stage   the steps of deliveries, returns, far transfers and segment loads:
          vector, gate, selector, check, stack, push
  io      in, out: port accesses

The exit status is that of "run"; it is 0 where --count has ended the trace.`,
		Example: `  x86emu trace unmapped-handler-32 --kind event
  x86emu trace kernel.elf --kind inst,mem --range 0x100000-0x100fff --count 100
  x86emu trace kernel.elf --kind all --json --output trace.jsonl`,
		Args: exactly("an IMAGE"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if filter.Kinds, err = debug.ParseKinds(kinds); err != nil {
				return fmt.Errorf("--kind: %w", err)
			}
			if filter.First, filter.Last, err = parseRange(ranges); err != nil {
				return fmt.Errorf("--range: %w", err)
			}
			if o.GNU, err = isGNU(syntax); err != nil {
				return err
			}
			defer s.close()
			w, err := s.create(cmd, "output", output)
			if err != nil {
				return err
			}
			m, err := s.machine(cmd, &b, args[0])
			if err != nil {
				return err
			}
			ctx, cancel := context.WithCancel(cmd.Context())
			defer cancel()
			o.Done = cancel
			t := debug.NewTracer(m, w, filter, o)
			r, err := m.Run(ctx, budgetOf(cmd, budget))
			if e := t.Close(); err == nil {
				err = e
			}
			if e := s.close(); err == nil {
				err = e
			}
			if err != nil {
				return err
			}
			if r.Reason == machine.Cancelled && cmd.Context().Err() == nil {
				return nil // --count
			}
			return end(cmd, r)
		},
	}
	b.addFlags(cmd)
	s.addFlags(cmd, "null")
	f := cmd.Flags()
	f.StringVar(&kinds, "kind", "inst,event,io", "`KINDS` to print, or all")
	f.StringVar(&ranges, "range", "", "only events at linear addresses `FIRST-LAST`")
	f.Uint64Var(&filter.Count, "count", 0, "stop after so many `lines` (default no limit)")
	f.BoolVar(&o.JSON, "json", false, "print JSON lines")
	f.StringVar(&syntax, "syntax", "intel", "of instructions: `intel|gnu`")
	f.StringVar(&output, "output", "stdio", "where the lines go: `stdio|FILE`")
	f.Uint64Var(&budget, "budget", 0, "stop after this many `ticks` (default no limit)")
	return cmd
}

// parseRange reads FIRST-LAST; an empty one holds every address.
func parseRange(text string) (first, last uint64, err error) {
	if text == "" {
		return 0, ^uint64(0), nil
	}
	from, to, ok := strings.Cut(text, "-")
	if !ok {
		return 0, 0, fmt.Errorf("%q: must be FIRST-LAST", text)
	}
	if first, err = parseAddress(from); err != nil {
		return 0, 0, err
	}
	if last, err = parseAddress(to); err != nil {
		return 0, 0, err
	}
	if last < first {
		return 0, 0, fmt.Errorf("%q: ends before it begins", text)
	}
	return first, last, nil
}

// isGNU reads the name of a syntax.
func isGNU(name string) (bool, error) {
	if name != "intel" && name != "gnu" {
		return false, fmt.Errorf("--syntax %q: must be intel or gnu", name)
	}
	return name == "gnu", nil
}

package main

import (
	"cmp"
	"fmt"

	"github.com/spf13/cobra"

	"x86emu/debug/stats"
)

func newStats() *cobra.Command {
	var b board
	var s streams
	var p profileFlags
	var budget, top uint64
	var asJSON bool
	var output string
	cmd := &cobra.Command{
		Use:   "stats IMAGE",
		Short: "Run a guest and count what it does",
		Long: `Run a guest as "run" does and tell what it did, counted: exceptions and
interrupts by vector, taken and delivered; hits and misses of the TLB; walks of
the page tables by depth and result; instructions by form; ports; the hottest
pages and blocks of code, with symbols where the image or --symbols has them.

The guest runs one instruction at a time. The exit status is 0 however it ends;
stderr tells the end.`,
		Example: `  x86emu stats unmapped-handler-32
  x86emu stats kernel.elf --top 20 --symbols kernel.debug
  x86emu stats kernel.elf --json | jq .tlb_data
  x86emu stats kernel.elf --profile kernel.pprof && go tool pprof -top kernel.pprof`,
		Args: exactly("an IMAGE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if top > maxTop {
				return fmt.Errorf("--top %d: must be at most %d", top, maxTop)
			}
			defer s.close()
			w, err := s.create(cmd, "output", output)
			if err != nil {
				return err
			}
			if err := p.create(cmd, &s); err != nil {
				return err
			}
			syms, err := openSymbols(cmd, args[0], p.symbols)
			if err != nil {
				return err
			}
			m, err := s.machine(cmd, &b, args[0])
			if err != nil {
				return err
			}
			c := stats.Watch(m, syms)
			if err := p.watch(cmd, m, args[0], c); err != nil {
				return err
			}
			r, err := m.Run(cmd.Context(), budgetOf(cmd, budget))
			if err != nil {
				return err
			}
			c.Close()
			report := c.Report(r, int(top))
			if asJSON {
				err = report.WriteJSON(w)
			} else {
				err = report.WriteText(w)
			}
			if err = cmp.Or(err, p.end(), s.close()); err != nil {
				return err
			}
			tellEnd(cmd, r)
			return nil
		},
	}
	b.addFlags(cmd)
	s.addFlags(cmd, "null")
	p.addFlags(cmd)
	f := cmd.Flags()
	f.Uint64Var(&top, "top", 10, "show so many `rows` of forms, pages and blocks")
	f.BoolVar(&asJSON, "json", false, "print one line of JSON")
	f.StringVar(&p.symbols, "symbols", "", "take names and source lines from this ELF `FILE` (default the image)")
	f.StringVar(&output, "output", "stdio", "where the tables go: `stdio|FILE`")
	f.Uint64Var(&budget, "budget", 0, "stop after this many `ticks` (default no limit)")
	return cmd
}

// maxTop bounds the rows of a table.
const maxTop = 1 << 20

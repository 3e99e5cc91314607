package main

import (
	"bytes"
	"cmp"
	"fmt"

	"github.com/spf13/cobra"

	"x86emu/debug"
	"x86emu/debug/session"
	"x86emu/guest"
	"x86emu/machine"
)

func newExplain() *cobra.Command {
	var b board
	var s streams
	var vector, output, symbols string
	var asJSON bool
	var o debug.ExplainOptions
	cmd := &cobra.Command{
		Use:   "explain IMAGE",
		Short: "Tell the story of each fault, from the access to the handler",
		Long: `Run a guest and tell the story of each fault: the instruction and its operand,
the walk of the page tables with every entry and the bit that decided, the error
code in words, the gate, each check in order, the stack and why it is that one,
each word pushed and where, and the handler entered. What a fault leads to before
another instruction retires belongs to its story, indented: a handler that cannot
be fetched, a fault met during the delivery, the double fault, shutdown. A long
recursion is folded. Of #NM, #MF and #XM the bits that decided are told, and the
x87 instruction that raised what a later one met.

Without a choice every exception is told, in order. INT n, external interrupts and
NMIs are told where --vector names them, or where they are part of a story.

If the image is an ELF file with a symbol table or DWARF line tables, addresses
come with names and source lines; --symbols takes them from another file, such as
the one that was stripped.

With --report-stale-tlb the stories also tell each access that uses a TLB entry which
the page tables no longer support: the entry, the store that changed the table, and
the flush that is missing. One in the midst of an event stands where it came, those
since the event before stand above it, and those after the last one at the end.

The guest runs at full speed up to each fault, but with --report-stale-tlb one
instruction at a time. The exit status is 0 if a story was
told.`,
		Example: `  x86emu explain unmapped-handler-32 --last
  x86emu explain kernel.elf --vector GP --count 1
  x86emu explain kernel.elf --at 164126 --symbols kernel.debug
  x86emu explain missing-invlpg-32 --report-stale-tlb
  x86emu explain kernel.elf --json | jq '.events[] | {tick, name, how}'`,
		Args: exactly("an IMAGE"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if vector != "" {
				if o.Vector, err = session.Vector(vector); err != nil {
					return fmt.Errorf("--vector %w", err)
				}
				o.ByVector = true
			}
			o.Budget = budgetOf(cmd, o.Budget)
			defer s.close()
			w, err := s.create(cmd, "output", output)
			if err != nil {
				return err
			}
			if o.Symbols, err = openSymbols(cmd, args[0], symbols); err != nil {
				return err
			}
			m, err := s.machine(cmd, &b, args[0])
			if err != nil {
				return err
			}
			if o.Stale {
				if err := checkTLB(m); err != nil {
					return err
				}
			}
			told, uses := 0, uint64(0)
			r, err := debug.Explain(cmd.Context(), m, o, func(story *debug.Story) error {
				told++
				uses += story.StaleUses()
				if asJSON {
					return story.WriteJSON(w)
				}
				if told > 1 {
					fmt.Fprintln(w)
				}
				return story.WriteText(w)
			})
			if err = cmp.Or(err, s.close()); err != nil {
				return err
			}
			if o.Stale {
				tellStale(cmd.ErrOrStderr(), uses, "")
			}
			if told == 0 {
				return fmt.Errorf("nothing to explain: no such event until tick %d (%s)", r.Ticks, r.Reason)
			}
			if r.Reason != machine.Cancelled || cmd.Context().Err() != nil {
				tellEnd(cmd, r)
			}
			return nil
		},
	}
	b.addFlags(cmd)
	s.addFlags(cmd, "null")
	f := cmd.Flags()
	f.BoolVar(&o.Stale, "report-stale-tlb", false, "tell each use of a TLB entry that the page tables no longer support")
	f.Uint64Var(&o.From, "at", 0, "begin with the story at this `tick`, or the next one")
	f.BoolVar(&o.Last, "last", false, "only the last story of the run")
	f.StringVar(&vector, "vector", "", "only stories with an event of this `vector`: PF, GP, DF, ..., or a number")
	f.Uint64Var(&o.Count, "count", 0, "at most so many `stories` (default no limit)")
	f.BoolVar(&asJSON, "json", false, "print a line of JSON for each story")
	f.StringVar(&symbols, "symbols", "", "take names and source lines from this ELF `FILE` (default the image)")
	f.StringVar(&output, "output", "stdio", "where the stories go: `stdio|FILE`")
	f.Uint64Var(&o.Budget, "budget", 0, "stop after this many `ticks` (default no limit)")
	return cmd
}

// openSymbols reads the symbols of a file, or of the image. Damage is told in a
// line, and what is whole is used; but a file that was asked for must be an ELF file.
func openSymbols(cmd *cobra.Command, image, name string) (*debug.Symbols, error) {
	var data []byte
	var err error
	if name != "" {
		if data, err = guest.Open(name); err != nil {
			return nil, fmt.Errorf("--symbols: %w", err)
		}
		if !bytes.HasPrefix(data, []byte("\x7fELF")) {
			return nil, fmt.Errorf("--symbols %s: not an ELF file", name)
		}
	} else if image != "" {
		if data, err = guest.Open(image); err != nil {
			return nil, err
		}
	}
	s, err := debug.LoadSymbols(data)
	if err != nil {
		fmt.Fprintf(cmd.ErrOrStderr(), "x86emu: %s\n", oneLine(err.Error()))
	}
	return s, nil
}

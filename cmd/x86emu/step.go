package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"x86emu/debug"
	"x86emu/debug/session"
	"x86emu/debug/ui"
	"x86emu/machine"
)

func newStep() *cobra.Command {
	var b board
	var symbols, input string
	var at uint64
	var reportStale bool
	history := size(debug.DefaultHistory)
	cmd := &cobra.Command{
		Use:   "step IMAGE",
		Short: "Step through a guest on the screen, forward and back",
		Long: `Step through a guest in a terminal, forward and back in time. The screen shows
the code at the instruction pointer, the registers and what changed (*), the stack,
what the guest has sent, and the faults of the whole run, also those to come. The
pane "next step" tells what the next step will do before it is made: each access
and each entry of the page tables that is read, the gate, each check, the stack,
each push; the pane "walk" has the walk of the page tables as a tree, with the bit
that decides.

    s  n  f  c      step, next (over calls and faults), finish, continue
    S  N  F  C      the same back; F: back to the fault that is being handled
    l  h            one stage into the step, and back: the machine stands still
                    in the midst of a delivery, and memory is as it is there
    e  E            to the next fault of the run, to the one before
    /PF  /main  /text   search forward in time: an exception, an address or symbol,
                    what the guest sends; ?PF back; ; and , again
    r               the registers of x87, MMX and SSE, and the general ones again
    tab  z  j  k    choose a pane, the whole screen for it, scroll
    :b main         a breakpoint; :catch PF code=2 cr2=0x1000-0x1fff
    :watch ADDR     stop before memory changes; :pte ADDR before a page-table
                    entry of an address does
    H               all keys and commands;  q  quit

A stop is always before what it is for: the step that raises the exception, or
makes the store, comes next and is told in its pane. The first breakpoint is any
exception; ":d 1" deletes it.

With --report-stale-tlb a line tells which uses of TLB entries that the page tables no
longer support came before, come with the next step (the pane "walk" then has the
entry, the store that changed the table, and the flush that is missing), and are to
come; /stale and ?stale go there. They are found by a second run that goes ahead,
one instruction at a time: the line says how far it has come.

Time is virtual and a run repeats itself exactly, so going back is exact too. The
terminal is the screen's: the guest's COM1 gets its input from --input.`,
		Example: `  x86emu step unmapped-handler-32
  x86emu step kernel.elf --at 164126 --symbols kernel.debug
  x86emu step missing-invlpg-32 --report-stale-tlb
  x86emu step kernel.elf --input keys.txt --history-memory 1G
  ssh -t host x86emu step kernel.elf`,
		Args: exactly("an IMAGE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := drawable(cmd); err != nil {
				return err
			}
			syms, err := openSymbols(cmd, args[0], symbols)
			if err != nil {
				return err
			}
			text := session.NewTranscript()
			cfg := machine.Config{Serial: text.Output(), Console: text.Output()}
			if input != "" {
				f, err := os.Open(input)
				if err != nil {
					return fmt.Errorf("--input: %w", err)
				}
				defer f.Close()
				cfg.Input = machine.NewInput(f)
			}
			m, err := b.make(args[0], cfg)
			if err != nil {
				return err
			}
			if reportStale {
				if err := checkTLB(m); err != nil {
					return err
				}
			}
			s, err := session.New(m, text, session.Options{Image: args[0], Symbols: syms, History: uint64(history), Stale: reportStale})
			if err != nil {
				return err
			}
			defer s.Close()
			if at > 0 {
				if err := s.Goto(cmd.Context(), at); err != nil {
					return err
				}
			}
			return ui.Run(cmd.Context(), s, ui.Options{In: cmd.InOrStdin(), Out: cmd.OutOrStdout(), ASCII: !drawsLines()})
		},
	}
	b.addFlags(cmd)
	f := cmd.Flags()
	f.BoolVar(&reportStale, "report-stale-tlb", false, "tell each use of a TLB entry that the page tables no longer support")
	f.Uint64Var(&at, "at", 0, "begin at this `tick`; what was before can be gone back to")
	f.StringVar(&symbols, "symbols", "", "take names and source lines from this ELF `FILE` (default the image)")
	f.StringVar(&input, "input", "", "what COM1 receives: a `FILE` (default nothing)")
	f.Var(&history, "history-memory", "what may be kept of the past: a number of MiB, or with a suffix K, M or G")
	return cmd
}

// drawable tells whether there is a terminal that can be drawn on.
func drawable(cmd *cobra.Command) error {
	const instead = "for text, see explain and trace"
	in, ok := cmd.InOrStdin().(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return fmt.Errorf("step needs a terminal: standard input is none (%s)", instead)
	}
	out, err := outputTerminal(cmd, "step", instead)
	if err != nil {
		return err
	}
	w, h, err := term.GetSize(int(out.Fd()))
	if err == nil && (w < ui.MinWidth || h < ui.MinHeight) {
		err = fmt.Errorf("step needs a terminal of %dx%d at least: this one has %dx%d", ui.MinWidth, ui.MinHeight, w, h)
	}
	return err
}

// outputTerminal gives standard output if it is a terminal that can move its cursor;
// else an error says who needs one, and what there is instead.
func outputTerminal(cmd *cobra.Command, who, instead string) (*os.File, error) {
	out, ok := cmd.OutOrStdout().(*os.File)
	if !ok || !term.IsTerminal(int(out.Fd())) {
		return nil, fmt.Errorf("%s needs a terminal: standard output is none (%s)", who, instead)
	}
	if kind := os.Getenv("TERM"); kind == "dumb" || kind == "" {
		return nil, fmt.Errorf("%s needs a terminal that can move its cursor: TERM is %q (%s)", who, kind, instead)
	}
	return out, nil
}

// drawsLines tells whether the terminal takes UTF-8. [POSIX, Internationalization
// Variables]
func drawsLines() bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := os.Getenv(name); v != "" {
			v = strings.ToUpper(v)
			return strings.Contains(v, "UTF-8") || strings.Contains(v, "UTF8")
		}
	}
	return false
}

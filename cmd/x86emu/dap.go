package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"x86emu/debug"
	"x86emu/debug/dap"
	"x86emu/debug/session"
	"x86emu/machine"
)

func newDAP() *cobra.Command {
	var b board
	var address, symbols, input string
	var at uint64
	history := size(debug.DefaultHistory)
	cmd := &cobra.Command{
		Use:   "dap [IMAGE]",
		Short: "Let an editor debug a guest, by the Debug Adapter Protocol",
		Long: `Serve an editor (VS Code, Neovim, Emacs, ...) that debugs guests by the Debug
Adapter Protocol: on standard input and output, as editors start a debug adapter,
or with --listen on a TCP port, one client at a time.

A launch makes a guest as its configuration says, in the words of "x86emu run":

    "program": "kernel.elf"         an image, or the name of a built-in kernel
    "append", "initrd", "cpu", "memory", "tlb", "board", "tickRate", "rtc",
    "loadAddr", "mode", "cpl"
    "symbols", "input", "keys"      as in "x86emu step"
    "stopOnEntry": true             stand before the first instruction
    "stopAtEnd": false              do not stop where the run is over
    "sourcePaths": ["src"]          where source files lie
    "sourceMap": {"/build": "."}    what stands for beginnings of their names

An attach with "snapshot" goes on from a file that the library's machine.Save has
written. One without joins the guest that this command was started with, IMAGE, at
its beginning or at --at TICK: clients come and go, each finds it where the last
one left it.

Steps go by source line or by instruction, and back as well: time is virtual, and a
run repeats itself exactly. Breakpoints are source lines, symbols, addresses,
stores to memory, changes of page-table entries, and exceptions, by vector, error
code and CR2; every stop is before what it is for. docs/dap.md has the
configurations for editors.

Whoever can connect to the port controls the guest, and names files that are
read: without a host in ADDR that is this host alone.`,
		Example: `  x86emu dap                                 for an editor, on standard input and output
  x86emu dap --listen 127.0.0.1:4711
  x86emu dap kernel.elf --listen 4711 --at 50000`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return fmt.Errorf("dap takes one IMAGE at most: %d arguments given (try --help)", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			f := cmd.Flags()
			if len(args) == 0 {
				var extra string
				f.Visit(func(f *pflag.Flag) {
					if f.Name != "listen" {
						extra = f.Name
					}
				})
				if extra != "" {
					return fmt.Errorf("--%s is about an IMAGE, and none is named (try --help)", extra)
				}
			}
			w := adapter{cmd}
			o := dap.Options{Launch: w.launch, Restore: w.restore, Log: cmd.ErrOrStderr()}
			if len(args) == 1 {
				g, err := w.guest(args[0], symbols, input, uint64(history), func(cfg machine.Config) (*machine.Machine, error) { return b.make(args[0], cfg) })
				if err != nil {
					return err
				}
				if o.Held, err = dap.Hold(g); err != nil {
					return err
				}
				defer func() { err = errors.Join(err, o.Held.Close()) }()
				if err := o.Held.Goto(cmd.Context(), at); err != nil {
					return err
				}
			}
			if !f.Changed("listen") {
				return dap.Serve(cmd.Context(), cmd.InOrStdin(), cmd.OutOrStdout(), o)
			}
			l, err := debug.Listen(address, dap.ExampleAddress)
			if err != nil {
				return fmt.Errorf("--listen %w", err)
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "x86emu: dap: listening on %s\n", l.Addr())
			return dap.ServeAll(cmd.Context(), l, o)
		},
	}
	b.addFlags(cmd)
	f := cmd.Flags()
	f.StringVar(&address, "listen", "", "serve clients at the TCP address `HOST:PORT`, or a PORT of this host (default standard input and output)")
	f.Uint64Var(&at, "at", 0, "hold IMAGE at this `tick`")
	f.StringVar(&symbols, "symbols", "", "take names and source lines from this ELF `FILE` (default IMAGE)")
	f.StringVar(&input, "input", "", "what COM1 receives: a `FILE` (default nothing)")
	f.Var(&history, "history-memory", "what may be kept of the past: a number of MiB, or with a suffix K, M or G")
	return cmd
}

// adapter makes the guests that clients ask for.
type adapter struct{ cmd *cobra.Command }

// launch makes a guest as "x86emu run" does of its flags.
func (w adapter) launch(a *dap.LaunchArguments) (*dap.Guest, error) {
	var b board
	flags := &cobra.Command{}
	b.addFlags(flags)
	history := size(debug.DefaultHistory)
	flags.Flags().Var(&history, "history-memory", "")
	for _, v := range []struct{ name, flag, value string }{
		{"append", "append", a.Append}, {"initrd", "initrd", a.Initrd}, {"cpu", "cpu", a.CPU}, {"memory", "memory", string(a.Memory)},
		{"tlb", "tlb", a.TLB}, {"board", "board", a.Board}, {"tickRate", "tick-rate", string(a.TickRate)}, {"rtc", "rtc", a.RTC}, {"loadAddr", "load-addr", string(a.LoadAddr)}, {"mode", "mode", string(a.Mode)}, {"cpl", "cpl", string(a.CPL)},
		{"keys", "keys", a.Keys},
		{"historyMemory", "history-memory", string(a.History)},
	} {
		if v.value == "" {
			continue
		}
		if err := flags.Flags().Set(v.flag, v.value); err != nil {
			var bad *pflag.InvalidValueError
			if errors.As(err, &bad) {
				err = errors.Unwrap(bad)
			}
			return nil, fmt.Errorf("%q: %q: %w", v.name, v.value, err)
		}
	}
	return w.guest(a.Program, a.Symbols, a.Input, uint64(history), func(cfg machine.Config) (*machine.Machine, error) { return b.make(a.Program, cfg) })
}

// restore makes a guest of a snapshot.
func (w adapter) restore(a *dap.LaunchArguments) (*dap.Guest, error) {
	history := size(debug.DefaultHistory)
	if a.History != "" {
		if err := history.Set(string(a.History)); err != nil {
			return nil, fmt.Errorf("\"historyMemory\": %q: %w", a.History, err)
		}
	}
	return w.guest(a.Program, a.Symbols, a.Input, uint64(history), func(cfg machine.Config) (*machine.Machine, error) {
		f, err := os.Open(a.Snapshot)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		m, err := machine.Restore(f, cfg)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", a.Snapshot, err)
		}
		return m, nil
	})
}

// guest makes a guest with its files; image is "" for one that is not known.
func (w adapter) guest(image, symbols, input string, history uint64, make func(machine.Config) (*machine.Machine, error)) (_ *dap.Guest, err error) {
	g := &dap.Guest{Image: image, Text: session.NewTranscript(), History: history}
	if image != "" || symbols != "" {
		if g.Symbols, err = openSymbols(w.cmd, image, symbols); err != nil {
			return nil, err
		}
	}
	cfg := machine.Config{Serial: g.Text.Output(), Console: g.Text.Output()}
	if input != "" {
		f, err := os.Open(input)
		if err != nil {
			return nil, fmt.Errorf("input: %w", err)
		}
		g.Close, cfg.Input = f.Close, machine.NewInput(f)
	}
	if g.Machine, err = make(cfg); err != nil && g.Close != nil {
		return nil, errors.Join(err, g.Close())
	}
	return g, err
}

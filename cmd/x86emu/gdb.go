package main

import (
	"cmp"
	"fmt"
	"io"
	"net"

	"github.com/spf13/cobra"

	"x86emu/debug"
	"x86emu/debug/gdb"
	"x86emu/machine"
)

// debugger holds the flags of a gdb server.
type debugger struct {
	address string
	history size
	symbols string

	listener net.Listener
	syms     *debug.Symbols
}

// addFlags adds the flags that the commands share.
func (d *debugger) addFlags(cmd *cobra.Command) {
	d.history = size(debug.DefaultHistory)
	cmd.Flags().Var(&d.history, "history-memory", "what may be kept of the past: a number of MiB, or with a suffix K, M or G")
	cmd.Flags().StringVar(&d.symbols, "symbols", "", "take names and source lines from this ELF `FILE` (default the image)")
}

// open opens the port at the address that a flag has given, and what else the
// flags name.
func (d *debugger) open(cmd *cobra.Command, flag, image string) (err error) {
	if d.syms, err = openSymbols(cmd, image, d.symbols); err != nil {
		return err
	}
	if d.listener, err = gdb.Listen(d.address); err != nil {
		return fmt.Errorf("--%s: %w", flag, err)
	}
	return nil
}

// serve lets gdb debug a machine, which stands still at first if it shall wait.
func (d *debugger) serve(cmd *cobra.Command, m *machine.Machine, budget uint64, wait bool) (machine.Result, error) {
	o := gdb.Options{
		Wait: wait, Symbols: d.syms, History: uint64(d.history),
		Tell: func(line string) { fmt.Fprintf(cmd.ErrOrStderr(), "x86emu: gdb: %s\n", line) },
	}
	if budget != machine.NoBudget {
		o.Budget = budget
	}
	at := d.listener.Addr()
	o.Tell(fmt.Sprintf("listening on %s (in gdb: target remote %s)", at, at))
	return gdb.Serve(cmd.Context(), d.listener, m, o)
}

func newGDB() *cobra.Command {
	var b board
	var s streams
	var d debugger
	var budget uint64
	var script bool
	cmd := &cobra.Command{
		Use:   "gdb IMAGE",
		Short: "Let gdb debug a guest, forward and back",
		Long: `Load a guest and let gdb debug it, from its first instruction on. In gdb:

    target remote 127.0.0.1:1234

Everything of gdb works, backward as well: reverse-stepi, reverse-continue,
reverse-finish. Breakpoints and watchpoints are by linear address and leave the
guest's memory and debug registers alone. The description of the registers is
always the same, so that one connection serves 16-, 32- and 64-bit code; only
disassembly and frames need to be told, at any time, by "set architecture" with
i8086, i386 or i386:x86-64. The commands that --init prints let gdb do so by itself:

    x86emu gdb --init > x86emu.gdb
    gdb -x x86emu.gdb -ex "target remote :1234"

Where CS has a base, look at $pc_linear: x/5i $pc_linear. "info registers"
has control registers, bases, limits, descriptor caches, MSRs and the tick, too.

    monitor help       what this side can do besides: stories of faults, walks,
                       tables, breakpoints on exceptions, physical memory, snapshots

At its end the run is stopped once more, so that one can look and go back; who
continues then ends it, with the exit status of "x86emu run". A debugger that
detaches lets the guest run; one that is lost leaves it standing, and another
may attach. Whoever can connect controls the guest: by default that is this
host alone.`,
		Example: `  x86emu gdb unmapped-handler-32
  x86emu gdb kernel.elf --listen 4000
  gdb kernel.elf -ex "target remote :1234"
  x86emu run kernel.elf --gdb 1234           run, until gdb attaches
  x86emu run kernel.elf --gdb 1234 -S        stand still until gdb continues`,
		Args: func(cmd *cobra.Command, args []string) error {
			if script {
				return exactly()(cmd, args)
			}
			return exactly("an IMAGE")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if script {
				_, err := io.WriteString(cmd.OutOrStdout(), gdb.Init)
				return err
			}
			defer s.close()
			if err := d.open(cmd, "listen", args[0]); err != nil {
				return err
			}
			defer d.listener.Close()
			m, err := s.machine(cmd, &b, args[0])
			if err != nil {
				return err
			}
			r, err := d.serve(cmd, m, budgetOf(cmd, budget), true)
			if err = cmp.Or(err, s.close()); err != nil {
				return err
			}
			return end(cmd, r)
		},
	}
	b.addFlags(cmd)
	s.addFlags(cmd, "stdio")
	d.addFlags(cmd)
	cmd.Flags().StringVar(&d.address, "listen", gdb.DefaultAddress, "where to listen: `HOST:PORT`, or a PORT of this host")
	cmd.Flags().BoolVar(&script, "init", false, "print commands for gdb that let it follow the processor's mode")
	cmd.Flags().Uint64Var(&budget, "budget", 0, "stop after this many `ticks` (default no limit)")
	return cmd
}

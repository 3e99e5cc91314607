package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"x86emu/debug"
	"x86emu/debug/perfetto"
	"x86emu/debug/qemulog"
	"x86emu/debug/tracefile"
	"x86emu/guest"
	"x86emu/machine"
)

// traceFlags are what a trace holds and how it is written.
type traceFlags struct {
	kinds, ranges, syntax string
	output, out, from     string
	layout, symbols       string
	perfetto              string
	json                  bool
	filter                debug.Filter
	lines                 debug.LineOptions
	qemu                  qemulog.Options
}

func newTrace() *cobra.Command {
	var b board
	var s streams
	var t traceFlags
	var budget uint64
	cmd := &cobra.Command{
		Use:   "trace IMAGE",
		Short: "Run a guest and print one line for each event, or keep them in a file",
		Long: `Run a guest as "run" does and print one line for each event. A line begins with
the tick and the kind:

  inst    an instruction is about to run
  regs    the registers that have changed since the last such line
  mem     read, write: the program's accesses to data
  walk    a walk of the page tables, every entry and the verdict
  event   event, entered, shutdown, task-...: exceptions, interrupts, task switches
  stage   the steps of deliveries, returns, far transfers and segment loads:
          vector, gate, selector, check, stack, push
  io      in, out: port accesses

--json prints JSON lines, with a header that tells what was run; docs/trace.md
describes them. --out FILE keeps the same in a compact binary form, some two bytes
for each instruction and what it changes; --from FILE prints a trace of either
form again, all of it or by --kind, --range and --count. "trace diff" compares two.

--perfetto FILE writes a time line that ui.perfetto.dev opens: exceptions and
interrupts as slices, nested as they were handled, and counters of events and TLB
misses; a tick is shown as a nanosecond.

--layout qemu-int and qemu-exec print what QEMU 7.2 does for -d int and for
-d exec,nochain, for scripts that read that.

The exit status is that of "run"; it is 0 where --count has ended the trace.`,
		Example: `  x86emu trace unmapped-handler-32 --kind event
  x86emu trace kernel.elf --kind inst,mem --range 0x100000-0x100fff --count 100
  x86emu trace kernel.elf --kind all --json --output trace.jsonl
  x86emu trace kernel.elf --out good.trace
  x86emu trace --from good.trace --kind event
  x86emu trace diff good.trace bad.trace
  x86emu trace kernel.elf --perfetto kernel.json
  x86emu trace kernel.elf --layout qemu-int,qemu-exec --output qemu.log`,
		Args: func(cmd *cobra.Command, args []string) error {
			if t.from != "" {
				if len(args) > 0 {
					return fmt.Errorf("--from needs no IMAGE: %q given", args[0])
				}
				return nil
			}
			return exactly("an IMAGE")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if err := t.parse(cmd); err != nil {
				return err
			}
			defer s.close()
			w, err := t.create(cmd, &s)
			if err != nil {
				return err
			}
			if t.from != "" {
				return t.convert(cmd, &s, w)
			}
			if t.qemu.Syms, err = openSymbols(cmd, args[0], t.symbols); err != nil {
				return err
			}
			m, err := s.machine(cmd, &b, args[0])
			if err != nil {
				return err
			}
			ctx, cancel := context.WithCancel(cmd.Context())
			defer cancel()
			finish, err := t.watch(cmd, m, args[0], w, cancel)
			if err != nil {
				return err
			}
			r, err := m.Run(ctx, budgetOf(cmd, budget))
			if err = cmp.Or(err, finish(r), s.close()); err != nil {
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
	t.addFlags(cmd)
	cmd.Flags().Uint64Var(&budget, "budget", 0, "stop after this many `ticks` (default no limit)")
	cmd.AddCommand(newTraceDiff())
	return cmd
}

func (t *traceFlags) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&t.kinds, "kind", "inst,event,io", "`KINDS` to tell, or all; with --out and --from all by default")
	f.StringVar(&t.ranges, "range", "", "only events at linear addresses `FIRST-LAST`")
	f.Uint64Var(&t.filter.Count, "count", 0, "stop after so many `lines` (default no limit)")
	f.BoolVar(&t.json, "json", false, "print JSON lines")
	f.StringVar(&t.syntax, "syntax", "intel", "of instructions: `intel|gnu`")
	f.StringVar(&t.output, "output", "stdio", "where the lines go: `stdio|FILE`")
	f.StringVar(&t.out, "out", "", "keep the trace in this `FILE`, in the compact binary form")
	f.StringVar(&t.from, "from", "", "print the trace that this `FILE` holds, or standard input for -, and run nothing")
	f.StringVar(&t.layout, "layout", "", "print as QEMU does: `qemu-int|qemu-exec`, or both with a comma between")
	f.StringVar(&t.symbols, "symbols", "", "take the names of --perfetto and --layout from this ELF `FILE` (default the image)")
	f.StringVar(&t.perfetto, "perfetto", "", "write a time line to this `FILE`, for ui.perfetto.dev")
}

// parse checks the flags' values, and which go together.
func (t *traceFlags) parse(cmd *cobra.Command) (err error) {
	if t.filter.Kinds, err = debug.ParseKinds(t.kinds); err != nil {
		return fmt.Errorf("--kind: %w", err)
	}
	if t.from+t.out != "" && !cmd.Flags().Changed("kind") {
		t.filter.Kinds = debug.AllKinds
	}
	if t.filter.First, t.filter.Last, err = parseRange(t.ranges); err != nil {
		return fmt.Errorf("--range: %w", err)
	}
	if t.lines.GNU, err = isGNU(t.syntax); err != nil {
		return err
	}
	t.lines.JSON = t.json
	for _, name := range strings.Split(t.layout, ",") {
		switch name {
		case "qemu-int":
			t.qemu.Int = true
		case "qemu-exec":
			t.qemu.Exec = true
		default:
			if t.layout != "" {
				return fmt.Errorf("--layout %q: must be qemu-int, qemu-exec, or both with a comma between", t.layout)
			}
		}
	}
	if bad := clash(cmd.Flags(), "out", "json", "output", "syntax", "from", "layout", "perfetto"); bad != "" {
		return fmt.Errorf("--out keeps a trace in its own form: it goes without --%s", bad)
	}
	if bad := clash(cmd.Flags(), "layout", "json", "syntax", "from", "kind", "range", "count"); bad != "" {
		return fmt.Errorf("--layout is QEMU's: it goes without --%s", bad)
	}
	if bad := clash(cmd.Flags(), "perfetto", "json", "output", "syntax", "from", "layout", "kind", "range", "count"); bad != "" {
		return fmt.Errorf("--perfetto writes a time line of its own: it goes without --%s", bad)
	}
	return nil
}

// clash finds a flag that was given beside one that does not go with it.
func clash(f *pflag.FlagSet, name string, others ...string) string {
	if !f.Changed(name) {
		return ""
	}
	return anyOf(f, others...)
}

// anyOf finds a flag that was given.
func anyOf(f *pflag.FlagSet, names ...string) string {
	for _, name := range names {
		if f.Changed(name) {
			return name
		}
	}
	return ""
}

// create opens what the trace is written to.
func (t *traceFlags) create(cmd *cobra.Command, s *streams) (io.Writer, error) {
	switch {
	case t.out != "":
		return s.create(cmd, "out", t.out)
	case t.perfetto != "":
		return s.create(cmd, "perfetto", t.perfetto)
	}
	return s.create(cmd, "output", t.output)
}

// watch begins the trace of a machine; finish ends it.
func (t *traceFlags) watch(cmd *cobra.Command, m *machine.Machine, image string, w io.Writer, done func()) (finish func(machine.Result) error, err error) {
	if t.perfetto != "" {
		return perfetto.Watch(m, w, perfetto.Options{Image: image, Syms: t.qemu.Syms}).Close, nil
	}
	if t.layout != "" {
		l := qemulog.Watch(m, w, t.qemu)
		return func(machine.Result) error { return l.Close() }, nil
	}
	h, err := t.header(cmd, m, image)
	if err != nil {
		return nil, err
	}
	tw := tracefile.NewJSON(w, h, t.lines)
	if t.out != "" {
		if tw, err = tracefile.NewWriter(w, h); err != nil {
			return nil, fmt.Errorf("--out: %w", err)
		}
	}
	tr := debug.NewTracer(m, tw, t.filter, done)
	return func(r machine.Result) error { return tr.Close(&r) }, nil
}

// header tells what is run.
func (t *traceFlags) header(cmd *cobra.Command, m *machine.Machine, image string) (h tracefile.Header, err error) {
	data, err := guest.Open(image)
	if err != nil {
		return h, err
	}
	h = tracefile.Header{
		Image: image, SHA256: fmt.Sprintf("%x", sha256.Sum256(data)), CPU: m.CPU.Model.Name, RAM: m.RAM(), TLB: !m.MMU.TLBOff(),
		Flags: make(map[string]string), Kinds: t.filter.Kinds.String(),
		First: debug.Hex(t.filter.First), Last: debug.Hex(t.filter.Last), Tick: m.CPU.Ticks(),
	}
	for _, name := range []string{"append", "initrd", "load-addr", "mode", "cpl", "tick-rate", "rtc", "board", "budget", "count"} {
		if f := cmd.Flags().Lookup(name); f.Changed {
			h.Flags[name] = f.Value.String()
		}
	}
	return h, nil
}

// convert prints the trace of a file.
func (t *traceFlags) convert(cmd *cobra.Command, s *streams, w io.Writer) error {
	in, err := openTrace(cmd, t.from)
	if err != nil {
		return fmt.Errorf("--from: %w", err)
	}
	defer in.Close()
	if f, ok := in.(*os.File); ok && s.opened(f) != nil {
		return fmt.Errorf("--from %s: the output would overwrite the trace", t.from)
	}
	r, err := tracefile.Open(in, t.lines.GNU)
	if err != nil {
		return fmt.Errorf("--from %s: %w", t.from, err)
	}
	if err := s.truncate(); err != nil {
		return err
	}
	err = r.Print(w, t.filter, t.lines.JSON)
	if err = cmp.Or(err, s.close()); err != nil {
		return fmt.Errorf("--from %s: %w", t.from, err)
	}
	return nil
}

// openTrace opens a file, or gives standard input for "-".
func openTrace(cmd *cobra.Command, name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(cmd.InOrStdin()), nil
	}
	return os.Open(name)
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

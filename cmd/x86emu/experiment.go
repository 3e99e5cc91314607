package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"x86emu/guest/experiment"
	"x86emu/machine"
)

func newExperiment() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "experiment NAME",
		Short: "Measure what becomes of many guests",
		Long: `Measure what becomes of many guests: each run is a whole machine, as many run
at once as there are processors, and the same seed gives the same numbers on
every host.`,
		Example: `  x86emu experiment by-accident
  x86emu experiment by-accident --help`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("experiment needs a NAME: by-accident (try --help)")
			}
			return fmt.Errorf("no experiment %q: there is by-accident (try --help)", args[0])
		},
		RunE: func(*cobra.Command, []string) error { return nil },
	}
	cmd.AddCommand(newByAccident())
	return cmd
}

func newByAccident() *cobra.Command {
	var e byAccident
	cmd := &cobra.Command{
		Use:   "by-accident",
		Short: "When is a module's page-fault handler in every page table, by accident?",
		Long: `When is a module's page-fault handler in every page table, by accident?

Runs the kernels by-accident-32 and by-accident-64 (x86emu guests by-accident-32
tells what they do) with the module placed in many ways, and prints how many per
cent of the runs had a double fault, and how many arithmetic expects:

  boot       over the modules that were loaded before the first process, one
             behind the other, from the area's start or from a random page
  anywhere   the same, each at a random place of the area; with the data apart;
             with all top-level entries made in advance
  size       over the size of the module, with the handler on its first page, on
             its last or anywhere, with data behind the code or none
  processes  over the processes that have a page fault, with a driver that each
             of them may have used before

A run is told by its seed. It can be had again, alone, with the words of its row
in the CSV file: x86emu run by-accident-32 --append "boot=8 place=anywhere seed=5".`,
		Example: `  x86emu experiment by-accident
  x86emu experiment by-accident --runs 200 --csv runs.csv --plot chance.svg
  x86emu experiment by-accident --runs 10 --seed 7 --jobs 1`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error { return e.run(cmd) },
	}
	e.runs, e.jobs = count{50, 5_000}, count{uint32(runtime.NumCPU()), 1024}
	f := cmd.Flags()
	f.Var(&e.runs, "runs", "runs of each point of the plot: a `number` from 1 to 5000")
	f.Var(&e.jobs, "jobs", "runs at the same time: a `number` from 1 to 1024 (default: one for each processor)")
	f.Lookup("jobs").DefValue = ""
	f.Uint64Var(&e.seed, "seed", 1, "what all chance is drawn from: a `number`")
	f.StringVar(&e.csv, "csv", "", "write a row for each run to this `FILE` (stdio: standard output, without the table)")
	f.StringVar(&e.plot, "plot", "", "draw the chances into this `FILE.svg|FILE.png`")
	return cmd
}

// byAccident is that experiment as the flags want it.
type byAccident struct {
	runs, jobs count
	seed       uint64
	csv, plot  string
}

func (e *byAccident) run(cmd *cobra.Command) (err error) {
	format := strings.TrimPrefix(filepath.Ext(e.plot), ".")
	if cmd.Flags().Changed("plot") && !slices.Contains(experiment.Formats, format) {
		return fmt.Errorf("--plot %q: must end in .svg or .png", e.plot)
	}
	var s streams
	defer func() { err = cmp.Or(err, s.close()) }()
	var rows, picture io.Writer
	if cmd.Flags().Changed("csv") {
		if rows, err = s.create(cmd, "csv", e.csv); err != nil {
			return err
		}
	}
	if cmd.Flags().Changed("plot") {
		if picture, err = s.create(cmd, "plot", e.plot); err != nil {
			return err
		}
	}
	if rows != nil && rows == picture {
		return errors.New("--csv and --plot name the same file")
	}

	sweep := experiment.Sweep()
	plan := experiment.Plan(sweep, int(e.runs.v), e.seed)
	progress, done := progressOn(cmd.ErrOrStderr(), len(plan))
	outcomes, err := experiment.Do(cmd.Context(), plan, int(e.jobs.v), progress)
	done()
	if errors.Is(err, context.Canceled) {
		return status(machine.Result{Reason: machine.Cancelled}.Status())
	}
	if err != nil {
		return err
	}
	if err := s.begin(""); err != nil {
		return err
	}
	lines := experiment.Summarise(outcomes)
	if rows != nil {
		if err := experiment.WriteCSV(rows, outcomes); err != nil {
			return err
		}
	}
	if picture != nil {
		if err := experiment.Draw(picture, format, sweep, lines); err != nil {
			return err
		}
	}
	out := cmd.OutOrStdout()
	if rows == out || picture == out {
		return nil // a file's bytes, and no table between them
	}
	fmt.Fprintf(out, "Double faults, in per cent of %d runs for each number; seed %d.\n\n", e.runs.v, e.seed)
	return experiment.WriteTable(out, sweep, lines)
}

// progressOn shows on a terminal how far the runs are, and elsewhere nothing.
func progressOn(w io.Writer, runs int) (step, done func()) {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return nil, func() {}
	}
	bar := progressbar.NewOptions(runs, progressbar.OptionSetWriter(f), progressbar.OptionSetDescription("runs"),
		progressbar.OptionShowCount(), progressbar.OptionSetPredictTime(true), progressbar.OptionClearOnFinish(),
		progressbar.OptionFullWidth(), progressbar.OptionThrottle(100_000_000))
	return func() { bar.Add(1) }, func() { bar.Finish() }
}

// count is a number from 1 to most.
type count struct{ v, most uint32 }

func (c *count) String() string { return fmt.Sprint(c.v) }
func (c *count) Type() string   { return "number" }

func (c *count) Set(text string) error {
	v, err := parseAddress(text)
	if err != nil || v < 1 || v > uint64(c.most) {
		return fmt.Errorf("must be a number from 1 to %d", c.most)
	}
	c.v = uint32(v)
	return nil
}

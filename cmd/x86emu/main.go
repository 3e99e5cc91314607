// Command x86emu runs x86 machine code on a modelled processor: guest kernels,
// boot sectors and bare programs, with exact page faults and deliveries.
// See "x86emu --help".
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
)

func main() {
	os.Exit(execute(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// statusBadUsage is the exit status of bad usage and of a bad image.
const statusBadUsage = 2

// status is an exit status that a command ends with, all having been said.
type status int

func (s status) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// execute runs the command line and returns the exit status. Whatever goes
// wrong is told in one line on stderr.
func execute(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	root := newRoot()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	var s status
	switch {
	case err == nil:
		return 0
	case errors.As(err, &s):
		return int(s)
	}
	fmt.Fprintf(stderr, "x86emu: %s\n", oneLine(err.Error()))
	return statusBadUsage
}

// oneLine escapes what would break or garble a line, as file names may.
func oneLine(s string) string {
	q := strconv.Quote(s)
	return strings.ReplaceAll(strings.ReplaceAll(q[1:len(q)-1], `\"`, `"`), `\\`, `\`)
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "x86emu",
		Short: "An x86 emulator that delivers page faults exactly",
		Long: `x86emu runs real x86 machine code on a modelled processor: it walks the guest's
own page tables and delivers faults through the guest's own IDT, exactly.

The same image and input give the same run on every host: time is counted in
ticks, one for each instruction, each iteration of a repeated string
instruction, and each delivery of an exception or interrupt.`,
		Example: `  x86emu guests                              list the built-in guest kernels
  x86emu run unmapped-handler-32             run one of them
  x86emu run kernel.elf -m 128M --append "console=ttyS0"
  x86emu explain unmapped-handler-32 --last  the story of a fault, step by step
  x86emu step unmapped-handler-32            go through it on the screen, forward and back
  x86emu gdb kernel.elf                      let gdb debug it, forward and back
  x86emu dap                                 the same for editors: VS Code, Neovim, ...
  x86emu trace kernel.elf --kind event       see every fault and interrupt
  x86emu stats kernel.elf                    count what it does
  x86emu back kernel.elf --last-write 0xc0108000   go back to who wrote it
  x86emu walk kernel.elf 0xc0100000 --at 50000
  x86emu pages kernel.elf --at 50000         see what is mapped there
  x86emu audit kernel.elf --at 50000         what would become of each fault and interrupt?
  x86emu dis --mode 64 48 89 e5
  x86emu board                               the devices that a guest finds
  x86emu qemu -kernel kernel.elf -serial stdio    in the place of QEMU in a Makefile
  x86emu new mykernel                        a kernel of your own to begin with
  x86emu experiment by-accident              thousands of guests, and what became of them`,
		SilenceErrors:      true,
		SilenceUsage:       true,
		DisableSuggestions: true,
		Args:               cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("unknown command %q (try --help)", args[0])
			}
			return cmd.Help()
		},
	}
	root.SetFlagErrorFunc(flagError)
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetHelpCommand(newHelp(root))
	root.AddCommand(newRun(), newTrace(), newStats(), newExplain(), newStep(), newBack(), newGDB(), newDAP(), newDis(), newWalk(), newPages(), newIDT(), newGDT(), newTSS(), newAudit(), newBoard(), newGuests(), newNew(), newDiff(), newExperiment(), newQEMU(), newVersion())
	return root
}

// newHelp is the help command: a topic that there is none of is an error.
func newHelp(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Teach a command",
		Args:  cobra.ArbitraryArgs,
		RunE: func(_ *cobra.Command, args []string) error {
			cmd, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 {
				return fmt.Errorf("no help for %q: no such command (try --help)", strings.Join(args, " "))
			}
			return cmd.Help()
		},
	}
}

// exactly demands n arguments, named for the message.
func exactly(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) == len(names):
			return nil
		case len(names) == 0:
			return fmt.Errorf("%s takes no argument: %q given (try --help)", cmd.Name(), args[0])
		}
		return fmt.Errorf("%s needs %s: %d arguments given (try --help)", cmd.Name(), strings.Join(names, " and "), len(args))
	}
}

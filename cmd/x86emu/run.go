package main

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"x86emu/machine"
)

func newRun() *cobra.Command {
	var b board
	var serial, console string
	var budget uint64
	cmd := &cobra.Command{
		Use:   "run IMAGE",
		Short: "Run a guest until it ends",
		Long: `Run a guest until it ends. IMAGE is the name of a built-in kernel (see
"x86emu guests") or a file: multiboot 1, ELF32, ELF64 or a 512-byte boot sector,
told by its bytes; or a flat binary with --load-addr. A name with a slash is
always a file.

The guest has COM1 at port 0x3F8, a debug console at port 0xE9, and ends the run
by a write to port 0xF4. The exit status tells how the run ended:

    0  the guest wrote 0 to port 0xF4; for another value: value*2+1 (mod 256)
    2  bad usage or a bad image
  120  halted for good: HLT, and nothing can wake the processor
  122  an endless loop of deliveries, no instruction between
  124  the budget is spent
  126  shutdown (triple fault); stderr tells the faults that led to it
  130  interrupted`,
		Example: `  x86emu run unmapped-handler-32
  x86emu run kernel.elf -m 128M --append "root=/dev/ram" --initrd "fs.img ro,mod.ko"
  x86emu run kernel.elf --budget 1000000
  x86emu run boot.bin --cpu 386
  x86emu run code.bin --load-addr 0x100000 --mode 64 --cpl 3`,
		Args: exactly("an IMAGE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			out := &outputs{stdout: cmd.OutOrStdout()}
			defer out.close()
			cfg, err := out.streams(serial, console, cmd.InOrStdin())
			if err != nil {
				return err
			}
			m, err := b.make(args[0], cfg)
			if err != nil {
				return err
			}
			if !cmd.Flags().Changed("budget") {
				budget = machine.NoBudget
			}
			r, err := m.Run(cmd.Context(), budget)
			if err == nil {
				err = out.close()
			}
			if err != nil {
				return err
			}
			return end(cmd, r)
		},
	}
	b.addFlags(cmd)
	f := cmd.Flags()
	f.StringVar(&serial, "serial", "stdio", "COM1: `stdio|null|FILE`")
	f.StringVar(&console, "debugcon", "stdio", "port 0xE9: `stdio|null|FILE`")
	f.Uint64Var(&budget, "budget", 0, "stop after this many `ticks` (default no limit)")
	return cmd
}

// end tells how a run ended, on stderr and by the exit status.
func end(cmd *cobra.Command, r machine.Result) error {
	for i, line := range r.Story() {
		if i == 0 {
			line = "x86emu: " + line
		}
		fmt.Fprintln(cmd.ErrOrStderr(), line)
	}
	if s := r.Status(); s != 0 {
		return status(s)
	}
	return nil
}

// outputs are the streams that the guest's devices write to.
type outputs struct {
	stdout io.Writer
	shared *machine.Output
	files  []*os.File
}

// open gives the stream that a flag names; "null" is nil.
func (o *outputs) open(flag, name string) (*machine.Output, error) {
	switch name {
	case "null":
		return nil, nil
	case "stdio":
		if o.shared == nil {
			o.shared = machine.NewOutput(o.stdout)
		}
		return o.shared, nil
	}
	f, err := os.Create(name)
	if err != nil {
		return nil, fmt.Errorf("--%s: %w", flag, err)
	}
	o.files = append(o.files, f)
	return machine.NewOutput(f), nil
}

// streams opens what the flags name. Standard input goes to COM1 where that is
// stdio; of a terminal the machine takes what comes, on all else it waits, so
// that the same input gives the same run.
func (o *outputs) streams(serial, console string, stdin io.Reader) (cfg machine.Config, err error) {
	if cfg.Serial, err = o.open("serial", serial); err != nil {
		return cfg, err
	}
	if cfg.Console, err = o.open("debugcon", console); err != nil {
		return cfg, err
	}
	if serial != "stdio" {
		return cfg, nil
	}
	cfg.Input = machine.NewInput(stdin)
	if f, ok := stdin.(*os.File); ok {
		if s, err := f.Stat(); err == nil && s.Mode()&os.ModeCharDevice != 0 {
			cfg.Input = machine.NewLiveInput(f)
		}
	}
	return cfg, nil
}

// close closes the files, once.
func (o *outputs) close() (err error) {
	for _, f := range o.files {
		if e := f.Close(); err == nil {
			err = e
		}
	}
	o.files = nil
	return err
}

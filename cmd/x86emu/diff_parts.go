package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"x86emu/diff"
	"x86emu/diff/gen"
	"x86emu/diff/harness"
	"x86emu/diff/kvm"
	"x86emu/diff/model"
	"x86emu/diff/native"
	"x86emu/diff/peers"
)

// oracles are all that can be asked, by name.
var oracles = []struct {
	name, about string
	start       func(f *oracleFlags) (diff.Oracle, error)
}{
	{"emu", "this emulator, in blocks as it always runs", func(*oracleFlags) (diff.Oracle, error) { return diff.NewEmu(false), nil }},
	{"emu-step", "this emulator, instruction by instruction", func(*oracleFlags) (diff.Oracle, error) { return diff.NewEmu(true), nil }},
	{"model", "the manual's text once more, plain and slow", func(*oracleFlags) (diff.Oracle, error) { return model.New(), nil }},
	{"native", "the processor of this host, at CPL 3 (linux/amd64)", func(*oracleFlags) (diff.Oracle, error) { return native.New() }},
	{"qemu", "QEMU's own emulation, behind a guest image of ours", func(f *oracleFlags) (diff.Oracle, error) { return harness.New(harness.NewQEMU(f.qemu)) }},
	{"bochs", "Bochs, behind the same image", func(f *oracleFlags) (diff.Oracle, error) { return harness.New(harness.NewBochs(f.bochs)) }},
	{"kvm", "the processor of this host at every CPL, through /dev/kvm, behind the same image (linux/amd64)", func(*oracleFlags) (diff.Oracle, error) { return harness.New(kvm.New()) }},
	{"image", "this emulator's board, behind the same image", func(*oracleFlags) (diff.Oracle, error) { return harness.New(harness.NewBoard("max")) }},
}

// generators make cases; ask are the oracles that answer them by default.
var generators = []struct {
	diff.Generator
	ask string
}{
	{gen.NewInsn(), "emu,native"},
	{gen.NewFloat(), "emu,native"},
	{gen.NewSequence(), "emu,native"},
	{gen.NewUndefined(), "emu,native"},
	{gen.NewDelivery(), "emu,model"},
	{gen.Paging{}, "emu,model"},
}

// known are the differences that have been understood.
func known() []diff.Row { return append(peers.Rows(), native.Known...) }

// oracleFlags choose oracles and say where they are.
type oracleFlags struct {
	names       string
	qemu, bochs string
}

func (f *oracleFlags) addFlags(cmd *cobra.Command, what string) {
	cmd.Flags().StringVar(&f.names, "oracles", "", "who answers, the reference first: `NAME,...` ("+what+"; see x86emu diff list)")
	cmd.Flags().StringVar(&f.qemu, "qemu", "", "where QEMU is: `FILE` (default qemu-system-x86_64 of PATH)")
	cmd.Flags().StringVar(&f.bochs, "bochs", "", "where Bochs is: `FILE` (default bochs-bin or bochs of PATH)")
}

// start starts the oracles of a list. Those that have been started are ended
// when one cannot be.
func (f *oracleFlags) start(names string) (out []diff.Oracle, err error) {
	if f.names != "" {
		names = f.names
	}
	defer func() {
		if err != nil {
			closeAll(out)
			out = nil
		}
	}()
	for _, name := range strings.Split(names, ",") {
		o, err := f.one(strings.TrimSpace(name))
		if err != nil {
			return out, err
		}
		for _, other := range out {
			if other.Name() == o.Name() {
				o.Close()
				return out, fmt.Errorf("--oracles: %s is there twice", o.Name())
			}
		}
		out = append(out, o)
	}
	return out, nil
}

func (f *oracleFlags) one(name string) (diff.Oracle, error) {
	var names []string
	for _, o := range oracles {
		if o.name == name {
			return o.start(f)
		}
		names = append(names, o.name)
	}
	return nil, fmt.Errorf("no oracle %q: must be some of %s", name, strings.Join(names, ", "))
}

func closeAll(all []diff.Oracle) {
	for _, o := range all {
		o.Close()
	}
}

// newDiffList lists what there is to choose from.
func newDiffList() *cobra.Command {
	var f oracleFlags
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List generators and oracles, and what is missing for those that cannot run here",
		Args:  exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return listParts(cmd.OutOrStdout(), &f)
		},
	}
	return cmd
}

func listParts(w io.Writer, f *oracleFlags) error {
	fmt.Fprintln(w, "Generators (--gen), with the oracles that are asked by default:")
	for _, g := range generators {
		fmt.Fprintf(w, "  %-12s %s (%s)\n", g.Name(), g.About(), g.ask)
	}
	fmt.Fprintln(w, "Oracles (--oracles):")
	for _, o := range oracles {
		fmt.Fprintf(w, "  %-12s %s\n", o.name, o.about)
		started, err := o.start(f)
		if err != nil {
			fmt.Fprintf(w, "               not here: %s\n", oneLine(err.Error()))
			continue
		}
		fmt.Fprintf(w, "               %s\n", started.Version())
		started.Close()
	}
	return nil
}

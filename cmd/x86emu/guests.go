package main

import (
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"

	"x86emu/guest"
	"x86emu/machine"
)

func newGuests() *cobra.Command {
	var source bool
	cmd := &cobra.Command{
		Use:   "guests [NAME]",
		Short: "List the built-in guest kernels, or tell the story of one",
		Example: `  x86emu guests
  x86emu guests unmapped-handler-32
  x86emu guests unmapped-handler-32 --source`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return fmt.Errorf("guests takes one NAME at most: %d arguments given (try --help)", len(args))
			}
			if source && len(args) == 0 {
				return fmt.Errorf("--source needs the NAME of a kernel (see x86emu guests)")
			}
			if len(args) == 1 {
				k, ok := guest.KernelNamed(args[0])
				if !ok {
					return fmt.Errorf("no built-in kernel %q (see x86emu guests)", args[0])
				}
				if source {
					fmt.Fprintln(cmd.OutOrStdout(), k.Source)
					return nil
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s\n\nSource: %s\n", k.Story, k.Source)
				end := machine.Result{Reason: k.End}
				fmt.Fprintf(cmd.OutOrStdout(), "Ends: %s, exit status %d\n", end.Reason, end.Status())
				if k.StaleTLB {
					fmt.Fprintln(cmd.OutOrStdout(), "With --tlb off it prints something else: it leaves out a flush.")
				}
				return nil
			}
			for _, k := range guest.Kernels() {
				fmt.Fprintf(cmd.OutOrStdout(), "%-24s %s\n", k.Name, k.Summary)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&source, "source", false, "print where its code is: a folder of x86emu's repository")
	return cmd
}

func newNew() *cobra.Command {
	bits := oneOf{32, []uint8{32, 64}}
	cmd := &cobra.Command{
		Use:   "new DIR",
		Short: "Write a small kernel to begin with",
		Long: `Write a small kernel to begin with into a new or empty folder: main.c, a
runtime in lib (console, segments, page tables, traps), and a Makefile. gcc,
binutils and make build it.`,
		Example: `  x86emu new mykernel --bits 64
  make -C mykernel run`,
		Args: exactly("a DIR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := guest.WriteSkeleton(args[0], int(bits.v)); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s: a kernel of %d bits. It begins in main.c; make run builds and runs it.\n", args[0], bits.v)
			return nil
		},
	}
	cmd.Flags().Var(&bits, "bits", "`32|64`: the mode of the kernel")
	return cmd
}

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version of x86emu",
		Args:  exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			version, goVersion := "(devel)", "go?"
			if info, ok := debug.ReadBuildInfo(); ok {
				goVersion = info.GoVersion
				if info.Main.Version != "" {
					version = info.Main.Version
				}
			}
			fmt.Fprintf(cmd.OutOrStdout(), "x86emu %s, built with %s\n", version, goVersion)
			return nil
		},
	}
}

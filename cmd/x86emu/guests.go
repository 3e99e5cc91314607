package main

import (
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"

	"x86emu/guest"
	"x86emu/machine"
)

func newGuests() *cobra.Command {
	return &cobra.Command{
		Use:   "guests [NAME]",
		Short: "List the built-in guest kernels, or tell the story of one",
		Example: `  x86emu guests
  x86emu guests unmapped-handler-32`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return fmt.Errorf("guests takes one NAME at most: %d arguments given (try --help)", len(args))
			}
			if len(args) == 1 {
				k, ok := guest.KernelNamed(args[0])
				if !ok {
					return fmt.Errorf("no built-in kernel %q (see x86emu guests)", args[0])
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

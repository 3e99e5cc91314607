package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"x86emu/machine"
	"x86emu/mmu"
)

func newWalk() *cobra.Command {
	var b board
	var at uint64
	var access string
	var user bool
	cmd := &cobra.Command{
		Use:   "walk IMAGE ADDR",
		Short: "Show every level of the page tables for one address",
		Long: `Run a guest, its output unseen, to its end or to a tick, and show how a linear
address is translated there: every entry, its bits, and the verdict. The walk
itself changes nothing: no accessed or dirty bit, no TLB entry.`,
		Example: `  x86emu walk unmapped-handler-32 0xf8400000
  x86emu walk kernel.elf 0xc0100000 --at 50000 --access write --user`,
		Args: exactly("an IMAGE", "an ADDR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			lin, err := parseAddress(args[1])
			if err != nil {
				return err
			}
			a, ok := map[string]mmu.Access{"read": mmu.Read, "write": mmu.Write, "fetch": mmu.Exec}[access]
			if !ok {
				return fmt.Errorf("--access %q: must be read, write or fetch", access)
			}
			if user {
				a |= mmu.User
			}
			m, err := b.make(args[0], machine.Config{})
			if err != nil {
				return err
			}
			budget := at
			if !cmd.Flags().Changed("at") {
				budget = machine.NoBudget
			}
			r, err := m.Run(cmd.Context(), budget)
			if err != nil {
				return err
			}
			w := m.MMU.Explain(mmu.Linear(lin), a)
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "at tick %d (%s), CR3 0x%x\n%s", r.Ticks, r.Reason, m.MMU.Ctl.CR3, w.String())
			return err
		},
	}
	b.addFlags(cmd)
	f := cmd.Flags()
	f.Uint64Var(&at, "at", 0, "walk when so many `ticks` have passed (default at the guest's end, or at Ctrl-C)")
	f.StringVar(&access, "access", "read", "`read|write|fetch`")
	f.BoolVar(&user, "user", false, "an access by user-mode code")
	return cmd
}

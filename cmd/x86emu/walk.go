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
			budget, err := ticksTo(cmd, m, "at", at)
			if err != nil {
				return err
			}
			r, err := m.Run(cmd.Context(), budget)
			if err != nil {
				return err
			}
			story, err := tell(m.MMU, lin, a)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "at tick %d (%s), CR3 0x%x\n%s", r.Ticks, r.Reason, m.MMU.Ctl.CR3, story)
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

// tell is the story of the walk for an address, or why there is no walk.
func tell(m *mmu.MMU, lin uint64, a mmu.Access) (string, error) {
	width := map[mmu.Mode]uint{mmu.Mode4Level: 48, mmu.Mode5Level: 57}[m.Mode()]
	switch {
	case width == 0 && lin>>32 != 0:
		return "", fmt.Errorf("address 0x%x: with %s paging an address has 32 bits", lin, m.Mode())
	case width != 0 && uint64(int64(lin<<(64-width))>>(64-width)) != lin:
		return fmt.Sprintf("%s of 0x%x, %s paging\n  not canonical (bits 63 to %d are not alike): #GP(0), through SS #SS(0); no entry is read\n",
			a, lin, m.Mode(), width-1), nil
	}
	w := m.Explain(mmu.Linear(lin), a)
	return w.String(), nil
}

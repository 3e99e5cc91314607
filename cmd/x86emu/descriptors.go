package main

import (
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"x86emu/debug/tables"
)

// descriptors makes a command that shows a descriptor table at a moment.
func descriptors(use, short, long, example string, show func(cmd *cobra.Command, when string, v *tables.View) error) *cobra.Command {
	var o moment
	cmd := &cobra.Command{
		Use:   use + " IMAGE",
		Short: short,
		Long: `Run a guest, its output unseen, to its end or to a tick, and ` + long + `

A line that begins with "!" tells what the processor would stumble over, and
the fault that would come of it. Nothing is changed by looking.`,
		Example: example,
		Args:    exactly("an IMAGE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			v, err := o.look(cmd, args[0])
			if err != nil {
				return err
			}
			cr3, err := v.table("cr3", o.cr3)
			if err != nil {
				return err
			}
			view, err := v.View(cr3)
			if err != nil {
				return err
			}
			return show(cmd, v.when(), view)
		},
	}
	o.addFlags(cmd)
	return cmd
}

func newIDT() *cobra.Command {
	return descriptors("idt", "Show the interrupt descriptor table, and what is wrong with it",
		`show its IDT: the type
of each gate, its DPL, where it leads, its interrupt stack. Code segment, first
page of the handler, TSS of a task gate and interrupt stack are looked at as well.
Vectors that are alike share a line.`,
		`  x86emu idt unmapped-handler-32 --cr3 0x202000
  x86emu idt kernel.elf --at 50000`,
		func(cmd *cobra.Command, when string, v *tables.View) error {
			gates, err := v.IDT()
			if err != nil {
				return err
			}
			return v.WriteIDT(cmd.OutOrStdout(), when, gates)
		})
}

func newGDT() *cobra.Command {
	var ldt bool
	cmd := descriptors("gdt", "Show the global or the local descriptor table, and what is wrong with it",
		`show its GDT, or LDT: each
descriptor with its type, DPL, base and limit, and the registers loaded from it.`,
		`  x86emu gdt unmapped-handler-32
  x86emu gdt kernel.elf --at 50000 --ldt`,
		func(cmd *cobra.Command, when string, v *tables.View) error {
			name, base, limit, list := "GDT", v.State.GDTR.Base, uint32(v.State.GDTR.Limit), v.GDT
			if ldt {
				name, base, limit, list = "LDT", v.State.LDTR.Base, v.State.LDTR.Limit, v.LDT
			}
			all, err := list()
			if err != nil {
				return err
			}
			return v.WriteSegments(cmd.OutOrStdout(), when, name, base, limit, all)
		})
	cmd.Flags().BoolVar(&ldt, "ldt", false, "show the LDT")
	return cmd
}

func newTSS() *cobra.Command {
	var sel string
	cmd := descriptors("tss", "Show a task-state segment, and what is wrong with it",
		`show the TSS that TR
holds, or that a selector names: its fields, and whether its stacks can be pushed to.`,
		`  x86emu tss unmapped-handler-64
  x86emu tss unmapped-handler-32 --sel 0x38          the double fault's task`,
		func(cmd *cobra.Command, when string, v *tables.View) error {
			n, err := strconv.ParseUint(sel, 0, 16)
			if err != nil {
				return fmt.Errorf("--sel %q: must be a selector, at most 0xffff", sel)
			}
			t, err := v.TSS(uint16(n))
			if err != nil {
				return err
			}
			return v.WriteTSS(cmd.OutOrStdout(), when, t)
		})
	cmd.Flags().StringVar(&sel, "sel", "0", "`selector` of a TSS in the GDT (default what TR holds)")
	cmd.Flags().Lookup("sel").DefValue = ""
	return cmd
}

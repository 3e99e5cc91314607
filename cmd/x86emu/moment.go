package main

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"x86emu/debug/tables"
	"x86emu/machine"
	"x86emu/mmu"
)

// moment holds the flags of a command that looks at a guest at one moment.
type moment struct {
	board
	at  uint64
	cr3 string
}

func (o *moment) addFlags(cmd *cobra.Command) {
	o.board.addFlags(cmd)
	cmd.Flags().Uint64Var(&o.at, "at", 0, "look when so many `ticks` have passed (default at the guest's end, or at Ctrl-C)")
	cmd.Flags().StringVar(&o.cr3, "cr3", "", "look through the page table at this physical `address` (default that of CR3)")
}

// seen is a value that CR3 had while paging was on.
type seen struct {
	cr3  uint64
	tick uint64 // when it was loaded first
}

// visit is a machine that has come to the moment, and what CR3 has held.
type visit struct {
	*tables.Moment
	m      *machine.Machine
	r      machine.Result
	spaces []seen
}

// start loads an image, its output unseen.
func (o *moment) start(image string) (*visit, error) {
	m, err := o.make(image, machine.Config{})
	if err != nil {
		return nil, err
	}
	v := &visit{m: m}
	m.MMU.OnCR3 = func(cr3 uint64) { v.loaded(cr3) }
	return v, nil
}

// maxSpaces bounds how many values of CR3 are kept.
const maxSpaces = 1 << 16

// loaded notes a value of CR3.
func (v *visit) loaded(cr3 uint64) {
	if len(v.spaces) < maxSpaces && !slices.ContainsFunc(v.spaces, func(s seen) bool { return s.cr3 == cr3 }) {
		v.spaces = append(v.spaces, seen{cr3, v.m.CPU.Ticks()})
	}
}

// ticksTo is how many ticks a machine has up to the one that a flag names; without
// the flag it has no budget.
func ticksTo(cmd *cobra.Command, m *machine.Machine, flag string, at uint64) (uint64, error) {
	now := m.CPU.Ticks()
	switch {
	case !cmd.Flags().Changed(flag):
		return machine.NoBudget, nil
	case at < now:
		return 0, fmt.Errorf("--%s %d: the guest is at tick %d already", flag, at, now)
	}
	return at - now, nil
}

// run runs to a tick, or to the end, and takes the moment.
func (v *visit) run(cmd *cobra.Command, flag string, at uint64) (err error) {
	budget, err := ticksTo(cmd, v.m, flag, at)
	if err != nil {
		return err
	}
	if v.r, err = v.m.Run(cmd.Context(), budget); err != nil {
		return err
	}
	if v.m.MMU.Mode() != mmu.ModeNone {
		v.loaded(v.m.MMU.Ctl.CR3)
	}
	v.Moment = tables.At(v.m)
	return nil
}

// look runs an image to the moment that the flags name.
func (o *moment) look(cmd *cobra.Command, image string) (*visit, error) {
	v, err := o.start(image)
	if err != nil {
		return nil, err
	}
	return v, v.run(cmd, "at", o.at)
}

// table is the value of --cr3, checked, or CR3 where there is none.
func (v *visit) table(flag, text string) (uint64, error) {
	if text == "" {
		return v.State.CR3, nil
	}
	cr3, err := strconv.ParseUint(text, 0, 64)
	if err != nil {
		return 0, fmt.Errorf("--%s %q: %w", flag, text, errAddress)
	}
	if err := v.CheckCR3(cr3); err != nil {
		return 0, fmt.Errorf("--%s: %w", flag, err)
	}
	return cr3, nil
}

// space is the address space that the flags name; with paging off there is none.
func (v *visit) space(flag, text string) (*mmu.MMU, error) {
	cr3, err := v.table(flag, text)
	if err != nil {
		return nil, err
	}
	m, err := v.Space(cr3)
	if err == nil && m.Mode() == mmu.ModeNone {
		return nil, fmt.Errorf("at tick %d paging is off: there are no page tables", v.r.Ticks)
	}
	return m, err
}

// when is how an output begins.
func (v *visit) when() string { return fmt.Sprintf("at tick %d (%s)", v.r.Ticks, v.r.Reason) }

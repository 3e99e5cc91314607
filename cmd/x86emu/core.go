package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"x86emu/debug/tables"
	"x86emu/idt"
	"x86emu/mmu"
)

// coreFlags describe a memory core, and what it does not tell.
type coreFlags struct {
	file     string
	idt, gdt string
	tr       string
	paging   string
}

func (c *coreFlags) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&c.file, "core", "", "ask about this ELF memory core `FILE` in place of an IMAGE")
	f.StringVar(&c.idt, "idt", "", "of a core: IDTR, as `BASE:LIMIT`")
	f.StringVar(&c.gdt, "gdt", "", "of a core: GDTR, as `BASE:LIMIT`")
	f.StringVar(&c.tr, "tr", "", "of a core: the `selector` in TR")
	f.StringVar(&c.paging, "paging", "", "of a core without QEMU's note: `32|pae|4|5` levels of page tables (default 32, or 4 in long mode)")
}

// open reads the core. What the flags say goes before what it says.
func (c *coreFlags) open(cmd *cobra.Command, cr3 string) (*tables.Moment, error) {
	file, err := os.Open(c.file)
	if err != nil {
		return nil, fmt.Errorf("--core: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	switch {
	case err != nil:
		return nil, fmt.Errorf("--core: %w", err)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("--core %s: not a file", c.file)
	}
	o, noted, err := tables.OpenCore(file, info.Size())
	if err != nil {
		return nil, fmt.Errorf("--core %s: %w", c.file, err)
	}
	if !noted {
		for _, name := range []string{"cr3", "idt", "gdt", "tr"} {
			if !cmd.Flags().Changed(name) {
				return nil, fmt.Errorf("--core %s: it has no note of QEMU's, so that --%s must say what it was", c.file, name)
			}
		}
	}
	if err := c.apply(o, noted, cr3); err != nil {
		return nil, err
	}
	return o, nil
}

// apply takes over what the flags say.
func (c *coreFlags) apply(o *tables.Moment, noted bool, cr3 string) error {
	s := &o.State
	if err := c.setPaging(o, noted); err != nil {
		return err
	}
	for _, t := range []struct {
		name, text string
		table      *idt.Table
	}{{"idt", c.idt, &s.IDTR}, {"gdt", c.gdt, &s.GDTR}} {
		if t.text == "" {
			continue
		}
		var err error
		if *t.table, err = parseTable(t.text); err != nil {
			return fmt.Errorf("--%s %q: %w", t.name, t.text, err)
		}
	}
	if cr3 != "" {
		v, err := strconv.ParseUint(cr3, 0, 64)
		if err != nil {
			return fmt.Errorf("--cr3 %q: %w", cr3, errAddress)
		}
		s.CR3 = v
	}
	if s.CR0&mmu.CR0PG != 0 {
		if err := o.Settle(); err != nil {
			return fmt.Errorf("--core %s: %w", c.file, err)
		}
	}
	m, err := o.Space(s.CR3)
	if err != nil {
		return err
	}
	for _, t := range []struct {
		name string
		base uint64
	}{{"idt", s.IDTR.Base}, {"gdt", s.GDTR.Base}} {
		if err := tables.CheckLinear(m, t.base); err != nil {
			return fmt.Errorf("--%s: %w", t.name, err)
		}
	}
	if c.tr != "" {
		sel, err := strconv.ParseUint(c.tr, 0, 16)
		if err != nil {
			return fmt.Errorf("--tr %q: must be a selector, at most 0xffff", c.tr)
		}
		if err := o.SetTR(uint16(sel)); err != nil {
			return fmt.Errorf("--tr: %w", err)
		}
	}
	return nil
}

// setPaging says how a core without a note is paged.
func (c *coreFlags) setPaging(o *tables.Moment, noted bool) error {
	if c.paging == "" {
		return nil
	}
	if noted {
		return fmt.Errorf("--paging %s: QEMU's note in the core says how it is paged", c.paging)
	}
	s := &o.State
	const long = mmu.EFERLME | mmu.EFERLMA
	s.EFER &^= long
	switch c.paging {
	case "32":
		s.CR4 = mmu.CR4PSE
	case "pae":
		s.CR4 = mmu.CR4PAE
	case "4":
		s.CR4, s.EFER = mmu.CR4PAE, s.EFER|long
	case "5":
		s.CR4, s.EFER = mmu.CR4PAE|mmu.CR4LA57, s.EFER|long
	default:
		return fmt.Errorf("--paging %q: must be 32, pae, 4 or 5", c.paging)
	}
	return nil
}

// parseTable reads BASE:LIMIT.
func parseTable(text string) (t idt.Table, err error) {
	base, limit, ok := strings.Cut(text, ":")
	if !ok {
		return t, fmt.Errorf("must be BASE:LIMIT")
	}
	if t.Base, err = strconv.ParseUint(base, 0, 64); err != nil {
		return t, fmt.Errorf("the base %w", errAddress)
	}
	n, err := strconv.ParseUint(limit, 0, 16)
	if err != nil {
		return t, fmt.Errorf("the limit must be at most 0xffff")
	}
	t.Limit = uint16(n)
	return t, nil
}

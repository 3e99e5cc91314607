package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"x86emu/debug/tables"
	"x86emu/mmu"
)

func newPages() *cobra.Command {
	var o moment
	var list tables.PagesOptions
	var ranges, frame string
	var holes, aliases, self, spaces, asJSON bool
	cmd := &cobra.Command{
		Use:   "pages IMAGE",
		Short: "Show what the page tables map, and with which rights",
		Long: `Run a guest, its output unseen, to its end or to a tick, and show what its page
tables map. A line is a run of addresses that are alike:

  0xf8400000-0xf8400fff     4K  srwx -AD 4K -> 0x3c5000
  |                         |   |    |   |     physical address of the first byte
  |                         |   |    |   page size
  |                         |   |    G, A and D of the entry that maps it
  |                         |   u: user, s: supervisor; r, w, x: read, write, execute,
  |                         |   as all levels together allow
  |                         size of the run
  first and last address

A hole tells the first entry that is missing, its value and where it lies. A
protection key other than 0 stands at the end. Nothing is changed by looking: no
accessed or dirty bit, no TLB entry. What the TLB still holds is not shown.

"x86emu pages diff" compares two tables, or one at two moments.`,
		Example: `  x86emu pages unmapped-handler-32
  x86emu pages kernel.elf --at 50000 --cr3 0x204000 --merge
  x86emu pages kernel.elf --frame 0x3c5000          who maps this frame?
  x86emu pages kernel.elf --aliases                 which frames are mapped twice?
  x86emu pages kernel.elf --self                    which tables can be written as memory?
  x86emu pages kernel.elf --spaces                  which page tables were there?`,
		Args: exactly("an IMAGE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			v, err := o.look(cmd, args[0])
			if err != nil {
				return err
			}
			w := cmd.OutOrStdout()
			if spaces {
				return v.writeSpaces(w)
			}
			m, err := v.space("cr3", o.cr3)
			if err != nil {
				return err
			}
			first, last, err := rangeIn(m, ranges)
			if err != nil {
				return err
			}
			list.First, list.Last = mmu.Linear(first), mmu.Linear(last)
			all, whole := tables.Pages(m, list)
			if asJSON {
				return writeRanges(w, all)
			}
			fmt.Fprintf(w, "%s, %s\n", v.when(), tables.Head(m))
			switch {
			case frame != "":
				p, err := parseAddress(frame)
				if err != nil {
					return fmt.Errorf("--frame: %w", err)
				}
				err = tables.WriteUses(w, m, mmu.Phys(p), tables.WhoMaps(all, mmu.Phys(p)))
				return errors.Join(err, cutShort(cmd, whole))
			case aliases:
				found, complete := tables.Aliases(all)
				return errors.Join(tables.WriteAliases(w, m, found), cutShort(cmd, whole && complete))
			case self:
				t, loops, complete := tables.Self(m, all)
				return errors.Join(tables.WriteSelf(w, m, t, loops), cutShort(cmd, whole && complete))
			}
			return errors.Join(tables.WritePages(w, m, all, holes), cutShort(cmd, whole))
		},
	}
	o.addFlags(cmd)
	f := cmd.Flags()
	f.StringVar(&ranges, "range", "", "only linear addresses `FIRST-LAST`")
	f.BoolVar(&list.Merge, "merge", false, "join what has the same rights, wherever it lies")
	f.BoolVar(&holes, "holes", true, "show the holes too")
	f.StringVar(&frame, "frame", "", "show where this physical `address` is mapped")
	f.BoolVar(&aliases, "aliases", false, "show memory that is mapped more than once")
	f.BoolVar(&self, "self", false, "show tables that are mapped themselves, and entries that lead back to their own table")
	f.BoolVar(&spaces, "spaces", false, "show the values that CR3 has held")
	f.BoolVar(&asJSON, "json", false, "print a line of JSON for each range")
	cmd.MarkFlagsMutuallyExclusive("frame", "aliases", "self", "spaces", "json")
	cmd.AddCommand(newPagesDiff())
	return cmd
}

// rangeIn reads a range of linear addresses of an address space.
func rangeIn(m *mmu.MMU, text string) (first, last uint64, err error) {
	if first, last, err = parseRange(text); err != nil {
		return 0, 0, fmt.Errorf("--range: %w", err)
	}
	if text == "" {
		return first, last, nil
	}
	for _, a := range []uint64{first, last} {
		if err := tables.CheckLinear(m, a); err != nil {
			return 0, 0, fmt.Errorf("--range: %w", err)
		}
	}
	return first, last, nil
}

// cutShort tells that there is more than was listed.
func cutShort(cmd *cobra.Command, whole bool) error {
	if !whole {
		fmt.Fprintln(cmd.ErrOrStderr(), "x86emu: there is more: the tables have too many entries to list (see --range)")
	}
	return nil
}

func (v *visit) writeSpaces(w io.Writer) error {
	for _, s := range v.spaces {
		current := ""
		if s.cr3 == v.State.CR3 {
			current = ", current"
		}
		if _, err := fmt.Fprintf(w, "CR3 0x%x, first loaded at tick %d%s\n", s.cr3, s.tick, current); err != nil {
			return err
		}
	}
	if len(v.spaces) == 0 {
		_, err := fmt.Fprintln(w, "CR3 was never loaded")
		return err
	}
	return nil
}

// rangeLine is a range for programs; addresses are strings, as JSON numbers
// hold 53 bits.
type rangeLine struct {
	Kind     tables.Kind `json:"kind"`
	First    string      `json:"first"`
	Last     string      `json:"last"`
	Phys     string      `json:"phys,omitempty"`
	User     bool        `json:"user,omitempty"`
	Write    bool        `json:"write,omitempty"`
	Exec     bool        `json:"exec,omitempty"`
	Global   bool        `json:"global,omitempty"`
	Accessed bool        `json:"accessed,omitempty"`
	Dirty    bool        `json:"dirty,omitempty"`
	PageSize uint64      `json:"page_size,omitempty"`
	Key      uint8       `json:"key,omitempty"`
	Entry    string      `json:"entry,omitempty"`
	At       string      `json:"at,omitempty"`
	Raw      string      `json:"raw,omitempty"`
	Entries  uint64      `json:"entries,omitempty"`
}

func writeRanges(w io.Writer, ranges []tables.Range) error {
	hex := func(v uint64) string { return fmt.Sprintf("0x%x", v) }
	e := json.NewEncoder(w)
	for i := range ranges {
		r := &ranges[i]
		l := rangeLine{Kind: r.Kind, First: hex(uint64(r.First)), Last: hex(uint64(r.Last)), Entries: r.Entries}
		if r.Kind != tables.NotCanonical {
			l.Entry, l.At, l.Raw = tables.EntryName(r.Entry), hex(uint64(r.Entry.At)), hex(r.Entry.Raw)
		}
		if r.Kind == tables.Mapped {
			l.User, l.Write = r.Rights&mmu.RightUser != 0, r.Rights&mmu.RightWrite != 0
			l.Exec, l.Dirty = r.Rights&mmu.RightExec != 0, r.Rights&mmu.RightDirty != 0
			l.Accessed, l.Global, l.Key, l.PageSize = r.Accessed, r.Global, r.Key, 1<<r.Shift
			if !r.Scattered {
				l.Phys = hex(uint64(r.Phys))
			}
		}
		if err := e.Encode(l); err != nil {
			return err
		}
	}
	return nil
}

func newPagesDiff() *cobra.Command {
	var o moment
	var with, ranges string
	var later uint64
	var options tables.DiffOptions
	cmd := &cobra.Command{
		Use:   "diff IMAGE",
		Short: "Compare two page tables, or one at two moments",
		Long: `Run a guest, its output unseen, and show where two page tables do not agree: A is
the one of --cr3 at --at, B the one of --with, at --and. What is left out is the
same for both, so that there are three uses:

  --cr3 X --with Y     two tables at one moment: what does a process lack of the master?
  --at N --and M       one table at two moments: what has changed in between?
  all four             both

Each difference shows what A and B have there: pages, or the entry that is missing.
A and D do not count unless --used is given.`,
		Example: `  x86emu pages diff unmapped-handler-32 --cr3 0x200000 --with 0x202000
  x86emu pages diff kernel.elf --at 50000 --and 60000 --used`,
		Args: exactly("an IMAGE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if with == "" && !cmd.Flags().Changed("and") {
				return fmt.Errorf("pages diff needs --with, --and, or both: two things to compare (try --help)")
			}
			v, err := o.look(cmd, args[0])
			if err != nil {
				return err
			}
			a, err := v.space("cr3", o.cr3)
			if err != nil {
				return err
			}
			before := v.when()
			if cmd.Flags().Changed("and") {
				if err := v.run(cmd, "and", later); err != nil {
					return err
				}
			}
			if with == "" {
				with = fmt.Sprint(a.Ctl.CR3)
			}
			b, err := v.space("with", with)
			if err != nil {
				return err
			}
			if a.Mode() != b.Mode() {
				return fmt.Errorf("cannot compare: A has %s paging, B %s paging", a.Mode(), b.Mode())
			}
			first, last, err := rangeIn(a, ranges)
			if err != nil {
				return err
			}
			list := tables.PagesOptions{First: mmu.Linear(first), Last: mmu.Linear(last)}
			ra, wholeA := tables.Pages(a, list)
			rb, wholeB := tables.Pages(b, list)
			w := cmd.OutOrStdout()
			fmt.Fprintf(w, "A: %s, %s\nB: %s, %s\n", before, tables.Head(a), v.when(), tables.Head(b))
			return errors.Join(tables.WriteDiff(w, a, b, tables.Diff(ra, rb, options)), cutShort(cmd, wholeA && wholeB))
		},
	}
	o.addFlags(cmd)
	f := cmd.Flags()
	f.StringVar(&with, "with", "", "B is the page table at this physical `address` (default that of A)")
	f.Uint64Var(&later, "and", 0, "B is looked at when so many `ticks` have passed (default when A is)")
	f.StringVar(&ranges, "range", "", "only linear addresses `FIRST-LAST`")
	f.BoolVar(&options.Used, "used", false, "let A and D count")
	return cmd
}

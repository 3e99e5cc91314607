package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"x86emu/debug/audit"
	"x86emu/debug/session"
	"x86emu/debug/tables"
	"x86emu/idt"
)

// statusBad is the exit status of an audit that has found something.
const statusBad = 1

func newAudit() *cobra.Command {
	var o moment
	var core coreFlags
	var vector, from string
	var limit int
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "audit IMAGE",
		Short: "Foretell what would become of each fault and interrupt",
		Long: `Run a guest, its output unseen, to its end or to a tick, and foretell for each
vector what would become of it if it came then: in the address space of CR3, in
another one (--cr3 X), or in every one that CR3 has held (--cr3 all). The answers:

  fine                            its handler begins
  #GP in its place                a fault is delivered instead, whose handler begins
  recursion, then #DF after N frames
                                  a handler cannot be fetched, N times, until a push fails
  #DF at once                     the delivery itself fails
  triple fault                    so does the delivery of the #DF: shutdown
  endless                         the same state comes round, for ever

For all but the first two the way there is shown, with the entry that is missing.
It is asked from where the processor is, and from user mode, on the stack of the
TSS. No instruction runs, and nothing changes: it happens on a copy.

With --core the guest is an ELF memory core, as QEMU's dump-guest-memory writes
it, so that a kernel can be asked about which x86emu did not run. Registers come from
QEMU's note in it; --cr3, --idt, --gdt and --tr say otherwise, or say it where there
is none. The whole core is read into memory.

The exit status is 1 if some answer is not one of the first two.`,
		Example: `  x86emu audit unmapped-handler-32 --at 200000 --cr3 all
  x86emu audit kernel.elf --at 50000 --vector PF
  x86emu audit --core dump.elf
  x86emu audit --core dump.elf --cr3 0x1aa000 --idt 0xc1800000:0x7ff --gdt 0xc1801000:0xff --tr 0x80`,
		Args: func(cmd *cobra.Command, args []string) error {
			if core.file != "" {
				if len(args) > 0 {
					return fmt.Errorf("audit needs an IMAGE or --core, not both (try --help)")
				}
				return nil
			}
			return exactly("an IMAGE")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			events := audit.Events()
			if vector != "" {
				v, err := session.Vector(vector)
				if err != nil {
					return fmt.Errorf("--vector %w", err)
				}
				events = []idt.Event{audit.EventOf(v)}
			}
			if limit < 1 || limit > 1<<24 {
				return fmt.Errorf("--limit %d: must be from 1 to %d", limit, 1<<24)
			}
			m, spaces, when, err := o.auditee(cmd, &core, args)
			if err != nil {
				return err
			}
			origins, err := originsOf(m, from)
			if err != nil {
				return err
			}
			w := cmd.OutOrStdout()
			if !asJSON {
				fmt.Fprintln(w, when)
			}
			bad := false
			for _, cr3 := range spaces {
				s := audit.Report(m, cr3, events, origins, limit)
				bad = bad || s.Bad()
				if asJSON {
					err = s.WriteJSON(w)
				} else {
					err = s.WriteText(w)
				}
				if err != nil {
					return err
				}
			}
			if bad {
				return status(statusBad)
			}
			return nil
		},
	}
	o.addFlags(cmd)
	core.addFlags(cmd)
	f := cmd.Flags()
	f.Lookup("cr3").Usage = "in which address spaces: `ADDRESS|all` (default that of CR3)"
	f.StringVar(&vector, "vector", "", "only this `vector`: PF, GP, DF, ..., or a number")
	f.StringVar(&from, "from", "both", "who is interrupted: `now|user|both`; now is the processor as it is")
	f.IntVar(&limit, "limit", audit.DefaultLimit, "give up after so many `deliveries`")
	f.BoolVar(&asJSON, "json", false, "print a line of JSON for each vector")
	return cmd
}

// auditee is the moment that is asked about, and its address spaces.
func (o *moment) auditee(cmd *cobra.Command, core *coreFlags, args []string) (*tables.Moment, []uint64, string, error) {
	if core.file != "" {
		m, err := core.open(cmd, o.cr3)
		if err != nil {
			return nil, nil, "", err
		}
		return m, []uint64{m.State.CR3}, core.file, nil
	}
	for _, name := range []string{"idt", "gdt", "tr", "paging"} {
		if cmd.Flags().Changed(name) {
			return nil, nil, "", fmt.Errorf("--%s is for a core: it needs --core", name)
		}
	}
	v, err := o.look(cmd, args[0])
	if err != nil {
		return nil, nil, "", err
	}
	if o.cr3 == "all" {
		var all []uint64
		for _, s := range v.spaces {
			all = append(all, s.cr3)
		}
		if len(all) == 0 {
			return nil, nil, "", fmt.Errorf("--cr3 all: CR3 was never loaded")
		}
		return v.Moment, all, v.when(), nil
	}
	cr3, err := v.table("cr3", o.cr3)
	return v.Moment, []uint64{cr3}, v.when(), err
}

// originsOf says from where to ask. User mode is asked about where that is another
// case than the present one, and where there is one.
func originsOf(m *tables.Moment, from string) ([]audit.From, error) {
	now := []audit.From{audit.Now}
	user := []audit.From{audit.User}
	kernel := m.State.CPL != 3 && m.State.TR.Attr&idt.AttrUnusable == 0 && m.State.TR.Attr.IsTSS() && m.State.TR.Sel&^3 != 0
	switch from {
	case "now":
		return now, nil
	case "user":
		return user, nil
	case "both":
		switch {
		case m.Core && m.State.RIP == 0:
			return user, nil // nothing tells where it is
		case kernel:
			return append(now, user...), nil
		}
		return now, nil
	}
	return nil, fmt.Errorf("--from %q: must be now, user or both", from)
}

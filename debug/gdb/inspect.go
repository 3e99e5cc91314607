package gdb

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/charmbracelet/colorprofile"

	"x86emu/debug"
	"x86emu/debug/audit"
	"x86emu/debug/screen"
	"x86emu/debug/session"
	"x86emu/debug/stale"
	"x86emu/debug/tables"
	"x86emu/idt"
	"x86emu/machine"
	"x86emu/mmu"
)

// This file holds the monitor's commands that look.

// reader reads addresses and conditions.
func (m *monitor) reader() *session.Reader {
	return &session.Reader{Machine: m.t.machine(), State: m.t.machine().CPU.State(), Symbols: m.t.o.Symbols}
}

func (m *monitor) when() string { return fmt.Sprintf("at tick %d", m.t.h.Tick()) }

func where(_ context.Context, m *monitor, _ []string) error {
	_, err := fmt.Fprintf(m.w, "%s\n%s\n", debug.Next(m.t.machine(), m.t.o.Symbols), m.t.processor())
	return err
}

// elsewhere goes to another tick, makes a fork there, and comes back.
func (m *monitor) elsewhere(ctx context.Context, move func() (found bool, err error)) (f *machine.Machine, err error) {
	now, over := m.t.h.Tick(), m.t.ended
	found, err := move()
	if err == nil && found && ctx.Err() == nil {
		f, err = m.t.machine().Fork()
	}
	// The way back is not to be interrupted.
	if _, e := m.t.h.Goto(context.Background(), now); e != nil {
		return nil, fmt.Errorf("%w: %w", errHost, e)
	}
	if over {
		if _, e := m.t.h.Run(context.Background(), m.t.budget()); e != nil {
			return nil, fmt.Errorf("%w: %w", errHost, e)
		}
	}
	return f, err
}

func story(ctx context.Context, m *monitor, args []string) error {
	o := debug.ExplainOptions{Count: 1, Budget: machine.NoBudget, Symbols: m.t.o.Symbols}
	from := m.t.machine()
	var err error
	switch {
	case len(args) == 0:
		from, err = m.elsewhere(ctx, func() (bool, error) {
			if _, found, err := m.t.h.FaultStart(ctx); found || err != nil {
				return found, err
			}
			a, err := m.t.h.ReverseContinue(ctx, debug.OnEvent{Any: true})
			return a.Why == debug.AtCondition, err
		})
	case args[0] == "next":
		from, err = from.Fork()
	default:
		if o.Vector, err = session.Vector(args[0]); err != nil {
			return err
		}
		o.ByVector = true
		from, err = m.elsewhere(ctx, func() (bool, error) {
			a, err := m.t.h.ReverseContinue(ctx, debug.OnEvent{Vector: o.Vector})
			return a.Why == debug.AtCondition, err
		})
	}
	if err != nil || ctx.Err() != nil {
		return err
	}
	told := false
	if from != nil {
		_, err = debug.Explain(ctx, from, o, func(s *debug.Story) error {
			told = true
			return s.WriteText(m.w)
		})
	}
	if err == nil && !told && ctx.Err() == nil {
		fmt.Fprintln(m.w, "there is none")
	}
	return err
}

func walk(_ context.Context, m *monitor, args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("walk needs an address")
	}
	at, err := m.reader().Address(args[0])
	if err != nil {
		return err
	}
	a := mmu.Read
	for _, word := range args[1:] {
		bit, known := map[string]mmu.Access{"read": 0, "write": mmu.Write, "fetch": mmu.Exec, "user": mmu.User}[word]
		if !known {
			return fmt.Errorf("%q: must be read, write, fetch or user", word)
		}
		a |= bit
	}
	v := m.t.machine().MMU
	if err := tables.CheckLinear(v, at); err != nil {
		return err
	}
	w := v.Explain(mmu.Linear(at), a)
	fmt.Fprintf(m.w, "%s, CR3 0x%x\n%s", m.when(), v.Ctl.CR3, w.String())
	if e, cached := v.Cached(mmu.Linear(at)); cached {
		fmt.Fprintf(m.w, "  the TLB has 0x%x -> 0x%x, %s\n", uint64(e.Page), uint64(e.Frame), e.Rights)
	}
	return nil
}

func pages(_ context.Context, m *monitor, args []string) error {
	o := tables.Everything
	if len(args) > 0 {
		first, last, ranged := strings.Cut(args[0], "-")
		for i, text := range []string{first, last}[:map[bool]int{false: 1, true: 2}[ranged]] {
			at, err := m.reader().Address(text)
			if err == nil {
				err = tables.CheckLinear(m.t.machine().MMU, at)
			}
			if err != nil {
				return err
			}
			if o.Last = mmu.Linear(at); i == 0 {
				o.First = mmu.Linear(at)
			}
		}
		if o.Last < o.First {
			return fmt.Errorf("%s: the last address is below the first", args[0])
		}
	}
	v := m.t.machine().MMU
	all, whole := tables.Pages(v, o)
	fmt.Fprintf(m.w, "%s, %s\n", m.when(), tables.Head(v))
	if err := tables.WritePages(m.w, v, all, true); err != nil {
		return err
	}
	if !whole {
		fmt.Fprintln(m.w, "there is more: too many entries to list")
	}
	return nil
}

// view is what the tables look like now.
func (m *monitor) view() (*tables.View, error) {
	now := tables.At(m.t.machine())
	return now.View(now.State.CR3)
}

func idtTable(_ context.Context, m *monitor, _ []string) error {
	v, err := m.view()
	if err != nil {
		return err
	}
	gates, err := v.IDT()
	if err != nil {
		return err
	}
	return v.WriteIDT(m.w, m.when(), gates)
}

func gdtTable(_ context.Context, m *monitor, _ []string) error {
	v, err := m.view()
	if err != nil {
		return err
	}
	all, err := v.GDT()
	if err != nil {
		return err
	}
	return v.WriteSegments(m.w, m.when(), "GDT", v.State.GDTR.Base, uint32(v.State.GDTR.Limit), all)
}

func ldtTable(_ context.Context, m *monitor, _ []string) error {
	v, err := m.view()
	if err != nil {
		return err
	}
	all, err := v.LDT()
	if err != nil {
		return err
	}
	return v.WriteSegments(m.w, m.when(), "LDT", v.State.LDTR.Base, v.State.LDTR.Limit, all)
}

func tss(_ context.Context, m *monitor, args []string) error {
	sel := uint64(0)
	if len(args) > 0 {
		var err error
		if sel, err = strconv.ParseUint(args[0], 0, 16); err != nil {
			return fmt.Errorf("%q: must be a selector, at most 0xffff", args[0])
		}
	}
	v, err := m.view()
	if err != nil {
		return err
	}
	t, err := v.TSS(uint16(sel))
	if err != nil {
		return err
	}
	return v.WriteTSS(m.w, m.when(), t)
}

// auditLimit is how many deliveries of a vector are followed: fewer than the
// audit command's, as somebody waits.
const auditLimit = 1 << 12

func auditNow(_ context.Context, m *monitor, args []string) error {
	events := audit.Events()
	if len(args) > 0 {
		v, err := session.Vector(args[0])
		if err != nil {
			return err
		}
		events = []idt.Event{audit.EventOf(v)}
	}
	now := tables.At(m.t.machine())
	s := audit.Report(now, now.State.CR3, events, []audit.From{audit.Now}, auditLimit)
	fmt.Fprintln(m.w, m.when())
	return s.WriteText(m.w)
}

// maxStale is how many uses are told.
const maxStale = 100

func staleUses(ctx context.Context, m *monitor, args []string) error {
	now, from := m.t.h.Tick(), m.t.h.Begin()
	if len(args) > 0 {
		n, err := strconv.ParseUint(args[0], 0, 64)
		if err != nil {
			return fmt.Errorf("%q: must be a number of ticks", args[0])
		}
		from = max(from, now-min(n, now))
	}
	if m.t.machine().MMU.TLBOff() {
		return fmt.Errorf("the TLB is off")
	}
	f, err := m.elsewhere(ctx, func() (bool, error) {
		_, err := m.t.h.Goto(ctx, from)
		return true, err
	})
	if err != nil || f == nil {
		return err
	}
	n := 0
	w := stale.Watch(f, func(u *stale.Use) {
		if n++; n <= maxStale {
			fmt.Fprintln(m.w, u)
		}
	})
	defer w.Close()
	if _, err := f.Run(ctx, now-from); err != nil {
		return err
	}
	fmt.Fprintf(m.w, "uses of stale TLB entries from tick %d to %d: %d\n", from, now, n)
	return nil
}

func textScreen(_ context.Context, m *monitor, _ []string) error {
	s := screen.Take(m.t.machine())
	_, err := fmt.Fprintln(m.w, strings.Join(append([]string{m.when() + ": " + s.String()}, s.Lines(colorprofile.NoTTY)...), "\n"))
	return err
}

// maxDump is how many bytes xp shows.
const maxDump = 1 << 16

func physicalMemory(_ context.Context, m *monitor, args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("xp needs an address")
	}
	at, err := m.reader().Address(args[0])
	if err != nil {
		return err
	}
	n := uint64(64)
	if len(args) > 1 {
		if n, err = strconv.ParseUint(args[1], 0, 64); err != nil || n == 0 || n > maxDump {
			return fmt.Errorf("%q: must be a number of bytes from 1 to %d", args[1], maxDump)
		}
	}
	b := make([]byte, n)
	b = b[:m.t.read(at, b, true)]
	for i := 0; i < len(b); i += 16 {
		line := b[i:min(i+16, len(b))]
		fmt.Fprintf(m.w, "%08x  % -47x  %s\n", at+uint64(i), line, strings.Map(visible, string(line)))
	}
	if uint64(len(b)) < n {
		fmt.Fprintf(m.w, "neither RAM nor ROM is at 0x%x\n", at+uint64(len(b)))
	}
	return nil
}

// visible is a byte as a dump shows it.
func visible(r rune) rune {
	if r < ' ' || r > '~' {
		return '.'
	}
	return r
}

func history(_ context.Context, m *monitor, _ []string) error {
	h := m.t.h
	_, err := fmt.Fprintf(m.w, "now at tick %d; one can go back to %d; reached so far: %d; kept: %d KiB\n", h.Tick(), h.Begin(), h.Frontier(), h.Size()>>10)
	for name, k := range m.t.snapshots {
		fmt.Fprintf(m.w, "snapshot %s at tick %d\n", name, k.Tick())
	}
	return err
}

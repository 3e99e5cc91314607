package gdb

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"x86emu/debug"
	"x86emu/machine"
)

// This file holds the monitor's commands that say where the guest shall stop,
// and those that take it elsewhere. gdb keeps registers and memory until the guest
// has run, and would not notice that a monitor command has moved it: so they set
// where the next continue or reverse-continue goes.

// maxCatches bounds how many conditions there are.
const maxCatches = 256

func setBreak(_ context.Context, m *monitor, args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("break needs a vector, such as PF, or any")
	}
	switch args[0] {
	case "write", "change", "pte":
	default:
		args = append([]string{"catch"}, args...)
	}
	c, err := m.reader().Condition(args)
	if err == nil {
		err = debug.CanMeet(m.t.machine(), c)
	}
	switch {
	case err != nil:
		return err
	case len(m.t.catches) == maxCatches:
		return fmt.Errorf("%d breakpoints are enough", maxCatches)
	}
	m.t.number++
	m.t.catches = append(m.t.catches, catch{m.t.number, c})
	fmt.Fprintf(m.w, "%d: %s\n", m.t.number, c)
	return nil
}

func listBreaks(_ context.Context, m *monitor, _ []string) error {
	for _, c := range m.t.catches {
		fmt.Fprintf(m.w, "%d: %s\n", c.number, c.Condition)
	}
	if len(m.t.catches) == 0 {
		fmt.Fprintln(m.w, "none")
	}
	return nil
}

func deleteBreak(_ context.Context, m *monitor, args []string) error {
	if len(args) == 0 {
		m.t.catches = nil
		return nil
	}
	n, err := strconv.Atoi(args[0])
	i := slices.IndexFunc(m.t.catches, func(c catch) bool { return c.number == n })
	if err != nil || i < 0 {
		return fmt.Errorf("%q: no such number (see breaks)", args[0])
	}
	m.t.catches = slices.Delete(m.t.catches, i, i+1)
	return nil
}

func physicalAddresses(_ context.Context, m *monitor, args []string) error {
	switch strings.Join(args, "") {
	case "on":
		m.physical = true
	case "off":
		m.physical = false
	default:
		return fmt.Errorf("physical needs on or off")
	}
	return nil
}

// leap is where the next continue or reverse-continue goes, and what is said there.
type leap func(ctx context.Context) (a debug.Arrival, words string, err error)

func gotoTick(_ context.Context, m *monitor, args []string) error {
	tick, err := strconv.ParseUint(strings.Join(args, ""), 0, 64)
	if err != nil {
		return fmt.Errorf("goto needs a tick, a number")
	}
	m.leap(func(ctx context.Context) (debug.Arrival, string, error) {
		a, err := m.t.h.Goto(ctx, tick)
		return a, fmt.Sprintf("tick %d", a.Tick), err
	})
	return nil
}

func faultStart(_ context.Context, m *monitor, _ []string) error {
	m.leap(func(ctx context.Context) (debug.Arrival, string, error) {
		a, found, err := m.t.h.FaultStart(ctx)
		if !found {
			return a, "no handler is at work", err
		}
		return a, fmt.Sprintf("tick %d: the fault that began it", a.Tick), err
	})
	return nil
}

// leap sets where the next continue or reverse-continue goes.
func (m *monitor) leap(to leap) {
	m.t.leap = to
	fmt.Fprintln(m.w, "the next continue or reverse-continue goes there")
}

// maxSnapshots bounds how many there are. Each keeps the pages that have changed
// since; when all together keep more than the history may, no more are taken.
const maxSnapshots = 16

func snapshot(_ context.Context, m *monitor, args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("snapshot needs a name")
	}
	if _, old := m.t.snapshots[args[0]]; !old && len(m.t.snapshots) == maxSnapshots {
		return fmt.Errorf("%d snapshots are enough", maxSnapshots)
	}
	if m.t.ended {
		return fmt.Errorf("the run is over: go back a step")
	}
	kept := uint64(0)
	for _, k := range m.t.snapshots {
		kept += m.t.machine().SizeNow(k)
	}
	if kept > m.t.o.History {
		return fmt.Errorf("the snapshots keep %d MiB: more than the history may", kept>>20)
	}
	m.t.snapshots[args[0]] = m.t.machine().Moment()
	fmt.Fprintf(m.w, "%s is tick %d\n", printable(args[0]), m.t.h.Tick())
	return nil
}

func restore(_ context.Context, m *monitor, args []string) error {
	k := m.t.snapshots[strings.Join(args, "")]
	if k == nil {
		return fmt.Errorf("no such snapshot; there are: %s", printable(strings.Join(slices.Sorted(maps.Keys(m.t.snapshots)), " ")))
	}
	m.leap(func(ctx context.Context) (debug.Arrival, string, error) {
		a, err := m.t.returnTo(ctx, k)
		return a, fmt.Sprintf("tick %d, as it was", a.Tick), err
	})
	return nil
}

// returnTo goes to a moment. Where the history still leads there its past is
// kept; else, since something was changed before it, a new one begins. What came
// after it is forgotten, with the changes that were made then.
func (t *target) returnTo(ctx context.Context, k *machine.Moment) (debug.Arrival, error) {
	now := t.h.Tick()
	if k.Tick() >= t.h.Begin() && k.Tick() <= t.h.Frontier() {
		a, err := t.h.Goto(ctx, k.Tick())
		if err != nil || a.Why == debug.Cancelled {
			return a, err
		}
		if t.machine().Moment().Equal(k) {
			t.h.Intervene(func(*machine.Machine) {})
			return a, nil
		}
		if _, err := t.h.Goto(ctx, now); err != nil {
			return a, err
		}
	}
	m := t.machine()
	t.h.Close()
	m.Return(k)
	t.h, t.written = debug.NewHistory(m, t.o.History), 0
	return debug.Arrival{Tick: k.Tick(), Why: debug.AtTick}, nil
}

package gdb

import (
	"fmt"
	"slices"
	"strings"

	"x86emu/debug"
	"x86emu/mmu"
)

// This file holds where the guest shall stop: the client's own points (Z and z),
// and the events that the monitor's break command names. All are conditions of
// package debug; none of them is written into the guest's memory.

// point is what a Z packet has set.
type point struct {
	kind      byte // '0' software, '1' hardware breakpoint; '2' write, '3' read, '4' access watchpoint
	addr, len uint64
	physical  bool
}

// maxPoints bounds how many there are.
const maxPoints = 4096

// setPoint is the Z packet: KIND,ADDR,LENGTH. It may come twice for the same
// point.
func (t *target) setPoint(text string, physical bool) string {
	p, answer := parsePoint(text, physical)
	if answer != ok || slices.Contains(t.points, p) {
		return answer
	}
	if len(t.points) == maxPoints {
		return fault(fmt.Errorf("%d breakpoints are enough", maxPoints))
	}
	if err := debug.CanMeet(t.machine(), p.condition()); err != nil {
		return fault(err)
	}
	t.points = append(t.points, p)
	return ok
}

// clearPoint is the z packet.
func (t *target) clearPoint(text string, physical bool) string {
	p, answer := parsePoint(text, physical)
	if answer == ok {
		t.points = slices.DeleteFunc(t.points, func(q point) bool { return q == p })
	}
	return answer
}

// parsePoint reads the words of Z and z. What follows a semicolon are conditions
// for the stub to evaluate, which it has not offered to do.
func parsePoint(text string, physical bool) (p point, answer string) {
	kind, place, found := strings.Cut(text, ",")
	if len(kind) != 1 {
		return p, badArgument
	}
	if kind < "0" || kind > "4" {
		return p, unsupported
	}
	place, _, more := strings.Cut(place, ";")
	if more || !found {
		return p, badArgument
	}
	p.kind = kind[0]
	var err error
	if p.addr, p.len, err = addressAndLength(place); err != nil {
		return p, badArgument
	}
	if p.kind <= '1' {
		p.len = 0 // the length of the instruction that a stub would overwrite
		return p, ok
	}
	p.physical = physical
	if p.len == 0 {
		return p, badArgument
	}
	return p, ok
}

// condition is the point for package debug.
func (p *point) condition() debug.Condition {
	switch {
	case p.kind <= '1':
		return debug.AtAddress{Linear: mmu.Linear(p.addr)}
	case p.physical && p.kind == '2':
		// Devices and walks store, too.
		return debug.OnWrite{Addr: p.addr, Len: p.len, Physical: true}
	}
	return debug.OnAccess{Addr: p.addr, Physical: p.physical, Len: p.len, Read: p.kind != '2', Write: p.kind != '3'}
}

// reason is how a stop reply tells of a watchpoint. Of breakpoints it does not
// tell: gdb finds them by the pc, and where it does not (CS has a base, or gdb's
// architecture has too few bits) it would take the word swbreak for a late stop
// at a breakpoint of before, and go on.
func (p *point) reason() string {
	return fmt.Sprintf("%s:%x;", map[byte]string{'2': "watch", '3': "rwatch", '4': "awatch"}[p.kind], p.addr)
}

// conditions are those at work: watchpoints, with instructions also breakpoints,
// with events also what the monitor's break has set. One that cannot be looked for
// as the guest is (page-table entries without paging) is left out, and told.
func (t *target) conditions(instructions, events bool) []debug.Condition {
	var all []debug.Condition
	t.armed = t.armed[:0]
	for i := range t.points {
		if p := &t.points[i]; instructions || p.kind > '1' {
			all, t.armed = append(all, p.condition()), append(t.armed, p)
		}
	}
	if events {
		for _, c := range t.catches {
			if err := debug.CanMeet(t.machine(), c.Condition); err != nil {
				t.missed += fmt.Sprintf("break %d was not looked for: %v\n", c.number, err)
				continue
			}
			all, t.armed = append(all, c.Condition), append(t.armed, nil)
		}
	}
	return all
}

package session

import (
	"context"
	"fmt"
	"strings"

	"x86emu/debug"
	"x86emu/machine"
	"x86emu/mmu"
)

// Find goes through time, forward or back, to where something is: an exception
// (its name), an instruction (an address or a symbol), the use of a stale TLB entry
// ("stale", where they are watched), or else a text that the guest sends.
func (s *Session) Find(ctx context.Context, what string, forward bool) error {
	if what == findStale && s.o.Stale {
		return s.findUse(ctx, forward)
	}
	var c debug.Condition
	if v, err := Vector(what); err == nil && strings.Trim(what, "0123456789") != "" {
		c = debug.OnEvent{Vector: v}
	} else if at, err := s.Address(what); err == nil {
		c = debug.AtAddress{Linear: mmu.Linear(at)}
	}
	start, over := s.Tick(), s.over
	var err error
	switch {
	case c == nil:
		return s.findText(ctx, strings.Trim(what, `"`), forward)
	case forward:
		err = s.seek(ctx, machine.NoBudget, []debug.Condition{c}, "")
		if err == nil && s.over && s.stop != "interrupted" && !over {
			if err = s.Goto(ctx, start); err == nil {
				s.stop = fmt.Sprintf("%s: not found from here to the end", what)
			}
		}
	default:
		err = s.backTo(ctx, []debug.Condition{c}, false)
		if err == nil && s.Tick() == start {
			s.stop = fmt.Sprintf("%s: not found from here to the beginning", what)
		}
	}
	return err
}

// findText goes to where the guest has just sent a text.
func (s *Session) findText(ctx context.Context, what string, forward bool) error {
	start := s.Tick()
	tick, ok := s.serial.find([]byte(what), start, forward)
	if ok && what != "" {
		if err := s.Goto(ctx, tick); err != nil {
			return err
		}
		s.stop = fmt.Sprintf("%q was sent", what)
		return nil
	}
	if !forward || what == "" {
		s.stop = fmt.Sprintf("%q: no such symbol, and not sent before", what)
		return nil
	}
	if err := s.begin(); err != nil {
		return err
	}
	a, err := s.h.Goto(ctx, s.h.Frontier())
	if err == nil && !a.Over {
		s.serial.want, s.serial.met = []byte(what), false
		a, err = s.h.Run(ctx, machine.NoBudget)
		s.serial.want = nil
	}
	if err != nil || s.serial.met || a.Why == debug.Cancelled {
		s.serial.met = false
		return s.arrive(a, fmt.Sprintf("%q was sent", what), err)
	}
	a, err = s.h.Goto(ctx, start)
	return s.arrive(a, fmt.Sprintf("%q: no such symbol, and not sent from here to the end", what), err)
}

// Look moves what a pane looks at, without moving the machine.
type Look uint8

// The panes that can look elsewhere.
const (
	LookCode Look = iota
	LookData
	LookWalk
)

// LookAt makes a pane look at an address; nil is the present place again.
func (s *Session) LookAt(pane Look, at *uint64) {
	switch pane {
	case LookCode:
		s.codeAt = at
	case LookData:
		s.dataAt = at
	case LookWalk:
		s.walkAt = at
	}
}

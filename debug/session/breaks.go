package session

import (
	"fmt"
	"slices"

	"x86emu/debug"
	"x86emu/mmu"
)

// Break is a breakpoint: a condition at which Continue and BackContinue stop.
type Break struct {
	Number    int
	Condition debug.Condition
	Off       bool
}

// Add makes a breakpoint of a condition.
func (s *Session) Add(c debug.Condition) Break {
	s.number++
	b := Break{Number: s.number, Condition: c}
	s.breaks = append(s.breaks, b)
	return b
}

// Breaks are the breakpoints, in the order in which they were made.
func (s *Session) Breaks() []Break { return slices.Clone(s.breaks) }

// Delete removes a breakpoint.
func (s *Session) Delete(number int) error {
	i := slices.IndexFunc(s.breaks, func(b Break) bool { return b.Number == number })
	if i < 0 {
		return fmt.Errorf("no breakpoint %d", number)
	}
	s.breaks = slices.Delete(s.breaks, i, i+1)
	return nil
}

// Switch turns a breakpoint off, or on again.
func (s *Session) Switch(number int) error {
	for i := range s.breaks {
		if b := &s.breaks[i]; b.Number == number {
			b.Off = !b.Off
			return nil
		}
	}
	return fmt.Errorf("no breakpoint %d", number)
}

// Toggle sets a breakpoint at an address, or removes the one that is there.
func (s *Session) Toggle(at uint64) {
	c := debug.AtAddress{Linear: mmu.Linear(at)}
	for _, b := range s.breaks {
		if b.Condition == c {
			s.Delete(b.Number)
			return
		}
	}
	s.Add(c)
}

// active are the conditions of the breakpoints that are on, of a kind if one is
// given.
func (s *Session) active(kind func(debug.Condition) bool) []debug.Condition {
	var conds []debug.Condition
	for _, b := range s.breaks {
		if !b.Off && (kind == nil || kind(b.Condition)) {
			conds = append(conds, b.Condition)
		}
	}
	return conds
}

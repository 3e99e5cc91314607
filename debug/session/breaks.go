package session

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"x86emu/debug"
	"x86emu/idt"
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

// Condition reads a condition from words:
//
//	ADDRESS                             an instruction
//	catch VECTOR|any [code=X[/MASK]] [cr2=A[-B]]  an exception or interrupt
//	write ADDRESS [BYTES] [phys]        a store
//	change ADDRESS [BYTES] [phys]       a store that changes what is there
//	pte ADDRESS [cr3=X] [ad]            a change of the address's page-table entries
func (s *Session) Condition(words []string) (debug.Condition, error) {
	if len(words) == 0 {
		return debug.AtAddress{Linear: s.m.CPU.CodeAt()}, nil
	}
	switch kind, rest := words[0], words[1:]; kind {
	case "catch":
		return s.event(rest)
	case "write", "change":
		return s.write(rest, kind == "change")
	case "pte":
		return s.entry(rest)
	}
	if len(words) > 1 {
		return nil, fmt.Errorf("%q: one address is enough", strings.Join(words, " "))
	}
	at, err := s.Address(words[0])
	return debug.AtAddress{Linear: mmu.Linear(at)}, err
}

func (s *Session) event(words []string) (c debug.OnEvent, err error) {
	if len(words) == 0 {
		return c, fmt.Errorf("catch needs a vector, such as PF, or any")
	}
	if c.Any = words[0] == "any"; !c.Any {
		if c.Vector, err = Vector(words[0]); err != nil {
			return c, err
		}
	}
	for _, w := range words[1:] {
		name, value, _ := strings.Cut(w, "=")
		switch name {
		case "code":
			value, mask, masked := strings.Cut(value, "/")
			code, err := s.number32(value)
			c.Code, c.Mask = code, 0xffffffff
			if err == nil && masked {
				c.Mask, err = s.number32(mask)
			}
			if err != nil {
				return c, err
			}
		case "cr2":
			first, last, ranged := strings.Cut(value, "-")
			if c.First, err = s.Address(first); err != nil {
				return c, err
			}
			if c.Last = c.First; ranged {
				if c.Last, err = s.Address(last); err != nil {
					return c, err
				}
			}
			if c.Last == 0 || c.Last < c.First {
				return c, fmt.Errorf("cr2=%s is no range", value)
			}
		default:
			return c, fmt.Errorf("%q: catch knows code=X[/MASK] and cr2=A[-B]", w)
		}
	}
	return c, nil
}

func (s *Session) write(words []string, changes bool) (c debug.OnWrite, err error) {
	c.Changes, c.Len = changes, 4
	if n := len(words); n > 0 && words[n-1] == "phys" {
		c.Physical, words = true, words[:n-1]
	}
	if len(words) == 0 || len(words) > 2 {
		return c, fmt.Errorf("a watch needs ADDRESS [BYTES] [phys]")
	}
	if c.Addr, err = s.Address(words[0]); err != nil || len(words) == 1 {
		return c, err
	}
	c.Len, err = strconv.ParseUint(words[1], 0, 64)
	if err != nil || c.Len == 0 || c.Len > debug.MaxWatched {
		return c, fmt.Errorf("%q: must be a number of bytes from 1 to %d", words[1], debug.MaxWatched)
	}
	return c, nil
}

func (s *Session) entry(words []string) (c debug.OnEntry, err error) {
	if len(words) == 0 {
		return c, fmt.Errorf("pte needs an address")
	}
	at, err := s.Address(words[0])
	c.Linear = mmu.Linear(at)
	for _, w := range words[1:] {
		value, isCR3 := strings.CutPrefix(w, "cr3=")
		switch {
		case isCR3:
			var cr3 uint64
			if cr3, err = s.Address(value); err != nil {
				return c, err
			}
			c.CR3 = &cr3
		case w == "ad":
			c.Accessed = true
		default:
			return c, fmt.Errorf("%q: pte knows cr3=X and ad", w)
		}
	}
	return c, err
}

// Vector reads a vector: the letters of an exception, or a number.
func Vector(text string) (idt.Vector, error) {
	for v := range 32 {
		name := strings.TrimPrefix(idt.Vector(v).Info().Mnemonic, "#")
		if name != "" && strings.EqualFold(name, strings.TrimPrefix(text, "#")) {
			return idt.Vector(v), nil
		}
	}
	v, err := strconv.ParseUint(text, 0, 8)
	if err != nil {
		return 0, fmt.Errorf("%q: must be an exception such as PF, or a number from 0 to 255", text)
	}
	return idt.Vector(v), nil
}

func (s *Session) number32(text string) (uint32, error) {
	v, err := strconv.ParseUint(text, 0, 32)
	if err != nil {
		return 0, fmt.Errorf("%q: must be a number of at most 32 bits", text)
	}
	return uint32(v), nil
}

package session

import (
	"fmt"
	"strconv"
	"strings"

	"x86emu/debug"
	"x86emu/idt"
	"x86emu/mmu"
)

// Condition is Reader.Condition, with the registers that are shown.
func (s *Session) Condition(words []string) (debug.Condition, error) {
	return s.reader().Condition(words)
}

// Condition reads a condition from words:
//
//	ADDRESS                             an instruction
//	catch VECTOR|any [code=X[/MASK]] [cr2=A[-B]]  an exception or interrupt
//	write ADDRESS [BYTES] [phys]        a store
//	change ADDRESS [BYTES] [phys]       a store that changes what is there
//	read ADDRESS [BYTES] [phys]         a read of an address, wherever a linear one leads
//	access ADDRESS [BYTES] [phys]       a read or a store there
//	pte ADDRESS [cr3=X] [ad]            a change of the address's page-table entries
func (r *Reader) Condition(words []string) (debug.Condition, error) {
	if len(words) == 0 {
		return debug.AtAddress{Linear: r.Machine.CPU.CodeAt()}, nil
	}
	switch kind, rest := words[0], words[1:]; kind {
	case "catch":
		return r.event(rest)
	case "write", "change":
		return r.write(rest, kind == "change")
	case "read", "access":
		c, err := r.write(rest, false)
		return debug.OnAccess{Addr: c.Addr, Physical: c.Physical, Len: c.Len, Read: true, Write: kind == "access"}, err
	case "pte":
		return r.entry(rest)
	}
	if len(words) > 1 {
		return nil, fmt.Errorf("%q: one address is enough", strings.Join(words, " "))
	}
	at, err := r.Address(words[0])
	return debug.AtAddress{Linear: mmu.Linear(at)}, err
}

func (r *Reader) event(words []string) (c debug.OnEvent, err error) {
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
			code, err := number32(value)
			c.Code, c.Mask = code, 0xffffffff
			if err == nil && masked {
				c.Mask, err = number32(mask)
			}
			if err != nil {
				return c, err
			}
		case "cr2":
			first, last, ranged := strings.Cut(value, "-")
			if c.First, err = r.Address(first); err != nil {
				return c, err
			}
			if c.Last = c.First; ranged {
				if c.Last, err = r.Address(last); err != nil {
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

func (r *Reader) write(words []string, changes bool) (c debug.OnWrite, err error) {
	c.Changes, c.Len = changes, 4
	if n := len(words); n > 0 && words[n-1] == "phys" {
		c.Physical, words = true, words[:n-1]
	}
	if len(words) == 0 || len(words) > 2 {
		return c, fmt.Errorf("a watch needs ADDRESS [BYTES] [phys]")
	}
	if c.Addr, err = r.Address(words[0]); err != nil || len(words) == 1 {
		return c, err
	}
	c.Len, err = strconv.ParseUint(words[1], 0, 64)
	if err != nil || c.Len == 0 || c.Len > debug.MaxWatched {
		return c, fmt.Errorf("%q: must be a number of bytes from 1 to %d", words[1], debug.MaxWatched)
	}
	return c, nil
}

func (r *Reader) entry(words []string) (c debug.OnEntry, err error) {
	if len(words) == 0 {
		return c, fmt.Errorf("pte needs an address")
	}
	at, err := r.Address(words[0])
	c.Linear = mmu.Linear(at)
	for _, w := range words[1:] {
		value, isCR3 := strings.CutPrefix(w, "cr3=")
		switch {
		case isCR3:
			var cr3 uint64
			if cr3, err = r.Address(value); err != nil {
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

func number32(text string) (uint32, error) {
	v, err := strconv.ParseUint(text, 0, 32)
	if err != nil {
		return 0, fmt.Errorf("%q: must be a number of at most 32 bits", text)
	}
	return uint32(v), nil
}

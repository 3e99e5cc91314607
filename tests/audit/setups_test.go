package audit_test

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"x86emu/diff"
)

// setup is a machine whose tables are broken in some ways, and an event that is
// about to come. Every handler that can be reached is a collector.
type setup struct {
	*rand.Rand
	c     *diff.Case
	w     *diff.World
	long  bool
	outer bool // the event comes at CPL 3
	rules []string
}

// newSetup makes the set-up of a number. It is a delivery case of package diff,
// so that its oracles can be asked as well.
func newSetup(seed, n uint64) *diff.Case {
	s := &setup{Rand: diff.Rand(seed, n), c: &diff.Case{ID: fmt.Sprintf("audit/%d/%d", seed, n), Kind: diff.Delivery, Model: "max", World: "sys32"}}
	if s.IntN(2) == 0 {
		s.c.World, s.long = "sys64", true
	}
	var err error
	if s.w, err = diff.WorldByName(s.c.World); err != nil {
		panic("BUG: " + err.Error())
	}
	s.c.Regs = s.w.Regs
	if s.outer = s.IntN(3) > 0; s.outer {
		r := &s.c.Regs
		r.Seg = [6]uint16{diff.Sys32Data3, diff.Sys32Code3, diff.Sys32Data3, diff.Sys32Data3, diff.Sys32Data3, diff.Sys32Data3}
		r.RIP, r.GPR[4] = linear(diff.SysCode3), linear(diff.SysStack3)+0x800
		s.say("cpl3")
	}
	v := s.cause()
	// Without a stack of its own a double fault mostly ends in shutdown.
	if s.IntN(4) > 0 {
		s.gate(8, 6)
	}
	// A page-fault handler that cannot be fetched is what most stories are about,
	// one of a double fault too, and what interrupt stacks make of both.
	switch s.IntN(8) {
	case 0, 1, 2:
		s.gate(14, 3)
	case 3:
		s.gate(14, 3)
		s.gate(8, 3)
	case 4:
		s.gate(14, 9)
	case 5:
		s.gate(14, 3)
		s.gate(8, 9)
	}
	for range s.IntN(4) {
		s.damage(v)
	}
	s.c.Rule = strings.Join(s.rules, ", ")
	return s.c
}

func linear(o diff.Offset) uint64 { return diff.SysLinear + uint64(o) }

func (s *setup) say(format string, args ...any) {
	s.rules = append(s.rules, fmt.Sprintf(format, args...))
}

func pick[T any](s *setup, of ...T) T { return of[s.IntN(len(of))] }

// cause is the instruction that raises the event; it returns the vector.
func (s *setup) cause() uint8 {
	s.c.Event = &diff.Event{How: diff.ByFault}
	e := s.c.Event
	switch s.IntN(8) {
	case 0:
		s.say("#UD")
		e.Vector, s.c.Code = 6, []byte{0x0f, 0x0b}
	case 1:
		s.say("#DE")
		s.c.Regs.GPR[1] = 0
		e.Vector, s.c.Code = 0, []byte{0xf7, 0xf1}
	case 2:
		e.How, e.Vector = diff.ByINT, 0x40
		s.say("INT 0x40")
		s.c.Code = []byte{0xcd, 0x40}
	default:
		s.say("#PF")
		at := linear(diff.SysStack0 - diff.PageSize)
		e.Vector, e.CR2, e.Error = 14, at, 2
		if s.outer {
			e.Error |= 4
		}
		a := []byte{byte(at), byte(at >> 8), byte(at >> 16), byte(at >> 24)}
		s.c.Code = append([]byte{0x89, 0x05}, a...)
		if s.long {
			s.c.Code = append([]byte{0x89, 0x04, 0x25}, a...)
		}
	}
	return e.Vector
}

// put writes n bytes of a word into the arena.
func (s *setup) put(at diff.Offset, n int, v uint64) {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(v >> (8 * i))
	}
	s.c.Patches = append(s.c.Patches, diff.Patch{At: at, Bytes: b})
}

// nowhere are linear addresses where nothing is mapped: beside a page of the
// world's, far away, and in IA-32e mode not canonical.
func (s *setup) nowhere() uint64 {
	all := []uint64{linear(diff.SysStack1 + diff.PageSize), 0x7f400000, linear(diff.SysIST + diff.PageSize)}
	if s.long {
		all = append(all, 0x0000_7f00_0000_0000, 0xffff_c900_0000_0000, 0x0000_8000_0000_0000)
	}
	return pick(s, all...)
}

// stack is the top of some stack: with room, with little, with none, crooked.
func (s *setup) stack() uint64 {
	base := linear(pick(s, diff.SysStack0, diff.SysStack1, diff.SysTaskStack))
	return pick(s, base+0x1000, base+0x800, base+0x40, base+0x18, base+4, base, base+0x7f3, s.nowhere()+0x800, 0)
}

// damage breaks one thing, mostly of what the event's delivery, a page fault's or
// a double fault's will look at.
func (s *setup) damage(v uint8) {
	of := pick(s, v, v, 14, 14, 8, 8, 13, 10, 11, 12)
	switch s.IntN(9) {
	case 0, 1, 2:
		s.gate(of, s.IntN(9))
	case 3:
		s.innerStack()
	case 4:
		s.task()
	case 5:
		s.limits()
	case 6:
		s.page()
	case 7:
		s.segment()
	case 8:
		if !s.outer {
			sp := s.stack()
			s.c.Regs.GPR[4] = sp
			s.say("SP=%#x", sp)
		} else {
			s.innerStack()
		}
	}
}

// gate breaks a gate of the IDT.
func (s *setup) gate(v uint8, how int) {
	size := diff.Offset(8)
	if s.long {
		size = 16
	}
	at := diff.SysIDT + size*diff.Offset(v)
	offset, access, sel, count := diff.Collector(v), uint8(diff.AccessInt), uint16(diff.CollectorCS), uint8(0)
	if v >= 32 {
		access |= 3 << 5
	}
	switch how {
	case 0:
		access &^= 0x80
	case 1:
		access = 0x80 | uint8(s.IntN(0x20))
		if access&0x1f == diff.AccessTaskGate&0x1f && !s.long {
			sel = diff.Sys32Task + 8*uint16(v)
		} else if !s.long && access&0xf&^9 == 6 {
			access |= 8 // a 16-bit gate would lead elsewhere
		}
	case 2:
		sel = pick(s, uint16(0), 3, diff.CollectorDS, diff.SysBeyond, diff.SysLDTBeyond, s.c.Regs.TR, s.c.Regs.LDTR, diff.Sys64Compat0, diff.Sys32Code3&^3, diff.Sys32Conf0)
	case 3, 4, 5:
		offset = s.nowhere()
	case 6, 7:
		if s.long {
			count = uint8(1 + s.IntN(7))
		} else {
			access, sel = diff.AccessTaskGate, diff.Sys32Task+8*uint16(v)
		}
	case 8:
		access &^= 3 << 5
	case 9: // nowhere, and on a stack of its own
		offset = s.nowhere()
		if s.long {
			count = uint8(1 + s.IntN(7))
		}
	}
	s.say("gate %d: access %#x selector %#x count %d offset %#x", v, access, sel, count, offset)
	s.put(at, 8, diff.GateDescriptor(sel, offset, access, count))
	if s.long {
		s.put(at+8, 8, offset>>32)
	}
}

// innerStack breaks a stack of the current TSS.
func (s *setup) innerStack() {
	sp := s.stack()
	if s.long {
		n := s.IntN(8)
		at := diff.SysTSS + 4
		if n > 0 {
			at = diff.SysTSS + 28 + diff.Offset(8*n)
		}
		s.say("stack %d of the TSS = %#x", n, sp)
		s.put(at, 8, sp)
		return
	}
	if s.IntN(3) == 0 {
		ss := pick(s, uint64(0), diff.CollectorCS, diff.Sys32Data3, diff.SysBeyond, diff.Sys32Data1)
		s.say("SS0 = %#x", ss)
		s.put(diff.SysTSS+8, 2, ss)
		return
	}
	s.say("ESP0 = %#x", sp)
	s.put(diff.SysTSS+4, 4, sp)
}

// task breaks the task of an exception, in IA-32e mode the interrupt stacks.
func (s *setup) task() {
	if s.long {
		s.innerStack()
		return
	}
	v := pick(s, uint8(8), 8, 14, 13)
	at := diff.SysTasks + diff.SysTaskSize*diff.Offset(v)
	d := diff.SysGDT + diff.Sys32Task + 8*diff.Offset(v)
	switch n := s.IntN(9); n {
	case 0:
		s.put(d+5, 1, diff.AccessBusy)
	case 1:
		s.put(d+5, 1, diff.AccessTSS&^0x80)
	case 2:
		s.put(d, 2, uint64(pick(s, 0x66, 0x2b, 0)))
	case 3:
		s.put(d+2, 2, s.Uint64()) // elsewhere, mapped or not
	case 4, 5:
		s.put(at+32, 4, s.nowhere())
	case 6:
		s.put(at+56, 4, s.stack())
	case 7:
		s.put(at+76, 2, uint64(pick(s, 0, diff.CollectorDS, diff.SysBeyond, diff.Sys32Code3)))
	case 8:
		s.put(at+80, 2, uint64(pick(s, 0, diff.CollectorCS, diff.SysBeyond, diff.Sys32Data3)))
	}
	s.say("task %d broken", v)
}

// limits cuts the IDT or the TSS short.
func (s *setup) limits() {
	if s.IntN(2) == 0 {
		s.c.Regs.IDTR.Limit = uint16(s.IntN(0x100))
		s.say("IDT limit %#x", s.c.Regs.IDTR.Limit)
		return
	}
	limit := uint64(pick(s, 3, 7, 0xb, 0x23, 0x2b, 0x40))
	s.say("TSS limit %#x", limit)
	s.put(diff.SysGDT+diff.Offset(s.c.Regs.TR&^7), 2, limit)
}

// page takes rights from a page that a delivery needs, or the page.
func (s *setup) page() {
	p := pick(s, diff.SysStack0, diff.SysStack0, diff.SysIST, diff.SysTSS, diff.SysTasks, diff.SysTaskStack, diff.SysIDT)
	at := s.w.SysPTE(p)
	e := uint64(p.Phys()) | 0x63
	switch s.IntN(4) {
	case 0:
		e &^= 2
	case 1:
		if s.long {
			e |= 1 << 50 // reserved
		} else {
			e |= 4
		}
	default:
		e &^= 1
	}
	if p == diff.SysTSS && e&2 == 0 {
		e |= 2 // whoever begins the case makes it busy
	}
	s.say("page %#x: entry %#x", p, e)
	if s.long {
		s.put(at, 8, e)
	} else {
		s.put(at, 4, e)
	}
}

// segment breaks the code segment of a gate: a descriptor of the set-up's own.
func (s *setup) segment() {
	const own = diff.Sys64Own + 0x10
	access, flags := uint8(diff.AccessCode), uint8(diff.Flags4G)
	if s.long {
		flags = diff.Flags4G64
	}
	limit := uint32(0xfffff)
	switch s.IntN(6) {
	case 0:
		access &^= 0x80
	case 1:
		access |= 3 << 5
	case 2:
		flags = diff.Flags32 // of 16 bits, it would run a collector as what that is not
		limit = 0xffff
	case 3:
		access = diff.AccessData
	case 4:
		access &^= 1 // not accessed yet
	case 5:
		flags = diff.Flags4G
	}
	v := pick(s, s.c.Event.Vector, 14, 8)
	s.say("gate %d: segment access %#x flags %#x", v, access, flags)
	s.put(diff.SysGDT+own, 8, diff.SegmentDescriptor(0, limit, access, flags))
	size := diff.Offset(8)
	if s.long {
		size = 16
	}
	s.put(diff.SysIDT+size*diff.Offset(v)+2, 2, own)
}

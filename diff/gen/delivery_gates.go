package gen

import "x86emu/diff"

// cause puts code into the case that raises an event, and returns its vector.
func (g *delivery) cause() uint8 {
	r, e := &g.c.Regs, g.c.Event
	fault := func(v uint8, err uint32, code ...byte) uint8 {
		e.How, e.Vector, e.Error, g.c.Code = diff.ByFault, v, err, code
		return v
	}
	for {
		switch g.IntN(14) {
		case 0, 1, 2, 3:
			v := uint8(0x40 + g.IntN(0x20))
			if g.chance(15) {
				v = uint8(g.IntN(32)) // as an exception's, but without its error code
			}
			if g.level == vm86 && r.RFLAGS>>12&3 != 3 {
				g.say("INT n in vm86 with iopl0")
				return fault(13, 0, 0xcd, v)
			}
			g.say("INT n")
			e.How, e.Vector, g.c.Code = diff.ByINT, v, []byte{0xcd, v}
			return v
		case 4:
			g.say("INT3")
			e.How, g.c.Code = diff.ByINT3, []byte{0xcc}
			return 3
		case 5:
			if g.mode64() {
				continue
			}
			g.say("INTO")
			r.RFLAGS |= 1 << 11
			e.How, g.c.Code = diff.ByINTO, []byte{0xce}
			return 4
		case 6:
			if g.chance(60) {
				continue
			}
			g.say("INT1")
			e.How, g.c.Code = diff.ByICEBP, []byte{0xf1}
			return 1
		case 7:
			g.say("#UD")
			return fault(6, 0, 0x0f, 0x0b)
		case 8:
			g.say("#DE")
			r.GPR[1] = 0
			return fault(0, 0, 0xf7, 0xf1)
		case 9:
			if g.level == vm86 || g.level.cpl() == 3 && g.chance(50) {
				if g.level == vm86 && r.RFLAGS>>12&3 != 3 || g.level != vm86 {
					g.say("#GP(0)")
					return fault(13, 0, 0xf4)
				}
				continue
			}
			g.say("#GP")
			r.GPR[0] = diff.SysBeyond | g.Uint64()&7
			return fault(13, uint32(r.GPR[0])&^3, 0x8e, 0xd8)
		case 10:
			if g.level == vm86 {
				continue
			}
			g.say("#NP")
			sel := g.descriptor(diff.SegmentDescriptor(0, 0xfffff, 0x73, diff.Flags4G), 0)
			r.GPR[0] = uint64(sel) | g.Uint64()&3
			return fault(11, uint32(sel), 0x8e, 0xd8)
		case 11:
			if g.level == vm86 {
				continue
			}
			g.say("#SS")
			cpl := g.level.cpl()
			sel := g.descriptor(diff.SegmentDescriptor(0, 0xfffff, 0x13|uint8(cpl)<<5, diff.Flags4G), 0)
			r.GPR[0] = uint64(sel) | uint64(cpl)
			return fault(12, uint32(sel), 0x8e, 0xd0)
		case 12:
			if v, ok := g.causePF(fault); ok {
				return v
			}
		case 13:
			if g.long || g.level == vm86 {
				continue
			}
			g.say("#BR")
			g.put(diff.SysData, 8, 2<<32|1) // from 1 to 2
			r.GPR[0] = 3 + g.Uint64()&0xff
			return fault(5, 0, 0x62, 0x05, 0, byte(linear(diff.SysData)>>8), byte(linear(diff.SysData)>>16), byte(linear(diff.SysData)>>24))
		}
	}
}

// causePF is a load or store that page faults.
func (g *delivery) causePF(fault func(v uint8, err uint32, code ...byte) uint8) (uint8, bool) {
	e := g.c.Event
	if g.level == vm86 {
		g.say("#PF")
		e.CR2 = 0x12000 + 0x10
		return fault(14, 4, 0xa1, 0x10, 0), true
	}
	at := linear(diff.SysStack0 - diff.PageSize + diff.Offset(g.IntN(0x200)*8))
	var err uint32
	if g.level.cpl() == 3 {
		err = 4
		if g.chance(50) {
			at, err = linear(diff.SysStack0+0x10), 5
		}
	}
	op := byte(0x8b)
	if g.chance(40) {
		op, err = 0x89, err|2
	}
	g.say("#PF")
	e.CR2 = at
	a := []byte{byte(at), byte(at >> 8), byte(at >> 16), byte(at >> 24)}
	if g.mode64() {
		return fault(14, err, append([]byte{op, 0x04, 0x25}, a...)...), true
	}
	return fault(14, err, append([]byte{op, 0x05}, a...)...), true
}

// viaGate is an event whose gate, code segment or stack is broken in up to two ways.
func (g *delivery) viaGate() {
	v := g.cause()
	if g.chance(98) {
		g.rescue(v)
	}
	switch n := g.IntN(10); {
	case n == 0:
	case n < 4:
		g.breakGate(v)
	case n < 6:
		g.goodGate(v)
		g.breakStack(v)
	default:
		g.breakGate(v)
		g.breakStack(v)
	}
}

// code chooses a code selector for a transfer, from a table of good and bad ones. It is for code whose offset
// is that of flat segments.
func (g *delivery) code() uint16 {
	rpl := uint16(0)
	if g.chance(15) {
		rpl = uint16(g.IntN(4))
	}
	own := func(access, flags uint8, limit uint32) uint16 {
		return g.descriptor(diff.SegmentDescriptor(0, limit, access, flags), g.highHalf()) | rpl
	}
	flat := uint8(diff.Flags4G)
	if g.long {
		flat = diff.Flags4G64
	}
	dpl := uint8(g.IntN(4)) << 5
	named := func(name string, s uint16) uint16 {
		g.say("code %s", name)
		return s
	}
	switch g.IntN(22) {
	case 0:
		return named("null", uint16(g.IntN(4)))
	case 1:
		return named("beyond", diff.SysBeyond|rpl)
	case 2:
		return named("data", diff.CollectorDS|rpl)
	case 3:
		return named("TSS", choose[uint16](g, diff.Sys32TSS, diff.Sys32LDT)|rpl)
	case 4:
		return named("dpl3", diff.Sys32Code3&^3|rpl)
	case 5:
		return named("dpl1", choose[uint16](g, diff.Sys32Code1, diff.Sys64Code1)&^3|rpl)
	case 6:
		return named("rpl", diff.CollectorCS|uint16(g.IntN(4)))
	case 7, 8:
		if g.long {
			return named("conforming", choose[uint16](g, diff.Sys64Conf0, diff.Sys64Conf3&^3)|rpl)
		}
		return named("conforming", choose[uint16](g, diff.Sys32Conf0, diff.Sys32Conf3&^3)|rpl)
	case 9:
		return named("LDT", diff.SysLDTCode0|rpl)
	case 10:
		return named("LDT data", diff.SysLDTData0|rpl)
	case 11:
		return named("LDT beyond", diff.SysLDTBeyond|rpl)
	case 12:
		return named("absent", own(diff.AccessCode&^0x80|dpl, flat, 0xfffff))
	case 13:
		return named("absent data", own(diff.AccessData&^0x80|dpl, flat, 0xfffff))
	case 14:
		return named("not accessed", own(diff.AccessCode&^1, flat, 0xfffff))
	case 15:
		return named("limit", own(diff.AccessCode, flat&^diff.FlagsPage, choose[uint32](g, 0, 0xffff, 0xfffff)))
	case 16:
		if g.long {
			return named("compat", own(diff.AccessCode|dpl, diff.Flags4G, 0xfffff))
		}
		return named("execute-only", own(0x99|dpl, flat, 0xfffff))
	case 17:
		return named("L and D", own(diff.AccessCode|dpl, flat|diff.FlagsLong|diff.Flags32, 0xfffff))
	case 18:
		return named("level", own(diff.AccessCode|dpl, flat, 0xfffff))
	case 19:
		return named("random", own(uint8(g.Uint32())|0x80, flat, 0xfffff))
	case 20:
		if g.chance(30) {
			g.unmap(diff.SysLDT)
			return named("LDT page", diff.SysLDTCode0|rpl)
		}
	}
	return named("good", diff.CollectorCS)
}

// highHalf is the upper half of a descriptor of 16 bytes, which segments have not.
func (g *delivery) highHalf() uint64 {
	if g.chance(90) {
		return 0
	}
	return g.Uint64()
}

// goodGate is a gate of another kind, or none other.
func (g *delivery) goodGate(v uint8) {
	access := choose[uint8](g, diff.AccessInt, diff.AccessTrap) | 3<<5
	switch g.IntN(5) {
	case 0:
		g.setGate(v, diff.CollectorCS, diff.Collector(v), access, 0)
	case 1:
		if g.long {
			g.setGate(v, diff.CollectorCS, diff.Collector(v), access, uint8(1+g.IntN(7)))
			g.say("IST")
			return
		}
		g.setGate(v, diff.Sys32Code16, uint64(diff.CollectorSize)*uint64(v), access&^8, 0)
		g.say("16-bit gate")
	case 2:
		if !g.long && v != 13 {
			g.setGate(v, diff.Sys32Code1&^3, diff.Collector(v), access, 0)
			g.say("to dpl1")
		}
	}
}

// breakGate replaces the gate of a vector by one that is broken, or odd, in one way.
func (g *delivery) breakGate(v uint8) {
	access, sel, offset, count := uint8(diff.AccessInt|3<<5), uint16(diff.CollectorCS), diff.Collector(v), uint8(0)
	switch g.IntN(12) {
	case 0:
		access = access&^0x1f | uint8(g.IntN(32))
		g.say("gate type %x", access&31)
		if access&31 == 5 && !g.long {
			sel = diff.Sys32Task + 8*uint16(v&31)
		}
		if access&0x17 == 6 && !g.long && g.chance(70) {
			sel, offset = diff.Sys32Code16, uint64(diff.CollectorSize)*uint64(v)
		}
	case 1:
		access &^= 0x80
		g.say("gate absent")
	case 2:
		access = access&^0x60 | uint8(g.IntN(4))<<5
		g.say("gate dpl%d", access>>5&3)
	case 3, 4, 5, 6, 7:
		sel = g.code()
	case 8:
		if !g.long {
			g.taskGate(v)
			return
		}
		offset |= choose[uint64](g, 1<<47, 1<<63, 0xffff8<<44)
		g.say("gate offset %x", offset)
	case 9:
		if v <= 14 {
			g.breakGate(v)
			return
		}
		g.c.Regs.IDTR.Limit = uint16(g.idtGate(v)-diff.SysIDT) + uint16(choose(g, 0, 3, 6, 7, 8, 14, 15)) - uint16(g.IntN(2)*8)
		g.say("IDT limit")
	case 10:
		if g.long {
			count = uint8(g.IntN(8)) | uint8(g.IntN(2))<<3
			g.say("IST %x", count)
			break
		}
		sel, access, offset = diff.Sys32Code16, access&^8|uint8(g.IntN(2)), uint64(diff.CollectorSize)*uint64(v)
		if g.chance(50) {
			offset |= g.Uint64() & 0xffff0000
			g.say("16-bit gate, high word")
		} else {
			g.say("16-bit gate")
		}
	case 11:
		access |= 1
		g.say("trap gate")
	}
	g.setGate(v, sel, offset, access, count)
	if g.long && g.chance(5) {
		g.put(g.idtGate(v)+12, 4, g.Uint64())
		g.say("gate's last word")
	}
}

// taskGate makes a task gate, good or bad (sys32).
func (g *delivery) taskGate(v uint8) {
	access := uint8(diff.AccessTaskGate | 3<<5)
	if g.chance(10) {
		access &^= choose[uint8](g, 0x80, 0x60)
	}
	sel := g.taskSelector(v & 31)
	g.say("task gate")
	g.setGate(v, sel, g.Uint64(), access, 0)
}

// breakStack does something to the stack that an event would use.
func (g *delivery) breakStack(v uint8) {
	if g.level.cpl() == 0 {
		g.breakCurrentStack()
		return
	}
	if g.long {
		g.breakRSP(v)
		return
	}
	g.breakInnerStack(v)
}

// edges are stack pointers near the lower end of a stack's page, under which nothing is mapped.
func (g *delivery) edge(page diff.Offset) uint64 {
	return linear(page) + uint64(4*g.IntN(14)) + uint64(choose(g, 0, 0, 0, 2, 1))
}

// breakInnerStack changes SS0:ESP0 in the 32-bit TSS, or the TSS.
func (g *delivery) breakInnerStack(v uint8) {
	own := func(access, flags uint8, base uint64, limit uint32) uint16 {
		return g.descriptor(diff.SegmentDescriptor(base, limit, access, flags), 0)
	}
	ss, esp := uint16(diff.CollectorDS), linear(diff.SysStack0)+0xf00
	switch g.IntN(18) {
	case 0:
		ss = uint16(g.IntN(4))
		g.say("SS0 null")
	case 1:
		ss |= uint16(1 + g.IntN(3))
		g.say("SS0 rpl")
	case 2:
		ss = choose[uint16](g, diff.Sys32Data3, diff.Sys32Data3&^3, diff.Sys32Data1&^3)
		g.say("SS0 dpl")
	case 3:
		ss = own(choose[uint8](g, 0x90, 0x91, 0x94, 0x95), diff.Flags4G, 0, 0xfffff)
		g.say("SS0 read-only")
	case 4:
		ss = own(0x13, diff.Flags4G, 0, 0xfffff)
		g.say("SS0 absent")
	case 5:
		ss = choose[uint16](g, diff.SysBeyond, diff.SysLDTBeyond)
		g.say("SS0 beyond")
	case 6:
		ss = own(0x92, diff.Flags4G, 0, 0xfffff)
		g.say("SS0 not accessed")
	case 7:
		ss = choose[uint16](g, diff.CollectorCS, diff.Sys32TSS, diff.Sys32LDT)
		g.say("SS0 no data")
	case 8:
		ss = diff.SysLDTData0
		g.say("SS0 in LDT")
	case 9:
		ss = own(uint8(g.Uint32())|0x80, diff.Flags4G, 0, 0xfffff)
		g.say("SS0 random")
	case 10, 11:
		esp = g.edge(diff.SysStack0)
		g.say("ESP0 near the page's end")
	case 12:
		limit := 0x800 - uint32(g.IntN(4)) + uint32(g.IntN(2)*40)
		ss, esp = own(diff.AccessData, choose[uint8](g, diff.Flags32, 0), linear(diff.SysStack0), limit), 0x800
		g.say("SS0 limit")
	case 13:
		ss, esp = own(0x97, choose[uint8](g, diff.Flags32, 0), linear(diff.SysStack0), 0x7ff), 0x800+uint64(2*g.IntN(20))
		g.say("SS0 expand-down")
	case 14:
		ss, esp = own(diff.AccessData, 0, linear(diff.SysStack0), 0xfff), g.Uint64()<<16|choose[uint64](g, 0x800, 0x800, 8, 0, 12)
		g.say("SS0 of 16 bits")
	case 15:
		ss, esp = own(diff.AccessData, diff.Flags32, linear(diff.SysStack0), 0xfff), uint64(g.IntN(48))
		g.say("SS0 small ESP0")
	case 16:
		g.tss16(ss, esp)
		return
	case 17:
		// The stack of CPL 1 lies behind that of CPL 0.
		g.put(diff.SysGDT+diff.Sys32TSS, 8, diff.SegmentDescriptor(linear(diff.SysTSS), 9+uint32(g.IntN(11)), diff.AccessBusy, 0))
		g.noRescue(v)
		g.setGate(v, diff.Sys32Code1&^3, diff.Collector(v), diff.AccessInt|3<<5, 0)
		g.say("TSS limit")
	}
	g.put(diff.SysTSS+4, 8, uint64(ss)<<32|esp&0xffffffff)
}

// tss16 makes the current TSS one of 16 bits.
func (g *delivery) tss16(ss uint16, esp uint64) {
	limit := uint32(43)
	if g.chance(30) {
		limit = 3 + uint32(g.IntN(10))
	}
	stack := g.descriptor(diff.SegmentDescriptor(linear(diff.SysStack0), 0xffff, diff.AccessData, choose[uint8](g, 0, diff.Flags32)), 0)
	g.put(diff.SysGDT+diff.Sys32TSS, 8, diff.SegmentDescriptor(linear(diff.SysTSS), limit, diff.AccessTSS16|2, 0))
	g.put(diff.SysTSS+2, 4, 0x800|uint64(stack)<<16)
	g.put(diff.SysTSS+6, 4, 0x800|uint64(choose(g, diff.Sys32Data1, stack|1))<<16)
	g.say("16-bit TSS")
}

// breakRSP changes a stack pointer of the 64-bit TSS, or the TSS.
func (g *delivery) breakRSP(v uint8) {
	at := diff.SysTSS + 4
	if g.chance(30) {
		at = diff.SysTSS + 36 + diff.Offset(8*g.IntN(7))
	}
	switch g.IntN(6) {
	case 0:
		g.put(at, 8, g.edge(diff.SysStack0))
		g.say("RSP0 near the page's end")
	case 1:
		g.put(at, 8, choose[uint64](g, 1<<47, 1<<63, 0x8000_0000_0000_1000, 0xffff_7fff_ffff_ffff, 0x7fff_0000_0000_0000|1<<48))
		g.say("RSP0 not canonical")
	case 2:
		g.put(at, 8, choose[uint64](g, 1<<47, 0xffff_8000_0000_0000, 0xffff_8000_0000_0000+8*uint64(g.IntN(9)), 0))
		g.say("RSP0 at the hole")
	case 3, 4:
		g.put(at, 8, linear(diff.SysStack0)+0x800+uint64(g.IntN(17)))
		g.say("RSP0 alignment")
	case 5:
		g.put(diff.SysGDT+diff.Sys64TSS, 8, diff.SegmentDescriptor(linear(diff.SysTSS), choose[uint32](g, 11, 12, 18, 19, 35, 42, 43, 90, 91, 99, 103), diff.AccessBusy, 0))
		g.noRescue(v)
		if g.chance(50) {
			g.setGate(v, diff.CollectorCS, diff.Collector(v), diff.AccessInt|3<<5, uint8(1+g.IntN(7)))
		} else {
			g.setGate(v, diff.Sys64Code1&^3, diff.Collector(v), diff.AccessInt|3<<5, 0)
		}
		g.say("TSS limit")
	}
}

// breakCurrentStack makes the stack that the case starts with a bad one (CPL 0).
func (g *delivery) breakCurrentStack() {
	r := &g.c.Regs
	stack := func(access, flags uint8, limit uint32) {
		r.Seg[2] = g.descriptor(diff.SegmentDescriptor(linear(diff.SysStack0), limit, access, flags), 0)
	}
	small := choose[uint8](g, diff.Flags32, 0)
	if g.long {
		small = diff.Flags32 // the IRET that begins a case loads no upper half of ESP with a 16-bit stack
	}
	switch {
	case g.mode64():
		switch g.IntN(4) {
		case 0, 1:
			r.GPR[4] = g.edge(diff.SysStack0)
			g.say("RSP near the page's end")
		case 2:
			r.GPR[4] = choose[uint64](g, 1<<47, 1<<63, 0xffff_7fff_ffff_ffff, 0xffff_8000_0000_0000, 0xffff_8000_0000_0000+8*uint64(g.IntN(9)))
			g.say("RSP at the hole")
		case 3:
			r.GPR[4] = linear(diff.SysStack0) + 0x800 + uint64(g.IntN(17))
			g.say("RSP alignment")
		}
	case g.IntN(3) == 0:
		r.GPR[4] = g.edge(diff.SysStack0)
		g.say("ESP near the page's end")
	case g.IntN(3) == 0:
		r.GPR[4] = 0x800 + uint64(2*g.IntN(16))
		stack(0x97, small, 0x7ff)
		g.say("SS expand-down")
	case g.IntN(2) == 0:
		r.GPR[4] = uint64(g.IntN(40))
		stack(diff.AccessData, small, 0xfff)
		g.say("SS, small ESP")
	default:
		r.GPR[4] = 0x800
		stack(diff.AccessData, small, 0x7f0+uint32(g.IntN(20)))
		g.say("SS limit")
	}
}

// second is a way in which the delivery of a vector meets a second fault.
type second struct {
	name   string
	vector uint8 // of that fault
	stack  bool  // it is the inner stack's, in the 32-bit world
	do     func(g *delivery, v uint8)
}

// seconds are the ways in which the delivery of a vector meets a second fault, and that fault.
var seconds = []second{
	{"#GP of the gate's type", 13, false, func(g *delivery, v uint8) { g.setGate(v, diff.CollectorCS, diff.Collector(v), 0xea, 0) }},
	{"#NP of the gate", 11, false, func(g *delivery, v uint8) { g.setGate(v, diff.CollectorCS, diff.Collector(v), 0x6e, 0) }},
	{"#GP(0) of null code", 13, false, func(g *delivery, v uint8) { g.setGate(v, 0, diff.Collector(v), 0xee, 0) }},
	{"#GP of data for code", 13, false, func(g *delivery, v uint8) { g.setGate(v, diff.CollectorDS, diff.Collector(v), 0xee, 0) }},
	{"#NP of the code", 11, false, func(g *delivery, v uint8) {
		g.setGate(v, g.descriptor(diff.SegmentDescriptor(0, 0xfffff, 0x1b, diff.Flags4G64), 0), diff.Collector(v), 0xee, 0)
	}},
	{"#PF of the LDT", 14, false, func(g *delivery, v uint8) {
		g.unmap(diff.SysLDT)
		g.setGate(v, diff.SysLDTCode0, diff.Collector(v), 0xee, 0)
	}},
	{"#TS of null SS0", 10, true, func(g *delivery, v uint8) { g.put(diff.SysTSS+8, 4, 0) }},
	{"#SS of absent SS0", 12, true, func(g *delivery, v uint8) {
		g.put(diff.SysTSS+8, 4, uint64(g.descriptor(diff.SegmentDescriptor(0, 0xfffff, 0x13, diff.Flags4G), 0)))
	}},
	{"#PF of ESP0", 14, true, func(g *delivery, v uint8) { g.put(diff.SysTSS+4, 4, linear(diff.SysStack0)+4) }},
	{"#GP(0) of the offset", 13, false, func(g *delivery, v uint8) {
		if g.long {
			g.setGate(v, diff.CollectorCS, 1<<47|diff.Collector(v), 0xee, 0)
			return
		}
		g.setGate(v, g.descriptor(diff.SegmentDescriptor(0, 0xffff, diff.AccessCode, diff.Flags32), 0), diff.Collector(v), 0xee, 0)
	}},
}

// firsts are the events that cause makes.
var firsts = []string{
	"INT n", "INT n in vm86 with iopl0", "INT3", "INTO", "INT1", "#UD", "#DE", "#BR", "#NP", "#SS", "#GP", "#GP(0)", "#PF",
}

func pairRule(first, second string) string { return first + " + " + second }

// Rules are the pairs of a first event and a second fault. (The other parts of rules are counted as they come.)
func (Delivery) Rules() (rules []string) {
	for _, second := range seconds {
		for _, first := range firsts {
			rules = append(rules, pairRule(first, second.name))
		}
		for _, first := range seconds {
			rules = append(rules, pairRule(first.name, second.name))
		}
	}
	return rules
}

// pair is a first event whose delivery meets a second fault, and with some luck a third.
func (g *delivery) pair(first string, s *second) {
	var v uint8
	for met := ""; met != first || s.stack && g.level.cpl() == 0; met = g.rules[len(g.rules)-1] {
		g.start(g.pickLevel())
		v = g.cause()
	}
	if g.chance(98) {
		g.rescue(v)
	}
	g.say("%s", pairRule(first, s.name))
	s.do(g, v)
	for range g.IntN(10) / 6 {
		third := &seconds[g.IntN(len(seconds))]
		if third.stack && (g.long || g.level.cpl() == 0) {
			continue
		}
		g.say("%s", pairRule(s.name, third.name))
		third.do(g, s.vector)
	}
}

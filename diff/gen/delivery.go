package gen

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"x86emu/diff"
)

// Delivery makes cases of deliveries, returns, far transfers and segment loads.
type Delivery struct{}

// NewDelivery makes the generator "delivery".
func NewDelivery() Delivery { return Delivery{} }

// Name is "delivery".
func (Delivery) Name() string { return "delivery" }

// About says what the cases are about.
func (Delivery) About() string {
	return "events, pairs of faults, IRET, RETF, far JMP and CALL, task switches, segment loads, through tables broken in up to two ways"
}

// Make makes case n. A case is of one family and starts at one level; what of
// it is broken is its Rule. Each fourth case is the next of all pairs of a first event and a
// second fault.
func (Delivery) Make(c *diff.Case, seed, n uint64) {
	g := &delivery{c: c, Rand: diff.Rand(seed, n)}
	c.Kind = diff.Delivery
	pair := int(n / 4 % uint64(len(firsts)*len(seconds)))
	first, second := firsts[pair%len(firsts)], &seconds[pair/len(firsts)]
	c.World = "sys32"
	if g.IntN(2) == 0 && !(n%4 == 3 && (second.stack || first == "#BR" || first == "INT n in vm86 with iopl0")) {
		c.World, g.long = "sys64", true
	}
	w, err := diff.WorldByName(c.World)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	g.w = w
	c.Event = &diff.Event{}
	if n%4 == 3 {
		g.pair(first, second)
		c.Rule = strings.Join(g.rules, ", ")
		return
	}
	g.start(g.pickLevel())
	families := []func(){
		g.viaGate, g.viaGate, g.viaGate, g.viaGate,
		g.iret, g.iret, g.iret, g.retf, g.retf, g.farJump, g.farCall, g.farCall, g.segmentLoad, g.task,
	}
	families[g.IntN(len(families))]()
	c.Rule = strings.Join(g.rules, ", ")
}

// delivery is a case in the making.
type delivery struct {
	*rand.Rand
	c     *diff.Case
	w     *diff.World
	long  bool // sys64
	level level
	own   uint16 // next free selector of the case's own
	rules []string
}

// level is where a case starts.
type level int

const (
	cpl0 level = iota
	cpl1
	cpl2 // sys32
	cpl3
	compat0 // sys64
	compat3 // sys64
	vm86    // sys32
)

var levelNames = []string{"cpl0", "cpl1", "cpl2", "cpl3", "compat0", "compat3", "vm86"}

// cpl is the privilege level of a level.
func (l level) cpl() int {
	switch l {
	case cpl1:
		return 1
	case cpl2:
		return 2
	case cpl3, compat3, vm86:
		return 3
	}
	return 0
}

// say adds to the case's rule.
func (g *delivery) say(format string, args ...any) {
	g.rules = append(g.rules, fmt.Sprintf(format, args...))
}

// chance is true n times of a hundred.
func (g *delivery) chance(n int) bool { return g.IntN(100) < n }

func choose[T any](g *delivery, of ...T) T { return of[g.IntN(len(of))] }

func (g *delivery) pickLevel() level {
	if g.long {
		return choose(g, cpl0, cpl0, cpl0, cpl3, cpl3, cpl3, cpl1, compat0, compat3, compat3)
	}
	return choose(g, cpl0, cpl0, cpl0, cpl0, cpl3, cpl3, cpl3, cpl3, cpl1, cpl2, vm86, vm86)
}

func linear(o diff.Offset) uint64 { return diff.SysLinear + uint64(o) }

// start sets the registers that the case begins with.
func (g *delivery) start(l level) {
	g.level, g.own = l, diff.Sys32Own
	g.c.Patches, g.c.Regs = nil, g.w.Regs
	g.rules = []string{levelNames[l]}
	r := &g.c.Regs
	set := func(cs, ss uint16, code, stack diff.Offset) {
		r.Seg = [6]uint16{ss, cs, ss, ss, ss, ss}
		r.RIP, r.GPR[4] = linear(code), linear(stack)+0x800
	}
	switch {
	case l == cpl0:
		set(diff.CollectorCS, diff.CollectorDS, diff.SysCode0, diff.SysStack0)
	case l == compat0:
		set(diff.Sys64Compat0, diff.CollectorDS, diff.SysCode0, diff.SysStack0)
	case l == cpl1 && g.long:
		set(diff.Sys64Code1, diff.Sys64Data1, diff.SysCode0, diff.SysStack1)
	case l == cpl1:
		set(diff.Sys32Code1, diff.Sys32Data1, diff.SysCode0, diff.SysStack1)
	case l == cpl2:
		set(diff.Sys32Code2, diff.Sys32Data2, diff.SysCode0, diff.SysStack2)
	case l == cpl3: // the same selectors in both worlds
		set(diff.Sys32Code3, diff.Sys32Data3, diff.SysCode3, diff.SysStack3)
	case l == compat3:
		set(diff.Sys64Compat3, diff.Sys64Data3, diff.SysCode3, diff.SysStack3)
	case l == vm86:
		r.Seg = [6]uint16{0x1200, diff.V86Code >> 4, diff.V86Stack >> 4, 0x1200, 0x1201, 0x1202}
		r.RIP, r.GPR[4] = 0x100, 0x800
		r.RFLAGS |= 1<<17 | uint64(choose(g, 3, 3, 3, 0))<<12
	}
	if g.chance(50) {
		r.RFLAGS |= 1 << 9
	}
	r.RFLAGS |= g.Uint64() & 0x8d5 // CF PF AF ZF SF OF
	if g.chance(10) && l != vm86 {
		r.RFLAGS |= 3 << 12
	}
}

// mode64 tells whether the case starts in 64-bit mode.
func (g *delivery) mode64() bool { return g.long && g.level != compat0 && g.level != compat3 }

// put adds size bytes of v to the arena.
func (g *delivery) put(at diff.Offset, size int, v uint64) {
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(v >> (8 * i))
	}
	g.c.Patches = append(g.c.Patches, diff.Patch{At: at, Bytes: b})
}

// unmap takes a page away.
func (g *delivery) unmap(page diff.Offset) {
	size := 4
	if g.long {
		size = 8
	}
	g.put(g.w.SysPTE(page), size, 0)
}

// descriptor gives the case a descriptor of its own, and its selector, at RPL 0. In the 64-bit world
// it has 16 bytes.
func (g *delivery) descriptor(value, high uint64) uint16 {
	sel := g.own
	g.own += 8
	g.put(diff.SysGDT+diff.Offset(sel), 8, value)
	if g.long {
		g.own += 8
		g.put(diff.SysGDT+diff.Offset(sel)+8, 8, high)
	}
	return sel
}

// idtGate is where the gate of a vector lies.
func (g *delivery) idtGate(v uint8) diff.Offset {
	if g.long {
		return diff.SysIDT + 16*diff.Offset(v)
	}
	return diff.SysIDT + 8*diff.Offset(v)
}

// setGate replaces a gate of the IDT.
func (g *delivery) setGate(v uint8, sel uint16, offset uint64, access, count uint8) {
	g.put(g.idtGate(v), 8, diff.GateDescriptor(sel, offset, access, count))
	if g.long {
		g.put(g.idtGate(v)+8, 8, offset>>32)
	}
}

// rescue gives the exceptions of a bad stack, but one vector, a stack of their
// own: a task each, or an IST.
func (g *delivery) rescue(but uint8) {
	for _, v := range []uint8{8, 10, 11, 12, 13, 14} {
		switch {
		case v == but:
		case g.long:
			g.setGate(v, diff.CollectorCS, diff.Collector(v), diff.AccessInt, 1+v%7)
		default:
			g.setGate(v, diff.Sys32Task+8*uint16(v), 0, diff.AccessTaskGate, 0)
		}
	}
}

// noRescue takes that back, for a TSS that has room for the stack of CPL 0 only.
func (g *delivery) noRescue(but uint8) {
	for _, v := range []uint8{8, 10, 11, 12, 13, 14} {
		if v != but {
			g.setGate(v, diff.CollectorCS, diff.Collector(v), diff.AccessInt, 0)
		}
	}
}

// push puts words onto the stack that the case starts with, the last one on top.
func (g *delivery) push(size int, words ...uint64) {
	r := &g.c.Regs
	for _, v := range words {
		r.GPR[4] -= uint64(size)
		at := r.GPR[4]
		if g.level == vm86 {
			at = uint64(r.Seg[2])<<4 + at&0xffff
		}
		if o, ok := g.w.Offset(at); ok {
			g.put(o, size, v)
		}
	}
}

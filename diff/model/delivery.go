package model

import (
	"bytes"
	"encoding/binary"

	"x86emu/diff"
)

// delivery answers a Delivery case.
func delivery(c *diff.Case, w *diff.World) diff.Result {
	r, _ := odd(c, w, 0)
	return r
}

// Odd answers a Delivery case as an emulator with some oddities does, and tells which of
// them made a difference on the way.
func Odd(c *diff.Case, o Oddities) (diff.Result, Oddities) {
	w, err := diff.WorldByName(c.World)
	if err != nil {
		return diff.Result{End: diff.Silent, Note: err.Error()}, 0
	}
	return odd(c, w, o)
}

func odd(c *diff.Case, w *diff.World, o Oddities) (diff.Result, Oddities) {
	m := newMachine(c, w)
	x := newCourse(m)
	x.oddities = o
	return x.answerTo(c), x.met
}

// answerTo goes through a case.
func (x *course) answerTo(c *diff.Case) diff.Result {
	before := bytes.Clone(x.arena)
	if !x.first(c) || x.dead {
		return diff.Result{End: diff.Shutdown}
	}
	// A handler that faults on its first instruction is entered until its stack is full.
	for range 2 * diff.PageSize / 8 {
		v, next, ok := x.arrived()
		switch {
		case x.outside:
			return diff.Result{End: diff.Silent, Note: "a table outside the arena"}
		case ok:
			r := x.answer(v)
			r.Mem = words(before, x.arena)
			return r
		case next == nil:
			return diff.Result{End: diff.Silent, Note: "the code at the target is not the world's INT3"}
		}
		if !x.deliver(*next) || x.dead {
			return diff.Result{End: diff.Shutdown}
		}
	}
	return diff.Result{End: diff.Silent, Note: "more events than a case has"}
}

// words lists the quadwords in which two arenas differ.
func words(before, after []byte) (list []diff.Word) {
	for page := 0; page < len(after); page += diff.PageSize {
		if bytes.Equal(before[page:page+diff.PageSize], after[page:page+diff.PageSize]) {
			continue
		}
		for at := page; at < page+diff.PageSize; at += 8 {
			if v := binary.LittleEndian.Uint64(after[at:]); v != binary.LittleEndian.Uint64(before[at:]) {
				list = append(list, diff.Word{At: diff.Offset(at), Value: v})
			}
		}
	}
	return list
}

// first makes happen what the case is about; false is shutdown.
func (x *course) first(c *diff.Case) bool {
	e := c.Event
	next := x.regs.RIP + uint64(len(c.Code))
	switch e.How {
	case diff.ByFault:
		if e.Vector == 14 {
			x.regs.CR2 = e.CR2
		}
		return x.deliver(exception(e.Vector, e.Error, x.regs.RIP))
	case diff.ByINT:
		return x.deliver(event{vector: e.Vector, source: softwareInterrupt, returnTo: next})
	case diff.ByINT3:
		return x.deliver(event{vector: 3, source: softwareInterrupt, returnTo: next})
	case diff.ByINTO:
		return x.deliver(event{vector: 4, source: softwareInterrupt, returnTo: next})
	case diff.ByICEBP:
		if x.odd(NoINT1, true) {
			return x.deliver(exception(6, 0, x.regs.RIP))
		}
		return x.deliver(event{vector: 1, source: int1, returnTo: next})
	}
	return x.instruction(func() {
		switch e.How {
		case diff.ByIRET:
			x.iret(e.OpSize, next)
		case diff.ByFarRET:
			x.ret(e.OpSize, uint64(e.Release))
		case diff.ByFarJMP:
			x.jmp(e.Selector, e.Offset, next)
		case diff.ByFarCALL:
			x.call(e.Selector, e.Offset, e.OpSize, next)
		case diff.BySegment:
			x.movToSegment(e.Register, e.Selector)
			x.regs.RIP = next
		}
	})
}

// instruction makes an instruction happen, and what comes of it if it faults.
func (x *course) instruction(do func()) bool {
	x.begin(0)
	x.from = x.regs.RIP
	do()
	if f := x.end(); f != nil {
		return x.deliver(exception(f.vector, f.code, x.regs.RIP))
	}
	return true
}

// arrived fetches one byte at CS:RIP: a collector, the world's INT3, or a fault of
// the fetch. next is the event that follows, or nil.
func (x *course) arrived() (collector uint8, next *event, ok bool) {
	cs, rip := x.seg[regCS], x.regs.RIP
	x.begin(0)
	linear := rip
	if !x.mode64() {
		// An instruction pointer beyond the code segment limit causes #GP(0).
		x.inCode(cs, rip)
		linear = bits(cs.base()+rip, 31, 0)
		if !x.asks(NoTargetCheck) {
			rip = bits(rip, 31, 0)
		}
	}
	physical := x.reach(linear, access{fetch: true, userMode: x.cpl == 3})
	if f := x.end(); f != nil {
		e := exception(f.vector, f.code, x.regs.RIP)
		return 0, &e, false
	}
	if v, is := diff.AtCollector(linear); is {
		// A collector begins with an instruction that is privileged: #GP(0) if the CPL is not 0.
		if x.cpl == 0 && !x.vm() {
			return v, nil, true
		}
		e := exception(13, 0, rip)
		return 0, &e, false
	}
	if b := x.at(physical, 1); b == nil || b[0] != 0xcc {
		return 0, nil, false
	}
	e := event{vector: 3, source: softwareInterrupt, returnTo: rip + 1}
	return 0, &e, false
}

// answer tells what a collector finds.
func (x *course) answer(v uint8) diff.Result {
	r := diff.Result{End: diff.Trapped, Vector: v}
	if x.last.vector == v {
		r.HasError, r.Error = x.last.hasCode, x.last.code
	}
	if v == 14 {
		r.CR2 = x.regs.CR2
	}
	r.Regs = x.regs
	r.Regs.RFLAGS &^= 1 << 16 // RF, which every instruction clears, the collector's own too
	for i, s := range x.seg {
		r.Regs.Seg[i] = s.selector
	}
	r.Regs.FSBase, r.Regs.GSBase = x.seg[regFS].base(), x.seg[regGS].base()
	r.Regs.LDTR, r.Regs.TR = x.ldtr.selector, x.tr.selector
	return r
}

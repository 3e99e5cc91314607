package stats

import (
	"x86emu/cpu"
	"x86emu/debug"
	"x86emu/decode"
	"x86emu/idt"
	"x86emu/machine"
	"x86emu/mmu"
)

// Collector counts what a machine does.
type Collector struct {
	m     *machine.Machine
	syms  *debug.Symbols
	begin uint64 // tick

	instructions uint64
	forms        map[form]uint64
	events       map[string]*Event
	shutdowns    uint64
	walks        map[walkKey]uint64
	fetch, data  Lookups
	ports        map[portKey]uint64
	cr3          uint64

	pages     map[mmu.Linear]*page
	blocks    map[mmu.Linear]*block
	uncounted [2]uint64 // accesses and instructions of pages, instructions of blocks

	walked  []mmu.Linear // pages walked since the last lookup
	current *block
	next    mmu.Linear // where the present block goes on; 1: nowhere
	tick    uint64
}

// form is what instructions are counted by.
type form struct {
	op   decode.Op
	pre  decode.Prefix
	n    uint8
	args [4]struct {
		kind decode.ArgKind
		size uint8
	}
}

type walkKey struct {
	mode   mmu.Mode
	access mmu.Access
	depth  uint8
	rule   mmu.Rule
}

type portKey struct {
	port  uint16
	write bool
}

type page struct {
	inst, reads, writes uint64
	first               mmu.Linear // address touched first
	paged               bool
}

// block is a run of instructions.
type block struct {
	entered, instructions uint64
	paged                 bool // when it was entered first
}

// maxPlaces bounds the pages, and the blocks, that are counted one by one.
const maxPlaces = 1 << 20

// Watch counts from now on. It takes MMU.OnWalk, MMU.OnCR3 and Machine.OnIO; the
// Collector is to be set as the machine's observer, alone or among others.
func Watch(m *machine.Machine, syms *debug.Symbols) *Collector {
	c := &Collector{
		m: m, syms: syms, begin: m.CPU.Ticks(), next: 1,
		forms: make(map[form]uint64), events: make(map[string]*Event), walks: make(map[walkKey]uint64),
		ports: make(map[portKey]uint64), pages: make(map[mmu.Linear]*page), blocks: make(map[mmu.Linear]*block),
	}
	m.MMU.OnWalk = c.walk
	m.MMU.OnCR3 = func(uint64) { c.cr3++ }
	m.OnIO = func(e machine.IOEvent) { c.ports[portKey{e.Port, e.Write}]++ }
	return c
}

// Close ends the watch.
func (c *Collector) Close() { c.m.MMU.OnWalk, c.m.MMU.OnCR3, c.m.OnIO = nil, nil, nil }

// walk is the MMU's.
func (c *Collector) walk(w *mmu.Walk) {
	if !w.FromTLB {
		c.walks[walkKey{w.Mode, w.Access, uint8(w.N), w.Rule}]++
		c.walked = append(c.walked, w.Lin&^mmu.PageMask)
	}
}

// look counts the lookups of an address.
func (c *Collector) look(l *Lookups, lin mmu.Linear, size uint8) {
	last := (lin + mmu.Linear(max(size, 1)) - 1) &^ mmu.PageMask
	for at := lin &^ mmu.PageMask; ; at = last {
		miss := false
		for _, w := range c.walked {
			miss = miss || w == at
		}
		if miss {
			l.Misses++
		} else {
			l.Hits++
		}
		if at == last {
			return
		}
	}
}

// page gives the counts of an address's page; nil beyond the bound.
func (c *Collector) page(lin mmu.Linear) *page {
	p := c.pages[lin&^mmu.PageMask]
	if p == nil {
		if len(c.pages) == maxPlaces {
			c.uncounted[0]++
			return nil
		}
		p = &page{first: lin, paged: c.m.MMU.Mode() != mmu.ModeNone}
		c.pages[lin&^mmu.PageMask] = p
	}
	return p
}

// Instruction is cpu.Observer's.
func (c *Collector) Instruction(e *cpu.InstEvent) {
	in := e.Inst
	c.instructions++
	f := form{op: in.Op, pre: in.Prefix & (decode.PrefixLock | decode.PrefixRep | decode.PrefixRepne), n: in.NArgs}
	for i, a := range in.Args[:in.NArgs] {
		f.args[i].kind, f.args[i].size = a.Kind, a.Size
	}
	c.forms[f]++
	c.look(&c.fetch, e.Linear, in.Len)
	c.walked = c.walked[:0]
	if p := c.page(e.Linear); p != nil {
		p.inst++
	}
	// An event has a tick of its own.
	if e.Linear != c.next || e.Tick != c.tick+1 {
		c.enter(e.Linear)
	}
	if c.current != nil {
		c.current.instructions++
	} else {
		c.uncounted[1]++
	}
	c.next, c.tick = e.Linear+mmu.Linear(in.Len), e.Tick
	if in.Props&decode.EndsBlock != 0 {
		c.next = 1
	}
}

// enter begins a block.
func (c *Collector) enter(at mmu.Linear) {
	c.current = c.blocks[at]
	if c.current == nil {
		if len(c.blocks) == maxPlaces {
			return
		}
		c.current = &block{paged: c.m.MMU.Mode() != mmu.ModeNone}
		c.blocks[at] = c.current
	}
	c.current.entered++
}

// Access is cpu.Observer's.
func (c *Collector) Access(e *cpu.AccessEvent) {
	c.look(&c.data, e.Linear, e.Size)
	c.walked = c.walked[:0]
	if p := c.page(e.Linear); p != nil {
		if e.Write {
			p.writes++
		} else {
			p.reads++
		}
	}
}

// Delivery is idt.Observer's.
func (c *Collector) Delivery(e *idt.DeliveryEvent) {
	switch e.Stage {
	case idt.StageEvent:
		c.event(&e.Event).Taken++
	case idt.StageEntered:
		c.event(&e.Event).Delivered++
		c.walked = c.walked[:0]
	case idt.StageShutdown:
		c.event(&e.Event).Taken++
		c.shutdowns++
	}
}

func (c *Collector) event(e *idt.Event) *Event {
	name := e.Name()
	v := c.events[name]
	if v == nil {
		v = &Event{Name: name, Vector: uint8(e.Vector)}
		c.events[name] = v
	}
	return v
}

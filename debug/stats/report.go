package stats

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"x86emu/debug"
	"x86emu/decode"
	"x86emu/machine"
	"x86emu/mmu"
)

// Report is what was counted. As JSON its field names stay.
type Report struct {
	Ticks        uint64  `json:"ticks"`
	End          string  `json:"end"`          // why the run ended
	Instructions uint64  `json:"instructions"` // begun, those that faulted and iterations of REP among them
	Shutdowns    uint64  `json:"shutdowns"`
	CR3Loads     uint64  `json:"cr3_loads"`
	Events       []Event `json:"events"` // by vector
	Forms        []Form  `json:"forms"`  // the commonest first
	Walks        []Walk  `json:"walks"`
	Fetches      Lookups `json:"tlb_fetch"`
	Data         Lookups `json:"tlb_data"`
	Ports        []Port  `json:"ports"`
	Pages        []Page  `json:"pages"`  // the hottest first
	Blocks       []Block `json:"blocks"` // those with the most instructions first
	// What was beyond the bound: accesses and instructions of pages, instructions of
	// blocks, and how many forms, pages and blocks the lists leave out.
	UncountedPages  uint64 `json:"uncounted_pages,omitempty"`
	UncountedBlocks uint64 `json:"uncounted_blocks,omitempty"`
	MoreForms       int    `json:"more_forms,omitempty"`
	MorePages       int    `json:"more_pages,omitempty"`
	MoreBlocks      int    `json:"more_blocks,omitempty"`
}

// Event is an exception or interrupt, by its name.
type Event struct {
	Name      string `json:"name"` // "#PF", "INT 0x80", "INTR 0x20", "NMI"
	Vector    uint8  `json:"vector"`
	Taken     uint64 `json:"taken"`     // also those that became #DF, or shutdown
	Delivered uint64 `json:"delivered"` // whose handler was entered
}

// Form is a form of instructions.
type Form struct {
	Form  string `json:"form"`
	Count uint64 `json:"count"`
}

// Walk is a kind of walk of the page tables.
type Walk struct {
	Paging string `json:"paging"`
	Access string `json:"access"` // "user write", "supervisor fetch", ...
	Depth  uint8  `json:"depth"`  // entries read
	Result string `json:"result"` // "ok", or the rule that failed
	Count  uint64 `json:"count"`
}

// Lookups are those of the TLB.
type Lookups struct {
	Hits   uint64 `json:"hits"`
	Misses uint64 `json:"misses"`
}

// Port is a port's accesses.
type Port struct {
	Port  debug.Hex `json:"port"`
	Write bool      `json:"write"`
	Count uint64    `json:"count"`
}

// Page is a linear page.
type Page struct {
	Lin          debug.Hex    `json:"lin"`
	Instructions uint64       `json:"instructions"`
	Reads        uint64       `json:"reads"`
	Writes       uint64       `json:"writes"`
	First        *debug.Place `json:"first,omitempty"` // what was touched first in it
}

// Block is a run of instructions.
type Block struct {
	Lin          debug.Hex    `json:"lin"`
	Entered      uint64       `json:"entered"`
	Instructions uint64       `json:"instructions"`
	At           *debug.Place `json:"at,omitempty"`
}

// Report gives the counts; of forms, pages and blocks the first top.
func (c *Collector) Report(r machine.Result, top int) *Report {
	t := &Report{
		Ticks: c.m.CPU.Ticks() - c.begin, End: r.Reason.String(), Instructions: c.instructions, Shutdowns: c.shutdowns,
		CR3Loads: c.cr3, Fetches: c.fetch, Data: c.data, UncountedPages: c.uncounted[0], UncountedBlocks: c.uncounted[1],
		Events: []Event{}, Forms: []Form{}, Walks: []Walk{}, Ports: []Port{}, Pages: []Page{}, Blocks: []Block{},
	}
	for _, e := range c.events {
		t.Events = append(t.Events, *e)
	}
	slices.SortFunc(t.Events, func(a, b Event) int {
		return cmp.Or(cmp.Compare(a.Vector, b.Vector), cmp.Compare(a.Name, b.Name))
	})
	for f, n := range c.forms {
		t.Forms = append(t.Forms, Form{f.String(), n})
	}
	t.Forms, t.MoreForms = first(t.Forms, top, func(f Form) (uint64, string) { return f.Count, f.Form })
	for k, n := range c.walks {
		t.Walks = append(t.Walks, Walk{k.mode.String(), k.access.String(), k.depth, k.rule.String(), n})
	}
	t.Walks, _ = first(t.Walks, len(t.Walks), func(w Walk) (uint64, string) {
		return w.Count, fmt.Sprintf("%s %s %d %s", w.Paging, w.Access, w.Depth, w.Result)
	})
	for k, n := range c.ports {
		t.Ports = append(t.Ports, Port{debug.Hex(k.port), k.write, n})
	}
	t.Ports, _ = first(t.Ports, len(t.Ports), func(p Port) (uint64, string) { return p.Count, fmt.Sprintf("%05d %t", p.Port, p.Write) })
	for lin, p := range c.pages {
		t.Pages = append(t.Pages, Page{debug.Hex(lin), p.inst, p.reads, p.writes, c.place(p.first, p.paged)})
	}
	t.Pages, t.MorePages = first(t.Pages, top, func(p Page) (uint64, string) {
		return p.Instructions + p.Reads + p.Writes, fmt.Sprintf("%016x", uint64(p.Lin))
	})
	for at, k := range c.blocks {
		t.Blocks = append(t.Blocks, Block{debug.Hex(at), k.entered, k.instructions, c.place(at, k.paged)})
	}
	t.Blocks, t.MoreBlocks = first(t.Blocks, top, func(b Block) (uint64, string) { return b.Instructions, fmt.Sprintf("%016x", uint64(b.Lin)) })
	return t
}

// first sorts by count, then name, and keeps the first top; it tells how many
// others there were.
func first[T any](all []T, top int, by func(T) (uint64, string)) ([]T, int) {
	slices.SortFunc(all, func(a, b T) int {
		m, x := by(a)
		n, y := by(b)
		return cmp.Or(cmp.Compare(n, m), cmp.Compare(x, y))
	})
	n := min(len(all), top)
	return all[:n], len(all) - n
}

// place is what the symbols know of an address.
func (c *Collector) place(lin mmu.Linear, paged bool) *debug.Place {
	if paged {
		return c.syms.At(uint64(lin))
	}
	return c.syms.AtPhys(uint64(lin))
}

// argNames are the kinds of operands in a form.
var argNames = map[decode.ArgKind]string{
	decode.ArgReg: "r", decode.ArgMem: "m", decode.ArgImm: "imm", decode.ArgImm2: "imm", decode.ArgRel: "rel", decode.ArgFar: "ptr",
	decode.ArgSeg: "sreg", decode.ArgCR: "cr", decode.ArgDR: "dr", decode.ArgST: "st", decode.ArgMMX: "mm", decode.ArgXMM: "xmm",
	decode.ArgStr: "str", decode.ArgOne: "1",
}

// String is the form in words: "lock xadd m32,r32".
func (f form) String() string {
	var b strings.Builder
	for _, p := range []struct {
		bit  decode.Prefix
		name string
	}{{decode.PrefixLock, "lock "}, {decode.PrefixRep, "rep "}, {decode.PrefixRepne, "repne "}} {
		if f.pre&p.bit != 0 {
			b.WriteString(p.name)
		}
	}
	b.WriteString(strings.ToLower(f.op.String()))
	for i, a := range f.args[:f.n] {
		b.WriteByte(" ,"[min(i, 1)])
		name, known := argNames[a.kind]
		if !known {
			name = fmt.Sprintf("arg%d", a.kind)
		}
		b.WriteString(name)
		if a.kind == decode.ArgReg || a.kind == decode.ArgMem && a.size != 0 {
			fmt.Fprintf(&b, "%d", 8*int(a.size))
		}
	}
	return b.String()
}

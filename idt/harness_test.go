package idt

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"x86emu/decode"
	"x86emu/mmu"
)

// fake is the least processor that delivery works on.
type fake struct {
	r             Regs
	g             [16]uint64
	m             *mmu.MMU
	dr6, dr7, pnd uint64
	core          Core
}

func (f *fake) Core() *Core       { return &f.core }
func (f *fake) Regs() *Regs       { return &f.r }
func (f *fake) GPR() *[16]uint64  { return &f.g }
func (f *fake) MMU() *mmu.MMU     { return f.m }
func (f *fake) DR6() *uint64      { return &f.dr6 }
func (f *fake) DR7() *uint64      { return &f.dr7 }
func (f *fake) PendDB(dr6 uint64) { f.pnd |= dr6 }

// recorder keeps what an observer is told.
type recorder struct {
	events []DeliveryEvent
	failed []Rule
	pushes []uint64
	at     []mmu.Linear
	stages map[Stage]int
}

func (r *recorder) Delivery(e *DeliveryEvent) {
	r.events = append(r.events, *e)
	if r.stages == nil {
		r.stages = map[Stage]int{}
	}
	r.stages[e.Stage]++
	switch {
	case e.Stage == StageCheck && !e.OK:
		r.failed = append(r.failed, e.Rule)
	case e.Stage == StagePush:
		r.pushes = append(r.pushes, e.Value)
		r.at = append(r.at, e.Addr)
	}
}

// The world's memory, identity-mapped where paging is on, 4 KiB pages.
const (
	ramSize  = 2 << 20
	gdtAt    = 0x1000
	ldtAt    = 0x2000
	idtAt    = 0x3000
	tssAt    = 0x5000 // current TSS
	tss2At   = 0x6000 // another one, 32-bit
	tss16At  = 0x6800 // another one, 16-bit
	tables   = 0x100000
	code     = 0x40000  // offset of the current instruction
	handler  = 0x41230  // offset of handlers
	stack0   = 0x52000  // top of the ring 0 stack
	stack1   = 0x54000  // top of the ring 1 stack
	stack3   = 0x58000  // top of the ring 3 stack
	istStack = 0x5a000  // top of IST 1
	guard    = 0x60000  // a page that is never mapped; 0x61000 above it is
	stackTSS = 0x5c000  // stack of the other task
	hole     = 0x600000 // not mapped, not RAM
)

// Selectors of the world's GDT. In IA-32e mode code0 and code3 are 64-bit.
const (
	code0   = 0x08
	data0   = 0x10
	code1   = 0x18
	data1   = 0x20
	code3   = 0x28
	data3   = 0x30
	conf0   = 0x38 // conforming code, DPL 0
	tssSel  = 0x40 // 16 bytes
	tss2Sel = 0x50 // 16 bytes
	t16Sel  = 0x60
	ldtSel  = 0x68 // 16 bytes
	gateSel = 0x78 // 16 bytes, for gates of the case
	spare   = 0x88 // 16 bytes, for descriptors of the case
	code32  = 0x98 // 32-bit code, DPL 0 (compatibility mode)
	code32u = 0xa0 // the same, DPL 3
	gdtSize = 0xa8
)

const (
	attrCode = AttrPresent | AttrS | AttrCode | AttrWritable | AttrAccessed
	attrData = AttrPresent | AttrS | AttrWritable | AttrAccessed
)

func dpl(n Attr) Attr { return n << 5 }

// desc makes a descriptor; limit is in pages where a has G.
func desc(base, limit uint64, a Attr) uint64 {
	return limit&0xffff | base&0xffffff<<16 | uint64(a)<<40 | limit>>16&0xf<<48 | base>>24&0xff<<56
}

// gate makes the low 8 bytes of a gate; a is type, DPL and P; n is IST or the
// parameter count.
func gate(sel uint16, off uint64, a Attr, n uint64) uint64 {
	return off&0xffff | uint64(sel)<<16 | n<<32 | uint64(a)<<40 | off>>16&0xffff<<48
}

// world is a fake processor with tables, TSSs and stacks around it.
type world struct {
	*fake
	t   testing.TB
	rec *recorder
}

type mode string

const (
	real16  mode = "real"
	prot    mode = "protected"       // 32-bit
	paged   mode = "protected paged" // the same with 2-level paging
	pae     mode = "protected PAE"
	v86     mode = "VM86"   // paged
	long64  mode = "64-bit" // 4-level paging
	compat  mode = "compat" // 32-bit code under IA-32e
	longTLB mode = "64-bit, no TLB"
)

func newWorld(t testing.TB, md mode) *world {
	mem := mmu.NewMemory(ramSize, 40)
	f := &fake{m: mmu.New(mem, mmu.Config{MaxPhysBits: 40, TLBOff: md == longTLB})}
	w := &world{fake: f, t: t}
	f.r.RFLAGS = Flag1 | FlagIF
	f.r.RIP = code
	for i := range f.g {
		f.g[i] = 0x1111_1111 * uint64(i)
	}
	if md == real16 {
		for i := range f.r.Seg {
			f.r.Seg[i] = Segment{Limit: 0xffff, Attr: attrData}
		}
		f.r.IDTR = Table{Limit: 0x3ff}
		f.r.RIP = 0x1234
		w.setReg(decode.CS, 0x4000, 0x40000)
		w.setReg(decode.SS, 0x5000, 0x50000)
		f.g[4] = 0x2000
		w.poke(0x21*4, 4, 0x4100_0230)
		w.poke(13*4, 4, 0x4200_0000)
		return w
	}
	w.buildTables(md)
	w.buildPaging(md)
	w.ring(0)
	if md == v86 {
		w.enterV86()
	}
	if md == compat {
		w.load(decode.CS, code32)
	}
	return w
}

func (w *world) setReg(reg decode.SegReg, sel uint16, base uint64) {
	w.r.Seg[reg].Sel, w.r.Seg[reg].Base = sel, base
}

func (w *world) is64(md mode) bool { return md == long64 || md == compat || md == longTLB }

// buildTables writes GDT, LDT, IDT and TSSs.
func (w *world) buildTables(md mode) {
	long := w.is64(md)
	flatCode, flatData := attrCode|AttrG|AttrDB, attrData|AttrG|AttrDB
	mainCode := flatCode
	if long {
		mainCode = attrCode | AttrG | AttrL
	}
	for _, d := range []struct {
		sel  uint16
		desc uint64
	}{
		{code0, desc(0, 0xfffff, mainCode)},
		{data0, desc(0, 0xfffff, flatData)},
		{code1, desc(0, 0xfffff, mainCode|dpl(1))},
		{data1, desc(0, 0xfffff, flatData|dpl(1))},
		{code3, desc(0, 0xfffff, mainCode|dpl(3))},
		{data3, desc(0, 0xfffff, flatData|dpl(3))},
		{conf0, desc(0, 0xfffff, mainCode|AttrDown)},
		{tssSel, desc(tssAt, 0x67, AttrPresent|typeTSS32)},
		{tss2Sel, desc(tss2At, 0x67, AttrPresent|typeTSS32)},
		{t16Sel, desc(tss16At, 0x2b, AttrPresent|typeTSS16)},
		{ldtSel, desc(ldtAt, 0x7f, AttrPresent|typeLDT)},
		{code32, desc(0, 0xfffff, flatCode)},
		{code32u, desc(0, 0xfffff, flatCode|dpl(3))},
	} {
		w.gdt(d.sel, d.desc)
		w.poke(ldtAt+uint64(d.sel&0x78), 8, d.desc)
	}
	w.r.GDTR = Table{gdtAt, gdtSize - 1}
	w.m.Ctl.CR0 |= mmu.CR0PE
	if long {
		w.r.IDTR = Table{idtAt, 0xfff}
		w.r.TR = Segment{Sel: tssSel, Attr: AttrPresent | typeBusy32, Limit: 0x67, Base: tssAt}
		w.gdt(tssSel, desc(tssAt, 0x67, AttrPresent|typeBusy32))
		w.poke(tssAt+4, 8, stack0)
		w.poke(tssAt+12, 8, stack1)
		w.poke(tssAt+36, 8, istStack)
	} else {
		w.r.IDTR = Table{idtAt, 0x7ff}
		w.r.TR = Segment{Sel: tssSel, Attr: AttrPresent | typeBusy32, Limit: 0x67, Base: tssAt}
		w.gdt(tssSel, desc(tssAt, 0x67, AttrPresent|typeBusy32))
		w.poke(tssAt+4, 8, stack0|data0<<32)
		w.poke(tssAt+12, 8, stack1|(data1|1)<<32)
		w.buildTask32(tss2At)
		w.buildTask16(tss16At)
	}
	w.poke(tssAt+28, 4, tables)
	w.poke(tssAt+96, 2, ldtSel)
	w.r.LDTR = Segment{Sel: ldtSel, Attr: AttrPresent | typeLDT, Limit: 0x7f, Base: ldtAt}
	for v := Vector(0); v < 0x40; v++ {
		w.idt(v, gate(code0, handler, AttrPresent|typeInt32, 0))
	}
	w.idt(0x30, gate(code0, handler, AttrPresent|dpl(3)|typeTrap32, 0))
}

// buildTask32 fills a 32-bit TSS with a task that runs at CPL 0.
func (w *world) buildTask32(at uint64) {
	for i, v := range []uint64{
		tables, handler, Flag1, 0xa0, 0xa1, 0xa2, 0xa3, stackTSS, 0xa5, 0xa6, 0xa7,
		data0, code0, data0, data0, data3, 0, ldtSel,
	} {
		w.poke(at+28+4*uint64(i), 4, v)
	}
}

func (w *world) buildTask16(at uint64) {
	for i, v := range []uint64{0x1230, Flag1, 0xa0, 0xa1, 0xa2, 0xa3, 0x2000, 0xa5, 0xa6, 0xa7, data0, code0, data0, data0, ldtSel} {
		w.poke(at+14+2*uint64(i), 2, v)
	}
}

// buildPaging identity-maps the RAM, user accessible, but for the guard page.
func (w *world) buildPaging(md mode) {
	const p = 7
	switch {
	case md == prot:
		return
	case md == paged || md == v86:
		w.poke(tables, 4, tables+0x1000|p)
		for i := uint64(0); i < ramSize>>12; i++ {
			w.poke(tables+0x1000+4*i, 4, i<<12|p)
		}
		w.pte(guard, 0)
		w.m.SetCR4(w.m.Ctl.CR4 | mmu.CR4PSE)
	case md == pae:
		w.poke(tables, 8, tables+0x1000|1)
		w.poke(tables+0x1000, 8, tables+0x2000|p)
		for i := uint64(0); i < 512; i++ {
			w.poke(tables+0x2000+8*i, 8, i<<12|p)
		}
		w.m.SetCR4(w.m.Ctl.CR4 | mmu.CR4PAE)
		w.m.LoadPDPTEs(tables)
	default:
		w.poke(tables, 8, tables+0x1000|p)
		w.poke(tables+0x1000, 8, tables+0x2000|p)
		w.poke(tables+0x2000, 8, tables+0x3000|p)
		for i := uint64(0); i < 512; i++ {
			w.poke(tables+0x3000+8*i, 8, i<<12|p)
		}
		w.m.SetCR4(w.m.Ctl.CR4 | mmu.CR4PAE)
		w.m.SetEFER(mmu.EFERLME | mmu.EFERSCE)
	}
	w.m.SetCR3(tables)
	w.m.SetCR0(w.m.Ctl.CR0 | mmu.CR0PG | mmu.CR0WP)
	if md != pae {
		w.pte(guard, 0)
	}
}

// pte sets the flags of a page, 0 to unmap it.
func (w *world) pte(lin, flags uint64) {
	at, n := uint64(tables+0x1000+lin>>12*4), uint(4)
	switch w.m.Mode() {
	case mmu.ModeNone, mmu.Mode32:
	case mmu.ModePAE:
		at, n = tables+0x2000+lin>>12*8, 8
	default:
		at, n = tables+0x3000+lin>>12*8, 8
	}
	v := uint64(0)
	if flags != 0 {
		v = lin&^0xfff | flags
	}
	w.poke(at, n, v)
	w.m.Invlpg(mmu.Linear(lin))
}

// ring puts the processor at a privilege level with that level's segments.
func (w *world) ring(cpl uint8) {
	cs, ss, sp := uint16(code0), uint16(data0), uint64(stack0-0x100)
	switch cpl {
	case 1:
		cs, ss, sp = code1|1, data1|1, stack1-0x100
	case 3:
		cs, ss, sp = code3|3, data3|3, stack3
	}
	w.r.CPL = cpl
	w.load(decode.CS, cs)
	w.load(decode.SS, ss)
	for _, reg := range []decode.SegReg{decode.DS, decode.ES, decode.FS, decode.GS} {
		w.load(reg, data3|3)
	}
	w.g[4] = sp
}

// load fills a segment register from the GDT without checks.
func (w *world) load(reg decode.SegReg, sel uint16) {
	d := descriptor(w.peek(gdtAt+uint64(sel&^7), 8))
	w.r.Seg[reg] = (&entry{descriptor: d}).segment(sel)
}

func (w *world) enterV86() {
	w.r.RFLAGS |= FlagVM | FlagIOPL
	w.r.CPL = 3
	w.r.RIP = 0x1234
	w.g[4] = 0x2000
	for reg, sel := range map[decode.SegReg]uint16{decode.CS: 0x4000, decode.SS: 0x5000, decode.DS: 0x100, decode.ES: 0x200, decode.FS: 0x300, decode.GS: 0x400} {
		w.r.Seg[reg] = Segment{Sel: sel, Base: uint64(sel) << 4, Limit: 0xffff, Attr: attrData | dpl(3)}
	}
}

func (w *world) poke(at uint64, n uint, v uint64) { w.m.Mem.Write(mmu.Phys(at), n, v) }
func (w *world) peek(at uint64, n uint) uint64    { return w.m.Mem.Read(mmu.Phys(at), n) }

func (w *world) gdt(sel uint16, d uint64) { w.poke(gdtAt+uint64(sel&^7), 8, d) }

// edit changes bits of a GDT descriptor's attributes.
func (w *world) edit(sel uint16, clear, set Attr) {
	at := gdtAt + uint64(sel&^7)
	w.poke(at, 8, w.peek(at, 8)&^(uint64(clear)<<40)|uint64(set)<<40)
}

func (w *world) idt(v Vector, g uint64) {
	if w.r.IDTR.Limit == 0xfff {
		w.poke(idtAt+uint64(v)*16, 8, g)
		return
	}
	w.poke(idtAt+uint64(v)*8, 8, g)
}

// stackWords writes words upwards from the current stack pointer.
func (w *world) stackWords(n uint, words ...uint64) {
	for i, v := range words {
		at := w.g[4] + uint64(i)*uint64(n)
		if at&^0xffff == 0 {
			at += w.r.Seg[decode.SS].Base
		}
		w.poke(at, n, v)
	}
}

func (w *world) record() *recorder {
	w.rec = &recorder{}
	w.core.Observe(w.rec)
	return w.rec
}

// attempt makes one attempt to deliver, without what follows from its fault.
func (w *world) attempt(ev Event) (Event, bool) {
	p := begin(w.fake)
	p.take(&ev)
	p.ext = ev.ext()
	return told(p.result(p.deliver(&ev)))
}

// thereAndBack delivers an interrupt at every level and returns from it, loads data
// segments there, and goes to the other task and back; then it puts the registers back.
// The TLB and the Core have seen what all that takes.
func (w *world) thereAndBack() {
	r, g, cr0 := w.r, w.g, w.m.Ctl.CR0
	good := func(fault *Event) { require.Nil(w.t, fault) }
	interrupt := func(size uint8) {
		out := delivered(w.fake, Event{Vector: 0x20, Kind: External, Return: w.r.RIP})
		require.Equal(w.t, uint8(1), out.N, "%v", out)
		good(IRET(w.fake, size, w.r.RIP))
	}
	long := w.m.Ctl.EFER&mmu.EFERLMA != 0
	switch {
	case cr0&mmu.CR0PE == 0:
		interrupt(2)
	case r.RFLAGS&FlagVM != 0:
		interrupt(4)
	default:
		size := uint8(4)
		if long {
			size = 8
		}
		for _, cpl := range []uint8{0, 1, 3} {
			w.ring(cpl)
			interrupt(size)
			good(LoadSegment(w.fake, decode.DS, data3|3))
			good(LoadSegment(w.fake, decode.ES, w.r.Seg[decode.SS].Sel))
			good(LoadSegment(w.fake, decode.SS, w.r.Seg[decode.SS].Sel))
		}
		w.ring(0)
		if !long {
			good(FarJump(w.fake, tss2Sel, 0, 4, w.r.RIP))
			good(FarJump(w.fake, tssSel, 0, 4, w.r.RIP))
			w.m.SetCR0(cr0)
		}
	}
	w.r, w.g = r, g
}

// memory is the guest's RAM without its page tables, whose A and D bits move.
func (w *world) memory() string {
	b := make([]byte, tables)
	w.m.Mem.ReadBytes(0, b)
	return string(b)
}

// told is an operation's answer as the tests take it.
func told(e *Event) (Event, bool) {
	if e == nil {
		return Event{}, true
	}
	return *e, false
}

// short prints a fault as the tests write it.
func short(e Event, ok bool) string {
	if ok {
		return "ok"
	}
	s := e.Vector.String()
	if e.HasCode {
		s += fmt.Sprintf("(%#x)", e.Code)
	}
	if e.Vector == VecPF {
		s += fmt.Sprintf(" %#x", e.CR2)
	}
	return s
}

// delivered delivers an event and tells how.
func delivered(c CPU, ev Event) Outcome {
	var out Outcome
	Deliver(c, &ev, &out)
	return out
}

package diff

// Mask says which parts of an answer nobody can be held to. The zero Mask lets
// everything count.
type Mask struct {
	Flags  uint64 // bits of RFLAGS
	GPR    [16]uint64
	Error  uint32 // bits of the error code
	CR2    uint64
	DR6    uint64
	Tables uint64 // bits of every entry of a page table
	Mem    []Word // bits of words of the arena
	Fields Fields // whole fields
	// Places is by how many units in the last place the significands of x87 registers
	// may differ, and SW are bits of the x87 status word.
	Places uint64
	SW     uint16
}

// join adds what another mask leaves out.
func (m *Mask) join(o *Mask) {
	m.Flags |= o.Flags
	for i := range m.GPR {
		m.GPR[i] |= o.GPR[i]
	}
	m.Error |= o.Error
	m.CR2 |= o.CR2
	m.DR6 |= o.DR6
	m.Tables |= o.Tables
	m.Mem = append(m.Mem, o.Mem...)
	m.Fields |= o.Fields
	m.Places = max(m.Places, o.Places)
	m.SW |= o.SW
}

// word is the bits of a word of the arena that count.
func (m *Mask) word(at Offset, table bool) uint64 {
	keep := ^uint64(0)
	if table {
		keep &^= m.Tables
	}
	for _, w := range m.Mem {
		if w.At == at {
			keep &^= w.Value
		}
	}
	return keep
}

// Compare gives the fields in which two answers to a case differ, of those
// that count. A silent answer differs from none. Answers that end differently
// differ in FieldEnd alone, and after a shutdown nothing else counts.
func (x *Context) Compare(a, b *Result, count Fields, m *Mask) Fields {
	count &^= m.Fields
	if a.End == Silent || b.End == Silent {
		return 0
	}
	if a.End != b.End || a.End == Trapped && a.Vector != b.Vector {
		return FieldEnd & count
	}
	if a.End == Shutdown {
		return 0
	}
	var d Fields
	p, q := &a.Regs, &b.Regs
	if a.End == Trapped && (a.HasError != b.HasError || (a.Error^b.Error)&^m.Error != 0) {
		d |= FieldError
	}
	if a.End == Trapped && a.Vector == vectorPF && (a.CR2^b.CR2)&^m.CR2 != 0 {
		d |= FieldCR2
	}
	for i := range p.GPR {
		if (p.GPR[i]^q.GPR[i])&^m.GPR[i] != 0 {
			d |= FieldGPR
		}
	}
	if p.RIP != q.RIP {
		d |= FieldRIP
	}
	if (p.RFLAGS^q.RFLAGS)&^m.Flags != 0 {
		d |= FieldFlags
	}
	if p.Seg != q.Seg || p.FSBase != q.FSBase || p.GSBase != q.GSBase || p.LDTR != q.LDTR || p.TR != q.TR {
		d |= FieldSeg
	}
	if p.Float != q.Float && !p.Float.like(&q.Float, m) {
		d |= FieldFloat
	}
	dr := q.DR
	dr[6] ^= (p.DR[6] ^ q.DR[6]) & m.DR6
	if p.CR0 != q.CR0 || p.CR2 != q.CR2 || p.CR3 != q.CR3 || p.CR4 != q.CR4 || p.EFER != q.EFER || p.PKRU != q.PKRU ||
		p.DR != dr || p.GDTR != q.GDTR || p.IDTR != q.IDTR {
		d |= FieldSystem
	}
	if count&(FieldMem|FieldTables) != 0 {
		x.eachWord(a, b, m, func(at Offset, _, _ uint64, table bool) {
			if table {
				d |= FieldTables
			} else {
				d |= FieldMem
			}
		})
	}
	return d & count
}

const vectorPF = 14

// eachWord calls visit for every word of the arena that two answers have
// different values for.
func (x *Context) eachWord(a, b *Result, m *Mask, visit func(at Offset, a, b uint64, table bool)) {
	p, q := a.Mem, b.Mem
	for len(p) > 0 || len(q) > 0 {
		var at Offset
		switch {
		case len(q) == 0 || len(p) > 0 && p[0].At < q[0].At:
			at = p[0].At
		default:
			at = q[0].At
		}
		var v, w uint64
		if len(p) > 0 && p[0].At == at {
			v, p = p[0].Value, p[1:]
		} else {
			v = x.Start(at)
		}
		if len(q) > 0 && q[0].At == at {
			w, q = q[0].Value, q[1:]
		} else {
			w = x.Start(at)
		}
		if v == w {
			continue
		}
		table := x.World.isTable(at)
		if (v^w)&m.word(at, table) != 0 {
			visit(at, v, w, table)
		}
	}
}

// isTable tells whether a word belongs to a page table.
func (w *World) isTable(at Offset) bool {
	for _, s := range w.Table {
		if s.Holds(at) {
			return true
		}
	}
	return false
}

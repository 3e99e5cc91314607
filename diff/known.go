package diff

import (
	"slices"
	"strings"
)

// Row is a difference that has been understood: a processor that departs from the
// manual, a defect of another emulator, what a kernel or hypervisor makes of an
// event. It says what exactly the other side shows, or it does not apply; a
// difference that it does not foretell to the bit stays unexplained.
type Row struct {
	// Name is one line, as a summary counts it: "AMD: CMPS reads [RDI] first".
	Name string
	// Oracles are the names of those that it is about, and Version is part of the
	// version of all of them: "AMD", "QEMU emulator version 7.2". Empty is any.
	Oracles []string
	Version string
	// Cite is the sentence that the difference is measured by, with its place.
	Cite string
	// Predict makes the right answer the one that the other side gives. It returns
	// false where the row says nothing about the case. The words of r.Mem may be
	// changed and appended to; SetWord keeps their order.
	Predict func(x *Context, r *Result) bool
	// Group takes the place of Predict for rows that meet in most of their cases: they
	// are foretold together.
	Group *Group
}

// Group foretells by several rows at once.
type Group struct {
	// Predict makes the right answer the one that the other side gives, and names the
	// rows that it took; none where they say nothing about the case.
	Predict func(x *Context, r *Result) []string
}

// about tells whether the row may explain an oracle.
func (row *Row) about(name, version string) bool {
	return (len(row.Oracles) == 0 || slices.Contains(row.Oracles, name)) && strings.Contains(version, row.Version)
}

// Explain finds the rows that make the right answer the other one: those of a group,
// one alone, else the first two or three that do together. Nil means that there are none.
func (x *Context) Explain(rows []Row, name, version string, right, other *Result, count Fields, m *Mask) []string {
	var apply []*Row
	var groups []*Group
	for i := range rows {
		row := &rows[i]
		switch {
		case !row.about(name, version):
		case row.Group == nil:
			apply = append(apply, row)
		case !slices.Contains(groups, row.Group):
			groups = append(groups, row.Group)
			r := right.clone()
			if names := row.Group.Predict(x, &r); len(names) > 0 && x.Compare(&r, other, count, m) == 0 {
				return names
			}
		}
	}
	for depth := 1; depth <= 3; depth++ {
		if names := x.explain(apply, depth, right, other, count, m); names != nil {
			return names
		}
	}
	return nil
}

// explain finds depth rows that do it, each made upon the answer of those before. What
// the manual leaves undefined about the answer foretold does not count either.
func (x *Context) explain(rows []*Row, depth int, right, other *Result, count Fields, m *Mask) []string {
	for i, row := range rows {
		r := right.clone()
		if !row.Predict(x, &r) {
			continue
		}
		if depth > 1 {
			others := slices.Delete(slices.Clone(rows), i, i+1)
			if names := x.explain(others, depth-1, &r, other, count, m); names != nil {
				return append([]string{row.Name}, names...)
			}
			continue
		}
		undefined, _ := x.MaskOf(&r)
		undefined.join(m)
		if x.Compare(&r, other, count, &undefined) == 0 {
			return []string{row.Name}
		}
	}
	return nil
}

// clone is a copy that shares nothing.
func (r *Result) clone() Result {
	n := *r
	n.Mem = slices.Clone(r.Mem)
	return n
}

// SetBytes changes bytes of the arena in an answer, size (1 to 8) of them from v.
func (x *Context) SetBytes(r *Result, at Offset, size int, v uint64) {
	for i := range size {
		b := at + Offset(i)
		w := r.word(x, b&^7)
		shift := b % 8 * 8
		w.Value = w.Value&^(0xff<<shift) | v>>(8*i)&0xff<<shift
	}
	r.Mem = slices.DeleteFunc(r.Mem, func(w Word) bool { return w.Value == x.Start(w.At) })
}

// AtLinear reads size (1 to 8) bytes at a linear address as an answer has them, or
// with nil as the case begins; what is not mapped is zero.
func (x *Context) AtLinear(r *Result, linear uint64, size int) (v uint64) {
	for i := range size {
		at, ok := x.World.Offset(linear + uint64(i))
		if !ok {
			continue
		}
		word := x.Start(at &^ 7)
		if r != nil {
			if n, changed := r.find(at &^ 7); changed {
				word = r.Mem[n].Value
			}
		}
		v |= word >> (at % 8 * 8) & 0xff << (8 * i)
	}
	return v
}

// SetLinear is SetBytes at a linear address; what is not mapped is lost.
func (x *Context) SetLinear(r *Result, linear uint64, size int, v uint64) {
	for i := range size {
		if at, ok := x.World.Offset(linear + uint64(i)); ok {
			x.SetBytes(r, at, 1, v>>(8*i)&0xff)
		}
	}
}

// find gives the place of a word among those that an answer has changed, or where
// it would be.
func (r *Result) find(at Offset) (place int, changed bool) {
	return slices.BinarySearchFunc(r.Mem, at, func(w Word, at Offset) int { return int(w.At) - int(at) })
}

// word finds a word in an answer, or adds it with the value that it began with.
func (r *Result) word(x *Context, at Offset) *Word {
	i, found := r.find(at)
	if !found {
		r.Mem = slices.Insert(r.Mem, i, Word{at, x.Start(at)})
	}
	return &r.Mem[i]
}

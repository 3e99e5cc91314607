package diff

import "fmt"

// World is what a case begins in: an arena full of bytes, the registers that a
// case has unless it says otherwise, and where things lie.
type World struct {
	Name  string
	User  bool   // a process at CPL 3; else a machine
	Arena []byte // ArenaSize bytes; read only
	Regs  Regs
	Maps  []Map  // linear addresses of its pages, as long as no case changes them
	Table []Span // page tables: compared as FieldTables
	// Hidden parts belong to whoever runs the case (a user world's descriptor tables
	// and supervisor stack) and are left out of results.
	Hidden []Span
}

// Map says that Len bytes at Linear are those of the arena at At.
type Map struct {
	Linear uint64
	At     Offset
	Len    int
}

// Span is a part of the arena.
type Span struct {
	At  Offset
	Len int
}

// Holds tells whether o lies in the span.
func (s Span) Holds(o Offset) bool { return o >= s.At && o-s.At < Offset(s.Len) }

// Offset finds the byte of the arena behind a linear address of the world.
func (w *World) Offset(linear uint64) (Offset, bool) {
	for _, m := range w.Maps {
		if linear-m.Linear < uint64(m.Len) {
			return m.At + Offset(linear-m.Linear), true
		}
	}
	return 0, false
}

// WorldByName finds a world. An error names the ones that there are.
func WorldByName(name string) (*World, error) {
	var names []string
	for _, w := range worlds {
		if w.name == name {
			return w.get(), nil
		}
		names = append(names, w.name)
	}
	return nil, fmt.Errorf("no world %q: there are %v", name, names)
}

// worlds are made when they are first asked for.
var worlds = []struct {
	name string
	get  func() *World
}{
	{"user", userWorld},
	{"sys32", sys32World},
	{"sys64", sys64World},
	{"paging32", paging32},
	{"pagingpae", pagingPAE},
	{"paging4", paging4},
	{"paging5", paging5},
}

package debug

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"

	"x86emu/machine"
	"x86emu/mmu"
)

// Place is what a program's own tables say of an address.
type Place struct {
	Symbol string `json:"symbol,omitempty"`
	Offset uint64 `json:"offset"` // from the symbol
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"`
}

// String is "symbol+0x12 (file.c:34)", as far as it is known.
func (p *Place) String() string {
	if p == nil {
		return ""
	}
	s := p.Symbol
	if p.Symbol != "" && p.Offset != 0 {
		s += fmt.Sprintf("+0x%x", p.Offset)
	}
	if p.File == "" {
		return s
	}
	if s == "" {
		return fmt.Sprintf("%s:%d", p.File, p.Line)
	}
	return fmt.Sprintf("%s (%s:%d)", s, p.File, p.Line)
}

// Symbols tells names and source lines of linear addresses, by the symbol
// table and the DWARF line tables of an ELF file. A nil Symbols knows none.
type Symbols struct {
	names []symbol // sorted by address
	lines lineTable
	moved []moved
}

type symbol struct {
	addr, end uint64
	name      string
}

// maxSymbols bounds what is taken from a file.
const maxSymbols = 4 << 20

// LoadSymbols reads the tables of an ELF file. A file that is no ELF, or has no
// tables, gives a Symbols that knows nothing. The error tells of damaged
// tables, in one line; the Symbols that comes with it knows what could be read.
func LoadSymbols(file []byte) (*Symbols, error) {
	s := &Symbols{}
	if !bytes.HasPrefix(file, []byte("\x7fELF")) {
		return s, nil
	}
	f, err := parseELF(file)
	if err != nil {
		return s, fmt.Errorf("symbols: the ELF file: %w", err)
	}
	s.moved = f.moved
	if err := s.loadNames(f); err != nil {
		return s, fmt.Errorf("symbols: %w", err)
	}
	if err := s.lines.load(f); err != nil {
		return s, fmt.Errorf("source lines: %w", err)
	}
	return s, nil
}

// Kinds of symbols: a label of assembler code, data, a function.
const symNone, symObject, symFunc = 0, 1, 2

// loadNames takes the symbols that name code or data in the program's memory.
// [ELF-64 Object File Format, Symbol table]
func (s *Symbols) loadNames(f *elfFile) error {
	i := slices.IndexFunc(f.sections, func(s section) bool { return s.kind == elfSymtab })
	if i < 0 {
		return nil
	}
	table, err := f.read(&f.sections[i])
	if err != nil {
		return err
	}
	if f.sections[i].link >= uint64(len(f.sections)) {
		return errors.New("the symbol table has no names")
	}
	names, err := f.read(&f.sections[f.sections[i].link])
	if err != nil {
		return err
	}
	for r := (reader{b: table}); len(r.b) > 0 && len(s.names) < maxSymbols; {
		var y symbol
		var size, info, at uint64
		name := r.number(4)
		if f.wide {
			info, _, at, y.addr, size = r.number(1), r.number(1), r.number(2), r.number(8), r.number(8)
		} else {
			y.addr, size, info, _, at = r.number(4), r.number(4), r.number(1), r.number(1), r.number(2)
		}
		kind := info & 15
		if r.bad || at == 0 || at >= uint64(len(f.sections)) || kind != symNone && kind != symObject && kind != symFunc {
			continue
		}
		sec := &f.sections[at]
		y.end = sec.addr + sec.size
		if size != 0 {
			y.end = y.addr + size
		}
		if y.name, _ = textAt(names, name); y.name != "" && sec.flags&flagAlloc != 0 && y.end > y.addr {
			y.name = printable(y.name)
			s.names = append(s.names, y)
		}
	}
	slices.SortStableFunc(s.names, func(a, b symbol) int { return cmp.Compare(a.addr, b.addr) })
	return nil
}

// At tells what is known of an address; nil is nothing.
func (s *Symbols) At(lin uint64) *Place {
	if s == nil {
		return nil
	}
	var p Place
	if y := s.symbol(lin); y != nil {
		p.Symbol, p.Offset = y.name, lin-y.addr
	}
	p.File, p.Line = s.lines.at(lin)
	if p == (Place{}) {
		return nil
	}
	return &p
}

// AtPhys is At for code that runs with paging off: a kernel that is linked high
// begins where it is loaded.
func (s *Symbols) AtPhys(p uint64) *Place {
	if s == nil {
		return nil
	}
	for _, m := range s.moved {
		if p-m.phys < m.size {
			return s.At(p - m.phys + m.lin)
		}
	}
	return s.At(p)
}

// On is At for an address of a machine as it stands: without paging, AtPhys.
func (s *Symbols) On(m *machine.Machine, lin uint64) *Place {
	if m.MMU.Mode() == mmu.ModeNone {
		return s.AtPhys(lin)
	}
	return s.At(lin)
}

// Lookup gives the address of a symbol.
func (s *Symbols) Lookup(name string) (lin uint64, ok bool) {
	if s == nil {
		return 0, false
	}
	i := slices.IndexFunc(s.names, func(y symbol) bool { return y.name == name })
	if i < 0 {
		return 0, false
	}
	return s.names[i].addr, true
}

// symbol finds the nearest symbol at or below an address, if it reaches over it.
func (s *Symbols) symbol(lin uint64) *symbol {
	next, _ := slices.BinarySearchFunc(s.names, lin, func(y symbol, lin uint64) int {
		if y.addr <= lin {
			return -1
		}
		return 1
	})
	for i := next - 1; i >= 0 && s.names[i].addr == s.names[next-1].addr; i-- {
		if s.names[i].end > lin {
			return &s.names[i]
		}
	}
	return nil
}

// printable makes a name of a file fit for one line of a terminal.
func printable(name string) string {
	if q := fmt.Sprintf("%q", name); q != `"`+name+`"` {
		return q
	}
	return name
}

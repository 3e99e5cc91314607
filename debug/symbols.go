package debug

import (
	"bytes"
	"cmp"
	"debug/dwarf"
	"debug/elf"
	"errors"
	"fmt"
	"slices"
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
	funcs []symbol // sorted by address
	loads []moved
	lines *dwarf.Data
	seen  map[uint64]*Place
	err   error
}

type symbol struct {
	addr, end uint64
	name      string
}

// moved is a segment that runs at another address than that it is loaded at.
type moved struct{ phys, lin, size uint64 }

// Bounds of what is taken from a file: a kernel with all its debug information
// stays below them.
const (
	maxSymbols = 4 << 20
	maxDebug   = 1 << 30 // bytes of a debug section, decompressed
)

// LoadSymbols reads the tables of an ELF file. A file that is no ELF, or has no
// tables, gives a Symbols that knows nothing. The error tells of damaged
// tables; the Symbols that comes with it knows what could be read.
func LoadSymbols(file []byte) (*Symbols, error) {
	s := &Symbols{seen: map[uint64]*Place{}}
	if !bytes.HasPrefix(file, []byte(elf.ELFMAG)) {
		return s, nil
	}
	err := guarded("symbols", func() error { return s.load(file) })
	return s, err
}

func (s *Symbols) load(file []byte) error {
	f, err := elf.NewFile(bytes.NewReader(file))
	if err != nil {
		return fmt.Errorf("symbols: %w", err)
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_LOAD && p.Paddr != p.Vaddr {
			s.loads = append(s.loads, moved{p.Paddr, p.Vaddr, p.Memsz})
		}
	}
	bad := s.loadNames(f)
	lines := false
	for _, sec := range f.Sections {
		if sec.Type != elf.SHT_NOBITS && sec.Size > maxDebug {
			return errors.Join(bad, fmt.Errorf("symbols: section %q claims %d bytes", sec.Name, sec.Size))
		}
		lines = lines || sec.Name == ".debug_line" || sec.Name == ".zdebug_line"
	}
	if !lines {
		return bad
	}
	data, err := f.DWARF()
	if err != nil {
		return errors.Join(bad, fmt.Errorf("source lines: %w", err))
	}
	s.lines = data
	return bad
}

// loadNames takes what names code or data at an address of the program.
func (s *Symbols) loadNames(f *elf.File) error {
	all, err := f.Symbols()
	if err != nil && !errors.Is(err, elf.ErrNoSymbols) {
		return fmt.Errorf("symbols: %w", err)
	}
	for _, y := range all {
		kind := elf.ST_TYPE(y.Info)
		if y.Name == "" || int(y.Section) >= len(f.Sections) || y.Section == elf.SHN_UNDEF ||
			kind != elf.STT_NOTYPE && kind != elf.STT_FUNC && kind != elf.STT_OBJECT || len(s.funcs) == maxSymbols {
			continue
		}
		sec := f.Sections[y.Section]
		end := sec.Addr + sec.Size
		if y.Size != 0 {
			end = y.Value + y.Size
		}
		if sec.Flags&elf.SHF_ALLOC != 0 && end > y.Value {
			s.funcs = append(s.funcs, symbol{y.Value, end, printable(y.Name)})
		}
	}
	slices.SortStableFunc(s.funcs, func(a, b symbol) int { return cmp.Compare(a.addr, b.addr) })
	return nil
}

// At tells what is known of an address; nil is nothing.
func (s *Symbols) At(lin uint64) *Place {
	if s == nil {
		return nil
	}
	if p, ok := s.seen[lin]; ok {
		return p
	}
	var p Place
	if y := s.symbol(lin); y != nil {
		p.Symbol, p.Offset = y.name, lin-y.addr
	}
	if s.lines != nil {
		if err := guarded("source lines", func() error { return s.line(lin, &p) }); err != nil {
			s.lines, s.err = nil, err
		}
	}
	found := &p
	if p == (Place{}) {
		found = nil
	}
	s.seen[lin] = found
	return found
}

// AtPhys is At for code that runs with paging off: a kernel that is linked high
// begins where it is loaded.
func (s *Symbols) AtPhys(p uint64) *Place {
	if s == nil {
		return nil
	}
	for _, l := range s.loads {
		if p-l.phys < l.size {
			return s.At(p - l.phys + l.lin)
		}
	}
	return s.At(p)
}

// Err is the damage that an At came upon, after which there are no source lines
// any more.
func (s *Symbols) Err() error {
	if s == nil {
		return nil
	}
	return s.err
}

// Lookup gives the address of a symbol.
func (s *Symbols) Lookup(name string) (lin uint64, ok bool) {
	if s == nil {
		return 0, false
	}
	i := slices.IndexFunc(s.funcs, func(y symbol) bool { return y.name == name })
	if i < 0 {
		return 0, false
	}
	return s.funcs[i].addr, true
}

// symbol finds the nearest symbol at or below an address that reaches over it.
func (s *Symbols) symbol(lin uint64) *symbol {
	i, _ := slices.BinarySearchFunc(s.funcs, lin, func(y symbol, lin uint64) int {
		if y.addr <= lin {
			return -1
		}
		return 1
	})
	for i--; i >= 0; i-- {
		if y := &s.funcs[i]; y.end > lin {
			return y
		}
		if i > 0 && s.funcs[i-1].addr != s.funcs[i].addr {
			break
		}
	}
	return nil
}

// line finds the source line of an address.
func (s *Symbols) line(lin uint64, p *Place) error {
	unit, err := s.lines.Reader().SeekPC(lin)
	if errors.Is(err, dwarf.ErrUnknownPC) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("source lines: %w", err)
	}
	r, err := s.lines.LineReader(unit)
	if err != nil {
		return fmt.Errorf("source lines: %w", err)
	}
	if r == nil {
		return nil
	}
	var e dwarf.LineEntry
	if err := r.SeekPC(lin, &e); errors.Is(err, dwarf.ErrUnknownPC) {
		return nil
	} else if err != nil {
		return fmt.Errorf("source lines: %w", err)
	}
	if e.File != nil && e.Line > 0 {
		p.File, p.Line = printable(e.File.Name), e.Line
	}
	return nil
}

// guarded runs a reader of the standard library over foreign bytes. Such a
// reader may panic on damage that it did not foresee; to a debugger that is
// damage like any other.
func guarded(what string, f func() error) (err error) {
	defer func() {
		if e := recover(); e != nil {
			err = fmt.Errorf("%s: damaged: %v", what, e)
		}
	}()
	return f()
}

// maxName bounds a name taken from a file, in bytes.
const maxName = 256

// printable makes a name of the file fit for one line of a terminal.
func printable(name string) string {
	if len(name) > maxName {
		name = name[:maxName] + "..."
	}
	q := fmt.Sprintf("%q", name)
	if q == `"`+name+`"` {
		return name
	}
	return q
}

package debug

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"slices"
)

// lineTable tells the source line of an address: the line number programs of
// .debug_line, versions 2 to 5, run once. Nothing else of DWARF is read, so
// that damage elsewhere does no harm.
// [DWARF 5, Line Number Information]
type lineTable struct {
	rows  []lineRow // sorted by address
	files []string
	known map[string]uint32 // index of files, while they are read
}

// lineRow says that from addr on, up to the next row, the code is of a line.
type lineRow struct {
	addr uint64
	file uint32 // index of files
	line uint32 // 0 where a sequence of code ends; with inside, if no statement begins there
}

// inside marks a row in the midst of a statement: a poor place for a breakpoint,
// or to stop a step at.
const inside = 1 << 31

func (r lineRow) number() int { return int(r.line &^ inside) }

// load reads the line tables. What was read before an error stays.
func (t *lineTable) load(f *elfFile) error {
	lines, err := f.read(f.section(".debug_line"))
	if err != nil {
		return err
	}
	t.known = map[string]uint32{}
	defer func() { t.known = nil }()
	u := lineUnit{table: t}
	if u.lineStrings, err = f.read(f.section(".debug_line_str")); err != nil {
		return err
	}
	if u.strings, err = f.read(f.section(".debug_str")); err != nil {
		return err
	}
	for r := (reader{b: lines}); len(r.b) > 0 && err == nil; {
		err = u.read(&r)
	}
	// A sequence may begin where another one ends.
	slices.SortStableFunc(t.rows, func(a, b lineRow) int {
		return cmp.Or(cmp.Compare(a.addr, b.addr), cmp.Compare(min(a.number(), 1), min(b.number(), 1)))
	})
	return err
}

// at gives the file and line of an address, or "" and 0.
func (t *lineTable) at(lin uint64) (string, int) {
	i, _ := slices.BinarySearchFunc(t.rows, lin, func(r lineRow, lin uint64) int {
		if r.addr <= lin {
			return -1
		}
		return 1
	})
	if i == 0 || t.rows[i-1].number() == 0 {
		return "", 0
	}
	r := t.rows[i-1]
	return t.files[r.file], r.number()
}

// lineUnit is one compilation unit's part of .debug_line.
type lineUnit struct {
	table                *lineTable
	lineStrings, strings []byte

	version      uint64
	word         uint64 // size of an offset: 4 or 8
	dirs         []string
	files        []uint32 // of the unit's file numbers: index of table.files
	minLength    uint64
	statement    bool // rows begin statements, until told otherwise
	lineBase     int64
	lineRange    uint64
	opcodeBase   uint64
	operandCount []byte
}

// Bounds of what is taken from a file.
const (
	maxLineRows  = 16 << 20
	maxLineFiles = 1 << 18
)

var (
	errLines   = errors.New("a line table is damaged")
	errTooMuch = fmt.Errorf("more than %d lines or %d files", maxLineRows, maxLineFiles)
)

// read reads one unit off the section.
func (u *lineUnit) read(section *reader) error {
	u.word = 4
	n := section.number(4)
	if n == 0xffffffff {
		u.word, n = 8, section.number(8)
	}
	r := reader{b: section.take(n)}
	u.version = r.number(2)
	if section.bad || r.bad {
		return errLines
	}
	if u.version < 2 || u.version > 5 {
		return fmt.Errorf("a line table of version %d: versions 2 to 5 are known", u.version)
	}
	if u.version == 5 {
		r.take(2) // sizes of an address and of a segment selector
	}
	header := reader{b: r.take(r.number(u.word))}
	u.minLength = header.number(1)
	if u.version >= 4 {
		header.take(1) // operations of an instruction: 1 on this processor
	}
	u.statement = header.number(1) != 0
	u.lineBase = int64(int8(header.number(1)))
	u.lineRange, u.opcodeBase = header.number(1), header.number(1)
	u.operandCount = header.take(u.opcodeBase - 1)
	u.dirs, u.files = u.dirs[:0], u.files[:0]
	if u.version == 5 {
		u.names(&header, func(name string, _ uint64) { u.dirs = append(u.dirs, name) })
		u.names(&header, u.addFile)
	} else {
		u.oldNames(&header)
	}
	if r.bad || header.bad || u.lineRange == 0 {
		return errLines
	}
	if len(u.table.files) >= maxLineFiles {
		return errTooMuch
	}
	return u.run(&r)
}

// oldNames reads the names of directories and files of versions 2 to 4, which
// are numbered from 1 on.
func (u *lineUnit) oldNames(r *reader) {
	u.dirs = append(u.dirs, "")
	for name := r.text(); name != ""; name = r.text() {
		u.dirs = append(u.dirs, name)
	}
	u.addFile("?", 0)
	for name := r.text(); name != ""; name = r.text() {
		dir := r.uleb()
		r.uleb() // time
		r.uleb() // size
		u.addFile(name, dir)
	}
}

// What an entry of a version 5 name tells, and in which form.
// [DWARF 5, Line Number Entry Format; Form encodings]
const (
	entryPath, entryDir = 1, 2

	formData2, formData4, formData8, formString, formBlock = 0x05, 0x06, 0x07, 0x08, 0x09
	formData1, formStrp, formUdata, formData16, formLine   = 0x0b, 0x0e, 0x0f, 0x1e, 0x1f
)

// names reads one of the two lists of names of version 5.
func (u *lineUnit) names(r *reader, add func(name string, dir uint64)) {
	format := make([][2]uint64, r.number(1))
	for i := range format {
		format[i] = [2]uint64{r.uleb(), r.uleb()}
	}
	n := r.uleb()
	if len(format) == 0 && n > 0 {
		r.bad = true
	}
	for ; n > 0 && !r.bad; n-- {
		var name string
		var dir uint64
		for _, f := range format {
			text, v := u.form(r, f[1])
			switch f[0] {
			case entryPath:
				name = text
			case entryDir:
				dir = v
			}
		}
		if !r.bad {
			add(name, dir)
		}
	}
}

// form reads a value in a form. One that is not known here ends the reading.
func (u *lineUnit) form(r *reader, form uint64) (text string, v uint64) {
	switch form {
	case formString:
		return r.text(), 0
	case formLine:
		text, _ = textAt(u.lineStrings, r.number(u.word))
	case formStrp:
		text, _ = textAt(u.strings, r.number(u.word))
	case formData1:
		v = r.number(1)
	case formData2:
		v = r.number(2)
	case formData4:
		v = r.number(4)
	case formData8:
		v = r.number(8)
	case formData16:
		r.take(16)
	case formUdata:
		v = r.uleb()
	case formBlock:
		r.take(r.uleb())
	default:
		r.bad = true
	}
	return text, v
}

// addFile takes a file's name, with its directory unless that is the one that
// the compiler ran in. Units name the same headers over and over.
func (u *lineUnit) addFile(name string, dir uint64) {
	if dir > 0 && dir < uint64(len(u.dirs)) && !path.IsAbs(name) {
		name = path.Join(u.dirs[dir], name)
	}
	t := u.table
	i, ok := t.known[name]
	if !ok {
		if len(t.files) >= maxLineFiles {
			return
		}
		i = uint32(len(t.files))
		t.known[name], t.files = i, append(t.files, printable(name))
	}
	u.files = append(u.files, i)
}

// Standard and extended opcodes. [DWARF 5, Standard Opcodes; Extended Opcodes]
const (
	opExtended, opCopy, opAdvancePC, opAdvanceLine, opSetFile = 0, 1, 2, 3, 4
	opNegateStatement, opConstAddPC, opFixedAdvancePC         = 6, 8, 9

	opEndSequence, opSetAddress = 1, 2
)

// run runs a line number program.
func (u *lineUnit) run(r *reader) error {
	addr, file, line := uint64(0), uint64(1), int64(1)
	statement := u.statement
	first := len(u.table.rows)
	row := func(line int64) {
		if line >= 0 && line < 1<<31 && file < uint64(len(u.files)) {
			r := lineRow{addr, u.files[file], uint32(line)}
			if !statement && line > 0 {
				r.line |= inside
			}
			u.table.rows = append(u.table.rows, r)
		}
	}
	for len(r.b) > 0 {
		op := r.number(1)
		if op >= u.opcodeBase {
			op -= u.opcodeBase
			addr += op / u.lineRange * u.minLength
			line += u.lineBase + int64(op%u.lineRange)
			row(line)
			continue
		}
		switch op {
		case opExtended:
			e := reader{b: r.take(r.uleb())}
			switch e.number(1) {
			case opEndSequence:
				row(0)
				if first < len(u.table.rows) && u.table.rows[first].addr == 0 {
					// Code that the linker has left out.
					u.table.rows = u.table.rows[:first]
				}
				addr, file, line, statement, first = 0, 1, 1, u.statement, len(u.table.rows)
			case opSetAddress:
				addr = e.number(min(uint64(len(e.b)), 8))
			}
		case opCopy:
			row(line)
		case opAdvancePC:
			addr += r.uleb() * u.minLength
		case opAdvanceLine:
			line += r.sleb()
		case opSetFile:
			file = r.uleb()
		case opNegateStatement:
			statement = !statement
		case opConstAddPC:
			addr += (255 - u.opcodeBase) / u.lineRange * u.minLength
		case opFixedAdvancePC:
			addr += r.number(2)
		default:
			for range u.operandCount[op-1] {
				r.uleb()
			}
		}
		if r.bad {
			return errLines
		}
		if len(u.table.rows) >= maxLineRows {
			return errTooMuch
		}
	}
	return nil
}

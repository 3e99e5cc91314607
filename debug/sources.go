package debug

import (
	"cmp"
	"slices"
)

// This file asks the line tables the other way round: from a source line to the
// code that was made of it.

// Files are the source files that the line tables name, each once, sorted.
func (s *Symbols) Files() []string {
	if s == nil {
		return nil
	}
	all := slices.Clone(s.lines.files)
	slices.Sort(all)
	return slices.Compact(all)
}

// maxStarts bounds the places of one source line.
const maxStarts = 256

// Line finds the code of a source line, or of the next line below it that has
// code: the address at which each stretch of it begins, in order. A file is
// named as Files has it; starts is nil if there is no such code.
func (s *Symbols) Line(file string, line int) (found int, starts []uint64) {
	if s == nil {
		return 0, nil
	}
	rows := s.lines.rows
	for i, r := range rows {
		n := r.number()
		if s.lines.files[r.file] != file || n == 0 || n < line || r.line&inside != 0 {
			continue
		}
		if starts == nil || n < found {
			found, starts = n, starts[:0]
		}
		goesOn := i > 0 && rows[i-1].number() == n && s.lines.files[rows[i-1].file] == file
		if n == found && !goesOn && len(starts) < maxStarts && !slices.Contains(starts, r.addr) {
			starts = append(starts, r.addr)
		}
	}
	return found, starts
}

// Lines are the lines of a file from first to last that have code, in order.
func (s *Symbols) Lines(file string, first, last int) []int {
	if s == nil {
		return nil
	}
	var all []int
	for _, r := range s.lines.rows {
		if n := r.number(); n != 0 && n >= first && n <= last && r.line&inside == 0 && s.lines.files[r.file] == file {
			all = append(all, n)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// BeginsLine tells whether a statement of a source line begins at an address.
func (s *Symbols) BeginsLine(lin uint64) bool {
	if s == nil {
		return false
	}
	rows := s.lines.rows
	i, _ := slices.BinarySearchFunc(rows, lin, func(r lineRow, lin uint64) int { return cmp.Compare(r.addr, lin) })
	for ; i < len(rows) && rows[i].addr == lin; i++ {
		if rows[i].number() != 0 && rows[i].line&inside == 0 {
			return true
		}
	}
	return false
}

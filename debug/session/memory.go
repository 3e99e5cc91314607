package session

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"

	"x86emu/cpu"
	"x86emu/debug"
	"x86emu/decode"
	"x86emu/idt"
	"x86emu/machine"
	"x86emu/mmu"
)

// How much a Frame has of code and data around the place looked at, and how far
// code is disassembled before it, in bytes.
const (
	codeBytes  = 1024
	codeBefore = 256
	wordsAbove = 128
	wordsBelow = 32
)

// code disassembles around the place looked at. Where an instruction begins
// before it is told by the symbol there, or guessed.
func (s *Session) code(m *machine.Machine) (all []CodeLine, at int) {
	now := uint64(m.CPU.CodeAt())
	center := now
	if s.codeAt != nil {
		center = *s.codeAt
	}
	var symbol, file string
	line := func(addr uint64, code []byte, text string) {
		p := s.place(m, addr)
		if p != nil && p.Symbol != "" && p.Symbol != symbol {
			symbol = p.Symbol
			all = append(all, CodeLine{Label: s.named(m, addr) + ":", Addr: addr})
		}
		l := CodeLine{Addr: addr, Bytes: hex.EncodeToString(code), Text: text, Now: addr == now}
		if p != nil && p.File != "" {
			if where := fmt.Sprintf("%s:%d", p.File, p.Line); where != file {
				l.Place, file = where, where
			}
		}
		for _, b := range s.breaks {
			if c, ok := b.Condition.(debug.AtAddress); ok && uint64(c.Linear) == addr && !b.Off {
				l.Break = true
			}
		}
		if addr == center {
			at = len(all)
		}
		all = append(all, l)
	}
	s.disassemble(m, s.begins(m, center), center, line)
	var buf [codeBytes]byte
	n := debug.Peek(m, mmu.Linear(center), buf[:])
	if n == 0 {
		line(center, nil, "(cannot be read)")
		return all, at
	}
	s.disassemble(m, center, center+uint64(n), line)
	return all, at
}

// disassemble tells the instructions from one address up to another.
func (s *Session) disassemble(m *machine.Machine, from, to uint64, line func(addr uint64, code []byte, text string)) {
	code := make([]byte, to-from)
	code = code[:debug.Peek(m, mmu.Linear(from), code)]
	d := decode.Decoder{Features: m.CPU.Model.Features}
	var in decode.Inst
	for len(code) > 0 {
		text, n := "(bad)", 1
		switch d.Decode(&in, code[:min(len(code), 15)], modeOf(m)) {
		case decode.OK:
			text, n = in.Intel(from), int(in.Len)
		case decode.NeedMore:
			return
		}
		line(from, code[:n], text)
		code, from = code[n:], from+uint64(n)
	}
}

// begins finds an address before another from which the instructions come out
// at the other.
func (s *Session) begins(m *machine.Machine, at uint64) uint64 {
	first := at - min(at, codeBefore)
	if p := s.place(m, at); p != nil && p.Symbol != "" && p.Offset <= codeBefore {
		first = at - p.Offset
	}
	var buf [codeBefore]byte
	for from := first; from < at; from++ {
		code := buf[:at-from]
		if debug.Peek(m, mmu.Linear(from), code) == len(code) && s.comesOut(m, code) {
			return from
		}
	}
	return at
}

// comesOut tells whether code is a row of whole instructions.
func (s *Session) comesOut(m *machine.Machine, code []byte) bool {
	d := decode.Decoder{Features: m.CPU.Model.Features}
	var in decode.Inst
	for len(code) > 0 {
		if d.Decode(&in, code[:min(len(code), 15)], modeOf(m)) != decode.OK {
			return false
		}
		code = code[in.Len:]
	}
	return true
}

// Instructions lists so many instructions, from the one at an address on or
// from a number of instructions before or after it. Bytes that are no
// instruction count as one each, told as "(bad)" or, where nothing can be read,
// as "(cannot be read)"; in front of address 0 are lines of no bytes, too.
func (s *Session) Instructions(at uint64, skip, count int) []CodeLine {
	m, _ := s.present()
	var all []CodeLine
	add := func(addr uint64, code []byte, text string) {
		l := CodeLine{Addr: addr, Bytes: hex.EncodeToString(code), Text: text}
		if p := s.place(m, addr); p != nil {
			l.Label, l.Source, l.Line = p.Symbol, p.File, p.Line
			if p.Offset != 0 {
				l.Label = ""
			}
		}
		all = append(all, l)
	}
	// What comes before, a stretch at a time, each before the one found last.
	var before [][]CodeLine
	found, from := 0, at
	for found < -skip && from > 0 {
		to := from
		if from = s.begins(m, to); from < to {
			s.disassemble(m, from, to, add)
		}
		if len(all) == 0 {
			from = to - 1
			add(from, nil, unreadable(m, from))
		}
		found += len(all)
		before, all = append(before, all), nil
	}
	for _, part := range slices.Backward(before) {
		all = append(all, part...)
	}
	for range max(0, -skip-found) {
		all = slices.Insert(all, 0, CodeLine{Text: unreadableText})
	}
	first := max(0, found+skip)
	if skip > 0 {
		first = skip
	}
	for next := at; len(all) < first+count; {
		n := len(all)
		s.disassemble(m, next, next+min(codeBytes, -next-1), add)
		if len(all) == n {
			add(next, nil, unreadable(m, next))
			next++
			continue
		}
		last := all[len(all)-1]
		next = last.Addr + uint64(len(last.Bytes)/2)
	}
	return all[first : first+count]
}

const unreadableText = "(cannot be read)"

// unreadable tells why a byte is not shown as an instruction.
func unreadable(m *machine.Machine, at uint64) string {
	var b [1]byte
	if debug.Peek(m, mmu.Linear(at), b[:]) == 0 {
		return unreadableText
	}
	return "(bad)"
}

// stack lists the words at the stack pointer, or at the place looked at.
func (s *Session) stack(m *machine.Machine, st *cpu.State) (all []DataLine, at int) {
	size, sp := uint64(2), st.GPR[4]
	ss := &st.Seg[decode.SS]
	switch {
	case modeOf(m) == decode.Mode64:
		size = 8
	case ss.Attr&idt.AttrDB != 0:
		size, sp = 4, uint64(uint32(ss.Base+sp))
	default:
		sp = uint64(uint32(ss.Base + sp&0xffff))
	}
	center := sp
	if s.dataAt != nil {
		center = *s.dataAt
	}
	fresh := map[uint64]string{}
	for i := 0; i <= s.at; i++ {
		if p := s.stages[i].Push; p != nil {
			fresh[uint64(p.Lin)] = p.Name
		}
	}
	at = int(min(wordsBelow, center/size))
	addr := center - uint64(at)*size
	for range at + wordsAbove {
		l := DataLine{Addr: addr, Value: "?", SP: addr == sp}
		var b [8]byte
		if debug.Peek(m, mmu.Linear(addr), b[:size]) == int(size) {
			v := binary.LittleEndian.Uint64(b[:])
			l.Value = fmt.Sprintf("%0*x", 2*size, v)
			l.Text = printable(string(b[:size]))
			l.Place = s.named(m, v)
		}
		if name, ok := fresh[addr]; ok {
			l.Fresh, l.Place = true, name
		}
		all = append(all, l)
		if addr += size; addr < size {
			break
		}
	}
	return all, at
}

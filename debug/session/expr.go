package session

import (
	"fmt"
	"strconv"
	"strings"

	"x86emu/cpu"
	"x86emu/debug"
	"x86emu/machine"
)

// Reader reads what a user writes of a machine: addresses, conditions, tests.
type Reader struct {
	Machine *machine.Machine
	State   cpu.State      // its registers
	Symbols *debug.Symbols // nil: none
}

// reader is that of what is shown.
func (s *Session) reader() *Reader {
	m, st := s.present()
	return &Reader{Machine: m, State: st, Symbols: s.o.Symbols}
}

// Address is Reader.Address, with the registers that are shown.
func (s *Session) Address(text string) (uint64, error) { return s.reader().Address(text) }

// Test is Reader.Test, with the registers that are shown.
func (s *Session) Test(text string) (*debug.Test, error) { return s.reader().Test(text) }

// Address reads an address: a number, a symbol or a register ($eip, $rsp, $cr2),
// and what is added to it or taken from it.
func (r *Reader) Address(text string) (uint64, error) {
	e, err := r.expression(text)
	if err != nil {
		return 0, err
	}
	return e.value(r.Machine, &r.State), nil
}

// Test reads what must hold of the machine: two addresses in the words of
// Address, with ==, !=, <, <=, > or >= between them. Numbers have no sign.
func (r *Reader) Test(text string) (*debug.Test, error) {
	i := strings.IndexAny(text, "=!<>")
	if i < 0 {
		return nil, fmt.Errorf("%q: must be a comparison such as $eax == 5", text)
	}
	op, rest := text[i:i+1], text[i+1:]
	if strings.HasPrefix(rest, "=") {
		op, rest = op+"=", rest[1:]
	}
	holds, ok := map[string]func(a, b uint64) bool{
		"==": func(a, b uint64) bool { return a == b },
		"!=": func(a, b uint64) bool { return a != b },
		"<":  func(a, b uint64) bool { return a < b },
		"<=": func(a, b uint64) bool { return a <= b },
		">":  func(a, b uint64) bool { return a > b },
		">=": func(a, b uint64) bool { return a >= b },
	}[op]
	if !ok {
		return nil, fmt.Errorf("%q: comparisons are ==, !=, <, <=, > and >=", op)
	}
	left, err := r.expression(strings.TrimSpace(text[:i]))
	if err != nil {
		return nil, err
	}
	right, err := r.expression(strings.TrimSpace(rest))
	if err != nil {
		return nil, err
	}
	return &debug.Test{Text: text, Holds: func(m *machine.Machine) bool {
		st := m.CPU.State()
		return holds(left.value(m, &st), right.value(m, &st))
	}}, nil
}

// expression is a sum of numbers and registers.
type expression []term

type term struct {
	value    uint64
	register string // if not empty, the value is the register's
	minus    bool
}

// maxTerms bounds the terms of an expression.
const maxTerms = 64

// expression reads a sum.
func (r *Reader) expression(text string) (expression, error) {
	var e expression
	for rest, minus := text, false; ; {
		word, sign := rest, byte(0)
		if i := strings.IndexAny(rest, "+-"); i >= 0 {
			word, sign, rest = rest[:i], rest[i], rest[i+1:]
		}
		t, err := r.term(strings.TrimSpace(word))
		if err != nil {
			return nil, err
		}
		t.minus = minus
		if e = append(e, t); sign == 0 {
			return e, nil
		}
		if len(e) == maxTerms {
			return nil, fmt.Errorf("an address of more than %d terms", maxTerms)
		}
		minus = sign == '-'
	}
}

func (r *Reader) term(text string) (term, error) {
	if v, err := strconv.ParseUint(text, 0, 64); err == nil {
		return term{value: v}, nil
	}
	if name, ok := strings.CutPrefix(text, "$"); ok {
		name = strings.ToLower(name)
		if _, ok := register(r.Machine, &r.State, name); ok {
			return term{register: name}, nil
		}
	}
	if v, ok := r.Symbols.Lookup(text); ok {
		return term{value: v}, nil
	}
	return term{}, fmt.Errorf("%q: neither a number, nor a symbol, nor a register such as $rsp", text)
}

// value is the sum as a machine has it.
func (e expression) value(m *machine.Machine, st *cpu.State) (sum uint64) {
	for _, t := range e {
		v := t.value
		if t.register != "" {
			v, _ = register(m, st, t.register)
		}
		if t.minus {
			v = -v
		}
		sum += v
	}
	return sum
}

// register gives a register by its name, whatever its width there.
func register(m *machine.Machine, st *cpu.State, name string) (uint64, bool) {
	switch name {
	case "rip", "eip", "ip", "pc":
		return uint64(m.CPU.CodeAt()), true
	case "rflags", "eflags", "flags":
		return st.RFLAGS, true
	case "cr0":
		return st.CR0, true
	case "cr2":
		return st.CR2, true
	case "cr3":
		return st.CR3, true
	case "cr4":
		return st.CR4, true
	}
	for i, n := range GeneralNames {
		switch {
		case name == n || i < 8 && name == "r"+n:
			return st.GPR[i], true
		case i < 8 && name == "e"+n:
			return uint64(uint32(st.GPR[i])), true
		}
	}
	return 0, false
}

// GeneralNames are the general registers, the first eight without their width.
var GeneralNames = [16]string{"ax", "cx", "dx", "bx", "sp", "bp", "si", "di", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"}

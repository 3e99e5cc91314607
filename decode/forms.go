package decode

import (
	"fmt"
	"strings"
)

// Form is a kind of instruction as a test of all of them counts: what the
// encoding says, without registers, addresses and values.
type Form struct {
	Mode        Mode
	Map, Opcode uint8
	// Prefix holds what comes before the opcode: any of PrefixLock, PrefixRep or
	// PrefixRepne, PrefixOpSize, PrefixAddr and PrefixRexW.
	Prefix   Prefix
	HasModRM bool
	Memory   bool // ModRM names memory
	// Reg and RM are the fields of ModRM where they are part of the operation, else
	// -1. Reg is then any value, and RM any that Memory allows.
	Reg, RM int8
	Op      Op
}

// String is the form in one word: "64.lock.66.0fb1.mem", "16.f6/3.reg".
func (f Form) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d.", f.Mode)
	for _, p := range [...]struct {
		bit  Prefix
		name string
	}{{PrefixLock, "lock."}, {PrefixRep, "rep."}, {PrefixRepne, "repne."}, {PrefixOpSize, "66."}, {PrefixAddr, "67."}, {PrefixRexW, "w."}} {
		if f.Prefix&p.bit != 0 {
			b.WriteString(p.name)
		}
	}
	b.WriteString([...]string{"", "0f", "0f38", "0f3a"}[f.Map&3])
	fmt.Fprintf(&b, "%02x", f.Opcode)
	if f.Reg >= 0 {
		fmt.Fprintf(&b, "/%d", f.Reg)
	}
	if f.RM >= 0 {
		fmt.Fprintf(&b, "/%d", f.RM)
	}
	switch {
	case f.Memory:
		b.WriteString(".mem")
	case f.HasModRM:
		b.WriteString(".reg")
	}
	return b.String()
}

// Forms gives every form that a processor with these features knows, in a
// fixed order. It takes some tenths of a second.
func Forms(have Feature) []Form {
	var all []Form
	for _, mode := range []Mode{Mode16, Mode32, Mode64} {
		for opMap := range uint8(4) {
			for op := range 256 {
				all = appendOpcode(all, have, mode, opMap, uint8(op))
			}
		}
	}
	return all
}

// appendOpcode adds the forms of one opcode.
func appendOpcode(all []Form, have Feature, mode Mode, opMap, op uint8) []Form {
	s := shapes[opMap][op]
	if s&invalid64 != 0 && mode == Mode64 || opMap == 0 && (prefixClass[op] != notPrefix && (prefixClass[op] != rexPrefix || mode == Mode64) || op == 0x0f) {
		return all
	}
	widths := []Prefix{0, PrefixOpSize}
	if mode == Mode64 {
		widths = append(widths, PrefixRexW, PrefixRexW|PrefixOpSize)
	}
	for _, rep := range []Prefix{0, PrefixRep, PrefixRepne} {
		for _, w := range widths {
			f := Form{Mode: mode, Map: opMap, Opcode: op, Prefix: rep | w, HasModRM: s&hasModRM != 0, Reg: -1, RM: -1}
			if !f.HasModRM {
				all = f.appendLearnt(all, have, f.learn(have))
				continue
			}
			for _, memory := range []bool{true, false} {
				if f.Memory = memory; memory && s&modIgnored != 0 || !memory && s&vexEscape != 0 && opMap == 0 {
					continue
				}
				all = f.appendFields(all, have, s&rmInKey != 0 && !memory)
			}
		}
	}
	return all
}

// appendFields adds the forms that the fields of ModRM make: one alone if they
// make no difference.
func (f Form) appendFields(all []Form, have Feature, byRM bool) []Form {
	var forms [8][8]*form
	same := true
	for reg := range forms {
		for rm := range forms[reg] {
			if rm > 0 && !byRM {
				forms[reg][rm] = forms[reg][0]
				continue
			}
			f.Reg, f.RM = int8(reg), int8(rm)
			forms[reg][rm] = f.learn(have)
			same = same && alike(forms[reg][rm], forms[0][0])
		}
	}
	if same {
		f.Reg, f.RM = -1, -1
		return f.appendLearnt(all, have, forms[0][0])
	}
	for reg := range forms {
		f.Reg, f.RM = int8(reg), -1
		same := true
		for rm := range forms[reg] {
			same = same && alike(forms[reg][rm], forms[reg][0])
		}
		if same {
			all = f.appendLearnt(all, have, forms[reg][0])
			continue
		}
		for rm := range forms[reg] {
			f.RM = int8(rm)
			all = f.appendLearnt(all, have, forms[reg][rm])
		}
	}
	return all
}

// alike tells whether two forms are one operation on the same operands, but
// for their numbers.
func alike(a, b *form) bool {
	if a == nil || b == nil {
		return a == b
	}
	if a.op != b.op || a.opSize != b.opSize || a.nargs != b.nargs {
		return false
	}
	for i := range a.args[:a.nargs] {
		if p, q := a.args[i], b.args[i]; p.from != q.from || p.arg.Kind != q.arg.Kind || p.arg.Size != q.arg.Size {
			return false
		}
	}
	return true
}

// learn gives what is known of a form, nil if it is undefined.
func (f Form) learn(have Feature) *form {
	in := Inst{Mode: f.Mode, Map: f.Map, Prefix: f.Prefix}
	k := newKey(&in, f.Opcode) | formKey(max(f.Reg, 0))<<keyReg
	if f.HasModRM && !f.Memory {
		k |= 1 << keyMod3
		if k.shape()&rmInKey != 0 {
			k |= formKey(max(f.RM, 0)) << keyRM
		}
	}
	l := learn(k)
	for l != nil && l.need&^have != 0 {
		l = l.older
	}
	if l == nil || l.op == 0 {
		return nil
	}
	return l
}

// appendLearnt adds a form that is defined, with its variants: another size of
// addresses where it reaches memory, and LOCK.
func (f Form) appendLearnt(all []Form, have Feature, l *form) []Form {
	if l == nil {
		return all
	}
	for _, addr := range []Prefix{0, PrefixAddr} {
		g := f
		g.Prefix |= addr
		if addr != 0 {
			if !l.addresses() {
				break
			}
			l = g.learn(have) // JCXZ becomes JECXZ
		}
		g.Op = l.op
		all = append(all, g)
		if l.lockable {
			g.Prefix |= PrefixLock
			all = append(all, g)
		}
	}
	return all
}

// addresses tells whether the size of addresses matters to a form.
func (l *form) addresses() bool {
	for _, t := range l.args[:l.nargs] {
		if t.arg.Kind == ArgMem || t.arg.Kind == ArgStr {
			return true
		}
	}
	switch l.op {
	case LOOP, LOOPE, LOOPNE, JCXZ, JECXZ, JRCXZ:
		return true
	}
	return false
}

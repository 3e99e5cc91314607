package decode

import "golang.org/x/arch/x86/x86asm"

// learn finds out what a key means. The rows of the supplement that match
// come first, each one the older meaning of those before it, and x86asm has
// the word where no row without a feature ends the chain.
func learn(k formKey) *form {
	var head *form
	link := &head
	for i := range supplement {
		r := &supplement[i]
		if !r.matches(k) {
			continue
		}
		if r.op == 0 {
			return orUndefined(head, k)
		}
		f := r.form(k)
		*link = f
		if f.need == 0 {
			return head
		}
		link = &f.older
	}
	*link = fromX86asm(k)
	return orUndefined(head, k)
}

// orUndefined makes an undefined form where there is none.
func orUndefined(f *form, k formKey) *form {
	if f == nil {
		f = &form{key: k}
	}
	return f
}

// fromX86asm asks x86asm for the form; nil where it is undefined.
func fromX86asm(k formKey) *form {
	reg, rm, opcode := k.reg(), k.rm(), k.opcode()
	inst, ok := probe(k, opcode, reg, rm)
	if !ok {
		return nil
	}
	f := &form{key: k, op: Op(inst.Op)}
	// Which operands move with which field of the encoding: one probe for each.
	var byReg, byRM, byOpcode x86asm.Inst
	if k.shape()&hasModRM != 0 {
		byReg, _ = probe(k, opcode, reg^1, rm)
		if k.has(keyMod3) {
			byRM, _ = probe(k, opcode, reg, rm^1)
		}
	}
	neighbour := opcode ^ 1
	if neighbour == 0x90 { // which has no operands
		neighbour = opcode ^ 2
	}
	if opcodeNamesRegister(k) {
		byOpcode, _ = probe(k, neighbour, reg, rm)
	}
	imm := 0
	for i, a := range inst.Args {
		if a == nil || f.nargs == uint8(len(f.args)) {
			break
		}
		t := template{mask: 15}
		switch a := a.(type) {
		case x86asm.Reg:
			if t.arg, ok = register(a); !ok {
				return nil
			}
			switch {
			case moved(a, byReg.Args[i], reg, reg^1):
				t.from = fromReg
			case moved(a, byRM.Args[i], rm, rm^1):
				t.from = fromRM
			case moved(a, byOpcode.Args[i], opcode, neighbour):
				t.from = fromOpcode
			}
			switch t.arg.Kind {
			case ArgST, ArgMMX, ArgSeg:
				t.mask = 7
			}
			if t.from != fixed {
				t.arg.Num = 0
			}
		case x86asm.Mem:
			t.arg = Arg{Kind: ArgMem, Size: uint8(inst.MemBytes)}
			if k.shape()&(hasModRM|immMask) == 0 {
				t.arg = Arg{Kind: ArgStr, Num: uint8(a.Base-x86asm.AX) & 7}
			}
		case x86asm.Imm:
			imm++
			switch {
			case k.shape()&immMask == immP:
				t.arg.Kind = ArgFar
				if imm == 2 {
					continue
				}
			case k.shape()&immMask == immNone && a == 1:
				t.arg.Kind = ArgOne
			case k.shape()&immMask == immNone:
				t.arg.Kind = ArgImm
				f.imm = int8(a)
			case imm == 2:
				t.arg.Kind = ArgImm2
			default:
				t.arg.Kind = ArgImm
			}
		case x86asm.Rel:
			t.arg.Kind = ArgRel
		}
		f.args[f.nargs] = t
		f.nargs++
	}
	f.complete()
	f.need = featureOf(f)
	return f
}

// opcodeNamesRegister tells whether the opcode's low three bits are a register.
func opcodeNamesRegister(k formKey) bool {
	op := k.opcode()
	switch k.opMap() {
	case 0:
		return op>>5 == 2 && !(op < 0x50 && k.mode() == Mode64) || op>>3 == 0x90>>3 || op>>4 == 0xb
	case 1:
		return op>>3 == 0xc8>>3
	}
	return false
}

// probe decodes a plain instruction of the key's form: 15 bytes, one prefix of
// each kind, memory operands without SIB and displacement, immediates zero.
func probe(k formKey, opcode, reg, rm uint8) (x86asm.Inst, bool) {
	b := make([]byte, 0, MaxLen)
	if k.has(keyRepne) {
		b = append(b, 0xf2)
	}
	if k.has(keyRep) {
		b = append(b, 0xf3)
	}
	if k.has(key66) {
		b = append(b, 0x66)
	}
	if k.has(key67) {
		b = append(b, 0x67)
	}
	if rex := uint8(k>>keyB) & 1; k.has(keyW) || rex != 0 {
		if k.has(keyW) {
			rex |= rexW
		}
		b = append(b, 0x40|rex)
	}
	switch k.opMap() {
	case 1:
		b = append(b, 0x0f)
	case 2:
		b = append(b, 0x0f, 0x38)
	case 3:
		b = append(b, 0x0f, 0x3a)
	}
	b = append(b, opcode)
	if k.shape()&hasModRM != 0 {
		m := reg<<3 | rm
		if k.has(keyMod3) {
			m |= 0xc0
		}
		b = append(b, m)
	}
	inst, err := x86asm.Decode(b[:MaxLen], int(k.mode()))
	return inst, err == nil && inst.Op != 0
}

// moved tells whether an operand's register went from a to b as a field of
// the encoding went from one value to another.
func moved(a x86asm.Reg, b x86asm.Arg, from, to uint8) bool {
	r, ok := b.(x86asm.Reg)
	return ok && int(r)-int(a) == int(to)-int(from)
}

// register translates an x86asm register; false for those that are undefined.
func register(r x86asm.Reg) (Arg, bool) {
	for _, c := range [...]struct {
		first, last x86asm.Reg
		kind        ArgKind
		size        uint8
	}{
		{x86asm.AL, x86asm.BH, ArgReg, 1},
		{x86asm.AX, x86asm.R15W, ArgReg, 2},
		{x86asm.EAX, x86asm.R15L, ArgReg, 4},
		{x86asm.RAX, x86asm.R15, ArgReg, 8},
		{x86asm.F0, x86asm.F7, ArgST, 10},
		{x86asm.M0, x86asm.M7, ArgMMX, 8},
		{x86asm.X0, x86asm.X15, ArgXMM, 16},
		{x86asm.ES, x86asm.GS, ArgSeg, 2},
		{x86asm.CR0, x86asm.CR15, ArgCR, 0},
		{x86asm.DR0, x86asm.DR15, ArgDR, 0},
	} {
		if r >= c.first && r <= c.last {
			return Arg{Kind: c.kind, Num: uint8(r - c.first), Size: c.size}, true
		}
	}
	if r >= x86asm.SPB && r <= x86asm.R15B {
		return Arg{Kind: ArgReg, Num: uint8(r-x86asm.SPB) + 4, Size: 1}, true
	}
	return Arg{}, false
}

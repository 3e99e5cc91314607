package cpu

import (
	"math/bits"

	"x86emu/idt"
)

// The six arithmetic flags are kept lazily in two words.
//
//	res: the result, sign-extended from its width to 64 bits
//	aux: bit 63 the carry (or borrow) out of the top bit, bit 62 the one into
//	     it, bit 3 the one out of bit 3, bit 0 inverts SF, bits 8-15 are
//	     xored into the byte whose parity is PF
//
//	CF = aux[63]   OF = aux[63]^aux[62]   AF = aux[3]
//	ZF = res == 0  SF = res[63]^aux[0]    PF = even(res[7:0]^aux[15:8])
//
// so that an addition or subtraction leaves its flags with two stores, and
// any combination of the six can be stored as well (setArith).
const (
	auxCF   = 1 << 63
	auxOV   = 1 << 62
	auxAF   = 1 << 3
	auxSD   = 1
	auxKeep = auxCF | auxOV | auxAF // what a 64-bit carry vector may keep
)

const arithFlags = idt.FlagCF | idt.FlagPF | idt.FlagAF | idt.FlagZF | idt.FlagSF | idt.FlagOF

func (c *CPU) cf() uint64 { return c.aux >> 63 }
func (c *CPU) of() uint64 { return (c.aux>>63 ^ c.aux>>62) & 1 }
func (c *CPU) af() uint64 { return c.aux >> 3 & 1 }
func (c *CPU) sf() uint64 { return c.res>>63 ^ c.aux&1 }
func (c *CPU) zf() bool   { return c.res == 0 }
func (c *CPU) pf() bool   { return bits.OnesCount8(uint8(c.res)^uint8(c.aux>>8))&1 == 0 }

// arith gives the six arithmetic flags in their EFLAGS places.
func (c *CPU) arith() uint64 {
	f := c.cf()*idt.FlagCF | c.of()*idt.FlagOF | c.af()*idt.FlagAF | c.sf()*idt.FlagSF
	if c.zf() {
		f |= idt.FlagZF
	}
	if c.pf() {
		f |= idt.FlagPF
	}
	return f
}

// setArith sets the six arithmetic flags from their EFLAGS places.
func (c *CPU) setArith(f uint64) {
	cf, of := f&1, f>>11&1
	aux := cf<<63 | (cf^of)<<62 | f>>4&1<<3 | f>>7&1
	if f&idt.FlagPF == 0 {
		aux |= 1 << 8
	}
	c.res, c.aux = 0x100, aux
	if f&idt.FlagZF != 0 {
		c.res = 0
	}
}

// setArithMask changes the arithmetic flags in mask to those in f.
func (c *CPU) setArithMask(mask, f uint64) { c.setArith(c.arith()&^mask | f&mask) }

// flags gives the whole RFLAGS.
func (c *CPU) flags() uint64 { return c.s.RFLAGS&^arithFlags | c.arith() }

// setFlags replaces the whole RFLAGS; the caller has applied the masks that
// the instruction prescribes. Reserved bits take their fixed values.
func (c *CPU) setFlags(f uint64) {
	c.s.RFLAGS = f&rflagsValid | idt.Flag1
	c.setArith(f)
	c.flagsChanged()
}

const rflagsValid = 0x3f7fd5

// settle writes the lazy flags and the instruction pointer into the State.
func (c *CPU) settle() {
	c.s.RFLAGS = c.s.RFLAGS&^arithFlags | c.arith()
	c.s.RIP = c.ip
}

// Flag setters of the arithmetic families. size is in bytes; operands and
// results are taken modulo the size. Each is exact for all six flags.

func signExtend(v uint64, size uint8) uint64 {
	sh := 64 - 8*uint(size)
	return uint64(int64(v<<(sh&63)) >> (sh & 63))
}

// carryVector puts a vector of carries of the given operand size into aux's form.
func carryVector(cv uint64, size uint8) uint64 {
	return cv<<((64-8*uint(size))&63)&(auxCF|auxOV) | cv&auxAF
}

// flagsAdd sets the flags of res = a + b (+ carry in).
func (c *CPU) flagsAdd(a, b, res uint64, size uint8) {
	c.res = signExtend(res, size)
	c.aux = carryVector(a&b|(a|b)&^res, size)
}

// flagsSub sets the flags of res = a - b (- borrow in).
func (c *CPU) flagsSub(a, b, res uint64, size uint8) {
	c.res = signExtend(res, size)
	c.aux = carryVector(^a&b|^(a^b)&res, size)
}

// flagsLogic sets the flags of AND, OR, XOR, TEST: CF = OF = 0; AF, undefined, is 0.
func (c *CPU) flagsLogic(res uint64, size uint8) {
	c.res = signExtend(res, size)
	c.aux = 0
}

// keepCF gives CF the value that old had (an aux word), all else as it is: INC and DEC.
func (c *CPU) keepCF(old uint64) {
	c.aux ^= (c.aux ^ old) >> 63 * (auxCF | auxOV)
}

package cpu

import (
	"x86emu/decode"
)

// The run loop's ways out: what its uops call when the shortcut misses. The
// access may be a device's, which has to know the time, and may be told with its
// instruction's address. They give the uop back, so that the loop keeps it in a
// register alone: a pointer that is needed behind a call would be stored with every
// uop, called or not.

// begin settles both for the instruction of a uop, whose block has not ended;
// inBlock is 0 again when it has.
func (c *CPU) begin(u *uop) {
	c.ip = (c.r[rIP] + uint64(u.off)) & c.ipMask
	c.inBlock = uint64(u.n)
}

// offset gives back the offset in the segment of an address that a uop computed.
func (c *CPU) offset(u *uop, ea uint64) uint64 {
	if u.base == rAddr {
		return ea - c.s.Seg[u.seg].Base
	}
	return ea
}

//go:noinline
func (c *CPU) slowLoad(u *uop, ea uint64, size uint8) (*uop, uint64, bool) {
	c.begin(u)
	v, ok := c.load(decode.SegReg(u.seg), c.offset(u, ea), size)
	c.inBlock = 0
	return u, v, ok
}

//go:noinline
func (c *CPU) slowMod(u *uop, ea uint64, size uint8) (*uop, uint64, bool) {
	c.begin(u)
	v, ok := c.loadRMW(decode.SegReg(u.seg), c.offset(u, ea), size)
	c.inBlock = 0
	return u, v, ok
}

//go:noinline
func (c *CPU) slowStore(u *uop, ea uint64, size uint8, v uint64) (*uop, bool) {
	c.begin(u)
	ok := c.store(decode.SegReg(u.seg), c.offset(u, ea), size, v)
	c.inBlock = 0
	return u, ok
}

//go:noinline
func (c *CPU) slowLoadX(u *uop, ea uint64) (*uop, bool) {
	c.begin(u)
	v, ok := c.load128(decode.SegReg(u.seg), c.offset(u, ea), u.imm != 0)
	c.inBlock = 0
	if ok {
		*c.xmm(u.dst) = v
	}
	return u, ok
}

//go:noinline
func (c *CPU) slowStoreX(u *uop, ea uint64) (*uop, bool) {
	c.begin(u)
	ok := c.store128(decode.SegReg(u.seg), c.offset(u, ea), *c.xmm(u.src), u.imm != 0)
	c.inBlock = 0
	return u, ok
}

// exec runs an instruction through its handler.
func (c *CPU) exec(in *decode.Inst) bool {
	c.repDone = 0
	h := handlers[in.Op]
	if h == nil {
		// No handler: an operation that this processor does not have.
		// [SDM 3A, Interrupt 6—Invalid Opcode Exception (#UD)]
		return c.ud()
	}
	if in.Prefix&(decode.PrefixRep|decode.PrefixRepne) != 0 {
		c.repBudget = max(int64(c.limit-c.s.Ticks-c.inBlock), 1)
	}
	return h(c, in)
}

// Flag helpers of the loop's shifts and multiplications.

// shiftAux makes the aux word of SHL: cf the last bit shifted out, top the
// result's sign. OF = CF xor sign (defined for a count of 1, kept for others).
func shiftAux(cf, top uint64) uint64 { return cf<<63 | top<<62 }

// shrAux makes the aux word of SHR and SHRD: OF is the sign of SHR's operand for a
// count of 1, which is the result's next to highest bit, and whether SHRD changes the
// sign: that bit against the highest; for other counts it is the same.
func shrAux(cf, of uint64) uint64 { return cf<<63 | (cf^of)<<62 }

// rolAux changes the aux word as ROL does: CF is the bit rotated in, OF is CF xor
// the result's sign; the other flags stay.
func rolAux(aux, cf, top uint64) uint64 { return aux&^(auxCF|auxOV) | cf<<63 | top<<62 }

// imulFlags sets CF and OF when the product was cut; see undefined.go for the rest.
func (c *CPU) imulFlags(res uint64, cut bool) {
	c.res, c.aux = res, 0
	if cut {
		c.aux = auxCF
	}
}

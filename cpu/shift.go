package cpu

import "x86emu/decode"

// This file holds shifts and rotates. The count is taken modulo 32, or modulo
// 64 for a 64-bit operand, and with a count of zero no flag changes.
// [SDM 2, SAL/SAR/SHL/SHR, RCL/RCR/ROL/ROR, SHLD, SHRD]
//
// OF is defined for a count of one only. For others it follows the same rule
// from the result, as on silicon: CF xor sign after a left shift or rotate,
// the two top bits' difference after a right one.

// shiftOperands reads the destination and the masked count.
func (c *CPU) shiftOperands(in *decode.Inst, countArg int) (v uint64, n uint, ok bool) {
	count, _ := c.get(in, countArg) // CL or an immediate: cannot fault
	v, ok = c.getRMW(in, 0)
	n = uint(count) & 31
	if in.Args[0].Size == 8 {
		n = uint(count) & 63
	}
	return v, n, ok
}

// flagsShift sets the flags of a shift: SF, ZF and PF by the result, AF 0.
func (c *CPU) flagsShift(res uint64, size uint8, cf, of uint64) {
	c.res = signExtend(res, size)
	c.aux = cf<<63 | (cf^of)<<62
}

// setCFOF changes CF and OF alone, as rotates do.
func (c *CPU) setCFOF(cf, of uint64) {
	c.aux = c.aux&^(auxCF|auxOV) | cf<<63 | (cf^of)<<62
}

func sizeBits(size uint8) uint        { return 8 * uint(size) }
func sizeMask(size uint8) uint64      { return ^uint64(0) >> (64 - sizeBits(size)) }
func bitOf(v uint64, n uint) uint64   { return v >> n & 1 }
func msb(v uint64, size uint8) uint64 { return bitOf(v, sizeBits(size)-1) }

func execSHL(c *CPU, in *decode.Inst) bool {
	v, n, ok := c.shiftOperands(in, 1)
	if !ok {
		return false
	}
	size := in.Args[0].Size
	res := v << n
	if !c.put(in, 0, res) {
		return false
	}
	if n != 0 {
		var cf uint64
		if n <= sizeBits(size) {
			cf = bitOf(v, sizeBits(size)-n)
		}
		c.flagsShift(res, size, cf, cf^msb(res, size))
	}
	return true
}

func execSHR(c *CPU, in *decode.Inst) bool {
	v, n, ok := c.shiftOperands(in, 1)
	if !ok {
		return false
	}
	size := in.Args[0].Size
	res := v >> n
	if !c.put(in, 0, res) {
		return false
	}
	if n != 0 {
		of := msb(res, size) ^ bitOf(res, sizeBits(size)-2)
		c.flagsShift(res, size, bitOf(v, n-1), of)
	}
	return true
}

func execSAR(c *CPU, in *decode.Inst) bool {
	v, n, ok := c.shiftOperands(in, 1)
	if !ok {
		return false
	}
	size := in.Args[0].Size
	sv := int64(signExtend(v, size))
	res := uint64(sv >> n)
	if !c.put(in, 0, res) {
		return false
	}
	if n != 0 {
		c.flagsShift(res, size, uint64(sv>>(n-1))&1, 0)
	}
	return true
}

func execROL(c *CPU, in *decode.Inst) bool {
	v, n, ok := c.shiftOperands(in, 1)
	if !ok {
		return false
	}
	size := in.Args[0].Size
	w := sizeBits(size)
	r := n & (w - 1)
	res := (v<<r | v>>(w-r)) & sizeMask(size)
	if !c.put(in, 0, res) {
		return false
	}
	// CF takes the last bit moved even by a full turn. [SDM 2, RCL/RCR/ROL/ROR]
	if n != 0 {
		cf := res & 1
		c.setCFOF(cf, cf^msb(res, size))
	}
	return true
}

func execROR(c *CPU, in *decode.Inst) bool {
	v, n, ok := c.shiftOperands(in, 1)
	if !ok {
		return false
	}
	size := in.Args[0].Size
	w := sizeBits(size)
	r := n & (w - 1)
	res := (v>>r | v<<(w-r)) & sizeMask(size)
	if !c.put(in, 0, res) {
		return false
	}
	if n != 0 {
		cf := msb(res, size)
		c.setCFOF(cf, cf^bitOf(res, w-2))
	}
	return true
}

// rotateCarry rotates the value of w bits with the carry above it as bit w,
// left by n < w+1.
func rotateCarry(v, cf uint64, w, n uint) (res, carry uint64) {
	if n == 0 {
		return v, cf
	}
	mask := ^uint64(0) >> (64 - w)
	// Bits that leave on the left come back on the right behind the carry.
	res = v<<n | cf<<(n-1) | v>>1>>(w-n)
	return res & mask, bitOf(v, w-n)
}

func execRCL(c *CPU, in *decode.Inst) bool {
	v, n, ok := c.shiftOperands(in, 1)
	if !ok {
		return false
	}
	size := in.Args[0].Size
	w := sizeBits(size)
	res, cf := rotateCarry(v, c.cf(), w, n%(w+1))
	if !c.put(in, 0, res) {
		return false
	}
	if n != 0 {
		c.setCFOF(cf, cf^msb(res, size))
	}
	return true
}

func execRCR(c *CPU, in *decode.Inst) bool {
	v, n, ok := c.shiftOperands(in, 1)
	if !ok {
		return false
	}
	size := in.Args[0].Size
	w := sizeBits(size)
	res, cf := v, c.cf()
	if r := n % (w + 1); r != 0 {
		res, cf = rotateCarry(v, cf, w, w+1-r)
	}
	if !c.put(in, 0, res) {
		return false
	}
	if n != 0 {
		c.setCFOF(cf, msb(res, size)^bitOf(res, w-2))
	}
	return true
}

func execSHLD(c *CPU, in *decode.Inst) bool {
	v, n, ok := c.shiftOperands(in, 2)
	if !ok {
		return false
	}
	size := in.Args[0].Size
	src := c.reg(in.Args[1])
	w := sizeBits(size)
	var res, cf uint64
	if n <= w {
		res = v<<n | src>>(w-n)
		cf = bitOf(v, (w-n)&63)
	} else {
		// 16 bits by more than 16: the destination follows the source.
		res = src<<(n-w) | v>>(2*w-n)
		cf = bitOf(src, 2*w-n)
	}
	return c.putDoubleShift(in, v, res, cf, cf^msb(res, size), n)
}

func execSHRD(c *CPU, in *decode.Inst) bool {
	v, n, ok := c.shiftOperands(in, 2)
	if !ok {
		return false
	}
	size := in.Args[0].Size
	src := c.reg(in.Args[1])
	w := sizeBits(size)
	var res, cf uint64
	if n <= w {
		res = v>>n | src<<(w-n)
		cf = bitOf(v, (n-1)&63)
	} else {
		res = src>>(n-w) | v<<(2*w-n)
		cf = bitOf(src, n-w-1)
	}
	return c.putDoubleShift(in, v, res, cf, msb(res, size)^bitOf(res, w-2), n)
}

// putDoubleShift writes the result of SHLD or SHRD: v unchanged for a count of zero.
func (c *CPU) putDoubleShift(in *decode.Inst, v, res, cf, of uint64, n uint) bool {
	if n == 0 {
		return c.put(in, 0, v)
	}
	if !c.put(in, 0, res) {
		return false
	}
	c.flagsShift(res, in.Args[0].Size, cf, of)
	return true
}

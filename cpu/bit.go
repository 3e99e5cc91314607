package cpu

import (
	"math/bits"

	"x86emu/decode"
	"x86emu/idt"
)

// This file holds bit tests, scans and counts, and CRC32.
// [SDM 2, BT, BTS, BTR, BTC, BSF, BSR, TZCNT, LZCNT, POPCNT, CRC32]

// setCF changes CF alone.
func (c *CPU) setCF(v uint64) {
	c.aux ^= (c.aux>>63 ^ v&1) * (auxCF | auxOV)
}

// setZF changes ZF alone.
func (c *CPU) setZF(set bool) {
	var f uint64
	if set {
		f = idt.FlagZF
	}
	c.setArithMask(idt.FlagZF, f)
}

// bitTest does the work of the BT family: change makes the new value from the
// old one and the bit's mask, and is nil for BT itself. A register offset is
// signed and may reach memory beyond the operand; an immediate one is taken
// modulo the operand size.
func (c *CPU) bitTest(in *decode.Inst, change func(v, bit uint64) uint64) bool {
	size := in.Args[0].Size
	w := uint64(sizeBits(size))
	off, _ := c.get(in, 1)
	n := off & (w - 1)
	if in.Args[0].Kind == decode.ArgReg {
		v := c.reg(in.Args[0])
		if change != nil {
			c.setReg(in.Args[0], change(v, 1<<n))
		}
		c.setCF(v >> n)
		return true
	}

	addr := c.ea(in)
	if in.Args[1].Kind == decode.ArgReg {
		words := int64(signExtend(off, size)) >> bits.TrailingZeros64(w)
		addr = maskAddr(addr+uint64(words)*uint64(size), in.AddrSize)
	}
	if change == nil {
		v, ok := c.load(in.Seg, addr, size)
		if ok {
			c.setCF(v >> n)
		}
		return ok
	}
	v, ok := c.loadRMW(in.Seg, addr, size)
	if !ok || !c.store(in.Seg, addr, size, change(v, 1<<n)) {
		return false
	}
	c.setCF(v >> n)
	return true
}

func execBT(c *CPU, in *decode.Inst) bool { return c.bitTest(in, nil) }

func execBTS(c *CPU, in *decode.Inst) bool {
	return c.bitTest(in, func(v, bit uint64) uint64 { return v | bit })
}

func execBTR(c *CPU, in *decode.Inst) bool {
	return c.bitTest(in, func(v, bit uint64) uint64 { return v &^ bit })
}

func execBTC(c *CPU, in *decode.Inst) bool {
	return c.bitTest(in, func(v, bit uint64) uint64 { return v ^ bit })
}

// execBSF leaves the destination as it was when the source is zero.
func execBSF(c *CPU, in *decode.Inst) bool {
	v, ok := c.get(in, 1)
	return ok && c.putScan(in, uint64(bits.TrailingZeros64(v)), v == 0)
}

func execBSR(c *CPU, in *decode.Inst) bool {
	v, ok := c.get(in, 1)
	return ok && c.putScan(in, uint64(63-bits.LeadingZeros64(v)), v == 0)
}

// putScan writes the result of BSF or BSR; ZF tells that there was no bit set,
// PF is the parity of the bit's number (even for none), the rest is cleared.
func (c *CPU) putScan(in *decode.Inst, n uint64, zero bool) bool {
	if zero {
		c.setArith(idt.FlagZF | idt.FlagPF)
		return true
	}
	c.setReg(in.Args[0], n)
	c.setArith(byteFlags(n) & idt.FlagPF)
	return true
}

// putCount writes the result of TZCNT or LZCNT: CF tells that the source was
// zero, ZF that the result is; OF stays and the rest is cleared.
func (c *CPU) putCount(in *decode.Inst, n uint, zero bool) bool {
	c.setReg(in.Args[0], uint64(n))
	var f uint64
	if zero {
		f |= idt.FlagCF
	}
	if n == 0 {
		f |= idt.FlagZF
	}
	c.setArithMask(^uint64(idt.FlagOF), f)
	return true
}

func execTZCNT(c *CPU, in *decode.Inst) bool {
	v, ok := c.get(in, 1)
	return ok && c.putCount(in, min(uint(bits.TrailingZeros64(v)), sizeBits(in.Args[0].Size)), v == 0)
}

func execLZCNT(c *CPU, in *decode.Inst) bool {
	v, ok := c.get(in, 1)
	return ok && c.putCount(in, uint(bits.LeadingZeros64(v))+sizeBits(in.Args[0].Size)-64, v == 0)
}

// execPOPCNT counts ones; all flags but ZF are cleared.
func execPOPCNT(c *CPU, in *decode.Inst) bool {
	v, ok := c.get(in, 1)
	if !ok {
		return false
	}
	c.setReg(in.Args[0], uint64(bits.OnesCount64(v)))
	var f uint64
	if v == 0 {
		f = idt.FlagZF
	}
	c.setArith(f)
	return true
}

// crcTable is the byte table of the polynomial 11EDC6F41h, bits reflected.
var crcTable = func() (t [256]uint32) {
	for i := range t {
		crc := uint32(i)
		for range 8 {
			crc = crc>>1 ^ crc&1*0x82f63b78
		}
		t[i] = crc
	}
	return t
}()

func execCRC32(c *CPU, in *decode.Inst) bool {
	v, ok := c.get(in, 1)
	if !ok {
		return false
	}
	crc := uint32(c.reg(in.Args[0]))
	for range in.Args[1].Size {
		crc = crc>>8 ^ crcTable[uint8(crc)^uint8(v)]
		v >>= 8
	}
	c.setReg(in.Args[0], uint64(crc))
	return true
}

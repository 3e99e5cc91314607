package decode

// Bits of a REX prefix.
const (
	rexB = 1 << iota
	rexX
	rexR
	rexW
)

// Classes of the bytes that can stand before an opcode.
const (
	notPrefix = iota
	rexPrefix // in 64-bit mode only
	lockPrefix
	repPrefix
	segPrefix
	opSizePrefix
	addrPrefix
)

var prefixClass = func() (t [256]uint8) {
	for b := 0x40; b <= 0x4f; b++ {
		t[b] = rexPrefix
	}
	for _, b := range []byte{0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65} {
		t[b] = segPrefix
	}
	t[0x66], t[0x67] = opSizePrefix, addrPrefix
	t[0xf0], t[0xf2], t[0xf3] = lockPrefix, repPrefix, repPrefix
	return t
}()

// prefix notes one legacy prefix.
func (in *Inst) prefix(b, class uint8) {
	switch class {
	case lockPrefix:
		in.Prefix |= PrefixLock
	case repPrefix:
		in.Prefix &^= PrefixRep | PrefixRepne
		if b == 0xf3 {
			in.Prefix |= PrefixRep
		} else {
			in.Prefix |= PrefixRepne
		}
	case opSizePrefix:
		in.Prefix |= PrefixOpSize
	case addrPrefix:
		in.Prefix |= PrefixAddr
	case segPrefix:
		seg := FS + SegReg(b&1)
		if b < 0x40 {
			// CS, DS, ES and SS overrides are ignored in 64-bit mode. [SDM 1, Segmentation in 64-Bit Mode]
			if in.Mode == Mode64 {
				return
			}
			seg = SegReg(b >> 3 & 3)
		}
		in.Prefix |= PrefixSeg
		in.Seg = seg
	}
}

// addrSize is the effective address size in bytes.
func addrSize(mode Mode, p Prefix) uint8 {
	if p&PrefixAddr == 0 {
		return uint8(mode) >> 3
	}
	if mode == Mode32 {
		return 2
	}
	return 4
}

// dataSize is the operand size in bytes that the prefixes ask for, before the
// rules of single instructions.
func dataSize(mode Mode, p Prefix) uint8 {
	switch {
	case p&PrefixRexW != 0:
		return 8
	case (p&PrefixOpSize != 0) != (mode == Mode16):
		return 2
	}
	return 4
}

package fp

// Format describes a binary interchange format.
type Format struct {
	// Bits is the width of a value, Precision that of its significand, its leading
	// one counted.
	Bits, Precision uint8
	bias            int32 // also the largest exponent
}

// The formats of SSE, and that of the x87.
var (
	Single   = Format{32, 24, 127}
	Double   = Format{64, 53, 1023}
	Extended = Format{80, 64, 16383}
)

// F80 is a value of the double-extended format. [SDM 1, Floating-Point Data Types]
type F80 struct {
	Sig uint64 // bit 63 is the integer bit
	SE  uint16 // sign and exponent
}

// unpack takes a single or double apart. The caller applies DAZ.
func (f *Format) unpack(v uint64) number {
	frac := uint(f.Precision - 1)
	n := number{neg: v>>(f.Bits-1)&1 != 0}
	e := int32(v>>frac) & (2*f.bias + 1)
	sig := v << (64 - frac) >> 1 // the fraction below bit 63
	switch {
	case e == 2*f.bias+1 && sig == 0:
		n.class = infinite
	case e == 2*f.bias+1:
		n.class, n.hi = signaling, sig
		if sig>>62 != 0 {
			n.class = quiet
		}
	case e != 0:
		n.class, n.exp, n.hi = finite, e-f.bias, sig|1<<63
	case sig != 0:
		n.class, n.denorm, n.exp, n.hi = finite, true, 1-f.bias, sig
		n.normalize()
	}
	return n
}

// unpack80 takes a double-extended value apart. [SDM 1, Unsupported Double
// Extended-Precision Floating-Point Encodings and Pseudo-Denormals]
func unpack80(v F80) number {
	n := number{neg: v.SE>>15 != 0}
	e := int32(v.SE & 0x7fff)
	whole := v.Sig>>63 != 0
	switch {
	case e == 0x7fff && v.Sig == 1<<63:
		n.class = infinite
	case e == 0x7fff && whole:
		n.class, n.hi = signaling, v.Sig&^(1<<63)
		if v.Sig>>62&1 != 0 {
			n.class = quiet
		}
	case e != 0 && !whole:
		n.class = unsupported
	case e != 0:
		n.class, n.exp, n.hi = finite, e-16383, v.Sig
	case v.Sig != 0:
		// A pseudo-denormal has the integer bit set and is taken as it reads.
		n.class, n.denorm, n.exp, n.hi = finite, true, 1-16383, v.Sig
		n.normalize()
	}
	return n
}

// encode puts sign, biased exponent and the fraction's bits (integer bit left out) together.
func (f *Format) encode(neg bool, exp uint64, frac uint64) uint64 {
	v := exp<<(f.Precision-1) | frac
	if neg {
		v |= 1 << (f.Bits - 1)
	}
	return v
}

func sign80(neg bool) uint16 {
	if neg {
		return 0x8000
	}
	return 0
}

// Default NaNs: the QNaN floating-point indefinite. [SDM 1, QNaN Floating-Point Indefinite]
var (
	Indefinite32 = uint64(0xffc00000)
	Indefinite64 = uint64(0xfff8000000000000)
	Indefinite80 = F80{0xc000000000000000, 0xffff}
)

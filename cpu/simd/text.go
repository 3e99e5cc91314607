package simd

import "math/bits"

// The string comparisons of SSE4.2. [SDM 1, SSE4.2 String and Text Processing;
// SDM 2, PCMPESTRI; PCMPESTRM; PCMPISTRI; PCMPISTRM]
//
// The immediate: bit 0 words, not bytes; bit 1 signed; bits 3:2 how elements are
// aggregated; bits 5:4 polarity; bit 6 which index or which kind of mask.

// Text is the outcome of a string comparison.
type Text struct {
	Bits uint16 // IntRes2: one bit an element of the second operand
	N    int    // elements in a vector: 8 or 16
	// The flags: CF Bits is not empty; ZF, SF the second, the first string ends
	// within its vector; OF bit 0 of Bits.
	CF, ZF, SF, OF bool
}

// Implicit compares strings that end at the first zero element.
func Implicit(a, b Vec, imm uint8) Text { return compare(a, b, length(a, imm), length(b, imm), imm) }

// Explicit compares strings of given lengths, whose absolute values count, at
// most a vector's.
func Explicit(a, b Vec, lenA, lenB int64, imm uint8) Text {
	n := 16 >> (imm & 1)
	limit := func(v int64) int {
		if v < 0 {
			v = -v
		}
		if v < 0 || v > int64(n) {
			return n
		}
		return int(v)
	}
	return compare(a, b, limit(lenA), limit(lenB), imm)
}

func length(v Vec, imm uint8) int {
	size := 1 + int(imm&1)
	n := 16 / size
	for i := range n {
		if v.Lane(i, size) == 0 {
			return i
		}
	}
	return n
}

// How elements are aggregated.
const (
	equalAny = iota
	ranges
	equalEach
	equalOrdered
)

func compare(a, b Vec, lenA, lenB int, imm uint8) Text {
	size := 1 + int(imm&1)
	n := 16 / size
	elem := func(v Vec, i int) int64 {
		x := v.Lane(i, size)
		if imm&2 != 0 {
			sh := 64 - 8*size
			return int64(x<<sh) >> sh
		}
		return int64(x)
	}
	var r uint16
	for j := range n { // elements of b
		hit := false
		switch imm >> 2 & 3 {
		case equalAny:
			for i := range lenA {
				hit = hit || j < lenB && elem(a, i) == elem(b, j)
			}
		case ranges:
			for i := 0; i+1 < lenA; i += 2 {
				hit = hit || j < lenB && elem(a, i) <= elem(b, j) && elem(b, j) <= elem(a, i+1)
			}
		case equalEach:
			// Beyond both ends is equal, beyond one is not.
			hit = j < lenA && j < lenB && elem(a, j) == elem(b, j) || j >= lenA && j >= lenB
		case equalOrdered:
			// The first string is sought in the second, from here on; what lies beyond the vector fits.
			hit = true
			for i := 0; i < lenA && j+i < n; i++ {
				hit = hit && j+i < lenB && elem(a, i) == elem(b, j+i)
			}
		}
		if hit {
			r |= 1 << j
		}
	}
	switch all := uint16(1<<n - 1); imm >> 4 & 3 {
	case 1:
		r ^= all
	case 3:
		r ^= uint16(1<<lenB - 1)
	}
	return Text{Bits: r, N: n, CF: r != 0, ZF: lenB < n, SF: lenA < n, OF: r&1 != 0}
}

// Index is the place of the first or last bit, or the number of elements.
func (t *Text) Index(imm uint8) int {
	switch {
	case t.Bits == 0:
		return t.N
	case imm&0x40 != 0:
		return bits.Len16(t.Bits) - 1
	}
	return bits.TrailingZeros16(t.Bits)
}

// Mask is the bits as they are, or spread over the elements.
func (t *Text) Mask(imm uint8) (v Vec) {
	if imm&0x40 == 0 {
		return Vec{Lo: uint64(t.Bits)}
	}
	size := 16 / t.N
	for i := range t.N {
		if t.Bits>>i&1 != 0 {
			v.SetLane(i, size, ^uint64(0))
		}
	}
	return v
}

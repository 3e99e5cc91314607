package cpu

import (
	"encoding/binary"

	"x86emu/decode"
)

// Operands larger than a register: environments, saved states, decimal numbers.
// They are moved in pieces, and all or nothing: an offset beyond the address size wraps.

// loadBlock reads len(b) bytes.
func (c *CPU) loadBlock(seg decode.SegReg, off uint64, addrSize uint8, b []byte) bool {
	return c.loadPieces(seg, off, addrSize, 8, b)
}

// loadPieces reads it in pieces of at most max bytes, which decide what a fault
// within is.
func (c *CPU) loadPieces(seg decode.SegReg, off uint64, addrSize uint8, max int, b []byte) bool {
	for i := 0; i < len(b); {
		n := min(piece(len(b)-i), max)
		v, ok := c.load(seg, maskAddr(off+uint64(i), addrSize), uint8(n))
		if !ok {
			return false
		}
		for j := range n {
			b[i+j] = uint8(v >> (8 * j))
		}
		i += n
	}
	return true
}

// storeBlock writes b. Every piece is checked before the first is written.
func (c *CPU) storeBlock(seg decode.SegReg, off uint64, addrSize uint8, b []byte) bool {
	return c.storePieces(seg, off, addrSize, 8, b)
}

// storePieces writes it in pieces of at most max bytes.
func (c *CPU) storePieces(seg decode.SegReg, off uint64, addrSize uint8, max int, b []byte) bool {
	if !c.canStoreBlock(seg, off, addrSize, max, len(b)) {
		return false
	}
	for i := 0; i < len(b); {
		n := min(piece(len(b)-i), max)
		var buf [8]byte
		copy(buf[:], b[i:i+n])
		if !c.store(seg, maskAddr(off+uint64(i), addrSize), uint8(n), binary.LittleEndian.Uint64(buf[:])) {
			return false
		}
		i += n
	}
	return true
}

// canStoreBlock checks that n bytes could be written.
func (c *CPU) canStoreBlock(seg decode.SegReg, off uint64, addrSize uint8, max, n int) bool {
	for i := 0; i < n; i += min(piece(n-i), max) {
		if !c.probeStore(seg, maskAddr(off+uint64(i), addrSize), uint8(min(piece(n-i), max))) {
			return false
		}
	}
	return true
}

// piece is the largest power of two that is at most n and 8.
func piece(n int) int {
	for _, size := range [...]int{8, 4, 2} {
		if n >= size {
			return size
		}
	}
	return 1
}

package debug

import (
	"bytes"
	"encoding/binary"
)

// reader takes little-endian numbers and strings off a slice. Beyond its end,
// everything is zero and bad is set.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) take(n uint64) []byte {
	if n > uint64(len(r.b)) {
		r.b, r.bad = nil, true
		return nil
	}
	taken := r.b[:n]
	r.b = r.b[n:]
	return taken
}

// number reads n bytes, 1 to 8.
func (r *reader) number(n uint64) uint64 {
	var b [8]byte
	copy(b[:], r.take(n))
	return binary.LittleEndian.Uint64(b[:])
}

// uleb and sleb read numbers of seven bits a byte.
// [DWARF 5, Variable Length Data]
func (r *reader) uleb() uint64 {
	v, _, _ := r.leb()
	return v
}

func (r *reader) sleb() int64 {
	v, bits, negative := r.leb()
	if negative && bits < 64 {
		v |= ^uint64(0) << bits
	}
	return int64(v)
}

func (r *reader) leb() (v uint64, bits uint, negative bool) {
	for {
		b := r.number(1)
		if bits < 64 {
			v |= b & 0x7f << bits
			bits += 7
		}
		if b&0x80 == 0 || r.bad {
			return v, bits, b&0x40 != 0
		}
	}
}

// text reads a string with its zero.
func (r *reader) text() string {
	s, ok := textAt(r.b, 0)
	if !ok {
		r.b, r.bad = nil, true
		return ""
	}
	r.b = r.b[bytes.IndexByte(r.b, 0)+1:]
	return s
}

// maxName bounds a name taken from a file, in bytes; a longer one is cut.
const maxName = 255

// textAt reads the string at an offset of a string table.
func textAt(table []byte, off uint64) (s string, ok bool) {
	if off >= uint64(len(table)) {
		return "", false
	}
	table = table[off:]
	if n := bytes.IndexByte(table[:min(len(table), maxName+1)], 0); n >= 0 {
		return string(table[:n]), true
	}
	return string(table[:min(len(table), maxName)]) + "...", len(table) > maxName
}

package gen

import (
	"math/rand/v2"

	"x86emu/decode"
)

// encoding is an instruction that is being put together.
type encoding struct {
	code  []byte
	limit int // where the instruction ends: bytes behind it are spare immediates
	// The place of a displacement of 2 or 4 bytes that stands for itself, without a
	// register; 0: there is none.
	disp, dispSize int
}

// encode makes an instruction of a form: registers, prefixes that change
// nothing, displacement and immediates at random.
func encode(r *rand.Rand, f *decode.Form) (e encoding) {
	b := make([]byte, 0, 40)
	for _, p := range [...]struct {
		bit  decode.Prefix
		code byte
	}{{decode.PrefixLock, 0xf0}, {decode.PrefixRep, 0xf3}, {decode.PrefixRepne, 0xf2}, {decode.PrefixOpSize, 0x66}, {decode.PrefixAddr, 0x67}} {
		if f.Prefix&p.bit != 0 {
			b = append(b, p.code)
		}
	}
	if once(r, 10) {
		b = append(b, pick[byte](r, 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65))
	}
	r.Shuffle(len(b), func(i, j int) { b[i], b[j] = b[j], b[i] })
	if once(r, 100) && len(b) > 0 {
		for range 1 + r.IntN(12) {
			b = append(b, b[r.IntN(len(b))]) // as often as one likes, up to 15 bytes in all
		}
	}
	long := f.Mode == decode.Mode64
	rex := byte(0)
	if long && (f.Prefix&decode.PrefixRexW != 0 || once(r, 2)) {
		rex = 0x40 | byte(r.IntN(8))
		if f.Prefix&decode.PrefixRexW != 0 {
			rex |= 8
		}
		if once(r, 30) {
			b = append([]byte{0x4f}, b...) // a REX that does not count, where a prefix follows it
		}
		b = append(b, rex)
	}
	b = append(b, [][]byte{nil, {0x0f}, {0x0f, 0x38}, {0x0f, 0x3a}}[f.Map]...)
	b = append(b, f.Opcode)
	if f.HasModRM {
		reg, rm := byte(r.IntN(8)), byte(r.IntN(8))
		if f.Reg >= 0 {
			reg = byte(f.Reg)
		}
		if f.RM >= 0 {
			rm = byte(f.RM)
		}
		if f.Memory {
			e.code = b
			e.address(r, reg, addressBytes(f))
			b = e.code
		} else {
			b = append(b, 0xc0|reg<<3|rm)
		}
	}
	e.code = immediates(r, b)
	return e
}

// addressBytes is the size of a form's addresses.
func addressBytes(f *decode.Form) int {
	switch short := f.Prefix&decode.PrefixAddr != 0; {
	case f.Mode == decode.Mode64 && !short:
		return 8
	case f.Mode == decode.Mode16 && !short || f.Mode == decode.Mode32 && short:
		return 2
	}
	return 4
}

// address appends a ModRM byte for memory, and SIB and displacement.
func (e *encoding) address(r *rand.Rand, reg byte, size int) {
	mod, rm := byte(r.IntN(3)), byte(r.IntN(8))
	bytes := [3]int{0, 1, 4}[mod]
	switch {
	case size == 2:
		if bytes == 4 || mod == 0 && rm == 6 {
			bytes = 2
		}
		e.code = append(e.code, mod<<6|reg<<3|rm)
	case rm == 4:
		sib := byte(r.IntN(256))
		e.code = append(e.code, mod<<6|reg<<3|rm, sib)
		if mod == 0 && sib&7 == 5 {
			bytes = 4
		}
	default:
		e.code = append(e.code, mod<<6|reg<<3|rm)
		if mod == 0 && rm == 5 {
			bytes = 4
		}
	}
	if mod == 0 && bytes > 0 {
		e.disp, e.dispSize = len(e.code), bytes
	}
	d := r.IntN(1<<12) - 1<<11
	for i := range bytes {
		e.code = append(e.code, byte(d>>(8*i)))
	}
}

// immediates appends more than any instruction takes: edges, small numbers, others.
func immediates(r *rand.Rand, b []byte) []byte {
	for range 3 {
		var v uint64
		switch r.IntN(3) {
		case 0:
			v = edge(r)
		case 1:
			v = uint64(r.IntN(64))
		default:
			v = r.Uint64()
		}
		b = append(b, byte(v), byte(v>>8), byte(v>>16), byte(v>>24))
	}
	return b
}

// put writes a number of so many bytes over part of the code.
func (e *encoding) put(at, size int, v uint64) {
	for i := range size {
		e.code[at+i] = byte(v >> (8 * i))
	}
}

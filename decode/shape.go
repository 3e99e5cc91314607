package decode

import "strings"

// shape tells what follows an opcode: a ModRM byte, immediates.
type shape uint16

const (
	immMask    shape = 0x000f
	hasModRM   shape = 0x0010
	modIgnored shape = 0x0020 // ModRM always names registers
	rmInKey    shape = 0x0040 // with a register operand, rm selects the operation
	invalid64  shape = 0x0080 // no such opcode in 64-bit mode
	vexEscape  shape = 0x0100 // VEX or EVEX in 64-bit mode, or with mod = 3
)

// Kinds of immediates.
const (
	immNone shape = iota
	immB          // byte, unsigned
	immS          // byte, sign-extended
	immW          // word, unsigned
	immZ          // word or doubleword by operand size, sign-extended
	immV          // word, doubleword or quadword by operand size
	immJB         // branch displacement byte
	immJZ         // branch displacement word or doubleword
	immO          // address of address size
	immP          // far pointer
	immE          // ENTER: word and byte
	immTB         // byte, group 3's TEST only
	immTZ         // word or doubleword, group 3's TEST only
)

// The one-byte and 0F maps, sixteen opcodes a row. Undefined opcodes of the
// 0F map have no ModRM, except those that a feature or another vendor uses;
// opcodes invalid in 64-bit mode still take the bytes that they take
// elsewhere, as seen on an AMD EPYC by where the fetch of a page's last bytes
// stops. UD0 and UD1 have a ModRM on Intel and none on AMD; we follow Intel.
//
//	M       ModRM                        m   ModRM whose mod is ignored
//	R       ModRM whose rm is opcode     x   invalid in 64-bit mode
//	V       VEX or EVEX                  .   nothing
//	b s w z v jb jz o p e tb tz          immediates, see the constants above
//
// [SDM 2, Opcode Map, Tables]
const oneByteShapes = `
M   M   M   M   b   z   x   x   M   M   M   M   b   z   x   .
M   M   M   M   b   z   x   x   M   M   M   M   b   z   x   x
M   M   M   M   b   z   .   x   M   M   M   M   b   z   .   x
M   M   M   M   b   z   .   x   M   M   M   M   b   z   .   x
.   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .
.   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .
x   x   MV  M   .   .   .   .   z   Mz  s   Ms  .   .   .   .
jb  jb  jb  jb  jb  jb  jb  jb  jb  jb  jb  jb  jb  jb  jb  jb
Mb  Mz  Mbx Ms  M   M   M   M   M   M   M   M   M   M   M   M
.   .   .   .   .   .   .   .   .   .   px  .   .   .   .   .
o   o   o   o   .   .   .   .   b   z   .   .   .   .   .   .
b   b   b   b   b   b   b   b   v   v   v   v   v   v   v   v
Mb  Mb  w   .   MV  MV  RMb RMz e   .   w   .   .   b   x   .
M   M   M   M   bx  bx  x   .   RM  RM  RM  RM  RM  RM  RM  RM
jb  jb  jb  jb  b   b   b   b   jz  jz  px  jb  .   .   .   .
.   .   .   .   .   .   Mtb Mtz .   .   .   .   .   .   M   M
`

const twoByteShapes = `
M   RM  M   M   .   .   .   .   .   .   .   .   .   M   .   Mb
M   M   M   M   M   M   M   M   M   M   M   M   M   M   RM  M
Mm  Mm  Mm  Mm  .   .   .   .   M   M   M   M   M   M   M   M
.   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .
M   M   M   M   M   M   M   M   M   M   M   M   M   M   M   M
M   M   M   M   M   M   M   M   M   M   M   M   M   M   M   M
M   M   M   M   M   M   M   M   M   M   M   M   M   M   M   M
Mb  Mb  Mb  Mb  M   M   M   .   M   M   .   .   M   M   M   M
jz  jz  jz  jz  jz  jz  jz  jz  jz  jz  jz  jz  jz  jz  jz  jz
M   M   M   M   M   M   M   M   M   M   M   M   M   M   M   M
.   .   .   M   Mb  M   .   .   .   .   .   M   Mb  M   RM  M
M   M   M   M   M   M   M   M   M   M   Mb  M   M   M   M   M
M   M   Mb  M   Mb  Mb  Mb  RM  .   .   .   .   .   .   .   .
M   M   M   M   M   M   M   M   M   M   M   M   M   M   M   M
M   M   M   M   M   M   M   M   M   M   M   M   M   M   M   M
M   M   M   M   M   M   M   M   M   M   M   M   M   M   M   M
`

// shapes holds the maps: one byte, 0F, 0F 38 (all ModRM), 0F 3A (all ModRM and a byte).
var shapes = [4][256]shape{
	parseShapes(oneByteShapes),
	parseShapes(twoByteShapes),
	parseShapes(strings.Repeat("M ", 256)),
	parseShapes(strings.Repeat("Mb ", 256)),
}

var immLetters = map[string]shape{
	"": immNone, "b": immB, "s": immS, "w": immW, "z": immZ, "v": immV, "jb": immJB, "jz": immJZ,
	"o": immO, "p": immP, "e": immE, "tb": immTB, "tz": immTZ,
}

func parseShapes(table string) (t [256]shape) {
	cells := strings.Fields(table)
	if len(cells) != len(t) {
		panic("BUG: opcode map without 256 cells")
	}
	for i, c := range cells {
		for _, l := range []struct {
			letter string
			bits   shape
		}{{"R", rmInKey}, {"M", hasModRM}, {"m", modIgnored}, {"x", invalid64}, {"V", vexEscape}, {".", 0}} {
			if strings.Contains(c, l.letter) {
				c = strings.Replace(c, l.letter, "", 1)
				t[i] |= l.bits
			}
		}
		imm, ok := immLetters[c]
		if !ok {
			panic("BUG: bad cell in opcode map: " + c)
		}
		t[i] |= imm
	}
	return t
}

// vexLen is the length of a VEX or EVEX instruction whose payload begins at
// src[pos], as far as the bytes go. [SDM 2, VEX Prefix Instruction Encoding]
func vexLen(src []byte, pos int) uint8 {
	end := func(n int) uint8 { return uint8(min(n, len(src))) }
	escape := src[pos-1]
	if pos >= len(src) {
		return end(pos)
	}
	m := uint8(1)
	switch escape {
	case 0xc4:
		m = src[pos] & 0x1f
		pos += 2
	case 0x62:
		m = src[pos] & 7
		pos += 3
	default:
		pos++
	}
	if pos >= len(src) {
		return end(pos)
	}
	op := src[pos]
	pos++
	if m == 1 && op == 0x77 && escape != 0x62 { // VZEROUPPER, VZEROALL
		return end(pos)
	}
	imm := m == 3 || m == 1 && shapes[1][op]&immMask == immB
	if pos >= len(src) {
		return end(pos)
	}
	scratch := Inst{AddrSize: 8, Mode: Mode64}
	modrm := src[pos]
	scratch.ModRM = modrm
	pos++
	if modrm < 0xc0 {
		if pos = scratch.scanMem(src, pos, 0); pos < 0 {
			return end(MaxLen)
		}
	}
	if imm {
		pos++
	}
	return end(pos)
}

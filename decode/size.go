package decode

import "strings"

// The operand size of each opcode, in the maps' order:
//
//	1  byte
//	v  word, doubleword or quadword: 66 and REX.W
//	z  word or doubleword: a REX.W does not widen it beyond four bytes
//	s  stack: 64 bits in 64-bit mode, 16 with 66
//	n  near branch: 64 bits in 64-bit mode, whatever the prefixes (Intel)
//	y  doubleword, or quadword with REX.W: SYSRET, SYSEXIT
//	c  64 bits in 64-bit mode, else 32: control registers
//	g  group 5, t group 7: by ModRM.reg
//
// [SDM 2, Opcode Map, Tables; Instructions That Default to 64-Bit Operand Size]
const oneByteSizes = `
1 v 1 v 1 v s s 1 v 1 v 1 v s v
1 v 1 v 1 v s s 1 v 1 v 1 v s s
1 v 1 v 1 v v 1 1 v 1 v 1 v v 1
1 v 1 v 1 v v 1 1 v 1 v 1 v v 1
v v v v v v v v v v v v v v v v
s s s s s s s s s s s s s s s s
s s v v v v v v s v s v 1 z 1 z
n n n n n n n n n n n n n n n n
1 v 1 v 1 v 1 v 1 v 1 v v v v s
v v v v v v v v v v v v s s 1 1
1 v 1 v 1 v 1 v 1 v 1 v 1 v 1 v
1 1 1 1 1 1 1 1 v v v v v v v v
1 v n n v v 1 v s s v v v v v v
1 v 1 v 1 1 1 1 v v v v v v v v
n n n n 1 z 1 z n n v n 1 z 1 z
v v v v v v 1 v v v v v v v 1 g
`

const twoByteSizes = `
v t v v v v v y v v v v v v v v
v v v v v v v v v v v v v v v v
c c c c c v c v v v v v v v v v
v v v v v y v v v v v v v v v v
v v v v v v v v v v v v v v v v
v v v v v v v v v v v v v v v v
v v v v v v v v v v v v v v v v
v v v v v v v v c c v v v v v v
n n n n n n n n n n n n n n n n
1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1
s s v v v v v v s s v v v v v v
1 v v v v v v v v v v v v v v v
1 v v v v v v v v v v v v v v v
v v v v v v v v v v v v v v v v
v v v v v v v v v v v v v v v v
v v v v v v v v v v v v v v v v
`

var opSizes = [2][]string{strings.Fields(oneByteSizes), strings.Fields(twoByteSizes)}

// opSize gives the effective operand size in bytes of a key.
func (k formKey) opSize() uint8 {
	class := "v"
	if k.opMap() < 2 {
		class = opSizes[k.opMap()][k.opcode()]
	}
	if k.opMap() == 2 && k.opcode() >= 0x80 && k.opcode() <= 0x82 {
		class = "c" // INVEPT, INVVPID, INVPCID
	}
	switch class {
	case "g": // CALL and JMP are near branches, PUSH is a stack operation
		class = [8]string{"v", "v", "n", "v", "n", "v", "s", "v"}[k.reg()]
	case "t": // SGDT, SIDT, LGDT, LIDT
		class = "v"
		if k.reg() < 4 && !k.has(keyMod3) {
			class = "n"
		}
	}
	size := dataSize(k.mode(), k.prefixes())
	long := k.mode() == Mode64
	switch class {
	case "1":
		return 1
	case "z":
		return min(size, 4)
	case "y":
		return max(size, 4)
	case "s":
		if long && size == 4 {
			return 8
		}
	case "n":
		if long {
			return 8
		}
	case "c":
		if long {
			return 8
		}
		return 4
	}
	return size
}

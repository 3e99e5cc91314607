package decode

import (
	"fmt"
	"testing"

	"golang.org/x/arch/x86/x86asm"
)

// x86asmDiffers names the differences from x86asm v0.32.0 that are meant; in and
// st are this package's result for the bytes src.
var x86asmDiffers = []struct {
	why  string
	hits func(in *Inst, st Status, src []byte) bool
}{
	{"MOV to and from CR and DR ignores mod", func(in *Inst, st Status, src []byte) bool {
		return in.Map == 1 && in.Opcode>>2 == 0x20>>2
	}},
	{"TRn do not exist", func(in *Inst, st Status, src []byte) bool {
		return in.Map == 1 && in.Opcode>>2 == 0x24>>2 && st == Undef
	}},
	{"VEX and EVEX are #UD", func(in *Inst, st Status, src []byte) bool {
		return in.Map == 0 && shapes[0][in.Opcode]&vexEscape != 0 && st == Undef
	}},
	{"LOCK is illegal", func(in *Inst, st Status, src []byte) bool {
		return in.Prefix&PrefixLock != 0 && st == Undef
	}},
	{"a row of the supplement decides", func(in *Inst, st Status, src []byte) bool {
		return ruled(in)
	}},
	{"a REX that is not last is ignored", func(in *Inst, st Status, src []byte) bool {
		return in.Mode == Mode64 && strayREX(src)
	}},
}

// strayREX tells whether a REX prefix stands before another prefix.
func strayREX(src []byte) bool {
	for i := 0; i+1 < len(src) && prefixClass[src[i]] != notPrefix; i++ {
		if prefixClass[src[i]] == rexPrefix && prefixClass[src[i+1]] != notPrefix {
			return true
		}
	}
	return false
}

// ruled tells whether a row of the supplement matches.
func ruled(in *Inst) bool {
	k := newKey(in, in.Opcode)
	if in.HasModRM {
		k |= formKey(in.ModRM>>3&7) << keyReg
		if in.ModRM >= 0xc0 {
			k |= 1<<keyMod3 | formKey(in.ModRM&7)<<keyRM
		}
	}
	for i := range supplement {
		if supplement[i].matches(k) {
			return true
		}
	}
	return false
}

// TestScanAgreesWithX86asm goes through all opcodes with all ModRM bytes, and
// through prefixes with a part of them.
func TestScanAgreesWithX86asm(t *testing.T) {
	if testing.Short() {
		t.Skip("a million encodings take long under the race detector")
	}
	prefixes := [][]byte{nil, {0x66}, {0x67}, {0xf2}, {0xf3}, {0xf0}, {0x66, 0xf3}, {0x65},
		{0x48}, {0x66, 0x48}, {0xf3, 0x4f}, {0x45}, {0x67, 0x41}}
	maps := [][]byte{nil, {0x0f}, {0x0f, 0x38}, {0x0f, 0x3a}}
	d := Decoder{Features: FeatAll}
	n, why := 0, map[string]int{}
	src := make([]byte, 0, 2*MaxLen)
	for _, mode := range []Mode{Mode16, Mode32, Mode64} {
		for pi, prefix := range prefixes {
			if mode != Mode64 && len(prefix) > 0 && prefix[len(prefix)-1]>>4 == 4 {
				continue
			}
			for _, m := range maps {
				for op := range 256 {
					for modrm := 0; modrm < 256; modrm++ {
						// With prefixes: rm 1 and 4 alone, a plain register and a SIB, and mod 0 and 3.
						if rm, mod := modrm&7, modrm>>6; pi > 0 && (rm != 1 && rm != 4 || mod != 0 && mod != 3) {
							continue
						}
						src = append(append(append(src[:0], prefix...), m...), byte(op), byte(modrm), 0x25)
						src = append(src, make([]byte, MaxLen)...)[:MaxLen]
						var in Inst
						st := d.Decode(&in, src, mode)
						want, err := x86asm.Decode(src, int(mode))
						ok := err == nil && want.Op != 0
						n++
						if ok && st == OK && int(in.Len) == want.Len && in.Op == Op(want.Op) && int(in.AddrSize)*8 == want.AddrSize ||
							!ok && st == Undef {
							continue
						}
						reason := ""
						for _, x := range x86asmDiffers {
							if x.hits(&in, st, src) {
								reason = x.why
								break
							}
						}
						if why[reason]++; reason == "" && why[""] < 20 {
							t.Errorf("mode %d, % x: status %d, %v, length %d; x86asm %v, length %d", mode, src, st, in.Op, in.Len, want.Op, want.Len)
						}
					}
				}
			}
		}
	}
	t.Log(n, "cases;", fmt.Sprint(why))
}

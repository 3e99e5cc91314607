package decode

import (
	"slices"
	"testing"
)

// checkInst looks at one result alone.
func checkInst(t *testing.T, in *Inst, st Status, src []byte) {
	t.Helper()
	if len(src) > 0 && (in.Len < 1 || in.Len > MaxLen) || int(in.Len) > max(len(src), 1) {
		t.Fatalf("length %d", in.Len)
	}
	if (st == OK) != (in.Op != 0) || int(in.Op) >= NumOps {
		t.Fatalf("status %d with Op %v", st, in.Op)
	}
	if st != OK {
		if in.Intel(0) != undefText || in.GNU(0) != undefText {
			t.Fatalf("text without an operation")
		}
		return
	}
	if in.Intel(0x1000) == "" || in.GNU(0x1000) == "" {
		t.Fatalf("no text")
	}
	if in.NArgs > 4 || in.AddrSize&(in.AddrSize-1) != 0 || in.OpSize == 0 {
		t.Fatalf("%d operands, address size %d, operand size %d", in.NArgs, in.AddrSize, in.OpSize)
	}
	for i, a := range in.Args {
		if (a.Kind == ArgNone) != (i >= int(in.NArgs)) || a.Num > 15 || a.High && (a.Num > 3 || a.Size != 1) {
			t.Fatalf("operand %d: %+v", i, a)
		}
	}
}

// prefixLen counts the bytes before the opcode.
func prefixLen(src []byte, mode Mode) (n int) {
	for n < len(src) && prefixClass[src[n]] != notPrefix && (prefixClass[src[n]] != rexPrefix || mode == Mode64) {
		n++
	}
	return n
}

func FuzzDecode(f *testing.F) {
	for _, c := range benchCode {
		f.Add(unhex(f, c), uint8(2), uint64(FeatAll))
	}
	f.Add(unhex(f, "66666666666666666666666666660f0b"), uint8(1), uint64(0))
	f.Add(unhex(f, "c4e2f0f2c1"), uint8(0), uint64(FeatAll))
	f.Add(unhex(f, "4866f3480f1efa"), uint8(2), uint64(FeatP6))
	f.Fuzz(func(t *testing.T, data []byte, m uint8, feat uint64) {
		mode := []Mode{Mode16, Mode32, Mode64}[m%3]
		d := Decoder{Features: Feature(feat)}
		src := data[:min(len(data), MaxLen)]
		var in, other Inst
		st := d.Decode(&in, data, mode)
		checkInst(t, &in, st, src)

		switch st {
		case NeedMore:
			if len(src) == MaxLen {
				t.Fatal("15 bytes are not enough")
			}
			if st := d.Decode(&other, padded(src), mode); st == NeedMore {
				t.Fatal("more bytes are not enough")
			}
			return
		case TooLong:
			if len(src) < MaxLen {
				t.Fatal("too long before 15 bytes are there")
			}
			return
		}

		// What follows does not matter, and no byte of the instruction is superfluous.
		n := int(in.Len)
		vex := in.Map == 0 && shapes[0][in.Opcode]&vexEscape != 0
		if !vex || st == OK {
			for _, fill := range []byte{0, 0xff} {
				more := append(slices.Clone(src[:n]), slices.Repeat([]byte{fill}, MaxLen-n)...)
				if s := d.Decode(&other, more, mode); s != st || other != in {
					t.Fatalf("% x: the bytes after the instruction matter", src[:n])
				}
			}
			for i := range n {
				if s := d.Decode(&other, src[:i], mode); s != NeedMore {
					t.Fatalf("% x: status %d with %d bytes", src[:n], s, i)
				}
			}
		}

		// A feature does not change the length.
		all := Decoder{Features: FeatAll}
		if all.Decode(&other, data, mode); other.Len != in.Len {
			t.Fatalf("length %d, with all features %d", in.Len, other.Len)
		}

		// A prefix said twice is said once; a REX before a prefix is not said.
		p := prefixLen(src, mode)
		if p == 0 || n == MaxLen || vex {
			return
		}
		for _, extra := range []byte{src[0], 0x4f} {
			if extra == 0x4f && mode != Mode64 {
				continue
			}
			longer := append([]byte{extra}, src[:n]...)
			s := d.Decode(&other, padded(longer)[:MaxLen], mode)
			other.Len--
			if s != st || other != in {
				t.Fatalf("% x: a leading %02x matters", src[:n], extra)
			}
		}
	})
}

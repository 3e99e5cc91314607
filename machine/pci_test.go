package machine

import "testing"

// registers is a function of PCI whose configuration space is memory.
type registers [256]byte

func (r *registers) readConfig(reg, size uint8) (v uint32) {
	for i := range size {
		v |= uint32(r[reg+i]) << (8 * i)
	}
	return v
}

func (r *registers) writeConfig(reg, size uint8, v uint32) {
	for i := range size {
		r[reg+i] = uint8(v >> (8 * i))
	}
}

func TestPCIRules(t *testing.T) {
	for _, c := range []struct{ rule, script string }{
		{"the address reads back", "outl cf8 80000000; inl cf8 80000000; outl cf8 8012345c; inl cf8 8012345c"},
		{"without its reserved bits", "outl cf8 ffffffff; inl cf8 80fffffc"},
		{"an empty bus reads as ones, and swallows", "outl cf8 80000000; inl cfc ffffffff; inw cfe ffff; in cfd ff; outl cfc 0; inl cfc ffffffff"},
		{"a function answers at its device and function number", "outl cf8 80001a00; inl cfc 12345678; outl cf8 80001a04; inl cfc 9abcdef0"},
		{"not at others", "outl cf8 80001b00; inl cfc ffffffff; outl cf8 80002200; inl cfc ffffffff"},
		{"not on another bus", "outl cf8 80011a00; inl cfc ffffffff"},
		{"not without the enable bit", "outl cf8 1a00; inl cfc ffffffff; inl cf8 1a00"},
		{"bytes and words", "outl cf8 80001a00; in cfc 78; in cfd 56; in cff 12; inw cfe 1234; inw cfd 3456"},
		{"writes", "outl cf8 80001a40; outl cfc 1020304; out cfd ff; outw cfe abcd; inl cfc abcdff04"},
		{"the last register", "outl cf8 80001afc; outl cfc 55667788; inl cfc 55667788; in cff 55"},
		{"an access across the end is made of bytes", "outl cf8 80001a00; inl cfe ffff1234; outl cf8 80001afc; outl cfe ffffffff; inl cfc ffff0000"},
		{"less than a double word does not touch the address", "outl cf8 80001a00; outw cf8 0; out cf8 0; out cfb 0; inl cf8 80001a00; in cf8 ff; inw cfa ffff"},
		{"reset control keeps its kind beside it", "outl cf8 80001a00; in cf9 0; out cf9 fb; in cf9 2; inl cf8 80001a00"},
	} {
		t.Run(c.rule, func(t *testing.T) {
			r := newRig(t)
			f := registers{0x78, 0x56, 0x34, 0x12, 0xf0, 0xde, 0xbc, 0x9a}
			r.m.PCI.plug(3, 2, &f)
			r.play(t, c.script)
		})
	}
}

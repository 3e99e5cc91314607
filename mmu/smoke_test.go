package mmu

import "testing"

func TestSmoke(t *testing.T) {
	mem := NewMemory(64<<20, 40)
	m := New(mem, Config{MaxPhysBits: 40})
	m.Write(0x1000, 4, 0x2007, 0)
	m.Write(0x2000, 4, 0x3007, 0)
	m.SetCR3(0x1000)
	m.SetCR0(CR0PE | CR0PG)
	if !m.Write(0x123, 4, 0xdeadbeef, 0) {
		t.Fatalf("%+v", m.Fault)
	}
	if v := mem.Read(0x3123, 4); v != 0xdeadbeef {
		t.Fatalf("%x", v)
	}
	if v := mem.Read(0x2000, 4); v != 0x3067 {
		t.Fatalf("%x", v)
	}
	if m.Write(0xfff, 4, 0xdeadbeef, User) {
		t.Fatal()
	}
	if m.Fault != (Fault{0x1000, 6}) {
		t.Fatalf("%+v", m.Fault)
	}
}

package machine

import "x86emu/mmu"

// TestDev is QEMU's pc-testdev, by which kernels test emulators and hypervisors:
//
//	ports 0xE0-0xE3      keep what is written, in aligned accesses of any size;
//	                     others read as 0 and write nothing
//	ports 0xE4-0xE7      a page's address: QEMU drops its own mapping of the page,
//	                     of which a guest sees nothing; reads as 0
//	ports 0xE8-0xEB      the same register as 0xE0, a byte at a time; 0xE9 is the debug
//	                     console's, where there is one
//	ports 0x2000-0x2017  a write sets the level of the line of this number, to 0 or 1;
//	                     lines from 16 on, which QEMU stops at, lead nowhere; reads as 0
//	0xFF000000           64 KiB of RAM
//
// [QEMU, hw/misc/pc-testdev.c]
type TestDev struct {
	s testDevState
	m *Machine
}

type testDevState struct{ Data [4]uint8 }

// testWindow is the RAM.
var testWindow = mmu.Range{At: 0xff000000, Len: 64 << 10}

func (d *TestDev) Name() string { return "pc-testdev" }
func (d *TestDev) State() any   { return &d.s }

// places are the ports and the window; console is what of the ports is not its own.
func (d *TestDev) places(console PortRange) []place {
	list := []place{
		atPorts(PortRange{0xe0, 4}, 4, testData{d, 0}),
		atPorts(PortRange{0xe4, 4}, 4, testFlush{}),
		atPorts(PortRange{0x2000, 24}, 1, testLines{d.m}),
		atRAM(testWindow),
	}
	for i := range uint16(4) {
		if at := (PortRange{0xe8 + i, 1}); !at.overlaps(console) {
			list = append(list, atPorts(at, 1, testData{d, i}))
		}
	}
	return list
}

// testData is the register, or its bytes from one on.
type testData struct {
	d     *TestDev
	first uint16
}

func (t testData) In(off uint16, size uint8) (v uint32) {
	if off%uint16(size) != 0 {
		return 0
	}
	for i := range uint16(size) {
		v |= uint32(t.d.s.Data[t.first+off+i]) << (8 * i)
	}
	return v
}

func (t testData) Out(off uint16, size uint8, v uint32) {
	if off%uint16(size) != 0 {
		return
	}
	for i := range uint16(size) {
		t.d.s.Data[t.first+off+i] = uint8(v >> (8 * i))
	}
}

// testFlush takes the address of a page, and need do nothing.
type testFlush struct{}

func (testFlush) In(uint16, uint8) uint32   { return 0 }
func (testFlush) Out(uint16, uint8, uint32) {}

// testLines are the interrupt lines.
type testLines struct{ m *Machine }

func (t testLines) In(uint16, uint8) uint32 { return 0 }

func (t testLines) Out(off uint16, _ uint8, v uint32) {
	if off < 16 {
		t.m.SetIRQ(uint8(off), v != 0)
	}
}

package acpi

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// pc is a board with a device of each sort.
var pc = Board{
	SCI:      9,
	PMEvents: 0x600, PMControl: 0x604, PMTimer: 0x608, GeneralEvents: 0xafe0,
	SMICommand: 0xb2, ACPIEnable: 0xf1, ACPIDisable: 0xf0,
	ResetPort: 0xcf9, ResetValue: 6,
	LocalAPIC: 0xfee00000, IOAPIC: 0xfec00000, HPET: 0xfed00000, HPETID: 0x8086a201,
	PCIPorts: []Range{{0, 0xcf8}, {0xd00, 0xf300}}, PCIMemory: []Range{{0xa0000, 0x20000}},
	Devices: []Device{
		{"COM1", "PNP0501", []Range{{0x3f8, 8}}, nil, []uint8{4}},
		{"COM2", "PNP0501", []Range{{0x2f8, 8}}, nil, []uint8{3}},
		{"HPET", "PNP0103", nil, []Range{{0xfed00000, 0x400}}, nil},
	},
	Signature: 0x506e3, Features: 0x1234,
}

// space is memory with tables in it, from base on.
type space struct {
	base uint32
	data []byte
}

func installed(at uint32) (*space, []Piece) {
	pieces, end := New(&pc).Install(at)
	s := &space{at, make([]byte, end-at)}
	for _, p := range pieces {
		copy(s.data[p.At-at:], p.Data)
	}
	return s, pieces
}

func (s *space) at(p uint32) []byte    { return s.data[p-s.base:] }
func (s *space) word(p uint32) uint32  { return binary.LittleEndian.Uint32(s.at(p)) }
func (s *space) table(p uint32) []byte { return s.at(p)[:s.word(p+4)] }

// A kernel comes from the RSDP to every table by RSDT and by XSDT, and all sums are 0.
func TestTablesLeadToEachOther(t *testing.T) {
	for _, base := range []uint32{0xe0000, 0x3fe0010, 0xfffe0000} {
		s, pieces := installed(base)
		rsdp := pieces[0].At
		require.Zero(t, rsdp%16)
		assert.Equal(t, "RSD PTR ", string(s.at(rsdp)[:8]))
		assert.Zero(t, Sum(s.at(rsdp)[:20]), "of ACPI 1.0")
		assert.Zero(t, Sum(s.at(rsdp)[:36]))

		rsdt, xsdt := s.table(s.word(rsdp+16)), s.table(s.word(rsdp+24))
		assert.Equal(t, "RSDT", string(rsdt[:4]))
		assert.Equal(t, "XSDT", string(xsdt[:4]))
		assert.Zero(t, Sum(rsdt))
		assert.Zero(t, Sum(xsdt))
		var found []string
		for i := 0; i < (len(rsdt)-36)/4; i++ {
			p := binary.LittleEndian.Uint32(rsdt[36+4*i:])
			assert.EqualValues(t, p, binary.LittleEndian.Uint64(xsdt[36+8*i:]))
			table := s.table(p)
			assert.Zero(t, Sum(table), "%s", table[:4])
			found = append(found, string(table[:4]))
			if found[i] != "FACP" {
				continue
			}
			facs, dsdt := s.word(p+36), s.word(p+40)
			assert.Zero(t, facs%64)
			assert.Equal(t, "FACS", string(s.table(facs)[:4]))
			assert.Len(t, s.table(facs), 64)
			assert.Equal(t, "DSDT", string(s.table(dsdt)[:4]))
			assert.Zero(t, Sum(s.table(dsdt)))
			assert.EqualValues(t, dsdt, binary.LittleEndian.Uint64(table[140:]))
			assert.Len(t, table, 244)
		}
		assert.Equal(t, []string{"FACP", "APIC", "HPET"}, found)
	}
}

func TestScriptAsFirmwareReadsIt(t *testing.T) {
	entry := func(parts ...[]byte) []byte { return append(join(parts...), make([]byte, 128-len(join(parts...)))...) }
	name := func(s string) []byte { return append([]byte(s), make([]byte, 56-len(s))...) }
	for _, c := range []struct {
		rule string
		c    Command
		want []byte
	}{
		{"allocate", Command{Kind: Allocate, File: "a", Align: 64, Zone: LowZone}, entry(u32(1), name("a"), u32(64), u8(2))},
		{"add pointer", Command{Kind: AddPointer, File: "a", Source: "b", Offset: 0x124, Size: 8}, entry(u32(2), name("a"), name("b"), u32(0x124), u8(8))},
		{"add checksum", Command{Kind: AddSum, File: "a", Offset: 9, Start: 3, Length: 0x200}, entry(u32(3), name("a"), u32(9), u32(3), u32(0x200))},
	} {
		assert.Equal(t, c.want, Script{c.c}.Encode(), c.rule)
	}
	tables := New(&pc)
	assert.Len(t, tables.Script.Encode(), 128*len(tables.Script))
}

func TestAML(t *testing.T) {
	filled := func(n int) []byte { return bytes.Repeat([]byte{0xaa}, n) }
	for _, c := range []struct {
		rule      string
		got, want []byte
	}{
		{"small numbers are opcodes", join(integer(0), integer(1)), []byte{0, 1}},
		{"a byte", integer(0xff), []byte{0x0a, 0xff}},
		{"a word", integer(0x100), []byte{0x0b, 0, 1}},
		{"a double word", integer(0x12345678), []byte{0x0c, 0x78, 0x56, 0x34, 0x12}},
		{"a length of 63 has one byte", sized(filled(62)), join(u8(0x3f), filled(62))},
		{"one of 65 has two", sized(filled(63)), join(u8(0x41), u8(4), filled(63))},
		{"one of 4095", sized(filled(4093)), join(u8(0x4f), u8(0xff), filled(4093))},
		{"a plug-and-play ID", eisaID("PNP0A03"), []byte{0x0c, 0x41, 0xd0, 0x0a, 0x03}},
		{`\_S5 as operating systems look for it`, powerOff(), []byte("\x08_S5_\x12\x06\x04\x00\x00\x00\x00")},
		{"resources", resources(ports(Range{0x3f8, 8}), irq(4)), []byte("\x11\x10\x0a\x0d" + "\x47\x01\xf8\x03\xf8\x03\x01\x08" + "\x22\x10\x00" + "\x79\x00")},
	} {
		assert.Equal(t, c.want, c.got, c.rule)
	}
	assert.Panics(t, func() { sized(filled(4094)) })
	assert.Panics(t, func() { segment("PCI") })
	assert.Panics(t, func() { eisaID("PNP") })
}

func TestMP(t *testing.T) {
	p := MP(&pc, 0xe0400)
	assert.EqualValues(t, 0xe0400, p.At)
	assert.Equal(t, "_MP_\x10\x04\x0e\x00\x01\x04", string(p.Data[:10]))
	assert.Zero(t, Sum(p.Data[:16]))
	configuration := p.Data[16:]
	assert.Equal(t, "PCMP", string(configuration[:4]))
	assert.EqualValues(t, len(configuration), binary.LittleEndian.Uint16(configuration[4:]))
	assert.Zero(t, Sum(configuration))

	sizes := [...]int{20, 8, 8, 8, 8}
	var kinds [len(sizes)]int
	inputs := map[uint8]uint8{}
	entries := 0
	for rest := configuration[44:]; len(rest) > 0; entries++ {
		kind := rest[0]
		if kinds[kind]++; kind == 3 {
			inputs[rest[5]] = rest[7]
		}
		rest = rest[sizes[kind]:]
	}
	assert.Equal(t, [...]int{1, 1, 1, 15, 2}, kinds)
	assert.EqualValues(t, entries, binary.LittleEndian.Uint16(configuration[34:]))
	assert.EqualValues(t, 2, inputs[0])
	assert.EqualValues(t, 9, inputs[9])
	assert.NotContains(t, inputs, uint8(2))
}

package machine

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/machine/acpi"
)

// search finds a signature at a multiple of 16 in the area where kernels look.
func search(m *Machine, signature string) (found []byte) {
	area := make([]byte, 0x20000)
	m.Mem.ReadBytes(0xe0000, area)
	for at := 0; at < len(area); at += 16 {
		if bytes.HasPrefix(area[at:], []byte(signature)) {
			return area[at:]
		}
	}
	return nil
}

func TestInstallTables(t *testing.T) {
	m, err := New(Config{})
	require.NoError(t, err)
	assert.Nil(t, search(m, "RSD PTR "), "firmware would find its memory empty")
	m.InstallTables()
	rsdp, mp := search(m, "RSD PTR "), search(m, "_MP_")
	require.NotNil(t, rsdp)
	require.NotNil(t, mp)
	assert.Zero(t, acpi.Sum(rsdp[:36]))
	assert.Zero(t, acpi.Sum(mp[:16]))
	for _, p := range []uint32{binary.LittleEndian.Uint32(rsdp[16:]), binary.LittleEndian.Uint32(mp[4:])} {
		assert.Greater(t, p, uint32(TablesAt))
		assert.Less(t, p, uint32(TablesEnd))
	}

	bare, err := New(Config{Board: Bare})
	require.NoError(t, err)
	bare.InstallTables()
	assert.Nil(t, search(bare, "RSD PTR "))
}

// What firmware gets by fw_cfg is what images without firmware find.
func TestFirmwareGetsTheTables(t *testing.T) {
	r := newRigOf(t)
	tables := acpi.New(r.m.acpiBoard())
	assert.Equal(t, tables.RSDP, r.file(t, "etc/acpi/rsdp"))
	assert.Equal(t, tables.Tables, r.file(t, "etc/acpi/tables"))
	assert.Equal(t, tables.Script.Encode(), r.file(t, "etc/table-loader"))
}

// The DSDT tells of the parts that are there, each where it is.
func TestACPIDevicesAreTheBoards(t *testing.T) {
	elsewhere := StandardPorts
	elsewhere.Serial = PortRange{}
	com1 := acpi.Device{Name: "COM1", ID: "PNP0501", Ports: []acpi.Range{{First: 0x3f8, N: 8}}, IRQs: []uint8{4}}
	hpet := acpi.Device{Name: "HPET", ID: "PNP0103", Memory: []acpi.Range{{First: 0xfed00000, N: 0x400}}}
	for _, c := range []struct {
		name string
		cfg  Config
		want []acpi.Device // of these two
	}{
		{"the standard board", Config{}, []acpi.Device{hpet, com1}},
		{"without its serial port", Config{Ports: &elsewhere}, []acpi.Device{hpet}},
		{"without its HPET", Config{NoHPET: true}, []acpi.Device{com1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, err := New(c.cfg)
			require.NoError(t, err)
			var found []acpi.Device
			for _, d := range m.acpiBoard().Devices {
				if d.Name == "COM1" || d.Name == "HPET" {
					found = append(found, d)
				}
			}
			assert.Equal(t, c.want, found)
			tables := acpi.New(m.acpiBoard()).Tables
			assert.Equal(t, !c.cfg.NoHPET, bytes.Contains(tables, []byte("HPET\x38\x00\x00\x00")), "the table of 56 bytes")
		})
	}
}

package machine

import (
	"x86emu/machine/acpi"
	"x86emu/mmu"
)

// acpiDevices are the parts of a board that its DSDT tells of, and how many of
// their lines each is told with: to ACPI a device has lines of its own.
var acpiDevices = []struct {
	part  string // its name
	name  string
	id    string // of plug and play
	lines int
}{
	{"pic", "PIC_", "PNP0000", 0},
	{"pit", "TIMR", "PNP0100", 1},
	{"hpet", "HPET", "PNP0103", 0},
	{"8042", "KBD_", "PNP0303", 1},
	{"uart", "COM1", "PNP0501", 1},
	{"uart2", "COM2", "PNP0501", 1},
	{"ide0", "IDE0", "PNP0600", 1},
	{"ide1", "IDE1", "PNP0600", 1},
	{"rtc", "RTC_", "PNP0B00", 1},
}

// acpiBoard is the PC as its tables tell of it.
func (m *Machine) acpiBoard() *acpi.Board {
	b := &acpi.Board{
		SCI:      sciIRQ,
		PMEvents: pmEvents, PMControl: pmControl, PMTimer: pmTimer, GeneralEvents: pmGeneral,
		SMICommand: smiCommand, ACPIEnable: acpiEnable, ACPIDisable: acpiDisable,
		ResetPort: pciReset, ResetValue: resetHard | resetNow,
		LocalAPIC: apicPage, IOAPIC: ioapicPage,
		PCIPorts:  []acpi.Range{{First: 0, N: pciAddress}, {First: pciData + 4, N: 1<<16 - pciData - 4}},
		PCIMemory: []acpi.Range{{First: 0xa0000, N: 0x20000}, {First: MaxRAM, N: ioapicPage - MaxRAM}},
		Signature: m.cfg.Model.Signature, Features: m.cfg.Model.FeatureFlags(),
	}
	if !m.cfg.NoHPET {
		b.HPET, b.HPETID = hpetBase, hpetID
	}
	for _, d := range acpiDevices {
		for _, p := range m.parts {
			if p.Name == d.part && len(p.Ports)+len(p.Mem) > 0 {
				b.Devices = append(b.Devices, p.acpiDevice(d.name, d.id, d.lines))
			}
		}
	}
	return b
}

// acpiDevice is a part as the DSDT tells of it.
func (p *Part) acpiDevice(name, id string, lines int) acpi.Device {
	d := acpi.Device{Name: name, ID: id, IRQs: p.IRQs[:min(lines, len(p.IRQs))]}
	for _, r := range p.Ports {
		d.Ports = append(d.Ports, acpi.Range{First: uint32(r.First), N: uint32(r.N)})
	}
	for _, r := range p.Mem {
		d.Memory = append(d.Memory, acpi.Range{First: uint32(r.At), N: uint32(r.Len)})
	}
	return d
}

// TablesAt is where InstallTables puts its tables, the RSDP first, and TablesEnd the end of
// the room that there is. A kernel that looks for RSDP or MP tables searches there.
const (
	TablesAt  = 0xe0000
	TablesEnd = 0xf0000
)

// InstallTables does what a PC's firmware does for an operating system: it puts the
// tables of ACPI and of the MultiProcessor Specification into memory, from TablesAt on. It is
// for images that are loaded without firmware; firmware finds the tables by fw_cfg and
// installs them itself. A bare board has none of what they tell of, and gets none.
func (m *Machine) InstallTables() {
	if m.cfg.Board != PC {
		return
	}
	b := m.acpiBoard()
	pieces, end := acpi.New(b).Install(TablesAt)
	pieces = append(pieces, acpi.MP(b, (end+15)&^15))
	for _, p := range pieces {
		if uint64(p.At)+uint64(len(p.Data)) > TablesEnd {
			panic("BUG: the tables do not fit")
		}
		m.Mem.WriteBytes(mmu.Phys(p.At), p.Data)
	}
}

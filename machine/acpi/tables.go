package acpi

import "encoding/binary"

// The files of a set of tables, by QEMU's names.
const (
	RSDPFile   = "etc/acpi/rsdp"
	TablesFile = "etc/acpi/tables"
	ScriptFile = "etc/table-loader"
)

// Tables are ACPI's tables of a board, as they are before they have a place.
type Tables struct {
	RSDP   []byte // the file RSDPFile
	Tables []byte // the file TablesFile, all others
	Script Script // puts them into place
}

// New makes the tables of a board.
func New(b *Board) *Tables {
	t := &Tables{Script: Script{
		{Kind: Allocate, File: RSDPFile, Align: 16, Zone: LowZone},
		{Kind: Allocate, File: TablesFile, Align: 64, Zone: HighZone},
	}}
	facs := t.append(facs())
	dsdt := t.table("DSDT", 2, dsdt(b))
	fadt := t.table("FACP", 3, fadt(b), pointer{fadtFACS, 4, facs}, pointer{fadtDSDT, 4, dsdt}, pointer{fadtXDSDT, 8, dsdt})
	madt := t.table("APIC", 1, madt(b))
	list := []uint32{fadt, madt}
	if b.HPET != 0 {
		list = append(list, t.table("HPET", 1, hpet(b)))
	}
	rsdt := t.table("RSDT", 1, make([]byte, 4*len(list)), pointers(4, list)...)
	xsdt := t.table("XSDT", 1, make([]byte, 8*len(list)), pointers(8, list)...)
	t.rsdp(rsdt, xsdt)
	return t
}

// pointer is a field of a table that points to another one.
type pointer struct {
	at   uint32 // from the table's beginning
	size uint8
	to   uint32 // from the beginning of all tables
}

// pointers are those of a list behind a header.
func pointers(size uint8, list []uint32) (all []pointer) {
	for i, to := range list {
		all = append(all, pointer{headerSize + uint32(i)*uint32(size), size, to})
	}
	return all
}

// append appends a table to the file and tells where it is.
func (t *Tables) append(table []byte) uint32 {
	at := len(t.Tables)
	t.Tables = append(t.Tables, table...)
	return uint32(at)
}

// table appends one with a header, with what has to be done in its place.
func (t *Tables) table(signature string, revision uint8, body []byte, all ...pointer) uint32 {
	size := headerSize + len(body)
	at := t.append(join(header(signature, revision, size), body))
	for _, p := range all {
		binary.LittleEndian.PutUint32(t.Tables[at+p.at:], p.to)
		t.Script = append(t.Script, Command{Kind: AddPointer, File: TablesFile, Source: TablesFile, Offset: at + p.at, Size: p.size})
	}
	t.Script = append(t.Script, Command{Kind: AddSum, File: TablesFile, Offset: at + sumOffset, Start: at, Length: uint32(size)})
	return at
}

// rsdp makes the root of all tables. The first of its sums is that of ACPI 1.0, which
// knew the first 20 bytes alone. [ACPI Specification, Root System Description Pointer Structure]
func (t *Tables) rsdp(rsdt, xsdt uint32) {
	const (
		revision   = 2
		toRSDT     = 16
		toXSDT     = 24
		size, old  = 36, 20
		sum, oldOf = 32, 8
	)
	t.RSDP = join(text("RSD PTR ", 8), u8(0), text(oem, 6), u8(revision), u32(rsdt), u32(size), u64(uint64(xsdt)), u32(0))
	t.Script = append(t.Script,
		Command{Kind: AddPointer, File: RSDPFile, Source: TablesFile, Offset: toRSDT, Size: 4},
		Command{Kind: AddPointer, File: RSDPFile, Source: TablesFile, Offset: toXSDT, Size: 8},
		Command{Kind: AddSum, File: RSDPFile, Offset: oldOf, Length: old},
		Command{Kind: AddSum, File: RSDPFile, Offset: sum, Length: size})
}

// facs is what firmware and operating system share: a lock, and where to wake. It has
// no sum, for it changes, and lies at a multiple of 64.
// [ACPI Specification, Firmware ACPI Control Structure]
func facs() []byte {
	const size, version = 64, 1
	return join(text("FACS", 4), u32(size), make([]byte, 24), u8(version), make([]byte, 31))
}

// Pointers of the FADT.
const (
	fadtFACS  = 36
	fadtDSDT  = 40
	fadtXDSDT = 140
)

// fadt is what follows the header of the fixed ACPI description table.
// [ACPI Specification, Fixed ACPI Description Table]
func fadt(b *Board) []byte {
	const (
		noC2, noC3 = 101, 1001 // latencies that say: not there
		century    = 0x32      // its register in CMOS memory

		legacyDevices, keyboardController = 1 << 0, 1 << 1 // boot flags

		wbinvd, c1                   = 1 << 0, 1 << 2
		noPowerButton, noSleepButton = 1 << 4, 1 << 5
		noFixedAlarm, hasReset       = 1 << 6, 1 << 10
		events, control, timer, gpe  = 4, 2, 4, 4 // lengths of register blocks in bytes
		desktop                      = 1          // the profile
	)
	block := func(at uint16, size uint8) []byte { return register(inPorts, 8*size, uint64(at)) }
	none := register(inPorts, 0, 0)
	return join(
		u32(0), u32(0), // FACS and DSDT: pointers
		u8(0), u8(desktop), u16(uint16(b.SCI)),
		u32(uint32(b.SMICommand)), u8(b.ACPIEnable), u8(b.ACPIDisable), u8(0), u8(0),
		u32(uint32(b.PMEvents)), u32(0), u32(uint32(b.PMControl)), u32(0), u32(0),
		u32(uint32(b.PMTimer)), u32(uint32(b.GeneralEvents)), u32(0),
		u8(events), u8(control), u8(0), u8(timer), u8(gpe), u8(0), u8(0), u8(0),
		u16(noC2), u16(noC3), u16(0), u16(0), u8(0), u8(0),
		u8(0), u8(0), u8(century), u16(legacyDevices|keyboardController), u8(0),
		u32(wbinvd|c1|noPowerButton|noSleepButton|noFixedAlarm|hasReset),
		block(b.ResetPort, 1), u8(b.ResetValue), make([]byte, 3),
		u64(0), u64(0), // FACS, told above, and DSDT: a pointer
		block(b.PMEvents, events), none, block(b.PMControl, control), none, none,
		block(b.PMTimer, timer), block(b.GeneralEvents, gpe), none,
	)
}

// madt is what follows the header of the multiple APIC description table: one
// processor. [ACPI Specification, Multiple APIC Description Table]
func madt(b *Board) []byte {
	const (
		dualPICs = 1 // two 8259A are there as well

		processor, controller, override, nmi = 0, 1, 2, 4

		enabled = 1
		isa     = 0
		allCPUs = 0xff
		lint1   = 1
	)
	return join(
		u32(b.LocalAPIC), u32(dualPICs),
		u8(processor), u8(8), u8(0), u8(0), u32(enabled),
		u8(controller), u8(12), u8(0), u8(0), u32(b.IOAPIC), u32(0),
		u8(override), u8(10), u8(isa), u8(0), u32(irq0Input), u16(0),
		u8(override), u8(10), u8(isa), u8(b.SCI), u32(uint32(b.SCI)), u16(levelHigh),
		u8(nmi), u8(6), u8(allCPUs), u16(0), u8(lint1),
	)
}

// hpet is what follows the header of the timer's table.
// [IA-PC HPET Specification, The ACPI 2.0 HPET Description Table]
func hpet(b *Board) []byte {
	const number, leastClocks, noPageProtection = 0, 0, 0
	return join(u32(b.HPETID), register(inMemory, 0, uint64(b.HPET)), u8(number), u16(leastClocks), u8(noPageProtection))
}

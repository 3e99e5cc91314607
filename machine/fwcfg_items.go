package machine

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"

	"x86emu/machine/acpi"
	"x86emu/mmu"
)

// File is one that a guest finds in the directory of fw_cfg.
type File struct {
	Name string // 1 to MaxFileName bytes of printable ASCII
	Data []byte // of all files together at most MaxFiles bytes
}

// Limits of Config.Files.
const (
	MaxFileName = 55
	MaxFiles    = 16 << 20
	maxFileKeys = 0x40 // that have a key
)

// Keys of items. [QEMU, docs/specs/fw_cfg; include/standard-headers/linux/qemu_fw_cfg.h]
const (
	fwCfgKeySignature = 0x00
	fwCfgKeyFeatures  = 0x01
	fwCfgKeyRAM       = 0x03
	fwCfgKeyCPUs      = 0x05
	fwCfgKeyNUMA      = 0x0d
	fwCfgKeyMaxCPUs   = 0x0f
	fwCfgKeyDirectory = 0x19
	fwCfgKeyFiles     = 0x20   // the first file's
	fwCfgKeyIRQ0      = 0x8002 // timer interrupts reach the I/O APIC's input 2
)

// fwCfgItems are what fw_cfg serves. Items that QEMU has and are not here are zero
// there, too: UUID, no graphics, boot device and menu, a kernel to boot.
func (m *Machine) fwCfgItems() map[uint16][]byte {
	const traditional, dma = 1 << 0, 1 << 1 // of the features
	le := binary.LittleEndian
	items := map[uint16][]byte{
		fwCfgKeySignature: []byte("QEMU"),
		fwCfgKeyFeatures:  le.AppendUint32(nil, traditional|dma),
		fwCfgKeyRAM:       le.AppendUint64(nil, m.RAM()),
		fwCfgKeyCPUs:      le.AppendUint16(nil, 1),
		fwCfgKeyNUMA:      make([]byte, 16), // no nodes, and the processor is in the first
		fwCfgKeyMaxCPUs:   le.AppendUint16(nil, 1),
		fwCfgKeyIRQ0:      le.AppendUint32(nil, 1),
	}
	files := append(m.boardFiles(), m.cfg.Files...)
	slices.SortFunc(files, func(a, b File) int { return cmp.Compare(a.Name, b.Name) })
	be := binary.BigEndian
	directory := be.AppendUint32(nil, uint32(len(files)))
	for i, f := range files {
		key := uint16(fwCfgKeyFiles + i)
		directory = be.AppendUint16(be.AppendUint16(be.AppendUint32(directory, uint32(len(f.Data))), key), 0)
		directory = append(append(directory, f.Name...), make([]byte, MaxFileName+1-len(f.Name))...)
		items[key] = f.Data
	}
	items[fwCfgKeyDirectory] = directory
	return items
}

const (
	fileOfMemory = "etc/e820"
	fileOfStates = "etc/system-states"
)

// boardFiles are the files that the board has of its own.
func (m *Machine) boardFiles() []File {
	tables := acpi.New(m.acpiBoard())
	return []File{
		{acpi.RSDPFile, tables.RSDP},
		{acpi.TablesFile, tables.Tables},
		{acpi.ScriptFile, tables.Script.Encode()},
		{fileOfMemory, m.fwCfgMemory()},
		// For each sleep state whether it is there (bit 7), and its sleep type: S0 and S5.
		{fileOfStates, []byte{0x80, 0, 0, 1, 2, 0x80}},
	}
}

// fwCfgMemory are all of RAM and what is reserved above. Firmware, for which it is, finds
// the holes below 1 MiB by itself.
func (m *Machine) fwCfgMemory() (table []byte) {
	le := binary.LittleEndian
	for _, r := range append([]MemoryRange{{mmu.Range{Len: m.RAM()}, UsableMemory}}, m.deviceMemory()...) {
		table = le.AppendUint64(le.AppendUint64(table, uint64(r.At)), r.Len)
		table = le.AppendUint32(table, uint32(r.Kind))
	}
	return table
}

// boardFileNames are the names of boardFiles.
var boardFileNames = []string{acpi.RSDPFile, acpi.TablesFile, acpi.ScriptFile, fileOfMemory, fileOfStates}

// CheckFiles tells what is wrong with the files of a board, if anything is.
func CheckFiles(board Board, files []File) error {
	if len(files) > 0 && board != PC {
		return fmt.Errorf("board %s has no fw_cfg, which files need", board)
	}
	names, size := slices.Clone(boardFileNames), 0
	for _, f := range files {
		if f.Name == "" || len(f.Name) > MaxFileName || slices.ContainsFunc([]byte(f.Name), func(c byte) bool { return c <= ' ' || c > '~' }) {
			return fmt.Errorf("fw_cfg file %q: a name has 1 to %d characters of ASCII, without spaces", f.Name, MaxFileName)
		}
		if slices.Contains(names, f.Name) {
			return fmt.Errorf("fw_cfg file %q is there already", f.Name)
		}
		names, size = append(names, f.Name), size+len(f.Data)
	}
	if len(names) > maxFileKeys || size > MaxFiles {
		return fmt.Errorf("fw_cfg has room for %d files and %d MiB beside the board's own", maxFileKeys-len(boardFileNames), MaxFiles>>20)
	}
	return nil
}

package machine

import (
	"bufio"
	"compress/zlib"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"iter"
	"reflect"

	"x86emu/mmu"
)

// A snapshot file, numbers little-endian:
//
//	magic    8 bytes
//	version  4 bytes
//	sections a zlib stream
//	checksum SHA-256 of all that precedes
//
// A section is a list of records of the same fields and tells what these are:
//
//	name     1 byte length, text; length 0 ends the stream
//	fields   4 bytes length, text: a line for each, "Name kind" or "Name [n]kind"
//	records  4 bytes count, then the numbers of each, in the order of the fields
//
// Sections come in this order, the first one first:
//
//	machine       model, RAM, TLB off, ticks in a second, which board, how much of the serial input was taken, size of the firmware, ports, sizes of disks, which of them are here, whether the HPET is left out
//	cpu           State
//	tlb           a record for each entry in use
//	timers        the tick of each, under its name
//	device NAME   the state of each device that was attached
//	files         Config.Files in pieces (snapshot_files.go); left out where there are none
//	memory        pages of RAM and ROM in order of address; pages of zeros are left out
//	image NAME    the disk in a drive, if it is one in memory
//	disk NAME     the sectors that were written to the disk in a drive, in order; left out if there are none
//
// Fields are read by name. So a file need not know what this build knows: what
// it lacks, a field, a timer or a whole device, is as New leaves it. What it
// has and this build does not know is an error. Hence the rules for whoever
// changes a state: a new field is one whose value after reset is that of
// machines that had no such thing; a name never gets another meaning; a field
// may become wider, an array longer, nothing narrower. To add a device, give it
// a State, a name that is its own, and Attach it: there is nothing to do here.
const snapshotMagic = "x86emu\x1a\n"

// SnapshotVersion is the version of the files that Save writes. Restore reads
// this one and those before it. It counts the form of the file, not the fields
// in it.
const SnapshotVersion = 2

// Names of sections.
const (
	sectionMachine = "machine"
	sectionCPU     = "cpu"
	sectionTLB     = "tlb"
	sectionTimers  = "timers"
	sectionMemory  = "memory"
	sectionDevice  = "device " // and the device's name
	sectionDisk    = "disk "   // and the drive's name
	sectionImage   = "image "  // likewise
)

// board is what a machine is made with, as the section "machine" has it.
type board struct {
	Model    [32]byte
	RAM      uint64
	TLBOff   bool
	TickRate uint64
	Board    Board
	Input    uint64 // bytes of COM1's input that were taken
	Input2   uint64 // likewise of COM2's
	Firmware uint64 // bytes of ROM at the end of 4 GiB
	Ports    struct{ Serial, Console, Exit, Serial2, Exit2 savedRange }
	Disks    [driveCount]uint64 // bytes of the disk in each drive, in the order of DriveNames; 0: none
	Images   [driveCount]bool   // whether the disk itself is in the file
	NoHPET   bool
}

// savedRange is a PortRange.
type savedRange struct{ First, N uint16 }

func (r *PortRange) saved() savedRange { return savedRange{r.First, uint16(r.N)} }
func (r savedRange) ports() PortRange  { return PortRange{r.First, int(r.N)} }

// firstPorts is where devices stood when files did not tell: those that came later
// are not on a machine of then.
var firstPorts = PortMap{Serial: StandardPorts.Serial, Console: StandardPorts.Console, Exit: StandardPorts.Exit}

// setPorts sets the ports.
func (b *board) setPorts(p *PortMap) {
	b.Ports.Serial, b.Ports.Console, b.Ports.Exit = p.Serial.saved(), p.Console.saved(), p.Exit.saved()
	b.Ports.Serial2, b.Ports.Exit2 = p.Serial2.saved(), p.Exit2.saved()
}

// savedSector is a record of a section "disk NAME".
type savedSector struct {
	Number uint64
	Data   sector
}

// savedPage is a record of the section "memory".
type savedPage struct {
	Addr uint64
	Data mmu.Page
}

// Save writes the machine's whole state.
func (m *Machine) Save(w io.Writer) error {
	if err := m.checkNames(); err != nil {
		return err // a device was attached after New
	}
	sum := sha256.New()
	b := bufio.NewWriter(w)
	file := io.MultiWriter(b, sum)
	io.WriteString(file, snapshotMagic) // an error stays in the buffered writer and comes out of Flush
	file.Write(binary.LittleEndian.AppendUint32(nil, SnapshotVersion))
	z, err := zlib.NewWriterLevel(file, zlib.BestSpeed) // what is small compresses well in any way
	if err != nil {
		panic("BUG: " + err.Error())
	}

	about := board{
		RAM: m.cfg.RAM, TLBOff: m.cfg.TLBOff, TickRate: m.cfg.TickRate, Board: m.cfg.Board,
		Disks: m.cfg.Drives.sizes(), Images: m.cfg.Drives.inMemory(),
		Firmware: uint64(len(m.cfg.Firmware)), NoHPET: m.cfg.NoHPET,
	}
	about.Input, about.Input2 = uint64(m.taken()[0]), uint64(m.taken()[1])
	about.setPorts(m.ports())
	if n := copy(about.Model[:], m.cfg.Model.Name); n < len(m.cfg.Model.Name) {
		return fmt.Errorf("CPU model %q: a snapshot has room for %d bytes of its name", m.cfg.Model.Name, n)
	}
	state := m.CPU.State()
	head := appendSection(nil, sectionMachine, fieldsOf(&about))
	head = appendSection(head, sectionCPU, fieldsOf(&state))
	head = appendTLB(head, m.MMU.TLB())
	head = appendSection(head, sectionTimers, m.Clock.fields())
	for _, d := range m.devices {
		head = appendSection(head, sectionDevice+d.Name(), fieldsOf(d.State()))
	}
	if len(m.cfg.Files) > 0 {
		head = appendFiles(head, m.cfg.Files)
	}
	head = appendHead(head, sectionMemory, pageFields(), m.savedPages())
	if _, err := z.Write(head); err != nil {
		return err
	}
	var at [8]byte
	for p, page := range m.Mem.Pages() {
		if *page == (mmu.Page{}) {
			continue
		}
		binary.LittleEndian.PutUint64(at[:], uint64(p))
		if _, err := z.Write(at[:]); err != nil {
			return err
		}
		if _, err := z.Write(page[:]); err != nil {
			return err
		}
	}
	if err := m.writeSectors(z); err != nil {
		return err
	}
	if _, err := z.Write([]byte{0}); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	b.Write(sum.Sum(nil))
	return b.Flush()
}

// writeSectors writes the sections of the disks.
func (m *Machine) writeSectors(w io.Writer) error {
	write := func(name string, count uint64, all iter.Seq2[uint64, *sector]) error {
		b := appendHead(nil, name, sectorFields(), int(count))
		for n, data := range all {
			b = append(binary.LittleEndian.AppendUint64(b, n), data[:]...)
			if _, err := w.Write(b); err != nil {
				return err
			}
			b = b[:0]
		}
		return nil
	}
	for i, d := range m.media {
		if d.present() && d.data != nil {
			if err := write(sectionImage+DriveNames[i], d.sectors(), d.dataSectors()); err != nil {
				return err
			}
		}
		if d.written.n != 0 {
			if err := write(sectionDisk+DriveNames[i], d.written.n, d.written.all()); err != nil {
				return err
			}
		}
	}
	return nil
}

// dataSectors yields the sectors of a disk in memory.
func (d *Disk) dataSectors() iter.Seq2[uint64, *sector] {
	return func(yield func(uint64, *sector) bool) {
		for n := uint64(0); n < d.size/SectorSize; n++ {
			if !yield(n, (*sector)(d.data[n*SectorSize:])) {
				return
			}
		}
	}
}

// savedPages counts the pages that a snapshot has.
func (m *Machine) savedPages() (n int) {
	for _, page := range m.Mem.Pages() {
		if *page != (mmu.Page{}) {
			n++
		}
	}
	return n
}

// pageFields are the fields of a page's record.
func pageFields() string { return describeFields(fieldsOf(new(savedPage))) }

// sectorFields are the fields of a sector's record.
func sectorFields() string { return describeFields(fieldsOf(new(savedSector))) }

// appendHead appends what precedes a section's records.
func appendHead(b []byte, name, fields string, records int) []byte {
	b = append(append(b, uint8(len(name))), name...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(fields)))
	b = append(b, fields...)
	return binary.LittleEndian.AppendUint32(b, uint32(records))
}

// appendSection appends a section of one record.
func appendSection(b []byte, name string, list []leaf) []byte {
	return appendNumbers(appendHead(b, name, describeFields(list), 1), list)
}

// appendTLB appends the section of the TLB.
func appendTLB(b []byte, tlb []mmu.Entry) []byte {
	b = appendHead(b, sectionTLB, describeFields(fieldsOf(new(mmu.Entry))), len(tlb))
	for i := range tlb {
		b = appendNumbers(b, fieldsOf(&tlb[i]))
	}
	return b
}

// fields are the ticks of all timers.
func (c *Clock) fields() []leaf {
	var list []leaf
	for _, t := range c.timers {
		list = append(list, leaf{field{t.name, reflect.Uint64, 1}, reflect.ValueOf(&t.at).Elem()})
	}
	return list
}

// maxName bounds the name of a section, in bytes.
const maxName = 255

// checkNames tells whether all devices and timers can be told apart in a file.
func (m *Machine) checkNames() error {
	var names []string
	for _, d := range m.devices {
		names = append(names, sectionDevice+d.Name())
	}
	for _, t := range m.Clock.timers {
		names = append(names, "timer "+t.name)
	}
	seen := make(map[string]bool)
	for _, name := range names {
		if seen[name] || len(name) > maxName || !plain(name) {
			return fmt.Errorf("%q: devices and timers need names of their own, of one line and at most %d bytes", name, maxName)
		}
		seen[name] = true
	}
	return nil
}

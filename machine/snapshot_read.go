package machine

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/zlib"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"x86emu/cpu"
	"x86emu/mmu"
)

// IsSnapshot tells whether a file that begins so is a snapshot of some version.
func IsSnapshot(begin []byte) bool { return bytes.HasPrefix(begin, []byte(snapshotMagic)) }

// Restore makes a machine from a snapshot. cfg gives what is the host's:
// streams, Extra, and in RAM the most that the snapshot may ask for (default
// MaxRAM); model, RAM, TLB, Ports and Files come from the file. The serial input is taken
// from its beginning, or with cfg.ResumeInput from where the saved machine had
// come to. Restore refuses what is not a whole and undamaged snapshot of this
// version or an older one, with one line that says why, and allocates little
// more than the guest RAM that the file holds.
func Restore(r io.Reader, cfg Config) (*Machine, error) {
	m, err := restore(r, cfg)
	switch {
	case err == nil:
		return m, nil
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return nil, errors.New("snapshot: the file is truncated")
	case errors.Is(err, zlib.ErrHeader), errors.Is(err, zlib.ErrChecksum), errors.Is(err, zlib.ErrDictionary), errors.As(err, new(flate.CorruptInputError)):
		return nil, fmt.Errorf("snapshot: %w", errDamaged)
	}
	return nil, fmt.Errorf("snapshot: %w", err)
}

var errDamaged = errors.New("the file is damaged")

func restore(from io.Reader, cfg Config) (*Machine, error) {
	file := &summed{from: from, sum: sha256.New()}
	var head [len(snapshotMagic) + 4]byte
	if _, err := io.ReadFull(file, head[:]); err != nil {
		return nil, err
	}
	if !IsSnapshot(head[:]) {
		return nil, errors.New("not a snapshot file")
	}
	var read func(*bufio.Reader, Config) (*Machine, error)
	var payload hash.Hash // of version 1, which sums what was compressed
	switch v := binary.LittleEndian.Uint32(head[len(snapshotMagic):]); v {
	case SnapshotVersion:
		read = readSections
	case 1:
		read, payload = readVersion1, sha256.New()
	default:
		return nil, fmt.Errorf("the file has version %d, this build reads versions 1 to %d", v, SnapshotVersion)
	}
	z, err := zlib.NewReader(file)
	if err != nil {
		return nil, err
	}
	stream := io.Reader(z)
	if payload != nil {
		stream = io.TeeReader(z, payload)
	}
	sections := bufio.NewReader(stream)
	m, err := read(sections, cfg)
	if err != nil {
		return nil, err
	}
	// The stream's own end, with zlib's checksum.
	if _, err := sections.ReadByte(); err == nil {
		return nil, errDamaged
	} else if err != io.EOF {
		return nil, err
	}
	have := file.Sum()
	if payload != nil {
		have = payload.Sum(nil)
	}
	want := make([]byte, sha256.Size)
	if _, err := io.ReadFull(file, want); err != nil {
		return nil, err
	}
	if !bytes.Equal(want, have) {
		return nil, errDamaged
	}
	if _, err := file.ReadByte(); err != io.EOF {
		return nil, errors.New("bytes follow the snapshot")
	}
	return m, nil
}

// summed reads a file and sums what was read of it. It is its own buffer, so
// that the decompressor takes no byte more than it needs.
type summed struct {
	from io.Reader
	sum  hash.Hash
	buf  [4096]byte
	done int // bytes of buf that are in the sum
	pos  int // that were read
	end  int // that are there
}

// fill has at least one byte in the buffer, or fails.
func (s *summed) fill() error {
	for s.pos == s.end {
		s.add()
		n, err := s.from.Read(s.buf[:])
		s.done, s.pos, s.end = 0, 0, n
		if n == 0 && err != nil {
			return err
		}
	}
	return nil
}

// add brings the sum up to what was read.
func (s *summed) add() {
	s.sum.Write(s.buf[s.done:s.pos])
	s.done = s.pos
}

func (s *summed) ReadByte() (byte, error) {
	if err := s.fill(); err != nil {
		return 0, err
	}
	s.pos++
	return s.buf[s.pos-1], nil
}

func (s *summed) Read(b []byte) (int, error) {
	if err := s.fill(); err != nil {
		return 0, err
	}
	n := copy(b, s.buf[s.pos:s.end])
	s.pos += n
	return n, nil
}

// Sum is the sum of all that was read until now.
func (s *summed) Sum() []byte {
	s.add()
	return s.sum.Sum(nil)
}

// section is what precedes the records of a section.
type section struct {
	name    string
	text    string // its fields
	fields  []field
	size    int // of a record
	records uint32
}

// maxFields bounds the text of a section's fields, in bytes.
const maxFields = 64 << 10

// readSection reads what precedes a section's records; an empty name is the end.
func readSection(r *bufio.Reader) (s section, err error) {
	n, err := r.ReadByte()
	if err != nil || n == 0 {
		return s, err
	}
	name := make([]byte, n)
	if _, err := io.ReadFull(r, name); err != nil {
		return s, err
	}
	if s.name = string(name); !plain(s.name) {
		return s, errDamaged
	}
	length, err := readUint32(r)
	if err != nil {
		return s, err
	}
	if length > maxFields {
		return s, inSection(s.name, errLayout)
	}
	text := make([]byte, length)
	if _, err := io.ReadFull(r, text); err != nil {
		return s, err
	}
	s.text = string(text)
	if s.fields, s.size, err = parseFields(s.text); err != nil {
		return s, inSection(s.name, err)
	}
	s.records, err = readUint32(r)
	return s, err
}

func readUint32(r *bufio.Reader) (uint32, error) {
	var b [4]byte
	_, err := io.ReadFull(r, b[:])
	return binary.LittleEndian.Uint32(b[:]), err
}

func readUint64(r *bufio.Reader) (uint64, error) {
	var b [8]byte
	_, err := io.ReadFull(r, b[:])
	return binary.LittleEndian.Uint64(b[:]), err
}

// plain tells whether a text can stand in a message.
func plain(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}

func inSection(name string, err error) error { return fmt.Errorf("section %q: %w", name, err) }

// one reads a section of one record into fields.
func (s *section) one(r *bufio.Reader, to []leaf) error {
	if s.records != 1 {
		return errDamaged
	}
	return s.record(r, make([]byte, s.size), to)
}

// record reads a record into fields; b has room for it.
func (s *section) record(r *bufio.Reader, b []byte, to []leaf) error {
	if _, err := io.ReadFull(r, b); err != nil {
		return err
	}
	return setNumbers(to, s.fields, b)
}

// readSections reads the sections of a file of this version.
func readSections(r *bufio.Reader, cfg Config) (*Machine, error) {
	var about board
	about.setPorts(&firstPorts)
	s, err := readSection(r)
	if err != nil {
		return nil, err
	}
	if s.name != sectionMachine {
		return nil, errDamaged
	}
	if err := s.one(r, fieldsOf(&about)); err != nil {
		return nil, inSection(s.name, err)
	}
	m, err := about.make(cfg)
	if err != nil {
		return nil, err
	}
	l := loading{m: m, state: m.CPU.State()}
	seen := map[string]bool{sectionMachine: true}
	for {
		s, err := readSection(r)
		if err != nil {
			return nil, err
		}
		if s.name == "" {
			break
		}
		if seen[s.name] {
			return nil, errDamaged
		}
		seen[s.name] = true
		if err := l.read(r, &s); err != nil {
			return nil, err
		}
	}
	for _, name := range []string{sectionCPU, sectionMemory} {
		if !seen[name] {
			return nil, fmt.Errorf("the section %q is missing", name)
		}
	}
	return l.done(), nil
}

// loading is a machine on its way out of a snapshot.
type loading struct {
	m     *Machine
	state cpu.State
	tlb   []mmu.Entry
}

// read reads the records of a section.
func (l *loading) read(r *bufio.Reader, s *section) (err error) {
	switch s.name {
	case sectionCPU:
		err = s.one(r, fieldsOf(&l.state))
	case sectionTLB:
		l.tlb, err = s.tlb(r)
	case sectionTimers:
		err = s.one(r, l.m.Clock.fields())
	case sectionFiles:
		var files []File
		if files, err = s.files(r); err == nil {
			err = l.m.setFiles(files)
		}
	case sectionMemory:
		if s.text != pageFields() {
			return inSection(s.name, errLayout)
		}
		err = l.m.readPages(r, s.records)
	default:
		if drive, is := strings.CutPrefix(s.name, sectionDisk); is {
			err = l.m.readWritten(r, s, drive)
			break
		}
		if drive, is := strings.CutPrefix(s.name, sectionImage); is {
			err = l.m.readImage(r, s, drive)
			break
		}
		name, is := strings.CutPrefix(s.name, sectionDevice)
		d := l.m.device(name)
		if !is || d == nil {
			return fmt.Errorf("it has a section %q that this board does not know", s.name)
		}
		err = s.one(r, fieldsOf(d.State()))
	}
	if err != nil {
		return inSection(s.name, err)
	}
	return nil
}

// done puts the processor's state into place, when all else is there.
func (l *loading) done() *Machine {
	l.m.CPU.SetState(l.state)
	l.m.MMU.SetTLB(l.tlb)
	l.m.Clock.schedule()
	if l.m.KBC != nil {
		l.m.KBC.kbd.restored(l.m.cfg.ResumeInput)
	}
	l.m.place()
	rom := l.m.cfg.Firmware
	l.m.Mem.ReadBytes(mmu.Phys(1<<32-len(rom)), rom)
	return l.m
}

// make makes the machine that a snapshot is of, as New leaves it.
func (b *board) make(cfg Config) (*Machine, error) {
	most := cfg.RAM
	if most == 0 {
		most = MaxRAM
	}
	if b.RAM > most {
		return nil, fmt.Errorf("it has %d MiB of RAM, more than the %d MiB allowed", b.RAM>>20, most>>20)
	}
	if err := b.checkDisks(&cfg.Drives); err != nil {
		return nil, err
	}
	name := string(bytes.TrimRight(b.Model[:], "\x00"))
	model, known := cpu.ModelByName(name)
	if !known {
		return nil, fmt.Errorf("unknown CPU model %q", name)
	}
	if int(b.Board) >= len(Boards) {
		return nil, fmt.Errorf("unknown board %d", b.Board)
	}
	cfg.RAM, cfg.TLBOff, cfg.TickRate, cfg.Board, cfg.Model = b.RAM, b.TLBOff, b.TickRate, b.Board, model
	cfg.NoHPET, cfg.Files = b.NoHPET, nil
	cfg.Ports = &PortMap{
		Serial: b.Ports.Serial.ports(), Console: b.Ports.Console.ports(), Exit: b.Ports.Exit.ports(),
		Serial2: b.Ports.Serial2.ports(), Exit2: b.Ports.Exit2.ports(),
	}
	cfg.Firmware = nil
	if b.Firmware != 0 {
		if err := CheckFirmware(b.Firmware); err != nil {
			return nil, err
		}
		cfg.Firmware = make([]byte, b.Firmware) // what is in it is in the pages
	}
	m, err := New(cfg)
	if err != nil {
		return nil, err
	}
	if m.Mem.ClearRAM(); cfg.ResumeInput {
		m.setTaken(taken{int(min(b.Input, 1<<62)), int(min(b.Input2, 1<<62))})
	}
	return m, nil
}

// device is the device of a name, or nil.
func (m *Machine) device(name string) Device {
	for _, d := range m.devices {
		if d.Name() == name {
			return d
		}
	}
	return nil
}

// tlb reads the entries of the TLB.
func (s *section) tlb(r *bufio.Reader) ([]mmu.Entry, error) {
	if s.records > mmu.Slots {
		return nil, errDamaged
	}
	tlb := make([]mmu.Entry, s.records)
	b := make([]byte, s.size)
	for i := range tlb {
		if err := s.record(r, b, fieldsOf(&tlb[i])); err != nil {
			return nil, err
		}
	}
	return tlb, nil
}

// checkDisks tells whether the drives hold disks of the sizes that the snapshot's held, and puts
// those into them that the snapshot has.
func (b *board) checkDisks(d *Drives) error {
	for i, have := range d.sizes() {
		name, want := DriveNames[i], b.Disks[i]
		switch {
		case b.Images[i] && have != 0 && !d.inMemory()[i]:
			return fmt.Errorf("it has the disk of the drive %s in itself: give none", name)
		case b.Images[i] && want > MaxMemoryDisk:
			return errDamaged
		case b.Images[i]:
			disk, err := NewMemoryDisk(make([]byte, want))
			if err != nil {
				return errDamaged
			}
			d.Set(name, disk)
		case have == want:
		case have == 0:
			return fmt.Errorf("it was saved with a disk of %d bytes in the drive %s: give its image again", want, name)
		case want == 0:
			return fmt.Errorf("it was saved without a disk in the drive %s: give none", name)
		default:
			return fmt.Errorf("it was saved with a disk of %d bytes in the drive %s, this one has %d", want, name, have)
		}
	}
	return nil
}

// readWritten reads the sectors that were written to the disk in a drive.
func (m *Machine) readWritten(r *bufio.Reader, s *section, drive string) error {
	return m.readSectors(r, s, drive, func(d *medium, n uint64, data *sector) error {
		if !d.write(n, data) {
			return fmt.Errorf("more was written to the disks than the %d bytes allowed", m.cfg.Drives.Memory)
		}
		return nil
	})
}

// readImage reads the disk in a drive itself.
func (m *Machine) readImage(r *bufio.Reader, s *section, drive string) error {
	return m.readSectors(r, s, drive, func(d *medium, n uint64, data *sector) error {
		if d.data == nil {
			return errDamaged
		}
		copy(d.data[n*SectorSize:], data[:])
		return nil
	})
}

// readSectors reads sectors of a drive's disk in rising order.
func (m *Machine) readSectors(r *bufio.Reader, s *section, drive string, put func(d *medium, n uint64, data *sector) error) error {
	i := slices.Index(DriveNames[:], drive)
	if i < 0 || s.text != sectorFields() {
		return errLayout
	}
	d, next := m.media[i], uint64(0)
	for range s.records {
		n, err := readUint64(r)
		if err != nil {
			return err
		}
		var data sector
		if _, err := io.ReadFull(r, data[:]); err != nil {
			return err
		}
		if n < next || n >= d.sectors() {
			return errDamaged
		}
		if err := put(d, n, &data); err != nil {
			return err
		}
		next = n + 1
	}
	return nil
}

// readPages reads n pages of RAM and ROM, in rising order.
func (m *Machine) readPages(r *bufio.Reader, n uint32) error {
	next := uint64(0)
	for range n {
		at, err := readUint64(r)
		if err != nil {
			return err
		}
		if at < next {
			return errDamaged
		}
		if err := m.readPage(r, at); err != nil {
			return err
		}
		next = at + mmu.PageSize
	}
	return nil
}

// readPage reads the contents of the page at an address.
func (m *Machine) readPage(r *bufio.Reader, at uint64) error {
	var page mmu.Page
	if _, err := io.ReadFull(r, page[:]); err != nil {
		return err
	}
	if at%mmu.PageSize != 0 || !m.Mem.SetPage(mmu.Phys(at), &page) {
		return errDamaged
	}
	return nil
}

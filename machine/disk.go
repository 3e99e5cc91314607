package machine

import (
	"bytes"
	"fmt"
	"io"
	"slices"
)

// Disk is the image of a disk, which the host has: it is read as the guest asks for its
// sectors, and never written. Machines may share it.
type Disk struct {
	image io.ReaderAt
	size  uint64
	data  []byte // of one that is in memory
}

// MaxDisk is the most bytes that a disk may have: 128 GiB, or 2 to the 28th sectors.
const MaxDisk = 128 << 30

// NewDisk makes a disk of an image, which must have size bytes and stay as it is. The
// size is a multiple of SectorSize, not 0, and at most MaxDisk.
func NewDisk(image io.ReaderAt, size int64) (*Disk, error) {
	if size <= 0 || size > MaxDisk || size%SectorSize != 0 {
		return nil, fmt.Errorf("%d bytes: a disk image is made of whole sectors of %d bytes and has at most %d GiB", size, SectorSize, MaxDisk>>30)
	}
	return &Disk{image: image, size: uint64(size)}, nil
}

// MaxMemoryDisk is the most bytes that a disk in memory may have: it is in each snapshot.
const MaxMemoryDisk = 1 << 20

// NewMemoryDisk makes a disk of bytes, which must stay as they are. Snapshots have it whole,
// and are restored with that, whatever other disk in memory is given. The size is a multiple of SectorSize up to MaxMemoryDisk.
func NewMemoryDisk(data []byte) (*Disk, error) {
	if len(data) > MaxMemoryDisk {
		return nil, fmt.Errorf("%d bytes: a disk in memory has %d at most", len(data), MaxMemoryDisk)
	}
	d, err := NewDisk(bytes.NewReader(data), int64(len(data)))
	if err == nil {
		d.data = data
	}
	return d, err
}

// Size is the disk's size in bytes.
func (d *Disk) Size() uint64 { return d.size }

// Drives are the disks that a machine's drives hold; nil is none. What a guest writes stays
// in the machine: it is in its Moments, forks and snapshots, and Machine.WriteBack puts it elsewhere.
type Drives struct {
	IDE    [4]*Disk // the first channel's master and slave, the second's
	Floppy [2]*Disk // of sizes that FDC tells

	// Memory bounds how many bytes of all disks together a guest may have written, in
	// sectors that were not written before; what goes beyond fails as on a disk that is
	// broken. The host's memory that this takes is twice as much where the sectors lie far
	// apart. Default DefaultDiskMemory.
	Memory uint64
}

// DefaultDiskMemory is how much of its disks a guest may write.
const DefaultDiskMemory = 512 << 20

// DriveNames are the names of the drives: those of Drives.IDE, then of Drives.Floppy.
var DriveNames = [...]string{"hda", "hdb", "hdc", "hdd", "fda", "fdb"}

// driveCount is the number of drives, firstFloppy that of the first one for floppy disks.
const (
	driveCount  = len(DriveNames)
	firstFloppy = 4
)

// all are the disks of all drives in the order of DriveNames.
func (d *Drives) all() (all [driveCount]*Disk) {
	copy(all[copy(all[:], d.IDE[:]):], d.Floppy[:])
	return all
}

// Set puts a disk into the drive of a name, one of DriveNames. It tells whether there is
// such a drive.
func (d *Drives) Set(drive string, disk *Disk) bool {
	i := slices.Index(DriveNames[:], drive)
	switch {
	case i < 0:
		return false
	case i < firstFloppy:
		d.IDE[i] = disk
	default:
		d.Floppy[i-firstFloppy] = disk
	}
	return true
}

// sizes are the disks' sizes in bytes, 0 for none.
func (d *Drives) sizes() (all [driveCount]uint64) {
	for i, disk := range d.all() {
		if disk != nil {
			all[i] = disk.size
		}
	}
	return all
}

// inMemory tells which disks are in memory.
func (d *Drives) inMemory() (all [driveCount]bool) {
	for i, disk := range d.all() {
		all[i] = disk != nil && disk.data != nil
	}
	return all
}

// Check tells whether the disks fit into their drives on a board.
func (d *Drives) Check(on Board) error {
	if on != PC && !d.Empty() {
		return fmt.Errorf("board %s: it has no drives for disks", on)
	}
	for i, disk := range d.Floppy {
		if disk == nil {
			continue
		}
		if _, err := floppyOf(disk.size); err != nil {
			return fmt.Errorf("%s: %d bytes: %w", DriveNames[firstFloppy+i], disk.size, err)
		}
	}
	return nil
}

// Empty tells whether there is no disk.
func (d *Drives) Empty() bool { return d.sizes() == [driveCount]uint64{} }

// medium is a disk in a drive of one machine: the image, and on it what was written.
type medium struct {
	*Disk
	m       *Machine
	size    uint64 // in bytes: what is not in the image is zeros
	written sectors
}

// putMedia makes the media of all drives.
func (m *Machine) putMedia() {
	if m.cfg.Drives.Memory == 0 {
		m.cfg.Drives.Memory = DefaultDiskMemory
	}
	for i, d := range m.cfg.Drives.all() {
		disk := &medium{Disk: d, m: m}
		switch {
		case d == nil:
		case i < firstFloppy:
			disk.size = d.size
		default:
			f, _ := floppyOf(d.size) // New has refused others
			disk.size = f.sectors() * SectorSize
		}
		m.media = append(m.media, disk)
	}
}

// present tells whether there is a disk.
func (d *medium) present() bool { return d.Disk != nil }

// sectors is how many the disk has; no disk has none.
func (d *medium) sectors() uint64 { return d.size / SectorSize }

// read reads a sector that the disk has. It fails where the host does, which is then told by Run.
func (d *medium) read(n uint64, to *sector) (ok bool) {
	if s := d.written.get(n); s != nil {
		*to = *s
		return true
	}
	if n*SectorSize >= d.Disk.size {
		*to = sector{}
		return true
	}
	if got, err := d.image.ReadAt(to[:], int64(n*SectorSize)); got < SectorSize {
		d.m.diskError = fmt.Errorf("sector %d of a disk image: %w", n, err)
		return false
	}
	return true
}

// write writes a sector that the disk has. It fails where the guest has written all that
// it may.
func (d *medium) write(n uint64, from *sector) (ok bool) {
	if d.written.get(n) == nil && d.m.diskWritten()+SectorSize > d.m.cfg.Drives.Memory {
		return false
	}
	d.written.put(n, from)
	return true
}

// diskWritten is how many bytes of its disks the guest has written.
func (m *Machine) diskWritten() (n uint64) {
	for _, d := range m.media {
		n += d.written.n * SectorSize
	}
	return n
}

// writtenSectors are copies of what the guest has written, in the order of DriveNames.
func (m *Machine) writtenSectors() []sectors {
	all := make([]sectors, len(m.media))
	for i, d := range m.media {
		all[i] = d.written.share()
	}
	return all
}

// WriteBack writes the sectors that the guest has written to a drive, one of
// DriveNames, each to its place: to the image itself, or to a copy of it.
func (m *Machine) WriteBack(drive string, to io.WriterAt) error {
	i := slices.Index(DriveNames[:], drive)
	if i < 0 {
		return fmt.Errorf("there is no drive %q", drive)
	}
	for n, data := range m.media[i].written.all() {
		if _, err := to.WriteAt(data[:], int64(n*SectorSize)); err != nil {
			return err
		}
	}
	return nil
}

package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"x86emu/machine"
)

// drives holds the flags that put disk images into the machine's drives. An image stays
// open as long as its machine is there.
type drives struct {
	names  [len(machine.DriveNames)]string
	memory size
	write  bool                          // the images get what the guest has written
	keep   [len(machine.DriveNames)]bool // but not this one
	pad    bool                          // an image that ends within a sector goes on with zeros
	files  [len(machine.DriveNames)]*os.File
}

func (d *drives) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	d.memory = machine.DefaultDiskMemory
	for i, drive := range machine.DriveNames {
		f.StringVar(&d.names[i], drive, "", driveHelp[drive])
	}
	f.Var(&d.memory, "disk-memory", "how much the guest may write to its disks: a number of MiB, or with a suffix K, M or G")
}

var driveHelp = map[string]string{
	"hda": "image `FILE` of the first hard disk; what the guest writes is kept in memory",
	"hdb": "image `FILE` of the second hard disk, the first one's slave",
	"hdc": "image `FILE` of the third hard disk, on the second IDE channel",
	"hdd": "image `FILE` of the fourth hard disk, that one's slave",
	"fda": "image `FILE` of the floppy disk in the first drive",
	"fdb": "image `FILE` of the floppy disk in the second drive",
}

// addWrite adds the flag by which the images are written.
func (d *drives) addWrite(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&d.write, "write", false, "when the run ends, write to the disk images what the guest has written")
}

// open opens the images for a board.
func (d *drives) open(on machine.Board) (all machine.Drives, err error) {
	all.Memory = uint64(d.memory)
	for i, name := range d.names {
		if name == "" {
			continue
		}
		disk, err := d.openOne(i)
		if err != nil {
			return all, fmt.Errorf("--%s: %w", machine.DriveNames[i], err)
		}
		all.Set(machine.DriveNames[i], disk)
	}
	if err := all.Check(on); err != nil {
		return all, fmt.Errorf("--%w", err)
	}
	return all, nil
}

// check tells whether there is something to write to.
func (d *drives) check() error {
	if d.write && !d.given() {
		return errors.New("--write needs a disk: --hda FILE, for instance")
	}
	return nil
}

// given tells whether a flag names a disk.
func (d *drives) given() bool { return d.names != [len(machine.DriveNames)]string{} }

// openOne opens the image of one drive.
func (d *drives) openOne(drive int) (*machine.Disk, error) {
	how := os.O_RDONLY
	if d.writes(drive) {
		how = os.O_RDWR
	}
	f, err := os.OpenFile(d.names[drive], how, 0)
	if err != nil {
		return nil, err
	}
	d.files[drive] = f
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	for i, o := range d.files[:drive] {
		if other, err := o.Stat(); err == nil && (d.writes(drive) || d.writes(i)) && os.SameFile(info, other) {
			return nil, fmt.Errorf("%s is in the drive %s already: where files are written each drive needs its own", d.names[drive], machine.DriveNames[i])
		}
	}
	end, err := f.Seek(0, io.SeekEnd) // of a device, too
	if err != nil {
		return nil, err
	}
	image := io.ReaderAt(f)
	if d.pad {
		image, end = padded{f}, (end+machine.SectorSize-1)/machine.SectorSize*machine.SectorSize
	}
	disk, err := machine.NewDisk(image, end)
	if err != nil {
		return nil, fmt.Errorf("%s has %w", d.names[drive], err)
	}
	return disk, nil
}

// writes tells whether the image in a drive gets what the guest has written.
func (d *drives) writes(drive int) bool { return d.write && !d.keep[drive] }

// padded is a file that goes on with zeros.
type padded struct{ file io.ReaderAt }

func (p padded) ReadAt(b []byte, at int64) (int, error) {
	n, err := p.file.ReadAt(b, at)
	if err == io.EOF {
		clear(b[n:])
		return len(b), nil
	}
	return n, err
}

// writeBack writes the images, if they are to be written, and lets them reach the host's disk.
func (d *drives) writeBack(m *machine.Machine) error {
	for i, f := range d.files {
		if f == nil || !d.writes(i) {
			continue
		}
		err := m.WriteBack(machine.DriveNames[i], f)
		if err == nil {
			err = f.Sync()
		}
		if err = cmp.Or(err, f.Close()); err != nil {
			return fmt.Errorf("--%s: %w", machine.DriveNames[i], err)
		}
	}
	return nil
}

package qemu

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"x86emu/machine"
)

// Drive is a disk image and the drive that it is in, one of machine.DriveNames.
type Drive struct {
	Name  string
	File  string
	Write bool // the file gets what the guest writes
}

type medium uint8

const (
	disk medium = iota
	floppy
	cdrom
)

// drive is one disk of the line.
type drive struct {
	file   string
	medium medium
	index  int    // among those of its medium
	device bool   // of a -device: no BIOS would boot it before the others
	keep   bool   // what the guest writes does not go to the file
	format string // empty: raw
	flag   string // how it was given
}

// defaultOrder is QEMU's: first hard disk, first floppy disk, CD.
const defaultOrder = "cad"

// image makes the handler of an option that names a disk image: its number is
// in its last letter.
func image(kind medium) func(*parser, string) error {
	return func(p *parser, value string) error {
		return p.addImage(drive{file: value, medium: kind, index: int(p.flag[len(p.flag)-1] - 'a'), flag: p.flag})
	}
}

// addImage adds a drive at its number, or at the first that is free.
func (p *parser) addImage(d drive) error {
	taken := func(i int) bool {
		return slices.ContainsFunc(p.drives, func(o drive) bool { return o.medium == d.medium && !o.device && o.index == i })
	}
	switch {
	case d.file == "":
		return errors.New("needs the name of an image")
	case d.device:
	case d.index == nextFree:
		for d.index = 0; taken(d.index); d.index++ {
		}
	case taken(d.index):
		return fmt.Errorf("there is a drive %d of this kind already", d.index)
	}
	p.drives = append(p.drives, d)
	return nil
}

const nextFree = -1

// addDrive reads the value of -drive.
func addDrive(p *parser, value string) error {
	list := props(value, "file")
	d := drive{index: nextFree, flag: p.flag}
	d.file, _ = find(list, "file")
	d.format, _ = find(list, "format")
	snapshot, _ := find(list, "snapshot")
	readonly, _ := find(list, "readonly")
	d.keep = snapshot == "on" || readonly == "on"
	kind, _ := find(list, "if")
	media, _ := find(list, "media")
	if text, ok := find(list, "index"); ok {
		n, err := port("index", text)
		if err != nil {
			return err
		}
		d.index = n
	}
	switch {
	case kind == "pflash":
		return errFirmware
	case media == "cdrom":
		d.medium = cdrom
	case kind == "floppy":
		d.medium = floppy
	case kind == "none":
		d.device = true
	}
	if d.file == "" {
		return nil // an empty drive
	}
	return p.addImage(d)
}

var errFirmware = errors.New("there is no flash memory on this board: give the ROM of a BIOS by -bios")

// bootOrder reads the value of -boot.
func bootOrder(p *parser, value string) error {
	for _, s := range props(value, "order") {
		if s.key != "order" && s.key != "once" {
			continue
		}
		if i := strings.IndexFunc(s.value, func(r rune) bool { return r < 'a' || r > 'p' }); i >= 0 {
			return fmt.Errorf("invalid boot device '%c'", s.value[i])
		}
		p.order = s.value
	}
	return nil
}

// boot decides what is booted, puts disks into drives, and names those that the guest will miss.
func (p *parser) boot() error {
	for _, d := range p.drives {
		if name, ok := d.place(); ok {
			p.Drives = append(p.Drives, Drive{name, d.file, !d.keep && !p.snapshot})
		} else {
			p.lack("the disk %s", d.file)
		}
	}
	if p.Kernel != "" {
		if p.BIOS != "" {
			p.lack("firmware (-bios %s)", p.BIOS)
			p.BIOS = ""
		}
		return nil
	}
	chosen := p.choose()
	if chosen < 0 {
		if p.BIOS != "" {
			return nil
		}
		return errors.New("nothing to boot: give a kernel by -kernel, or the image of a disk by -hda, -fda or -drive")
	}
	d := p.drives[chosen]
	name, ok := d.place()
	switch {
	case d.medium == cdrom:
		return fmt.Errorf("%s %s: a CD cannot be booted: there is no drive for it; give the kernel that is on it by -kernel", d.flag, d.file)
	case !ok:
		return fmt.Errorf("%s %s: cannot be booted: it must be a raw image, in a drive from hda to hdd or fda or fdb", d.flag, d.file)
	}
	p.BootFrom = name
	return nil
}

// place is the name of the drive for an image, and whether there is one.
func (d *drive) place() (name string, ok bool) {
	if d.device || d.format != "" && d.format != "raw" || strings.HasPrefix(d.file, "fat:") {
		return "", false
	}
	names := map[medium][]string{disk: machine.DriveNames[:4], floppy: machine.DriveNames[4:]}[d.medium]
	if d.index >= len(names) {
		return "", false
	}
	return names[d.index], true
}

// choose gives the drive that a BIOS would boot from, or -1. What -boot does
// not name comes last, in QEMU's order.
func (p *parser) choose() int {
	for _, letter := range p.order + defaultOrder {
		best := -1
		for i, d := range p.drives {
			if want, ok := bootLetters[letter]; ok && d.medium == want && !d.device && (best < 0 || d.index < p.drives[best].index) {
				best = i
			}
		}
		if best >= 0 {
			return best
		}
	}
	return -1
}

var bootLetters = map[rune]medium{'a': floppy, 'c': disk, 'd': cdrom}

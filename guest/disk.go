package guest

import "x86emu/machine"

// Drives are the drives that a kernel is to run with: its disk in the first one.
func (k *Kernel) Drives() (d machine.Drives) {
	if k.Disk == nil {
		return d
	}
	disk, err := machine.NewMemoryDisk(k.Disk)
	if err != nil {
		panic("BUG: the disk of " + k.Name + ": " + err.Error())
	}
	d.IDE[0] = disk
	return d
}

// AddDisk gives a machine on which an image is to run, named as Open takes it, the disk that a
// built-in kernel wants, if the machine would have no disk else and can have one.
func AddDisk(image string, cfg *machine.Config) {
	if k, _ := KernelNamed(image); k.Disk != nil && cfg.Drives.Empty() && cfg.Board == machine.PC {
		cfg.Drives.IDE = k.Drives().IDE
	}
}

// numberedDisk is a disk of 128 sectors, in which each word of sector n is n.
func numberedDisk() []byte {
	const sectors = 128
	disk := make([]byte, sectors*machine.SectorSize)
	for i := range disk {
		if i%2 == 0 {
			disk[i] = byte(i / machine.SectorSize)
		}
	}
	return disk
}

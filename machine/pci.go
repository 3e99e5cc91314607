package machine

// PCI is the way to PCI's configuration space by mechanism 1, on a bus 0 on which
// nothing stands unless it is plugged in: port 0xCF8 takes the address as a double
// word, ports 0xCFC to 0xCFF are the four bytes that it names. A function that is not
// there reads as all ones. A byte at port 0xCF9 is the reset control (Power).
// Reserved bits of the address read as zero, and other buses do not exist.
// [PCI Local Bus Specification 2.1, Configuration Mechanism #1]
type PCI struct {
	s     pciState
	m     *Machine
	slots [32][8]pciFunction
}

type pciState struct{ Address uint32 }

// pciFunction is the 256 bytes of one function's configuration space. An access has 1, 2
// or 4 bytes within a double word. What it keeps is the state of a device that is attached.
type pciFunction interface {
	readConfig(reg, size uint8) uint32
	writeConfig(reg, size uint8, v uint32)
}

const (
	pciAddress  = 0xcf8
	pciReset    = 0xcf9
	pciData     = 0xcfc
	pciEnable   = 1 << 31 // of the address
	pciReserved = 0x7f000003
)

// plug puts a function at a device number of bus 0, 0 to 31, under a function number, 0 to 7.
func (p *PCI) plug(slot, number uint8, f pciFunction) { p.slots[slot][number] = f }

// places are the ports of configuration.
func (p *PCI) places() []place {
	return []place{
		atPorts(PortRange{pciAddress, 4}, 4, pciAddressPort{p}),
		atPorts(PortRange{pciData, 4}, 4, pciDataPort{p}),
	}
}

func (p *PCI) Name() string { return "pci" }
func (p *PCI) State() any   { return &p.s }

// function is what the address selects, or nil.
func (p *PCI) function() pciFunction {
	if a := p.s.Address; a&pciEnable != 0 && uint8(a>>16) == 0 {
		return p.slots[a>>11&31][a>>8&7]
	}
	return nil
}

// pciAddressPort takes an address as a double word. Other accesses are none of its
// own. [PCI Local Bus Specification 2.1, Configuration Mechanism #1]
type pciAddressPort struct{ p *PCI }

func (a pciAddressPort) In(off uint16, size uint8) uint32 {
	switch {
	case size == 4:
		return a.p.s.Address
	case size == 1 && off == pciReset-pciAddress:
		return uint32(a.p.m.power.s.ResetControl)
	}
	return 0xffffffff
}

func (a pciAddressPort) Out(off uint16, size uint8, v uint32) {
	switch {
	case size == 4:
		a.p.s.Address = v &^ pciReserved
	case size == 1 && off == pciReset-pciAddress:
		a.p.m.power.resetControl(v)
	}
}

// pciDataPort reaches what the address names.
type pciDataPort struct{ p *PCI }

func (d pciDataPort) reg(off uint16) uint8 { return uint8(d.p.s.Address) + uint8(off) }

func (d pciDataPort) In(off uint16, size uint8) uint32 {
	if f := d.p.function(); f != nil {
		return f.readConfig(d.reg(off), size)
	}
	return 0xffffffff
}

func (d pciDataPort) Out(off uint16, size uint8, v uint32) {
	if f := d.p.function(); f != nil {
		f.writeConfig(d.reg(off), size, v)
	}
}

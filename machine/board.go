package machine

import (
	"errors"

	"x86emu/mmu"
)

// Board says which devices a machine has.
type Board uint8

const (
	// PC is the board that kernels expect of a PC.
	PC Board = iota
	// Bare has the serial port and the ports by which a guest talks to its host;
	// nothing on it interrupts.
	Bare
)

// Boards are the names of all boards, each at its number.
var Boards = [...]string{PC: "pc", Bare: "bare"}

func (b Board) String() string { return Boards[b] }

// Part tells of one device of a board.
type Part struct {
	Name  string // the device's
	What  string // what it is, in a few words
	Ports []PortRange
	Mem   []mmu.Range // physical addresses
	IRQs  []uint8     // the lines that it drives
}

// Parts are the devices of the board, in the order in which they were put there. What
// Config.Extra adds is not among them.
func (m *Machine) Parts() []Part { return m.parts }

// place is where a guest reaches a device, or a piece of one: ports or memory.
type place struct {
	ports PortRange
	width uint8
	dev   Ports

	mem  mmu.Range
	mmio mmu.Device // nil: RAM
}

// atPorts are ports that accesses of width bytes at most reach whole.
func atPorts(at PortRange, width uint8, dev Ports) place {
	return place{ports: at, width: width, dev: dev}
}

// atMem is a range of physical memory. Its device sees the time of the access. A
// write may set timers and raise lines; a read may not, for the processor looks up
// after it only where the stretch of code ends that it runs at a time.
func atMem(at mmu.Range, dev mmu.Device) place { return place{mem: at, mmio: dev} }

// atRAM is RAM of a device, in whole pages. A snapshot has it with all other memory.
func atRAM(at mmu.Range) place { return place{mem: at} }

// irqs are the lines that a device drives.
func irqs(lines ...uint8) []uint8 { return lines }

// fit puts a device onto the board, with the lines that it drives and the places
// where it is reached. It fails where a place is taken. A range without ports is none.
func (m *Machine) fit(d Device, what string, lines []uint8, places ...place) error {
	part := Part{Name: d.Name(), What: what, IRQs: lines}
	for _, p := range places {
		switch {
		case p.mmio != nil:
			if err := m.Mem.MapMMIO(p.mem.At, p.mem.Len, p.mmio); err != nil {
				return err
			}
			part.Mem = append(part.Mem, p.mem)
		case p.mem.Len > 0:
			var b [1]byte // a fork has the memory already, and what is in it
			if m.Mem.Peek(p.mem.At, b[:]) == 0 {
				if err := m.Mem.MapRAM(p.mem.At, p.mem.Len); err != nil {
					return err
				}
			}
			part.Mem = append(part.Mem, p.mem)
		case p.ports.N > 0:
			if err := m.Ports.Claim(p.ports.First, p.ports.N, p.width, p.dev); err != nil {
				return err
			}
			part.Ports = append(part.Ports, p.ports)
		}
	}
	m.parts = append(m.parts, part)
	m.Attach(d)
	return nil
}

// movable is a device whose place in memory depends on the state of the machine.
type movable interface{ place() }

// place puts the movable devices where a state that was taken over has them.
func (m *Machine) place() {
	for _, d := range m.devices {
		if d, ok := d.(movable); ok {
			d.place()
		}
	}
}

// populate puts the devices of the configured board into place. It fails where
// Config.Ports has two devices at one port.
func (m *Machine) populate() error {
	ports := m.ports()
	m.Post = &PostPort{}
	m.exit = &ExitPort{m: m}
	m.float = &FloatError{m: m}
	m.intr = &Interrupts{m: m}
	m.Attach(m.intr)
	m.UART = newUART(m, "uart", uartIRQ, m.cfg.Serial, m.cfg.Input)
	console, gate := &DebugConsole{m.cfg.Console}, &Port92{m: m}
	m.console = console
	exits := []place{atPorts(ports.Exit, 4, m.exit)}
	var err error
	if m.cfg.Board == PC {
		m.populatePC()
		m.UART2 = newUART(m, "uart2", uart2IRQ, m.cfg.Serial2, m.cfg.Input2)
		err = m.fit(m.UART2, "16550A serial port COM2", irqs(uart2IRQ), atPorts(ports.Serial2, 1, m.UART2))
		if !ports.Exit2.overlaps(ports.Exit) {
			exits = append(exits, atPorts(ports.Exit2, 4, m.exit))
		}
	}
	return errors.Join(
		err,
		m.fit(m.Post, "POST code", nil, atPorts(PortRange{0x80, 1}, 1, m.Post)),
		m.fit(gate, "A20 gate, fast reset", nil, atPorts(PortRange{0x92, 1}, 1, gate)),
		m.fit(m.float, "x87 exceptions of CR0.NE = 0", irqs(floatIRQ), atPorts(PortRange{0xf0, 1}, 1, m.float)),
		m.fit(m.UART, "16550A serial port COM1", irqs(uartIRQ), atPorts(ports.Serial, 1, m.UART)),
		m.fit(console, "debug console", nil, atPorts(ports.Console, 1, console)),
		m.fit(m.exit, "ends the run", nil, exits...),
	)
}

// populatePC adds what the PC has beyond the bare board.
func (m *Machine) populatePC() {
	m.PIC = newPIC(m)
	m.IOAPIC = newIOAPIC(m)
	m.PIT = newPIT(m)
	m.RTC = newRTC(m)
	m.HPET = newHPET(m)
	m.PM = newPM(m)
	m.PCI = &PCI{m: m}
	m.VGA = newVGA(m)
	m.FWCfg = &FWCfg{m: m}
	m.KBC = newI8042(m)
	m.power = &Power{m: m}
	test := &TestDev{m: m}
	m.Attach(m.power)
	m.Attach(m.KBC.kbd)
	m.IDE = [2]*IDE{newIDE(m, 0), newIDE(m, 1)}
	m.DMA = newDMA(m)
	m.FDC = newFDC(m)
	if err := errors.Join(
		m.fit(m.PIC, "two 8259A interrupt controllers", nil, m.PIC.places()...),
		m.fit(m.IOAPIC, "82093AA I/O APIC", nil, atMem(mmu.Range{At: ioapicPage, Len: mmu.PageSize}, m.IOAPIC)),
		m.fit(m.PIT, "8254 timer, speaker port", irqs(pitIRQ), m.PIT.places()...),
		m.fit(m.RTC, "MC146818A clock, CMOS memory", irqs(rtcIRQ), atPorts(PortRange{0x70, 2}, 1, m.RTC)),
		m.fit(m.HPET, "HPET, high precision event timer", nil, m.HPET.places()...),
		m.fit(m.IDE[0], "first IDE channel", irqs(m.IDE[0].irq), m.IDE[0].places(0)...),
		m.fit(m.IDE[1], "second IDE channel", irqs(m.IDE[1].irq), m.IDE[1].places(1)...),
		m.fit(m.DMA, "two 8237A DMA controllers", nil, m.DMA.places()...),
		m.fit(m.FDC, "82077AA floppy disk controller", irqs(fdcIRQ), m.FDC.places()...),
		m.fit(m.PM, "ACPI power management, PM timer, power off", irqs(sciIRQ), m.PM.places()...),
		m.fit(m.PCI, "PCI configuration, reset control", nil, m.PCI.places()...),
		m.fit(m.FWCfg, "QEMU's fw_cfg", nil, m.FWCfg.places()...),
		m.fit(test, "QEMU's pc-testdev", nil, test.places(m.ports().Console)...),
		m.fit(m.VGA, "VGA's registers; the text screen is at 0xB8000", nil, m.VGA.places()...),
		m.fit(m.KBC, "8042 with a keyboard", irqs(keyboardIRQ, mouseIRQ), m.KBC.places()...),
	); err != nil {
		panic("BUG: " + err.Error())
	}
	if m.APIC != nil {
		if err := m.fit(m.APIC, "local APIC", nil, atMem(mmu.Range{At: apicPage, Len: mmu.PageSize}, m.APIC)); err != nil {
			panic("BUG: " + err.Error())
		}
	}
}

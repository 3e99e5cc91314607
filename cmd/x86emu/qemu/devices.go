package qemu

import (
	"errors"
	"fmt"

	"x86emu/machine"
)

const deviceHelp = `Devices: isa-debug-exit[,iobase=0x501][,iosize=2], isa-debugcon,chardev=ID[,iobase=0xe9],
isa-serial,chardev=ID. The guest runs without any other.`

// addDevice reads the value of -device.
func addDevice(p *parser, value string) error {
	list := props(value, "driver")
	driver, _ := find(list, "driver")
	list = list[1:]
	switch driver {
	case "help", "?":
		p.Say = deviceHelp
	case "isa-debug-exit":
		return debugExit(p, list)
	case "isa-debugcon":
		return debugConsole(p, list)
	case "pc-testdev": // the board has it
	case "isa-serial":
		id, ok := find(list, "chardev")
		if !ok {
			return errors.New("needs a chardev")
		}
		p.serials = append(p.serials, spec{"chardev:" + id, p.flag})
	case "loader":
		return errors.New("what it would load is not there: use -kernel and -initrd")
	case "":
		return errors.New("needs the name of a device")
	default:
		p.lack("%s (%s)", driver, p.flag)
	}
	return nil
}

// properties reads the ports of a device; others than the keys there are an
// error. The range comes with the device's defaults.
func properties(driver string, list []prop, at *machine.PortRange) (err error) {
	for _, s := range list {
		switch s.key {
		case "id", "chardev", "readback":
		case "iobase":
			var n int
			n, err = port(s.key, s.value)
			at.First = uint16(n)
		case "iosize":
			at.N, err = port(s.key, s.value)
		default:
			err = fmt.Errorf("property '%s.%s' not found", driver, s.key)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// debugExit makes the port that ends the run. The defaults are QEMU's.
func debugExit(p *parser, list []prop) error {
	at := machine.PortRange{First: 0x501, N: 2}
	if err := properties("isa-debug-exit", list, &at); err != nil {
		return err
	}
	if at.N == 0 {
		return errors.New("iosize=0: the device would have no port")
	}
	p.Ports.Exit = at
	return nil
}

func debugConsole(p *parser, list []prop) error {
	at := machine.StandardPorts.Console
	if err := properties("isa-debugcon", list, &at); err != nil {
		return err
	}
	id, ok := find(list, "chardev")
	if !ok {
		return errors.New("needs a chardev")
	}
	p.Ports.Console = at
	p.consoles = append(p.consoles, spec{"chardev:" + id, p.flag})
	return nil
}

// global reads the value of -global, of which one thing matters here: where the
// debug console is.
func global(p *parser, value string) error {
	for _, s := range props(value, "") {
		switch s.key {
		case "isa-debugcon.iobase":
			n, err := port("iobase", s.value)
			if err != nil {
				return err
			}
			p.Ports.Console = machine.PortRange{First: uint16(n), N: 1}
		default:
			p.lack("%s (%s)", s.key, p.flag)
		}
	}
	return nil
}

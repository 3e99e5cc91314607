package qemu

import (
	"fmt"
	"strings"

	"x86emu/machine"
)

// Stream is where a character device sends to, and whether it listens.
type Stream struct {
	Stdio bool   // standard output; a serial port also takes standard input
	File  string // a file, emptied first; not with Stdio
	Copy  string // a file that gets the same, or empty
}

// spec is what an option says of a character device, and the option itself.
type spec struct{ text, flag string }

// chardev is what -chardev has made.
type chardev struct {
	Stream
	refused string // why no device here can use it
}

// addChardev reads the value of -chardev.
func addChardev(p *parser, value string) error {
	list := props(value, "backend")
	backend, _ := find(list, "backend")
	id, ok := find(list, "id")
	if !ok || id == "" {
		return fmt.Errorf("needs an id")
	}
	c := chardev{}
	switch backend {
	case "stdio":
		c.Stdio = true
	case "null", "ringbuf":
	case "vc":
		c.Stdio = p.window()
	case "file":
		if c.File, ok = find(list, "path"); !ok || c.File == "" {
			return fmt.Errorf("a file needs its path")
		}
		if v, _ := find(list, "append"); v == "on" {
			return fmt.Errorf("a file is always emptied first: append=on cannot be done")
		}
	default:
		c.refused = fmt.Sprintf("chardev %s is of kind %s: %s", id, backend, whatStreams)
	}
	if log, ok := find(list, "logfile"); ok {
		if v, _ := find(list, "logappend"); v == "on" {
			return fmt.Errorf("a file is always emptied first: logappend=on cannot be done")
		}
		c.Copy = log
	}
	p.chardevs[id] = c
	return nil
}

const whatStreams = "output goes to stdio, to file:NAME, or nowhere (null, none)"

// window tells whether QEMU would show a window, where its console "vc" is.
func (p *parser) window() bool { return !p.noWindow && !p.nographic }

// stream reads the value of -serial or -debugcon. present is false for "none",
// which leaves the device out.
func (p *parser) stream(s spec) (to Stream, present bool, err error) {
	text := strings.TrimPrefix(s.text, "mon:")
	kind, rest, _ := strings.Cut(text, ":")
	switch {
	case text == "none":
		return to, false, nil
	case text == "null":
		return to, true, nil
	case text == "stdio":
		return Stream{Stdio: true}, true, nil
	case kind == "vc":
		return Stream{Stdio: p.window()}, true, nil
	case kind == "file" && rest != "":
		return Stream{File: rest}, true, nil
	case strings.HasPrefix(text, "/dev/"):
		return Stream{File: text}, true, nil
	case kind == "chardev":
		c, ok := p.chardevs[rest]
		if !ok {
			return to, false, fmt.Errorf("%s: chardev %q not found", s.flag, rest)
		}
		if c.refused != "" {
			return to, false, fmt.Errorf("%s: %s", s.flag, c.refused)
		}
		return c.Stream, true, nil
	}
	return to, false, fmt.Errorf("%s %s: %s", s.flag, s.text, whatStreams)
}

// wire decides where COM1, COM2 and the debug console go. Without -serial QEMU's COM1
// is in a window of its own; as there is none, it is standard output.
func (p *parser) wire() error {
	if len(p.serials) == 0 && !p.noDefaults {
		text := "vc"
		if p.nographic {
			text = "stdio"
		}
		p.serials = []spec{{text, ""}}
	}
	if len(p.serials) == 0 {
		p.Ports.Serial = machine.PortRange{}
	}
	for i, s := range p.serials {
		to, present, err := p.stream(s)
		switch {
		case err != nil:
			return err
		case i > 1 && present:
			p.lack("serial port %d (%s %s)", i+1, s.flag, s.text)
		case i == 1 && present:
			p.Ports.Serial2, p.Serial2 = machine.StandardPorts.Serial2, to
		case i == 0 && !present:
			p.Ports.Serial = machine.PortRange{}
		case i == 0:
			p.Serial = to
		}
	}
	for i, s := range p.consoles {
		to, present, err := p.stream(s)
		if err != nil {
			return err
		}
		if !present {
			continue
		}
		if i > 0 {
			p.lack("a second debug console (%s %s)", s.flag, s.text)
			continue
		}
		p.Console = to
		if p.Ports.Console.N == 0 {
			p.Ports.Console = machine.StandardPorts.Console
		}
	}
	return nil
}

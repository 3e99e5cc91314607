package qemu

import (
	"errors"
	"fmt"
	"net"
	"strings"

	"x86emu/machine"
)

// option is one of QEMU's options.
type option struct {
	value bool // it takes a value
	does  func(p *parser, value string) error
}

// options are all options by name, without dashes.
var options = map[string]option{}

// add adds options to the table; names are separated by spaces.
func add(names string, o option) {
	for _, name := range strings.Fields(names) {
		if _, twice := options[name]; twice {
			panic("BUG: option -" + name + " twice in the table")
		}
		options[name] = o
	}
}

func init() {
	// What is done.
	add("kernel", option{true, text(func(p *parser) *string { return &p.Kernel })})
	add("initrd", option{true, text(func(p *parser) *string { return &p.Initrd })})
	add("append", option{true, func(p *parser, v string) error { p.Append, p.hasAppend = v, true; return nil }})
	add("m", option{true, memory})
	add("cpu", option{true, cpuName})
	add("smp", option{true, processors})
	add("rtc", option{true, clock})
	add("localtime", option{does: func(p *parser, _ string) error { return clock(p, "base=localtime") }})
	add("icount", option{true, instructions})
	add("M machine", option{true, machineType})
	add("no-hpet", option{does: func(p *parser, _ string) error { p.NoHPET = true; return nil }})
	add("serial", option{true, func(p *parser, v string) error { p.serials = append(p.serials, spec{v, p.flag}); return nil }})
	add("debugcon", option{true, func(p *parser, v string) error { p.consoles = append(p.consoles, spec{v, p.flag}); return nil }})
	add("chardev", option{true, addChardev})
	add("device", option{true, addDevice})
	add("global", option{true, global})
	add("nodefaults", option{does: func(p *parser, _ string) error { p.noDefaults = true; return nil }})
	add("nographic", option{does: func(p *parser, _ string) error { p.nographic = true; return nil }})
	add("display", option{true, display})
	add("vga", option{true, vga})
	add("no-reboot", option{does: func(p *parser, _ string) error { p.NoReboot = true; return nil }})
	add("no-shutdown", option{does: func(p *parser, _ string) error { p.NoShutdown = true; return nil }})
	add("action", option{true, action})
	add("drive", option{true, addDrive})
	add("hda hdb hdc hdd", option{true, image(disk)})
	add("fda fdb", option{true, image(floppy)})
	add("cdrom", option{true, func(p *parser, v string) error {
		return p.addImage(drive{file: v, medium: cdrom, index: nextFree, flag: p.flag})
	}})
	add("boot", option{true, bootOrder})
	add("bios", option{true, text(func(p *parser) *string { return &p.BIOS })})
	add("no-fd-bootchk", option{does: func(p *parser, _ string) error { p.AnyFloppy = true; return nil }})
	add("fw_cfg", option{true, func(p *parser, v string) error {
		f, err := ParseFile(v)
		p.Files = append(p.Files, f)
		return err
	}})
	add("snapshot", option{does: func(p *parser, _ string) error { p.snapshot = true; return nil }})
	add("d", option{true, logItems})
	add("D", option{true, text(func(p *parser) *string { return &p.LogTo })})
	add("dfilter", option{true, absent("a filter of the log")})
	add("singlestep", option{does: func(p *parser, _ string) error { p.Single = true; return nil }})
	add("s", option{does: func(p *parser, _ string) error { return debugger(p, "tcp::1234") }})
	add("gdb", option{true, debugger})
	add("S", option{does: func(p *parser, _ string) error { p.Freeze = true; return nil }})
	add("h help", option{does: func(p *parser, _ string) error { p.Say = Help; return nil }})
	add("version", option{does: func(p *parser, _ string) error { p.Say = "x86emu, in the place of QEMU 7.2"; return nil }})

	// What has no effect that a guest could see here: time is virtual, nothing
	// is accelerated.
	add("no-acpi no-kvm no-kvm-irqchip no-kvm-pit no-quit no-frame alt-grab ctrl-grab enable-kvm "+
		"mem-prealloc only-migratable no-user-config enable-sync-profile async-teardown win2k-hack portrait", option{})
	add("accel name uuid k L msg compat overcommit sandbox seed echr rotate mem-path object netdev audiodev mon "+
		"clock watchdog-action", option{value: true})

	// What a guest can do without.
	add("net nic", option{true, network})
	add("parallel", option{true, unlessNone("a parallel port")})
	add("monitor qmp qmp-pretty", option{true, unlessNone("a monitor")})
	add("full-screen sdl curses show-cursor", option{does: absent("a window")})
	add("vnc spice", option{true, absent("a window")})
	add("usb", option{does: absent("USB")})
	add("usbdevice", option{true, absent("a USB device")})
	add("soundhw audio", option{true, absent("sound")})
	add("blockdev sd mtdblock fsdev virtfs iscsi", option{true, absent("a disk or file system")})
	add("tpmdev", option{true, absent("a TPM")})
	add("watchdog", option{true, absent("a watchdog")})
	add("numa", option{true, absent("NUMA")})
	add("acpitable smbios dtb option-rom", option{true, absent("firmware")})
	add("set", option{true, absent("a setting")})
	add("trace", option{true, absent("trace events")})
	add("plugin", option{true, absent("a plugin")})
	add("pidfile", option{true, absent("a file for the process id")})
	add("balloon", option{true, absent("a balloon")})

	// What makes another run of it.
	add("pflash", option{true, refused(errFirmware)})
	add("loadvm incoming", option{true, refused(errors.New("a state that QEMU saved cannot be read"))})
	add("readconfig", option{true, refused(errors.New("a configuration file cannot be read: give its options"))})
	add("daemonize preconfig", option{does: refused(errors.New("x86emu stays in the foreground and starts at once"))})
	add("chroot runas add-fd dump-vmstate xen-domid", option{true, refused(errors.New("cannot be done"))})
	add("xen-attach xen-domid-restrict", option{does: refused(errors.New("cannot be done"))})
	add("audio-help", option{does: refused(errors.New("there is no sound on this board"))})
}

// text makes the handler of an option whose value is kept as it is.
func text(field func(*parser) *string) func(*parser, string) error {
	return func(p *parser, v string) error {
		*field(p) = v
		return nil
	}
}

// absent makes the handler of an option that asks for what is not there.
func absent(what string) func(*parser, string) error {
	return func(p *parser, v string) error {
		p.lack("%s (%s)", what, strings.TrimSpace(p.flag+" "+v))
		return nil
	}
}

// unlessNone is absent for an option that can also say "none".
func unlessNone(what string) func(*parser, string) error {
	return func(p *parser, v string) error {
		if v == "none" || v == "null" || v == "/dev/null" {
			return nil
		}
		return absent(what)(p, v)
	}
}

func refused(err error) func(*parser, string) error {
	return func(*parser, string) error { return err }
}

const defaultRAM = 128 << 20

// memory reads the value of -m.
func memory(p *parser, value string) error {
	text, _ := find(props(value, "size"), "size")
	v, err := size(text)
	if err != nil {
		return err
	}
	const unit = 8192 // QEMU's
	switch v = (v + unit - 1) &^ (unit - 1); {
	case v == 0:
		v = defaultRAM
	case v < machine.MinRAM:
		return fmt.Errorf("this board has at least %d MiB of RAM", machine.MinRAM>>20)
	case v > machine.MaxRAM:
		p.lack("RAM beyond %d MiB (%s %s)", machine.MaxRAM>>20, p.flag, value)
		v = machine.MaxRAM
	}
	p.RAM = v
	return nil
}

// processors reads the value of -smp: this board has one.
func processors(p *parser, value string) error {
	total, cpus := 1, 0
	for _, s := range props(value, "cpus") {
		n, err := port(s.key, s.value)
		if err != nil || n == 0 {
			return fmt.Errorf("%s must be a number of processors", s.key)
		}
		switch s.key {
		case "cpus":
			cpus = n
		case "sockets", "dies", "clusters", "cores", "threads":
			total = min(total*n, 1<<16)
		}
	}
	if cpus > 1 || cpus == 0 && total > 1 {
		p.lack("processors beyond the first (%s %s)", p.flag, value)
	}
	return nil
}

const machineHelp = `Supported machines are: pc, q35, isapc and microvm, in all versions.
They are the same board: RAM, one processor, COM1, and what -device and -debugcon add.`

// machineType reads the value of -machine: all PCs are the same board here.
func machineType(p *parser, value string) error {
	list := props(value, "")
	name, set := list[0].key, list[0].set
	if t, ok := find(list, "type"); ok {
		name, set = t, false
	}
	if v, _ := find(list, "graphics"); v == "off" {
		p.nographic = true
	}
	if v, ok := find(list, "hpet"); ok {
		p.NoHPET = v == "off"
	}
	switch {
	case name == "help" || name == "?":
		p.Say = machineHelp
	case set, name == "pc", name == "q35", name == "isapc", name == "microvm",
		strings.HasPrefix(name, "pc-"):
	default:
		return errors.New("unsupported machine type: must be pc, q35, isapc or microvm")
	}
	return nil
}

// display reads the value of -display.
func display(p *parser, value string) error {
	kind, _, _ := strings.Cut(strings.SplitN(value, ",", 2)[0], "=")
	switch kind {
	case "none":
		p.noWindow = true
	case "gtk", "sdl", "curses", "vnc", "cocoa", "default", "spice-app", "dbus", "egl-headless":
		return absent("a window")(p, value)
	case "help":
		p.Say = "Available display types: none"
	default:
		return fmt.Errorf("parameter 'type' does not accept value '%s': must be none", kind)
	}
	return nil
}

// vga reads the value of -vga. The text screen is there on each of them, as far
// as it is memory.
func vga(p *parser, value string) error {
	switch value {
	case "none":
		p.noScreen = true
	case "std", "cirrus":
	default:
		return absent("graphics")(p, value)
	}
	return nil
}

// action reads the value of -action.
func action(p *parser, value string) error {
	for _, s := range props(value, "") {
		switch s.key + "=" + s.value {
		case "reboot=shutdown":
			p.NoReboot = true
		case "reboot=reset":
			p.NoReboot = false
		case "shutdown=pause":
			p.NoShutdown = true
		case "shutdown=poweroff":
			p.NoShutdown = false
		default:
			if s.key != "panic" && s.key != "watchdog" {
				return fmt.Errorf("%s=%s: must be reboot=reset|shutdown or shutdown=poweroff|pause", s.key, s.value)
			}
		}
	}
	return nil
}

// network reads the value of -net and -nic.
func network(p *parser, value string) error {
	if kind, _, _ := strings.Cut(value, ","); kind == "none" || kind == "user" && p.flag != "-nic" && p.flag != "--nic" {
		return nil // -net user is the far end of a card
	}
	return absent("a network card")(p, value)
}

// debugger reads the value of -gdb. QEMU listens on all of the host's addresses
// where none is named; here it is loopback.
func debugger(p *parser, value string) error {
	address, _, _ := strings.Cut(value, ",")
	text, ok := strings.CutPrefix(address, "tcp:")
	if value == "none" {
		p.GDB = ""
		return nil
	}
	host, number, err := net.SplitHostPort(text)
	if !ok || err != nil {
		return errors.New("a debugger connects by TCP: tcp:[HOST]:PORT")
	}
	if n, err := port("port", number); err != nil || n == 0 {
		return fmt.Errorf("port %q: must be a number from 1 to 65535", number)
	}
	if host == "" {
		host = "127.0.0.1"
	}
	p.GDB = net.JoinHostPort(host, number)
	return nil
}

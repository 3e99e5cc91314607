package qemu

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"x86emu/cpu"
	"x86emu/machine"
)

// Line is what a command line asks for, as far as this board can have it.
type Line struct {
	Kernel string // -kernel, or empty: the firmware boots
	Append string
	Initrd string
	BIOS   string // the file of a ROM; empty: the built-in BIOS, if there is no kernel
	Drives []Drive

	BootFrom  string // the drive to boot from first, one of machine.DriveNames
	AnyFloppy bool   // a floppy disk's first sector need not end in 0x55 0xAA

	RAM   uint64 // bytes
	Model *cpu.Model
	Ports machine.PortMap
	Files []File // of fw_cfg

	NoHPET bool

	Date     time.Time // what the real-time clock shows at first; zero: the board's default
	TickRate uint64    // instructions in a second; 0: the board's default

	Serial  Stream // COM1
	Serial2 Stream // COM2
	Console Stream // the debug console

	Screen     bool // somebody looks at the screen
	NoReboot   bool
	NoShutdown bool

	Log    []string // items of -d that there are
	LogTo  string   // the file of -D; empty: standard error
	Single bool     // -singlestep: the log has each instruction as a block
	GDB    string   // where a debugger may connect, HOST:PORT; empty: nowhere
	Freeze bool     // -S: the debugger starts the guest

	Absent []string // what the guest runs without
	Say    string   // an answer to print, with nothing to run
}

// Missing tells in one line what the guest runs without, or is empty.
func (l *Line) Missing() string {
	if len(l.Absent) == 0 {
		return ""
	}
	return "the guest runs without " + strings.Join(l.Absent, "; ")
}

// parser collects what the options say, for some decide about others that came
// before.
type parser struct {
	Line
	flag string // the option being read, as written

	hasAppend  bool
	model      string
	serials    []spec
	consoles   []spec
	chardevs   map[string]chardev
	drives     []drive
	order      string // of booting
	snapshot   bool   // no file gets what the guest writes
	noDefaults bool
	nographic  bool
	noWindow   bool
	noScreen   bool
}

// Parse reads the words after the program's name.
func Parse(args []string) (*Line, error) {
	p := &parser{chardevs: map[string]chardev{}, order: defaultOrder}
	p.RAM, p.Ports.Serial = defaultRAM, machine.StandardPorts.Serial
	for len(args) > 0 && p.Say == "" {
		word := args[0]
		args = args[1:]
		name, dashed := strings.CutPrefix(word, "-")
		if !dashed || name == "" {
			if err := p.addImage(drive{file: word, medium: disk, flag: "disk"}); err != nil {
				return nil, fmt.Errorf("%q: %w", word, err)
			}
			continue
		}
		p.flag = word
		o, known := options[strings.TrimPrefix(name, "-")]
		if !known {
			return nil, fmt.Errorf("%s: invalid option", word)
		}
		value := ""
		if o.value {
			if len(args) == 0 {
				return nil, fmt.Errorf("%s: requires an argument", word)
			}
			value, args = args[0], args[1:]
		}
		if o.does == nil {
			continue
		}
		if err := o.does(p, value); err != nil {
			return nil, fmt.Errorf("%s: %w", strings.TrimSpace(word+" "+value), err)
		}
	}
	if p.Say != "" {
		return &p.Line, nil
	}
	return &p.Line, p.finish()
}

// finish decides what no single option says.
func (p *parser) finish() (err error) {
	p.Screen = !p.noWindow && !p.nographic && !p.noScreen
	if p.Model, err = p.findModel(p.model); err != nil {
		return err
	}
	if err := p.wire(); err != nil {
		return err
	}
	if p.Freeze && p.GDB == "" {
		return errors.New("-S: nobody could start the guest: there is no monitor, and no debugger without -s or -gdb")
	}
	if p.Kernel == "" {
		switch {
		case p.hasAppend:
			return errors.New("-append only allowed with -kernel option")
		case p.Initrd != "":
			return errors.New("-initrd only allowed with -kernel option")
		}
	}
	return p.boot()
}

// lack notes something that the guest runs without, once.
func (p *parser) lack(format string, args ...any) {
	what := fmt.Sprintf(format, args...)
	if !slices.Contains(p.Absent, what) {
		p.Absent = append(p.Absent, what)
	}
}

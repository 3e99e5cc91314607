package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"x86emu/cmd/x86emu/qemu"
	"x86emu/cpu"
	"x86emu/guest"
	"x86emu/machine"
)

// board holds the flags that describe a machine and its image.
type board struct {
	memory  size
	cpu     string
	tlb     onOff
	rate    uint64
	date    date
	keys    typing
	cmdline string
	initrd  string
	addr    address
	mode    oneOf
	cpl     oneOf
	board   boardName
	drives  drives
	files   fwFiles
	bios    string

	cmd *cobra.Command
}

// addFlags adds the flags to a command.
func (b *board) addFlags(cmd *cobra.Command) {
	b.cmd, b.memory, b.tlb = cmd, machine.DefaultRAM, true
	b.mode, b.cpl = modes(32), oneOf{0, []uint8{0, 1, 2, 3}}
	f := cmd.Flags()
	f.VarP(&b.memory, "memory", "m", "RAM: a number of MiB, or with a suffix K, M or G")
	f.StringVar(&b.cpu, "cpu", "max", "CPU model: "+strings.Join(cpu.ModelNames(), ", ")+"; or one less some features: max,-smap,-smep")
	f.Var(&b.tlb, "tlb", "`on|off`: off walks the page tables at every access")
	b.addBoard(cmd)
	f.Var(&b.files, "fw-cfg", "a file that the guest finds by QEMU's fw_cfg: `name=NAME,file=FILE|string=TEXT`; as often as needed")
	f.Uint64Var(&b.rate, "tick-rate", machine.DefaultTickRate, "how many `ticks` a second of the guest's clocks and timers has")
	f.Var(&b.date, "rtc", "what the real-time clock shows at first: `DATE`, as 2024-01-31T12:00:00 or 2024-01-31; or now")
	b.addKeys(cmd)
	f.StringVar(&b.cmdline, "append", "", "command line `text` of a kernel: multiboot, Linux, PVH")
	f.StringVar(&b.initrd, "initrd", "", "modules: `FILE[ args][,FILE...]` (,, is a comma); of Linux the one initrd")
	f.Var(&b.addr, "load-addr", "treat the image as a flat binary and load it at this `address`")
	f.Lookup("load-addr").DefValue = ""
	b.drives.addFlags(cmd)
	f.StringVar(&b.bios, "bios", "", "firmware: ROM that ends at 4 GiB, from this `FILE`, in place of the built-in BIOS")
	b.withoutImage(cmd)
	f.Var(&b.mode, "mode", "`16|32|64`: mode of a flat binary's first instruction")
	f.Var(&b.cpl, "cpl", "`0|1|2|3`: privilege level of a flat binary")
}

// addBoard adds the flag that says which devices there are.
func (b *board) addBoard(cmd *cobra.Command) {
	cmd.Flags().Var(&b.board, "board", "which devices there are: `pc|bare` (see x86emu board)")
}

// withoutImage lets the command do without an IMAGE, which is then "", where disks or
// firmware are given to begin with.
func (b *board) withoutImage(cmd *cobra.Command) {
	check, run := cmd.Args, cmd.RunE
	without := func(args []string) bool { return len(args) == 0 && (b.bios != "" || b.drives.given()) }
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if without(args) {
			return nil
		}
		if len(args) > 0 && args[0] == "" {
			_, err := guest.Open("")
			return err
		}
		return check(cmd, args)
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if without(args) {
			args = []string{""}
		}
		return run(cmd, args)
	}
}

// make builds the machine and loads the image into it, or restores the one of a
// snapshot.
func (b *board) make(image string, cfg machine.Config) (m *machine.Machine, err error) {
	var data []byte
	if image != "" {
		if data, err = guest.Open(image); err != nil {
			return nil, err
		}
	}
	if err := b.keysFor(image, &cfg); err != nil {
		return nil, err
	}
	if cfg.Drives, err = b.drives.open(machine.Board(b.board)); err != nil {
		return nil, err
	}
	if machine.IsSnapshot(data) {
		return b.restore(image, data, cfg)
	}
	model, ok := cpu.ModelByName(b.cpu)
	if !ok {
		return nil, fmt.Errorf("unknown CPU model %q: must be one of %s", b.cpu, strings.Join(cpu.ModelNames(), ", "))
	}
	if b.rate < machine.MinTickRate || b.rate > machine.MaxTickRate {
		return nil, fmt.Errorf("--tick-rate %d: must be from %d to %d", b.rate, uint64(machine.MinTickRate), uint64(machine.MaxTickRate))
	}
	cfg.RAM, cfg.Model, cfg.TLBOff, cfg.TickRate, cfg.Date = uint64(b.memory), model, !bool(b.tlb), b.rate, time.Time(b.date)
	cfg.Board = machine.Board(b.board)
	guest.AddDisk(image, &cfg)
	if cfg.Files, err = b.files.open(cfg.Board); err != nil {
		return nil, fmt.Errorf("--fw-cfg: %w", err)
	}
	if cfg.Firmware, err = b.firmware(); err != nil {
		return nil, err
	}
	img, err := b.parse(image, data)
	if err == nil {
		err = img.Configure(&cfg, guest.Options{})
	}
	if err != nil {
		return nil, named(image, err)
	}
	if m, err = machine.New(cfg); err != nil {
		return nil, fmt.Errorf("-m %s: %w", b.memory.String(), err)
	}
	if err := b.checkKeys(m); err != nil {
		return nil, err
	}
	return m, load(m, image, img, guest.Options{Cmdline: b.cmdline}, b.initrd)
}

// firmware reads the ROM that a flag names; there may be none.
func (b *board) firmware() ([]byte, error) {
	if b.bios == "" {
		return nil, nil
	}
	rom, err := openFirmware(b.bios)
	if err != nil {
		return nil, fmt.Errorf("--bios: %w", err)
	}
	return rom, nil
}

// openFirmware reads a ROM, which must be as large as one may be.
func openFirmware(name string) ([]byte, error) {
	rom, err := guest.ReadFile(name, machine.MaxFirmware, "firmware")
	if err != nil {
		return nil, err
	}
	return rom, named(name, machine.CheckFirmware(uint64(len(rom))))
}

// named puts the name of the file, if it has one, before an error about it.
func named(file string, err error) error {
	if err == nil || file == "" {
		return err
	}
	return fmt.Errorf("%s: %w", file, err)
}

// load puts an image into a machine, with the modules that a list names. The
// command line of a multiboot 1 kernel begins with its name, as QEMU has it.
func load(m *machine.Machine, name string, img *guest.Image, o guest.Options, initrd string) (err error) {
	if img.Format == guest.Multiboot {
		o.Cmdline = strings.TrimSpace(name + " " + o.Cmdline)
	}
	if initrd != "" {
		if o.Modules, err = img.OpenInitrd(initrd); err != nil {
			return err
		}
	}
	return named(name, img.Load(m, o))
}

// parse tells the format, or makes a flat binary of the image.
func (b *board) parse(image string, data []byte) (*guest.Image, error) {
	f := b.cmd.Flags()
	if f.Changed("load-addr") {
		return guest.ParseFlat(data, uint64(b.addr), guest.Mode(b.mode.v), b.cpl.v)
	}
	if f.Changed("mode") || f.Changed("cpl") {
		return nil, fmt.Errorf("--mode and --cpl are for flat binaries: they need --load-addr")
	}
	if image == "" {
		return guest.Drives(), nil
	}
	return guest.Parse(data)
}

// date is a date with or without a time, of years 0 to 9999.
type date time.Time

func (d *date) String() string {
	if time.Time(*d).IsZero() {
		return machine.DefaultDate.Format(time.DateOnly)
	}
	return time.Time(*d).Format(dateTime)
}

func (d *date) Type() string { return "date" }

// dateTime is RFC 3339 without a zone.
const dateTime = "2006-01-02T15:04:05"

func (d *date) Set(text string) error {
	if text == "now" {
		*d = date(time.Now().UTC())
		return nil
	}
	for _, layout := range []string{dateTime, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			*d = date(t)
			return nil
		}
	}
	return fmt.Errorf("must be a date as 2024-01-31, with a time as 2024-01-31T12:00:00, or now")
}

// size is an amount of memory in bytes: a number of MiB, or with K, M or G.
type size uint64

func (s *size) String() string {
	if *s%(1<<20) != 0 {
		return fmt.Sprintf("%dK", *s>>10)
	}
	return fmt.Sprintf("%dM", *s>>20)
}

func (s *size) Type() string { return "size" }

func (s *size) Set(text string) error {
	digits, shift := text, 20
	if n := len(text); n > 0 {
		if i := strings.IndexByte("KMG", text[n-1]&^0x20); i >= 0 {
			digits, shift = text[:n-1], 10*(i+1)
		}
	}
	v, err := strconv.ParseUint(digits, 10, 64)
	if err != nil || v < machine.MinRAM>>shift || v > machine.MaxRAM>>shift {
		return fmt.Errorf("must be a number of MiB, or with a suffix K, M or G: from %dM to %dM", machine.MinRAM>>20, machine.MaxRAM>>20)
	}
	*s = size(v << shift)
	return nil
}

// flagError tells of a bad flag what would be right.
func flagError(_ *cobra.Command, err error) error {
	var bad *pflag.InvalidValueError
	if !errors.As(err, &bad) {
		return fmt.Errorf("%w (try --help)", err)
	}
	name, cause := bad.GetFlag().Name, errors.Unwrap(bad)
	if errors.As(err, new(*strconv.NumError)) {
		cause = errors.New("must be a whole number, 0 or more")
	}
	return fmt.Errorf("--%s %q: %w", name, bad.GetValue(), cause)
}

// address is a number in any base that Go writes.
type address uint64

func (a *address) String() string { return fmt.Sprintf("0x%x", uint64(*a)) }
func (a *address) Type() string   { return "address" }
func (a *address) Set(text string) error {
	v, err := strconv.ParseUint(text, 0, 64)
	if err != nil {
		return errAddress
	}
	*a = address(v)
	return nil
}

// fwFiles are the files of fw_cfg that flags name.
type fwFiles []qemu.File

func (f *fwFiles) String() string { return "" }
func (f *fwFiles) Type() string   { return "file" }

func (f *fwFiles) Set(text string) error {
	file, err := qemu.ParseFile(text)
	*f = append(*f, file)
	return err
}

// open reads the files, and refuses what the board would.
func (f *fwFiles) open(board machine.Board) ([]machine.File, error) {
	files, err := qemu.OpenFiles(*f)
	if err == nil {
		err = machine.CheckFiles(board, files)
	}
	return files, err
}

var errAddress = errors.New("must be a number of at most 64 bits, such as 0x100000")

// parseAddress reads a number: decimal, or hexadecimal with 0x.
func parseAddress(text string) (uint64, error) {
	v, err := strconv.ParseUint(text, 0, 64)
	if err != nil {
		return 0, fmt.Errorf("address %q: %w", text, errAddress)
	}
	return v, nil
}

// oneOf is one of a few numbers.
type oneOf struct {
	v   uint8
	all []uint8
}

// modes is a mode of code: 16, 32 or 64.
func modes(v uint8) oneOf { return oneOf{v, []uint8{16, 32, 64}} }

func (o *oneOf) String() string { return strconv.Itoa(int(o.v)) }
func (o *oneOf) Type() string   { return "number" }

func (o *oneOf) Set(text string) error {
	v, err := strconv.ParseUint(text, 10, 8)
	if err != nil || !slices.Contains(o.all, uint8(v)) {
		words := strings.Trim(strings.Join(strings.Fields(fmt.Sprint(o.all)), ", "), "[]")
		return fmt.Errorf("must be one of %s", words)
	}
	o.v = uint8(v)
	return nil
}

// onOff is a switch that is written on or off.
type onOff bool

func (o *onOff) String() string {
	if *o {
		return "on"
	}
	return "off"
}
func (o *onOff) Type() string { return "on|off" }
func (o *onOff) Set(text string) error {
	if text != "on" && text != "off" {
		return fmt.Errorf("must be on or off")
	}
	*o = text == "on"
	return nil
}

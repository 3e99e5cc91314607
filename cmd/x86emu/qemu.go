package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"x86emu/cmd/x86emu/qemu"
	"x86emu/debug"
	"x86emu/debug/gdb"
	"x86emu/debug/qemulog"
	"x86emu/debug/screen"
	"x86emu/guest"
	"x86emu/machine"
)

// statusQEMUError is the exit status of QEMU for a bad command line or image.
const statusQEMUError = 1

func newQEMU() *cobra.Command {
	return &cobra.Command{
		Use:   "qemu [OPTIONS OF QEMU]",
		Short: "Run a guest by a command line of QEMU's",
		Long:  qemu.Help,
		Example: `  make run QEMU="x86emu qemu"
  x86emu qemu -kernel kernel.elf -serial stdio -display none -no-reboot -device isa-debug-exit,iobase=0xf4,iosize=0x04
  x86emu qemu -kernel kernel.elf -nographic -d int -D qemu.log
  x86emu qemu -fda boot.img -m 16`,
		DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			line, err := qemu.Parse(args)
			if err == nil && line.Say != "" {
				_, err = fmt.Fprintln(cmd.OutOrStdout(), line.Say)
				return err
			}
			code := 0
			if err == nil {
				code, err = runAsQEMU(cmd, line)
			}
			if err != nil {
				tellQEMU(cmd, err.Error())
				return status(statusQEMUError)
			}
			if code != 0 {
				return status(code)
			}
			return nil
		},
	}
}

func tellQEMU(cmd *cobra.Command, text string) {
	fmt.Fprintf(cmd.ErrOrStderr(), "x86emu qemu: %s\n", oneLine(text))
}

// runAsQEMU runs what the line asks for and gives the exit status.
func runAsQEMU(cmd *cobra.Command, line *qemu.Line) (code int, err error) {
	var s streams
	defer s.close()
	cfg, err := s.qemuConfig(cmd, line)
	if err != nil {
		return 0, err
	}
	img, name, err := imageOfQEMU(line)
	if err != nil {
		return 0, err
	}
	disks := drivesOfQEMU(line)
	if err := firmwareOfQEMU(&cfg, disks, line, img); err != nil {
		return 0, err
	}
	m, err := machine.New(cfg)
	if err != nil {
		return 0, err
	}
	d, err := debuggerOfQEMU(cmd, line)
	if err != nil {
		return 0, err
	}
	if d != nil {
		defer d.listener.Close()
	}
	if err := load(m, name, img, guest.Options{Cmdline: line.Append}, line.Initrd); err != nil {
		return 0, err
	}
	log, err := s.qemuLog(cmd, m, line)
	if err != nil {
		return 0, err
	}
	if err := s.begin(append(disks.names[:], name)...); err != nil {
		return 0, err
	}
	if text := line.Missing(); text != "" {
		tellQEMU(cmd, text)
	}
	ctx, stop := signal.NotifyContext(cmd.Context(), terminate...)
	defer stop()
	cmd.SetContext(ctx)
	var r machine.Result
	if d != nil {
		r, err = d.serve(cmd, m, machine.NoBudget, line.Freeze)
	} else {
		r, err = m.Run(ctx, machine.NoBudget)
	}
	if line.Resets(r) {
		log.Reset()
	}
	if err == nil {
		err = disks.writeBack(m)
	}
	if err = cmp.Or(err, log.Close(), s.close()); err != nil {
		return 0, err
	}
	if line.Screen {
		showScreen(cmd, m)
	}
	if r.Reason != machine.Cancelled {
		tellEnd(cmd, r)
	}
	code, note := line.End(r)
	if note != "" {
		tellQEMU(cmd, note)
	}
	return code, nil
}

// qemuConfig makes the board, and opens what its output goes to.
func (s *streams) qemuConfig(cmd *cobra.Command, line *qemu.Line) (cfg machine.Config, err error) {
	cfg = machine.Config{RAM: line.RAM, Model: line.Model, Date: line.Date, TickRate: line.TickRate, Ports: &line.Ports, NoHPET: line.NoHPET}
	if cfg.Files, err = qemu.OpenFiles(line.Files); err != nil {
		return cfg, fmt.Errorf("-fw_cfg: %w", err)
	}
	if cfg.Serial, err = s.qemu(cmd, "serial", line.Serial); err != nil {
		return cfg, err
	}
	if cfg.Serial2, err = s.qemu(cmd, "serial", line.Serial2); err != nil {
		return cfg, err
	}
	if cfg.Console, err = s.qemu(cmd, "debugcon", line.Console); err != nil {
		return cfg, err
	}
	listen(cmd, &cfg, line.Serial.Stdio, line.Serial2.Stdio)
	return cfg, nil
}

// drivesOfQEMU are the disk images of a line.
func drivesOfQEMU(line *qemu.Line) *drives {
	d := &drives{memory: machine.DefaultDiskMemory, write: true, pad: true}
	for _, image := range line.Drives {
		i := slices.Index(machine.DriveNames[:], image.Name)
		d.names[i], d.keep[i] = image.File, !image.Write
	}
	return d
}

// debuggerOfQEMU opens the port that the line names for a debugger, or gives nil.
func debuggerOfQEMU(cmd *cobra.Command, line *qemu.Line) (d *debugger, err error) {
	if line.GDB == "" {
		return nil, nil
	}
	d = &debugger{address: line.GDB, history: size(debug.DefaultHistory)}
	if line.Kernel != "" {
		if d.syms, err = openSymbols(cmd, kernelFile(line.Kernel), ""); err != nil {
			return nil, err
		}
	}
	if d.listener, err = gdb.Listen(d.address); err != nil {
		return nil, fmt.Errorf("-gdb: %w", err)
	}
	return d, nil
}

// showScreen shows on standard error what QEMU's window would show at the end.
func showScreen(cmd *cobra.Command, m *machine.Machine) {
	lines := linesFor(cmd.ErrOrStderr(), screen.Take(m))
	if len(lines) == 0 {
		return
	}
	tellQEMU(cmd, "the screen at the end:")
	for _, l := range lines {
		fmt.Fprintln(cmd.ErrOrStderr(), l)
	}
}

// imageOfQEMU reads the kernel that the line boots, and gives its name. Without one it is what the
// firmware finds.
func imageOfQEMU(line *qemu.Line) (img *guest.Image, name string, err error) {
	if line.Kernel == "" {
		return guest.Drives(), "", nil
	}
	data, err := guest.Open(kernelFile(line.Kernel))
	if err != nil {
		return nil, "", err
	}
	img, err = guest.Parse(data)
	return img, line.Kernel, named(line.Kernel, err)
}

// firmwareOfQEMU opens the disks and the ROM of a line.
func firmwareOfQEMU(cfg *machine.Config, disks *drives, line *qemu.Line, img *guest.Image) (err error) {
	if cfg.Drives, err = disks.open(cfg.Board); err != nil {
		return err
	}
	cfg.BootFrom, cfg.AnyFloppy = line.BootFrom, line.AnyFloppy
	if line.BIOS != "" {
		if cfg.Firmware, err = openFirmware(line.BIOS); err != nil {
			return fmt.Errorf("-bios: %w", err)
		}
	}
	return img.Configure(cfg, guest.Options{})
}

// kernelFile is the name by which a kernel is opened: a file comes before a
// built-in kernel of its name.
func kernelFile(name string) string {
	if _, err := os.Stat(name); err == nil && !strings.ContainsAny(name, `/\`) {
		return "./" + name
	}
	return name
}

// qemu opens a stream of a command line of QEMU's.
func (s *streams) qemu(cmd *cobra.Command, flag string, to qemu.Stream) (*machine.Output, error) {
	if to.Copy == "" && to.File == "" {
		if to.Stdio {
			return s.output(cmd, flag, "stdio")
		}
		return nil, nil
	}
	var all []io.Writer
	if to.Stdio {
		all = append(all, cmd.OutOrStdout())
	}
	for _, name := range []string{to.File, to.Copy} {
		if name == "" {
			continue
		}
		w, err := s.createFile(flag, name)
		if err != nil {
			return nil, err
		}
		all = append(all, w)
	}
	return machine.NewOutput(io.MultiWriter(all...)), nil
}

// qemuLog begins the log that -d asks for, which may be nothing.
func (s *streams) qemuLog(cmd *cobra.Command, m *machine.Machine, line *qemu.Line) (*qemulog.Log, error) {
	w := cmd.ErrOrStderr()
	if line.LogTo != "" && len(line.Log) > 0 {
		var err error
		if w, err = s.createFile("D", line.LogTo); err != nil {
			return nil, err
		}
	}
	return qemulog.Watch(m, w, qemulog.Options{
		Int: slices.Contains(line.Log, "int"), Exec: slices.Contains(line.Log, "exec"), Single: line.Single,
		Reset: slices.Contains(line.Log, "cpu_reset"),
	}), nil
}

// Package peers runs guest kernels on other emulators, so that a transcript is
// one that several machines agree on. A peer is an opinion: where it differs,
// the manual decides, and the difference is written down beside the kernel.
//
// QEMU takes a multiboot 1 file as it is, and a boot sector as a disk; multiboot 2
// it is given by GRUB, from a disk that is made for it. Bochs is a
// whole PC: it gets a ROM of ours in place of its BIOS (bootrom/) that loads
// the kernel as multiboot would, or the boot sector as a BIOS would. Both run headless, with 64 MiB of memory, COM1 captured and
// a time limit; nothing of the host is shared with the guest.
package peers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"x86emu/guest"
)

// Peer is an emulator that can run a guest kernel to its end.
type Peer struct {
	Name string
	// Programs are the binaries it needs, any one of them.
	Programs []string
	// run starts program on an image, with keys typed; dir is an empty folder for its files.
	run func(ctx context.Context, program, dir string, image, disk []byte, keys string) (serial []byte, err error)
}

// All lists the peers.
func All() []Peer {
	return []Peer{
		{Name: "qemu", Programs: []string{"qemu-system-x86_64"}, run: runQEMU},
		{Name: "bochs", Programs: []string{"bochs-bin", "bochs"}, run: runBochs},
	}
}

// timeLimit is for one run on a busy machine; a kernel takes a second or two, a
// table of cases a minute.
const timeLimit = 4 * time.Minute

// Program returns the path of the peer's binary, and whether it is installed.
func (p Peer) Program() (string, bool) {
	for _, name := range p.Programs {
		if path, err := exec.LookPath(name); err == nil {
			return path, true
		}
	}
	return "", false
}

// Run runs a multiboot image or a boot sector (or the image of a whole disk), with a disk in the first drive or none (nil), and returns
// what the guest wrote to COM1. Keys, as machine.ParseKeys reads them, are typed when it prompts for
// them. An error says that the run did not end as a guest that is content ends it.
func (p Peer) Run(image, disk []byte, keys string) (serial string, err error) {
	program, ok := p.Program()
	if !ok {
		return "", fmt.Errorf("%s is not installed", p.Name)
	}
	dir, err := os.MkdirTemp("", "x86emu-peer-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	ctx, cancel := context.WithTimeout(context.Background(), timeLimit)
	defer cancel()
	out, err := p.run(ctx, program, dir, image, disk, keys)
	if ctx.Err() != nil {
		err = fmt.Errorf("%s: no end after %v", p.Name, timeLimit)
	}
	return string(bytes.ReplaceAll(out, []byte("\r"), nil)), err
}

// qemuCommand is QEMU about to start an image, with further arguments. It has
// Intel's vendor name, which decides whether there is a SYSENTER in long mode.
func qemuCommand(ctx context.Context, program, dir string, image []byte, more ...string) (*exec.Cmd, error) {
	kernel := filepath.Join(dir, "kernel")
	boot := []string{"-kernel", kernel}
	if isMultiboot2(image) {
		var err error
		if image, err = grubDisk(ctx, image, guest.Options{}); err != nil {
			return nil, err
		}
	}
	if isDisk(image) {
		boot = []string{"-drive", "format=raw,file=" + kernel, "-vga", "std"}
	}
	if err := os.WriteFile(kernel, image, 0o600); err != nil {
		return nil, err
	}
	return exec.CommandContext(ctx, program, append(append(boot, more...),
		"-accel", "tcg,thread=single", "-cpu", "max,vendor=GenuineIntel", "-m", "64",
		"-display", "none", "-nodefaults", "-vga", "std", "-no-reboot", "-serial", "stdio",
		"-device", "isa-debug-exit,iobase=0xf4,iosize=4")...), nil
}

// writeDisk writes the file of the disk in the first drive, if there is one, and gives its name.
func writeDisk(dir string, disk []byte) (file string, err error) {
	if disk == nil {
		return "", nil
	}
	file = filepath.Join(dir, "disk")
	return file, os.WriteFile(file, disk, 0o600)
}

func runQEMU(ctx context.Context, program, dir string, image, disk []byte, keys string) ([]byte, error) {
	file, err := writeDisk(dir, disk)
	if err != nil {
		return nil, err
	}
	var more []string
	if file != "" {
		more = []string{"-drive", "format=raw,if=ide,snapshot=on,file=" + file}
	}
	if keys != "" {
		more = append(more, "-qmp", "unix:"+filepath.Join(dir, socket)+",server=on,wait=off")
	}
	cmd, err := qemuCommand(ctx, program, dir, image, more...)
	if err != nil {
		return nil, err
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if keys != "" {
		t, err := newTypist(filepath.Join(dir, socket), keys)
		if err != nil {
			return nil, err
		}
		defer t.close()
		cmd.Stdout = io.MultiWriter(&stdout, t)
	}
	err = cmd.Run()
	// isa-debug-exit turns a code into code*2+1: a content guest gives status 1.
	var status *exec.ExitError
	switch {
	case errors.As(err, &status) && status.ExitCode() == 1 && stderr.Len() == 0:
		err = nil
	case err == nil:
		err = errors.New("qemu: the guest reset the machine (a triple fault?)")
	default:
		err = fmt.Errorf("qemu: %w: %s", err, stderr.Bytes())
	}
	return stdout.Bytes(), err
}

// bochsConfig is for the Bochs of Debian. Its debugger is built in; the file
// "commands" lets it run. Sound, network and USB plugins are off since it
// aborts at start with them, and that line is the last: it crashes where the
// line comes first. The rfb display needs no screen.
const bochsConfig = `cpu: model=corei7_skylake_x, count=1, ips=50000000, reset_on_triple_fault=0, ignore_bad_msrs=1
memory: guest=64, host=64
romimage: file=rom.bin
vgaromimage: file=vgarom.bin
display_library: rfb, options="timeout=0"
config_interface: textconfig
clock: sync=none, time0=1
com1: enabled=1, mode=file, dev=com1.txt
log: log.txt
panic: action=fatal
error: action=report
info: action=report
debug: action=ignore
plugin_ctrl: sb16=0, es1370=0, ne2k=0, e1000=0, voodoo=0, usb_uhci=0, parallel=0, gameport=0, speaker=0, busmouse=0
`

// bochsCommand is Bochs about to start an image.
func bochsCommand(ctx context.Context, program, dir, config string, image []byte) (*exec.Cmd, error) {
	rom, err := romImage(image)
	if err != nil {
		return nil, err
	}
	for name, data := range map[string][]byte{
		"rom.bin":    rom,
		"vgarom.bin": emptyROM(),
		"bochsrc":    []byte(config),
		"commands":   []byte("c\nq\n"),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			return nil, err
		}
	}
	cmd := exec.CommandContext(ctx, program, "-q", "-f", "bochsrc", "-rc", "commands")
	cmd.Dir = dir
	return cmd, nil
}

// bochsDisk is a line for a disk of 64 KiB in the first drive.
const bochsDisk = "ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14\n" +
	"ata0-master: type=disk, mode=flat, path=%s, cylinders=4, heads=2, spt=16\n"

func runBochs(ctx context.Context, program, dir string, image, disk []byte, keys string) ([]byte, error) {
	if keys != "" {
		return nil, errors.New("bochs: nobody can type")
	}
	file, err := writeDisk(dir, disk)
	if err != nil {
		return nil, err
	}
	config := bochsConfig
	if file != "" {
		config = fmt.Sprintf(bochsDisk, file) + config
	}
	cmd, err := bochsCommand(ctx, program, dir, config, image)
	if err != nil {
		return nil, err
	}
	out, runErr := cmd.CombinedOutput()
	serial, err := os.ReadFile(filepath.Join(dir, "com1.txt"))
	if err != nil {
		return nil, fmt.Errorf("bochs did not start: %v: %s", runErr, tail(out))
	}
	// "Shutdown" at port 0x8900 is how a guest ends Bochs; its exit status says
	// little, its log all.
	log, _ := os.ReadFile(filepath.Join(dir, "log.txt"))
	if !bytes.Contains(log, []byte("Shutdown port: shutdown requested")) {
		return serial, fmt.Errorf("bochs ended in another way than by the shutdown port: %s", tail(log))
	}
	return serial, nil
}

// tail keeps the end of a long output for an error message.
func tail(out []byte) []byte {
	return out[max(0, len(out)-1500):]
}

package peers

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/guest"
)

// buildX86emu makes the command.
func buildX86emu(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "x86emu")
	if runtime.GOOS == "windows" {
		program += ".exe"
	}
	out, err := exec.Command("go", "build", "-o", program, "x86emu/cmd/x86emu").CombinedOutput()
	require.NoError(t, err, "%s", out)
	return program
}

// multiboot32 is a multiboot image at 1 MiB with code.
func multiboot32(code string) []byte {
	var b []byte
	for _, v := range []uint32{0x1badb002, 1 << 16, 0xe4514ffe, 0x100000, 0x100000, 0, 0, 0x100020} {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return append(b, code...)
}

// pvh64 is an ELF64 file at 1 MiB with 32-bit code, and a note that has it entered by PVH.
func pvh64(code string) []byte {
	le := binary.LittleEndian
	const header, programs, base = 64, 2 * 56, 0x100000
	note := "\x04\x00\x00\x00\x04\x00\x00\x00\x12\x00\x00\x00Xen\x00\x00\x00\x10\x00"
	b := []byte("\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 9) + "\x02\x00\x3e\x00\x01\x00\x00\x00")
	for _, v := range []uint64{base, header, 0} { // entry, program headers, sections
		b = le.AppendUint64(b, v)
	}
	for _, v := range []uint16{0, 0, header, 56, 2, 0, 0, 0} { // flags, sizes and numbers
		b = le.AppendUint16(b, v)
	}
	at := uint64(header + programs)
	for _, p := range []struct {
		kind     uint32
		off, len uint64
	}{{1, at + uint64(len(note)), uint64(len(code))}, {4, at, uint64(len(note))}} {
		b = le.AppendUint32(le.AppendUint32(b, p.kind), 7)
		for _, v := range []uint64{p.off, base, base, p.len, p.len, 4} {
			b = le.AppendUint64(b, v)
		}
	}
	return append(b, note+code...)
}

// dropIn is a command line that both are to understand alike. In it "kernel" is
// the name of the image, and "out" a file that the guest's output goes to.
type dropIn struct {
	name   string
	kernel string // a built-in one, or
	code   string // code of 32 bits, or
	pvh    string // the same in an ELF64 file, entered by PVH, or
	boot   string // code of 16 bits in a boot sector, before a sector of "*"
	line   string

	firmware bool // QEMU's firmware is heard first
}

const (
	testLine = "-kernel kernel -display none -serial stdio -no-reboot -device isa-debug-exit,iobase=0xf4,iosize=0x04"
	diskLine = " -snapshot -display none -serial stdio -no-reboot -device isa-debug-exit,iobase=0xf4,iosize=0x04"
	exitCode = "\xb0\x2a\xe6\xf4" // 42
)

// findFile is code that looks through the directory of fw_cfg for a name that begins with "opt/",
// and sends that file: count, entries of 64 bytes to 0x200000, key and size of the one found.
const findFile = "\x66\xba\x10\x05\x66\xb8\x19\x00\x66\xef\x42\xb9\x04\x00\x00\x00\x31\xdb\xec\xc1\xe3\x08\x88\xc3" +
	"\xe2\xf8\xbf\x00\x00\x20\x00\xb9\x40\x00\x00\x00\xf3\x6c\x81\x3d\x08\x00\x20\x00\x6f\x70\x74\x2f" +
	"\x74\x05\x4b\x75\xe5\xeb\x20\x66\xa1\x04\x00\x20\x00\x86\xc4\x4a\x66\xef\x42\x8b\x0d\x00\x00\x20" +
	"\x00\x0f\xc9\x89\xd6\x89\xf2\xec\x66\xba\xf8\x03\xee\xe2\xf6"

// hasHPET is code that ends with 1 if an HPET has its capabilities where one is, else with 0.
const hasHPET = "\xa1\x00\x00\xd0\xfe\x3d\x01\xa2\x86\x80\x0f\x94\xc0\xe6\xf4"

// askBIOS is code of a boot sector that shows an A by INT 10h in mode 3, asks for it and sends it, reads the
// next sector by INT 13h and ends with its first byte.
const askBIOS = "\x31\xc0\x8e\xd8\x8e\xc0\x52\xb0\x03\xcd\x10\xb8\x41\x0e\xbb\x07\x00\xcd\x10\xb4\x02\x31\xd2\xcd\x10\xb4\x08\xcd\x10\xba\xf8\x03\xee\x5a\xb8\x01\x02\xbb\x00\x7e\xb9\x02\x00\xb6\x00\xcd\x13\x8a" +
	"\x07\xe6\xf4"

var dropIns = []dropIn{
	{name: "32 bits", kernel: "hello-32", line: testLine},
	{name: "64 bits", kernel: "hello-64", line: testLine},
	{name: "a double fault", kernel: "unmapped-handler-32", line: testLine},
	{name: "64-bit paging, the default model", kernel: "unmapped-handler-64", line: testLine},
	{name: "-nographic", kernel: "demand-paging-32", firmware: true, line: "-kernel kernel -nographic -no-reboot -m 64 -device isa-debug-exit,iobase=0xf4"},
	{name: "features that qemu64 lacks", kernel: "nx-smep-smap-64", line: testLine},
	{name: "features added to it", kernel: "nx-smep-smap-64", line: testLine + " -cpu qemu64,+smep,+smap,+umip"},
	{name: "features taken from max", kernel: "nx-smep-smap-64", line: testLine + " -cpu max,-smap"},
	{name: "no NX", kernel: "nx-smep-smap-32", line: testLine + " -cpu Haswell,-nx"},
	{name: "a 32-bit model has no long mode", kernel: "hello-64", line: testLine + " -cpu qemu32"},
	{name: "a file", kernel: "hello-32", line: "-kernel kernel -display none -serial file:out -device isa-debug-exit,iobase=0xf4"},
	{name: "a chardev with a copy", kernel: "hello-32", line: "-kernel kernel -display none -chardev stdio,id=c,logfile=out,signal=off -serial chardev:c -device isa-debug-exit,iobase=0xf4"},
	{name: "COM1 nowhere", kernel: "hello-32", line: "-kernel kernel -display none -device isa-debug-exit,iobase=0xf4"},
	{name: "two dashes", kernel: "hello-32", line: strings.ReplaceAll(testLine, " -", " --")},
	{name: "a Makefile's many options", kernel: "hello-32", line: testLine + " -m 256M -machine pc -accel tcg -name x -rtc base=utc -vga std -net none -monitor none -boot d -no-shutdown"},

	{name: "the value", code: exitCode, line: testLine},
	{name: "PVH: the command line, and the magic's first byte", line: testLine + " -append a=b,c",
		pvh: "\x8b\x73\x18" + "\xac\x84\xc0\x74\x07\x66\xba\xf8\x03\xee\xeb\xf4" + "\x8a\x03\xe6\xf4"},
	{name: "the default port", code: "\x66\xba\x01\x05" + "\xb0\x2a\xee", line: "-kernel kernel -display none -device isa-debug-exit"},
	{name: "a port in decimal", code: exitCode, line: "-kernel kernel -display none -device isa-debug-exit,iosize=1,iobase=244"},
	{name: "power off", code: "\x66\xba\x04\x06\x66\xb8\x00\x20\x66\xef", line: testLine},
	{name: "a pulse of the keyboard controller", code: "\xb0\xfe\xe6\x64\xf4", line: testLine},
	{name: "reset control", code: "\x66\xba\xf9\x0c\xb0\x06\xee\xf4", line: testLine},
	{name: "fast reset", code: "\xb0\x03\xe6\x92\xf4", line: testLine},
	{name: "a triple fault", code: "\x0f\x0b", line: testLine},
	{name: "a log of resets", code: "\x0f\x0b", firmware: true, line: testLine + " -d cpu_reset -D out"},
	{name: "the debug console", code: "\xb0h\xe6\xe9\xb0i\xe6\xe9" + exitCode, line: testLine + " -serial null -debugcon file:out"},
	{name: "another debug console", code: "\x66\xba\x03\x04\xb0h\xee" + exitCode,
		line: testLine + " -chardev file,id=d,path=out -device isa-debugcon,iobase=0x403,chardev=d"},

	{name: "a file of fw_cfg", code: findFile + exitCode, line: testLine + " -fw_cfg name=opt/test,string=one,,two"},

	{name: "an HPET", code: hasHPET, line: testLine},
	{name: "no HPET", code: hasHPET, line: testLine + " -no-hpet"},
	{name: "no HPET, as a property", code: hasHPET, line: testLine + " -machine pc,hpet=off"},

	{name: "a hard disk, by the BIOS", boot: askBIOS, line: "-hda kernel" + diskLine},
	{name: "a floppy disk, by the BIOS", boot: askBIOS, line: "-fda kernel" + diskLine},
	{name: "the drive that -boot names", boot: askBIOS, line: "-drive file=kernel,format=raw,if=floppy -hdb kernel -boot a" + diskLine},

	{name: "an unknown option", code: exitCode, line: testLine + " -frob"},
	{name: "an option without its value", code: exitCode, line: testLine + " -m"},
	{name: "no number", code: exitCode, line: testLine + " -m lots"},
	{name: "no kernel", code: exitCode, line: "-kernel missing -display none"},
	{name: "no such model", code: exitCode, line: testLine + " -cpu frob"},
	{name: "no such machine", code: exitCode, line: testLine + " -M frob"},
	{name: "no such log item", code: exitCode, line: testLine + " -d int,frob"},
	{name: "-append without -kernel", code: exitCode, line: "-append x -display none"},
	{name: "no such property", code: exitCode, line: "-kernel kernel -display none -device isa-debug-exit,frob=1"},
}

// outcome is what a script sees of a run.
type outcome struct {
	status      int
	stdout, out string
}

// TestDropIn runs the same command lines on QEMU and by "x86emu qemu": output
// and exit status are the same.
func TestDropIn(t *testing.T) {
	peer := All()[0]
	peer.require(t)
	theirs, _ := peer.Program()
	ours := buildX86emu(t)
	for _, c := range dropIns {
		t.Run(c.name, func(t *testing.T) {
			image := multiboot32(c.code)
			if c.pvh != "" {
				image = pvh64(c.pvh)
			}
			if c.boot != "" {
				image = []byte(c.boot + strings.Repeat("\x00", 510-len(c.boot)) + "\x55\xaa" + strings.Repeat("*", 512))
			}
			if c.kernel != "" {
				k, ok := guest.KernelNamed(c.kernel)
				require.True(t, ok)
				image = k.Image
			}
			run := func(command ...string) outcome {
				dir := t.TempDir()
				require.NoError(t, os.WriteFile(filepath.Join(dir, "kernel"), image, 0o600))
				ctx, cancel := context.WithTimeout(context.Background(), timeLimit)
				defer cancel()
				cmd := exec.CommandContext(ctx, command[0], append(command[1:], strings.Fields(c.line)...)...)
				cmd.Dir = dir
				stdout, err := cmd.Output()
				if !errors.As(err, new(*exec.ExitError)) {
					require.NoError(t, err)
				}
				file, _ := os.ReadFile(filepath.Join(dir, "out"))
				return outcome{cmd.ProcessState.ExitCode(), plain(stdout), plain(file)}
			}
			want, got := run(theirs), run(ours, "qemu")
			if want.status == 1 && strings.HasPrefix(want.stdout, "Log items") {
				want.stdout = "" // x86emu says it in its one line
			}
			if c.firmware {
				want.stdout = cutTo(t, want.stdout, got.stdout)
				want.out = cutTo(t, want.out, got.out)
			}
			assert.Equal(t, want, got)
		})
	}
}

// cutTo cuts what the firmware adds at the beginning; what is left has to be there.
func cutTo(t *testing.T, want, got string) string {
	require.Equal(t, want == "", got == "")
	require.True(t, strings.HasSuffix(want, got), "%s\n%s", want, got)
	return got
}

func plain(out []byte) string { return string(bytes.ReplaceAll(out, []byte("\r"), nil)) }

// TestMakefile runs a Makefile as hobby kernels have it, with QEMU set to x86emu.
func TestMakefile(t *testing.T) {
	makeProgram, err := exec.LookPath("make")
	if err != nil {
		if os.Getenv("X86EMU_PEERS") == "require" {
			t.Fatal("make is not installed, and X86EMU_PEERS=require")
		}
		t.Skip("make is not installed")
	}
	const makefile = `
KERNEL    = kernel.bin
QEMU      = qemu-system-i386
QEMUFLAGS = -m 128M -serial stdio -display none -no-reboot

run: $(KERNEL)
	$(QEMU) $(QEMUFLAGS) -kernel $<

log: $(KERNEL)
	$(QEMU) $(QEMUFLAGS) -d int,cpu_reset -D qemu.log -kernel $<

test: $(KERNEL)
	$(QEMU) $(QEMUFLAGS) -device isa-debug-exit,iobase=0xf4,iosize=0x04 -kernel $< > test.out; [ $$? -eq 33 ]
	grep -q '^hi$$' test.out
`
	dir := t.TempDir()
	write := func(name string, data []byte) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), data, 0o600))
	}
	write("Makefile", []byte(makefile))
	write("kernel.bin", multiboot32("\x66\xba\xf8\x03\xb0h\xee\xb0i\xee\xb0\x0a\xee"+"\xb0\x10\xe6\xf4"+"\x0f\x0b"))
	program := buildX86emu(t)
	run := func(target string) (string, error) {
		cmd := exec.Command(makeProgram, "-s", target, "QEMU="+program+" qemu")
		cmd.Dir = dir
		out, err := cmd.Output()
		return string(out), err
	}

	out, err := run("run") // without the exit port it ends by a triple fault
	assert.NoError(t, err)
	assert.Equal(t, "hi\n", out)

	_, err = run("log")
	assert.NoError(t, err)
	log, err := os.ReadFile(filepath.Join(dir, "qemu.log"))
	require.NoError(t, err)
	assert.Contains(t, string(log), "check_exception old: 0xffffffff new 0x6\n")

	_, err = run("test")
	assert.NoError(t, err)
}

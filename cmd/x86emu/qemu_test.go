package main

import (
	"bufio"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Code for 32-bit guests: port numbers above 0xFF, words.
const (
	hello32      = "\x66\xba\xf8\x03\xb0h\xee\xb0i\xee\xb0\x0a\xee" // "hi\n" on COM1
	helloE9      = "\xb0o\xe6\xe9\xb0k\xe6\xe9"                     // "ok" on the debug console
	exit501      = "\x66\xba\x01\x05\xb0\x05\xee"
	powerOff     = "\x66\xba\x04\x06\x66\xb8\x00\x20\x66\xef"
	pulseReset   = "\xb0\xfe\xe6\x64"
	showHi       = "\x66\xc7\x05\x00\x80\x0b\x00H\x07\x66\xc7\x05\x02\x80\x0b\x00i\x07" // MOV WORD [0xB8000]
	undefined    = "\x0f\x0b"
	divideByZero = "\x31\xc9\xf7\xf1" // DIV ECX
)

const debugExit = " -device isa-debug-exit,iobase=0xf4,iosize=0x04"

// Each end of a run has the status that QEMU has for it, or one of x86emu's own
// where QEMU would not end.
func TestQEMUStatus(t *testing.T) {
	const again = "QEMU would reset the machine and begin again"
	for _, c := range []struct {
		name   string
		code   string
		line   string
		status int
		stdout string
		stderr []string // what its lines contain
	}{
		{"0 of isa-debug-exit is 1", exit0, debugExit, 1, "", nil},
		{"5 of it is 11", exit5, debugExit, 11, "", nil},
		{"its default port is 0x501", exit501 + halt, " -device isa-debug-exit", 11, "", nil},
		{"without it the port is nobody's", exit5 + halt, "", 120, "", []string{"halted for good", "QEMU would go on for ever"}},
		{"power off", powerOff, "", 0, "", nil},
		{"power off and -no-shutdown", powerOff, " -no-shutdown", 0, "", []string{"turned the machine off"}},
		{"reset with -no-reboot", pulseReset, " -no-reboot", 0, "", []string{"reset at tick 2"}},
		{"reset", pulseReset, "", 126, "", []string{"reset at tick 2", again}},
		{"triple fault with -no-reboot", undefined, " -no-reboot", 0, "", []string{"shutdown", "#UD", "#GP", "#GP", "#DF", "#GP"}},
		{"triple fault", undefined, "", 126, "", []string{"shutdown", "#UD", "#GP", "#GP", "#DF", "#GP", again}},
		{"COM1 is standard output where QEMU has a window", hello32 + exit0, debugExit, 1, "hi\n", nil},
		{"and nowhere where it has none", hello32 + exit0, debugExit + " -display none", 1, "", nil},
		{"-nographic", hello32 + exit0, debugExit + " -nographic", 1, "hi\n", nil},
		{"-serial null", hello32 + exit0, debugExit + " -serial null", 1, "", nil},
		{"-debugcon", hello32 + helloE9 + exit0, debugExit + " -serial none -debugcon stdio", 1, "ok", nil},
		{"port 0xE9 is nobody's without", helloE9 + exit0, debugExit, 1, "", nil},
		{"the screen at the end", showHi + exit0, debugExit, 1, "", []string{"the screen at the end:", "Hi"}},
		{"no screen", showHi + exit0, debugExit + " -display none", 1, "", nil},
		{"what is missing, in one line", exit0, debugExit + " -smp 2 -soundhw sb16 -cdrom x.iso", 1, "",
			[]string{"without processors beyond the first (-smp 2); sound (-soundhw sb16); the disk x.iso"}},
		{"taken ports", exit0, " -device isa-debug-exit,iobase=0x3f8", 1, "", []string{"ports 0x3f8-0x3f9 are taken"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			args := append([]string{"qemu", "-kernel", file(t, "kernel", multiboot(c.code))}, strings.Fields(c.line)...)
			status, out, errs := cli(t, "", args...)
			assert.Equal(t, c.status, status)
			assert.Equal(t, c.stdout, out)
			assertLines(t, c.stderr, errs)
		})
	}
}

func TestQEMUDisk(t *testing.T) {
	image := file(t, "disk", sector(hello+exit5)+strings.Repeat("\x00", 512))
	status, out, errs := cli(t, "", "qemu", "-hda", image, "-device", "isa-debug-exit,iobase=0xf4")
	assert.Equal(t, 11, status)
	assert.Equal(t, "hi\n", out)
	assert.Empty(t, errs)

	// DL >> 4 to the exit port: of the drive's number, 0 or 0x80.
	number := file(t, "number", sector("\x88\xd0\xc0\xe8\x04\xe6\xf4"))
	for option, want := range map[string]int{"-fda": 1, "-hda": 8*2 + 1} {
		status, _, _ := cli(t, "", "qemu", option, number, "-device", "isa-debug-exit,iobase=0xf4")
		assert.Equal(t, want, status, option)
	}

	// A file that does not end with a whole sector goes on with zeros. Read its second one to
	// 0x8000, and tell of two bytes.
	short := file(t, "short", sector("\xb8\x01\x02\xbb\x00\x80\xb9\x02\x00\xb6\x00\xcd\x13\xa0\x02\x80\x02\x06\x03\x80\xe6\xf4")+"abc")
	status, _, errs = cli(t, "", "qemu", short, "-device", "isa-debug-exit,iobase=0xf4")
	assert.Equal(t, int('c')*2+1, status, errs)

	status, _, errs = cli(t, "", "qemu", "-fda", file(t, "blank", strings.Repeat("\x00", 1024)))
	assert.Equal(t, 1, status)
	assert.Contains(t, errs, "the BIOS finds nothing to boot: no drive has a disk whose first sector ends in 0x55 0xAA")
	status, _, errs = cli(t, "", "qemu", "-fda", file(t, "unsigned", exit5+strings.Repeat("\x00", 1024)), "-no-fd-bootchk", "-device", "isa-debug-exit,iobase=0xf4")
	assert.Equal(t, 11, status, errs)

	status, _, errs = cli(t, "", "qemu", "-bios", short)
	assert.Equal(t, 1, status)
	assert.Contains(t, errs, "-bios: "+short+": firmware of 515 bytes: must be a multiple of 4K")
}

func TestQEMUFiles(t *testing.T) {
	kernel := file(t, "kernel", multiboot(hello32+divideByZero))
	dir := t.TempDir()
	name := func(n string) string { return filepath.Join(dir, n) }
	read := func(n string) string {
		b, err := os.ReadFile(name(n))
		require.NoError(t, err)
		return string(b)
	}
	status, out, _ := cli(t, "", "qemu", "-kernel", kernel, "-no-reboot", "-d", "int", "-D", name("log"),
		"-chardev", "stdio,id=c,logfile="+name("copy"), "-serial", "chardev:c")
	assert.Equal(t, 0, status)
	assert.Equal(t, "hi\n", out)
	assert.Equal(t, "hi\n", read("copy"))
	assert.True(t, strings.HasPrefix(read("log"), "check_exception old: 0xffffffff new 0x0\n"), read("log"))

	status, out, _ = cli(t, "", "qemu", "-kernel", kernel, "-no-reboot", "-serial", "file:"+name("serial"))
	assert.Equal(t, 0, status)
	assert.Empty(t, out)
	assert.Equal(t, "hi\n", read("serial"))

	status, _, errs := cli(t, "", "qemu", "-kernel", kernel, "-serial", "file:"+kernel)
	assert.Equal(t, 1, status)
	assert.Contains(t, errs, "would overwrite the image")
}

// Input of the serial port, the command line and the modules reach the guest.
func TestQEMUInput(t *testing.T) {
	// Waits for a byte on COM1 and ends with it.
	const echo = "\x66\xba\xfd\x03\xec\xa8\x01\x74\xfb\x66\xba\xf8\x03\xec\xe6\xf4"
	kernel := file(t, "kernel", multiboot(echo))
	status, _, _ := cli(t, "\x07", "qemu", "-kernel", kernel, "-serial", "mon:stdio", "-device", "isa-debug-exit,iobase=0xf4,iosize=4")
	assert.Equal(t, 15, status)

	// Ends with byte ECX of the command line, to which [EBX+16] points.
	const cmdline = "\x8b\x43\x10\x8a\x04\x08\xe6\xf4"
	mb := file(t, "k", multiboot("\xb9\x02\x00\x00\x00"+cmdline))
	t.Chdir(filepath.Dir(mb))
	status, _, _ = cli(t, "", "qemu", "-kernel", "k", "-append", "A", "-device", "isa-debug-exit,iobase=0xf4,iosize=4")
	assert.Equal(t, 131, status, `A*2+1: the command line is "k A"`)
}

// With -S the guest stands until a debugger continues it; a log goes on beside it.
func TestQEMUDebugger(t *testing.T) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := free.Addr().String()
	require.NoError(t, free.Close())
	log := filepath.Join(t.TempDir(), "log")
	ended := make(chan int, 1)
	kernel := file(t, "kernel", multiboot(exit5))
	go func() {
		status, _, _ := cli(t, "", "qemu", "-kernel", kernel, "-S", "-gdb", "tcp:"+address, "-d", "exec", "-D", log,
			"-device", "isa-debug-exit,iobase=0xf4")
		ended <- status
	}()
	var c net.Conn
	require.Eventually(t, func() bool {
		c, err = net.Dial("tcp", address)
		return err == nil
	}, 10*time.Second, 10*time.Millisecond)
	defer c.Close()
	require.NoError(t, c.SetDeadline(time.Now().Add(10*time.Second)))
	answers := bufio.NewReader(c)
	for _, want := range []string{"T09", "W0b"} { // the end of the run is a stop first
		_, err = c.Write([]byte("$c#63"))
		require.NoError(t, err)
		answer := "O"
		for answer[0] == 'O' { // text for the console
			_, err = answers.ReadString('$')
			require.NoError(t, err)
			answer, err = answers.ReadString('#')
			require.NoError(t, err)
		}
		assert.True(t, strings.HasPrefix(answer, want), answer)
		_, err = c.Write([]byte("+"))
		require.NoError(t, err)
	}
	assert.Equal(t, 11, <-ended)
	text, err := os.ReadFile(log)
	require.NoError(t, err)
	assert.Contains(t, string(text), "Trace 0: ")
}

func TestQEMUErrorsAreOneLine(t *testing.T) {
	good := file(t, "good", multiboot(exit0))
	for _, args := range [][]string{
		{"-frob"},
		{"-kernel"},
		{},
		{"-kernel", filepath.Join(t.TempDir(), "none")},
		{"-kernel", file(t, "text", "hello")},
		{"-kernel", good, "-initrd", "none"},
		{"-kernel", good, "-serial", "file:" + filepath.Join(t.TempDir(), "a", "b")},
		{"-kernel", good, "-D", filepath.Join(t.TempDir(), "a", "b"), "-d", "int"},
		{"-kernel", "no\nsuch"},
		{"-hda", "none"},
		{"-hda", t.TempDir()},
	} {
		status, out, errs := cli(t, "", append([]string{"qemu"}, args...)...)
		assert.Equal(t, statusQEMUError, status, args)
		assert.Empty(t, out)
		lines := strings.SplitAfter(errs, "\n")
		require.Len(t, lines, 2+strings.Count(errs, "the guest runs without"), "%q: %s", args, errs)
		assert.True(t, strings.HasPrefix(lines[0], "x86emu qemu: "), errs)
	}
}

func TestQEMUSays(t *testing.T) {
	for option, want := range map[string]string{
		"-help": "Exit status", "--version": "QEMU 7.2", "-h": "-kernel FILE",
	} {
		status, out, _ := cli(t, "", "qemu", option)
		assert.Equal(t, 0, status)
		assert.Contains(t, out, want)
	}
}

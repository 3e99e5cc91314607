package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/pprof/profile"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/guest"
	"x86emu/machine"
)

// cli runs the command line in this process.
func cli(t *testing.T, stdin string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	status = execute(args, strings.NewReader(stdin), &out, &errs)
	return status, out.String(), errs.String()
}

// file writes a file into the test's folder and returns its path.
func file(t *testing.T, name, data string) string {
	t.Helper()
	p := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(p, []byte(data), 0o600))
	return p
}

// assertLines checks what each line of a text contains, and how many there are.
func assertLines(t *testing.T, want []string, text string) {
	t.Helper()
	lines := strings.SplitAfter(text, "\n")
	require.Equal(t, len(want), len(lines)-1, text)
	for i, w := range want {
		assert.Contains(t, lines[i], w)
	}
}

// sector is a boot sector with code.
func sector(code string) string {
	return code + strings.Repeat("\x00", 510-len(code)) + "\x55\xaa"
}

// multiboot is a multiboot image at 1 MiB with code.
func multiboot(code string) string {
	var b []byte
	for _, v := range []uint32{0x1badb002, 1 << 16, 0xe4514ffe, 0x100000, 0x100000, 0, 0, 0x100020} {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return string(b) + code
}

const (
	exit0    = "\xb0\x00\xe6\xf4"
	exit5    = "\xb0\x05\xe6\xf4"
	forever  = "\xeb\xfe"
	hello    = "\xba\xf8\x03\xb0h\xee\xb0i\xee\xb0\x0a\xee" // prints "hi\n" on COM1 (16-bit)
	halt     = "\xfa\xf4"
	shutdown = "\x0f\x0b" // #UD: with an empty IDT
)

func TestRunStatus(t *testing.T) {
	for _, c := range []struct {
		name   string
		image  string
		args   []string
		status int
		stdout string
		stderr []string // what its lines contain
	}{
		{"exit 0", sector(exit0), nil, 0, "", nil},
		{"exit 5", sector(exit5), nil, 11, "", nil},
		{"output", sector(hello + exit0), nil, 0, "hi\n", nil},
		{"no output", sector(hello + exit0), []string{"--serial", "null"}, 0, "", nil},
		{"halted", sector(halt), []string{"--board", "bare"}, 120, "", []string{"halted for good at tick 2"}},
		{"budget", sector(forever), []string{"--board", "bare", "--budget", "1000"}, 124, "", []string{"budget spent at tick 1000"}},
		{"budget 0", sector(forever), []string{"--board", "bare", "--budget=0"}, 124, "", []string{"budget spent at tick 0"}},
		{"shutdown", multiboot(shutdown), nil, 126, "", []string{"shutdown at tick 0", "1. #UD (vector 6)", "2. #GP (vector 13), error code 0x33 (gate #UD of the IDT, EXT)", "3. #GP (vector 13), error code 0x6b", "4. #DF (vector 8), error code 0x0", "5. #GP (vector 13), error code 0x43"}},
		{"no TLB", sector(hello + exit0), []string{"--tlb", "off"}, 0, "hi\n", nil},
		{"386", sector(hello + exit0), []string{"--cpu=386"}, 0, "hi\n", nil},
		{"flat binary", exit0, []string{"--load-addr", "0x200000", "--mode", "64", "--cpl", "3"}, 0, "", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, out, errs := cli(t, "", append([]string{"run", file(t, "image", c.image)}, c.args...)...)
			assert.Equal(t, c.status, status)
			assert.Equal(t, c.stdout, out)
			assertLines(t, c.stderr, errs)
		})
	}
}

// Whatever is wrong with the command line or the image: status 2 and exactly
// one line.
func TestErrorsAreOneLine(t *testing.T) {
	elf := "\x7fELF\x01\x01\x01"
	good := file(t, "good", sector(exit0))
	mb := file(t, "mb", multiboot(exit0))
	dir := t.TempDir()
	for _, c := range []struct {
		name string
		args []string
		want string
	}{
		{"unknown command", []string{"frobnicate"}, `unknown command "frobnicate"`},
		{"unknown flag", []string{"run", good, "--frob"}, "unknown flag: --frob"},
		{"unknown short flag", []string{"run", good, "-z"}, "unknown shorthand flag: 'z'"},
		{"no image", []string{"run"}, "run needs an IMAGE"},
		{"two images", []string{"run", good, good}, "run needs an IMAGE"},
		{"missing file", []string{"run", filepath.Join(dir, "no such")}, "no such file"},
		{"missing file with a newline in its name", []string{"run", "no\nsuch"}, `no\nsuch`},
		{"a folder", []string{"run", dir}, "directory"},
		{"empty file", []string{"run", file(t, "empty", "")}, "empty"},
		{"unknown format", []string{"run", file(t, "text", "hello")}, "unknown image format"},
		{"unknown board", []string{"run", good, "--board", "mac"}, `--board "mac": must be pc or bare`},
		{"truncated ELF", []string{"run", file(t, "elf", elf)}, "truncated ELF"},
		{"too large for RAM", []string{"run", file(t, "big", strings.Repeat("x", 2<<20)), "-m", "1", "--load-addr", "0x100000"}, "more than the 1 MiB of RAM"},
		{"memory without number", []string{"run", good, "-m", "lots"}, "number of MiB"},
		{"memory zero", []string{"run", good, "-m", "0"}, "number of MiB"},
		{"memory too much", []string{"run", good, "-m", "1000G"}, "from 1M to 3072M"},
		{"memory overflows", []string{"run", good, "-m", "99999999999999999999"}, "number of MiB"},
		{"memory too little", []string{"run", good, "-m", "4K"}, "from 1M to 3072M"},
		{"memory negative", []string{"run", good, "-m", "-1"}, "from 1M to 3072M"},
		{"memory empty", []string{"run", good, "-m", ""}, "from 1M to 3072M"},
		{"memory not in pages", []string{"run", good, "-m", "1025K"}, "RAM must be"},
		{"unknown CPU", []string{"run", good, "--cpu", "8086"}, `unknown CPU model "8086"`},
		{"TLB", []string{"run", good, "--tlb", "maybe"}, "on or off"},
		{"budget", []string{"run", good, "--budget", "-1"}, `--budget "-1": must be a whole number`},
		{"budget in words", []string{"run", good, "--budget", "some"}, "must be a whole number"},
		{"count", []string{"trace", good, "--count", "1.5"}, "must be a whole number"},
		{"flag without value", []string{"run", good, "--cpu"}, "--cpu"},
		{"flag without value, short", []string{"run", good, "-m"}, "needs an argument"},
		{"mode too large for a byte", []string{"run", good, "--load-addr", "0", "--mode", "272"}, "must be one of"},
		{"negative CPL", []string{"run", good, "--load-addr", "0", "--cpl", "-1"}, "must be one of"},
		{"negative address", []string{"run", good, "--load-addr", "-1"}, "such as 0x100000"},
		{"address of 65 bits", []string{"run", good, "--load-addr", "0x10000000000000000"}, "such as 0x100000"},
		{"address above 4 GiB", []string{"run", good, "--load-addr", "0x100000000"}, "below 0x100000000"},
		{"address in real mode", []string{"run", good, "--load-addr", "0x100000", "--mode", "16"}, "below 0x100000"},
		{"empty device", []string{"run", "/dev/null"}, "empty"},
		{"name with an invalid byte", []string{"run", "no\xff"}, `no\xff`},
		{"empty name", []string{"run", ""}, "no such file"},
		{"module list without name", []string{"run", mb, "--initrd", ","}, "module"},
		{"a folder as module", []string{"run", mb, "--initrd", dir}, "directory"},
		{"a folder as serial file", []string{"run", good, "--serial", dir}, "--serial"},
		{"the image as serial file", []string{"run", good, "--serial", good}, "overwrite the image"},
		{"no name of a serial file", []string{"run", good, "--serial", ""}, "--serial"},
		{"debug console into nowhere", []string{"run", good, "--debugcon", filepath.Join(dir, "a", "b")}, "--debugcon"},
		{"trace into nowhere", []string{"trace", good, "--output", filepath.Join(dir, "a", "b")}, "--output"},
		{"trace into the image", []string{"trace", good, "--output", good}, "overwrite the image"},
		{"explain a vector there is none of", []string{"explain", good, "--vector", "PX"}, "must be an exception such as PF"},
		{"explain a vector too large", []string{"explain", good, "--vector", "256"}, "0 to 255"},
		{"explain nothing", []string{"explain", good}, "nothing to explain"},
		{"explain from a tick that does not come", []string{"explain", mb, "--at", "1000000"}, "nothing to explain"},
		{"explain with symbols of no ELF file", []string{"explain", good, "--symbols", good}, "not an ELF file"},
		{"explain with symbols of no file", []string{"explain", good, "--symbols", filepath.Join(dir, "none")}, "--symbols"},
		{"explain into the image", []string{"explain", good, "--output", good}, "overwrite the image"},
		{"trace kind empty", []string{"trace", good, "--kind", ""}, `kind ""`},
		{"trace range of words", []string{"trace", good, "--range", "a-b"}, `--range: address "a"`},
		{"help of no command", []string{"help", "frobnicate"}, "no such command"},
		{"two guests", []string{"guests", "a", "b"}, "one NAME"},
		{"dis of two files", []string{"dis", good, good}, "one IMAGE"},
		{"dis of half a byte", []string{"dis", "909"}, "no bytes in hexadecimal"},
		{"dis of a truncated ELF", []string{"dis", file(t, "elf", elf)}, "truncated ELF"},
		{"walk beyond 32 bits", []string{"walk", good, "0x100000000"}, "has 32 bits"},
		{"walk of 65 bits", []string{"walk", good, "0x10000000000000000"}, "such as 0x100000"},
		{"mode without address", []string{"run", good, "--mode", "64"}, "--load-addr"},
		{"mode", []string{"run", good, "--load-addr", "0", "--mode", "8"}, `--mode "8": must be one of 16, 32, 64`},
		{"CPL", []string{"run", good, "--load-addr", "0", "--cpl", "4"}, `--cpl "4": must be one of 0, 1, 2, 3`},
		{"address", []string{"run", good, "--load-addr", "here"}, "such as 0x100000"},
		{"missing module", []string{"run", mb, "--initrd", filepath.Join(dir, "mod") + " args"}, "no such file"},
		{"module for a boot sector", []string{"run", good, "--initrd", good}, "multiboot"},
		{"command line for a boot sector", []string{"run", good, "--append", "x"}, "multiboot"},
		{"serial into nowhere", []string{"run", good, "--serial", filepath.Join(dir, "a", "b")}, "--serial"},
		{"64-bit on a 486", []string{"run", good, "--cpu", "486", "--load-addr", "0", "--mode", "64"}, "long mode"},
		{"trace kind", []string{"trace", good, "--kind", "everything"}, `kind "everything"`},
		{"trace range", []string{"trace", good, "--range", "5"}, "FIRST-LAST"},
		{"trace range backwards", []string{"trace", good, "--range", "5-4"}, "ends before"},
		{"trace syntax", []string{"trace", good, "--syntax", "plan9"}, "intel or gnu"},
		{"trace from nothing", []string{"trace", "--from", filepath.Join(dir, "missing")}, "no such file"},
		{"trace from an image", []string{"trace", "--from", good}, "not a trace"},
		{"trace from a file and an image", []string{"trace", "--from", good, good}, "--from needs no IMAGE"},
		{"trace kept as lines", []string{"trace", good, "--out", filepath.Join(dir, "x"), "--json"}, "without --json"},
		{"trace in no layout", []string{"trace", good, "--layout", "bochs"}, "must be qemu-int, qemu-exec"},
		{"trace in QEMU's layout as JSON", []string{"trace", good, "--layout", "qemu-int", "--json"}, "without --json"},
		{"time line as lines", []string{"trace", good, "--perfetto", filepath.Join(dir, "x"), "--kind", "inst"}, "without --kind"},
		{"stats without an image", []string{"stats"}, "stats needs an IMAGE"},
		{"stats of too many rows", []string{"stats", good, "--top", "1048577"}, "at most 1048576"},
		{"profile of no period", []string{"run", good, "--profile", filepath.Join(dir, "x"), "--profile-period", "0"}, "must be 1 or more"},
		{"profile of other stacks", []string{"run", good, "--profile", filepath.Join(dir, "x"), "--profile-stacks", "dwarf"}, "must be calls or leaf"},
		{"period without a profile", []string{"stats", good, "--profile-period", "5"}, "needs --profile"},
		{"profile and stale entries", []string{"run", good, "--profile", filepath.Join(dir, "x"), "--report-stale-tlb"}, "neither"},
		{"profile into the image", []string{"run", good, "--profile", good}, "overwrite the image"},
		{"trace diff of one", []string{"trace", "diff", good}, "a file A and a file B"},
		{"trace diff of images", []string{"trace", "diff", good, good}, "not a trace"},
		{"trace diff with too much around", []string{"trace", "diff", good, good, "--context", "10001"}, "at most 10000"},
		{"dis without code", []string{"dis"}, "dis needs"},
		{"dis of neither", []string{"dis", "xyz"}, "no such file"},
		{"dis mode", []string{"dis", "--mode", "31", "90"}, "16, 32, 64"},
		{"dis outside", []string{"dis", "--start", "0x5", "90"}, "not in the code"},
		{"walk address", []string{"walk", good, "here"}, "such as 0x100000"},
		{"walk access", []string{"walk", good, "0", "--access", "execute"}, "read, write or fetch"},
		{"walk without address", []string{"walk", good}, "an IMAGE and an ADDR"},
		{"guests of no such name", []string{"guests", "nobody"}, "no built-in kernel"},
		{"source of which guest", []string{"guests", "--source"}, "needs the NAME"},
		{"gdb of nothing", []string{"gdb"}, "gdb needs an IMAGE"},
		{"gdb's commands and an image", []string{"gdb", "--init", good}, "takes no argument"},
		{"gdb at no port", []string{"gdb", good, "--listen", "here"}, `--listen: "here"`},
		{"gdb at half an address", []string{"run", good, "--gdb", "127.0.0.1:"}, `--gdb: "127.0.0.1:": must be HOST:PORT`},
		{"gdb with symbols of no file", []string{"gdb", good, "--symbols", filepath.Join(dir, "none")}, "--symbols"},
		{"stopped for nobody", []string{"run", good, "-S"}, "-S needs --gdb"},
		{"stale entries and gdb", []string{"run", good, "--report-stale-tlb", "--gdb", "0"}, "exclude each other"},
		{"new without a folder", []string{"new"}, "new needs a DIR"},
		{"new in a folder with something in it", []string{"new", filepath.Dir(good)}, "is not empty"},
		{"new in place of a file", []string{"new", good}, "not a directory"},
		{"new below a file", []string{"new", filepath.Join(good, "x")}, "not a directory"},
		{"new of no name", []string{"new", ""}, "no name of a folder"},
		{"new of 16 bits", []string{"new", filepath.Join(dir, "x"), "--bits", "16"}, `--bits "16": must be one of 32, 64`},
		{"version with arguments", []string{"version", "x"}, `"x"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, out, errs := cli(t, "", c.args...)
			assert.Equal(t, statusBadUsage, status)
			assert.Empty(t, out)
			assert.Contains(t, errs, c.want)
			assert.Equal(t, 1, strings.Count(errs, "\n"), errs)
			assert.True(t, strings.HasSuffix(errs, "\n"))
			assert.True(t, strings.HasPrefix(errs, "x86emu: "))
		})
	}
}

func TestSerialInput(t *testing.T) {
	const echo = "\xba\xfd\x03" + "\xec\xa8\x01\x74\xfb" + "\xba\xf8\x03\xec\xee\x3c\x2e" + "\xba\xfd\x03\x75\xef" + exit0
	status, out, _ := cli(t, "some words.", "run", file(t, "echo", sector(echo)))
	assert.Zero(t, status)
	assert.Equal(t, "some words.", out)
}

func TestSerialFile(t *testing.T) {
	to := filepath.Join(t.TempDir(), "serial, with a strange name")
	status, out, _ := cli(t, "", "run", file(t, "-image", sector(hello+exit0)), "--serial", to)
	assert.Zero(t, status)
	assert.Empty(t, out)
	got, err := os.ReadFile(to)
	require.NoError(t, err)
	assert.Equal(t, "hi\n", string(got))
}

// A wrong word on the command line costs nobody a file.
func TestFilesOutliveErrors(t *testing.T) {
	out := file(t, "out", "precious")
	status, _, _ := cli(t, "", "run", file(t, "bad", "no image"), "--serial", out)
	assert.Equal(t, statusBadUsage, status)
	got, err := os.ReadFile(out)
	require.NoError(t, err)
	assert.Equal(t, "precious", string(got))
}

// Two flags may name one file: it holds the output of both.
func TestOneFileForTwo(t *testing.T) {
	to := file(t, "out", strings.Repeat("x", 1000))
	status, _, _ := cli(t, "", "run", file(t, "image", sector(hello+"\xb0H\xe6\xe9"+exit0)), "--serial", to, "--debugcon", to)
	assert.Zero(t, status)
	got, err := os.ReadFile(to)
	require.NoError(t, err)
	assert.Equal(t, "hi\nH", string(got))
}

func TestBuiltinKernels(t *testing.T) {
	_, list, _ := cli(t, "", "guests")
	for _, k := range guest.Kernels() {
		assert.Contains(t, list, k.Name)
		status, out, errs := cli(t, "", "run", k.Name)
		assert.Equal(t, machine.Result{Reason: k.End}.Status(), status, k.Name)
		assert.Equal(t, k.End == machine.Exited || k.End == machine.TurnedOff, errs == "", "another end is told: %s", errs)
		assert.Equal(t, k.Transcript, out)
		_, story, _ := cli(t, "", "guests", k.Name)
		assert.Contains(t, story, k.Source)
		_, source, _ := cli(t, "", "guests", k.Name, "--source")
		assert.Equal(t, k.Source+"\n", source)
	}
}

// asCommand is set where the test's own program is to be the command.
const asCommand = "X86EMU_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
	}
	os.Exit(m.Run())
}

// A new kernel builds and runs by its own Makefile.
func TestNew(t *testing.T) {
	for _, program := range []string{"make", "gcc", "ld"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not installed", program)
		}
	}
	self, err := os.Executable()
	require.NoError(t, err)
	for _, bits := range []string{"32", "64"} {
		dir := filepath.Join(t.TempDir(), "kernel")
		status, out, errs := cli(t, "", "new", dir, "--bits", bits)
		require.Zero(t, status, errs)
		assert.Contains(t, out, dir)
		run := exec.Command("make", "-s", "-C", dir, "run", "X86EMU="+self)
		run.Env = append(os.Environ(), "MAKEFLAGS=", asCommand+"=1")
		got, err := run.CombinedOutput()
		require.NoError(t, err, "%s", got)
		assert.Contains(t, string(got), "Hello from "+bits+" bits.\n")
	}
}

// A command line and modules reach a multiboot kernel: it prints its command
// line and the first module.
func TestAppendAndInitrd(t *testing.T) {
	// mov esi,[ebx+16]; call p; mov esi,[ebx+24]; mov esi,[esi]; call p; exit
	// p: lodsb; test al,al; jz r; mov dx,0x3f8; out dx,al; jmp p; r: mov al,10; mov dx,0x3f8; out dx,al; ret
	code := "\x8b\x73\x10\xe8\x0e\x00\x00\x00\x8b\x73\x18\x8b\x36\xe8\x04\x00\x00\x00" + "\xb0\x00\xe6\xf4" +
		"\xac\x84\xc0\x74\x07\x66\xba\xf8\x03\xee\xeb\xf4\xb0\x0a\x66\xba\xf8\x03\xee\xc3"
	image, mod := file(t, "kernel", multiboot(code)), file(t, "a module", "contents\x00")
	status, out, errs := cli(t, "", "run", image, "--append", "one two", "--initrd", mod+" with args,"+image)
	assert.Zero(t, status, errs)
	assert.Equal(t, image+" one two\ncontents\n", out)
}

func TestTrace(t *testing.T) {
	image := file(t, "image", sector(hello+exit0))
	status, out, _ := cli(t, "", "trace", image, "--board", "bare", "--kind", "all")
	assert.Zero(t, status)
	for _, want := range []string{
		"         0 inst     cs=0x0 rip=0x7c00 mov dx,0x3f8\n",
		" out      port=0x3f8 size=1 value=0x68\n",
		" out      port=0xf4 size=1 value=0x0\n",
	} {
		assert.Contains(t, out, want)
	}
	status, out, _ = cli(t, "", "trace", image, "--kind", "inst", "--count", "2", "--syntax", "gnu")
	assert.Zero(t, status)
	assert.Equal(t, 2, strings.Count(out, "\n"))
	assert.Contains(t, out, "mov $0x3f8,%dx")
	status, out, _ = cli(t, "", "trace", image, "--kind", "inst,io", "--range", "0x7c05-0x7c07")
	assert.Zero(t, status)
	assert.Equal(t, 3, strings.Count(out, "\n"), out) // out dx,al (twice); mov al,'i'

	to := filepath.Join(t.TempDir(), "lines")
	status, out, _ = cli(t, "", "trace", "unmapped-handler-32", "--kind", "all", "--json", "--output", to, "--range", "0x3c0000-0xffffffff")
	assert.Zero(t, status)
	assert.Empty(t, out)
	lines, err := os.ReadFile(to)
	require.NoError(t, err)
	kinds := map[string]int{}
	for line := range bytes.Lines(lines) {
		var v struct{ Kind string }
		require.NoError(t, json.Unmarshal(line, &v), string(line))
		kinds[v.Kind]++
	}
	for _, k := range []string{"inst", "read", "write", "walk", "event", "entered", "gate", "check", "stack", "push"} {
		assert.Positive(t, kinds[k], k)
	}
}

// What a file keeps of a run is printed again; the README's example of diff is
// what diff says.
func TestTraceFiles(t *testing.T) {
	dir := t.TempDir()
	with, without := filepath.Join(dir, "with"), filepath.Join(dir, "without")
	for to, tlb := range map[string]string{with: "on", without: "off"} {
		_, out, errs := cli(t, "", "trace", "missing-invlpg-32", "--kind", "inst,regs,event", "--out", to, "--tlb", tlb)
		assert.Empty(t, out+errs)
	}
	status, out, _ := cli(t, "", "trace", "diff", with, without, "--context", "2")
	assert.Equal(t, 1, status)
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	for line := range strings.Lines(out) {
		assert.Contains(t, string(readme), "    "+line)
	}
	status, out, _ = cli(t, "", "trace", "diff", with, with)
	assert.Zero(t, status)
	assert.Empty(t, out)

	_, live, _ := cli(t, "", "trace", "missing-invlpg-32", "--kind", "event")
	status, out, _ = cli(t, "", "trace", "--from", with, "--kind", "event")
	assert.Zero(t, status)
	assert.Equal(t, live, out)
	status, _, errs := cli(t, "", "trace", "--from", with, "--output", with)
	assert.Equal(t, statusBadUsage, status)
	assert.Contains(t, errs, "overwrite")

	data, err := os.ReadFile(with)
	require.NoError(t, err)
	status, _, errs = cli(t, "", "trace", "--from", file(t, "cut", string(data[:len(data)-3])))
	assert.Equal(t, statusBadUsage, status)
	assert.Regexp(t, `^x86emu: --from .*: the trace is truncated: its end is missing\n$`, errs)
}

func TestTraceLayouts(t *testing.T) {
	status, out, _ := cli(t, "", "trace", "user-mode-32", "--layout", "qemu-int,qemu-exec")
	assert.Zero(t, status)
	assert.Regexp(t, `(?m)^     0: v=80 e=0000 i=1 cpl=3 `, out)
	assert.Regexp(t, `(?m)^Trace 0: 0x10000c \[`, out)
}

// A guest that is counted, profiled and drawn ends as ever.
func TestStatsProfileTimeLine(t *testing.T) {
	dir := t.TempDir()
	status, out, errs := cli(t, "", "stats", "df-no-gate-32", "--profile", filepath.Join(dir, "a"))
	assert.Zero(t, status)
	assert.Contains(t, out, "#PF")
	assert.Contains(t, errs, "shutdown at tick")
	status, out, _ = cli(t, "", "stats", "hello-32", "--json", "--top", "2")
	assert.Zero(t, status)
	var report struct{ Forms []any }
	require.NoError(t, json.Unmarshal([]byte(out), &report))
	assert.Len(t, report.Forms, 2)

	for _, stacks := range []string{"calls", "leaf"} {
		name := filepath.Join(dir, stacks)
		status, out, _ = cli(t, "", "run", "hello-32", "--profile", name, "--profile-stacks", stacks, "--profile-period", "10")
		assert.Zero(t, status)
		k, _ := guest.KernelNamed("hello-32")
		assert.Equal(t, k.Transcript, out)
		data, err := os.ReadFile(name)
		require.NoError(t, err)
		_, err = profile.ParseData(data)
		assert.NoError(t, err)
	}

	line := filepath.Join(dir, "line")
	status, out, _ = cli(t, "", "trace", "df-no-gate-32", "--perfetto", line)
	assert.Equal(t, 126, status)
	assert.Empty(t, out)
	data, err := os.ReadFile(line)
	require.NoError(t, err)
	assert.True(t, json.Valid(data))
}

// The lines of a trace that the README shows are those that it has.
func TestReadmeTrace(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	_, out, _ := cli(t, "", "trace", "unmapped-handler-32", "--kind", "event,stage,walk")
	lines, shown := strings.Split(out, "\n"), 0
	for line := range strings.Lines(string(readme)) {
		if regexp.MustCompile(`^ {4}\d+ (?:walk|event|gate|check|stack|push|entered) +\S`).MatchString(line) {
			shown++
			assert.Contains(t, lines, strings.TrimSuffix(line, "\n"))
		}
	}
	assert.Positive(t, shown)
}

// The commands that a kernel's story ends with work, and show something.
func TestCommandsOfStories(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range guest.Kernels() {
		if seen[k.Source] {
			continue
		}
		seen[k.Source] = true
		commands := 0
		for line := range strings.Lines(k.Story) {
			args, ok := strings.CutPrefix(line, "  x86emu ")
			if !ok {
				continue
			}
			commands++
			words := regexp.MustCompile(`"[^"]*"|\S+`).FindAllString(args, -1)
			for i := range words {
				words[i] = strings.Trim(words[i], `"`)
			}
			kernel, ok := guest.KernelNamed(words[1])
			if !ok {
				continue // an experiment, which takes its time
			}
			t.Run(strings.TrimSpace(args), func(t *testing.T) {
				t.Parallel()
				status, out, errs := cli(t, "", words...)
				assert.NotEmpty(t, out, errs)
				if !slices.Contains(words, "--append") { // which may ask for another end
					assert.Contains(t, []int{0, machine.Result{Reason: kernel.End}.Status()}, status, errs)
				}
			})
		}
		assert.Positive(t, commands, "%s: no command to look with", k.Source)
	}
}

func TestTraceEndsAsRunDoes(t *testing.T) {
	status, out, errs := cli(t, "", "trace", file(t, "image", sector(forever)), "--budget", "10", "--kind", "inst")
	assert.Equal(t, 124, status)
	assert.Equal(t, 10, strings.Count(out, "\n"))
	assert.Contains(t, errs, "budget spent")
}

func TestDis(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"b8 01 00 00 00 c3"}, "       0:  b801000000                      mov eax,0x1\n       5:  c3                              ret\n"},
		{[]string{"--mode", "16", "b8", "01", "00"}, "       0:  b80100                          mov ax,0x1\n"},
		{[]string{"--mode", "64", "--syntax", "gnu", "4889e5"}, "       0:  4889e5                          mov %rsp,%rbp\n"},
		{[]string{"b801"}, "       0:  b801                            (cut)\n"},
		{[]string{"--count", "1", "9090"}, "       0:  90                              nop\n"},
		{[]string{"--mode", "64", "0690"}, "       0:  06                              (bad)\n       1:  90                              nop\n"},
		{[]string{file(t, "raw", "\x90")}, "       0:  90                              nop\n"},
		{[]string{file(t, "sector", sector(exit0)), "--count", "1"}, "    7c00:  b000                            mov al,0x0\n"},
		{[]string{file(t, "kernel", multiboot("\x90")), "--count", "1"}, "  100020:  90                              nop\n"},
	} {
		status, out, errs := cli(t, "", append([]string{"dis"}, c.args...)...)
		assert.Zero(t, status, errs)
		assert.Equal(t, c.want, out)
	}
}

func TestWalk(t *testing.T) {
	status, out, _ := cli(t, "", "walk", "unmapped-handler-64", "0x100000")
	assert.Zero(t, status)
	for _, want := range []string{"(exited)", "4-level paging", "PML4E", "PDPTE", "PDE", "physical 0x100000"} {
		assert.Contains(t, out, want)
	}
	_, out, _ = cli(t, "", "walk", "unmapped-handler-32", "0xdeadb000", "--user", "--access", "write", "--at", "100000")
	assert.Contains(t, out, "at tick 100000 (budget spent), CR3 0x")
	assert.Contains(t, out, "#PF: P=0, error code 0x6 (W U: user write, not present)")
	status, out, _ = cli(t, "", "walk", "unmapped-handler-64", "0x8000000000000000")
	assert.Zero(t, status)
	assert.Contains(t, out, "not canonical (bits 63 to 47 are not alike): #GP(0)")
}

func TestVersionAndHelp(t *testing.T) {
	_, out, _ := cli(t, "", "version")
	assert.True(t, strings.HasPrefix(out, "x86emu "))
	for _, c := range []string{"", "run", "trace", "explain", "trace diff", "stats", "dis", "walk", "pages", "pages diff", "idt", "gdt", "tss", "audit", "guests", "new", "experiment", "experiment by-accident", "version"} {
		status, out, errs := cli(t, "", append(strings.Fields(c), "--help")...)
		assert.Zero(t, status)
		assert.Empty(t, errs)
		if c != "version" {
			assert.Contains(t, out, "Examples:", c)
		}
	}
}

// signalled closes a channel at the first write.
type signalled chan struct{}

func (s signalled) Write(b []byte) (int, error) {
	close(s)
	return len(b), nil
}

func TestInterrupt(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a process cannot interrupt itself")
	}
	image, started, status := file(t, "image", sector(hello+forever)), make(signalled), make(chan int)
	go func() { status <- execute([]string{"run", image}, strings.NewReader(""), started, new(bytes.Buffer)) }()
	<-started
	self, err := os.FindProcess(os.Getpid())
	require.NoError(t, err)
	require.NoError(t, self.Signal(os.Interrupt))
	assert.Equal(t, 130, <-status)
}

func TestExplain(t *testing.T) {
	status, out, errs := cli(t, "", "explain", "unmapped-handler-32", "--last")
	assert.Equal(t, 0, status)
	assert.Empty(t, errs)
	for _, want := range []string{
		"tick 203342: #PF, page fault\n",
		"               PTE   [0x204004]     = 0x00000000  -  <- P=0\n",
		"  ... 251 more #PF, each 16 bytes lower ...\n",
		"#DF, double fault, for #PF was met while #PF was delivered\n",
	} {
		assert.Contains(t, out, want)
	}
	for _, args := range [][]string{{"--vector", "df"}, {"--vector", "#DF"}, {"--vector", "8"}, {"--at", "203400"}} {
		_, same, _ := cli(t, "", append([]string{"explain", "unmapped-handler-32"}, args...)...)
		assert.Equal(t, out, same, args)
	}

	status, out, _ = cli(t, "", "explain", "unmapped-handler-32", "--json", "--count", "2")
	assert.Equal(t, 0, status)
	lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	require.Len(t, lines, 2)
	for _, line := range lines {
		assert.True(t, json.Valid([]byte(line)))
	}

	// Broken line tables are told in one line, and the story goes without.
	elf, err := os.ReadFile("../../debug/testdata/symbols/average.elf")
	require.NoError(t, err)
	_, out, _ = cli(t, "", "explain", file(t, "whole", string(elf)))
	assert.Contains(t, out, "<average+0x11 (average.c:19)>")
	status, out, errs = cli(t, "", "explain", file(t, "broken", strings.Replace(string(elf), "\x01\x01\x01\xfb\x0e\x0d", "\x01\x01\x01\xfb\x00\x0d", 1)))
	assert.Equal(t, 0, status)
	assert.Contains(t, out, "<average+0x11>")
	assert.Equal(t, 1, strings.Count(errs, "x86emu: source lines: a line table is damaged\n"))

	status, _, errs = cli(t, "", "explain", "df-no-gate-32")
	assert.Equal(t, 0, status, "a story was told")
	assert.Contains(t, errs, "x86emu: shutdown at tick")
}

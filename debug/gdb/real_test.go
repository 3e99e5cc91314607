package gdb

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/guest"
	"x86emu/machine"
)

// These tests are gdb's own: each is a session of the real gdb with a stub of
// this package. Where gdb is not installed they are skipped; with
// X86EMU_PEERS=require, as in CI, that is a failure.

// typed is a command, and a regular expression that what gdb prints of it
// matches; "" is for anything.
type typed struct{ command, want string }

// realGDB runs gdb with commands; STUB in them is the server's address.
func realGDB(t *testing.T, s *stub, session []typed) {
	t.Helper()
	program, err := exec.LookPath("gdb")
	if err != nil {
		if os.Getenv("X86EMU_PEERS") == "require" {
			t.Fatal("gdb is not installed, and X86EMU_PEERS=require")
		}
		t.Skip("gdb is not installed")
	}
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "init.gdb"), []byte(Init), 0o666))
	args := []string{"-nx", "-batch", "-ex", "set pagination off", "-ex", "set width 0"}
	for i, c := range session {
		args = append(args, "-ex", fmt.Sprintf("echo \\n@%d@\\n", i), "-ex", strings.ReplaceAll(c.command, "STUB", s.addr))
	}
	args = append(args, "-ex", "echo \\n@end@\\n")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "LC_ALL=C", "HOME="+dir, "DEBUGINFOD_URLS=")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	require.NoError(t, cmd.Run(), "%s", &out)
	parts := regexp.MustCompile(`(?m)^@(?:\d+|end)@\n`).Split(out.String(), -1)
	require.Len(t, parts, len(session)+2, "%s", &out)
	for i, c := range session {
		if !regexp.MustCompile(`(?s)` + c.want).MatchString(parts[i+1]) {
			t.Errorf("%d. %s\nprints\n%swhich does not match %s", i, c.command, parts[i+1], c.want)
		}
	}
}

//go:embed testdata/modes.bin
var modes []byte

// modesMachine is a machine before testdata/modes.S, and what it sends.
func modesMachine(t *testing.T) (*machine.Machine, *bytes.Buffer) {
	sent := new(bytes.Buffer)
	m, err := machine.New(machine.Config{RAM: 16 << 20, Console: machine.NewOutput(sent)})
	require.NoError(t, err)
	image, err := guest.ParseFlat(modes, 0x7c00, guest.Mode16, 0)
	require.NoError(t, err)
	require.NoError(t, image.Load(m, guest.Options{}))
	return m, sent
}

// Places in testdata/modes.S.
const (
	segmented = 0x7c18
	inc16     = 0x7c1e
	handler   = 0x7c28
	inc32     = 0x7c51
	inc64     = 0xffffffff80007cc3
	store     = 0xffffffff80007cd1
)

// One connection, through real mode, a fault there, protected and long mode, forward
// and back, with breakpoints in all three that were set at the beginning.
func TestGDBThroughAllModes(t *testing.T) {
	m, sent := modesMachine(t)
	s := serve(t, m, Options{Wait: true})
	at := func(place uint64) string { return fmt.Sprintf("*%#x", place) }
	realGDB(t, s, []typed{
		{"source init.gdb", ""},
		{"target remote STUB", `set to "i8086"`},
		{"x/2i $pc", `=> 0x7c00:\s+cli.*xor +%ax,%ax`},
		{"break " + at(handler), "Breakpoint 1"},
		{"break " + at(inc32), "Breakpoint 2"},
		{"hbreak " + at(segmented), "breakpoint 3"},
		{"set architecture i386:x86-64", ""},
		{"break " + at(inc64), "Breakpoint 4 at 0xffffffff80007cc3"},
		{"set architecture i8086", ""},

		{"continue", `SIGTRAP`}, // CS has a base
		{"info registers eip cs cs_base pc_linear mode", `eip +0x18 .*cs +0x7c0 .*cs_base +0x7c00 .*pc_linear +0x7c18 .*mode +0x10 `},
		{"x/i $pc_linear", `mov +\$0x61,%al`},
		{"stepi", `0x0*1a in`}, {"stepi", `0x0*1c in`},
		{"continue", `Breakpoint 1, 0x0*7c28`}, // #UD, by the vectors
		{"x/3xh $sp_linear", `0x001c\s+0x07c0\s`},
		{"reverse-stepi", `0x0*1c in`}, {"reverse-stepi", `0x0*1a in`}, {"reverse-stepi", `SIGTRAP|0x0*18 in`},
		{"continue", `Breakpoint 1, 0x0*7c28`},
		{"stepi 3", `0x0*1e in`},
		{"x/i $pc_linear", `inc[wl]? +0x6000`},
		{"watch *(int*)0x6000", `watchpoint 5`},
		{"continue", `Hardware watchpoint 5.*Old value = 0.*New value = 1`},
		{"print $mode", "= 16"},

		{"continue", `set to "i386".*Breakpoint 2, 0x0*7c51`},
		{"x/i $pc", `=> 0x7c51:\s+incl +0x6000`},
		{"info registers cr0 eip esp ss_attr", `cr0 .*PE .*eip +0x7c51 .*esp +0x7000 .*DPL=0 P DB G`},
		{"continue", `Hardware watchpoint 5.*Old value = 1.*New value = 2`},
		{"continue", `set to "i386:x86-64".*0xffffffff80007cc3 in`},
		{"x/i $pc", `=> 0xffffffff80007cc3:\s+incl +0x6000`},
		{"info registers efer cr4 rbx", `efer .*LME LMA.*cr4 .*PAE.*rbx +0x1122334455667788`},
		{"delete 5", ""},
		{"rwatch *(char*)0x6008", `watchpoint 6`},
		{"awatch *(long*)0x6008", `watchpoint 7`},
		{"continue", `watchpoint 7.*0xffffffff80007cd9`},
		{"x/gx 0x6008", `0x1122334455667788`},
		{"reverse-stepi", `0xffffffff80007cd1`},
		{"x/gx 0x6008", `0x0000000000000000`},
		{"delete 7", ""},

		// back through the output, the modes and the fault
		{"reverse-continue", `Breakpoint 4, 0xffffffff80007cc3`},
		{"reverse-continue", `set to "i386".*Breakpoint 2, 0x0*7c51`},
		{"print *(int*)0x6000", "= 1"},
		{"reverse-continue", `set to "i8086".*Breakpoint 1, 0x0*7c28`},
		{"reverse-continue", `SIGTRAP.*0x0*18 in`},
		{"reverse-continue", `No more reverse-execution history.*0x0*7c00 in`},
		{"print $tick", "= 0"},
		{"delete", ""},
		{"continue", `the run is over, exit status 0.*SIGKILL`},
		{"info registers rip", `0xffffffff80007cdd`},
		{"stepi", `SIGKILL`},
		{"reverse-stepi", `0xffffffff80007cdb`},
		{"continue", `SIGKILL`},
		{"continue", `exited normally`},
	})
	assert.Equal(t, machine.Exited, s.end().Reason)
	assert.Equal(t, "ab", sent.String(), "what was sent once is not sent again")
}

// A fault's recursion, the double fault's task, and what the monitor tells of them,
// with the kernel's own file.
func TestGDBAcrossFaultsAndTasks(t *testing.T) {
	data, err := guest.Open("unmapped-handler-32")
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "kernel.elf")
	require.NoError(t, os.WriteFile(file, data, 0o666))
	s := serve(t, kernel(t, "unmapped-handler-32"), Options{Wait: true})
	realGDB(t, s, []typed{
		{"source init.gdb", ""},
		{"file " + file, ""},
		{"target remote STUB", ""},
		{"monitor help walk", `walk ADDR`},
		{"monitor break PF code=6/7", `1: #PF`},
		{"continue", `before #PF code=0x6 CR2=0x40001000 at 0x40000005.*SIGTRAP.*0x40000005`},
		{"x/i $pc", `movl +\$0x4d2,\(%ebx\)`},
		{"monitor snapshot fault", `fault is tick 203342`},
		{"stepi", `0xf8400000`},
		{"x/i $pc", `Cannot access memory`},
		{"x/6xw $esp", `0x00000006\s+0x40000005\s+0x0000001b`},
		{"monitor walk $pc fetch", `PDE .*P=0`},
		{"monitor story", `tick 203342: #PF, page fault`},
		{"monitor audit PF", `recursion, then #DF after 254 frames`},
		{"monitor break DF", `2: #DF`},
		{"stepi 3", `0xf8400000`},
		{"info registers esp", `0x3c1fb8`},
		{"continue", `then #DF`},
		{"info registers tr", `tr +0x28 `},
		{"stepi", `0x00100ce2`}, // a task switch
		{"info registers tr eflags", `tr +0x38 .*NT`},
		{"awatch *(int*)0x105428", ""}, // its stack
		{"stepi", `watchpoint`},
		{"reverse-stepi", `watchpoint.*0x00100ce2`},
		{"reverse-stepi", `0xf8400000`}, // back into the old one
		{"info registers tr esp", `tr +0x28 .*esp +0x3c1008`},
		{"delete", ""},
		{"fault-start", `tick 203342: the fault that began it.*0x40000005`},
		{"goto-tick 203600", `tick 203600`},
		{"restore-state fault", `tick 203342, as it was.*0x40000005`},
		{"monitor delete", ""},
		{"set var $ebx = 0x3000", ""},
		{"info registers ebx rbx", `ebx +0x3000 .*rbx +0x3000 `},
		{"set var $cr3 = 0", `cannot be written`},
		{"print $ecx", ""},
		{"reverse-stepi", `0x40000000`},
		{"x/i $pc", `mov +\$0x40001000,%ebx`},
		{"kill", "killed"},
	})
	assert.Equal(t, machine.Cancelled, s.end().Reason)
}

// Registers of all kinds and memory in 64-bit code; detaching and attaching again.
func TestGDBIn64Bits(t *testing.T) {
	// mov rax,cr4; or ah,2; mov cr4,rax; xor eax,eax; fninit; movaps xmm1,xmm0; fld1; fldpi
	// 0x1014: inc rax; 0x1017: mov [0x2000],rax; 0x101f: jmp 0x1014
	m := flat(t, 64, "\x0f\x20\xe0\x80\xcc\x02\x0f\x22\xe0\x31\xc0\xdb\xe3\x0f\x28\xc8\xd9\xe8\xd9\xeb"+
		"\x48\xff\xc0\x48\x89\x04\x25\x00\x20\x00\x00\xeb\xf3")
	s := serve(t, m, Options{Wait: true})
	realGDB(t, s, []typed{
		{"target remote STUB", ""},
		{"show architecture", `currently "i386:x86-64"`},
		{"set var $xmm0.v4_int32[1] = 0x12345678", ""},
		{"set var $r15 = 0xfedcba9876543210", ""},
		{"stepi 8", "0x0*1014"},
		{"print $xmm1.v4_int32[1] == 0x12345678", "= 1"},
		{"print $xmm1.v2_int64[0] == $xmm0.v2_int64[0]", "= 1"},
		{"print $st0", "= 3.14159"}, {"print $st1", "= 1"},
		{"info registers fctrl fstat ftag", `fctrl +0x[0-9a-f]+.*ftag`},
		{"info registers mxcsr", `IM DM ZM OM UM PM`},
		{"print/x $r15", "0xfedcba9876543210"},
		{"print/x $r15d", "0x76543210"},
		{"source init.gdb", ""},
		{"system-registers", `cr0 .*efer .*gdtr_base.*lstar`},
		{"info float", `Control Word`},
		{"info all-registers", `xmm15.*tick`},
		{"set var *(long*)0x3000 = 0x1122334455667788", ""},
		{"x/2xw 0x3000", `0x55667788\s+0x11223344`},
		{"find 0x3000, +64, 0x11223344", `0x3004`},
		{"info mem", `ram|rw`},
		{"maintenance packet Qqemu.PhyMemMode:1", `"OK"`},
		{"maintenance flush dcache", ""},
		{"x/xw 0x3000", `0x55667788`},
		{"watch *(long*)0x2000", ""},
		{"continue", `New value = 1`},
		{"maintenance packet Qqemu.PhyMemMode:0", `"OK"`},
		{"delete", ""},
		{"break *0x1014 if $rax == 1000", ""},
		{"continue", `Breakpoint`},
		{"print $rax", "= 1000"},
		{"tbreak *0x1017", ""},
		{"reverse-continue", `0x0*1017`},
		{"print $rax", "= 1000"},
		{"until *0x101f", `0x0*101f`},
		{"set $tick = 5", "cannot be written"},
		{"info threads", `CPL 0, 64-bit code`},
		{"detach", "detached"},
		{"shell sleep 0.3", ""},
		{"target remote STUB", `0x0*10[12]`}, // it ran on, and is stopped again
		{"print $rax > 1000", "= 1"},
		{"reverse-stepi", ""},
		{"disconnect", ""},
		{"target remote STUB", ""},
		{"kill", "killed"},
	})
	assert.Equal(t, machine.Cancelled, s.end().Reason)
}

// A triple fault stops in gdb with its story, and ends as that of run does.
func TestGDBAtBadEnds(t *testing.T) {
	s := serve(t, flat(t, 32, "\x90\x0f\x0b"), Options{Wait: true})
	realGDB(t, s, []typed{
		{"target remote STUB", ""},
		{"continue", `shutdown at tick.*#UD.*SIGSEGV`},
		{"reverse-stepi", `0x0*1001`},
		{"monitor story next", `shutdown`},
		{"reverse-stepi", `0x0*1000`},
		{"stepi", `0x0*1001`},
		{"stepi", `SIGSEGV`},
		{"continue", `exited with code 0176`},
	})
	assert.Equal(t, machine.Shutdown, s.end().Reason)
}

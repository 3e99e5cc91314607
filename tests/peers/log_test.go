package peers

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/debug/qemulog"
	"x86emu/guest"
	"x86emu/machine"
)

// TestQEMULayouts compares package qemulog's logs of a kernel with QEMU's own,
// field for field, from the kernel's first instruction on.
func TestQEMULayouts(t *testing.T) {
	for _, name := range []string{"user-mode-32", "user-mode-64", "unmapped-handler-32", "unmapped-handler-64", "df-no-gate-32", "df-no-gate-64", "task-gate-32"} {
		t.Run(name, func(t *testing.T) {
			kernel, ok := guest.KernelNamed(name)
			require.True(t, ok)
			theirs := qemuLog(t, kernel.Image, "-d", "int")
			ours := ourLog(t, kernel.Image, qemulog.Options{Int: true})
			want, got := events(theirs), events(ours)
			require.NotEmpty(t, got)
			require.GreaterOrEqual(t, len(want), len(got))
			want = want[len(want)-len(got):] // the firmware's come first
			for i := range got {
				require.Equal(t, want[i], got[i], "event %d", i)
			}
		})
	}
	for _, c := range []struct {
		name, kernel string
		single       bool
	}{
		{"blocks of 32-bit code", "user-mode-32", false},
		{"blocks of 64-bit code", "user-mode-64", false},
		{"single instructions", "hello-32", true},
		{"single-stepped code", "single-step-64", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			kernel, ok := guest.KernelNamed(c.kernel)
			require.True(t, ok)
			// Without the firmware's blocks, which are millions.
			more := []string{"-d", "exec,nochain", "-dfilter", "0x100000+0x100000"}
			if c.single {
				more = append(more, "-singlestep")
			}
			want := blocks(qemuLog(t, kernel.Image, more...))
			got := blocks(ourLog(t, kernel.Image, qemulog.Options{Exec: true, Single: c.single}))
			require.NotEmpty(t, got)
			assert.Len(t, got, len(want))
			for i := range min(len(got), len(want)) {
				require.Equal(t, want[i], got[i], "block %d", i)
			}
		})
	}
}

// qemuLog is the log that QEMU writes of a kernel.
func qemuLog(t *testing.T, image []byte, more ...string) string {
	t.Helper()
	qemu := All()[0]
	qemu.require(t)
	program, _ := qemu.Program()
	dir := t.TempDir()
	ctx, cancel := context.WithTimeout(context.Background(), timeLimit)
	defer cancel()
	file := filepath.Join(dir, "log")
	cmd, err := qemuCommand(ctx, program, dir, image, append(more, "-D", file)...)
	require.NoError(t, err)
	_ = cmd.Run() // the guest's exit code is not 0
	log, err := os.ReadFile(file)
	require.NoError(t, err)
	return string(log)
}

// ourLog is package qemulog's. The kernel is entered with the words that QEMU's
// loader leaves in two registers.
func ourLog(t *testing.T, image []byte, o qemulog.Options) string {
	t.Helper()
	m, err := machine.New(machine.Config{})
	require.NoError(t, err)
	img, err := guest.Parse(image)
	require.NoError(t, err)
	require.NoError(t, img.Load(m, guest.Options{}))
	s := m.CPU.State()
	s.GPR[5], s.GPR[7] = 0, 0x1000
	m.CPU.SetState(s)
	var log bytes.Buffer
	l := qemulog.Watch(m, &log, o)
	_, err = m.Run(context.Background(), machine.NoBudget)
	require.NoError(t, err)
	require.NoError(t, l.Close())
	return log.String()
}

var (
	eventLine = regexp.MustCompile(`^ *\d+: (v=.*)`)
	blockLine = regexp.MustCompile(`^Trace 0: \S+ (\[[0-9a-f]+/([0-9a-f]+).*)`)
	// lazyFlags are of QEMU's inside.
	lazyFlags = regexp.MustCompile(`^CC[SD]=`)
	// accessed is the accessed bit of a segment register's hidden part.
	accessed = regexp.MustCompile(`[0-9a-f](00 DPL=\d (?:CS\d\d|DS  |DS16) \[..)[A-]\]`)
	// system is a system segment's line: its base and limit are compared.
	system = regexp.MustCompile(`^((?:TR |LDT)=\S+ \S+ \S+) .*`)
	// null is a data segment's register with a null selector.
	null = regexp.MustCompile(`^(..) =000[0-3] .*`)
	// fast is what SYSENTER, SYSEXIT and SYSRET may have loaded: then the flags lack
	// the limit, and 64-bit code has D.
	fast = regexp.MustCompile(`^((?:CS|SS) =.* 00)[0-9a-f]{2}`)
	// resume is EFLAGS with RF, which QEMU does not keep.
	resume = regexp.MustCompile(`((?:RFL|EFL)=000)1`)
)

// events are a log's events, each with its lines; of what the peers differ in
// (guest/PEERS.md, diff/PEERS.md) the rest stays.
func events(log string) (all []string) {
	inEvent := false
	for line := range strings.Lines(log) {
		line = strings.TrimSuffix(line, "\n")
		if m := eventLine.FindStringSubmatch(line); m != nil {
			all, inEvent = append(all, m[1]), true
			continue
		}
		switch {
		case strings.HasPrefix(line, "check_exception"):
			all, inEvent = append(all, line), false
			continue
		case !inEvent || lazyFlags.MatchString(line):
			continue
		case strings.HasPrefix(line, "SMM"):
			inEvent = false
			continue
		}
		line = accessed.ReplaceAllString(line, "?$1?]")
		line = system.ReplaceAllString(line, "$1")
		line = null.ReplaceAllString(line, "$1 null")
		line = fast.ReplaceAllString(line, "${1}??")
		line = resume.ReplaceAllString(line, "${1}0")
		all[len(all)-1] += "\n" + line
	}
	return all
}

// blocks are a log's blocks. One that QEMU was kept from running is not one.
func blocks(log string) (all []string) {
	for line := range strings.Lines(log) {
		if m := blockLine.FindStringSubmatch(line); m != nil {
			if strings.HasPrefix(m[2], "00000000001") {
				all = append(all, m[1])
			}
		} else if strings.HasPrefix(line, "Stopped execution") && len(all) > 0 {
			all = all[:len(all)-1]
		}
	}
	return all
}

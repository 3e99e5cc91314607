package harness

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"

	"x86emu/diff"
)

// peer is an emulator that is started as a process.
type peer struct {
	name     string
	programs []string // any one of them
	program  string   // a path, if the user named one

	find    sync.Once
	path    string
	version string
	err     error
}

// Look finds the program and asks for its version.
func (p *peer) Look() error {
	p.find.Do(func() {
		programs := p.programs
		if p.program != "" {
			programs = []string{p.program}
		}
		for _, name := range programs {
			if path, err := exec.LookPath(name); err == nil {
				p.path = path
				break
			}
		}
		if p.path == "" {
			p.err = fmt.Errorf("no program %s in PATH", strings.Join(programs, " or "))
			return
		}
		out, _ := exec.Command(p.path, "--version").CombinedOutput()
		p.version = versionNumber.FindString(string(out))
	})
	return p.err
}

var versionNumber = regexp.MustCompile(`[0-9]+\.[0-9][0-9.]*[0-9]|[0-9]+\.[0-9]`)

// named is program and version for a report.
func (p *peer) named(more string) string {
	if err := p.Look(); err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%s %s (%s%s)", p.name, p.version, p.path, more)
}

// run starts the program, its standard output going to console. What it says on
// standard error is the error if it fails before anything has come.
func (p *peer) run(ctx context.Context, dir string, console io.Writer, args ...string) error {
	cmd := exec.CommandContext(ctx, p.path, args...)
	cmd.Dir = dir
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = console, &said
	err := cmd.Run()
	var status *exec.ExitError
	if err == nil || ctx.Err() != nil || errors.As(err, &status) && said.Len() == 0 {
		return nil // how a guest ends them shows in their status
	}
	line, _, _ := strings.Cut(strings.TrimSpace(said.String()), "\n")
	return fmt.Errorf("%w: %s", err, line)
}

type qemu struct{ peer }

// NewQEMU makes an engine of QEMU's TCG; program is its path, "" if it is to be
// found in PATH.
func NewQEMU(program string) Engine {
	return &qemu{peer{name: "qemu", programs: []string{"qemu-system-x86_64"}, program: program}}
}

// qemuCPU has Intel's vendor name, which decides what some instructions do, and
// the width of physical addresses of our model "max".
const qemuCPU = "max,vendor=GenuineIntel,phys-bits=40"

func (q *qemu) Name() string    { return q.name }
func (q *qemu) Version() string { return q.named(", TCG, -cpu " + qemuCPU) }
func (q *qemu) Close() error    { return nil }

func (q *qemu) Answers(c *diff.Case) diff.Fields {
	if c.Model != "max" {
		return 0
	}
	return diff.AllFields
}

// Boot puts image and table into memory, which QEMU does again after each reset,
// with a ROM of ours in place of firmware: a reset costs a millisecond.
func (q *qemu) Boot(ctx context.Context, table []byte, console io.Writer) error {
	dir, err := os.MkdirTemp("", "x86emu-qemu-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	f := Flatten()
	if err := errors.Join(
		os.WriteFile(filepath.Join(dir, "harness"), f.Bytes, 0o600),
		os.WriteFile(filepath.Join(dir, "table"), table, 0o600),
		os.WriteFile(filepath.Join(dir, "rom"), rom(table), 0o600),
	); err != nil {
		return err
	}
	load := "loader,force-raw=on,addr=%#x,file=%s"
	return q.run(ctx, dir, console, "-bios", "rom",
		"-device", fmt.Sprintf(load, f.Base, "harness"), "-device", fmt.Sprintf(load, f.End, "table"),
		"-accel", "tcg,thread=single", "-cpu", qemuCPU, "-m", "64",
		"-display", "none", "-nodefaults", "-debugcon", "stdio",
		"-device", "isa-debug-exit,iobase=0xf4,iosize=4")
}

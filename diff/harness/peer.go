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
		if p.path, p.err = p.search(); p.err != nil {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), bootTime)
		defer cancel()
		out, _ := exec.CommandContext(ctx, p.path, "--version").CombinedOutput()
		p.version = versionNumber.FindString(string(out))
	})
	return p.err
}

// search finds the program; its path is absolute, as it runs in a folder of its own.
func (p *peer) search() (string, error) {
	if p.program != "" {
		path, err := exec.LookPath(p.program)
		if err != nil {
			return "", fmt.Errorf("no program %s", p.program)
		}
		return filepath.Abs(path)
	}
	for _, name := range p.programs {
		if path, err := exec.LookPath(name); err == nil {
			return filepath.Abs(path)
		}
	}
	return "", fmt.Errorf("no program %s in PATH", strings.Join(p.programs, " or "))
}

var versionNumber = regexp.MustCompile(`[0-9]+\.[0-9][0-9.]*[0-9]|[0-9]+\.[0-9]`)

// named is program and version for a report.
func (p *peer) named(more string) string {
	if err := p.Look(); err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%s %s (%s%s)", p.name, p.version, p.path, more)
}

// run starts the program in a folder that has the files, its standard output going to
// console. What it says on standard error is the error if it fails before anything has come.
func (p *peer) run(ctx context.Context, files map[string][]byte, console io.Writer, args ...string) error {
	dir, err := os.MkdirTemp("", "x86emu-"+p.name+"-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			return err
		}
	}
	cmd := exec.CommandContext(ctx, p.path, args...)
	cmd.Dir = dir
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = console, &said
	err = cmd.Run()
	var status *exec.ExitError
	if err == nil || ctx.Err() != nil || errors.As(err, &status) && said.Len() == 0 {
		return nil // how a guest ends them shows in their status
	}
	line, _, _ := strings.Cut(strings.TrimSpace(said.String()), "\n")
	return fmt.Errorf("%w: %s", err, line)
}

package kvm

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"x86emu/diff"
	"x86emu/diff/harness"
)

// ramSize is what the image counts on: see package harness.
const ramSize = 64 << 20

type engine struct {
	processor string
	emulated  bool // by kvm_pvm
}

// New is the engine; Look says whether it can run here.
func New() harness.Engine {
	e := &engine{processor: "unknown processor"}
	text, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			e.processor = strings.TrimSpace(value)
			break
		}
	}
	_, err := os.Stat("/sys/module/kvm_pvm")
	e.emulated = err == nil
	return e
}

func (e *engine) Name() string { return "kvm" }
func (e *engine) Close() error { return nil }

func (e *engine) Version() string {
	if e.emulated {
		return "KVM by kvm_pvm (" + e.processor + " at CPL 3, KVM's own emulator elsewhere)"
	}
	return "KVM (" + e.processor + ")"
}

// Look opens /dev/kvm.
func (e *engine) Look() error {
	fd, err := open()
	if err == nil {
		unix.Close(fd)
	}
	return err
}

// open opens /dev/kvm and asks for its version.
func open() (int, error) {
	fd, err := unix.Open("/dev/kvm", unix.O_RDWR|unix.O_CLOEXEC, 0)
	switch {
	case errors.Is(err, unix.ENOENT):
		return -1, errors.New("this host has no /dev/kvm")
	case errors.Is(err, unix.EACCES):
		return -1, errors.New("/dev/kvm is not for this user: join the group kvm")
	case err != nil:
		return -1, fmt.Errorf("/dev/kvm: %w", err)
	}
	if version, err := ioctl(fd, getAPIVersion, 0); err != nil || version != 12 {
		unix.Close(fd)
		return -1, fmt.Errorf("/dev/kvm has version %d, not 12", version)
	}
	return fd, nil
}

// Answers: what the processor does not have keeps a case from beginning.
func (e *engine) Answers(c *diff.Case) diff.Fields {
	if c.Model != "max" {
		return 0
	}
	return diff.AllFields
}

// Boot makes a machine, and runs it until it ends.
func (e *engine) Boot(ctx context.Context, table []byte, console io.Writer) error {
	m, err := newMachine()
	if err != nil {
		return err
	}
	defer m.close()
	f := harness.Flatten()
	copy(m.ram[f.Base:], f.Bytes)
	out := harness.NewHost(m.ram, table, console)
	if err := m.enter(f.Entry, f.End, uint32(len(table))); err != nil {
		return err
	}
	return m.run(ctx, func(port uint16, data []byte) (end bool, err error) {
		switch port {
		case 0xe9:
			out.Write(data)
		case harness.BeginPort:
			return false, m.begin(binary.LittleEndian.Uint32(data))
		case 0xf4:
			return true, nil
		}
		return false, nil
	})
}

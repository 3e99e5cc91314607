package harness

import (
	"context"
	"fmt"
	"io"

	"x86emu/diff"
)

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
	f := Flatten()
	files := map[string][]byte{"harness": f.Bytes, "table": table, "rom": rom(table)}
	load := "loader,force-raw=on,addr=%#x,file=%s"
	return q.run(ctx, files, console, "-bios", "rom",
		"-device", fmt.Sprintf(load, f.Base, "harness"), "-device", fmt.Sprintf(load, f.End, "table"),
		"-accel", "tcg,thread=single", "-cpu", qemuCPU, "-m", "64",
		"-display", "none", "-nodefaults", "-debugcon", "stdio",
		"-device", "isa-debug-exit,iobase=0xf4,iosize=4")
}

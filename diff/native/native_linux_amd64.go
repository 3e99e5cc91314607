package native

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"

	"golang.org/x/sys/unix"

	"x86emu/diff"
)

// Oracle asks the processor of the host.
type Oracle struct {
	program *program
	file    *os.File // the memory that is shared with the helper
	mem     []byte
	world   *diff.World
	host    host

	// Lost counts the cases that ended the helper even when they were alone.
	Lost int
}

// New prepares the oracle and asks it one case to see that it works. An error
// is one line: what the host does not have, or its kernel does not allow.
func New() (diff.Oracle, error) {
	o := new(Oracle)
	if err := o.start(); err != nil {
		o.Close()
		return nil, fmt.Errorf("native: %w", err)
	}
	return o, nil
}

func (o *Oracle) start() (err error) {
	if o.host, err = readHost(); err != nil {
		return err
	}
	if o.world, err = diff.WorldByName("user"); err != nil {
		return err
	}
	if o.program, err = newProgram(); err != nil {
		return err
	}
	fd, err := unix.MemfdCreate("x86emu-cases", unix.MFD_CLOEXEC)
	if err != nil {
		return fmt.Errorf("memfd_create: %w", err)
	}
	o.file = os.NewFile(uintptr(fd), "x86emu-cases")
	if err := o.file.Truncate(sharedSize); err != nil {
		return err
	}
	if o.mem, err = unix.Mmap(fd, 0, sharedSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED); err != nil {
		return fmt.Errorf("mmap: %w", err)
	}
	o.putHeader()
	probe := &diff.Case{World: "user", Regs: o.world.Regs, Code: []byte{0x0f, 0x0b}} // UD2
	results := make([]diff.Result, 1)
	if err := o.Run(context.Background(), []*diff.Case{probe}, results); err != nil {
		return err
	}
	if r := &results[0]; r.End != diff.Trapped || r.Vector != 6 || r.Regs.RIP != probe.Regs.RIP {
		return fmt.Errorf("UD2 ended with %+v", *r)
	}
	return nil
}

// Name is "native".
func (o *Oracle) Name() string { return "native" }

// Version is the processor, and the kernel it was asked through.
func (o *Oracle) Version() string { return o.host.model + ", " + o.host.kernel }

// Answers knows the user world, and there everything.
func (o *Oracle) Answers(c *diff.Case) diff.Fields {
	if c.World != o.world.Name {
		return 0
	}
	return diff.AllFields &^ (diff.FieldSystem | diff.FieldTables)
}

// Run asks the cases, some thousand a start of the helper.
func (o *Oracle) Run(ctx context.Context, cases []*diff.Case, results []diff.Result) error {
	for len(cases) > 0 {
		n, err := o.some(ctx, cases, results)
		if err != nil {
			return fmt.Errorf("native: %w", err)
		}
		cases, results = cases[n:], results[n:]
	}
	return nil
}

// some answers the first n of the cases, at least one.
func (o *Oracle) some(ctx context.Context, cases []*diff.Case, results []diff.Result) (n int, err error) {
	n, asked := o.ask(cases, results)
	if len(asked) == 0 {
		return n, nil
	}
	if err := o.runHelper(ctx); err != nil {
		return 0, err
	}
	done := o.answers(asked, cases, results)
	switch {
	case done == len(asked):
		return n, nil
	case done > 0:
		// No room for more answers, or the next case ended the helper: it comes first in another start.
		return asked[done], nil
	case len(asked) > 1:
		// Alone, the case cannot be the victim of another one.
		return o.some(ctx, cases[:asked[0]+1], results)
	}
	o.Lost++
	results[asked[0]] = diff.Result{End: diff.Silent, Note: "the helper did not survive it"}
	return n, nil
}

// runHelper starts the helper and waits for its end. Whatever end it comes to
// once it is ready is the doing of a case.
func (o *Oracle) runHelper(ctx context.Context) error {
	err := o.program.command(ctx, o.file).Run()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err == nil || le.Uint64(o.mem[atReady:]) != 0:
		return nil
	case errors.As(err, &exit) && exit.ExitCode() > 0:
		return errors.New(refusal(exit.ExitCode()))
	}
	return err
}

// Close gives the shared memory and the program back.
func (o *Oracle) Close() error {
	var errs []error
	if o.mem != nil {
		errs = append(errs, unix.Munmap(o.mem))
		o.mem = nil
	}
	if o.file != nil {
		errs = append(errs, o.file.Close())
		o.file = nil
	}
	if o.program != nil {
		o.program.close()
		o.program = nil
	}
	return errors.Join(errs...)
}

package native

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"

	"golang.org/x/sys/unix"
)

//go:embed helper/helper
var image []byte

// program is the helper's image where it can be run.
type program struct {
	path string
	file *os.File // in memory, or nil
}

// newProgram puts the image into memory, or into a temporary file where the
// kernel runs none from memory.
func newProgram() (*program, error) {
	for _, put := range []func() (*program, error){inMemory, inFile} {
		p, err := put()
		if err != nil {
			continue
		}
		if p.runs() {
			return p, nil
		}
		p.close()
	}
	return nil, errors.New("the helper can be run neither from memory nor from " + os.TempDir())
}

func inMemory() (*program, error) {
	fd, err := unix.MemfdCreate("x86emu-helper", unix.MFD_CLOEXEC|unix.MFD_EXEC)
	if errors.Is(err, unix.EINVAL) { // a kernel before 6.3 does not know MFD_EXEC, nor that it is needed
		fd, err = unix.MemfdCreate("x86emu-helper", unix.MFD_CLOEXEC)
	}
	if err != nil {
		return nil, err
	}
	// Not /proc/self: in the helper's process another file may have the number.
	path := fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), fd)
	p := &program{path: path, file: os.NewFile(uintptr(fd), "x86emu-helper")}
	if _, err := p.file.Write(image); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

func inFile() (*program, error) {
	f, err := os.CreateTemp("", "x86emu-helper")
	if err != nil {
		return nil, err
	}
	p := &program{path: f.Name()}
	_, err = f.Write(image)
	if err := errors.Join(err, f.Chmod(0o700), f.Close()); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

// runs tells whether the kernel starts the program: with a file that cannot be mapped for
// its shared memory it gives up at its first step.
func (p *program) runs() bool {
	null, err := os.Open(os.DevNull)
	if err != nil {
		return false
	}
	defer null.Close()
	var status *exec.ExitError
	return errors.As(p.command(context.Background(), null).Run(), &status) && status.ExitCode() == stepShare
}

// command is the program to be started, with a file for its shared memory: the first behind the
// standard ones.
func (p *program) command(ctx context.Context, shared *os.File) *exec.Cmd {
	cmd := exec.CommandContext(ctx, p.path)
	cmd.ExtraFiles = []*os.File{shared}
	cmd.Env = []string{}
	return cmd
}

func (p *program) close() {
	if p.file != nil {
		p.file.Close()
		return
	}
	os.Remove(p.path)
}

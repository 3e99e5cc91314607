package native

import (
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
	for _, flags := range []int{unix.MFD_CLOEXEC | unix.MFD_EXEC, unix.MFD_CLOEXEC} {
		fd, err := unix.MemfdCreate("x86emu-helper", flags)
		if err != nil {
			continue
		}
		p := &program{path: fmt.Sprintf("/proc/self/fd/%d", fd), file: os.NewFile(uintptr(fd), "x86emu-helper")}
		if _, err := p.file.Write(image); err == nil && p.runs() {
			return p, nil
		}
		p.close()
	}
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
	if !p.runs() {
		p.close()
		return nil, errors.New("the helper can be run neither from memory nor from " + os.TempDir())
	}
	return p, nil
}

// runs tells whether the kernel starts the program: without a shared memory
// it gives up at its first step.
func (p *program) runs() bool {
	var status *exec.ExitError
	return errors.As(exec.Command(p.path).Run(), &status) && status.ExitCode() == stepShare
}

func (p *program) close() {
	if p.file != nil {
		p.file.Close()
		return
	}
	os.Remove(p.path)
}

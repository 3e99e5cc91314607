package main

import (
	"cmp"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"x86emu/machine"
)

// streams are the files and standard streams that the guest's devices use.
type streams struct {
	serial, serial2, console string
	stdout                   *machine.Output // shared
	files                    []*os.File
	keyboard                 *keyboard // with --keys live
	interactive              bool      // by default the guest has the terminal
}

// addFlags adds the flags to a command; serial is the default of COM1 and
// of the debug console.
func (s *streams) addFlags(cmd *cobra.Command, serial string) {
	s.interactive = serial == "stdio"
	cmd.Flags().StringVar(&s.serial, "serial", serial, "where COM1 goes: `stdio|null|FILE`")
	cmd.Flags().StringVar(&s.serial2, "serial2", "null", "where COM2 goes: `stdio|null|FILE`")
	cmd.Flags().StringVar(&s.console, "debugcon", serial, "where port 0xE9 goes: `stdio|null|FILE`")
}

// machine makes the board's machine with the image in it and these streams,
// ready to run. With --keys live the terminal is the keyboard, and no serial port receives anything.
func (s *streams) machine(cmd *cobra.Command, b *board, image string) (m *machine.Machine, err error) {
	if b.keys.live && s.interactive {
		if s.keyboard, err = openKeyboard(cmd); err != nil {
			return nil, err
		}
	}
	cfg, err := s.config(cmd)
	if err != nil {
		return nil, err
	}
	if s.keyboard != nil {
		cfg.Keys = machine.NewLiveKeys(s.keyboard)
	}
	if m, err = b.make(image, cfg); err != nil {
		return nil, err
	}
	if err := s.begin(append(b.drives.names[:], image)...); err != nil {
		return nil, err
	}
	if s.keyboard != nil {
		err = s.keyboard.begin(cmd)
	}
	return m, err
}

// config opens what the flags name. Standard input goes to the first serial port that is
// stdio; of a terminal the machine takes what comes, on all else it waits, so
// that the same input gives the same run.
func (s *streams) config(cmd *cobra.Command) (cfg machine.Config, err error) {
	if cfg.Serial, err = s.output(cmd, "serial", s.serial); err != nil {
		return cfg, err
	}
	if cfg.Serial2, err = s.output(cmd, "serial2", s.serial2); err != nil {
		return cfg, err
	}
	if cfg.Console, err = s.output(cmd, "debugcon", s.console); err != nil {
		return cfg, err
	}
	if s.keyboard == nil {
		listen(cmd, &cfg, s.serial == "stdio", s.serial2 == "stdio")
	}
	return cfg, nil
}

// listen gives standard input to the first serial port that wants it.
func listen(cmd *cobra.Command, cfg *machine.Config, com1, com2 bool) {
	switch {
	case com1:
		cfg.Input = input(cmd)
	case com2:
		cfg.Input2 = input(cmd)
	}
}

// input is standard input for a serial port.
func input(cmd *cobra.Command) *machine.Input {
	if f, ok := cmd.InOrStdin().(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			return machine.NewLiveInput(f)
		}
	}
	return machine.NewInput(cmd.InOrStdin())
}

// output opens the stream that a flag names; nil is nowhere.
func (s *streams) output(cmd *cobra.Command, flag, name string) (*machine.Output, error) {
	switch name {
	case "null":
		return nil, nil
	case "stdio":
		if s.stdout == nil {
			s.stdout = machine.NewOutput(s.keyboard.lines(cmd.OutOrStdout()))
		}
		return s.stdout, nil
	}
	w, err := s.create(cmd, flag, name)
	if err != nil {
		return nil, err
	}
	return machine.NewOutput(w), nil
}

// create opens the file that a flag names for writing, or gives standard
// output. What the file holds stays there until begin. A file that two flags
// name is opened once, so that neither overwrites the other.
func (s *streams) create(cmd *cobra.Command, flag, name string) (io.Writer, error) {
	if name == "stdio" {
		return s.keyboard.lines(cmd.OutOrStdout()), nil
	}
	return s.createFile(flag, name)
}

// createFile opens a file as create does.
func (s *streams) createFile(flag, name string) (io.Writer, error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o666)
	if err != nil {
		return nil, fmt.Errorf("--%s: %w", flag, err)
	}
	if old := s.opened(f); old != nil {
		return old, f.Close()
	}
	s.files = append(s.files, f)
	return f, nil
}

// opened finds the file among those that are open.
func (s *streams) opened(f *os.File) *os.File {
	info, err := f.Stat()
	if err != nil {
		return nil
	}
	for _, old := range s.files {
		if other, err := old.Stat(); err == nil && os.SameFile(info, other) {
			return old
		}
	}
	return nil
}

// begin empties the files, when all else is well and the run begins: a wrong
// word on the command line costs nobody a file. It refuses to empty an
// image, of a kernel or a disk.
func (s *streams) begin(images ...string) error {
	for _, image := range images {
		if err := s.spare(image); err != nil {
			return err
		}
	}
	return s.truncate()
}

// spare tells whether a file is none of those that will be emptied.
func (s *streams) spare(image string) error {
	f, err := os.Open(image)
	if err != nil {
		return nil // a built-in kernel, or no file
	}
	defer f.Close()
	if s.opened(f) != nil {
		return fmt.Errorf("%s: the output would overwrite the image", image)
	}
	return nil
}

// truncate empties the files.
func (s *streams) truncate() error {
	for _, f := range s.files {
		if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
			continue
		}
		if err := f.Truncate(0); err != nil {
			return err
		}
	}
	return nil
}

// close closes the files and gives the terminal back, once, and returns the first error.
func (s *streams) close() (err error) {
	err = s.keyboard.close()
	for _, f := range s.files {
		err = cmp.Or(err, f.Close())
	}
	s.files = nil
	return err
}

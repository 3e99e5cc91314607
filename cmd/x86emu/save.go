package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"x86emu/machine"
)

// saving is the flags by which a run is kept as a snapshot. The file is written
// beside its place and moved there when it is whole.
type saving struct {
	name string
	at   uint64
	atIt bool
	file *os.File
}

func (o *saving) addFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.name, "save", "", "write a snapshot to this `FILE` when the run ends")
	cmd.Flags().Uint64Var(&o.at, "at", 0, "with --save: end the run at this `tick`")
}

// open looks at the flags and opens the file, if there is to be one.
func (o *saving) open(cmd *cobra.Command) (err error) {
	o.atIt = cmd.Flags().Changed("at")
	switch {
	case o.name != "":
	case cmd.Flags().Changed("save"):
		return errors.New("--save needs the name of a file")
	case o.atIt:
		return errors.New("--at needs --save: it says when to write the snapshot")
	default:
		return nil
	}
	if err := o.mayReplace(); err != nil {
		return err
	}
	if o.file, err = os.CreateTemp(filepath.Dir(o.name), filepath.Base(o.name)+".*"); err != nil {
		return fmt.Errorf("--save: %w", err)
	}
	return nil
}

// mayReplace refuses to overwrite what is neither a snapshot nor empty.
func (o *saving) mayReplace() error {
	f, err := os.Open(o.name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return fmt.Errorf("--save: %w", err)
	}
	defer f.Close()
	begin, err := io.ReadAll(io.LimitReader(f, 16))
	if err != nil {
		return fmt.Errorf("--save: %w", err)
	}
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() || len(begin) > 0 && !machine.IsSnapshot(begin) {
		return fmt.Errorf("--save %s: the file is there and is no snapshot: it is not overwritten", o.name)
	}
	return nil
}

// write writes the snapshot and puts it into its place.
func (o *saving) write(m *machine.Machine) error {
	if o.file == nil {
		return nil
	}
	err := o.mayReplace()
	if err == nil {
		err = cmp.Or(m.Save(o.file), o.file.Close())
	}
	if err == nil {
		err = os.Rename(o.file.Name(), o.name)
	}
	if err != nil {
		return fmt.Errorf("--save: %w", err)
	}
	o.file = nil
	return nil
}

// close takes away what was not put into its place.
func (o *saving) close() {
	if o.file != nil {
		o.file.Close()
		os.Remove(o.file.Name())
	}
}

// reached tells whether the run has ended at --at. If the guest did before, it
// says so.
func (o *saving) reached(cmd *cobra.Command, r machine.Result) bool {
	if o.atIt && r.Ticks < o.at {
		fmt.Fprintf(cmd.ErrOrStderr(), "x86emu: the snapshot is of tick %d: the run ended before --at %d\n", r.Ticks, o.at)
	}
	return o.atIt && r.Ticks >= o.at && r.Reason == machine.Budget
}

// restore makes the machine of a snapshot.
func (b *board) restore(name string, data []byte, cfg machine.Config) (*machine.Machine, error) {
	for _, flag := range []string{"memory", "cpu", "tlb", "tick-rate", "rtc", "board", "bios", "fw-cfg", "append", "initrd", "load-addr", "mode", "cpl"} {
		if b.cmd.Flags().Changed(flag) {
			return nil, fmt.Errorf("%s is a snapshot: --%s is as it was saved", name, flag)
		}
	}
	m, err := machine.Restore(bytes.NewReader(data), cfg)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return m, b.checkKeys(m)
}

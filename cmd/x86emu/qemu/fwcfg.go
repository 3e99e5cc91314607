package qemu

import (
	"errors"
	"fmt"

	"x86emu/guest"
	"x86emu/machine"
)

// File is one that a guest is to find by fw_cfg: a file of the host's, or a text.
type File struct {
	Name string // the guest's
	File string // the host's; empty: it is Text
	Text string
}

// ParseFile reads the value of -fw_cfg: [name=]NAME,file=FILE or string=TEXT.
func ParseFile(value string) (f File, err error) {
	given := 0
	for _, s := range props(value, "name") {
		switch s.key {
		case "name":
			f.Name = s.value
		case "file":
			f.File = s.value
			given++
		case "string":
			f.Text = s.value
			given++
		default:
			return f, fmt.Errorf("%q is neither name, file nor string", s.key)
		}
		if !s.set || s.key != "string" && s.value == "" {
			return f, fmt.Errorf("%s needs a value", s.key)
		}
	}
	if f.Name == "" || given != 1 {
		return f, errors.New("must be name=NAME and file=FILE or string=TEXT")
	}
	return f, nil
}

// OpenFiles gives files with their bytes, none with more than a machine takes.
func OpenFiles(list []File) (all []machine.File, err error) {
	for _, f := range list {
		data := []byte(f.Text)
		if f.File != "" {
			if data, err = guest.ReadFile(f.File, machine.MaxFiles, "files of fw_cfg"); err != nil {
				return nil, err
			}
		}
		all = append(all, machine.File{Name: f.Name, Data: data})
	}
	return all, nil
}

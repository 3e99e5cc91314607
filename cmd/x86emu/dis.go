package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"

	"x86emu/cpu"
	"x86emu/debug"
	"x86emu/guest"
	"x86emu/machine"
)

func newDis() *cobra.Command {
	var model, syntax string
	mode := modes(32)
	var start address
	var o debug.DisOptions
	cmd := &cobra.Command{
		Use:   "dis IMAGE | dis HEX...",
		Short: "Disassemble an image, a file or bytes given in hexadecimal",
		Long: `Disassemble code. The argument is an image as "run" takes it, from its entry to
the end of the segment there; or any other file, as bytes; or, where there is no
such file, bytes in hexadecimal, in one argument or several.`,
		Example: `  x86emu dis unmapped-handler-32 --count 20
  x86emu dis kernel.elf --start 0x100040 --mode 64 --syntax gnu
  x86emu dis --mode 16 ea 00 7c 00 00`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return fmt.Errorf("dis needs an IMAGE or bytes in hexadecimal (try --help)")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			m, ok := cpu.ModelByName(model)
			if !ok {
				return fmt.Errorf("unknown CPU model %q: must be one of %s", model, strings.Join(cpu.ModelNames(), ", "))
			}
			o.Features = m.Features
			gnu, err := isGNU(syntax)
			if err != nil {
				return err
			}
			o.GNU = gnu
			code, err := codeOf(args)
			if err != nil {
				return err
			}
			from := code.Entry
			if cmd.Flags().Changed("start") {
				from = uint64(start)
			}
			o.Mode = code.StartMode()
			if cmd.Flags().Changed("mode") {
				o.Mode = guest.Mode(mode.v)
			}
			for _, s := range code.Segments {
				if off := from - s.Addr; off < uint64(len(s.Data)) {
					return debug.Disassemble(cmd.OutOrStdout(), s.Data[off:], from, o)
				}
			}
			return fmt.Errorf("address 0x%x is not in the code", from)
		},
	}
	f := cmd.Flags()
	f.StringVar(&model, "cpu", "max", "CPU model: "+strings.Join(cpu.ModelNames(), ", "))
	f.Var(&mode, "mode", "`16|32|64` (default as the image starts, else 32)")
	f.Lookup("mode").DefValue = ""
	f.StringVar(&syntax, "syntax", "intel", "`intel|gnu`")
	f.Var(&start, "start", "first `address` (default the image's entry)")
	f.Lookup("start").DefValue = ""
	f.Uint64Var(&o.Count, "count", 0, "at most so many `instructions` (default no limit)")
	return cmd
}

// codeOf finds what is to be disassembled.
func codeOf(args []string) (*guest.Image, error) {
	data, err := guest.Open(args[0])
	if len(args) > 1 || err != nil {
		text := strings.Join(strings.Fields(strings.Join(args, " ")), "")
		if data, herr := hex.DecodeString(text); herr == nil {
			return guest.ParseFlat(data, 0, guest.Mode32, 0)
		}
		if err == nil {
			return nil, fmt.Errorf("dis takes one IMAGE, or bytes in hexadecimal")
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w, and no bytes in hexadecimal", err)
	}
	if err != nil {
		return nil, err
	}
	if img, err := guest.Parse(data); err == nil || strings.HasPrefix(string(data), "\x7fELF") || machine.IsSnapshot(data) {
		if err != nil {
			return nil, fmt.Errorf("%s: %w", args[0], err)
		}
		return img, nil
	}
	return guest.ParseFlat(data, 0, guest.Mode32, 0)
}

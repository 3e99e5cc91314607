package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"x86emu/debug/screen"
	"x86emu/machine"
)

// screenFlag says whether the guest's text screen is shown, at the end of the run or
// live.
type screenFlag string

const (
	screenAtEnd = "end"
	screenLive  = "live"
)

func (f *screenFlag) String() string { return string(*f) }
func (f *screenFlag) Type() string   { return "end|live" }
func (f *screenFlag) Set(text string) error {
	if text != screenAtEnd && text != screenLive {
		return fmt.Errorf("must be end or live")
	}
	*f = screenFlag(text)
	return nil
}

func (f *screenFlag) addFlags(cmd *cobra.Command) {
	cmd.Flags().Var(f, "screen", "show the text screen: end, or no value, prints it when the run ends; live also draws it here while the guest runs")
	cmd.Flags().Lookup("screen").NoOptDefVal = screenAtEnd
}

// settle checks what is asked for, and keeps the serial port off a terminal that is
// drawn on.
func (f *screenFlag) settle(cmd *cobra.Command, s *streams) error {
	if *f != screenLive {
		return nil
	}
	if _, err := outputTerminal(cmd, "--screen=live", "--screen prints it when the run ends"); err != nil {
		return err
	}
	for name, to := range map[string]*string{"serial": &s.serial, "debugcon": &s.console} {
		if !cmd.Flags().Changed(name) {
			*to = "null"
		} else if *to == "stdio" {
			return fmt.Errorf("--screen=live draws on this terminal: --%s must be null or a FILE", name)
		}
	}
	return nil
}

// watch draws the machine's screen where that is to be live. What is typed goes nowhere, if it is not
// for the guest's keyboard. What it gives ends that, once.
func (f *screenFlag) watch(cmd *cobra.Command, m *machine.Machine, keys *keyboard) (end func() error, err error) {
	if *f != "" && m.VGA == nil {
		return nil, fmt.Errorf("--screen: the %s board has no screen", m.Config().Board)
	}
	if *f != screenLive {
		return func() error { return nil }, nil
	}
	out := cmd.OutOrStdout().(*os.File)
	ctx, stop := signal.NotifyContext(cmd.Context(), terminate...)
	cmd.SetContext(ctx)
	restore := keys.close
	if keys == nil {
		if restore, err = silence(cmd.InOrStdin(), stop); err != nil {
			stop()
			return nil, err
		}
	}
	lipgloss.EnableLegacyWindowsANSI(out)
	live := screen.Watch(m, screen.Terminal{
		Out: out, Profile: colorprofile.Detect(out, os.Environ()),
		Size: func() (int, int, error) { return term.GetSize(int(out.Fd())) },
	})
	return func() error {
		err := live.Close()
		stop()
		return cmp.Or(err, restore())
	}, nil
}

// silence keeps what is typed from being shown, where the input is a terminal. Ctrl-C
// still interrupts.
func silence(in io.Reader, interrupt context.CancelFunc) (restore func() error, err error) {
	f, ok := in.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return func() error { return nil }, nil
	}
	before, err := term.MakeRaw(int(f.Fd()))
	if err != nil {
		return nil, err
	}
	go func() {
		for typed := make([]byte, 64); ; {
			n, err := f.Read(typed)
			if bytes.IndexByte(typed[:n], ctrlC) >= 0 {
				interrupt()
			}
			if err != nil {
				return
			}
		}
	}()
	return func() error { return term.Restore(int(f.Fd()), before) }, nil
}

// print prints the screen at the end, if it is to be shown.
func (f *screenFlag) print(cmd *cobra.Command, m *machine.Machine) error {
	if *f == "" {
		return nil
	}
	shown := screen.Take(m)
	lines := linesFor(cmd.OutOrStdout(), shown)
	note := shown.Note
	if note == "" && len(lines) == 0 {
		note = "the screen is blank"
	}
	if note != "" {
		fmt.Fprintf(cmd.ErrOrStderr(), "x86emu: %s\n", note)
		return nil
	}
	_, err := io.WriteString(cmd.OutOrStdout(), strings.Join(lines, "\n")+"\n")
	return err
}

// linesFor are the screen's lines, with the colours that a writer can show.
func linesFor(w io.Writer, s *screen.Screen) []string {
	if f, ok := w.(*os.File); ok {
		lipgloss.EnableLegacyWindowsANSI(f)
	}
	return s.Lines(colorprofile.Detect(w, os.Environ()))
}

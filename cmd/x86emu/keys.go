package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync/atomic"

	"golang.org/x/term"

	"github.com/spf13/cobra"

	"x86emu/guest"
	"x86emu/machine"
)

// typing is what --keys says is typed on the guest's keyboard.
type typing struct {
	text    string
	strokes []machine.Keystroke
	live    bool
}

// addKeys adds the flag.
func (b *board) addKeys(cmd *cobra.Command) {
	cmd.Flags().Var(&b.keys, "keys", "what is typed on the guest's keyboard: `TEXT`, with <esc>, <ctrl-c>, <wait 10ms> and the like, or live (see x86emu run --help)")
}

func (t *typing) String() string { return t.text }
func (t *typing) Type() string   { return "keys" }

func (t *typing) Set(text string) (err error) {
	t.text, t.live, t.strokes = text, text == "live" || text == "-", nil
	if !t.live {
		t.strokes, err = machine.ParseKeys(text)
	}
	return err
}

// keysFor adds to a machine's configuration what is typed: by the flag, or else what a
// built-in kernel brings along. A command that takes live keys has put them there.
func (b *board) keysFor(image string, cfg *machine.Config) error {
	switch {
	case !b.cmd.Flags().Changed("keys"):
		cfg.Keys = guest.BuiltinKeys(image)
	case !b.keys.live:
		cfg.Keys = machine.NewKeys(b.keys.strokes)
	case cfg.Keys == nil:
		return fmt.Errorf("--keys live is for run and gdb: %s needs a text, to type the same each time", b.cmd.Name())
	}
	return nil
}

// checkKeys refuses keys for a board without a keyboard.
func (b *board) checkKeys(m *machine.Machine) error {
	if b.cmd.Flags().Changed("keys") && m.KBC == nil {
		return errors.New("--keys: the bare board has no keyboard (--board pc has one)")
	}
	return nil
}

// keyboard is standard input as a keyboard: raw, so that each key comes at once. Ctrl-C
// ends the run, after Ctrl-A it is a key as any other.
type keyboard struct {
	in     *os.File
	keys   chan []byte
	quoted bool // Ctrl-A was the last key

	raw   atomic.Bool
	saved *term.State
	stop  []context.CancelFunc
}

// liveBacklog is how many reads of the terminal may wait for a guest that takes no keys;
// what is typed beyond is lost.
const liveBacklog = 256

const (
	ctrlA = 0x01
	ctrlC = 0x03
)

// openKeyboard tells whether there is a terminal, and has the command write errors as rawLines does.
func openKeyboard(cmd *cobra.Command) (*keyboard, error) {
	in, ok := cmd.InOrStdin().(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return nil, errors.New("--keys live needs a terminal: standard input is none (--keys TEXT types a text)")
	}
	t := &keyboard{in: in, keys: make(chan []byte, liveBacklog)}
	cmd.SetErr(t.lines(cmd.ErrOrStderr()))
	return t, nil
}

// lines is a writer by which a terminal's lines end as they should while it is raw.
func (t *keyboard) lines(w io.Writer) io.Writer {
	if f, ok := w.(*os.File); t != nil && ok && term.IsTerminal(int(f.Fd())) {
		return rawLines{w, t}
	}
	return w
}

// begin makes the terminal raw, until close, and what is typed come. A signal that would end the
// program ends the run.
func (t *keyboard) begin(cmd *cobra.Command) (err error) {
	if t.saved, err = term.MakeRaw(int(t.in.Fd())); err != nil {
		return fmt.Errorf("--keys live: %w", err)
	}
	t.raw.Store(true)
	ctx, stop := signal.NotifyContext(cmd.Context(), terminate...)
	ctx, cancel := context.WithCancel(ctx)
	t.stop = append(t.stop, stop, cancel)
	cmd.SetContext(ctx)
	go func() {
		b := make([]byte, 256)
		for {
			n, err := t.in.Read(b)
			if typed, ended := t.typed(bytes.Clone(b[:n])); ended || err != nil {
				cancel()
				return
			} else if len(typed) > 0 {
				select {
				case t.keys <- typed:
				default:
				}
			}
		}
	}()
	return nil
}

// typed takes out of what was typed what is meant for this side, and tells whether that is the end.
func (t *keyboard) typed(b []byte) (rest []byte, ended bool) {
	for _, c := range b {
		switch {
		case t.quoted:
			t.quoted = false
		case c == ctrlC:
			return nil, true
		case c == ctrlA:
			t.quoted = true
			continue
		}
		rest = append(rest, c)
	}
	return rest, false
}

// Read gives what was typed at one time.
func (t *keyboard) Read(b []byte) (int, error) { return copy(b, <-t.keys), nil }

// close gives the terminal back as it was.
func (t *keyboard) close() error {
	if t == nil || !t.raw.Swap(false) {
		return nil
	}
	for _, stop := range t.stop {
		stop()
	}
	return term.Restore(int(t.in.Fd()), t.saved)
}

// rawLines writes to a terminal that may be raw: then a line's end needs a carriage
// return.
type rawLines struct {
	io.Writer
	t *keyboard
}

func (w rawLines) Write(b []byte) (int, error) {
	if !w.t.raw.Load() {
		return w.Writer.Write(b)
	}
	if _, err := w.Writer.Write(bytes.ReplaceAll(b, []byte("\n"), []byte("\r\n"))); err != nil {
		return 0, err
	}
	return len(b), nil
}

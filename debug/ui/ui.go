package ui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"charm.land/bubbles/v2/viewport"
	tea "charm.land/bubbletea/v2"

	"x86emu/debug/screen"
	"x86emu/debug/session"
)

// The smallest screen that can be drawn on.
const (
	MinWidth  = 60
	MinHeight = 16
)

// Options are how a session is shown.
type Options struct {
	In    io.Reader
	Out   io.Writer
	ASCII bool // the terminal has no line-drawing characters
}

// Run shows a session until the user quits.
func Run(ctx context.Context, s *session.Session, o Options) error {
	m := newModel(ctx, s, o)
	defer m.cancel()
	_, err := tea.NewProgram(m, tea.WithContext(ctx), tea.WithInput(o.In), tea.WithOutput(o.Out)).Run()
	m.cancel()
	m.wait()
	if errors.Is(err, tea.ErrProgramKilled) || errors.Is(err, tea.ErrInterrupted) {
		return nil
	}
	return err
}

// model is the screen's state.
type model struct {
	s    *session.Session // not to be touched while busy, Timeline excepted
	f    *session.Frame
	look look
	st   *style

	width, height int
	ctx           context.Context // of all that runs beside the screen
	cancel        context.CancelFunc
	stop          context.CancelFunc // of the movement
	busy          bool
	since         time.Time
	done          chan struct{} // closed when the movement has ended
	waiting       []tea.KeyPressMsg

	message string // about the last command; replaces why the machine stands here
	count   uint64 // typed before a key
	input   entry
	page    viewport.Model // what lies over the panes
	screen  *screen.Screen // the guest's, for it
	asking  string         // what the input is for: ":", "/" or "?"; or ""
	past    []string
	last    search
}

// search is what was looked for last.
type search struct {
	what    string
	forward bool
}

// Messages to the screen.
type (
	// moved ends a movement.
	moved struct {
		f   *session.Frame
		err error
	}
	// told asks for the screen to be drawn again, while something goes on.
	told struct{}
)

// Limits of what is remembered.
const (
	maxWaiting = 64
	maxPast    = 100
	blink      = 200 * time.Millisecond
)

func newModel(ctx context.Context, s *session.Session, o Options) *model {
	m := &model{s: s, f: s.Frame(), st: newStyle(o.ASCII)}
	m.ctx, m.cancel = context.WithCancel(ctx)
	return m
}

// Init starts the scout.
func (m *model) Init() tea.Cmd {
	return tea.Batch(func() tea.Msg {
		m.s.Timeline.Scout(m.ctx) // an error ends what is known; the movement that comes there tells it
		return told{}
	}, again())
}

// wait waits for what runs beside the screen.
func (m *model) wait() {
	if m.busy {
		<-m.done
	}
}

func again() tea.Cmd { return tea.Tick(blink, func(time.Time) tea.Msg { return told{} }) }

// Update takes a message in.
func (m *model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
		if m.look.over != overNothing {
			m.open(m.look.over)
		}
	case moved:
		m.busy, m.f = false, msg.f
		if m.stop(); msg.err != nil {
			m.message = "error: " + msg.err.Error()
		}
		return m, m.next()
	case told:
		if u := &m.f.Stale; u.On && !u.Done && u.Known <= m.f.Tick && !m.busy {
			m.show() // what was not known when the frame was made
		}
		if m.busy || !m.s.Timeline.Around(0, 0, 0).Done {
			return m, again()
		}
	case tea.KeyPressMsg:
		if m.busy {
			if msg.String() == "ctrl+c" {
				m.waiting = nil
				m.stop()
			} else if len(m.waiting) < maxWaiting {
				m.waiting = append(m.waiting, msg)
			}
			return m, nil
		}
		return m, m.key(msg)
	case tea.PasteMsg:
		if m.asking != "" {
			return m, m.edit(msg)
		}
	}
	return m, nil
}

// next takes the keys that came meanwhile.
func (m *model) next() tea.Cmd {
	var cmds []tea.Cmd
	for len(m.waiting) > 0 && !m.busy {
		key := m.waiting[0]
		m.waiting = m.waiting[1:]
		cmds = append(cmds, m.key(key))
	}
	return tea.Batch(cmds...)
}

// move runs a movement beside the screen.
func (m *model) move(f func(context.Context) error) tea.Cmd {
	ctx, stop := context.WithCancel(m.ctx)
	done := make(chan struct{})
	m.busy, m.stop, m.done, m.since, m.message = true, stop, done, time.Now(), ""
	m.look.scroll = [panes]int{}
	end := make(chan moved, 1)
	go func() {
		defer close(done)
		err := f(ctx)
		end <- moved{m.s.Frame(), err}
	}()
	return tea.Batch(func() tea.Msg { return <-end }, again())
}

// show draws anew what the session shows, the machine standing still.
func (m *model) show() { m.f = m.s.Frame() }

// say leaves a message in the status line.
func (m *model) say(format string, args ...any) { m.message = fmt.Sprintf(format, args...) }

// View draws the screen.
func (m *model) View() tea.View {
	v := tea.NewView(m.draw())
	v.AltScreen = true
	return v
}

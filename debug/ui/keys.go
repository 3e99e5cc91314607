package ui

import (
	"context"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
)

// binding is what a key does. The table is the help as well.
type binding struct {
	key.Binding
	hint string // in the last line; "" for none
	act  func(m *model, n uint64) tea.Cmd
}

var keys []binding

// on binds keys; what they do stands in the help, unless it is empty.
func on(does string, names ...string) key.Binding {
	return key.NewBinding(key.WithKeys(names...), key.WithHelp(names[0], does))
}

func init() {
	move := func(f func(m *model, ctx context.Context) error) func(*model, uint64) tea.Cmd {
		return func(m *model, n uint64) tea.Cmd {
			return m.move(func(ctx context.Context) error {
				for range max(n, 1) {
					if err := f(m, ctx); err != nil || ctx.Err() != nil {
						return err
					}
				}
				return nil
			})
		}
	}
	keys = []binding{
		{on("step: instruction or delivery", "s"), "step", func(m *model, n uint64) tea.Cmd {
			return m.move(func(ctx context.Context) error { return m.s.Step(ctx, max(n, 1)) })
		}},
		{on("step back", "S"), "back", func(m *model, n uint64) tea.Cmd {
			return m.move(func(ctx context.Context) error { return m.s.Back(ctx, max(n, 1)) })
		}},
		{on("next: over calls, faults, REP", "n"), "next", move(func(m *model, ctx context.Context) error { return m.s.Next(ctx) })},
		{on("next, back", "N"), "", move(func(m *model, ctx context.Context) error { return m.s.BackNext(ctx) })},
		{on("continue to a breakpoint", "c"), "cont", move(func(m *model, ctx context.Context) error { return m.s.Continue(ctx) })},
		{on("continue back", "C"), "", move(func(m *model, ctx context.Context) error { return m.s.BackContinue(ctx) })},
		{on("finish: to the return", "f"), "", move(func(m *model, ctx context.Context) error { return m.s.Finish(ctx) })},
		{on("back to the fault in handling", "F"), "", move(func(m *model, ctx context.Context) error { return m.s.FaultStart(ctx) })},
		{on("one stage into the step", "l", "right", "space"), "stage", move(func(m *model, ctx context.Context) error { return m.s.Stage(ctx, 1) })},
		{on("one stage back", "h", "left", "backspace"), "", move(func(m *model, ctx context.Context) error { return m.s.Stage(ctx, -1) })},
		{on("to the next fault", "e"), "fault", move(func(m *model, ctx context.Context) error { return m.s.Fault(ctx, true) })},
		{on("to the fault before", "E"), "", move(func(m *model, ctx context.Context) error { return m.s.Fault(ctx, false) })},
		{on("to the beginning", "g", "home"), "", move(func(m *model, ctx context.Context) error { return m.s.Begin(ctx) })},
		{on("to the end of the run", "G", "end"), "", move(func(m *model, ctx context.Context) error { return m.s.End(ctx) })},
		{on("search on: PF, symbol, text", "/"), "find", func(m *model, _ uint64) tea.Cmd { return m.ask("/") }},
		{on("search back", "?"), "", func(m *model, _ uint64) tea.Cmd { return m.ask("?") }},
		{on("search again", ";"), "", func(m *model, _ uint64) tea.Cmd { return m.find(m.last) }},
		{on("again, the other way", ","), "", func(m *model, _ uint64) tea.Cmd { return m.find(search{m.last.what, !m.last.forward}) }},
		{on("breakpoint here, on or off", "b"), "", func(m *model, _ uint64) tea.Cmd {
			m.s.Toggle(m.here())
			m.show()
			return nil
		}},
		{on("list the breakpoints", "B"), "", func(m *model, _ uint64) tea.Cmd {
			m.open(overBreaks)
			return nil
		}},
		{on("registers of x87, MMX, SSE", "r"), "", func(m *model, _ uint64) tea.Cmd {
			m.nextBank()
			return nil
		}},
		{on("view the guest's text screen", "v"), "", func(m *model, _ uint64) tea.Cmd {
			m.screen = m.s.Screen()
			m.open(overScreen)
			return nil
		}},
		{on("next pane (shift+tab: last)", "tab"), "pane", func(m *model, _ uint64) tea.Cmd { return m.turn(1) }},
		{on("", "shift+tab"), "", func(m *model, _ uint64) tea.Cmd { return m.turn(-1) }},
		{on("pane over the whole screen", "z", "enter"), "", func(m *model, _ uint64) tea.Cmd {
			m.look.zoom = !m.look.zoom
			return nil
		}},
		{on("down in the pane (ctrl+d: page)", "j", "down"), "", func(m *model, n uint64) tea.Cmd { return m.scroll(int(max(n, 1))) }},
		{on("up (ctrl+u: a page)", "k", "up"), "", func(m *model, n uint64) tea.Cmd { return m.scroll(-int(max(n, 1))) }},
		{on("", "ctrl+d", "ctrl+f", "pgdown"), "", func(m *model, _ uint64) tea.Cmd { return m.scroll(m.height / 2) }},
		{on("", "ctrl+u", "ctrl+b", "pgup"), "", func(m *model, _ uint64) tea.Cmd { return m.scroll(-m.height / 2) }},
		{on("a command, see the right", ":"), "", func(m *model, _ uint64) tea.Cmd { return m.ask(":") }},
		{on("", "ctrl+l"), "", func(m *model, _ uint64) tea.Cmd { return tea.ClearScreen }},
		{on("", "ctrl+z"), "", func(m *model, _ uint64) tea.Cmd { return tea.Suspend }},
		{on("this help; Esc leaves it", "H", "f1"), "", func(m *model, _ uint64) tea.Cmd {
			m.open(overHelp)
			return nil
		}},
		{on("quit", "q"), "quit", func(m *model, _ uint64) tea.Cmd { return tea.Quit }},
	}
}

// key takes a key press.
func (m *model) key(msg tea.KeyPressMsg) tea.Cmd {
	if m.asking != "" {
		return m.edit(msg)
	}
	name := msg.String()
	m.message = ""
	switch {
	case name == "ctrl+c":
		m.count = 0
		m.say("q quits; Ctrl-C stops what runs")
		return nil
	case name == "esc":
		m.count = 0
		if m.look.over != overNothing {
			m.look.over = overNothing
		} else {
			m.look.zoom = false
			m.lookHome()
		}
		return nil
	case len(name) == 1 && name[0] >= '0' && name[0] <= '9' && (name != "0" || m.count > 0):
		if m.count = 10*m.count + uint64(name[0]-'0'); m.count > maxCount {
			m.count = maxCount
		}
		return nil
	case m.look.over != overNothing:
		return m.turnPage(name)
	}
	n := m.count
	m.count = 0
	for _, k := range keys {
		if key.Matches(msg, k.Binding) {
			return k.act(m, n)
		}
	}
	m.say("no key %q: H for help", name)
	return nil
}

// maxCount bounds a number typed before a key.
const maxCount = 1 << 40

// turnPage takes a key while something lies over the panes.
func (m *model) turnPage(name string) tea.Cmd {
	m.count = 0
	switch name {
	case "j", "down":
		m.page.ScrollDown(1)
	case "k", "up":
		m.page.ScrollUp(1)
	case "ctrl+d", "ctrl+f", "pgdown", "space":
		m.page.HalfPageDown()
	case "ctrl+u", "ctrl+b", "pgup":
		m.page.HalfPageUp()
	case ":":
		return m.ask(":")
	default:
		m.look.over = overNothing
	}
	return nil
}

// turn moves the focus.
func (m *model) turn(n int) tea.Cmd {
	m.look.focus = pane((int(m.look.focus) + n + int(panes)) % int(panes))
	return nil
}

// scroll moves the focused pane's lines.
func (m *model) scroll(n int) tea.Cmd {
	m.look.scroll[m.look.focus] += n
	return nil
}

// here is the address of the next instruction.
func (m *model) here() uint64 {
	for _, c := range m.f.Code {
		if c.Now && c.Label == "" {
			return c.Addr
		}
	}
	at, _ := m.s.Address("$pc")
	return at
}

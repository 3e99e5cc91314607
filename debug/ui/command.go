package ui

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"x86emu/debug/session"
)

// command is what can be typed after a colon. The table is the help as well.
type command struct {
	names []string
	args  string
	does  string
	act   func(m *model, words []string) (tea.Cmd, error)
}

var commands []command

func init() {
	// pressed are commands that are keys as well.
	pressed := func(key string) func(*model, []string) (tea.Cmd, error) {
		return func(m *model, words []string) (tea.Cmd, error) {
			n := uint64(1)
			if len(words) > 0 {
				var err error
				if n, err = strconv.ParseUint(words[0], 0, 64); err != nil || n == 0 {
					return nil, fmt.Errorf("%q: must be a number of times", words[0])
				}
			}
			for _, k := range keys {
				if k.Help().Key == key {
					return k.act(m, n), nil
				}
			}
			panic("BUG: no key " + key)
		}
	}
	look := func(p session.Look, at pane) func(*model, []string) (tea.Cmd, error) {
		return func(m *model, words []string) (tea.Cmd, error) {
			if len(words) != 1 {
				return nil, fmt.Errorf("one address is needed")
			}
			v, err := m.s.Address(words[0])
			if err != nil {
				return nil, err
			}
			m.s.LookAt(p, &v)
			m.look.scroll[at], m.look.focus = 0, at
			m.show()
			m.say("Esc goes back to the present place")
			return nil, nil
		}
	}
	commands = []command{
		{[]string{"b", "break"}, "[ADDR]", "at an instruction", func(m *model, w []string) (tea.Cmd, error) { return m.set("", w) }},
		{[]string{"catch"}, "PF|any [code=X/M]", "before an event", func(m *model, w []string) (tea.Cmd, error) { return m.set("catch", w) }},
		{nil, "       [cr2=A-B]", "", nil},
		{[]string{"watch", "change"}, "ADDR [N] [phys]", "before a change", func(m *model, w []string) (tea.Cmd, error) { return m.set("change", w) }},
		{[]string{"write"}, "ADDR [N] [phys]", "before any store", func(m *model, w []string) (tea.Cmd, error) { return m.set("write", w) }},
		{[]string{"pte"}, "ADDR [cr3=X] [ad]", "its entries change", func(m *model, w []string) (tea.Cmd, error) { return m.set("pte", w) }},
		{[]string{"d", "delete"}, "N", "delete a breakpoint", func(m *model, w []string) (tea.Cmd, error) { return m.each(w, m.s.Delete) }},
		{[]string{"t", "toggle", "disable", "enable"}, "N", "off, or on again", func(m *model, w []string) (tea.Cmd, error) { return m.each(w, m.s.Switch) }},
		{[]string{"goto", "tick"}, "TICK", "to a moment", func(m *model, w []string) (tea.Cmd, error) {
			if len(w) != 1 {
				return nil, fmt.Errorf("one tick is needed")
			}
			tick, err := strconv.ParseUint(w[0], 0, 64)
			if err != nil {
				return nil, fmt.Errorf("tick %q: must be a whole number", w[0])
			}
			return m.move(func(ctx context.Context) error { return m.s.Goto(ctx, tick) }), nil
		}},
		{[]string{"u", "list", "disas"}, "ADDR", "disassemble", look(session.LookCode, paneCode)},
		{[]string{"x"}, "ADDR", "look at memory", look(session.LookData, paneStack)},
		{[]string{"walk"}, "ADDR", "its translation", look(session.LookWalk, paneWalk)},
		{[]string{"s", "si", "stepi", "step"}, "[N]", "as the keys", pressed("s")},
		{[]string{"n", "ni", "nexti", "next"}, "[N]", "", pressed("n")},
		{[]string{"c", "continue"}, "", "", pressed("c")},
		{[]string{"f", "finish", "fin"}, "", "", pressed("f")},
		{[]string{"rs", "rsi", "reverse-step", "reverse-stepi"}, "[N]", "and back", pressed("S")},
		{[]string{"rn", "rni", "reverse-next"}, "[N]", "", pressed("N")},
		{[]string{"rc", "reverse-continue"}, "", "", pressed("C")},
		{[]string{"info", "breaks"}, "", "list the breakpoints", pressed("B")},
		{[]string{"h", "help"}, "", "this help", pressed("H")},
		{[]string{"screen"}, "", "the guest's screen", pressed("v")},
		{[]string{"q", "quit"}, "", "quit", pressed("q")},
	}
}

// set makes a breakpoint.
func (m *model) set(kind string, words []string) (tea.Cmd, error) {
	if kind != "" {
		words = append([]string{kind}, words...)
	}
	c, err := m.s.Condition(words)
	if err != nil {
		return nil, err
	}
	b := m.s.Add(c)
	m.show()
	m.say("breakpoint %d: %s", b.Number, b.Condition)
	return nil, nil
}

// each does something to breakpoints by their numbers.
func (m *model) each(words []string, f func(int) error) (tea.Cmd, error) {
	if len(words) == 0 {
		return nil, fmt.Errorf("the number of a breakpoint is needed (B lists them)")
	}
	defer m.show()
	for _, w := range words {
		n, err := strconv.Atoi(w)
		if err != nil {
			return nil, fmt.Errorf("%q: must be the number of a breakpoint (B lists them)", w)
		}
		if err := f(n); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// ask opens the line for what is typed.
func (m *model) ask(what string) tea.Cmd {
	m.asking, m.message = what, ""
	m.input.set("")
	return nil
}

// edit takes a key while something is typed.
func (m *model) edit(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.PasteMsg:
		m.input.insert(msg.Content)
	case tea.KeyPressMsg:
		switch msg.String() {
		case "esc", "ctrl+c":
			m.asking = ""
			return nil
		case "backspace":
			if string(m.input.text) == "" {
				m.asking = ""
				return nil
			}
		case "up", "down":
			m.recall(msg.String() == "up")
			return nil
		case "enter":
			what := m.asking
			text := strings.TrimSpace(string(m.input.text))
			m.asking = ""
			if text != "" {
				m.past = append(m.past[max(0, len(m.past)-maxPast+1):], what+text)
			}
			return m.typed(what, text)
		}
		m.input.press(msg)
	}
	return nil
}

// recall brings back what was typed before, of the same kind.
func (m *model) recall(older bool) {
	var all []string
	for _, p := range m.past {
		if text, ok := strings.CutPrefix(p, m.asking); ok {
			all = append(all, text)
		}
	}
	i := slices.Index(all, string(m.input.text))
	switch {
	case older && i < 0:
		i = len(all) - 1
	case older:
		i = max(0, i-1)
	default:
		i++
	}
	if i >= 0 && i < len(all) {
		m.input.set(all[i])
	}
}

// typed does what was typed.
func (m *model) typed(what, text string) tea.Cmd {
	switch {
	case what != ":":
		s := search{text, what == "/"}
		if text == "" {
			s.what = m.last.what
		}
		m.last = s
		return m.find(s)
	case text == "":
		return nil
	}
	m.look.over = overNothing
	words := strings.Fields(text)
	for _, c := range commands {
		if slices.Contains(c.names, words[0]) {
			cmd, err := c.act(m, words[1:])
			if err != nil {
				m.say("%s: %s", words[0], err)
			}
			return cmd
		}
	}
	m.say("no command %q: H for help", words[0])
	return nil
}

// find goes to what is searched.
func (m *model) find(s search) tea.Cmd {
	if s.what == "" {
		m.say("nothing was searched yet: / and ? do")
		return nil
	}
	return m.move(func(ctx context.Context) error { return m.s.Find(ctx, s.what, s.forward) })
}

// lookHome makes the panes look at the present place again.
func (m *model) lookHome() {
	for _, p := range []session.Look{session.LookCode, session.LookData, session.LookWalk} {
		m.s.LookAt(p, nil)
	}
	m.look.scroll = [panes]int{}
	m.show()
}

package ui

import (
	"fmt"
	"strings"

	"charm.land/bubbles/v2/viewport"
	"github.com/charmbracelet/colorprofile"
)

// overlay is what lies over the panes.
type overlay uint8

const (
	overNothing overlay = iota
	overHelp
	overBreaks
	overScreen
)

// open lays lines over the panes.
func (m *model) open(o overlay) {
	m.look.over = o
	m.page = viewport.New()
	m.page.SetWidth(m.width)
	m.page.SetHeight(m.room())
	switch o {
	case overHelp:
		m.page.SetContentLines(m.help())
	case overBreaks:
		m.page.SetContentLines(m.breakpoints())
	case overScreen:
		m.page.SetContentLines(m.guestScreen())
	}
}

// help teaches the keys and the commands, side by side where there is room.
func (m *model) help() []string {
	var left, right []string
	for _, k := range keys {
		if h := k.Help(); h.Desc != "" {
			left = append(left, m.st.key.Render(fmt.Sprintf(" %-4s", h.Key))+h.Desc)
		}
	}
	left = append(left, " A number before a key: so many times")
	for _, c := range commands {
		line := c.args
		if c.names != nil {
			line = strings.TrimRight(m.st.key.Render(":"+c.names[0])+" "+c.args, " ")
		}
		if c.does != "" {
			line = m.st.fit(line, rightNames) + c.does
		}
		right = append(right, line)
	}
	lines := make([]string, max(len(left), len(right)))
	copy(lines, left)
	for i, r := range right {
		lines[i] = m.st.fit(lines[i], leftColumn) + r
	}
	return lines
}

// Widths of the help's columns.
const (
	leftColumn = 36
	rightNames = 25
)

// breakpoints lists them.
func (m *model) breakpoints() []string {
	lines := []string{m.st.head.Render(" breakpoints: c and C stop at them")}
	for _, b := range m.f.Breaks {
		off := ""
		if b.Off {
			off = "  (off)"
		}
		lines = append(lines, fmt.Sprintf("%4d  %s%s", b.Number, b.Condition, off))
	}
	return append(lines, "", " :b :catch :watch :write :pte make one, :d N deletes, :t N turns off or on")
}

// guestScreen shows the guest's text screen. What the terminal has no colours for is
// taken out when it is drawn.
func (m *model) guestScreen() []string {
	head := m.st.head.Render(" the guest's screen: " + m.screen.String())
	return append([]string{head}, m.screen.Lines(colorprofile.TrueColor)...)
}

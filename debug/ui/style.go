package ui

import (
	"strings"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"
)

// style is how things look. Colours are the terminal's own sixteen.
type style struct {
	title, head, focus, now, changed, bad, dim, label, key lipgloss.Style

	line, bold, bar, dots, here, then string
}

func newStyle(ascii bool) *style {
	s := lipgloss.NewStyle
	st := &style{
		title: s().Reverse(true), head: s().Foreground(lipgloss.Color("6")), focus: s().Foreground(lipgloss.Color("6")).Bold(true),
		now: s().Bold(true), changed: s().Foreground(lipgloss.Color("3")).Bold(true), bad: s().Foreground(lipgloss.Color("1")).Bold(true),
		dim: s().Faint(true), label: s().Foreground(lipgloss.Color("2")), key: s().Bold(true),
		line: "─", bold: "═", bar: "│", dots: "…", here: "►", then: "→",
	}
	if ascii {
		st.line, st.bold, st.bar, st.dots, st.here, st.then = "-", "=", "|", "~", ">", ">"
	}
	return st
}

// fit makes a line exactly so wide.
func (s *style) fit(line string, width int) string {
	if n := ansi.StringWidth(line); n < width {
		return line + strings.Repeat(" ", width-n)
	} else if n == width {
		return line
	}
	line = ansi.Truncate(line, max(width, 0), s.dots)
	return line + strings.Repeat(" ", max(0, width-ansi.StringWidth(line)))
}

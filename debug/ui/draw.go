package ui

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"x86emu/debug/session"
)

// draw gives the whole screen.
func (m *model) draw() string {
	if m.width == 0 {
		return ""
	}
	if m.width < MinWidth || m.height < MinHeight {
		return m.st.fit(fmt.Sprintf("%dx%d is too small: %dx%d at least", m.width, m.height, MinWidth, MinHeight), m.width)
	}
	rows := make([]string, m.height)
	rows[0] = m.title()
	if m.look.over != overNothing {
		copy(rows[1:1+m.room()], strings.Split(m.page.View(), "\n"))
	} else {
		m.body(rows)
	}
	if m.f.Stale.On {
		rows[m.height-3] = m.staleLine()
	}
	rows[m.height-2] = m.status()
	rows[m.height-1] = m.hints()
	for i := range rows {
		rows[i] = m.st.fit(rows[i], m.width)
	}
	return strings.Join(rows, "\n")
}

// room is how many lines there are for the panes: all but the first, the last two,
// and that of stale TLB entries where they are watched.
func (m *model) room() int {
	if m.f.Stale.On {
		return m.height - 4
	}
	return m.height - 3
}

// body puts the panes together.
func (m *model) body(rows []string) {
	boxes := layout(m.width, m.room()+3, m.regsHeight)
	if m.look.zoom {
		boxes = []box{{m.look.focus, 0, 1, m.width, m.room()}}
	}
	slices.SortStableFunc(boxes, func(a, b box) int { return a.x - b.x })
	for _, b := range boxes {
		for i, line := range m.pane(b) {
			if b.x > 0 {
				rows[b.y+i] = m.st.fit(rows[b.y+i], b.x-1) + m.st.dim.Render(m.st.bar)
			}
			rows[b.y+i] += m.st.fit(line, b.w)
		}
	}
}

// pane draws one pane, its head first.
func (m *model) pane(b box) []string {
	if b.h == 1 && b.pane == paneFaults {
		return []string{m.faultLine(b.w)}
	}
	lines := make([]string, b.h)
	copy(lines[1:], m.content(b))
	lines[0] = m.head(b)
	return lines
}

// head is the line above a pane.
func (m *model) head(b box) string {
	name, line, st := " "+m.headText(b.pane)+" ", m.st.line, m.st.head
	if b.pane == m.look.focus {
		name, line, st = m.st.here+name, m.st.bold, m.st.focus
	} else {
		name = m.st.line + name
	}
	return st.Render(m.st.fit(name+strings.Repeat(line, max(0, b.w-len([]rune(name)))), b.w))
}

func (m *model) headText(p pane) string {
	switch p {
	case paneStep:
		if m.f.Stage >= 0 {
			return fmt.Sprintf("this step: stage %d of %d", m.f.Stage+1, m.f.Count)
		}
	case paneRegs:
		words := m.f.Flags
		if m.look.bank != session.BankGeneral {
			words = m.f.Words[m.look.bank]
		}
		return strings.TrimRight(m.look.bank.String()+"  "+words, " ") + m.changedUnits()
	case paneCode:
		if m.f.Where != "" {
			return "code: " + m.f.Where
		}
	}
	return paneNames[p]
}

// title is the first line.
func (m *model) title() string {
	f := m.f
	t := m.s.Timeline.Around(f.Tick, 0, 0)
	total := fmt.Sprintf("of %d", t.Known)
	if !t.Done {
		total += "+"
	}
	left := fmt.Sprintf(" %s  tick %d %s  CPL %d  %s", f.Image, f.Tick, total, f.CPL, f.Mode)
	right := "H: help "
	if room := m.width - len(left) - len(right); room > len(f.Paging)+2 {
		left += ", " + f.Paging
	}
	return m.st.title.Render(m.st.fit(m.st.fit(left, m.width-len(right))+right, m.width))
}

// status is the line for what is typed, or for why the machine stands here.
func (m *model) status() string {
	switch {
	case m.asking != "":
		return m.asking + m.input.view(m.st)
	case m.busy:
		if d := time.Since(m.since); d >= blink {
			return m.st.now.Render(fmt.Sprintf("running, %.1f s: Ctrl-C stops", d.Seconds()))
		}
		return ""
	case m.message != "":
		return m.st.now.Render(m.message)
	}
	if m.look.over != overNothing {
		return m.st.now.Render("j, k: down and up; Esc: back")
	}
	s := m.f.Stop
	if m.count > 0 {
		s = fmt.Sprintf("%s  (%d times)", s, m.count)
	}
	return m.st.now.Render(s)
}

// hints is the last line: the keys that matter most.
func (m *model) hints() string {
	var parts []string
	for _, k := range keys {
		if k.hint != "" {
			parts = append(parts, m.st.key.Render(k.Help().Key)+" "+k.hint)
		}
	}
	return strings.Join(parts, "  ")
}

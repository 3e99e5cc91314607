package ui

import (
	"fmt"
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"x86emu/debug"
	"x86emu/debug/session"
)

// content gives the lines of a pane, below its head.
func (m *model) content(b box) []string {
	h := b.h - 1
	switch b.pane {
	case paneCode:
		return m.window(m.code(b.w), h, m.f.CodeAt-h/3, b.pane)
	case paneRegs:
		if m.look.zoom {
			return m.window(m.regsList(), h, 0, b.pane)
		}
		return m.window(m.regs(b.w), h, 0, b.pane)
	case paneStep:
		return m.window(m.step(), h, max(0, m.f.Stage-h/2), b.pane)
	case paneWalk:
		lines := m.walk(b.w)
		return m.window(lines, h, len(lines)-h, b.pane) // the verdict is what matters
	case paneStack:
		return m.window(m.stack(b.w), h, m.f.DataAt-min(1, h/4), b.pane)
	case paneSerial:
		lines := m.f.Serial
		return m.window(lines, h, len(lines)-h, b.pane)
	}
	return m.faults(h)
}

// window takes h of the lines, from one on and as far down as the pane is
// scrolled. It keeps the scrolling within bounds.
func (m *model) window(lines []string, h, from int, p pane) []string {
	from = max(0, min(from, len(lines)-h))
	down := max(-from, min(m.look.scroll[p], len(lines)-h-from))
	if len(lines) <= h {
		down = 0
	}
	m.look.scroll[p] = down
	from += down
	return lines[from:min(from+h, len(lines))]
}

func (m *model) code(w int) []string {
	lines := make([]string, 0, len(m.f.Code))
	for _, c := range m.f.Code {
		if c.Label != "" {
			lines = append(lines, m.st.label.Render(c.Label))
			continue
		}
		mark := [2]string{" ", " "}
		if c.Break {
			mark[0] = "*"
		}
		if c.Now {
			mark[1] = m.st.here
		}
		text := fmt.Sprintf("%s%s %8x ", mark[0], mark[1], c.Addr)
		if w >= 70 {
			text += fmt.Sprintf("%-21s ", spaced(c.Bytes, 7))
		}
		text += c.Text
		if c.Place != "" && w >= 60 {
			if room := w - ansi.StringWidth(text) - len(c.Place); room > 1 {
				text += strings.Repeat(" ", room) + c.Place
			}
		}
		if c.Now {
			text = m.st.now.Render(text)
		}
		lines = append(lines, text)
	}
	return lines
}

// spaced puts spaces between bytes in hexadecimal, of which the first n are shown.
func spaced(digits string, n int) string {
	var b strings.Builder
	for i := 0; i+1 < len(digits); i += 2 {
		if i/2 == n-1 && len(digits) > 2*n {
			b.WriteString("..")
			break
		}
		b.WriteString(digits[i:i+2] + " ")
	}
	return strings.TrimRight(b.String(), " ")
}

// cell is a register: a star says that it has changed.
func (m *model) cell(r session.Reg) string {
	mark, text := " ", fmt.Sprintf("%-3s %s", r.Name, r.Value)
	if r.Changed {
		return m.st.changed.Render("*" + text)
	}
	return mark + text
}

// bank is the registers that are looked at.
func (m *model) bank() []session.Reg {
	if m.look.bank == session.BankGeneral {
		return m.f.Regs
	}
	return m.f.Units[m.look.bank]
}

// nextBank looks at the next bank that has registers.
func (m *model) nextBank() {
	m.look.scroll[paneRegs] = 0
	for {
		if m.look.bank = (m.look.bank + 1) % session.Banks; len(m.bank()) > 0 {
			return
		}
	}
}

// changedUnits names the banks that are not looked at and have changed.
func (m *model) changedUnits() string {
	s := ""
	for b, regs := range m.f.Units {
		if session.Bank(b) != m.look.bank && slices.ContainsFunc(regs, func(r session.Reg) bool { return r.Changed }) {
			s += "  *" + session.Bank(b).String()
		}
	}
	return s
}

// regs fills lines with registers.
func (m *model) regs(w int) []string {
	var lines []string
	line, used := "", 0
	for _, r := range m.bank() {
		n := 1 + max(3, len(r.Name)) + 1 + len(r.Value)
		if used > 0 && used+n > w {
			lines, line, used = append(lines, line), "", 0
		}
		line, used = line+m.cell(r), used+n
	}
	return append(lines, line)
}

func (m *model) regsHeight(w int) int { return len(m.regs(w)) }

// regsList has a line for each register: what it was, what it points to.
func (m *model) regsList() []string {
	var lines []string
	if m.look.bank != session.BankGeneral {
		for _, r := range m.bank() {
			switch line := m.cell(r); {
			case r.Changed && r.Place == "":
				lines = append(lines, line+"  was "+r.Old)
			case r.Changed:
				lines = append(lines, line+"  "+r.Place, "      was "+r.Old)
			default:
				lines = append(lines, line+"  "+r.Place)
			}
		}
		return lines
	}
	for _, r := range m.f.Regs {
		line := fmt.Sprintf("%s %s", m.cell(r), strings.Repeat(" ", 16-min(16, len(r.Value))))
		if r.Changed {
			line += fmt.Sprintf(" was %-16s", r.Old)
		} else {
			line += strings.Repeat(" ", 21)
		}
		lines = append(lines, line+" "+r.Place)
	}
	return lines
}

func (m *model) step() []string {
	lines := make([]string, len(m.f.Stages))
	for i, s := range m.f.Stages {
		mark := " "
		if i == m.f.Stage {
			mark = m.st.here
		}
		text := mark + " " + s.Text
		switch {
		case s.Bad:
			text = m.st.bad.Render(text)
		case i == m.f.Stage:
			text = m.st.now.Render(text)
		case !s.Done:
			text = m.st.dim.Render(text)
		}
		lines[i] = text
	}
	return lines
}

// walk draws the walk as a tree. Where there is little room, an entry's address
// and value stand bare.
func (m *model) walk(w int) []string {
	var lines []string
	for _, l := range m.f.Walk {
		text := l.Text
		if e := l.Entry; e != nil && w < 60 {
			at := fmt.Sprintf("%x", uint64(e.At))
			if e.Size == 0 {
				at = "reg"
			}
			text = fmt.Sprintf("%s %s: %0*x %s", e.Level, at, 2*int(max(e.Size, 4)), uint64(e.Raw), e.Bits)
			if w < 40 {
				text = fmt.Sprintf("%s %0*x %s", e.Level, 2*int(max(e.Size, 4)), uint64(e.Raw), e.Bits)
			}
		}
		if l.Mark != "" {
			text += "  <- " + l.Mark
		}
		if l.Depth > 0 {
			text = strings.Repeat(" ", l.Depth-1) + m.branch() + text
		}
		if l.Bad {
			text = m.st.bad.Render(text)
		}
		lines = append(lines, text)
	}
	return lines
}

func (m *model) branch() string {
	if m.st.line == "-" {
		return "`"
	}
	return "└"
}

func (m *model) stack(w int) []string {
	lines := make([]string, len(m.f.Stack))
	for i, d := range m.f.Stack {
		mark := "  "
		if d.SP {
			mark = m.st.here + " "
		}
		text := fmt.Sprintf("%s%8x %s", mark, d.Addr, d.Value)
		if d.Place != "" {
			text += " " + d.Place
		} else if w >= 40 {
			text += " " + d.Text
		}
		if d.Fresh {
			text = m.st.changed.Render(text)
		}
		lines[i] = text
	}
	return lines
}

// faults lists the chains of events around the present.
func (m *model) faults(h int) []string {
	a := m.s.Timeline.Around(m.f.Tick, h, m.look.scroll[paneFaults])
	var lines []string
	for i, c := range a.Chains {
		mark := "  "
		if a.On && a.First+i == a.Now-1 {
			mark = m.st.here + " "
		}
		text := fmt.Sprintf("%s%10d %s", mark, c.Tick, m.chain(c))
		if mark != "  " {
			text = m.st.now.Render(text)
		} else if a.First+i >= a.Now {
			text = m.st.dim.Render(text)
		}
		lines = append(lines, text)
	}
	if len(lines) < h {
		lines = append(lines, m.st.dim.Render("  "+m.known(a)))
	}
	return lines
}

// chain tells a chain of events in a few words.
func (m *model) chain(c session.Chain) string {
	s := c.First.Name()
	if c.First.IsPageFault() {
		s += fmt.Sprintf(" at %x, code %x", c.First.CR2, c.First.Code)
	} else if c.First.HasCode {
		s += fmt.Sprintf(", code %x", c.First.Code)
	}
	if c.Deliveries > 1 {
		s += fmt.Sprintf(" x%d", c.Deliveries)
	}
	if c.Shutdown {
		s += " " + m.st.then + " shutdown"
	} else if c.Last.Vector != c.First.Vector {
		s += " " + m.st.then + " " + c.Last.Name()
	}
	return s
}

// known tells how far the run is known.
func (m *model) known(a session.Around) string {
	if !a.Done {
		return fmt.Sprintf("known to tick %d, looking on%s", a.Known, m.st.dots)
	}
	return fmt.Sprintf("%s at tick %d", a.End.Reason, a.Known)
}

// faultLine is the list in one line: before, here, after.
func (m *model) faultLine(w int) string {
	a := m.s.Timeline.Around(m.f.Tick, 1<<20, 0)
	before, after, here := a.Now, a.Chains[a.Now:], ""
	if a.On {
		before--
		here = m.st.here + " " + m.chain(a.Chains[before])
	}
	s := fmt.Sprintf("faults: %d before", before)
	if before > 0 && !a.On {
		c := a.Chains[before-1]
		s += fmt.Sprintf(" (%d %s)", c.Tick, m.chain(c))
	}
	s += fmt.Sprintf(", %d to come", a.Total-uint64(a.Now))
	if here != "" {
		s += "  " + here
	} else if len(after) > 0 {
		s += fmt.Sprintf(" (%d %s)", after[0].Tick, m.chain(after[0]))
	}
	if !a.Done {
		s += "  " + m.known(a)
	}
	return m.st.head.Render(m.st.fit(s, w))
}

// staleLine tells in one line which uses of stale TLB entries came before, come
// with this step, and are still to come.
func (m *model) staleLine() string {
	u := m.s.Timeline.Stale(m.f.Tick)
	here := u.Here
	if m.f.Over {
		here = nil
	}
	count := func(n int, what string, use *debug.StaleUse) string {
		s := fmt.Sprintf("%d %s", n, what)
		if use != nil && len(here) == 0 {
			s += fmt.Sprintf(" (%d %x)", use.Tick, uint64(use.Lin))
		}
		return s
	}
	s := "stale TLB: " + count(u.Before, "before", u.Last) + ", " + count(u.After, "to come", u.Next)
	if u.Full {
		s += " or more"
	}
	if len(here) > 0 {
		s = fmt.Sprintf("%s  %s %s of %x", s, m.st.here, here[0].Access, uint64(here[0].Lin))
		return m.st.bad.Render(m.st.fit(s, m.width))
	}
	if !u.Done {
		s += fmt.Sprintf("; watched to tick %d%s", u.Known, m.st.dots)
	} else if u.Known < m.f.Tick {
		s += fmt.Sprintf("; watched to tick %d only", u.Known)
	}
	return m.st.head.Render(m.st.fit(s, m.width))
}

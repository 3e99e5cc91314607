package ui

import "x86emu/debug/session"

// pane is a part of the screen.
type pane uint8

const (
	paneCode pane = iota
	paneRegs
	paneStep
	paneWalk
	paneStack
	paneSerial
	paneFaults
	panes
)

var paneNames = [panes]string{"code", "registers", "next step", "walk", "stack", "serial", "faults"}

// look is what the user looks at.
type look struct {
	focus  pane
	zoom   bool         // the focused pane has the screen
	bank   session.Bank // of the registers
	over   overlay
	scroll [panes]int // lines down from where a pane would stand
}

// box is a pane's place: its first line is its head.
type box struct {
	pane
	x, y, w, h int
}

// A screen is small below these sizes.
const (
	wideWidth  = 120
	wideHeight = 36
)

// layout gives each pane its place in a screen of w by h, its first line and the
// last two left out. regs tells how many lines the registers take in a width.
func layout(w, h int, regs func(width int) int) []box {
	if w < wideWidth || h < wideHeight {
		return small(w, h, regs)
	}
	top, rest := 1, h-3
	c := w * 23 / 100
	a := (w - c - 2) / 2
	b := w - c - 2 - a
	xb, xc := a+1, a+b+2
	code, step := rest*62/100, rest*68/100
	r := min(1+regs(c), rest/2)
	stack := (rest - r) * 55 / 100
	return []box{
		{paneCode, 0, top, a, code},
		{paneSerial, 0, top + code, a, rest - code},
		{paneStep, xb, top, b, step},
		{paneWalk, xb, top + step, b, rest - step},
		{paneRegs, xc, top, c, r},
		{paneStack, xc, top + r, c, stack},
		{paneFaults, xc, top + r + stack, c, rest - r - stack},
	}
}

// small is the layout for a small screen: the line above the status is the
// faults'.
func small(w, h int, regs func(width int) int) []box {
	top, rest := 1, h-4
	faults := box{paneFaults, 0, h - 3, w, 1}
	r := min(1+regs(w), rest*2/5)
	top, rest = top+r, rest-r
	serial := max(2, rest/4)
	step := (rest - serial) / 2
	code := rest - serial - step
	a := w * 57 / 100
	b := w - a - 1
	return []box{
		{paneRegs, 0, 1, w, r},
		{paneCode, 0, top, a, code},
		{paneStack, a + 1, top, b, code},
		{paneStep, 0, top + code, a, step},
		{paneWalk, a + 1, top + code, b, step},
		{paneSerial, 0, top + code + step, w, serial},
		faults,
	}
}

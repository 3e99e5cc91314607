package ui

import (
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
)

// entry is the line that is typed: a command or what to search for.
type entry struct {
	text []rune
	at   int // where the cursor stands
}

// maxEntry bounds what can be typed, in characters.
const maxEntry = 500

// set replaces the line.
func (e *entry) set(text string) { e.text = []rune(text); e.at = len(e.text) }

// insert adds what is typed or pasted, as far as it is printable.
func (e *entry) insert(text string) {
	for _, r := range text {
		if r >= ' ' && r != 0x7f && len(e.text) < maxEntry {
			e.text = slices.Insert(e.text, e.at, r)
			e.at++
		}
	}
}

// press takes a key, those of a shell's line among them.
func (e *entry) press(k tea.KeyPressMsg) {
	switch k.String() {
	case "left", "ctrl+b":
		e.at = max(0, e.at-1)
	case "right", "ctrl+f":
		e.at = min(len(e.text), e.at+1)
	case "home", "ctrl+a":
		e.at = 0
	case "end", "ctrl+e":
		e.at = len(e.text)
	case "backspace", "ctrl+h":
		e.cut(e.at - 1)
	case "delete", "ctrl+d":
		if e.at < len(e.text) {
			e.at++
			e.cut(e.at - 1)
		}
	case "ctrl+u":
		e.cut(0)
	case "ctrl+w":
		before := strings.TrimRight(string(e.text[:e.at]), " ")
		e.cut(len([]rune(before[:strings.LastIndex(before, " ")+1])))
	default:
		e.insert(k.Text)
	}
}

// cut removes what lies between a place and the cursor before which it is.
func (e *entry) cut(from int) {
	if from = max(0, from); from < e.at {
		e.text = slices.Delete(e.text, from, e.at)
		e.at = from
	}
}

// view is the line with its cursor.
func (e *entry) view(st *style) string {
	under, after := " ", ""
	if e.at < len(e.text) {
		under, after = string(e.text[e.at]), string(e.text[e.at+1:])
	}
	return string(e.text[:e.at]) + st.title.Render(under) + after
}

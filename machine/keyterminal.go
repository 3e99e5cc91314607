package machine

import (
	"bytes"
	"io"
	"strconv"
)

// terminalKeys makes the stream of keystrokes of what a terminal sends. A sequence comes
// in one read, which tells it from the key Esc.
// [ECMA-48, Control Sequences; XTerm Control Sequences, PC-Style Function Keys]
type terminalKeys struct {
	from io.Reader
	rest []byte
}

// Read gives whole strokes where there is room for one.
func (t *terminalKeys) Read(b []byte) (n int, err error) {
	if len(t.rest) == 0 {
		var raw [256]byte
		n, err = t.from.Read(raw[:])
		t.rest = appendStrokes(nil, parseTerminal(raw[:n]))
	}
	n = copy(b[:len(b)/strokeSize*strokeSize], t.rest)
	t.rest = t.rest[n:]
	if len(t.rest) > 0 {
		err = nil // it comes again
	}
	return n, err
}

const escape = 0x1b

// parseTerminal are the keys of what came in one read. What no key gives is passed over.
func parseTerminal(b []byte) (strokes []Keystroke) {
	for len(b) > 0 {
		if b[0] == escape && len(b) > 1 {
			key, held, n := escapeSequence(b)
			if key != 0 {
				strokes = append(strokes, press(key, held...)...)
			}
			b = b[n:]
			continue
		}
		key, held := terminalChar(b[0])
		if key != 0 {
			strokes = append(strokes, press(key, held...)...)
		}
		b = b[1:]
	}
	return strokes
}

// terminalChar is the key of a byte that is no sequence; 0 is none.
func terminalChar(c byte) (key Key, held []Key) {
	switch {
	case c == '\r':
		c = '\n'
	case c == escape:
		return keyNames["esc"], nil
	case c == 0x7f, c == '\b':
		return keyNames["backspace"], nil
	case c == 0:
		return keyNames["space"], []Key{keyLeftCtrl}
	case c < ' ' && c != '\t' && c != '\n': // Ctrl and a character
		key, _, _ := keyOf(c | 0x40)
		if c < escape {
			key, _, _ = keyOf(c | 0x60)
		}
		return key, []Key{keyLeftCtrl}
	}
	key, shift, _ := keyOf(c)
	if shift {
		held = []Key{keyLeftShift}
	}
	return key, held
}

// finals are the keys of the sequences that tell them by their last byte, numbered those of
// "ESC [ n ~". The Linux console has F1 to F5 at "ESC [ [ A" and on.
var (
	finals = map[byte]string{
		'A': "up", 'B': "down", 'C': "right", 'D': "left", 'H': "home", 'F': "end", 'E': "kp-5",
		'P': "f1", 'Q': "f2", 'R': "f3", 'S': "f4", 'Z': "tab", 'M': "kp-enter",
	}
	numbered = map[int]string{
		1: "home", 2: "insert", 3: "delete", 4: "end", 5: "pgup", 6: "pgdn", 7: "home", 8: "end",
		11: "f1", 12: "f2", 13: "f3", 14: "f4", 15: "f5", 17: "f6", 18: "f7", 19: "f8", 20: "f9", 21: "f10", 23: "f11", 24: "f12",
	}
)

// escapeSequence is the key of what begins with ESC, and how many bytes that is. ESC
// and a character is that with Alt.
func escapeSequence(b []byte) (key Key, held []Key, n int) {
	switch {
	case b[1] == escape:
		return keyNames["esc"], nil, 1
	case len(b) > 3 && b[1] == '[' && b[2] == '[' && b[3] >= 'A' && b[3] <= 'E':
		return keyNames["f1"] + Key(b[3]-'A'), nil, 4
	case len(b) > 2 && (b[1] == '[' || b[1] == 'O'):
		for n = 2; n < len(b) && (b[n] < 0x40 || b[n] > 0x7e); n++ {
		}
		if n == len(b) {
			return 0, nil, n
		}
		key, held = control(b[2:n], b[n])
		return key, held, n + 1
	}
	key, held = terminalChar(b[1])
	return key, append([]Key{keyLeftAlt}, held...), 2
}

// control is the key of a control sequence: its parameters are a number, and one
// more than a mask of what is held.
func control(parameters []byte, final byte) (key Key, held []Key) {
	first, second, _ := bytes.Cut(parameters, []byte(";"))
	number, _ := strconv.Atoi(string(first))
	mask, _ := strconv.Atoi(string(second))
	name := finals[final]
	switch final {
	case '~':
		name = numbered[number]
	case 'Z':
		mask = 2
	}
	for i, modifier := range []Key{keyLeftShift, keyLeftAlt, keyLeftCtrl} {
		if mask > 0 && (mask-1)>>i&1 != 0 {
			held = append(held, modifier)
		}
	}
	return keyNames[name], held
}

package machine

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"time"
)

// Keystroke is a key that goes down or up, or with Key 0 a pause in typing.
type Keystroke struct {
	Key      Key
	Released bool
	Held     bool          // down to stay, so that the keyboard repeats it
	Wait     time.Duration // whole microseconds, at most an hour
}

// Keys is what is typed on the keyboard: strokes that are known beforehand, or live
// ones of a terminal. It keeps what it has read, as Input does, so that forks and replays
// type the same at the same ticks.
type Keys struct{ in *Input }

// NewKeys makes Keys of strokes; ParseKeys reads them from a text.
func NewKeys(strokes []Keystroke) *Keys {
	return &Keys{NewInput(bytes.NewReader(appendStrokes(nil, strokes)))}
}

// NewLiveKeys makes Keys of what a terminal sends: characters and the escape
// sequences of xterm, as the keys of a US keyboard that give them. It never waits for r.
func NewLiveKeys(r io.Reader) *Keys { return &Keys{NewLiveInput(&terminalKeys{from: r})} }

func (k *Keys) live() bool { return k != nil && k.in.live }

// take is Input.take for the stroke at a position; nil Keys have none.
func (k *Keys) take(ctx context.Context, pos int, now uint64, idle bool) (s Keystroke, ok, more bool) {
	if k == nil {
		return s, false, false
	}
	var record [strokeSize]byte
	for i := range record {
		if record[i], ok, more = k.in.take(ctx, pos+i, now, idle); !ok {
			return s, false, more
		}
	}
	return decodeStroke(record), true, true
}

// A stroke in the stream of an Input: the key, what becomes of it, and the pause in
// microseconds.
const strokeSize = 6

const (
	strokeReleased = 1 << 0
	strokeHeld     = 1 << 1
)

func appendStrokes(b []byte, strokes []Keystroke) []byte {
	for _, s := range strokes {
		what := byte(0)
		if s.Released {
			what |= strokeReleased
		}
		if s.Held {
			what |= strokeHeld
		}
		b = append(b, byte(s.Key), what)
		b = binary.LittleEndian.AppendUint32(b, uint32(s.Wait/time.Microsecond))
	}
	return b
}

func decodeStroke(b [strokeSize]byte) Keystroke {
	wait := time.Duration(binary.LittleEndian.Uint32(b[2:])) * time.Microsecond
	return Keystroke{Key(b[0]), b[1]&strokeReleased != 0, b[1]&strokeHeld != 0, wait}
}

// press is a key that goes down and up, with others held.
func press(key Key, held ...Key) (strokes []Keystroke) {
	for _, h := range held {
		strokes = append(strokes, Keystroke{Key: h})
	}
	strokes = append(strokes, Keystroke{Key: key}, Keystroke{Key: key, Released: true})
	for i := len(held) - 1; i >= 0; i-- {
		strokes = append(strokes, Keystroke{Key: held[i], Released: true})
	}
	return strokes
}

// usRows are the keys that give characters on a US keyboard, from a key on in order,
// without and with Shift.
var usRows = []struct {
	first        Key
	plain, shift string
}{
	{0x29, "`", "~"}, {0x02, "1234567890-=", "!@#$%^&*()_+"},
	{0x10, "qwertyuiop[]", "QWERTYUIOP{}"},
	{0x1e, "asdfghjkl;'", `ASDFGHJKL:"`}, {0x2b, `\`, "|"},
	{0x2c, "zxcvbnm,./", "ZXCVBNM<>?"},
	{0x39, " ", ""}, {0x1c, "\n", ""}, {0x0f, "\t", ""},
}

// keyOf is the key that gives a character, and whether with Shift.
func keyOf(char byte) (key Key, shift, ok bool) {
	for _, row := range usRows {
		for i, chars := range []string{row.plain, row.shift} {
			if at := bytes.IndexByte([]byte(chars), char); at >= 0 {
				return row.first + Key(at), i == 1, true
			}
		}
	}
	return 0, false, false
}

// keyNames are the names of the keys that give no character, and of some that do.
var keyNames = map[string]Key{
	"esc": 0x01, "backspace": 0x0e, "tab": 0x0f, "enter": 0x1c, "space": 0x39,
	"left-ctrl": keyLeftCtrl, "right-ctrl": keyRightCtrl, "left-shift": keyLeftShift, "right-shift": keyRightShift,
	"left-alt": keyLeftAlt, "right-alt": keyRightAlt, "left-win": 0xdb, "right-win": 0xdc, "menu": 0xdd,
	"caps-lock": 0x3a, "num-lock": 0x45, "scroll-lock": 0x46,
	"f1": 0x3b, "f2": 0x3c, "f3": 0x3d, "f4": 0x3e, "f5": 0x3f, "f6": 0x40, "f7": 0x41, "f8": 0x42, "f9": 0x43, "f10": 0x44,
	"f11": 0x57, "f12": 0x58,
	"up": 0xc8, "left": 0xcb, "right": 0xcd, "down": 0xd0, "home": 0xc7, "end": 0xcf, "pgup": 0xc9, "pgdn": 0xd1,
	"insert": 0xd2, "delete": 0xd3, "print": keyPrint, "pause": keyPause, "102nd": 0x56,
	"kp-7": 0x47, "kp-8": 0x48, "kp-9": 0x49, "kp-minus": 0x4a, "kp-4": 0x4b, "kp-5": 0x4c, "kp-6": 0x4d, "kp-plus": 0x4e,
	"kp-1": 0x4f, "kp-2": 0x50, "kp-3": 0x51, "kp-0": 0x52, "kp-dot": 0x53, "kp-star": 0x37, "kp-enter": 0x9c, "kp-slash": 0xb5,
}

// modifiers are the prefixes by which a key is pressed with others held.
var modifiers = map[string]Key{"ctrl": keyLeftCtrl, "shift": keyLeftShift, "alt": keyLeftAlt, "win": 0xdb}

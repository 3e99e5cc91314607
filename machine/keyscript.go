package machine

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// maxKeyWait is the longest pause in a text of keys.
const maxKeyWait = time.Hour

// KeyNames are the names that ParseKeys knows, in order.
func KeyNames() []string { return slices.Sorted(maps.Keys(keyNames)) }

// ParseKeys reads keystrokes from a text: characters of a US keyboard, and
//
//	\n \t \e \b \\ \<                   Enter, Tab, Esc, Backspace, the characters \ and <
//	<f1> <enter> <up>                   a key by its name (KeyNames)
//	<ctrl-c> <alt-shift-f2>             with Ctrl, Shift, Alt or Win held
//	<left-shift down> <left-shift up>   a key that stays down, and repeats, and one let go
//	<wait 10ms>                         a pause of virtual time, from 1us to 1h
//
// A newline is Enter, too. The error says in one line what is wrong.
func ParseKeys(text string) (strokes []Keystroke, err error) {
	for text != "" {
		var more []Keystroke
		switch text[0] {
		case '<':
			item, rest, closed := strings.Cut(text[1:], ">")
			if !closed {
				return nil, fmt.Errorf(`%q has no ">" (the character "<" is "\<")`, text)
			}
			more, err = parseKeyItem(item)
			text = rest
		case '\\':
			more, err = parseKeyEscape(text)
			text = text[min(2, len(text)):]
		default:
			char, n := utf8.DecodeRuneInString(text)
			more, err = typeChar(char)
			text = text[n:]
		}
		if err != nil {
			return nil, err
		}
		strokes = append(strokes, more...)
	}
	return strokes, nil
}

// typeChar is the key that gives a character, with Shift if that needs it.
func typeChar(char rune) ([]Keystroke, error) {
	if char < utf8.RuneSelf {
		if key, shift, ok := keyOf(byte(char)); ok && shift {
			return press(key, keyLeftShift), nil
		} else if ok {
			return press(key), nil
		}
	}
	return nil, fmt.Errorf("no key of a US keyboard gives %q", char)
}

// parseKeyEscape is a backslash and what follows.
func parseKeyEscape(text string) ([]Keystroke, error) {
	if len(text) > 1 {
		switch c := text[1]; c {
		case 'n', 't', 'e', 'b':
			return press(keyNames[map[byte]string{'n': "enter", 't': "tab", 'e': "esc", 'b': "backspace"}[c]]), nil
		case '\\', '<':
			return typeChar(rune(c))
		}
	}
	return nil, fmt.Errorf(`%q: after "\" comes n, t, e, b, "\" or "<"`, text[:min(2, len(text))])
}

// parseKeyItem is what stands between < and >.
func parseKeyItem(item string) ([]Keystroke, error) {
	name, verb, _ := strings.Cut(item, " ")
	if name == "wait" {
		wait, err := time.ParseDuration(verb)
		if err != nil || wait < time.Microsecond || wait > maxKeyWait {
			return nil, fmt.Errorf("<%s>: a pause is one from 1us to 1h, such as <wait 10ms>", item)
		}
		return []Keystroke{{Wait: wait.Truncate(time.Microsecond)}}, nil
	}
	key, held, ok := keyNamed(name)
	switch {
	case !ok:
		return nil, fmt.Errorf("<%s>: no key of this name; there are the characters and %s", item, strings.Join(KeyNames(), " "))
	case verb == "":
		return press(key, held...), nil
	case len(held) == 0 && (verb == "down" || verb == "up"):
		return []Keystroke{{Key: key, Released: verb == "up", Held: verb == "down"}}, nil
	}
	return nil, fmt.Errorf("<%s>: after the name of one key may come down or up", item)
}

// keyNamed is the key of a name, and what is held with it. A character is the name
// of its key, with Shift if that needs it.
func keyNamed(name string) (key Key, held []Key, ok bool) {
	for {
		if key, ok = keyNames[name]; ok {
			return key, held, true
		}
		if len(name) == 1 {
			key, shift, ok := keyOf(name[0])
			if shift {
				held = append(held, keyLeftShift)
			}
			return key, held, ok
		}
		prefix, rest, found := strings.Cut(name, "-")
		modifier, known := modifiers[prefix]
		if !found || !known || rest == "" {
			return 0, nil, false
		}
		held, name = append(held, modifier), rest
	}
}

package debug

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// Words turns a JSON line of a trace into one for people, without its newline:
// tick, kind, then key=value; strings stand without their key, an explanation of
// the field before it in brackets, an address of it behind an @. Details for
// programs are left out. A line that is no flat JSON object of strings, numbers
// and truth values comes back as it is. What cannot be printed becomes a ?.
func Words(line []byte) string {
	var b strings.Builder
	line = bytes.TrimSpace(line)
	s := fieldScanner{rest: line}
	for s.next() {
		k, v := s.key, s.value
		switch {
		case k == "tick":
			fmt.Fprintf(&b, "%10s", v)
		case k == "kind":
			fmt.Fprintf(&b, " %-8s", v)
		case k == "vector", k == "bytes":
		case k == "means", strings.HasSuffix(k, ".bits"):
			b.WriteString(" (" + v + ")")
		case strings.HasSuffix(k, ".at"):
			b.WriteString("@" + v)
		case k == "ok" && v == "true":
			b.WriteString(" ok  ")
		case k == "ok":
			b.WriteString(" FAIL")
		case s.quoted && !strings.HasPrefix(v, "0x"):
			b.WriteString(" " + v)
		default:
			b.WriteString(" " + k + "=" + v)
		}
	}
	text := b.String()
	if !s.done {
		text = string(line)
	}
	// A file may hold what a terminal would obey.
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, text)
}

// LineKind tells the tick and the kind of a JSON line of a trace; they come first.
func LineKind(line []byte) (tick uint64, kind string, ok bool) {
	s := fieldScanner{rest: line}
	if !s.next() || s.key != "tick" || s.quoted {
		return 0, "", false
	}
	tick, err := strconv.ParseUint(s.value, 10, 64)
	if err != nil || !s.next() || s.key != "kind" {
		return 0, "", false
	}
	return tick, s.value, true
}

// fieldScanner goes through the fields of a flat JSON object.
type fieldScanner struct {
	rest   []byte
	begun  bool
	done   bool // the object was whole
	key    string
	value  string
	quoted bool // the value is a string
}

// next finds the next field.
func (s *fieldScanner) next() bool {
	open := byte(',')
	if !s.begun {
		open, s.begun = '{', true
	} else if len(s.rest) == 1 && s.rest[0] == '}' {
		s.done = true
		return false
	}
	if !s.take(open) || !s.text(&s.key) || !s.take(':') {
		return false
	}
	if s.quoted = len(s.rest) > 0 && s.rest[0] == '"'; s.quoted {
		return s.text(&s.value)
	}
	n := bytes.IndexAny(s.rest, ",}")
	if n <= 0 || bytes.ContainsAny(s.rest[:n], "{[\"") {
		return false
	}
	s.value, s.rest = string(s.rest[:n]), s.rest[n:]
	return true
}

// take takes one byte.
func (s *fieldScanner) take(c byte) bool {
	if len(s.rest) == 0 || s.rest[0] != c {
		return false
	}
	s.rest = s.rest[1:]
	return true
}

// text takes a string.
func (s *fieldScanner) text(to *string) bool {
	if !s.take('"') {
		return false
	}
	if n := bytes.IndexAny(s.rest, "\"\\"); n >= 0 && s.rest[n] == '"' {
		*to, s.rest = string(s.rest[:n]), s.rest[n+1:]
		return true
	}
	var b strings.Builder
	for i := 0; i < len(s.rest); i++ {
		switch c := s.rest[i]; c {
		case '"':
			*to, s.rest = b.String(), s.rest[i+1:]
			return true
		case '\\':
			if i++; i == len(s.rest) {
				return false
			}
			b.WriteByte(s.rest[i])
		default:
			b.WriteByte(c)
		}
	}
	return false
}

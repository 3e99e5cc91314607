package tracefile

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"x86emu/debug"
)

// Difference is where two traces part.
type Difference struct {
	Same   uint64   // lines that both have
	Before []string // the last of them
	A, B   []string // what comes in each then; empty where it ends
}

// errKinds is told with the kinds of both.
var errKinds = errors.New("the traces hold different things, so that they cannot be compared")

// Comparable tells why two traces cannot be compared: they hold other kinds of
// events, or other addresses.
func Comparable(a, b *Header) error {
	if a.Kinds != b.Kinds {
		return fmt.Errorf("%w: kinds %s, and %s", errKinds, a.Kinds, b.Kinds)
	}
	if a.First != b.First || a.Last != b.Last {
		return fmt.Errorf("%w: addresses %v-%v, and %v-%v", errKinds, a.First, a.Last, b.First, b.Last)
	}
	return nil
}

// Diff finds the first line in which two traces differ, with so many lines of
// context before and after; nil where there is none. It reads no further than
// that, in little memory however long the traces are.
func Diff(a, b *Reader, context int) (*Difference, error) {
	if err := Comparable(&a.Header, &b.Header); err != nil {
		return nil, err
	}
	d := &Difference{}
	before := make([][]byte, context) // line n in n%context
	for {
		x, err := next(a, "the first trace")
		if err != nil {
			return nil, err
		}
		y, err := next(b, "the second trace")
		if err != nil {
			return nil, err
		}
		if !bytes.Equal(x, y) {
			for n := d.Same - min(d.Same, uint64(context)); n < d.Same; n++ {
				d.Before = append(d.Before, string(before[n%uint64(context)]))
			}
			if d.A, err = after(a, "the first trace", x, context); err != nil {
				return nil, err
			}
			d.B, err = after(b, "the second trace", y, context)
			return d, err
		}
		if x == nil {
			return nil, nil
		}
		if context > 0 {
			last := &before[d.Same%uint64(context)]
			*last = append((*last)[:0], x...)
		}
		d.Same++
	}
}

// next is a trace's next line; nil is its end.
func next(r *Reader, which string) ([]byte, error) {
	line, err := r.Next()
	if err == io.EOF {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", which, err)
	}
	return line, nil
}

// after takes a line and some more.
func after(r *Reader, which string, line []byte, more int) (lines []string, err error) {
	for line != nil {
		lines = append(lines, string(line))
		if len(lines) > more {
			break
		}
		if line, err = next(r, which); err != nil {
			// The difference is found; what is wrong behind it changes nothing.
			return append(lines, err.Error()), nil
		}
	}
	return lines, nil
}

// WriteText tells a difference, a line in words for each event.
func (d *Difference) WriteText(w io.Writer) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%d lines are the same; then the traces differ\n", d.Same)
	for _, line := range d.Before {
		fmt.Fprintf(&b, "    %s\n", words(line))
	}
	for _, side := range []struct {
		mark  string
		lines []string
	}{{"A", d.A}, {"B", d.B}} {
		if len(side.lines) == 0 {
			fmt.Fprintf(&b, "%s > (ends here)\n", side.mark)
		}
		for i, line := range side.lines {
			point := " "
			if i == 0 {
				point = ">"
			}
			fmt.Fprintf(&b, "%s %s %s\n", side.mark, point, words(line))
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}

// words is a line for people.
func words(line string) string { return debug.Words(bytes.TrimSpace([]byte(line))) }

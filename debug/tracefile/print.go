package tracefile

import (
	"bufio"
	"cmp"
	"errors"
	"io"

	"x86emu/debug"
)

// Print writes the lines of a trace that a filter chooses, as JSON lines with
// the header, or in words. The range of the filter narrows that of the header;
// where an event is, is known from the instructions before it, so that a range
// needs a trace that has them.
func (t *Reader) Print(w io.Writer, f debug.Filter, asJSON bool) error {
	kinds := t.Header.known()
	if kinds&debug.KindInst == 0 && (f.First > uint64(t.Header.First) || f.Last < uint64(t.Header.Last)) {
		return errors.New("a range cannot be chosen: the trace has no instructions")
	}
	b := bufio.NewWriterSize(w, 1<<16)
	err := t.print(b, debug.LineFilter{Filter: f}, kinds, asJSON)
	return cmp.Or(err, b.Flush())
}

func (t *Reader) print(w *bufio.Writer, f debug.LineFilter, kinds debug.Kinds, asJSON bool) error {
	if asJSON {
		h := t.Header
		h.Kinds = (kinds & f.Kinds).String()
		h.First, h.Last = max(h.First, debug.Hex(f.First)), min(h.Last, debug.Hex(f.Last))
		w.Write(h.line()) // the error comes out of Flush
	}
	for !f.Done() {
		line, err := t.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		_, kind, _ := debug.LineKind(line)
		switch {
		case !f.Keep(line) || kind == debug.KindEnd && !asJSON:
		case asJSON:
			w.Write(line)
		default:
			w.WriteString(debug.Words(line))
			w.WriteByte('\n')
		}
	}
	return nil
}

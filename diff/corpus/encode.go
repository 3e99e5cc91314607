package corpus

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"strings"

	"x86emu/diff"
)

// Format is the name of the format with its version.
const Format = "x86emu-cases 1"

// Encode writes a case, and the answer to it if there is one, as one line
// without its end. Of the answer only the given fields count.
func Encode(c *diff.Case, count diff.Fields, answer *diff.Result) (string, error) {
	w, err := diff.WorldByName(c.World)
	if err != nil {
		return "", err
	}
	l := line{ID: c.ID, Rule: c.Rule, Code: c.Code, Regs: changed(&c.Regs, &w.Regs, diff.AllFields), Steps: c.Steps}
	if c.Kind != diff.Insn {
		l.Kind = kindNames[c.Kind]
	}
	if c.World != "user" {
		l.World = c.World
	}
	if c.Model != "max" {
		l.Model = c.Model
	}
	for _, p := range c.Patches {
		l.Patches = append(l.Patches, patch{number(p.At), p.Bytes})
	}
	if a := c.Access; a != nil {
		l.Access = &access{Linear: number(a.Linear), Size: a.Size, Write: a.Write, Fetch: a.Fetch, User: a.User, Implicit: a.Implicit, CR3: number(a.CR3)}
		if a.Poke != nil {
			l.Access.Poke = &patch{number(a.Poke.At), a.Poke.Bytes}
		}
	}
	if e := c.Event; e != nil {
		l.Event = &event{howNames[e.How], e.Vector, e.Error, e.Selector, number(e.Offset), e.OpSize, number(e.CR2), e.Release, e.Register}
	}
	m := diff.Mask{}
	if c.Except != nil {
		m = *c.Except
	}
	if answer != nil {
		m.Fields |= diff.AllFields &^ count
	}
	if c.Except != nil || m.Fields != 0 {
		l.Except = encodeMask(&m)
	}
	if answer != nil && answer.End != diff.Silent {
		l.Want = encodeResult(c, answer, count)
	}
	return encode(&l)
}

// encode leaves < and > as they are: rules have them.
func encode(l *line) (string, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(l)
	return strings.TrimSuffix(b.String(), "\n"), err
}

func encodeResult(c *diff.Case, r *diff.Result, count diff.Fields) *want {
	w := &want{CR2: number(r.CR2)}
	if r.End != diff.Trapped {
		w.End = endNames[r.End]
	}
	if r.End != diff.Shutdown {
		w.Vector, w.Regs = r.Vector, changed(&r.Regs, &c.Regs, count)
	}
	if r.HasError {
		w.Error = &r.Error
	}
	w.Mem = encodeWords(r.Mem)
	return w
}

func encodeWords(mem []diff.Word) []word {
	var out []word
	for _, m := range mem {
		out = append(out, word{number(m.At), number(m.Value)})
	}
	return out
}

func encodeMask(m *diff.Mask) *except {
	e := &except{Flags: number(m.Flags), Error: m.Error, CR2: number(m.CR2), DR6: number(m.DR6), Tables: number(m.Tables),
		Mem: encodeWords(m.Mem), Fields: m.Fields.Names(), Regs: registers{}}
	for i, v := range m.GPR {
		if v != 0 {
			e.Regs[strings.ToLower(diff.Registers[i].Name)] = number(v)
		}
	}
	return e
}

// Writer writes a corpus.
type Writer struct {
	w io.Writer
	z *gzip.Writer
}

// NewWriter begins a corpus with its header. It is compressed if the name ends
// in .gz.
func NewWriter(w io.Writer, name, source, version string) (*Writer, error) {
	out := &Writer{w: w}
	if strings.HasSuffix(name, ".gz") {
		var err error
		if out.z, err = gzip.NewWriterLevel(w, gzip.BestCompression); err != nil {
			return nil, err
		}
		out.w = out.z
	}
	header, err := encode(&line{Format: Format, Source: source, Version: version})
	if err != nil {
		return nil, err
	}
	_, err = io.WriteString(out.w, header+"\n")
	return out, err
}

// Write adds a case with its answer, of which the given fields count.
func (w *Writer) Write(c *diff.Case, count diff.Fields, answer *diff.Result) error {
	text, err := Encode(c, count, answer)
	if err != nil {
		return err
	}
	_, err = io.WriteString(w.w, text+"\n")
	return err
}

// Close ends the corpus, not the writer below it.
func (w *Writer) Close() error {
	if w.z != nil {
		return w.z.Close()
	}
	return nil
}

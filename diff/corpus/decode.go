package corpus

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"x86emu/cpu"
	"x86emu/diff"
)

// Bounds of what a line may ask for.
const (
	maxLine    = 1 << 20
	maxCode    = 4096
	maxPatches = 4096
	maxSteps   = 10_000_000
)

// Sources are the origins that an answer may have.
var Sources = []string{"hw", "kvm", "sdm", "majority"}

// Decode reads a case from one line. The answer is Silent if the line has
// none. An error is one line.
func Decode(text []byte) (*diff.Case, *diff.Result, error) {
	l, err := parse(text)
	if err != nil {
		return nil, nil, err
	}
	if l.Format != "" {
		return nil, nil, errors.New("a header, not a case")
	}
	return l.decode()
}

// parse reads the JSON of a line.
func parse(text []byte) (*line, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	l := new(line)
	if err := d.Decode(l); err != nil {
		return nil, jsonError(err)
	}
	if d.InputOffset() < int64(len(bytes.TrimRight(text, " \t\r\n"))) {
		return nil, errors.New("more than one JSON object in a line")
	}
	return l, nil
}

// jsonError says what is wrong in the words of the format.
func jsonError(err error) error {
	var typ *json.UnmarshalTypeError
	var syn *json.SyntaxError
	switch {
	case errors.As(err, &typ):
		return fmt.Errorf("%q: a %s is not what belongs here", typ.Field, typ.Value)
	case errors.As(err, &syn), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return errors.New("not a JSON object")
	}
	return errors.New(strings.TrimPrefix(err.Error(), "json: "))
}

func (l *line) decode() (*diff.Case, *diff.Result, error) {
	c := &diff.Case{ID: l.ID, World: l.World, Model: l.Model, Rule: l.Rule, Code: l.Code, Steps: l.Steps}
	if c.World == "" {
		c.World = "user"
	}
	if c.Model == "" {
		c.Model = "max"
	}
	w, err := diff.WorldByName(c.World)
	if err != nil {
		return nil, nil, err
	}
	if _, ok := cpu.ModelByName(c.Model); !ok {
		return nil, nil, fmt.Errorf("model %q: must be one of %s", shorten(c.Model), strings.Join(cpu.ModelNames(), ", "))
	}
	kind, err := index(kindNames, l.Kind, "kind")
	if err != nil {
		return nil, nil, err
	}
	c.Kind = diff.Kind(kind)
	c.Regs = w.Regs
	if err := l.Regs.set(&c.Regs); err != nil {
		return nil, nil, err
	}
	switch {
	case len(c.Code) > maxCode:
		return nil, nil, fmt.Errorf("%d bytes of code are more than %d", len(c.Code), maxCode)
	case len(l.Patches) > maxPatches:
		return nil, nil, fmt.Errorf("%d patches are more than %d", len(l.Patches), maxPatches)
	case c.Steps < 0 || c.Steps > maxSteps:
		return nil, nil, fmt.Errorf("steps %d: must be from 0 to %d", c.Steps, maxSteps)
	}
	for i := range l.Patches {
		p, err := l.Patches[i].decode()
		if err != nil {
			return nil, nil, err
		}
		c.Patches = append(c.Patches, *p)
	}
	if a := l.Access; a != nil {
		if !slices.Contains([]int{1, 2, 4, 8}, a.Size) {
			return nil, nil, fmt.Errorf("access of %d bytes: must be 1, 2, 4 or 8", a.Size)
		}
		c.Access = &diff.Access{Linear: uint64(a.Linear), Size: a.Size, Write: a.Write, Fetch: a.Fetch, User: a.User, Implicit: a.Implicit, CR3: uint64(a.CR3)}
		if c.Access.Poke, err = a.Poke.decode(); err != nil {
			return nil, nil, err
		}
	}
	if c.Event, err = l.Event.decode(); err != nil {
		return nil, nil, err
	}
	if c.Except, err = l.Except.decode(); err != nil {
		return nil, nil, err
	}
	r, err := l.Want.decode(c)
	return c, r, err
}

func (p *patch) decode() (*diff.Patch, error) {
	if p == nil {
		return nil, nil
	}
	if p.At > diff.ArenaSize || uint64(p.At)+uint64(len(p.Bytes)) > diff.ArenaSize {
		return nil, fmt.Errorf("patch at %x of %d bytes reaches out of the arena of %x", uint64(p.At), len(p.Bytes), diff.ArenaSize)
	}
	return &diff.Patch{At: diff.Offset(p.At), Bytes: p.Bytes}, nil
}

func (e *event) decode() (*diff.Event, error) {
	if e == nil {
		return nil, nil
	}
	how, err := index(howNames, e.How, "how")
	if err != nil {
		return nil, err
	}
	if !slices.Contains([]int{0, 2, 4, 8}, e.OpSize) {
		return nil, fmt.Errorf("opsize %d: must be 2, 4 or 8", e.OpSize)
	}
	if e.Register < 0 || e.Register > 5 {
		return nil, fmt.Errorf("event: register %d: must be 0 to 5", e.Register)
	}
	return &diff.Event{
		How: diff.How(how), Vector: e.Vector, Error: e.Error, Selector: e.Selector, Offset: uint64(e.Offset), OpSize: e.OpSize,
		CR2: uint64(e.CR2), Release: e.Release, Register: e.Register,
	}, nil
}

func (e *except) decode() (*diff.Mask, error) {
	if e == nil {
		return nil, nil
	}
	m := &diff.Mask{Flags: uint64(e.Flags), Error: e.Error, CR2: uint64(e.CR2), DR6: uint64(e.DR6), Tables: uint64(e.Tables)}
	var r diff.Regs
	if err := e.Regs.set(&r); err != nil {
		return nil, err
	}
	m.GPR = r.GPR
	if r.GPR = [16]uint64{}; r != (diff.Regs{}) {
		return nil, errors.New("except: regs may name general registers only")
	}
	var err error
	if m.Mem, err = decodeWords(e.Mem); err != nil {
		return nil, err
	}
	for _, name := range e.Fields {
		f, ok := diff.FieldByName(name)
		if !ok {
			return nil, fmt.Errorf("no field %q", shorten(name))
		}
		m.Fields |= f
	}
	return m, nil
}

func (w *want) decode(c *diff.Case) (*diff.Result, error) {
	if w == nil {
		return &diff.Result{End: diff.Silent, Note: "no answer is in the corpus"}, nil
	}
	end, err := index(endNames, w.End, "end")
	if err != nil {
		return nil, err
	}
	r := &diff.Result{End: diff.End(end), Vector: w.Vector, CR2: uint64(w.CR2)}
	if w.Error != nil {
		r.HasError, r.Error = true, *w.Error
	}
	if r.End != diff.Shutdown {
		r.Regs = c.Regs
		if err := w.Regs.set(&r.Regs); err != nil {
			return nil, err
		}
	}
	r.Mem, err = decodeWords(w.Mem)
	return r, err
}

// decodeWords reads words in order.
func decodeWords(words []word) ([]diff.Word, error) {
	var out []diff.Word
	for _, w := range words {
		if w.At >= diff.ArenaSize || w.At%8 != 0 || len(out) > 0 && out[len(out)-1].At >= diff.Offset(w.At) {
			return nil, fmt.Errorf("mem %x: places are multiples of 8 below %x, in order", uint64(w.At), diff.ArenaSize)
		}
		out = append(out, diff.Word{At: diff.Offset(w.At), Value: uint64(w.Value)})
	}
	return out, nil
}

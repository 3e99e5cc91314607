package corpus

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"x86emu/diff"
)

// Group are cases whose answers have the same origin.
type Group struct {
	Source  string // hw, kvm, sdm, majority; "" if the corpus does not say
	Version string
	Cases   []*diff.Case
	Answers []diff.Result
}

// maxCorpus bounds what is read of a corpus after it is decompressed.
const maxCorpus = 4 << 30

// Read reads a whole corpus, gzip'd or not. name is for errors, which are one line
// and tell the line of the file.
func Read(r io.Reader, name string) ([]*Group, error) {
	b := bufio.NewReaderSize(r, 64<<10)
	if magic, _ := b.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(b)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		b = bufio.NewReaderSize(z, 64<<10)
	}
	s := bufio.NewScanner(io.LimitReader(b, maxCorpus))
	s.Buffer(nil, maxLine)
	var groups []*Group
	n := 0
	for s.Scan() {
		n++
		text := bytes.TrimSpace(s.Bytes())
		if len(text) == 0 {
			continue
		}
		if err := add(&groups, text); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, n, err)
		}
	}
	switch err := s.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return nil, fmt.Errorf("%s:%d: a line of more than %d bytes", name, n+1, maxLine)
	case err != nil:
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return groups, nil
}

// add reads a line into the last group, or begins another.
func add(groups *[]*Group, text []byte) error {
	l, err := parse(text)
	if err != nil {
		return err
	}
	if l.Format != "" {
		if l.Format != Format {
			return fmt.Errorf("format %q: this reads %q", shorten(l.Format), Format)
		}
		if l.Source != "" && !slices.Contains(Sources, l.Source) {
			return fmt.Errorf("source %q: must be one of %s", shorten(l.Source), strings.Join(Sources, ", "))
		}
		*groups = append(*groups, &Group{Source: l.Source, Version: l.Version})
		return nil
	}
	c, r, err := l.decode()
	if err != nil {
		return err
	}
	if len(*groups) == 0 {
		*groups = append(*groups, &Group{})
	}
	g := (*groups)[len(*groups)-1]
	g.Cases, g.Answers = append(g.Cases, c), append(g.Answers, *r)
	return nil
}

// Answered tells whether there is an answer to any case.
func (g *Group) Answered() bool {
	return slices.ContainsFunc(g.Answers, func(r diff.Result) bool { return r.End != diff.Silent })
}

// Oracle gives the answers of the group to its cases.
func (g *Group) Oracle() diff.Oracle {
	o := &recorded{group: g, answers: make(map[*diff.Case]*diff.Result, len(g.Cases))}
	for i, c := range g.Cases {
		o.answers[c] = &g.Answers[i]
	}
	return o
}

// recorded is an oracle that reads its answers off.
type recorded struct {
	group   *Group
	answers map[*diff.Case]*diff.Result
}

// Name is that of the oracle that was asked, so that what is known of it applies.
func (o *recorded) Name() string {
	switch o.group.Source {
	case "hw":
		return "native"
	case "":
		return "corpus"
	}
	return o.group.Source
}

func (o *recorded) Version() string {
	if o.group.Version == "" {
		return "recorded"
	}
	return o.group.Version + ", recorded"
}

func (o *recorded) Answers(c *diff.Case) diff.Fields { return diff.AllFields }
func (o *recorded) Close() error                     { return nil }

func (o *recorded) Run(_ context.Context, cases []*diff.Case, results []diff.Result) error {
	for i, c := range cases {
		if r := o.answers[c]; r != nil {
			results[i] = *r
		} else {
			results[i] = diff.Result{End: diff.Silent, Note: "not a case of the corpus"}
		}
	}
	return nil
}

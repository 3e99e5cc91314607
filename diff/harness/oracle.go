package harness

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"x86emu/diff"
)

// Engine is a machine that can run the image.
type Engine interface {
	Name() string
	Version() string
	// Look says in one line why the engine cannot run here, if so.
	Look() error
	// Answers says which fields of an answer mean something, of those that the
	// harness can tell.
	Answers(c *diff.Case) diff.Fields
	// Boot starts the image with a table as its module, and writes to console what
	// comes out of port 0xE9, until the image has ended the run, the machine has shut
	// down, or ctx ends. An error, one line, says that it could not.
	Boot(ctx context.Context, table []byte, console io.Writer) error
	Close() error
}

// Limits on time: on a busy machine too, an engine starts within the first and
// ends every case within the second.
const (
	bootTime = 60 * time.Second
	caseTime = 5 * time.Second
)

type oracle struct {
	engine   Engine
	patience time.Duration // with a case
	number   uint32        // of the last run of the image
}

// New makes an oracle of an engine that can run here.
func New(e Engine) (diff.Oracle, error) {
	if err := e.Look(); err != nil {
		return nil, fmt.Errorf("%s: %w", e.Name(), err)
	}
	return &oracle{engine: e, patience: caseTime}, nil
}

func (o *oracle) Name() string    { return o.engine.Name() }
func (o *oracle) Version() string { return o.engine.Version() }
func (o *oracle) Close() error    { return o.engine.Close() }

func (o *oracle) Answers(c *diff.Case) diff.Fields {
	f := o.engine.Answers(c)
	if w, err := diff.WorldByName(c.World); err == nil && !w.User && w.Regs.EFER == 0 {
		f &^= diff.FieldError // it cannot be told from other words of the stack
	}
	return f
}

// Run answers cases, as many as go into a table at a time.
func (o *oracle) Run(ctx context.Context, cases []*diff.Case, results []diff.Result) error {
	for at := 0; at < len(cases); {
		n, dirty, err := o.batch(ctx, cases[at:], results[at:], false)
		if dirty && err == nil {
			n, _, err = o.batch(ctx, cases[at:at+n], results[at:], true)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", o.Name(), err)
		}
		at += n
	}
	return nil
}

// batch answers as many cases as go into a table. all is whether every page of
// the arena is looked at; dirty says that it has to be.
func (o *oracle) batch(ctx context.Context, cases []*diff.Case, results []diff.Result, all bool) (n int, dirty bool, err error) {
	o.number++
	t := newTable(o.number)
	b := &batch{oracle: o, table: t}
	at := 0
	for ; at < len(cases); at++ {
		results[at] = diff.Result{End: diff.Silent, Note: "not asked"}
		if o.engine.Answers(cases[at]) == 0 {
			continue
		}
		q, err := newQuestion(cases[at], all)
		if err != nil {
			results[at].Note = err.Error()
			continue
		}
		if !t.add(q) {
			if len(b.questions) == 0 {
				results[at].Note = "the case is too large"
				continue
			}
			break
		}
		b.questions = append(b.questions, q)
		b.results = append(b.results, &results[at])
	}
	err = b.run(ctx)
	return at, b.dirty, err
}

// batch is what one table asks.
type batch struct {
	*oracle
	table     *table
	questions []*question
	results   []*diff.Result

	next    int // the first one without an answer
	started bool
	ended   bool
	dirty   bool
}

// run boots the image until every question has its answer: again after each
// case that the engine does not come back from.
func (b *batch) run(ctx context.Context) error {
	for b.next < len(b.questions) {
		b.started, b.ended = false, false
		late, err := b.boot(ctx)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case !b.started && err == nil:
			return errors.New("the image did not start")
		case !b.started:
			return err
		case b.next == len(b.questions):
			return nil
		case late:
			*b.results[b.next] = diff.Result{End: diff.Silent, Note: fmt.Sprintf("no end within %v", b.patience)}
		case b.ended:
			return fmt.Errorf("the image has ended without an answer to case %s", b.questions[b.next].c.ID)
		case err != nil:
			*b.results[b.next] = diff.Result{End: diff.Silent, Note: err.Error()}
		default:
			*b.results[b.next] = diff.Result{End: diff.Shutdown}
		}
		b.next++
	}
	return nil
}

// boot runs the image once, from the next question on. late says that it was
// stopped since a case did not end.
func (b *batch) boot(ctx context.Context) (late bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, 1)
	heard := make(chan *report, 256)
	console := &reports{got: func(r *report) {
		select {
		case heard <- r:
		case <-ctx.Done():
		}
	}}
	go func() {
		done <- b.engine.Boot(ctx, b.table.image(b.next), console)
		close(heard)
	}()
	timer := time.NewTimer(bootTime)
	defer timer.Stop()
	for {
		select {
		case r, ok := <-heard:
			if !ok {
				return late, <-done
			}
			if b.take(r) {
				timer.Reset(b.patience)
			}
			if b.next == len(b.questions) && r.kind == reportEnd {
				// An engine that has no way to end is ended.
				time.AfterFunc(time.Second, cancel)
			}
		case <-timer.C:
			late = b.started
			cancel()
			for range heard {
			}
			return late, <-done
		}
	}
}

// take is given each report as it comes, and tells whether it is progress.
func (b *batch) take(r *report) bool {
	switch r.kind {
	case reportHello:
		b.started = b.started || r.number == b.table.number
		return true
	case reportDirty:
		b.dirty = true
		return true
	case reportEnd:
		b.ended = true
		return true
	}
	if int(r.number) != b.next || b.next >= len(b.questions) {
		return false
	}
	if to := b.results[b.next]; r.kind == reportShutdown {
		*to = diff.Result{End: diff.Shutdown}
	} else {
		b.questions[b.next].answer(r, to)
	}
	b.next++
	return true
}

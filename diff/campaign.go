package diff

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"
)

// Campaign asks several oracles the same cases and counts who differs from whom.
// The first oracle is the reference: each of the others is compared with it.
type Campaign struct {
	Oracles []Oracle
	Known   []Row
	Cases   iter.Seq2[uint64, *Case] // number and case
	Total   uint64                   // how many there will be, for Progress; 0: unknown
	Batch   int                      // cases asked at once; 0: DefaultBatch
	First   bool                     // end behind the first batch with something unexplained
	Keep    int                      // divergences kept in the summary, the first ones; 0: 20
	// Encode writes a case in one line for the summary, if it is not nil.
	Encode func(*Case) string
	// Progress is called after each batch, if it is not nil.
	Progress func(Progress)
	// Answers is called with each case and the answers to it, in the order of
	// Oracles, if it is not nil. They are valid during the call.
	Answers func(n uint64, c *Case, answers []Result) error
}

// DefaultBatch is how many cases an oracle is asked at once.
const DefaultBatch = 4096

// Progress is how far a campaign has come.
type Progress struct {
	Done, Total        uint64 // cases
	Known, Unexplained uint64 // differences
	Elapsed            time.Duration
}

// Generated are the cases of a generator from number from on, every
// shards-th of them beginning with the shard-th, up to number from+count.
func Generated(g Generator, seed, from, count uint64, shard, shards int) iter.Seq2[uint64, *Case] {
	return func(yield func(uint64, *Case) bool) {
		for n := from + uint64(shard); n < from+count; n += uint64(shards) {
			if !yield(n, MakeCase(g, seed, n)) {
				return
			}
		}
	}
}

// Listed are cases in order, numbered from 0.
func Listed(cases []*Case) iter.Seq2[uint64, *Case] {
	return func(yield func(uint64, *Case) bool) {
		for n, c := range cases {
			if !yield(uint64(n), c) {
				return
			}
		}
	}
}

// Run asks all cases. When it fails, what was counted up to there is returned
// as well.
func (p *Campaign) Run(ctx context.Context) (*Summary, error) {
	size := p.Batch
	if size <= 0 {
		size = DefaultBatch
	}
	s := newSummary(p)
	begin := time.Now()
	numbers, cases := make([]uint64, 0, size), make([]*Case, 0, size)
	answers := make([][]Result, len(p.Oracles))
	for i := range answers {
		answers[i] = make([]Result, size)
	}
	flush := func() error {
		if err := p.ask(ctx, cases, answers); err != nil {
			return err
		}
		row := make([]Result, len(answers))
		for i, c := range cases {
			for j := range answers {
				row[j] = answers[j][i]
			}
			if err := s.judge(p, numbers[i], c, row); err != nil {
				return err
			}
			if p.Answers != nil {
				if err := p.Answers(numbers[i], c, row); err != nil {
					return err
				}
			}
		}
		if p.Progress != nil {
			known, unexplained := s.differences()
			p.Progress(Progress{s.Cases, p.Total, known, unexplained, time.Since(begin)})
		}
		numbers, cases = numbers[:0], cases[:0]
		return nil
	}
	for n, c := range p.Cases {
		numbers, cases = append(numbers, n), append(cases, c)
		if len(cases) == size {
			if err := flush(); err != nil {
				return s, err
			}
			if p.First && s.Unexplained() > 0 {
				return s, nil
			}
		}
	}
	if len(cases) > 0 {
		if err := flush(); err != nil {
			return s, err
		}
	}
	return s, nil
}

// ask puts a batch to all oracles at the same time.
func (p *Campaign) ask(ctx context.Context, cases []*Case, answers [][]Result) error {
	errs := make([]error, len(p.Oracles))
	var wg sync.WaitGroup
	for i, o := range p.Oracles {
		wg.Go(func() { errs[i] = o.Run(ctx, cases, answers[i][:len(cases)]) })
	}
	wg.Wait()
	for i, err := range errs {
		if err != nil {
			return fmt.Errorf("%s: %w", p.Oracles[i].Name(), err)
		}
	}
	return nil
}

// Verdict is what comes of comparing two answers.
type Verdict uint8

const (
	Agree       Verdict = iota
	Masked              // they differ in what is undefined only
	Known               // a row foretells the difference
	Unexplained         // nothing does
	Unasked             // one of them is silent, or the oracle cannot answer such a case
)

func (v Verdict) String() string {
	return [...]string{"agrees", "agrees in all but what is undefined", "differs as known", "differs, unexplained", "not asked"}[v]
}

// Judge compares the answer of an oracle with the reference's. names are the
// rows that mask or explain; fields are those that differ.
func Judge(c *Case, rows []Row, ref, other Oracle, right, answer *Result) (v Verdict, fields Fields, names []string, err error) {
	count := ref.Answers(c) & other.Answers(c)
	if count == 0 || right.End == Silent || answer.End == Silent {
		return Unasked, 0, nil, nil
	}
	if same(right, answer, count) {
		return Agree, 0, nil, nil
	}
	x, err := NewContext(c)
	if err != nil {
		return Unexplained, 0, nil, err
	}
	var m Mask
	if c.Except != nil {
		m.join(c.Except)
	}
	if x.Compare(right, answer, count, &m) == 0 {
		return Agree, 0, nil, nil
	}
	undefined, names := x.MaskOf(right)
	m.join(&undefined)
	fields = x.Compare(right, answer, count, &m)
	if fields == 0 {
		return Masked, 0, names, nil
	}
	if names = x.Explain(rows, other.Name(), other.Version(), right, answer, count, &m); names != nil {
		return Known, fields, names, nil
	}
	return Unexplained, fields, nil, nil
}

// same tells quickly that two answers are equal in all that counts; that it
// says no means nothing.
func same(a, b *Result, count Fields) bool {
	if a.End != b.End || a.Vector != b.Vector || a.HasError != b.HasError || a.Error != b.Error || a.CR2 != b.CR2 {
		return false
	}
	const registers = FieldGPR | FieldRIP | FieldFlags | FieldSeg | FieldSystem
	if count&registers != 0 && a.Regs != b.Regs {
		return false
	}
	return count&(FieldMem|FieldTables) == 0 || slices.Equal(a.Mem, b.Mem)
}

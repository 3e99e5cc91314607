package diff

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"x86emu/decode"
	"x86emu/idt"
)

// Summary is what a campaign has found. It depends on its cases and oracles
// alone, not on time or on how the cases were cut into batches or shards, and
// is written as JSON for Merge.
type Summary struct {
	Of      string // what the cases were: "insn, seed 1, 2000000 cases"
	Shards  int    // 0: not cut
	Done    []int  // the shards that are in it
	Cases   uint64
	Oracles []*Tally          // the reference first
	Rules   map[string]*Count // by form, or by each thing that a case breaks
	Masked  map[string]uint64 // by row of the table of what is undefined
	Known   map[string]uint64 // by oracle and row: "qemu: ..."
	Silent  map[string]uint64 // by oracle and its reason not to answer
	First   []Divergence      // unexplained ones, the lowest numbers
	Keep    int
	// Forms are all rules that the generator can have in mind, where it can tell.
	Forms []string
}

// Tally is how an oracle fared against the reference.
type Tally struct {
	Name, Version                              string
	Agree, Masked, Known, Unexplained, Unasked uint64
}

// Count is what became of a rule's cases.
type Count struct {
	Cases       uint64
	Executed    uint64 // ran to the end, or to a fault of its own, on silicon if it was asked
	Known       uint64
	Unexplained uint64
}

// Divergence is a difference that nothing explains.
type Divergence struct {
	N      uint64
	ID     string
	Rule   string
	Groups [][]string // the oracles, those together that agree
	Fields []string   // what differs between the reference and the first that does
	Case   string     // as JSON, where it was written so
}

func newSummary(p *Campaign) *Summary {
	s := &Summary{Rules: map[string]*Count{}, Masked: map[string]uint64{}, Known: map[string]uint64{}, Silent: map[string]uint64{}, Keep: p.Keep}
	if s.Keep == 0 {
		s.Keep = 20
	}
	for _, o := range p.Oracles {
		s.Oracles = append(s.Oracles, &Tally{Name: o.Name(), Version: o.Version()})
	}
	return s
}

// judge counts the answers to a case.
func (s *Summary) judge(p *Campaign, n uint64, c *Case, answers []Result) error {
	s.Cases++
	rules := s.rulesOf(c)
	silicon := 0
	var first Fields
	known, bad := false, false
	for i := 1; i < len(answers); i++ {
		t := s.Oracles[i]
		if isSilicon(t.Name) {
			silicon = i
		}
		v, fields, names, err := Judge(c, p.Known, p.Oracles[0], p.Oracles[i], &answers[0], &answers[i])
		if err != nil {
			return err
		}
		switch v {
		case Agree:
			t.Agree++
		case Masked:
			t.Masked++
			for _, name := range names {
				s.Masked[name]++
			}
		case Known:
			t.Known++
			known = true
			for _, name := range names {
				s.Known[t.Name+": "+name]++
			}
		case Unexplained:
			t.Unexplained++
			if !bad {
				bad, first = true, fields
			}
		case Unasked:
			t.Unasked++
			if note := answers[i].Note; note != "" {
				s.Silent[t.Name+": "+note]++
			}
		}
	}
	ran := executed(c, &answers[silicon])
	for _, rule := range rules {
		rule.Cases++
		if ran {
			rule.Executed++
		}
		if known {
			rule.Known++
		}
		if bad {
			rule.Unexplained++
		}
	}
	if !bad {
		return nil
	}
	if len(s.First) < s.Keep {
		d := Divergence{N: n, ID: c.ID, Rule: c.Rule, Groups: groups(p, c, answers), Fields: first.Names()}
		if p.Encode != nil {
			d.Case = p.Encode(c)
		}
		s.First = append(s.First, d)
	}
	return nil
}

// rulesOf finds the counts of a case's rule: a form, or everything that it
// breaks, one by one.
func (s *Summary) rulesOf(c *Case) []*Count {
	names := []string{c.Rule}
	if c.Kind == Paging || c.Kind == Delivery {
		names = strings.Split(c.Rule, ", ")
		slices.Sort(names)
		names = slices.Compact(names)
	}
	out := make([]*Count, len(names))
	for i, name := range names {
		if s.Rules[name] == nil {
			s.Rules[name] = new(Count)
		}
		out[i] = s.Rules[name]
	}
	return out
}

// isSilicon tells the oracles that are a processor.
func isSilicon(name string) bool { return name == "native" || name == "kvm" }

// executed tells whether the instruction has run to its end or to a fault that it
// makes by itself: not one of fetching it, and not #UD, unless that is what it
// is for.
func executed(c *Case, r *Result) bool {
	if r.End != Trapped {
		return r.End != Silent
	}
	x, err := NewContext(c)
	if err != nil {
		return false
	}
	switch r.Vector {
	case uint8(idt.VecUD):
		return slices.Contains([]decode.Op{decode.UD0, decode.UD1, decode.UD2}, x.Inst.Op)
	case vectorPF: // of the instruction behind it, or of data
		return x.World.User && r.Regs.RIP != c.Regs.RIP || r.CR2-codeLinear(c.Regs.RIP, x.CS, x.Mode) > 15
	case uint8(idt.VecGP): // of the limit of CS
		return r.Regs.RIP != c.Regs.RIP || x.Mode == decode.Mode64 || c.Regs.RIP+uint64(len(c.Code)) <= uint64(x.CS.Limit)+1
	}
	return true
}

// groups puts the oracles together that give the same answer, those left out that
// give none.
func groups(p *Campaign, c *Case, answers []Result) [][]string {
	var out [][]string
	var of []int
next:
	for i, o := range p.Oracles {
		if answers[i].End == Silent || o.Answers(c) == 0 {
			continue
		}
		for g, first := range of {
			v, _, _, err := Judge(c, nil, p.Oracles[first], o, &answers[first], &answers[i])
			if err == nil && (v == Agree || v == Masked) {
				out[g] = append(out[g], o.Name())
				continue next
			}
		}
		out, of = append(out, []string{o.Name()}), append(of, i)
	}
	return out
}

// Majority finds the oracle whose answer more than half of those that answer give;
// ok is false if there is none.
func Majority(oracles []Oracle, c *Case, answers []Result) (i int, ok bool) {
	said := 0
	for j := range oracles {
		if answers[j].End != Silent && oracles[j].Answers(c) != 0 {
			said++
		}
	}
	for _, g := range groups(&Campaign{Oracles: oracles}, c, answers) {
		if 2*len(g) > said {
			return slices.IndexFunc(oracles, func(o Oracle) bool { return o.Name() == g[0] }), true
		}
	}
	return 0, false
}

// differences are all that were found.
func (s *Summary) differences() (known, unexplained uint64) {
	for _, t := range s.Oracles {
		known += t.Known
		unexplained += t.Unexplained
	}
	return known, unexplained
}

// Unexplained is the number of differences that no row foretells.
func (s *Summary) Unexplained() uint64 {
	_, n := s.differences()
	return n
}

// Merge adds another shard of the same campaign.
func (s *Summary) Merge(o *Summary) error {
	if s.Of != o.Of || s.Shards != o.Shards {
		return fmt.Errorf("not of one campaign: %q in %d shards, and %q in %d", s.Of, s.Shards, o.Of, o.Shards)
	}
	for _, n := range o.Done {
		if slices.Contains(s.Done, n) {
			return fmt.Errorf("shard %d is there twice", n)
		}
	}
	if !slices.EqualFunc(s.Oracles, o.Oracles, func(a, b *Tally) bool { return a.Name == b.Name && a.Version == b.Version }) {
		return fmt.Errorf("the oracles of shard %d are others, or other versions, than those of shard %d", s.Done[0], o.Done[0])
	}
	s.Done = append(s.Done, o.Done...)
	slices.Sort(s.Done)
	s.Cases += o.Cases
	for i, t := range s.Oracles {
		u := o.Oracles[i]
		t.Agree, t.Masked, t.Known = t.Agree+u.Agree, t.Masked+u.Masked, t.Known+u.Known
		t.Unexplained, t.Unasked = t.Unexplained+u.Unexplained, t.Unasked+u.Unasked
	}
	for name, c := range o.Rules {
		d := s.Rules[name]
		if d == nil {
			d = new(Count)
			s.Rules[name] = d
		}
		d.Cases, d.Executed = d.Cases+c.Cases, d.Executed+c.Executed
		d.Known, d.Unexplained = d.Known+c.Known, d.Unexplained+c.Unexplained
	}
	for name, n := range o.Masked {
		s.Masked[name] += n
	}
	for name, n := range o.Known {
		s.Known[name] += n
	}
	for name, n := range o.Silent {
		s.Silent[name] += n
	}
	s.First = append(s.First, o.First...)
	slices.SortFunc(s.First, func(a, b Divergence) int { return cmp.Compare(a.N, b.N) })
	s.First = s.First[:min(len(s.First), s.Keep)]
	return nil
}

// Complete tells whether all shards are in the summary.
func (s *Summary) Complete() bool { return len(s.Done) >= s.Shards }

// ReadSummary reads the JSON of a summary. An error is one line.
func ReadSummary(text []byte) (*Summary, error) {
	s := new(Summary)
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(s); err != nil || s.Rules == nil || s.Masked == nil || s.Known == nil || s.Silent == nil || len(s.Oracles) == 0 || len(s.Done) == 0 {
		return nil, errors.New("not a summary of x86emu diff --out")
	}
	for _, t := range s.Oracles {
		if t == nil {
			return nil, errors.New("not a summary of x86emu diff --out")
		}
	}
	for _, c := range s.Rules {
		if c == nil {
			return nil, errors.New("not a summary of x86emu diff --out")
		}
	}
	return s, nil
}

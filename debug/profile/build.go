package profile

import (
	"fmt"

	"github.com/google/pprof/profile"

	"x86emu/debug"
	"x86emu/mmu"
)

// builder makes a pprof profile of samples.
type builder struct {
	p         *profile.Profile
	syms      *debug.Symbols
	locations map[step]*profile.Location
	functions map[string]*profile.Function
}

func newBuilder(syms *debug.Symbols) *builder {
	ticks := &profile.ValueType{Type: "ticks", Unit: "count"}
	return &builder{
		p: &profile.Profile{
			SampleType:        []*profile.ValueType{{Type: "samples", Unit: "count"}, ticks},
			DefaultSampleType: "ticks",
			PeriodType:        ticks,
			// Nothing is left for pprof to look up.
			Mapping: []*profile.Mapping{{ID: 1, Start: 0, Limit: ^uint64(0), File: "guest", HasFunctions: true, HasFilenames: true, HasLineNumbers: true}},
		},
		syms:      syms,
		locations: make(map[step]*profile.Location),
		functions: make(map[string]*profile.Function),
	}
}

// add adds a sample.
func (b *builder) add(s *sample, period int64) {
	out := &profile.Sample{Value: []int64{s.count, s.count * period}}
	for _, k := range s.stack {
		out.Location = append(out.Location, b.location(k))
	}
	b.p.Sample = append(b.p.Sample, out)
}

// location gives a step's location.
func (b *builder) location(k step) *profile.Location {
	if l := b.locations[k]; l != nil {
		return l
	}
	l := &profile.Location{ID: uint64(len(b.p.Location)) + 1, Mapping: b.p.Mapping[0], Address: k.at.lin}
	name, file, line := k.name, "", 0
	if name == "" {
		name, file, line = b.name(k.at)
	}
	l.Line = []profile.Line{{Function: b.function(name, file), Line: int64(line)}}
	b.p.Location = append(b.p.Location, l)
	b.locations[k] = l
	return l
}

// name tells the function of an address: its symbol, or its page.
func (b *builder) name(at place) (name, file string, line int) {
	var p *debug.Place
	if at.paged {
		p = b.syms.At(at.lin)
	} else {
		p = b.syms.AtPhys(at.lin)
	}
	if p == nil {
		p = &debug.Place{}
	}
	if p.Symbol == "" {
		p.Symbol = fmt.Sprintf("page 0x%x", at.lin&^mmu.PageMask)
	}
	return p.Symbol, p.File, p.Line
}

// function gives the function of a name.
func (b *builder) function(name, file string) *profile.Function {
	key := name + "\x00" + file
	if f := b.functions[key]; f != nil {
		return f
	}
	f := &profile.Function{ID: uint64(len(b.p.Function)) + 1, Name: name, SystemName: name, Filename: file}
	b.p.Function = append(b.p.Function, f)
	b.functions[key] = f
	return f
}

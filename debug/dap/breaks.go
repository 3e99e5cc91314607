package dap

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/google/go-dap"

	"x86emu/debug"
	"x86emu/debug/session"
	"x86emu/idt"
	"x86emu/mmu"
)

// breakpoints are those of a client, by where it has set them: each request
// replaces all of its kind, of source lines those of one file.
type breakpoints struct {
	kinds map[string][]*breakpoint
	id    int // of the last one
}

// breakpoint is one of the client's. It may stand for several conditions, as a
// source line that code was made of in several places does.
type breakpoint struct {
	dap.Breakpoint
	reason  string                           // of a stop there
	find    func(*breakpoint, *client) error // sets conds, and where it lies
	conds   []debug.Condition
	numbers []int // the session's
}

// Reasons of stops, as the protocol has them.
const (
	atLine        = "breakpoint"
	atFunction    = "function breakpoint"
	atInstruction = "instruction breakpoint"
	atData        = "data breakpoint"
	atException   = "exception"
)

// maxBreakpoints bounds those of a client.
const maxBreakpoints = 1 << 14

// set replaces the breakpoints of a kind.
func (c *client) set(ctx context.Context, kind string, all []*breakpoint) ([]dap.Breakpoint, error) {
	n := len(all)
	for other, set := range c.breaks.kinds {
		if other != kind {
			n += len(set)
		}
	}
	if n > maxBreakpoints {
		return nil, fmt.Errorf("%d breakpoints: at most %d", n, maxBreakpoints)
	}
	told := make([]dap.Breakpoint, len(all))
	c.meanwhile(ctx, func() {
		b := &c.breaks
		if b.kinds == nil {
			b.kinds = make(map[string][]*breakpoint)
		}
		b.kinds[kind] = all
		if len(all) == 0 {
			delete(b.kinds, kind)
		}
		for i, p := range all {
			b.id++
			p.Id = b.id
			p.resolve(c)
			told[i] = p.Breakpoint
		}
	})
	return told, nil
}

// resolve finds what a breakpoint means for the guest of now.
func (p *breakpoint) resolve(c *client) {
	p.conds, p.Verified, p.Message = nil, true, ""
	err := p.find(p, c)
	m, _ := c.t.Present()
	for _, cond := range p.conds {
		if err == nil {
			err = debug.CanMeet(m, cond)
		}
	}
	if err != nil {
		p.Verified, p.Message = false, err.Error()
	}
}

// resolve finds all anew, for another guest.
func (b *breakpoints) resolve(c *client) {
	for _, kind := range b.kinds {
		for _, p := range kind {
			p.resolve(c)
			c.changed(p)
		}
	}
}

// changed tells the client of a breakpoint that is otherwise than it was told.
func (c *client) changed(p *breakpoint) {
	c.out.send(&dap.BreakpointEvent{Event: event("breakpoint"), Body: dap.BreakpointEventBody{Reason: "changed", Breakpoint: p.Breakpoint}})
}

// arm gives the session the breakpoints that can be met as the guest is now. An
// address that is not mapped yet is asked about again each time.
func (b *breakpoints) arm(c *client) {
	c.t.forget()
	if c.args.NoDebug {
		return
	}
	m, _ := c.t.Present()
	for _, kind := range b.kinds {
		for _, p := range kind {
			p.numbers = p.numbers[:0]
			verified, message := p.Verified, p.Message
			if len(p.conds) > 0 {
				p.Verified, p.Message = true, ""
			}
			for _, cond := range p.conds {
				if err := debug.CanMeet(m, cond); err != nil {
					p.Verified, p.Message = false, err.Error()
					continue
				}
				p.numbers = append(p.numbers, c.t.Add(cond).Number)
			}
			if verified != p.Verified || message != p.Message {
				c.changed(p)
			}
		}
	}
}

// hit tells for which of the client's breakpoints the session has stopped.
func (b *breakpoints) hit(met []session.Break) (reason string, ids []int) {
	reasons := []string{atException, atData, atFunction, atInstruction, atLine}
	best := len(reasons)
	for _, kind := range b.kinds {
		for _, p := range kind {
			if !slices.ContainsFunc(met, func(m session.Break) bool { return slices.Contains(p.numbers, m.Number) }) {
				continue
			}
			best = min(best, slices.Index(reasons, p.reason))
			if p.Id != 0 && p.reason != atException {
				ids = append(ids, p.Id)
			}
		}
	}
	slices.Sort(ids)
	if best == len(reasons) {
		return atLine, ids
	}
	return reasons[best], ids
}

// at makes conditions of addresses, with a test where there is one.
func at(c *client, addrs []uint64, test string) (all []debug.Condition, err error) {
	var holds *debug.Test
	if strings.TrimSpace(test) != "" {
		if holds, err = c.t.Test(test); err != nil {
			return nil, err
		}
	}
	for _, a := range addrs {
		all = append(all, debug.AtAddress{Linear: mmu.Linear(a), If: holds})
	}
	return all, nil
}

func (c *client) setSourceBreakpoints(ctx context.Context, r *dap.SetBreakpointsRequest) (dap.Message, error) {
	source := r.Arguments.Source
	var all []*breakpoint
	for _, want := range r.Arguments.Breakpoints {
		all = append(all, &breakpoint{reason: atLine, find: func(p *breakpoint, c *client) (err error) {
			p.Line, p.Source = want.Line, &source
			file, err := c.sources.match(sourceName(source))
			if err != nil {
				return err
			}
			line, starts := c.t.Symbols().Line(file, want.Line+1-c.firstLine)
			if starts == nil {
				return fmt.Errorf("no code of line %d or below it", want.Line)
			}
			p.Line, p.InstructionReference = line-1+c.firstLine, reference(starts[0])
			p.conds, err = at(c, starts, want.Condition)
			return err
		}})
	}
	told, err := c.set(ctx, "source "+sourceName(source), all)
	if err != nil {
		return nil, err
	}
	return &dap.SetBreakpointsResponse{Response: ok(r), Body: dap.SetBreakpointsResponseBody{Breakpoints: told}}, nil
}

// setFunctionBreakpoints takes symbols and addresses, and beside them the words
// of the other kinds of conditions, for clients that have no other place for
// them: "pte 0xc0000000", "catch PF code=2/2".
func (c *client) setFunctionBreakpoints(ctx context.Context, r *dap.SetFunctionBreakpointsRequest) (dap.Message, error) {
	var all []*breakpoint
	for _, want := range r.Arguments.Breakpoints {
		all = append(all, &breakpoint{reason: atFunction, find: func(p *breakpoint, c *client) error {
			words := strings.Fields(want.Name)
			if len(words) == 0 {
				return fmt.Errorf("a function breakpoint needs a symbol or an address")
			}
			cond, err := c.t.Condition(words)
			if err != nil {
				return err
			}
			place, ok := cond.(debug.AtAddress)
			switch {
			case ok:
				p.InstructionReference = reference(uint64(place.Linear))
				c.sources.locate(&p.Breakpoint, c, uint64(place.Linear))
				p.conds, err = at(c, []uint64{uint64(place.Linear)}, want.Condition)
			case want.Condition != "":
				err = fmt.Errorf("%q takes no condition", words[0])
			default:
				p.conds = []debug.Condition{cond}
			}
			return err
		}})
	}
	told, err := c.set(ctx, atFunction, all)
	if err != nil {
		return nil, err
	}
	return &dap.SetFunctionBreakpointsResponse{Response: ok(r), Body: dap.SetFunctionBreakpointsResponseBody{Breakpoints: told}}, nil
}

func (c *client) setInstructionBreakpoints(ctx context.Context, r *dap.SetInstructionBreakpointsRequest) (dap.Message, error) {
	var all []*breakpoint
	for _, want := range r.Arguments.Breakpoints {
		all = append(all, &breakpoint{reason: atInstruction, find: func(p *breakpoint, c *client) error {
			m, err := parseReference(want.InstructionReference, want.Offset)
			if err != nil {
				return err
			}
			if m.physical {
				return fmt.Errorf("an instruction is met by its linear address")
			}
			p.InstructionReference = reference(m.addr)
			p.conds, err = at(c, []uint64{m.addr}, want.Condition)
			return err
		}})
	}
	told, err := c.set(ctx, atInstruction, all)
	if err != nil {
		return nil, err
	}
	return &dap.SetInstructionBreakpointsResponse{Response: ok(r), Body: dap.SetInstructionBreakpointsResponseBody{Breakpoints: told}}, nil
}

// setDataBreakpoints takes the words that dataBreakpointInfo gave.
func (c *client) setDataBreakpoints(ctx context.Context, r *dap.SetDataBreakpointsRequest) (dap.Message, error) {
	var all []*breakpoint
	for _, want := range r.Arguments.Breakpoints {
		all = append(all, &breakpoint{reason: atData, find: func(p *breakpoint, c *client) error {
			if want.Condition != "" {
				return fmt.Errorf("a data breakpoint takes no condition")
			}
			cond, err := c.data(want.DataId, want.AccessType)
			if err == nil {
				p.conds = []debug.Condition{cond}
			}
			return err
		}})
	}
	told, err := c.set(ctx, atData, all)
	if err != nil {
		return nil, err
	}
	return &dap.SetDataBreakpointsResponse{Response: ok(r), Body: dap.SetDataBreakpointsResponseBody{Breakpoints: told}}, nil
}

// dataKinds begin what a data breakpoint is about.
var dataKinds = []string{"write", "change", "read", "access", "pte"}

// data reads what a data breakpoint is about: a kind, and an address. The type of
// access makes another kind of a store to a linear address.
func (c *client) data(id string, access dap.DataBreakpointAccessType) (debug.Condition, error) {
	words := strings.Fields(id)
	if len(words) == 0 || !slices.Contains(dataKinds, words[0]) {
		return nil, fmt.Errorf("%.40q: must be one of %s, and an address", id, strings.Join(dataKinds, ", "))
	}
	switch access {
	case "", "write":
	case "read", "readWrite":
		if !readable(words) {
			return nil, fmt.Errorf("%s: changes of it can be watched, reads cannot", id)
		}
		words[0] = map[dap.DataBreakpointAccessType]string{"read": "read", "readWrite": "access"}[access]
	default:
		return nil, fmt.Errorf("%.40q: accesses are read, write and readWrite", access)
	}
	return c.t.Condition(words)
}

// readable tells whether reads of a place can be watched: it is linear memory.
func readable(words []string) bool {
	return words[0] != "pte" && words[len(words)-1] != "phys"
}

// dataBreakpointInfo tells whether a variable, or an expression, is a place that
// can be watched: an address, what a register points to, an entry of the page
// tables.
func (c *client) dataBreakpointInfo(ctx context.Context, r *dap.DataBreakpointInfoRequest) (dap.Message, error) {
	a := r.Arguments
	no := func(why string) (dap.Message, error) {
		return &dap.DataBreakpointInfoResponse{Response: ok(r), Body: dap.DataBreakpointInfoResponseBody{Description: why}}, nil
	}
	var id string
	if a.VariablesReference != 0 {
		n, err := c.vars.named(ctx, a.VariablesReference, a.Name)
		if err != nil {
			return nil, err
		}
		if id = n.watch; id == "" {
			return no(a.Name + " is no place in memory, and points to none")
		}
	} else {
		words := strings.FieldsFunc(a.Name, func(r rune) bool { return r == ' ' || r == ',' })
		switch {
		case len(words) == 0:
			return no("an address is needed")
		case slices.Contains(dataKinds, words[0]):
			id = a.Name
		default:
			addr, err := c.address(words[0])
			if err != nil {
				return no(err.Error())
			}
			size := strconv.Itoa(c.word())
			if len(words) > 1 {
				size = words[1]
			}
			id = fmt.Sprintf("write 0x%x %s", addr, size)
		}
	}
	cond, err := c.data(id, "write")
	if err == nil {
		m, _ := c.t.Present()
		err = debug.CanMeet(m, cond)
	}
	if err != nil {
		return no(err.Error())
	}
	types := []dap.DataBreakpointAccessType{"write"}
	if readable(strings.Fields(id)) {
		types = []dap.DataBreakpointAccessType{"read", "write", "readWrite"}
	}
	return &dap.DataBreakpointInfoResponse{Response: ok(r), Body: dap.DataBreakpointInfoResponseBody{
		DataId: id, Description: cond.String(), AccessTypes: types, CanPersist: true,
	}}, nil
}

// anyException is the filter that stands for all of them.
const anyException = "any"

// exceptionFilters are the exceptions, by the letters of their names.
func exceptionFilters() []dap.ExceptionBreakpointsFilter {
	const conditions = "code=X[/MASK] and, of #PF, cr2=A[-B], such as: code=2/2 cr2=0x1000-0x1fff"
	all := []dap.ExceptionBreakpointsFilter{{
		Filter: anyException, Label: "Any exception", Description: "Stop before each step that raises an exception",
		SupportsCondition: true, ConditionDescription: conditions,
	}}
	for v := range idt.Vector(32) {
		name := v.Info().Mnemonic
		if name == "" {
			continue
		}
		all = append(all, dap.ExceptionBreakpointsFilter{
			Filter: strings.TrimPrefix(name, "#"), Label: name + " (vector " + strconv.Itoa(int(v)) + ")", Default: v == idt.VecDF,
			SupportsCondition: true, ConditionDescription: conditions,
		})
	}
	return all
}

// setExceptionBreakpoints takes filters, with conditions or without, and paths
// whose last names are exceptions or numbers of vectors.
func (c *client) setExceptionBreakpoints(ctx context.Context, r *dap.SetExceptionBreakpointsRequest) (dap.Message, error) {
	var all []*breakpoint
	add := func(vector, condition string) {
		words := append([]string{"catch", vector}, strings.Fields(condition)...)
		all = append(all, &breakpoint{reason: atException, find: func(p *breakpoint, c *client) error {
			cond, err := c.t.Condition(words)
			if err == nil {
				p.conds = []debug.Condition{cond}
			}
			return err
		}})
	}
	for _, f := range r.Arguments.Filters {
		add(f, "")
	}
	for _, f := range r.Arguments.FilterOptions {
		add(f.FilterId, f.Condition)
	}
	for _, o := range r.Arguments.ExceptionOptions {
		if o.BreakMode == "never" {
			continue
		}
		if len(o.Path) == 0 {
			add(anyException, "")
			continue
		}
		last := o.Path[len(o.Path)-1]
		if last.Negate {
			return nil, fmt.Errorf("a negated path is not supported: name the vectors to stop at")
		}
		for _, name := range last.Names {
			add(name, "")
		}
	}
	told, err := c.set(ctx, atException, all)
	if err != nil {
		return nil, err
	}
	return &dap.SetExceptionBreakpointsResponse{Response: ok(r), Body: dap.SetExceptionBreakpointsResponseBody{Breakpoints: told}}, nil
}

package dap

import (
	"context"
	"fmt"

	"github.com/google/go-dap"

	"x86emu/debug"
	"x86emu/debug/session"
	"x86emu/idt"
	"x86emu/machine"
	"x86emu/mmu"
)

// presentFrame is the number of the frame of the next instruction. The others
// count on from it, the one that was interrupted last first.
const presentFrame = 1

// labelFrame is the number of what looks like a frame to a client, and is none.
const labelFrame = 1 << 20

// stackTrace tells the next instruction, and what the handlers at work have
// interrupted.
func (c *client) stackTrace(r *dap.StackTraceRequest) (dap.Message, error) {
	m, _ := c.t.Present()
	here := c.frame(presentFrame, uint64(m.CPU.CodeAt()))
	all := []dap.StackFrame{here}
	handled := c.t.Handled()
	if n := c.t.Deeper(); n > 0 {
		all = append(all, dap.StackFrame{Id: labelFrame, Name: fmt.Sprintf("... %d more that are being handled ...", n), PresentationHint: "label"})
	}
	for i := len(handled) - 1; i >= 0; i-- {
		h := &handled[i]
		f := c.frame(presentFrame+len(handled)-i, uint64(h.Code))
		f.Name += fmt.Sprintf(" [%s at tick %d]", h.Event.Name(), h.Tick)
		all = append(all, f)
	}
	total := len(all)
	first := min(max(r.Arguments.StartFrame, 0), total)
	all = all[first:]
	if n := r.Arguments.Levels; n > 0 && n < len(all) {
		all = all[:n]
	}
	return &dap.StackTraceResponse{Response: ok(r), Body: dap.StackTraceResponseBody{StackFrames: all, TotalFrames: total}}, nil
}

// frame is one at an instruction.
func (c *client) frame(id int, at uint64) dap.StackFrame {
	f := dap.StackFrame{Id: id, Name: fmt.Sprintf("0x%x", at), InstructionPointerReference: reference(at)}
	p := c.t.Place(at)
	if p == nil {
		return f
	}
	if p.Symbol != "" {
		f.Name = (&debug.Place{Symbol: p.Symbol, Offset: p.Offset}).String()
	}
	if p.File != "" {
		f.Source, f.Line = c.sources.source(p.File), p.Line-1+c.firstLine
		f.Column = c.firstColumn
		if p.Symbol != "" {
			f.Name = p.Symbol
		}
	}
	return f
}

// Names of scopes.
const (
	scopeRegisters = "Registers"
	scopeSegments  = "Segments"
	scopeControl   = "Control registers"
	scopeFloat     = "x87 and SSE"
	scopeStep      = "Next step"
	scopeWalk      = "Page walk"
	scopeFaults    = "Fault story"
)

// branches are the trees that belong to a frame.
func (c *client) branches(ctx context.Context, id int) ([]*node, error) {
	if all, ok := c.vars.frames[id]; ok {
		return all, nil
	}
	handled := c.t.Handled()
	back := id - presentFrame // so many handlers back
	if back < 0 || back > len(handled) {
		return nil, fmt.Errorf("no frame has the number %d now", id)
	}
	m, st := c.t.Present()
	if back > 0 {
		var err error
		if m, err = c.t.ForkAt(ctx, handled[len(handled)-back].Tick); err != nil {
			return nil, err
		}
		st = m.CPU.State()
	}
	all := c.registerScopes(m, &st, back == 0)
	if back == 0 {
		all = append(all, c.stepScope(), c.walkScope(m), c.faultScope(handled))
	} else {
		h := &handled[len(handled)-back]
		all = append(all, c.storyNode(scopeFaults, "", h.Tick, h.Event.Vector))
	}
	if c.vars.frames == nil {
		c.vars.frames = make(map[int][]*node)
	}
	c.vars.frames[id] = all
	return all, nil
}

// stepScope tells what the next step will do.
func (c *client) stepScope() *node {
	return &node{name: scopeStep, kids: func(context.Context) ([]*node, error) {
		var all []*node
		for i, l := range c.t.Frame().Stages {
			all = append(all, leaf(fmt.Sprintf("%d", i+1), "%s", l.Text))
		}
		return all, nil
	}}
}

// walkScope tells the walks of the page tables that matter now.
func (c *client) walkScope(m *machine.Machine) *node {
	return &node{name: scopeWalk, kids: func(context.Context) ([]*node, error) {
		st := m.CPU.State()
		rip := m.CPU.CodeAt()
		return []*node{
			walkNode("access", c.t.Frame().Walk),
			walkNode(fmt.Sprintf("RIP 0x%x", uint64(rip)), session.Walk(m, uint64(rip), mmu.Exec)),
			walkNode(fmt.Sprintf("CR2 0x%x", st.CR2), session.Walk(m, st.CR2, mmu.Read)),
			walkNode(fmt.Sprintf("RSP 0x%x", uint64(m.CPU.StackAt())), session.Walk(m, uint64(m.CPU.StackAt()), mmu.Write)),
		}, nil
	}}
}

// walkNode is a walk: what comes of it, and below that each entry, which can be
// watched.
func walkNode(name string, lines []session.WalkLine) *node {
	var kids []*node
	for i, l := range lines {
		if l.Entry == nil {
			kids = append(kids, leaf(fmt.Sprintf("%d", i+1), "%s", l.Text))
			continue
		}
		e := l.Entry
		n := leaf(fmt.Sprintf("%s %s", e.Level, e.At), "%s  %s", e.Raw, e.Bits)
		if l.Mark != "" {
			n.value += "  <- " + l.Mark
		}
		if e.Size != 0 { // not a PDPTE register
			n.memory = physicalReference(uint64(e.At))
			n.watch = fmt.Sprintf("change %s %d phys", e.At, e.Size)
		}
		kids = append(kids, n)
	}
	return branch(name, lines[len(lines)-1].Text, kids...)
}

// faultScope tells the stories of what the next step raises, and of the handlers
// at work, the innermost first.
func (c *client) faultScope(handled []debug.Handled) *node {
	var all []*node
	if raised := c.t.Raises(); raised != nil {
		all = append(all, c.storyNode("next step: "+raised.Name, exceptionText(raised), c.t.Tick(), idt.Vector(raised.Vector)))
	}
	for i := len(handled) - 1; i >= 0; i-- {
		h := &handled[i]
		all = append(all, c.storyNode(h.Event.Name(), fmt.Sprintf("at tick %d, from 0x%x", h.Tick, uint64(h.Code)), h.Tick, h.Event.Vector))
	}
	if all == nil {
		all = append(all, leaf("none", "no handler is at work, and the next step raises nothing"))
	}
	return branch(scopeFaults, "", all...)
}

// storyNode is the story of the event at a tick, told when it is asked for.
func (c *client) storyNode(name, value string, tick uint64, vector idt.Vector) *node {
	return &node{name: name, value: value, lazy: true, kids: func(ctx context.Context) ([]*node, error) {
		story, err := c.t.Story(ctx, tick, vector)
		if err != nil {
			return nil, err
		}
		if story == nil {
			return []*node{leaf("none", "%s", noStory)}, nil
		}
		return storyNodes(story), nil
	}}
}

// storyNodes are the events of a story, each below its cause.
func storyNodes(s *debug.Story) []*node {
	kids := make(map[int][]*node) // by the number of the event that they belong to
	for i := len(s.Events) - 1; i >= 0; i-- {
		e := &s.Events[i]
		n := leaf(e.Name, "tick %d", e.Tick)
		var below []*node
		if e.Fold != nil {
			n.name, n.value = "...", fmt.Sprintf("%d more %s, each %d bytes lower", e.Fold.Count, e.Name, e.Fold.Lower)
		} else {
			n.value += fmt.Sprintf(", by %s: %s", e.How, e.Outcome)
		}
		for j := range e.Stages {
			below = append(below, leaf(fmt.Sprintf("%d %s", j+1, e.Stages[j].Kind), "%s", e.Stages[j].String()))
		}
		if below = append(below, kids[e.ID]...); below != nil {
			n.kids = func(context.Context) ([]*node, error) { return below, nil }
		}
		kids[e.Cause] = append([]*node{n}, kids[e.Cause]...)
	}
	return append(kids[0], leaf("end", "%s", s.End))
}

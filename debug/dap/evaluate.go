package dap

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/google/go-dap"

	"x86emu/debug"
	"x86emu/debug/session"
	"x86emu/idt"
	"x86emu/machine"
	"x86emu/mmu"
)

// help is what the console says of itself.
const help = `A register ($eax, rip, cr3), a symbol, a number, a sum of them: table+8
*ADDRESS       the word of memory there
walk ADDRESS   how the page tables translate it
story          the fault whose handler is at work, or that the next step raises
registers      all of them
goto TICK      to a point in time, back or forward; "goto end": to the end of the run
`

// evaluate tells a value, for a hover, a watch or the console.
func (c *client) evaluate(ctx context.Context, r *dap.EvaluateRequest) (dap.Message, error) {
	text := strings.TrimSpace(r.Arguments.Expression)
	if r.Arguments.Context == "repl" {
		said, done, err := c.command(ctx, text)
		if err != nil {
			return nil, err
		}
		if done {
			return &dap.EvaluateResponse{Response: ok(r), Body: dap.EvaluateResponseBody{Result: said}}, nil
		}
	}
	frame := r.Arguments.FrameId
	if frame == 0 {
		frame = presentFrame
	}
	n, err := c.evaluated(ctx, text, frame)
	if err != nil {
		return nil, err
	}
	return &dap.EvaluateResponse{Response: ok(r), Body: dap.EvaluateResponseBody{
		Result: n.value, VariablesReference: c.vars.reference(n), MemoryReference: n.memory,
	}}, nil
}

// evaluated is a register of the frame, a word of memory, or an address with what
// lies there.
func (c *client) evaluated(ctx context.Context, text string, frame int) (*node, error) {
	name := strings.ToLower(strings.TrimLeft(text, "$%"))
	branches, err := c.branches(ctx, frame)
	if err != nil {
		return nil, err
	}
	for _, b := range branches {
		if b.lazy || b.name == scopeStep || b.name == scopeWalk || b.name == scopeFaults {
			continue
		}
		kids, err := b.kids(ctx)
		if err != nil {
			return nil, err
		}
		for _, n := range kids {
			if n.name == name {
				return n, nil
			}
		}
	}
	m, _ := c.t.Present()
	if inner, ok := strings.CutPrefix(text, "*"); ok {
		at, err := c.address(inner)
		if err != nil {
			return nil, err
		}
		n := leaf(text, "%s", word(m, at, c.word()))
		n.memory = reference(at)
		return n, nil
	}
	at, err := c.address(text)
	if err != nil {
		return nil, err
	}
	n := branch(text, fmt.Sprintf("0x%x", at), leaf("word", "%s", word(m, at, c.word())), walkNode("walk", session.Walk(m, at, mmu.Read)))
	if p := c.t.Place(at); p != nil {
		n.value += " <" + p.String() + ">"
	}
	n.memory = reference(at)
	return n, nil
}

// address reads an expression.
func (c *client) address(text string) (uint64, error) { return c.t.Address(strings.TrimSpace(text)) }

// word is what lies at an address.
func word(m *machine.Machine, at uint64, size int) string {
	var b [8]byte
	if debug.Peek(m, mmu.Linear(at), b[:size]) < size {
		return "not mapped"
	}
	v := uint64(0)
	for i := size - 1; i >= 0; i-- {
		v = v<<8 | uint64(b[i])
	}
	return fmt.Sprintf("0x%0*x", 2*size, v)
}

// command carries out a line of the console that is no expression.
func (c *client) command(ctx context.Context, text string) (said string, done bool, err error) {
	name, rest, _ := strings.Cut(text, " ")
	rest = strings.TrimSpace(rest)
	m, _ := c.t.Present()
	switch name {
	case "help":
		return help, true, nil
	case "registers":
		return debug.Registers(m), true, nil
	case "walk":
		at, err := c.address(rest)
		if err != nil {
			return "", false, err
		}
		var b strings.Builder
		for _, l := range session.Walk(m, at, mmu.Read) {
			fmt.Fprintf(&b, "%s%s\n", strings.Repeat("  ", l.Depth), l.Text)
		}
		return b.String(), true, nil
	case "story":
		text, err := c.story(ctx)
		return text, true, err
	case "goto":
		tick, err := uint64(machine.NoBudget), error(nil)
		if rest != "end" {
			tick, err = strconv.ParseUint(rest, 0, 64)
		}
		if err != nil {
			return "", false, fmt.Errorf("goto %q: must be a tick, or end", rest)
		}
		c.after = func() {
			c.out.send(&dap.ContinuedEvent{Event: event("continued"), Body: dap.ContinuedEventBody{ThreadId: thread, AllThreadsContinued: true}})
			c.start(ctx, journey{run: func(ctx context.Context) error { return c.t.Goto(ctx, tick) }})
		}
		return "", true, nil
	}
	return "", false, nil
}

// noStory is told of an event that begins no chain, but continues one.
const noStory = "it belongs to the story of the event below it"

// story tells the chain of events that is about to begin, or at work.
func (c *client) story(ctx context.Context) (string, error) {
	var tick uint64
	var vector idt.Vector
	raised, handled := c.t.Raises(), c.t.Handled()
	switch n := len(handled); {
	case raised != nil:
		tick, vector = c.t.Tick(), idt.Vector(raised.Vector)
	case n > 0:
		tick, vector = handled[n-1].Tick, handled[n-1].Event.Vector
	default:
		return "no handler is at work, and the next step raises nothing\n", nil
	}
	story, err := c.t.Story(ctx, tick, vector)
	if err != nil {
		return "", err
	}
	if story == nil {
		return noStory + "\n", nil
	}
	var b strings.Builder
	err = story.WriteText(&b)
	return b.String(), err
}

package dap

import (
	"context"
	"fmt"

	"github.com/google/go-dap"

	"x86emu/machine"
)

// node is a variable, and what lies below it.
type node struct {
	name, value string
	kids        func(context.Context) ([]*node, error) // nil: none
	memory      string                                 // reference to the memory that it is about
	watch       string                                 // what a data breakpoint on it watches
	set         func(v uint64) (func(*machine.Machine), error)
	lazy        bool // for the client to ask for on request only
}

// leaf is a variable without any below it.
func leaf(name, format string, args ...any) *node {
	return &node{name: name, value: fmt.Sprintf(format, args...)}
}

// branch is a variable with others below it, known beforehand.
func branch(name, value string, kids ...*node) *node {
	return &node{name: name, value: value, kids: func(context.Context) ([]*node, error) { return kids, nil }}
}

// variables are those that the client may ask about until the guest moves.
type variables struct {
	lists  []*list // reference number n is index n-1
	frames map[int][]*node
}

// list is what lies below one variable.
type list struct {
	of   *node
	kids []*node
	refs []int
	err  error
	made bool
}

// maxLists bounds the references given out at one stop.
const maxLists = 1 << 16

// forget makes all references void, for the guest moves.
func (v *variables) forget() { *v = variables{} }

// reference gives the number under which a node's kids can be asked for; 0 is
// for one without.
func (v *variables) reference(n *node) int {
	if n.kids == nil || len(v.lists) == maxLists {
		return 0
	}
	v.lists = append(v.lists, &list{of: n})
	return len(v.lists)
}

// list makes what lies below a reference, once.
func (v *variables) list(ctx context.Context, reference int) (*list, error) {
	if reference < 1 || reference > len(v.lists) {
		return nil, fmt.Errorf("no variables have the reference %d now", reference)
	}
	l := v.lists[reference-1]
	if !l.made {
		l.made = true
		l.kids, l.err = l.of.kids(ctx)
		for _, n := range l.kids {
			l.refs = append(l.refs, v.reference(n))
		}
	}
	return l, l.err
}

// named finds a variable by its name.
func (v *variables) named(ctx context.Context, reference int, name string) (*node, error) {
	l, err := v.list(ctx, reference)
	if err != nil {
		return nil, err
	}
	for _, n := range l.kids {
		if n.name == name {
			return n, nil
		}
	}
	return nil, fmt.Errorf("no variable %.40q there", name)
}

// scopes are the branches that belong to a frame.
func (c *client) scopes(ctx context.Context, r *dap.ScopesRequest) (dap.Message, error) {
	branches, err := c.branches(ctx, r.Arguments.FrameId)
	if err != nil {
		return nil, err
	}
	all := make([]dap.Scope, 0, len(branches))
	for _, n := range branches {
		s := dap.Scope{Name: n.name, VariablesReference: c.vars.reference(n), Expensive: n.lazy}
		if n.name == scopeRegisters {
			s.PresentationHint = "registers"
		}
		all = append(all, s)
	}
	return &dap.ScopesResponse{Response: ok(r), Body: dap.ScopesResponseBody{Scopes: all}}, nil
}

func (c *client) variables(ctx context.Context, r *dap.VariablesRequest) (dap.Message, error) {
	a := r.Arguments
	l, err := c.vars.list(ctx, a.VariablesReference)
	if err != nil {
		return nil, err
	}
	all := []dap.Variable{}
	if a.Filter != "indexed" { // all have names, and no index
		first := min(max(a.Start, 0), len(l.kids))
		last := len(l.kids)
		if a.Count > 0 {
			last = min(last, first+min(a.Count, last))
		}
		for i, n := range l.kids[first:last] {
			all = append(all, dap.Variable{Name: n.name, Value: n.value, VariablesReference: l.refs[first+i], MemoryReference: n.memory, EvaluateName: n.expression()})
		}
	}
	return &dap.VariablesResponse{Response: ok(r), Body: dap.VariablesResponseBody{Variables: all}}, nil
}

// expression is what evaluate takes for the node; only registers have one.
func (n *node) expression() string {
	if n.set == nil {
		return ""
	}
	return "$" + n.name
}

// setVariable changes a register. What was known of the time after the present
// is void then.
func (c *client) setVariable(ctx context.Context, r *dap.SetVariableRequest) (dap.Message, error) {
	a := r.Arguments
	n, err := c.vars.named(ctx, a.VariablesReference, a.Name)
	if err != nil {
		return nil, err
	}
	if n.set == nil {
		return nil, fmt.Errorf("%s cannot be set: general registers, the instruction pointer and flags of the present frame can", a.Name)
	}
	v, err := c.address(a.Value)
	if err != nil {
		return nil, err
	}
	change, err := n.set(v)
	if err != nil {
		return nil, err
	}
	if err := c.t.Change(change); err != nil {
		return nil, err
	}
	c.vars.forget()
	c.after = c.invalidated
	now, err := c.evaluated(ctx, a.Name, presentFrame)
	if err != nil {
		return nil, err
	}
	return &dap.SetVariableResponse{Response: ok(r), Body: dap.SetVariableResponseBody{Value: now.value}}, nil
}

// invalidated tells the client to ask anew for what it shows.
func (c *client) invalidated() {
	if c.refreshes {
		c.out.send(&dap.InvalidatedEvent{Event: event("invalidated"), Body: dap.InvalidatedEventBody{Areas: []dap.InvalidatedAreas{"all"}}})
	}
}

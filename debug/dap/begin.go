package dap

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/go-dap"
)

// thread is the one thread: the processor.
const thread = 1

// initialize tells what this debugger can do.
func (c *client) initialize(r *dap.InitializeRequest) (dap.Message, error) {
	if !r.Arguments.LinesStartAt1 {
		c.firstLine = 0
	}
	c.refreshes, c.remembers = r.Arguments.SupportsInvalidatedEvent, r.Arguments.SupportsMemoryEvent
	c.firstColumn = 1
	if !r.Arguments.ColumnsStartAt1 {
		c.firstColumn = 0
	}
	return &dap.InitializeResponse{Response: ok(r), Body: dap.Capabilities{
		SupportsConfigurationDoneRequest:   true,
		SupportsFunctionBreakpoints:        true,
		SupportsConditionalBreakpoints:     true,
		SupportsEvaluateForHovers:          true,
		ExceptionBreakpointFilters:         exceptionFilters(),
		SupportsExceptionFilterOptions:     true,
		SupportsExceptionOptions:           true,
		SupportsExceptionInfoRequest:       true,
		SupportsStepBack:                   true,
		SupportsSetVariable:                true,
		SupportsRestartRequest:             true,
		SupportsTerminateRequest:           true,
		SupportsLoadedSourcesRequest:       true,
		SupportsBreakpointLocationsRequest: true,
		SupportsDataBreakpoints:            true,
		SupportsReadMemoryRequest:          true,
		SupportsWriteMemoryRequest:         true,
		SupportsDisassembleRequest:         true,
		SupportsInstructionBreakpoints:     true,
		SupportsSteppingGranularity:        true,
	}}, nil
}

// launch makes the guest; configurationDone lets it begin.
func (c *client) launch(r *dap.LaunchRequest) (dap.Message, error) {
	a, err := arguments(r.Arguments)
	if err != nil {
		return nil, err
	}
	if c.t != nil {
		return nil, errors.New("this session has its guest already: restart, or disconnect first")
	}
	t, err := c.make(a, false)
	if err != nil {
		return nil, err
	}
	c.join(t, a, false)
	c.ready()
	return &dap.LaunchResponse{Response: ok(r)}, nil
}

// attach joins the machine that the server holds, or one of a snapshot.
func (c *client) attach(r *dap.AttachRequest) (dap.Message, error) {
	a, err := arguments(r.Arguments)
	switch {
	case err != nil:
		return nil, err
	case c.t != nil:
		return nil, errors.New("this session has its guest already: disconnect first")
	case a.Snapshot != "":
		t, err := c.make(a, true)
		if err != nil {
			return nil, err
		}
		c.join(t, a, false)
	case c.o.Held == nil:
		return nil, errors.New("there is nothing to attach to: name a \"snapshot\" file, or start the server with an image (x86emu dap --listen ADDR IMAGE)")
	default:
		c.join(c.o.Held.target, a, true)
		if text := c.t.guest.Text.Text(); text != "" {
			c.out.send(said("stdout", text))
		}
	}
	c.ready()
	return &dap.AttachResponse{Response: ok(r)}, nil
}

// make makes the guest that the arguments describe.
func (c *client) make(a *LaunchArguments, snapshot bool) (*target, error) {
	how := c.o.Launch
	switch {
	case snapshot:
		how = c.o.Restore
	case a.Program == "":
		return nil, errors.New("the configuration needs a \"program\": an image, or the name of a built-in kernel")
	}
	g, err := how(a)
	if err != nil {
		return nil, err
	}
	return newTarget(g)
}

// join makes a target the client's.
func (c *client) join(t *target, a *LaunchArguments, held bool) {
	c.t, c.args, c.held, c.ended = t, a, held, false
	c.sources = newSources(t, a)
	t.guest.Text.CopyTo(c.text)
	c.vars.forget()
}

// ready lets the client send its configuration.
func (c *client) ready() { c.out.send(&dap.InitializedEvent{Event: event("initialized")}) }

// configured begins: at the first instruction where that was asked for, and where
// the machine stands if the client has attached.
func (c *client) configured(ctx context.Context, r *dap.ConfigurationDoneRequest) (dap.Message, error) {
	if !c.begun {
		c.begun = true
		c.after = func() { c.begin(ctx) }
	}
	return &dap.ConfigurationDoneResponse{Response: ok(r)}, nil
}

func (c *client) begin(ctx context.Context) {
	if c.args.StopOnEntry && !c.args.NoDebug || c.held || c.args.Snapshot != "" {
		c.breaks.arm(c)
		c.stopped(dap.StoppedEventBody{Reason: "entry", Description: c.t.Stopped().Words})
		return
	}
	c.start(ctx, journey{run: c.t.Continue, resumes: true})
}

// restart begins anew: a launch makes the guest again, from its file as it is
// now; what was attached to goes back to its beginning.
func (c *client) restart(ctx context.Context, r *dap.RestartRequest) (dap.Message, error) {
	a := c.args
	var newer struct {
		Arguments json.RawMessage `json:"arguments"`
	}
	if len(r.Arguments) > 0 && json.Unmarshal(r.Arguments, &newer) == nil && len(newer.Arguments) > 0 {
		var err error
		if a, err = arguments(newer.Arguments); err != nil {
			return nil, err
		}
	}
	if c.held || a.Snapshot != "" {
		c.stop()
		if err := c.t.Begin(ctx); err != nil {
			return nil, err
		}
		c.vars.forget()
	} else {
		t, err := c.make(a, false)
		if err != nil {
			return nil, fmt.Errorf("the guest stays as it is: %w", err)
		}
		if err := c.leave(); err != nil {
			return nil, err
		}
		c.join(t, a, false)
		c.breaks.resolve(c)
	}
	c.ended = false
	c.after = func() { c.begin(ctx) }
	return &dap.RestartResponse{Response: ok(r)}, nil
}

// terminated ends the debugging; the client disconnects then.
func (c *client) terminated() {
	if c.ended || c.t == nil {
		return
	}
	c.ended = true
	if stop := c.t.Stopped(); stop.Over {
		c.out.send(&dap.ExitedEvent{Event: event("exited"), Body: dap.ExitedEventBody{ExitCode: stop.Result.Status()}})
	}
	c.out.send(&dap.TerminatedEvent{Event: event("terminated")})
}

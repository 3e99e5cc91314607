package dap

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/google/go-dap"
)

// client is the session of one client. All of it belongs to the goroutine of
// serve, except what stands in movement and output.
type client struct {
	o   Options
	out *writer

	firstLine   int  // the number that the client gives the first line of a file
	firstColumn int  // and the first column of a line
	refreshes   bool // it understands when all that it shows has changed
	remembers   bool // it understands when memory has
	args        *LaunchArguments
	t           *target // nil before a launch or an attach
	held        bool    // t is the server's
	text        *output // of the guest
	breaks      breakpoints
	vars        variables
	sources     sources

	move  *movement // under way; nil: the guest stands
	after func()    // what follows the response
	begun bool      // the client is done with its configuration
	ended bool      // terminated was told
	left  bool      // the client has disconnected
}

func newClient(o Options, w io.Writer) *client {
	out := newWriter(w)
	return &client{o: o, out: out, firstLine: 1, text: &output{out: out}}
}

// incoming is what the reading goroutine hands over.
type incoming struct {
	content []byte
	err     error
}

// serve handles one message after the other.
func (c *client) serve(ctx context.Context, r io.Reader) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	in := make(chan incoming)
	go receive(ctx, newReader(r), in)
	for !c.left {
		var done <-chan error
		var late <-chan time.Time
		if c.move != nil {
			done, late = c.move.done, time.After(flushAfter)
		}
		select {
		case m := <-in:
			if m.err == io.EOF {
				return nil
			}
			if m.err != nil {
				return m.err
			}
			c.handle(ctx, m.content)
		case err := <-done:
			c.arrived(err)
		case <-late:
			c.text.flush()
		case <-ctx.Done():
			return nil
		}
		if err := c.out.broken(); err != nil {
			return err
		}
	}
	return nil
}

// receive reads messages until there are none, or ctx ends.
func receive(ctx context.Context, r *bufio.Reader, to chan<- incoming) {
	for {
		content, err := readContent(r)
		select {
		case to <- incoming{content, err}:
		case <-ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}

// close leaves the guest: one that the server holds stays where it stands.
func (c *client) close() {
	c.text.flush()
	if err := c.leave(); err != nil && c.o.Log != nil {
		fmt.Fprintf(c.o.Log, "x86emu: %s\n", err)
	}
}

// leave lets go of the guest.
func (c *client) leave() error {
	c.stop()
	t := c.t
	c.t = nil
	switch {
	case t == nil:
		return nil
	case c.held:
		t.forget()
		t.guest.Text.CopyTo(nil)
		return nil
	}
	return t.close()
}

// headOf is what a message says of itself, as far as it can be read.
func headOf(content []byte) (seq int, command string) {
	var head struct {
		Seq     int    `json:"seq"`
		Command string `json:"command"`
	}
	// What could be read before an error is there.
	_ = json.Unmarshal(content, &head)
	return head.Seq, head.Command
}

// handle carries out a request and answers it.
func (c *client) handle(ctx context.Context, content []byte) {
	seq, command := headOf(content)
	m, err := dap.DecodeProtocolMessage(content)
	if err != nil {
		var field *dap.DecodeProtocolMessageFieldError
		if errors.As(err, &field) {
			err = fmt.Errorf("%q is no request that this debugger knows", field.FieldValue)
		}
		c.out.send(failure(seq, command, err))
		return
	}
	q, ok := m.(dap.RequestMessage)
	if !ok {
		return // a response to nothing, or an event of the client's: not ours to answer
	}
	c.after = nil
	r, err := c.dispatch(ctx, q)
	if err != nil {
		r = failure(seq, command, err)
	}
	c.out.send(r)
	if c.after != nil {
		c.after()
	}
}

// ok is the head of the answer to a request that was carried out.
func ok(r dap.RequestMessage) dap.Response {
	q := r.GetRequest()
	return dap.Response{RequestSeq: q.Seq, Success: true, Command: q.Command}
}

var (
	errNoGuest = errors.New("there is no guest yet: launch or attach comes first")
	errRunning = errors.New("the guest is running: pause it first")
)

// dispatch carries out a request. What is to come behind the response goes into
// c.after.
func (c *client) dispatch(ctx context.Context, m dap.RequestMessage) (dap.Message, error) {
	switch r := m.(type) {
	case *dap.InitializeRequest:
		return c.initialize(r)
	case *dap.LaunchRequest:
		return c.launch(r)
	case *dap.AttachRequest:
		return c.attach(r)
	case *dap.DisconnectRequest:
		c.after = func() { c.left = true }
		return &dap.DisconnectResponse{Response: ok(r)}, nil
	case *dap.ThreadsRequest:
		return &dap.ThreadsResponse{Response: ok(r), Body: dap.ThreadsResponseBody{Threads: []dap.Thread{{Id: thread, Name: "CPU 0"}}}}, nil
	}
	if c.t == nil {
		return nil, errNoGuest
	}
	switch r := m.(type) {
	case *dap.ConfigurationDoneRequest:
		return c.configured(ctx, r)
	case *dap.PauseRequest:
		return c.pause(r)
	case *dap.TerminateRequest:
		c.after = func() { c.stop(); c.terminated() }
		return &dap.TerminateResponse{Response: ok(r)}, nil
	case *dap.RestartRequest:
		return c.restart(ctx, r)
	case *dap.SetBreakpointsRequest:
		return c.setSourceBreakpoints(ctx, r)
	case *dap.SetFunctionBreakpointsRequest:
		return c.setFunctionBreakpoints(ctx, r)
	case *dap.SetInstructionBreakpointsRequest:
		return c.setInstructionBreakpoints(ctx, r)
	case *dap.SetDataBreakpointsRequest:
		return c.setDataBreakpoints(ctx, r)
	case *dap.SetExceptionBreakpointsRequest:
		return c.setExceptionBreakpoints(ctx, r)
	case *dap.BreakpointLocationsRequest:
		return c.breakpointLocations(r)
	case *dap.LoadedSourcesRequest:
		return c.loadedSources(r)
	case *dap.SourceRequest:
		return nil, errors.New("the file is in none of the folders that \"sourcePaths\" names")
	}
	if c.move != nil {
		return nil, errRunning
	}
	switch r := m.(type) {
	case *dap.ContinueRequest:
		return c.proceed(ctx, &dap.ContinueResponse{Response: ok(r), Body: dap.ContinueResponseBody{AllThreadsContinued: true}}, journey{run: c.t.Continue, resumes: true})
	case *dap.ReverseContinueRequest:
		return c.proceed(ctx, &dap.ReverseContinueResponse{Response: ok(r)}, journey{run: c.t.BackContinue})
	case *dap.NextRequest:
		return c.proceed(ctx, &dap.NextResponse{Response: ok(r)}, c.step(r.Arguments.Granularity, true))
	case *dap.StepInRequest:
		return c.proceed(ctx, &dap.StepInResponse{Response: ok(r)}, c.step(r.Arguments.Granularity, false))
	case *dap.StepOutRequest:
		return c.proceed(ctx, &dap.StepOutResponse{Response: ok(r)}, journey{run: c.t.Finish})
	case *dap.StepBackRequest:
		return c.proceed(ctx, &dap.StepBackResponse{Response: ok(r)}, c.stepBack(r.Arguments.Granularity))
	case *dap.StackTraceRequest:
		return c.stackTrace(r)
	case *dap.ScopesRequest:
		return c.scopes(ctx, r)
	case *dap.VariablesRequest:
		return c.variables(ctx, r)
	case *dap.SetVariableRequest:
		return c.setVariable(ctx, r)
	case *dap.EvaluateRequest:
		return c.evaluate(ctx, r)
	case *dap.ExceptionInfoRequest:
		return c.exceptionInfo(r)
	case *dap.DataBreakpointInfoRequest:
		return c.dataBreakpointInfo(ctx, r)
	case *dap.DisassembleRequest:
		return c.disassemble(r)
	case *dap.ReadMemoryRequest:
		return c.readMemory(r)
	case *dap.WriteMemoryRequest:
		return c.writeMemory(r)
	}
	return nil, fmt.Errorf("%q is not supported", m.GetRequest().Command)
}

package dap

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-dap"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/cpu"
	"x86emu/debug"
	"x86emu/debug/session"
	"x86emu/guest"
	"x86emu/machine"
)

// editor is a client: it asks, and keeps the events that come.
type editor struct {
	t      testing.TB
	w      io.WriteCloser
	in     chan dap.Message // closed at the end of the stream
	seq    int
	events []dap.EventMessage
	got    string // what the guest has sent
	said   string // what the debugger has said
}

// newEditor reads what comes from a server.
func newEditor(t testing.TB, r io.Reader, w io.WriteCloser) *editor {
	e := &editor{t: t, w: w, in: make(chan dap.Message, 1<<16)}
	go func() {
		defer close(e.in)
		for b := bufio.NewReader(r); ; {
			m, err := dap.ReadProtocolMessage(b)
			if err != nil {
				return
			}
			e.in <- m
		}
	}()
	return e
}

const soon = 20 * time.Second

// next is the next message; ok is false at the end of the stream.
func (e *editor) next() (m dap.Message, ok bool) {
	e.t.Helper()
	select {
	case m, ok = <-e.in:
	case <-time.After(soon):
		require.Fail(e.t, "no message comes")
	}
	if v, isEvent := m.(dap.EventMessage); isEvent {
		if o, ok := v.(*dap.OutputEvent); ok {
			if o.Body.Category == "stdout" {
				e.got += o.Body.Output
			} else {
				e.said += o.Body.Output
			}
		} else {
			e.events = append(e.events, v)
		}
	}
	return m, ok
}

// request is one as it goes over the wire.
type request struct {
	dap.Request
	Arguments any `json:"arguments,omitempty"`
}

// send sends a request and does not wait.
func (e *editor) send(command string, arguments any) (seq int) {
	e.t.Helper()
	e.seq++
	q := request{Request: dap.Request{ProtocolMessage: dap.ProtocolMessage{Seq: e.seq, Type: "request"}, Command: command}, Arguments: arguments}
	content, err := json.Marshal(q)
	require.NoError(e.t, err)
	require.NoError(e.t, dap.WriteBaseMessage(e.w, content))
	return e.seq
}

// answer waits for the answer to a request.
func (e *editor) answer(seq int) dap.ResponseMessage {
	e.t.Helper()
	for {
		m, ok := e.next()
		require.True(e.t, ok, "the stream has ended")
		if r, isResponse := m.(dap.ResponseMessage); isResponse && r.GetResponse().RequestSeq == seq {
			return r
		}
	}
}

// ask sends a request that succeeds, and gives its answer.
func ask[T dap.ResponseMessage](e *editor, command string, arguments any) T {
	e.t.Helper()
	r := e.answer(e.send(command, arguments))
	require.True(e.t, r.GetResponse().Success, "%s: %s", command, r.GetResponse().Message)
	assert.Equal(e.t, command, r.GetResponse().Command)
	answer, ok := r.(T)
	require.True(e.t, ok, "%s: %T", command, r)
	return answer
}

// refused sends a request that fails, and gives the reason.
func (e *editor) refused(command string, arguments any) string {
	e.t.Helper()
	r := e.answer(e.send(command, arguments))
	require.False(e.t, r.GetResponse().Success, command)
	return r.GetResponse().Message
}

// await waits for an event, which may have come already.
func await[T dap.EventMessage](e *editor) T {
	e.t.Helper()
	for {
		for i, v := range e.events {
			if found, ok := v.(T); ok {
				e.events = slices.Delete(e.events, 0, i+1)
				return found
			}
		}
		_, ok := e.next()
		require.True(e.t, ok, "the stream has ended")
	}
}

// pipe is an editor with a server in this process; ended gives what Serve came
// back with.
func pipe(t testing.TB, o Options) (e *editor, ended chan error) {
	serverIn, w := io.Pipe()
	r, serverOut := io.Pipe()
	ended = make(chan error, 1)
	go func() {
		err := Serve(t.Context(), serverIn, serverOut, o)
		serverIn.Close()
		serverOut.Close()
		ended <- err
	}()
	t.Cleanup(func() { w.Close() })
	return newEditor(t, r, w), ended
}

// options are those of a server that launches images of this repository.
func options(t testing.TB) Options {
	return Options{Launch: func(a *LaunchArguments) (*Guest, error) {
		data, err := guest.Open(a.Program)
		if err != nil {
			return nil, err
		}
		return load(a, data)
	}}
}

// load makes a guest of an image.
func load(a *LaunchArguments, data []byte) (*Guest, error) {
	img, err := guest.Parse(data)
	if err != nil {
		return nil, err
	}
	g := &Guest{Text: session.NewTranscript(), Image: a.Program}
	cfg := machine.Config{Serial: g.Text.Output(), Console: g.Text.Output()}
	if a.CPU != "" {
		cfg.Model, _ = cpu.ModelByName(a.CPU)
	}
	if g.Machine, err = machine.New(cfg); err != nil {
		return nil, err
	}
	if err := img.Load(g.Machine, guest.Options{}); err != nil {
		return nil, err
	}
	g.Symbols, err = debug.LoadSymbols(data)
	return g, err
}

// average is the program with line tables: debug/testdata/symbols/average.c.
const average = "../testdata/symbols/average.elf"

// launched is an editor that has launched a program and stands at its beginning.
func launched(t testing.TB, program string) *editor {
	t.Helper()
	if program == average {
		_, err := os.Stat(average)
		require.NoError(t, err)
	}
	e, _ := pipe(t, options(t))
	e.launch(LaunchArguments{Program: program, StopOnEntry: true})
	e.begin()
	return e
}

// launch initializes and launches.
func (e *editor) launch(a LaunchArguments) {
	e.t.Helper()
	ask[*dap.InitializeResponse](e, "initialize", dap.InitializeRequestArguments{AdapterID: "x86emu", LinesStartAt1: true, ColumnsStartAt1: true, SupportsInvalidatedEvent: true, SupportsMemoryEvent: true})
	ask[*dap.LaunchResponse](e, "launch", a)
	await[*dap.InitializedEvent](e)
}

// begin is done with the configuration, and stands at the entry.
func (e *editor) begin() {
	e.t.Helper()
	ask[*dap.ConfigurationDoneResponse](e, "configurationDone", nil)
	assert.Equal(e.t, "entry", await[*dap.StoppedEvent](e).Body.Reason)
}

// move makes a movement and waits for its end.
func (e *editor) move(command string, granularity string) dap.StoppedEventBody {
	e.t.Helper()
	e.answer(e.send(command, map[string]any{"threadId": thread, "granularity": granularity}))
	stop := await[*dap.StoppedEvent](e).Body
	assert.True(e.t, stop.AllThreadsStopped)
	assert.Equal(e.t, thread, stop.ThreadId)
	return stop
}

// frames is the stack.
func (e *editor) frames() []dap.StackFrame {
	e.t.Helper()
	return ask[*dap.StackTraceResponse](e, "stackTrace", dap.StackTraceArguments{ThreadId: thread}).Body.StackFrames
}

// line is the line of the next instruction.
func (e *editor) line() int { e.t.Helper(); return e.frames()[0].Line }

// scope is the variables of a scope of a frame.
func (e *editor) scope(frame int, name string) []dap.Variable {
	e.t.Helper()
	for _, s := range ask[*dap.ScopesResponse](e, "scopes", dap.ScopesArguments{FrameId: frame}).Body.Scopes {
		if s.Name == name {
			return e.below(s.VariablesReference)
		}
	}
	require.Fail(e.t, "no scope "+name)
	return nil
}

// below is what lies below a variable.
func (e *editor) below(reference int) []dap.Variable {
	e.t.Helper()
	return ask[*dap.VariablesResponse](e, "variables", dap.VariablesArguments{VariablesReference: reference}).Body.Variables
}

// value is what an expression evaluates to.
func (e *editor) value(expression string) string {
	e.t.Helper()
	return ask[*dap.EvaluateResponse](e, "evaluate", dap.EvaluateArguments{Expression: expression}).Body.Result
}

// spinning is an editor with a guest that loops for ever: nop; jmp to the nop.
func spinning(t testing.TB) *editor {
	t.Helper()
	o := Options{Launch: func(*LaunchArguments) (*Guest, error) {
		img, err := guest.ParseFlat([]byte{0x90, 0x90, 0xeb, 0xfc}, 0x100000, 32, 0)
		if err != nil {
			return nil, err
		}
		g := &Guest{Text: session.NewTranscript(), Image: "spin"}
		if g.Machine, err = machine.New(machine.Config{Serial: g.Text.Output()}); err != nil {
			return nil, err
		}
		return g, img.Load(g.Machine, guest.Options{})
	}}
	e, _ := pipe(t, o)
	e.launch(LaunchArguments{Program: "spin", StopOnEntry: true})
	e.begin()
	return e
}

func itoa(n int) string { return strconv.Itoa(n) }

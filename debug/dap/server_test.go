package dap

import (
	"bytes"
	"context"
	"net"
	"testing"

	"github.com/google/go-dap"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/debug/session"
	"x86emu/guest"
	"x86emu/machine"
)

// dial connects an editor to a server.
func dial(t *testing.T, l net.Listener) *editor {
	conn, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	return newEditor(t, conn, conn)
}

// A server that holds a machine: clients come and go, one at a time, and each
// finds it where the last one has left it.
func TestHeldMachine(t *testing.T) {
	data, err := guest.Open("unmapped-handler-32")
	require.NoError(t, err)
	g, err := load(&LaunchArguments{Program: "unmapped-handler-32"}, data)
	require.NoError(t, err)
	held, err := Hold(g)
	require.NoError(t, err)
	require.NoError(t, held.Goto(t.Context(), 1000))
	o := options(t)
	o.Held = held
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- ServeAll(ctx, l, o) }()

	tick := func(e *editor) string { return find(t, e.scope(presentFrame, scopeRegisters), "tick").Value }
	e := dial(t, l)
	ask[*dap.InitializeResponse](e, "initialize", nil)
	ask[*dap.AttachResponse](e, "attach", nil)
	await[*dap.InitializedEvent](e)
	e.begin()
	assert.Equal(t, "1000", tick(e))
	ask[*dap.SetExceptionBreakpointsResponse](e, "setExceptionBreakpoints", dap.SetExceptionBreakpointsArguments{
		FilterOptions: []dap.ExceptionFilterOptions{{FilterId: "PF", Condition: "code=6/7"}},
	})
	assert.Equal(t, "exception", e.move("continue", "").Reason)
	assert.Equal(t, "203342", tick(e))
	sent := e.got

	second := dial(t, l)
	assert.Contains(t, second.refused("initialize", nil), "another client is connected")
	ask[*dap.DisconnectResponse](e, "disconnect", nil)
	for ok := true; ok; {
		_, ok = e.next()
	}

	e = dial(t, l)
	for e.answer(e.send("initialize", nil)).GetResponse().Success == false {
		e = dial(t, l) // the first one is just about to be let go
	}
	ask[*dap.AttachResponse](e, "attach", nil)
	e.begin()
	assert.Equal(t, "203342", tick(e))
	assert.Contains(t, e.got, sent, "what was sent before is shown")
	assert.Equal(t, "exit", e.move("continue", "").Reason, "the other client's breakpoints are gone")
	ask[*dap.RestartResponse](e, "restart", nil)
	await[*dap.StoppedEvent](e)
	assert.Equal(t, "0", tick(e), "back to its beginning")
	require.NoError(t, e.w.Close())

	e = dial(t, l)
	for e.answer(e.send("initialize", nil)).GetResponse().Success == false {
		e = dial(t, l)
	}
	e.launch(LaunchArguments{Program: "hello-32", StopOnEntry: true})
	e.begin()
	cancel()
	require.NoError(t, <-ended)
	require.NoError(t, held.Close())
}

// A snapshot goes on from where it was taken.
func TestAttachToSnapshot(t *testing.T) {
	data, err := guest.Open("hello-32")
	require.NoError(t, err)
	g, err := load(&LaunchArguments{Program: "hello-32"}, data)
	require.NoError(t, err)
	_, err = g.Machine.Run(t.Context(), 500)
	require.NoError(t, err)
	var file bytes.Buffer
	require.NoError(t, g.Machine.Save(&file))

	o := options(t)
	o.Restore = func(a *LaunchArguments) (*Guest, error) {
		g := &Guest{Text: session.NewTranscript(), Image: a.Snapshot}
		var err error
		g.Machine, err = machine.Restore(bytes.NewReader(file.Bytes()), machine.Config{Serial: g.Text.Output()})
		return g, err
	}
	e, _ := pipe(t, o)
	ask[*dap.InitializeResponse](e, "initialize", nil)
	ask[*dap.AttachResponse](e, "attach", LaunchArguments{Snapshot: "hello.snapshot"})
	e.begin()
	assert.Equal(t, "500", find(t, e.scope(presentFrame, scopeRegisters), "tick").Value)
	assert.Equal(t, "exit", e.move("continue", "").Reason)
	assert.Contains(t, e.move("reverseContinue", "").Description, "the beginning")
	assert.Equal(t, "500", find(t, e.scope(presentFrame, scopeRegisters), "tick").Value)
}

package dap

import (
	"testing"

	"github.com/google/go-dap"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The program is debug/testdata/symbols/average.c.
func TestSteps(t *testing.T) {
	for _, c := range []struct {
		name        string
		command     string
		granularity string
		from        string   // a function to begin at
		stops       []string // function and line, after each step
	}{
		{"next goes over calls", "next", "line", "_start", []string{"_start 24", "_start 25"}},
		{"without a granularity a step is a line", "next", "", "_start", []string{"_start 24", "_start 25"}},
		{"a statement is a line", "next", "statement", "_start", []string{"_start 24", "_start 25"}},
		{"stepIn goes into calls", "stepIn", "line", "_start", []string{"_start 24", "average 18", "average 19", "sum 12"}},
		{"by instruction", "stepIn", "instruction", "_start", []string{"_start 24", "_start 24", "_start 24", "average 18"}},
		{"next by instruction goes over a call", "next", "instruction", "_start", []string{"_start 24", "_start 24", "_start 24", "_start 24", "_start 24", "_start 25"}},
		{"stepOut goes behind the call", "stepOut", "", "sum", []string{"average 19", "_start 24"}},
		{"stepBack goes back by line", "stepBack", "line", "sum", []string{"average 19", "average 18", "_start 24", "_start 23", "_start 23"}},
		{"stepBack goes back by instruction", "stepBack", "instruction", "average", []string{"_start 24", "_start 24", "_start 24", "_start 23"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := launched(t, average)
			if c.from != "_start" {
				e.breakAt(c.from)
				e.move("continue", "")
				e.breakAt()
			}
			var stops []string
			for range c.stops {
				e.move(c.command, c.granularity)
				stops = append(stops, e.place())
			}
			assert.Equal(t, c.stops, stops)
		})
	}
}

// breakAt sets breakpoints on functions, in place of all that were there.
func (e *editor) breakAt(names ...string) []dap.Breakpoint {
	e.t.Helper()
	a := dap.SetFunctionBreakpointsArguments{Breakpoints: []dap.FunctionBreakpoint{}}
	for _, n := range names {
		a.Breakpoints = append(a.Breakpoints, dap.FunctionBreakpoint{Name: n})
	}
	return ask[*dap.SetFunctionBreakpointsResponse](e, "setFunctionBreakpoints", a).Body.Breakpoints
}

// place is function and line of the next instruction.
func (e *editor) place() string {
	e.t.Helper()
	f := e.frames()[0]
	return f.Name + " " + itoa(f.Line)
}

// The end of the run is a stop, from which one can go back; who goes on there
// has the end of the session, with the exit status of the run.
func TestEnd(t *testing.T) {
	e := launched(t, "hello-32")
	stop := e.move("continue", "")
	assert.Equal(t, "exit", stop.Reason)
	whole := e.got
	assert.Contains(t, whole, "Hello")
	assert.Contains(t, e.said, "exit status 0")

	stop = e.move("reverseContinue", "")
	assert.Contains(t, stop.Description, "the beginning")
	assert.Equal(t, "exit", e.move("continue", "").Reason)
	assert.Equal(t, whole, e.got, "nothing is sent twice")

	e.answer(e.send("continue", nil))
	assert.Equal(t, 0, await[*dap.ExitedEvent](e).Body.ExitCode)
	await[*dap.TerminatedEvent](e)
	ask[*dap.DisconnectResponse](e, "disconnect", nil)
}

func TestEndWithoutStop(t *testing.T) {
	no := false
	for _, c := range []struct {
		name string
		args LaunchArguments
		exit int
	}{
		{"the guest's word", LaunchArguments{Program: "hello-32", StopAtEnd: &no}, 0},
		{"shutdown", LaunchArguments{Program: "df-no-gate-32", StopAtEnd: &no}, 126},
		{"an endless loop", LaunchArguments{Program: "pf-ist-64", StopAtEnd: &no}, 122},
		{"without debugging no breakpoint stops", LaunchArguments{Program: "hello-32", NoDebug: true, StopOnEntry: true}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, ended := pipe(t, options(t))
			e.launch(c.args)
			if c.args.NoDebug {
				e.breakAt("0x100000", "catch any")
			}
			ask[*dap.ConfigurationDoneResponse](e, "configurationDone", nil)
			assert.Equal(t, c.exit, await[*dap.ExitedEvent](e).Body.ExitCode)
			await[*dap.TerminatedEvent](e)
			ask[*dap.DisconnectResponse](e, "disconnect", nil)
			assert.NoError(t, <-ended)
		})
	}
}

// A guest that runs for ever: pause, and breakpoints set while it runs.
func TestPause(t *testing.T) {
	e := spinning(t)
	ask[*dap.ContinueResponse](e, "continue", nil)
	assert.Equal(t, "the guest is running: pause it first", e.refused("stackTrace", nil))
	assert.Contains(t, e.refused("continue", nil), "running")
	ask[*dap.ThreadsResponse](e, "threads", nil)
	ask[*dap.PauseResponse](e, "pause", dap.PauseArguments{ThreadId: thread})
	stop := await[*dap.StoppedEvent](e).Body
	assert.Equal(t, "pause", stop.Reason)
	assert.Contains(t, e.refused("pause", nil), "does not run")

	ask[*dap.ContinueResponse](e, "continue", nil)
	set := e.breakAt("0x100001")
	require.True(t, set[0].Verified)
	stop = await[*dap.StoppedEvent](e).Body
	assert.Equal(t, "function breakpoint", stop.Reason)
	assert.Equal(t, []int{set[0].Id}, stop.HitBreakpointIds)

	// A change right behind a pause does not undo it.
	e.breakAt()
	e.send("continue", nil)
	e.send("pause", nil)
	e.breakAt("0x100001")
	assert.Equal(t, "pause", await[*dap.StoppedEvent](e).Body.Reason)

	// A step that does not end begins anew with the breakpoints of now.
	e.breakAt()
	e.send("stepOut", nil)
	set = e.breakAt("0x100000")
	stop = await[*dap.StoppedEvent](e).Body
	assert.Equal(t, []int{set[0].Id}, stop.HitBreakpointIds)

	e.breakAt()
	ask[*dap.ContinueResponse](e, "continue", nil)
	ask[*dap.TerminateResponse](e, "terminate", nil)
	await[*dap.TerminatedEvent](e)
	ask[*dap.DisconnectResponse](e, "disconnect", nil)
}

// Restart makes the guest again, with the breakpoints that are there.
func TestRestart(t *testing.T) {
	e := launched(t, average)
	set := e.breakAt("average")
	e.move("continue", "")
	e.move("continue", "")
	ask[*dap.RestartResponse](e, "restart", nil)
	assert.Equal(t, "entry", await[*dap.StoppedEvent](e).Body.Reason)
	assert.Equal(t, "_start 23", e.place())
	assert.Equal(t, []int{set[0].Id}, e.move("continue", "").HitBreakpointIds)

	// With newer arguments, as an editor sends them.
	ask[*dap.RestartResponse](e, "restart", map[string]any{"arguments": LaunchArguments{Program: "hello-32"}})
	assert.Equal(t, "exit", await[*dap.StoppedEvent](e).Body.Reason)
	assert.Contains(t, e.got, "Hello")
	assert.Contains(t, e.refused("restart", map[string]any{"arguments": LaunchArguments{Program: "no-such-guest"}}), "stays as it is")
	assert.NotEmpty(t, e.frames())
}

package dap

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/google/go-dap"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSourceBreakpoints(t *testing.T) {
	whole, err := filepath.Abs("../testdata/symbols/average.c")
	require.NoError(t, err)
	for _, c := range []struct {
		name      string
		file      string
		line      int
		condition string
		got       int    // the line where it lies
		message   string // of one that is not verified
		stops     int    // how often it is met
	}{
		{"a line with code, met in each call", whole, 19, "", 19, "", 2},
		{"a line without code moves down", whole, 16, "", 18, "", 2},
		{"with a test that holds once", whole, 18, "$edx == 0", 18, "", 1},
		{"a file of another folder that ends alike", "/elsewhere/average.c", 19, "", 19, "", 2},
		{"a line in two places", whole, 12, "", 12, "", 7},
		{"below the last line", whole, 99, "", 99, "no code of line 99", 0},
		{"a file that is not in the tables", "/elsewhere/sum.c", 1, "", 1, "know no file sum.c", 0},
		{"a test that is none", whole, 19, "$edx", 19, "must be a comparison", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := launched(t, average)
			set := ask[*dap.SetBreakpointsResponse](e, "setBreakpoints", dap.SetBreakpointsArguments{
				Source: dap.Source{Path: c.file}, Breakpoints: []dap.SourceBreakpoint{{Line: c.line, Condition: c.condition}},
			}).Body.Breakpoints
			require.Len(t, set, 1)
			assert.Equal(t, c.message == "", set[0].Verified)
			assert.Contains(t, set[0].Message, c.message)
			assert.Equal(t, c.got, set[0].Line)
			n := 0
			for stop := e.move("continue", ""); stop.Reason == "breakpoint"; stop = e.move("continue", "") {
				assert.Equal(t, []int{set[0].Id}, stop.HitBreakpointIds)
				assert.Equal(t, c.got, e.line())
				n++
			}
			assert.Equal(t, c.stops, n)
			for stop := e.move("reverseContinue", ""); stop.Reason == "breakpoint"; stop = e.move("reverseContinue", "") {
				n--
			}
			assert.Zero(t, n, "back it is met as often")
		})
	}
}

// An editor that counts lines from 0 gets them so.
func TestLinesFromZero(t *testing.T) {
	e, _ := pipe(t, options(t))
	ask[*dap.InitializeResponse](e, "initialize", map[string]any{"adapterID": "x86emu", "linesStartAt1": false})
	ask[*dap.LaunchResponse](e, "launch", LaunchArguments{Program: average, StopOnEntry: true})
	e.begin()
	set := ask[*dap.SetBreakpointsResponse](e, "setBreakpoints", dap.SetBreakpointsArguments{
		Source: dap.Source{Path: "average.c"}, Breakpoints: []dap.SourceBreakpoint{{Line: 18}},
	}).Body.Breakpoints
	assert.Equal(t, 18, set[0].Line)
	e.move("continue", "")
	assert.Equal(t, "average 18", e.place(), "line 19 for those that count from 1")
}

func TestBreakpointLocations(t *testing.T) {
	e := launched(t, average)
	got := ask[*dap.BreakpointLocationsResponse](e, "breakpointLocations", dap.BreakpointLocationsArguments{Source: dap.Source{Path: "average.c"}, Line: 15, EndLine: 20}).Body.Breakpoints
	assert.Equal(t, []dap.BreakpointLocation{{Line: 18}, {Line: 19}}, got)
	got = ask[*dap.BreakpointLocationsResponse](e, "breakpointLocations", dap.BreakpointLocationsArguments{Source: dap.Source{Path: "other.c"}, Line: 15}).Body.Breakpoints
	assert.Empty(t, got)
	assert.Len(t, ask[*dap.LoadedSourcesResponse](e, "loadedSources", nil).Body.Sources, 1)
}

func TestFunctionAndInstructionBreakpoints(t *testing.T) {
	e := launched(t, average)
	set := e.breakAt("average", "sum+1", "0x100036", "nowhere", "")
	assert.True(t, set[0].Verified)
	assert.Equal(t, 18, set[0].Line)
	assert.True(t, set[1].Verified)
	assert.True(t, set[2].Verified)
	assert.Contains(t, set[3].Message, "neither a number, nor a symbol")
	assert.Contains(t, set[4].Message, "needs a symbol or an address")
	assert.Equal(t, []int{set[2].Id}, e.move("continue", "").HitBreakpointIds)
	assert.Equal(t, []int{set[0].Id}, e.move("continue", "").HitBreakpointIds)
	e.breakAt()

	insts := ask[*dap.SetInstructionBreakpointsResponse](e, "setInstructionBreakpoints", dap.SetInstructionBreakpointsArguments{Breakpoints: []dap.InstructionBreakpoint{
		{InstructionReference: "0x100023", Offset: 0x26}, {InstructionReference: "phys:0x100000"}, {InstructionReference: "here"},
	}}).Body.Breakpoints
	assert.True(t, insts[0].Verified)
	assert.Contains(t, insts[1].Message, "linear address")
	assert.Contains(t, insts[2].Message, "must be an address")
	stop := e.move("continue", "")
	assert.Equal(t, "instruction breakpoint", stop.Reason)
	assert.Equal(t, "0x100049", e.frames()[0].InstructionPointerReference)
}

// Stores are watched where a variable says, or an expression.
func TestDataBreakpoints(t *testing.T) {
	e := launched(t, "demand-paging-32")
	info := func(reference int, name string) dap.DataBreakpointInfoResponseBody {
		return ask[*dap.DataBreakpointInfoResponse](e, "dataBreakpointInfo", dap.DataBreakpointInfoArguments{VariablesReference: reference, Name: name}).Body
	}
	for _, c := range []struct {
		name string
		id   any    // nil: cannot be watched
		text string // of the description
	}{
		{"0x102000", "write 0x102000 4", "write to 4 bytes at 0x102000"},
		{"0x102000, 16", "write 0x102000 16", "write to 16 bytes at 0x102000"},
		{"0x102000 1", "write 0x102000 1", "write to 0x102000"},
		{"change 0x1000 8 phys", "change 0x1000 8 phys", "change of 8 bytes at physical 0x1000"},
		{"nowhere", nil, "neither a number"},
		{"0x102000 0", nil, "must be a number of bytes"},
		{"", nil, "an address is needed"},
	} {
		got := info(0, c.name)
		assert.Equal(t, c.id, got.DataId, c.name)
		assert.Contains(t, got.Description, c.text)
	}

	// What a register points to, and an entry of the page tables.
	ask[*dap.SetExceptionBreakpointsResponse](e, "setExceptionBreakpoints", dap.SetExceptionBreakpointsArguments{Filters: []string{"PF"}})
	require.Equal(t, "exception", e.move("continue", "").Reason)
	ask[*dap.SetExceptionBreakpointsResponse](e, "setExceptionBreakpoints", dap.SetExceptionBreakpointsArguments{Filters: []string{}})
	scopes := ask[*dap.ScopesResponse](e, "scopes", dap.ScopesArguments{FrameId: presentFrame}).Body.Scopes
	esp := e.value("$esp")
	assert.Equal(t, fmt.Sprintf("write %s 4", trim(esp)), info(scopes[0].VariablesReference, "esp").DataId)
	assert.Nil(t, info(scopes[0].VariablesReference, "cpl").DataId)
	assert.Contains(t, e.refused("dataBreakpointInfo", dap.DataBreakpointInfoArguments{VariablesReference: scopes[0].VariablesReference, Name: "r99"}), "no variable")

	access := e.scope(presentFrame, scopeWalk)[0]
	levels := e.below(access.VariablesReference)
	last := levels[len(levels)-1]
	for last.MemoryReference == "" {
		levels = levels[:len(levels)-1]
		last = levels[len(levels)-1]
	}
	id := info(access.VariablesReference, last.Name).DataId
	require.NotNil(t, id, "%v", levels)
	set := ask[*dap.SetDataBreakpointsResponse](e, "setDataBreakpoints", dap.SetDataBreakpointsArguments{Breakpoints: []dap.DataBreakpoint{
		{DataId: id.(string), AccessType: "write"}, {DataId: id.(string), AccessType: "read"}, {DataId: "exec 5"}, {DataId: "write 0xfff00000 4"},
	}}).Body.Breakpoints
	assert.True(t, set[0].Verified)
	assert.Contains(t, set[1].Message, "reads cannot")
	assert.Contains(t, set[2].Message, "must be one of write, change, read, access, pte")
	assert.Contains(t, set[3].Message, "not mapped")
	before := ask[*dap.ReadMemoryResponse](e, "readMemory", dap.ReadMemoryArguments{MemoryReference: last.MemoryReference, Count: 4}).Body.Data
	stop := e.move("continue", "")
	assert.Equal(t, "data breakpoint", stop.Reason)
	assert.Equal(t, []int{set[0].Id}, stop.HitBreakpointIds)
	now := ask[*dap.ReadMemoryResponse](e, "readMemory", dap.ReadMemoryArguments{MemoryReference: last.MemoryReference, Count: 4}).Body.Data
	assert.Equal(t, before, now, "the stop is before the store")
	e.move("stepIn", "instruction")
	now = ask[*dap.ReadMemoryResponse](e, "readMemory", dap.ReadMemoryArguments{MemoryReference: last.MemoryReference, Count: 4}).Body.Data
	assert.NotEqual(t, before, now)
}

// trim takes leading zeros off a hexadecimal number, and what follows it.
func trim(text string) string {
	var v uint64
	fmt.Sscanf(text, "0x%x", &v)
	return fmt.Sprintf("0x%x", v)
}

func TestExceptionBreakpoints(t *testing.T) {
	for _, c := range []struct {
		name  string
		args  dap.SetExceptionBreakpointsArguments
		first string // exception of the first stop; "" for none
	}{
		{"a vector", dap.SetExceptionBreakpointsArguments{Filters: []string{"PF"}}, "#PF"},
		{"any", dap.SetExceptionBreakpointsArguments{Filters: []string{"any"}}, "#PF"},
		{"another vector", dap.SetExceptionBreakpointsArguments{Filters: []string{"DF"}}, "#DF"},
		{"an error code that comes", dap.SetExceptionBreakpointsArguments{FilterOptions: []dap.ExceptionFilterOptions{{FilterId: "PF", Condition: "code=6/6"}}}, "#PF"},
		{"an error code that does not", dap.SetExceptionBreakpointsArguments{FilterOptions: []dap.ExceptionFilterOptions{{FilterId: "PF", Condition: "code=8/8"}}}, ""},
		{"a CR2 that comes", dap.SetExceptionBreakpointsArguments{FilterOptions: []dap.ExceptionFilterOptions{{FilterId: "PF", Condition: "cr2=0xf8400000-0xf8400fff"}}}, "#PF"},
		{"a CR2 that does not", dap.SetExceptionBreakpointsArguments{FilterOptions: []dap.ExceptionFilterOptions{{FilterId: "PF", Condition: "cr2=0x1-0xfff"}}}, ""},
		{"a path", dap.SetExceptionBreakpointsArguments{ExceptionOptions: []dap.ExceptionOptions{{Path: []dap.ExceptionPathSegment{{Names: []string{"vectors"}}, {Names: []string{"GP", "8"}}}, BreakMode: "always"}}}, "#DF"},
		{"a path never to stop at", dap.SetExceptionBreakpointsArguments{ExceptionOptions: []dap.ExceptionOptions{{Path: []dap.ExceptionPathSegment{{Names: []string{"PF"}}}, BreakMode: "never"}}}, ""},
		{"no filter", dap.SetExceptionBreakpointsArguments{Filters: []string{}}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := launched(t, "unmapped-handler-32")
			ask[*dap.SetExceptionBreakpointsResponse](e, "setExceptionBreakpoints", c.args)
			stop := e.move("continue", "")
			if c.first == "" {
				assert.Equal(t, "exit", stop.Reason)
				return
			}
			require.Equal(t, "exception", stop.Reason)
			if c.first == "#PF" {
				info := ask[*dap.ExceptionInfoResponse](e, "exceptionInfo", dap.ExceptionInfoArguments{ThreadId: thread}).Body
				assert.Equal(t, c.first, info.ExceptionId)
				assert.Contains(t, info.Description, "page fault, error code 0x")
			}
		})
	}
	e := launched(t, "unmapped-handler-32")
	set := ask[*dap.SetExceptionBreakpointsResponse](e, "setExceptionBreakpoints", dap.SetExceptionBreakpointsArguments{Filters: []string{"XY"}, FilterOptions: []dap.ExceptionFilterOptions{{FilterId: "PF", Condition: "rip=5"}}}).Body.Breakpoints
	require.Len(t, set, 2)
	assert.Contains(t, set[0].Message, "must be an exception such as PF")
	assert.Contains(t, set[1].Message, "catch knows code=")
	assert.Contains(t, e.refused("exceptionInfo", nil), "raises nothing")
}

// A breakpoint on what is not mapped yet is verified when it is.
func TestLateBreakpoint(t *testing.T) {
	e := launched(t, "demand-paging-32")
	ask[*dap.SetExceptionBreakpointsResponse](e, "setExceptionBreakpoints", dap.SetExceptionBreakpointsArguments{Filters: []string{"PF"}})
	e.move("continue", "")
	e.move("stepIn", "instruction")
	at := trim(e.value("$cr2"))
	set := ask[*dap.SetDataBreakpointsResponse](e, "setDataBreakpoints", dap.SetDataBreakpointsArguments{Breakpoints: []dap.DataBreakpoint{{DataId: "write " + at + " 4"}}}).Body.Breakpoints
	require.False(t, set[0].Verified)
	assert.Contains(t, set[0].Message, "not mapped")
	e.move("continue", "") // the next fault: this page is there now
	e.send("continue", nil)
	changed := await[*dap.BreakpointEvent](e).Body
	assert.Equal(t, "changed", changed.Reason)
	assert.Equal(t, set[0].Id, changed.Breakpoint.Id)
	assert.True(t, changed.Breakpoint.Verified)
	assert.Empty(t, changed.Breakpoint.Message)
}

// Reads of linear memory are watched as well.
func TestReadBreakpoint(t *testing.T) {
	e := launched(t, average)
	at := trim(e.value("marks"))
	info := ask[*dap.DataBreakpointInfoResponse](e, "dataBreakpointInfo", dap.DataBreakpointInfoArguments{Name: "marks+4"}).Body
	assert.Equal(t, []dap.DataBreakpointAccessType{"read", "write", "readWrite"}, info.AccessTypes)
	for _, c := range []struct {
		access dap.DataBreakpointAccessType
		stops  int
	}{{"read", 1}, {"readWrite", 1}, {"write", 0}, {"", 0}} {
		set := ask[*dap.SetDataBreakpointsResponse](e, "setDataBreakpoints", dap.SetDataBreakpointsArguments{Breakpoints: []dap.DataBreakpoint{{DataId: info.DataId.(string), AccessType: c.access}}}).Body.Breakpoints
		require.True(t, set[0].Verified, set[0].Message)
		n := 0
		for stop := e.move("continue", ""); stop.Reason == "data breakpoint"; stop = e.move("continue", "") {
			assert.Equal(t, []int{set[0].Id}, stop.HitBreakpointIds)
			assert.Equal(t, "sum", e.frames()[0].Name)
			n++
		}
		assert.Equal(t, c.stops, n, "%s of %s", c.access, at)
		for e.move("reverseContinue", "").Reason == "data breakpoint" {
			n--
		}
		assert.Zero(t, n)
	}
	set := ask[*dap.SetDataBreakpointsResponse](e, "setDataBreakpoints", dap.SetDataBreakpointsArguments{Breakpoints: []dap.DataBreakpoint{{DataId: "write 0x1000 4", AccessType: "execute"}, {DataId: "read 0x1000 4 phys"}}}).Body.Breakpoints
	assert.Contains(t, set[0].Message, "accesses are read, write and readWrite")
	assert.True(t, set[1].Verified, set[1].Message)
}

// A step stops before an exception in its midst, and in what it steps over.
func TestExceptionInStep(t *testing.T) {
	for _, filter := range []string{"DE", "any"} {
		e := launched(t, average)
		ask[*dap.SetExceptionBreakpointsResponse](e, "setExceptionBreakpoints", dap.SetExceptionBreakpointsArguments{Filters: []string{filter}})
		e.move("next", "")
		assert.Equal(t, "step", e.move("next", "").Reason)
		require.Equal(t, "_start 25", e.place())
		stop := e.move("next", "")
		assert.Equal(t, "exception", stop.Reason)
		assert.Equal(t, "before #DE", stop.Description)
		assert.Equal(t, "average 19", e.place())
		assert.Equal(t, "step", e.move("stepBack", "").Reason)
		require.Equal(t, "average 19", e.place(), "to the beginning of the line")
		assert.Equal(t, "exception", e.move("next", "").Reason)
	}
}

package dap

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/google/go-dap"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// faulted stands before the first write of a kernel's process that faults.
func faulted(t *testing.T, kernel string) *editor {
	e := launched(t, kernel)
	ask[*dap.SetExceptionBreakpointsResponse](e, "setExceptionBreakpoints", dap.SetExceptionBreakpointsArguments{
		FilterOptions: []dap.ExceptionFilterOptions{{FilterId: "PF", Condition: "code=6/7"}},
	})
	require.Equal(t, "exception", e.move("continue", "").Reason)
	return e
}

// find gives the variable of a name.
func find(t *testing.T, all []dap.Variable, name string) dap.Variable {
	t.Helper()
	for _, v := range all {
		if v.Name == name {
			return v
		}
	}
	require.Failf(t, "no variable", "%s among %v", name, all)
	return dap.Variable{}
}

// The frames are what is interrupted, with the registers of that moment.
func TestFrames(t *testing.T) {
	e := faulted(t, "stack-guard-32")
	require.Len(t, e.frames(), 1, "no handler is at work")
	at, esp := e.frames()[0].InstructionPointerReference, e.value("esp")
	e.move("stepIn", "instruction") // into the handler
	e.move("stepIn", "instruction")
	frames := e.frames()
	require.Len(t, frames, 2)
	assert.Equal(t, at, frames[1].InstructionPointerReference)
	assert.Contains(t, frames[1].Name, "[#PF at tick ")
	assert.NotEqual(t, esp, e.value("esp"))
	assert.Equal(t, esp, find(t, e.scope(frames[1].Id, scopeRegisters), "esp").Value)
	assert.Equal(t, esp, ask[*dap.EvaluateResponse](e, "evaluate", dap.EvaluateArguments{Expression: "$esp", FrameId: frames[1].Id}).Body.Result)
	story := e.scope(frames[1].Id, scopeFaults)
	assert.Equal(t, "#PF", story[0].Name)

	part := ask[*dap.StackTraceResponse](e, "stackTrace", dap.StackTraceArguments{ThreadId: thread, StartFrame: 1, Levels: 5}).Body
	assert.Equal(t, frames[1:], part.StackFrames)
	assert.Equal(t, 2, part.TotalFrames)
	part = ask[*dap.StackTraceResponse](e, "stackTrace", dap.StackTraceArguments{StartFrame: -7, Levels: 1}).Body
	assert.Equal(t, frames[:1], part.StackFrames)
	assert.Contains(t, e.refused("scopes", dap.ScopesArguments{FrameId: 77}), "no frame has the number 77")
	assert.Contains(t, e.refused("scopes", dap.ScopesArguments{FrameId: -1}), "no frame")
}

// What a recursion has interrupted: a frame for each delivery, up to a bound.
func TestFramesOfRecursion(t *testing.T) {
	e := faulted(t, "unmapped-handler-32")
	for range 5 {
		e.move("stepIn", "instruction")
	}
	frames := e.frames()
	require.Len(t, frames, 6)
	assert.Equal(t, "0x40000005", frames[5].InstructionPointerReference, "the process's instruction")
	for _, f := range frames[:5] {
		assert.Equal(t, "0xf8400000", f.InstructionPointerReference)
	}

	ask[*dap.SetExceptionBreakpointsResponse](e, "setExceptionBreakpoints", dap.SetExceptionBreakpointsArguments{Filters: []string{"DF"}})
	require.Equal(t, "exception", e.move("continue", "").Reason)
	frames = e.frames()
	require.Len(t, frames, 34)
	assert.Equal(t, "... 223 more that are being handled ...", frames[1].Name)
	assert.Equal(t, "label", frames[1].PresentationHint)
	assert.NotEmpty(t, e.refused("scopes", dap.ScopesArguments{FrameId: frames[1].Id}))
	assert.Contains(t, frames[33].Name, "0x40000005 [#PF at tick 203342]")
	assert.Equal(t, "3", find(t, e.scope(frames[33].Id, scopeRegisters), "cpl").Value)
}

func TestRegisters(t *testing.T) {
	for _, c := range []struct {
		kernel string
		scope  string
		name   string
		value  string
	}{
		{"unmapped-handler-32", scopeRegisters, "eip", "0x40000005"},
		{"unmapped-handler-32", scopeRegisters, "eflags", "0x00000002 []"},
		{"unmapped-handler-32", scopeRegisters, "cpl", "3"},
		{"unmapped-handler-32", scopeSegments, "cs", "0x001b  base 0x0 limit 0xffffffff"},
		{"unmapped-handler-32", scopeControl, "cr3", "0x202000"},
		{"unmapped-handler-32", scopeControl, "cr0", "PG]"},
		{"unmapped-handler-64", scopeRegisters, "rip", "0x000040000000000a"},
		{"unmapped-handler-64", scopeRegisters, "r15", "0x0000000000000000"},
		{"unmapped-handler-64", scopeControl, "efer", "LMA"},
		{"unmapped-handler-64", scopeFloat, "xmm15", "0x00000000000000000000000000000000"},
		{"unmapped-handler-64", scopeFloat, "st0", "0"},
		{"unmapped-handler-64", scopeFloat, "mxcsr", "0x00001f80"},
	} {
		e := faulted(t, c.kernel)
		assert.Contains(t, find(t, e.scope(presentFrame, c.scope), c.name).Value, c.value, "%s of %s", c.name, c.kernel)
	}
}

// Walk, next step and story are trees.
func TestTrees(t *testing.T) {
	e := faulted(t, "unmapped-handler-32")
	access := find(t, e.scope(presentFrame, scopeWalk), "access")
	assert.Contains(t, access.Value, "#PF, error code 0x6")
	pte := find(t, e.below(access.VariablesReference), "PTE 0x204004")
	assert.Contains(t, pte.Value, "<- P=0")
	assert.Equal(t, "phys:0x204004", pte.MemoryReference)

	steps := e.scope(presentFrame, scopeStep)
	assert.Greater(t, len(steps), 30)
	assert.Contains(t, steps[len(steps)-1].Value, "entered")

	stories := e.scope(presentFrame, scopeFaults)
	require.Len(t, stories, 1)
	assert.Contains(t, stories[0].Value, "page fault, error code 0x6 (W U: user write, not present), CR2 0x40001000")
	story := e.below(stories[0].VariablesReference)
	depth := 0
	for v, n := story[0], 0; v.VariablesReference != 0 && n < 100; n++ {
		assert.Regexp(t, `#(PF|DF)|\.\.\.`, v.Name)
		kids := e.below(v.VariablesReference)
		next := kids[len(kids)-1]
		depth++
		if next.VariablesReference == 0 {
			assert.Equal(t, "#DF", v.Name, "the last event of the story")
			break
		}
		v = next
	}
	assert.Greater(t, depth, 3, "an event lies below its cause")
	assert.Contains(t, e.refused("variables", dap.VariablesArguments{VariablesReference: 1 << 20}), "no variables have the reference")
	assert.Contains(t, e.refused("variables", dap.VariablesArguments{VariablesReference: -1}), "no variables")

	e.move("stepIn", "instruction")
	assert.Contains(t, e.refused("variables", dap.VariablesArguments{VariablesReference: access.VariablesReference}), "no variables", "references are void when the guest has moved")
}

func TestMemory(t *testing.T) {
	e := launched(t, average)
	read := func(reference string, offset, count int) dap.ReadMemoryResponseBody {
		return ask[*dap.ReadMemoryResponse](e, "readMemory", dap.ReadMemoryArguments{MemoryReference: reference, Offset: offset, Count: count}).Body
	}
	code := read("0x100033", 0, 3)
	assert.Equal(t, "0x100033", code.Address)
	assert.Equal(t, base64.StdEncoding.EncodeToString([]byte{0x83, 0xec, 0x10}), code.Data)
	assert.Equal(t, code.Data, read("phys:0x100030", 3, 3).Data)
	assert.Equal(t, code.Data, read("0x100034", -1, 3).Data)
	beyond := read("0x3fffffe", 0, 16)
	assert.Equal(t, 14, beyond.UnreadableBytes)
	assert.Equal(t, "AAA=", beyond.Data)
	assert.Empty(t, read("0x100033", 0, 0).Data)
	for _, a := range []dap.ReadMemoryArguments{
		{MemoryReference: "0x100000", Count: -1}, {MemoryReference: "0x100000", Count: 1 << 30}, {MemoryReference: "nowhere", Count: 1}, {Count: 1},
	} {
		assert.NotEmpty(t, e.refused("readMemory", a))
	}

	// A change belongs to its tick: before it the memory is as it was.
	e.move("stepIn", "instruction")
	write := ask[*dap.WriteMemoryResponse](e, "writeMemory", dap.WriteMemoryArguments{MemoryReference: "0x200000", Data: "AQID"}).Body
	assert.Equal(t, 3, write.BytesWritten)
	await[*dap.MemoryEvent](e)
	await[*dap.InvalidatedEvent](e)
	assert.Equal(t, "AQIDAA==", read("0x200000", 0, 4).Data)
	e.move("stepBack", "instruction")
	assert.Equal(t, "AAAAAA==", read("0x200000", 0, 4).Data)
	e.move("stepIn", "instruction")
	e.move("stepIn", "instruction")
	assert.Equal(t, "AQIDAA==", read("0x200000", 0, 4).Data)
	assert.Contains(t, e.refused("writeMemory", dap.WriteMemoryArguments{MemoryReference: "0x3ffffff", Data: "AQID"}), "only 1 of 3 bytes")
	partly := ask[*dap.WriteMemoryResponse](e, "writeMemory", dap.WriteMemoryArguments{MemoryReference: "phys:0x3ffffff", Data: "AQID", AllowPartial: true}).Body
	assert.Equal(t, 1, partly.BytesWritten)
	assert.Contains(t, e.refused("writeMemory", dap.WriteMemoryArguments{MemoryReference: "0x200000", Data: "%"}), "base64")
}

func TestSetVariable(t *testing.T) {
	e := launched(t, average)
	set := func(scope, name, value string) (string, string) {
		for _, s := range ask[*dap.ScopesResponse](e, "scopes", dap.ScopesArguments{FrameId: presentFrame}).Body.Scopes {
			if s.Name == scope {
				r := e.answer(e.send("setVariable", dap.SetVariableArguments{VariablesReference: s.VariablesReference, Name: name, Value: value}))
				if ok, is := r.(*dap.SetVariableResponse); is {
					return ok.Body.Value, ""
				}
				return "", r.GetResponse().Message
			}
		}
		return "", "no such scope"
	}
	for _, c := range []struct {
		scope, name, value string
		now, refused       string
	}{
		{scopeRegisters, "eax", "0x1234", "0x00001234", ""},
		{scopeRegisters, "ebx", "average+1", "0x0010001f <average+0x1 (average.c:18)>", ""},
		{scopeRegisters, "eip", "0x100049", "0x00100049 <_start+0x16 (average.c:25)>", ""},
		{scopeRegisters, "eflags", "0x3", "[CF]", ""},
		{scopeRegisters, "eflags", "0x20002", "", "cannot be changed"},
		{scopeRegisters, "eax", "0x100000000", "", "does not fit"},
		{scopeRegisters, "eax", "many", "", "neither a number"},
		{scopeRegisters, "cpl", "0", "", "cannot be set"},
		{scopeControl, "cr3", "0", "", "cannot be set"},
	} {
		now, refused := set(c.scope, c.name, c.value)
		assert.Contains(t, now, c.now, c.name)
		assert.Contains(t, refused, c.refused, c.name)
		if c.refused == "" {
			assert.Empty(t, refused)
		}
	}
	assert.Equal(t, 25, e.line())
}

func TestEvaluate(t *testing.T) {
	e := launched(t, average)
	for _, c := range []struct{ expression, want string }{
		{"$eip", "0x00100033 <_start (average.c:23)>"},
		{"%eip", "0x00100033 <_start (average.c:23)>"},
		{"EIP", "0x00100033 <_start (average.c:23)>"},
		{"cr0", "0x11 [PE ET]"},
		{"average", "0x10001e <average (average.c:18)>"},
		{"average + 5", "0x100023 <average+0x5 (average.c:19)>"},
		{"$eip-0x33", "0x100000 <sum (average.c:12)>"},
		{"*marks", "0x00000003"},
		{"*marks+4", "0x00000001"},
		{"*0xffff0000", "not mapped"},
	} {
		assert.Equal(t, c.want, e.value(c.expression), c.expression)
	}
	for _, bad := range []string{"", "nothing", "*", "1 2", strings.Repeat("1+", 5000)} {
		assert.NotEmpty(t, e.refused("evaluate", dap.EvaluateArguments{Expression: bad}), bad)
	}
	below := ask[*dap.EvaluateResponse](e, "evaluate", dap.EvaluateArguments{Expression: "marks", Context: "hover"}).Body
	assert.Equal(t, "0x00000003", find(t, e.below(below.VariablesReference), "word").Value)

	say := func(line string) string {
		return ask[*dap.EvaluateResponse](e, "evaluate", dap.EvaluateArguments{Expression: line, Context: "repl"}).Body.Result
	}
	assert.Contains(t, say("help"), "walk ADDRESS")
	assert.Contains(t, say("registers"), "eip 00100033")
	assert.Contains(t, say("walk 0x100000"), "no paging")
	assert.Contains(t, say("story"), "no handler is at work")
	assert.Equal(t, "0x10001e <average (average.c:18)>", say("average"))
	assert.Empty(t, say("goto end"))
	assert.Equal(t, "exit", await[*dap.StoppedEvent](e).Body.Reason)
	say("goto 1")
	await[*dap.StoppedEvent](e)
	assert.Equal(t, "1", find(t, e.scope(presentFrame, scopeRegisters), "tick").Value)
	assert.Contains(t, e.refused("evaluate", dap.EvaluateArguments{Expression: "goto nowhere", Context: "repl"}), "must be a tick")

	e = faulted(t, "unmapped-handler-32")
	assert.Contains(t, say("story"), "tick 203342: #PF, page fault")
	assert.Contains(t, say("walk 0x40001000"), "not mapped: P=0")
	e.move("stepIn", "instruction")
	e.move("stepIn", "instruction")
	assert.Contains(t, say("story"), "#PF, page fault")
}

func TestDisassemble(t *testing.T) {
	e := launched(t, average)
	list := func(reference string, offset, skip, count int) []dap.DisassembledInstruction {
		return ask[*dap.DisassembleResponse](e, "disassemble", dap.DisassembleArguments{MemoryReference: reference, Offset: offset, InstructionOffset: skip, InstructionCount: count}).Body.Instructions
	}
	all := list("0x100033", 0, 0, 10)
	require.Len(t, all, 10)
	assert.Equal(t, dap.DisassembledInstruction{
		Address: "0x100033", InstructionBytes: "83 ec 10", Instruction: "sub esp,0x10", Symbol: "_start", Location: all[0].Location, Line: 23,
	}, all[0])
	assert.Equal(t, "average.c", all[0].Location.Name)
	assert.Nil(t, all[1].Location, "the same file goes on")
	around := list("0x100036", -3, -5, 10)
	assert.Equal(t, all[0].Address, around[5].Address)
	assert.Len(t, list("0xfffffff0", 0, -300, 600), 600)
	assert.Empty(t, list("0x100033", 0, 0, 0))
	for _, a := range []dap.DisassembleArguments{
		{MemoryReference: "0x100000", InstructionCount: -1}, {MemoryReference: "0x100000", InstructionCount: 1 << 20},
		{MemoryReference: "0x100000", InstructionCount: 1, InstructionOffset: -1 << 30}, {MemoryReference: "phys:0x1000", InstructionCount: 1}, {InstructionCount: 1},
	} {
		assert.NotEmpty(t, e.refused("disassemble", a))
	}
}

// An interrupt has its story, too.
func TestStoryOfInterrupt(t *testing.T) {
	e := launched(t, "user-mode-32")
	e.breakAt("catch 0x80")
	require.Equal(t, "function breakpoint", e.move("continue", "").Reason)
	e.move("stepIn", "instruction")
	e.move("stepIn", "instruction")
	frames := e.frames()
	require.Len(t, frames, 2)
	assert.Contains(t, frames[1].Name, "[INT 0x80 at tick")
	assert.Equal(t, "INT 0x80", e.scope(frames[1].Id, scopeFaults)[0].Name)
	told := ask[*dap.EvaluateResponse](e, "evaluate", dap.EvaluateArguments{Expression: "story", Context: "repl"}).Body.Result
	assert.Contains(t, told, "INT 0x80, software interrupt")
}

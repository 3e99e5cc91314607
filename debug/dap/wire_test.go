package dap

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-dap"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/debug/session"
	"x86emu/guest"
	"x86emu/machine"
)

func TestReadContent(t *testing.T) {
	for _, c := range []struct {
		name, stream string
		want         string
		err          string
	}{
		{"a message", "Content-Length: 2\r\n\r\n{}", "{}", ""},
		{"other headers beside the length", "Content-Type: x\r\ncontent-length:2\r\nX: y\r\n\r\n{}", "{}", ""},
		{"lines that end in LF alone", "Content-Length: 2\n\n{}", "{}", ""},
		{"an empty message", "Content-Length: 0\r\n\r\n", "", ""},
		{"the end of the stream", "", "", "EOF"},
		{"the end in a header", "Content-Le", "", "unexpected EOF"},
		{"the end behind a header", "Content-Length: 2\r\n", "", "unexpected EOF"},
		{"the end in a message", "Content-Length: 2\r\n\r\n{", "", "unexpected EOF"},
		{"the end before a message", "Content-Length: 2\r\n\r\n", "", "unexpected EOF"},
		{"no length", "Content-Type: x\r\n\r\n{}", "", "begins with"},
		{"no header", "GET / HTTP/1.1\r\n\r\n", "", "begins with"},
		{"a length below 0", "Content-Length: -1\r\n\r\n", "", "must be a number of at most 4194304"},
		{"a length that is too much", "Content-Length: 4194305\r\n\r\n", "", "must be a number of at most 4194304"},
		{"a length beyond all", "Content-Length: 99999999999999999999999999\r\n\r\n", "", "must be a number of at most 4194304"},
		{"a header line without end", "Content-Length: " + strings.Repeat("1", 1<<16), "", "begins with"},
		{"headers without end", strings.Repeat("X: y\r\n", 1000), "", "begins with"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := readContent(newReader(strings.NewReader(c.stream)))
			if c.err != "" {
				require.ErrorContains(t, err, c.err)
				assert.NotContains(t, err.Error(), "\n")
				return
			}
			require.NoError(t, err)
			assert.Equal(t, c.want, string(got))
		})
	}
}

// What is wrong with a request is told, and the next one is carried out.
func TestBadRequests(t *testing.T) {
	e := launched(t, average)
	raw := func(content string) dap.ResponseMessage {
		require.NoError(t, dap.WriteBaseMessage(e.w, []byte(content)))
		for {
			m, ok := e.next()
			require.True(t, ok)
			if r, is := m.(dap.ResponseMessage); is {
				return r
			}
		}
	}
	for _, c := range []struct{ name, content, message string }{
		{"no JSON", "%", "invalid character"},
		{"no object", "[1,2]", "cannot unmarshal"},
		{"no type", `{"seq":7}`, "is no request"},
		{"no such command", `{"seq":7,"type":"request","command":"fly"}`, `"fly" is no request`},
		{"one that is not supported", `{"seq":7,"type":"request","command":"restartFrame","arguments":{"frameId":1}}`, "not supported"},
		{"a field of another type", `{"seq":7,"type":"request","command":"scopes","arguments":{"frameId":"x"}}`, "cannot unmarshal"},
		{"a number beyond all", `{"seq":7,"type":"request","command":"readMemory","arguments":{"memoryReference":"0x1","count":1e400}}`, "cannot unmarshal"},
		{"very deep", `{"seq":7,"type":"request","command":"x","arguments":` + strings.Repeat("[", 1<<20) + "}", "exceeded max depth"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := raw(c.content).GetResponse()
			assert.False(t, r.Success)
			assert.Contains(t, r.Message, c.message)
		})
	}
	// Answers and events of the client's are not answered.
	require.NoError(t, dap.WriteBaseMessage(e.w, []byte(`{"seq":7,"type":"response","command":"scopes","success":true,"request_seq":1}`)))
	require.NoError(t, dap.WriteBaseMessage(e.w, []byte(`{"seq":7,"type":"event","event":"initialized"}`)))
	assert.Equal(t, "_start 23", e.place())
}

func TestOrderOfRequests(t *testing.T) {
	e, ended := pipe(t, options(t))
	assert.Contains(t, e.refused("continue", nil), "no guest yet")
	assert.Contains(t, e.refused("launch", nil), `needs a "program"`)
	assert.Contains(t, e.refused("launch", map[string]any{"program": 5}), `"program" cannot be a number: must be string`)
	assert.Contains(t, e.refused("launch", map[string]any{"program": "hello-32", "memory": -1}), "must be a text or a whole number")
	assert.Contains(t, e.refused("launch", LaunchArguments{Program: "./no-such-file"}), "no-such-file")
	assert.Contains(t, e.refused("attach", nil), "nothing to attach to")
	e.launch(LaunchArguments{Program: "hello-32", StopOnEntry: true})
	assert.Contains(t, e.refused("launch", LaunchArguments{Program: "hello-32"}), "already")
	assert.Contains(t, e.refused("next", nil), "the configuration is not done")
	e.begin()
	ask[*dap.ConfigurationDoneResponse](e, "configurationDone", nil)
	assert.Contains(t, e.refused("source", nil), "sourcePaths")
	assert.Contains(t, e.refused("breakpointLocations", nil), `needs "arguments"`)
	ask[*dap.DisconnectResponse](e, "disconnect", nil)
	assert.NoError(t, <-ended)
}

// A client that dies leaves nothing behind: in the midst of a run, of a message,
// and where it does not read what it is sent.
func TestClientDies(t *testing.T) {
	t.Run("while the guest runs", func(t *testing.T) {
		e := spinning(t)
		e.send("continue", nil)
		require.NoError(t, e.w.Close())
		for ok := true; ok; {
			_, ok = e.next()
		}
	})
	t.Run("in a message", func(t *testing.T) {
		e, ended := pipe(t, options(t))
		_, err := io.WriteString(e.w, "Content-Length: 100\r\n\r\n{")
		require.NoError(t, err)
		require.NoError(t, e.w.Close())
		assert.ErrorIs(t, <-ended, io.ErrUnexpectedEOF)
	})
	t.Run("without reading", func(t *testing.T) {
		in, w := io.Pipe()
		out, serverOut := io.Pipe()
		ended := make(chan error, 1)
		go func() { ended <- Serve(t.Context(), in, serverOut, options(t)) }()
		require.NoError(t, dap.WriteBaseMessage(w, []byte(`{"seq":1,"type":"request","command":"threads"}`)))
		require.NoError(t, out.Close())
		assert.ErrorIs(t, <-ended, io.ErrClosedPipe)
	})
}

// Whatever a client sends: it is answered or not, and the server comes back when
// the stream ends. A line of the input is a message's content.
func FuzzRequests(f *testing.F) {
	f.Add([]byte(`{"seq":1,"type":"request","command":"configurationDone"}
{"seq":2,"type":"request","command":"stackTrace","arguments":{"threadId":1}}
{"seq":3,"type":"request","command":"scopes","arguments":{"frameId":1}}
{"seq":4,"type":"request","command":"variables","arguments":{"variablesReference":1}}
{"seq":5,"type":"request","command":"setVariable","arguments":{"variablesReference":1,"name":"eax","value":"5"}}`))
	for _, command := range []string{
		"setBreakpoints", "setFunctionBreakpoints", "setInstructionBreakpoints", "setDataBreakpoints", "setExceptionBreakpoints", "dataBreakpointInfo",
		"disassemble", "readMemory", "writeMemory", "evaluate", "next", "stepIn", "stepBack", "reverseContinue", "pause", "restart", "breakpointLocations", "attach", "launch",
	} {
		f.Add(fmt.Appendf(nil, `{"seq":1,"type":"request","command":%q}`, command))
		f.Add(fmt.Appendf(nil, `{"seq":1,"type":"request","command":"configurationDone"}
{"seq":2,"type":"request","command":%q,"arguments":{"program":"x","threadId":1,"source":{"path":"a.c"},"breakpoints":[{"line":1,"name":"0x100001","instructionReference":"0x100002","dataId":"write 0x200000 4","condition":"$eax == 0"}],"filters":["PF"],"memoryReference":"0x100000","offset":-1,"count":8,"instructionCount":4,"instructionOffset":-2,"data":"AQID","expression":"*0x100000","name":"$esp","line":3}}`, command))
	}
	f.Add([]byte("{}\n[]\n\n%"))
	f.Fuzz(func(t *testing.T, lines []byte) {
		var stream bytes.Buffer
		for _, command := range []string{"initialize", "launch"} {
			require.NoError(t, dap.WriteBaseMessage(&stream, fmt.Appendf(nil, `{"seq":0,"type":"request","command":%q,"arguments":{"program":"x","stopOnEntry":true}}`, command)))
		}
		for line := range bytes.Lines(lines) {
			require.NoError(t, dap.WriteBaseMessage(&stream, line))
		}
		o := Options{Launch: tiny, Restore: tiny}
		ctx, cancel := context.WithTimeout(t.Context(), soon)
		defer cancel()
		require.NoError(t, Serve(ctx, &stream, io.Discard, o))
		require.NoError(t, ctx.Err(), "it takes too long")
	})
}

// Whatever bytes come: the server comes back when they end.
func FuzzStream(f *testing.F) {
	f.Add([]byte("Content-Length: 2\r\n\r\n{}"))
	f.Add([]byte("Content-Length: 99999999\r\n\r\n"))
	f.Add([]byte("\r\n\r\n"))
	f.Fuzz(func(t *testing.T, stream []byte) {
		begin := time.Now()
		err := Serve(t.Context(), bytes.NewReader(stream), io.Discard, Options{Launch: tiny, Restore: tiny})
		if err != nil {
			require.NotContains(t, err.Error(), "\n")
		}
		require.Less(t, time.Since(begin), soon)
	})
}

// tiny makes a small guest that loops for ever.
func tiny(*LaunchArguments) (*Guest, error) {
	img, err := guest.ParseFlat([]byte{0x40, 0x50, 0x58, 0xeb, 0xfb}, 0x10000, 32, 0)
	if err != nil {
		return nil, err
	}
	g := &Guest{Text: session.NewTranscript(), Image: "tiny"}
	if g.Machine, err = machine.New(machine.Config{RAM: machine.MinRAM, Serial: g.Text.Output()}); err != nil {
		return nil, err
	}
	return g, img.Load(g.Machine, guest.Options{})
}

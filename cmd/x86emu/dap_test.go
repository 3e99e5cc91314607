package main

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-dap"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/guest"
	"x86emu/machine"
)

// adapterProcess starts this test's own program as "x86emu dap" with arguments.
func adapterProcess(t *testing.T, args ...string) (cmd *exec.Cmd, in io.WriteCloser, out, errs io.Reader) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd = exec.Command(self, append([]string{"dap"}, args...)...)
	cmd.Env = append(os.Environ(), asCommand+"=1")
	in, err = cmd.StdinPipe()
	require.NoError(t, err)
	out, err = cmd.StdoutPipe()
	require.NoError(t, err)
	errs, err = cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { cmd.Process.Kill() })
	return cmd, in, out, errs
}

// conversation is with a server.
type conversation struct {
	t   *testing.T
	w   io.Writer
	r   *bufio.Reader
	seq int
}

// ask sends a request and reads up to its answer.
func (c *conversation) ask(command, arguments string) dap.ResponseMessage {
	c.t.Helper()
	c.seq++
	q := map[string]any{"seq": c.seq, "type": "request", "command": command}
	if arguments != "" {
		q["arguments"] = json.RawMessage(arguments)
	}
	content, err := json.Marshal(q)
	require.NoError(c.t, err)
	require.NoError(c.t, dap.WriteBaseMessage(c.w, content))
	for {
		m, err := dap.ReadProtocolMessage(c.r)
		require.NoError(c.t, err)
		if r, ok := m.(dap.ResponseMessage); ok {
			require.Equal(c.t, c.seq, r.GetResponse().RequestSeq)
			return r
		}
	}
}

// stops reads up to the next stop.
func (c *conversation) stops() dap.StoppedEventBody {
	c.t.Helper()
	for {
		m, err := dap.ReadProtocolMessage(c.r)
		require.NoError(c.t, err)
		if e, ok := m.(*dap.StoppedEvent); ok {
			return e.Body
		}
	}
}

// do asks for what succeeds.
func (c *conversation) do(command, arguments string) {
	c.t.Helper()
	r := c.ask(command, arguments).GetResponse()
	require.True(c.t, r.Success, "%s: %s", command, r.Message)
}

// An editor starts the command and speaks to it on its standard streams.
func TestDAP(t *testing.T) {
	cmd, in, out, errs := adapterProcess(t)
	c := &conversation{t: t, w: in, r: bufio.NewReader(out)}
	c.do("initialize", "")
	for _, bad := range []struct{ args, message string }{
		{`{"program":"hello-32","memory":"7x"}`, `"memory": "7x": must be a number of MiB`},
		{`{"program":"hello-32","cpu":"z80"}`, `unknown CPU model "z80"`},
		{`{"program":"hello-32","tlb":"maybe"}`, `"tlb": "maybe": must be on or off`},
		{`{"program":"hello-32","mode":32}`, "they need --load-addr"},
		{`{"program":"hello-32","loadAddr":"high"}`, `"loadAddr": "high": must be a number`},
		{`{"program":"hello-32","symbols":"./nowhere"}`, "nowhere"},
		{`{"program":"hello-32","input":"./nowhere"}`, "input: "},
		{`{"program":"./nowhere"}`, "nowhere"},
	} {
		r := c.ask("launch", bad.args).GetResponse()
		assert.False(t, r.Success, bad.args)
		assert.Contains(t, r.Message, bad.message, bad.args)
	}
	c.do("launch", `{"program":"unmapped-handler-32","memory":32,"cpu":"486","append":"x","stopOnEntry":true}`)
	c.do("setExceptionBreakpoints", `{"filters":[],"filterOptions":[{"filterId":"PF","condition":"cr2=0x40001000"}]}`)
	c.do("configurationDone", "")
	assert.Equal(t, "entry", c.stops().Reason)
	c.do("continue", `{"threadId":1}`)
	stop := c.stops()
	assert.Equal(t, "exception", stop.Reason)
	assert.Contains(t, stop.Text, "page fault, error code 0x6")
	frames := c.ask("stackTrace", `{"threadId":1}`).(*dap.StackTraceResponse).Body.StackFrames
	assert.Equal(t, "0x40000005", frames[0].InstructionPointerReference)
	c.do("reverseContinue", `{"threadId":1}`)
	assert.Contains(t, c.stops().Description, "the beginning")
	c.do("disconnect", "")
	require.NoError(t, in.Close())
	told, err := io.ReadAll(errs)
	require.NoError(t, err)
	assert.Empty(t, string(told))
	assert.NoError(t, cmd.Wait())
}

// A server on a port that holds a machine; and a snapshot to attach to.
func TestDAPListens(t *testing.T) {
	_, _, _, errs := adapterProcess(t, "unmapped-handler-32", "--at", "203342", "--listen", "0")
	line, err := bufio.NewReader(errs).ReadString('\n')
	require.NoError(t, err)
	address, ok := strings.CutPrefix(strings.TrimSpace(line), "x86emu: dap: listening on ")
	require.True(t, ok, line)
	assert.True(t, strings.HasPrefix(address, "127.0.0.1:"), "on this host only")
	conn, err := net.Dial("tcp", address)
	require.NoError(t, err)
	defer conn.Close()
	c := &conversation{t: t, w: conn, r: bufio.NewReader(conn)}
	c.do("initialize", "")
	c.do("attach", "")
	c.do("configurationDone", "")
	c.stops()
	frames := c.ask("stackTrace", `{"threadId":1}`).(*dap.StackTraceResponse).Body.StackFrames
	assert.Equal(t, "0x40000005", frames[0].InstructionPointerReference)
}

func TestDAPAttachesToSnapshot(t *testing.T) {
	m, err := guest.Boot("hello-32", machine.Config{}, guest.Options{})
	require.NoError(t, err)
	_, err = m.Run(t.Context(), 500)
	require.NoError(t, err)
	name := filepath.Join(t.TempDir(), "hello.snapshot")
	f, err := os.Create(name)
	require.NoError(t, err)
	require.NoError(t, m.Save(f))
	require.NoError(t, f.Close())

	_, in, out, _ := adapterProcess(t)
	c := &conversation{t: t, w: in, r: bufio.NewReader(out)}
	for _, bad := range []struct{ file, message string }{{"./nowhere", "nowhere"}, {"dap_test.go", "dap_test.go: "}} {
		r := c.ask("attach", `{"snapshot":"`+bad.file+`"}`).GetResponse()
		assert.False(t, r.Success)
		assert.Contains(t, r.Message, bad.message)
	}
	where, err := json.Marshal(name)
	require.NoError(t, err)
	c.do("attach", `{"snapshot":`+string(where)+`}`)
	c.do("configurationDone", "")
	c.stops()
	tick := c.ask("evaluate", `{"expression":"tick"}`).(*dap.EvaluateResponse).Body.Result
	assert.Equal(t, "500", tick)
}

func TestDAPUsage(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"dap a b", "dap takes one IMAGE at most"},
		{"dap --memory 5M", "--memory is about an IMAGE, and none is named"},
		{"dap --listen nowhere:at:all", "--listen \"nowhere:at:all\": must be HOST:PORT"},
		{"dap ./nowhere", "nowhere"},
		{"dap hello-32 --symbols ./nowhere", "nowhere"},
	} {
		status, out, errs := cli(t, "", strings.Fields(c.args)...)
		assert.Equal(t, statusBadUsage, status, c.args)
		assert.Empty(t, out)
		assert.Contains(t, errs, c.want)
		assert.Equal(t, 1, strings.Count(errs, "\n"), errs)
	}
	status, _, errs := cli(t, "Content-Length: 99999999999\r\n\r\n", "dap")
	assert.Equal(t, statusBadUsage, status)
	assert.Contains(t, errs, "must be a number of at most")
	status, out, errs := cli(t, "", "dap")
	assert.Zero(t, status, errs)
	assert.Empty(t, out)
}

package dap

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"

	"github.com/google/go-dap"
)

// Bounds of what a client may send, in bytes.
const (
	maxContent = 4 << 20
	maxHeader  = 4096 // of one header line
	maxHeaders = 16
)

var errHeader = errors.New("not a message of the Debug Adapter Protocol: each begins with \"Content-Length: N\" and an empty line")

// readContent reads the content of one message. Package go-dap's reader keeps
// a header line of any length; this one does not. io.EOF is the end between
// two messages.
// [Debug Adapter Protocol, Base Protocol]
func readContent(r *bufio.Reader) ([]byte, error) {
	length := -1
	for n := 0; ; n++ {
		line, err := r.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull), n == maxHeaders:
			return nil, errHeader
		case err == io.EOF && n == 0 && len(line) == 0:
			return nil, io.EOF
		case err == io.EOF:
			return nil, io.ErrUnexpectedEOF
		case err != nil:
			return nil, err
		}
		text := strings.TrimRight(string(line), "\r\n")
		if text == "" {
			break
		}
		name, value, ok := strings.Cut(text, ":")
		if !ok {
			return nil, errHeader
		}
		if !strings.EqualFold(strings.TrimSpace(name), "Content-Length") {
			continue
		}
		v, err := strconv.ParseUint(strings.TrimSpace(value), 10, 64)
		if err != nil || v > maxContent {
			return nil, fmt.Errorf("a message of %.20q bytes: must be a number of at most %d", strings.TrimSpace(value), maxContent)
		}
		length = int(v)
	}
	if length < 0 {
		return nil, errHeader
	}
	content := make([]byte, length)
	_, err := io.ReadFull(r, content)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return content, err
}

// newReader buffers a stream for readContent.
func newReader(r io.Reader) *bufio.Reader { return bufio.NewReaderSize(r, maxHeader) }

// writer sends messages, numbered. It may be used by several goroutines.
type writer struct {
	mu  sync.Mutex
	w   *bufio.Writer
	seq int
	err error // the first; nothing is sent after it
}

func newWriter(w io.Writer) *writer { return &writer{w: bufio.NewWriter(w)} }

func (w *writer) send(m dap.Message) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return
	}
	w.seq++
	switch m := m.(type) {
	case dap.ResponseMessage:
		m.GetResponse().Seq, m.GetResponse().Type = w.seq, "response"
	case dap.EventMessage:
		m.GetEvent().Seq, m.GetEvent().Type = w.seq, "event"
	}
	content, err := json.Marshal(m)
	if err != nil {
		panic("BUG: a message that is no JSON: " + err.Error())
	}
	if w.err = dap.WriteBaseMessage(w.w, content); w.err == nil {
		w.err = w.w.Flush()
	}
}

// event makes the head of an event.
func event(name string) dap.Event { return dap.Event{Event: name} }

// failure answers a request that was not carried out.
func failure(seq int, command string, err error) dap.Message {
	r := &dap.ErrorResponse{Response: dap.Response{RequestSeq: seq, Command: command, Message: err.Error()}}
	// Clients show this text, and take words in braces for its variables.
	text := strings.NewReplacer("{", "(", "}", ")").Replace(err.Error())
	r.Body.Error = &dap.ErrorMessage{Id: 1, Format: text, ShowUser: command != "evaluate"} // a hover may come upon anything
	return r
}

// broken is the error with which the stream broke, or nil.
func (w *writer) broken() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

package dap

import (
	"bytes"
	"strings"
	"sync"
	"time"

	"github.com/google/go-dap"
)

// output passes on what the guest sends, as output events: a line at a time, or
// what there is after a while. Machine and client may write to it at the same
// time.
type output struct {
	out *writer
	mu  sync.Mutex
	b   []byte
}

const (
	flushAfter = 100 * time.Millisecond
	mostOutput = 4096 // of one event, in bytes
)

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.b = append(o.b, b...)
	if i := bytes.LastIndexByte(o.b, '\n'); i >= 0 {
		o.pass(i + 1)
	}
	if len(o.b) >= mostOutput {
		o.pass(len(o.b))
	}
	return len(b), nil
}

// flush passes on what is there.
func (o *output) flush() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.pass(len(o.b))
}

// pass passes on the first n bytes.
func (o *output) pass(n int) {
	for n > 0 {
		k := min(n, mostOutput)
		o.out.send(said("stdout", string(o.b[:k])))
		o.b, n = o.b[k:], n-k
	}
	if len(o.b) == 0 {
		o.b = nil
	}
}

// said is an output event. Text that is not UTF-8 is shown as far as it is.
func said(category, text string) *dap.OutputEvent {
	return &dap.OutputEvent{Event: event("output"), Body: dap.OutputEventBody{Category: category, Output: strings.ToValidUTF8(text, "\ufffd")}}
}

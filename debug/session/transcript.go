package session

import (
	"bytes"
	"io"
	"slices"
	"sort"

	"x86emu/machine"
)

// Transcript is what a machine has sent, each byte with its tick, so that the
// past can be shown as it was. It is made before its machine, as the writer of
// its Outputs.
type Transcript struct {
	out   *machine.Output
	m     *machine.Machine
	text  []byte
	ticks []uint64 // at which each byte was there
	want  []byte   // stop when the text ends with this
	met   bool
	copy  io.Writer // gets what is sent, too
}

// maxTranscript bounds what is kept, in bytes; the oldest half goes first.
const maxTranscript = 1 << 20

// NewTranscript makes a transcript.
func NewTranscript() *Transcript {
	t := &Transcript{}
	t.out = machine.NewOutput(t)
	return t
}

// Output is where the machine's devices shall send to.
func (t *Transcript) Output() *machine.Output { return t.out }

// follow takes note of the ticks at which the machine sends.
func (t *Transcript) follow(m *machine.Machine) {
	t.m = m
	m.OnIO = func(e machine.IOEvent) {
		if !e.Write {
			return
		}
		t.out.Flush() // Write gives no error
		if t.met {
			m.Stop()
		}
	}
}

// CopyTo lets w have what the machine sends from now on, a byte or more at a
// time; nil ends that. What w makes of it does not disturb the run.
func (t *Transcript) CopyTo(w io.Writer) { t.copy = w }

// Text is what was sent, as far as it is kept.
func (t *Transcript) Text() string { return string(t.text) }

// Write takes in what the machine sends.
func (t *Transcript) Write(b []byte) (int, error) {
	if t.copy != nil {
		t.copy.Write(b)
	}
	now := uint64(0)
	if t.m != nil {
		now = t.m.CPU.Ticks()
	}
	for _, c := range b {
		if len(t.text) == maxTranscript {
			t.text = slices.Clone(t.text[maxTranscript/2:])
			t.ticks = slices.Clone(t.ticks[maxTranscript/2:])
		}
		t.text, t.ticks = append(t.text, c), append(t.ticks, now)
		t.met = t.met || len(t.want) > 0 && bytes.HasSuffix(t.text, t.want)
	}
	return len(b), nil
}

// until is how much of the text was sent by the instructions before a tick.
func (t *Transcript) until(tick uint64) int {
	return sort.Search(len(t.ticks), func(i int) bool { return t.ticks[i] >= tick })
}

// cut forgets what was sent from a tick on.
func (t *Transcript) cut(tick uint64) {
	n := t.until(tick)
	t.text, t.ticks = t.text[:n], t.ticks[:n]
}

// at is the text as it was at a tick, behind the end of the run all of it.
func (t *Transcript) at(tick uint64, over bool) []byte {
	if over {
		return t.text
	}
	return t.text[:t.until(tick)]
}

// find gives the tick at which the machine had just said a text: the first one
// after a tick, or the last one before it.
func (t *Transcript) find(want []byte, now uint64, forward bool) (tick uint64, ok bool) {
	for i := 0; ; {
		n := bytes.Index(t.text[i:], want)
		if n < 0 {
			return tick, ok
		}
		at := t.ticks[i+n+len(want)-1] + 1
		switch {
		case forward && at > now:
			return at, true
		case !forward && at < now:
			tick, ok = at, true
		}
		i += n + 1
	}
}

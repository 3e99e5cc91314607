package peers

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net"
	"time"

	"x86emu/machine"
)

// socket is the file of QEMU's monitor, in the folder of the run.
const socket = "qmp"

// prompt is what a guest writes when it wants keys.
const prompt = "\n> "

// typist types on QEMU's keyboard by its monitor: a key, with those held for it, whenever the guest
// has answered the one before, or has been silent for a while. It sees what the guest writes.
type typist struct {
	socket string
	groups [][]machine.Keystroke
	seen   []byte
	heard  chan struct{} // the guest has written something
	done   chan struct{}
}

// silence is how long a guest may take for a key that it does not answer.
const silence = 200 * time.Millisecond

func newTypist(socket, keys string) (*typist, error) {
	strokes, err := machine.ParseKeys(keys)
	if err != nil {
		return nil, err
	}
	t := &typist{socket: socket, heard: make(chan struct{}, 1), done: make(chan struct{})}
	down := 0
	for _, s := range strokes {
		if down == 0 {
			t.groups = append(t.groups, nil)
		}
		last := &t.groups[len(t.groups)-1]
		*last = append(*last, s)
		switch {
		case s.Key == 0:
		case s.Released:
			down--
		default:
			down++
		}
	}
	return t, nil
}

func (t *typist) close() { close(t.done) }

// Write is what the guest writes. At the prompt the typing begins.
func (t *typist) Write(b []byte) (int, error) {
	begun := bytes.Contains(t.seen, []byte(prompt))
	t.seen = append(t.seen, bytes.ReplaceAll(b, []byte("\r"), nil)...)
	switch {
	case begun:
		select {
		case t.heard <- struct{}{}:
		default:
		}
	case bytes.Contains(t.seen, []byte(prompt)):
		go t.work()
	}
	return len(b), nil
}

// work types it all. Where that fails, the guest waits for its keys until the run's time is up.
func (t *typist) work() {
	c, err := net.Dial("unix", t.socket)
	if err != nil {
		return
	}
	defer c.Close()
	monitor := bufio.NewReader(c)
	ask := func(command string, arguments any) error {
		if err := json.NewEncoder(c).Encode(map[string]any{"execute": command, "arguments": arguments}); err != nil {
			return err
		}
		_, err := monitor.ReadBytes('\n')
		return err
	}
	if _, err := monitor.ReadBytes('\n'); err != nil { // its greeting
		return
	}
	if ask("qmp_capabilities", map[string]any{}) != nil {
		return
	}
	for _, group := range t.groups {
		for _, s := range group {
			if s.Key == 0 {
				time.Sleep(s.Wait)
				continue
			}
			key := map[string]any{"type": "number", "data": int(s.Key)}
			event := map[string]any{"type": "key", "data": map[string]any{"down": !s.Released, "key": key}}
			if ask("input-send-event", map[string]any{"events": []any{event}}) != nil {
				return
			}
		}
		select {
		case <-t.heard:
		case <-time.After(silence):
		case <-t.done:
			return
		}
	}
}

package peers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Deliveries are what a peer's own log tells of a run: the vectors of the
// events that it began to deliver, in their order, and how that ended. A #PF
// that turned into a #DF is not delivered, and not among them.
type Deliveries struct {
	Vectors []uint8
	// Third is the vector of the exception that met the delivery of a #DF: the
	// processor has shut down. It is 0 where the run was stopped before.
	Third uint8
}

// The lines of the logs that count: an event to deliver, a third exception.
var (
	qemuEvent  = regexp.MustCompile(`^ *\d+: v=([0-9a-f]{2}) `)
	qemuThird  = regexp.MustCompile(`^check_exception old: 0x8 new 0x([0-9a-f]+)`)
	bochsEvent = regexp.MustCompile(`interrupt\(\): vector = ([0-9a-f]{2}),`)
	bochsThird = regexp.MustCompile(`exception\(\): 3rd \(([0-9]+)\) exception with no resolution`)
)

// Watch runs a kernel that ends with a shutdown, or never, until the shutdown
// or until the peer has logged a number of deliveries.
func (p Peer) Watch(image []byte, limit int) (serial string, d Deliveries, err error) {
	program, ok := p.Program()
	if !ok {
		return "", d, fmt.Errorf("%s is not installed", p.Name)
	}
	dir, err := os.MkdirTemp("", "x86emu-peer-")
	if err != nil {
		return "", d, err
	}
	defer os.RemoveAll(dir)
	ctx, cancel := context.WithTimeout(context.Background(), timeLimit)
	defer cancel()
	w := &watcher{limit: limit, enough: cancel}
	var stdout bytes.Buffer
	var cmd *exec.Cmd
	switch p.Name {
	case "qemu":
		w.event, w.third, w.base = qemuEvent, qemuThird, 16
		cmd, err = qemuCommand(ctx, program, dir, image, "-d", "int")
	case "bochs":
		w.event, w.third, w.base = bochsEvent, bochsThird, 10
		config := strings.NewReplacer("log: log.txt", "log: /dev/stderr", "debug: action=ignore", "debug: action=ignore, cpu0=report").Replace(bochsConfig)
		cmd, err = bochsCommand(ctx, program, dir, config, image)
	default:
		return "", d, fmt.Errorf("%s: no log of deliveries", p.Name)
	}
	if err != nil {
		return "", d, err
	}
	cmd.Stdout, cmd.Stderr = &stdout, w
	cmd.WaitDelay = 5 * time.Second
	err = cmd.Run()
	if p.Name == "bochs" {
		data, readErr := os.ReadFile(filepath.Join(dir, "com1.txt"))
		if readErr != nil {
			return "", d, fmt.Errorf("bochs did not start: %v: %s", err, tail(stdout.Bytes()))
		}
		stdout = *bytes.NewBuffer(data)
	}
	serial = string(bytes.ReplaceAll(stdout.Bytes(), []byte("\r"), nil))
	switch {
	case w.Third != 0 || len(w.Vectors) >= limit:
		return serial, w.Deliveries, nil
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return serial, w.Deliveries, fmt.Errorf("%s: %d deliveries and no end after %v", p.Name, len(w.Vectors), timeLimit)
	}
	return serial, w.Deliveries, fmt.Errorf("%s: the run ended without a shutdown: %v", p.Name, err)
}

// watcher reads a log as it is written, and ends the run when it has seen
// enough.
type watcher struct {
	Deliveries
	event, third *regexp.Regexp
	base         int // of the third exception's number
	limit        int
	enough       func()
	rest         []byte // the beginning of a line
}

func (w *watcher) Write(data []byte) (int, error) {
	w.rest = append(w.rest, data...)
	for {
		line, rest, whole := bytes.Cut(w.rest, []byte("\n"))
		if !whole {
			return len(data), nil
		}
		w.rest = rest
		if w.Third != 0 || len(w.Vectors) >= w.limit {
			continue
		}
		if m := w.event.FindSubmatch(line); m != nil {
			v, _ := strconv.ParseUint(string(m[1]), 16, 8)
			w.Vectors = append(w.Vectors, uint8(v))
		}
		if m := w.third.FindSubmatch(line); m != nil {
			v, _ := strconv.ParseUint(string(m[1]), w.base, 8)
			w.Third = uint8(v)
		}
		if len(w.Vectors) >= w.limit {
			w.enough()
		}
	}
}

package qemulog

import (
	"bufio"
	"io"

	"x86emu/cpu"
	"x86emu/debug"
	"x86emu/idt"
	"x86emu/machine"
)

// Options choose what a Log writes.
type Options struct {
	Int    bool           // events, as -d int
	Exec   bool           // blocks of code, as -d exec,nochain
	Reset  bool           // triple faults, and the registers at a reset, as -d cpu_reset
	Single bool           // with Exec: each instruction is a block, as with -singlestep
	Syms   *debug.Symbols // for the names of blocks; may be nil
}

// Log writes a machine's log.
type Log struct {
	m   *machine.Machine
	w   *bufio.Writer
	o   Options
	buf []byte

	// int
	state cpu.State // before the delivery under way
	count uint64    // events so far
	old   int64     // the exception whose delivery is under way, or -1

	block block // exec
}

// Watch writes what the machine does from now on to w, by a buffer that Close
// empties. It takes CPU.OnEvent and CPU.OnDelivery
// for Int and Reset, and the place of the observer for Exec.
func Watch(m *machine.Machine, w io.Writer, o Options) *Log {
	l := &Log{m: m, w: bufio.NewWriterSize(w, 1<<16), o: o, old: -1}
	if o.Int {
		m.CPU.OnEvent = l.take
	}
	if o.Int || o.Reset {
		m.CPU.OnDelivery = l.delivered
	}
	if o.Exec {
		m.CPU.SetObserver(l)
	}
	return l
}

// Close ends the watch and writes what is buffered. The error is the writer's.
func (l *Log) Close() error {
	if l.o.Int || l.o.Reset {
		l.m.CPU.OnEvent, l.m.CPU.OnDelivery = nil, nil
	}
	if l.o.Exec {
		l.m.CPU.SetObserver(nil)
	}
	return l.w.Flush()
}

// Access is cpu.Observer's.
func (l *Log) Access(*cpu.AccessEvent) {}

// Delivery is idt.Observer's.
func (l *Log) Delivery(*idt.DeliveryEvent) {}

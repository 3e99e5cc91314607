package gdb

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"
)

// This file answers packets: the table of all that are understood, and those
// answers that are short.

// call is a packet to be answered.
type call struct {
	request
	*dialog
	arg string // what follows the name
}

// packets are all that are understood, by how they begin. What is in no row is
// answered with an empty packet: not supported. [GDB manual, Packets]
var packets []struct {
	name string
	do   func(ctx context.Context, c *call) (string, error)
}

func init() {
	plain := func(f func(c *call) string) func(context.Context, *call) (string, error) {
		return func(_ context.Context, c *call) (string, error) { return f(c), nil }
	}
	says := func(text string) func(context.Context, *call) (string, error) {
		return plain(func(*call) string { return text })
	}
	packets = []struct {
		name string
		do   func(ctx context.Context, c *call) (string, error)
	}{
		{"?", plain(func(c *call) string { return c.t.stopReply() })},
		{"g", plain(func(c *call) string { return c.t.allRegisters() })},
		{"G", plain(func(c *call) string { return c.t.setAllRegisters(c.arg) })},
		{"p", plain(func(c *call) string { return c.t.oneRegister(c.arg) })},
		{"P", plain(func(c *call) string { return c.t.setOneRegister(c.arg) })},
		{"m", plain(func(c *call) string { return c.t.readMemory(c.arg, c.physical) })},
		{"M", plain(func(c *call) string { return c.t.writeMemory(c.arg, true, c.physical) })},
		{"X", plain(func(c *call) string { return c.t.writeMemory(c.arg, false, c.physical) })},
		{"Z", plain(func(c *call) string { return c.t.setPoint(c.arg, c.physical) })},
		{"z", plain(func(c *call) string { return c.t.clearPoint(c.arg, c.physical) })},

		{"vCont?", says("vCont;c;C;s;S;r")},
		{"vCont;", resumeActions},
		{"vKill;", plain(func(c *call) string { c.leave(killed); return ok })},
		{"c", resumeOld(cont)},
		{"C", resumeOld(cont)},
		{"s", resumeOld(step)},
		{"S", resumeOld(step)},
		{"bc", goBack(backCont)},
		{"bs", goBack(back)},

		{"D", plain(func(c *call) string { c.leave(detached); return ok })},
		{"k", plain(func(c *call) string { c.leave(killed); return silence })},
		{"H", says(ok)},
		{"T", plain(func(c *call) string { return onlyThread(c.arg) })},
		{"qAttached", says("1")},
		{"qC", says("QC1")},
		{"qfThreadInfo", says("m1")},
		{"qsThreadInfo", says("l")},
		{"qThreadExtraInfo,", plain(func(c *call) string { return hexText(c.t.processor()) })},
		{"qSymbol:", says(ok)},
		{"qSupported", plain(offer)},
		{"QStartNoAckMode", says(ok)},
		{"qXfer:features:read:target.xml:", plain(func(c *call) string { return transfer(targetXML, c.arg) })},
		{"qXfer:memory-map:read::", plain(func(c *call) string { return transfer(memoryMap, c.arg) })},
		{"qRcmd,", func(ctx context.Context, c *call) (string, error) { return c.monitor(ctx) }},
		{"qqemu.PhyMemMode", plain(func(c *call) string { return map[bool]string{true: "1", false: "0"}[c.physical] })},
		{"Qqemu.PhyMemMode:", plain(physicalMode)},
	}
}

// answer answers one packet.
func (s *dialog) answer(ctx context.Context, q request) (string, error) {
	for _, p := range packets {
		if arg, found := strings.CutPrefix(q.body, p.name); found && ends(p.name, arg) {
			return p.do(ctx, &call{q, s, arg})
		}
	}
	return unsupported, nil
}

// ends tells whether a packet's name ends where its argument begins: that of one
// letter does at once, a longer one not before another letter.
func ends(name, arg string) bool {
	letter := func(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
	return len(name) == 1 || arg == "" || !letter(name[len(name)-1]) || !letter(arg[0])
}

// leave ends the session once the answer is sent.
func (s *dialog) leave(how parting) { s.part = &how }

// offer tells which of the packets that need an offer there are.
func offer(*call) string {
	return fmt.Sprintf("PacketSize=%x;QStartNoAckMode+;qXfer:features:read+;qXfer:memory-map:read+;"+
		"ReverseStep+;ReverseContinue+;swbreak+;hwbreak+;vContSupported+", packetSize)
}

// onlyThread tells whether a thread is there: the processor is number 1.
func onlyThread(id string) string {
	if n, err := hexNumber(id); err != nil || n != 1 {
		return badArgument
	}
	return ok
}

// physicalMode makes addresses physical ones, or linear ones again, by QEMU's
// packet for that.
func physicalMode(c *call) string {
	if c.arg != "0" && c.arg != "1" {
		return badArgument
	}
	c.physical = c.arg == "1"
	return ok
}

func transfer(text, window string) string {
	part, err := chunk(text, window)
	if err != nil {
		return badArgument
	}
	return part
}

// Registers.

func (t *target) allRegisters() string {
	v := look(t.machine())
	b := make([]byte, 0, registerSize)
	for i := range registers {
		b = registers[i].put(b, registers[i].get(v))
	}
	return hex.EncodeToString(b)
}

// setAllRegisters writes those that differ from what they are: of two views of one
// register the one that was changed counts.
func (t *target) setAllRegisters(text string) string {
	b, err := hex.DecodeString(text)
	if err != nil || len(b) > registerSize {
		return badArgument
	}
	before := look(t.machine())
	for i := range registers {
		r := &registers[i]
		if len(b) < r.bytes() {
			break
		}
		if string(b[:r.bytes()]) != string(r.put(nil, r.get(before))) {
			if err := t.setRegister(r, r.take(b)); err != nil {
				return fault(err)
			}
		}
		b = b[r.bytes():]
	}
	return ok
}

// registerAt is the register of a number.
func registerAt(text string) (*register, bool) {
	n, err := hexNumber(text)
	if err != nil || n >= uint64(len(registers)) {
		return nil, false
	}
	return &registers[n], true
}

func (t *target) oneRegister(text string) string {
	r, found := registerAt(text)
	if !found {
		return badArgument
	}
	return hex.EncodeToString(r.put(nil, r.get(look(t.machine()))))
}

func (t *target) setOneRegister(text string) string {
	number, data, _ := strings.Cut(text, "=")
	r, found := registerAt(number)
	b, err := hex.DecodeString(data)
	if !found || err != nil || len(b) != r.bytes() {
		return badArgument
	}
	if err := t.setRegister(r, r.take(b)); err != nil {
		return fault(err)
	}
	return ok
}

// Running.

// stopReply tells why the guest stands, with the registers that every debugger
// asks for first.
func (t *target) stopReply() string {
	var b strings.Builder
	fmt.Fprintf(&b, "T%02x", t.stop.signal)
	v := look(t.machine())
	for i := range registers {
		if r := &registers[i]; r.name == "rip" || r.name == "rsp" || r.name == "rbp" {
			fmt.Fprintf(&b, "%x:%x;", i, r.put(nil, r.get(v)))
		}
	}
	fmt.Fprintf(&b, "thread:1;%s", t.stop.reason)
	return b.String()
}

// resumeActions is vCont: of its actions the first one counts that is for all
// threads or for the one there is.
func resumeActions(ctx context.Context, c *call) (string, error) {
	for action := range strings.SplitSeq(c.arg, ";") {
		what, thread, named := strings.Cut(action, ":")
		if named && thread != "1" && thread != "-1" && thread != "0" {
			continue
		}
		if what == "" {
			return badArgument, nil
		}
		switch rest := what[1:]; what[0] {
		case 'c', 'C':
			return c.resume(ctx, cont, 0, 0)
		case 's', 'S':
			return c.resume(ctx, step, 0, 0)
		case 'r':
			first, last, err := addressAndLength(rest)
			if err != nil {
				return badArgument, nil
			}
			return c.resume(ctx, stepRange, first, last)
		}
		return badArgument, nil
	}
	return badArgument, nil
}

// resumeOld is one of c, C, s and S: [SIGNAL][;][ADDR]. The guest knows of no
// signals.
func resumeOld(how move) func(context.Context, *call) (string, error) {
	return func(ctx context.Context, c *call) (string, error) {
		at := c.arg
		if c.body[0] == 'C' || c.body[0] == 'S' {
			_, at, _ = strings.Cut(at, ";")
		}
		if at != "" {
			return badArgument, nil // gdb has never sent one
		}
		return c.resume(ctx, how, 0, 0)
	}
}

// goBack is bc or bs.
func goBack(how move) func(context.Context, *call) (string, error) {
	return func(ctx context.Context, c *call) (string, error) {
		if c.arg != "" {
			return badArgument, nil
		}
		return c.resume(ctx, how, 0, 0)
	}
}

// resume moves the guest and tells where it has arrived.
func (c *call) resume(ctx context.Context, how move, first, last uint64) (string, error) {
	run, done := c.running(ctx, c.request)
	defer done()
	exited, err := c.t.resume(run, how, first, last)
	if err != nil {
		return "", err
	}
	if exited {
		c.leave(over)
		return fmt.Sprintf("W%02x", c.t.end.Status()), nil
	}
	if words := strings.TrimSuffix(c.t.missed+c.t.stop.words, "\n"); words != "" {
		c.print("x86emu: " + strings.ReplaceAll(words, "\n", "\nx86emu: ") + "\n")
	}
	return c.t.stopReply(), nil
}

// processor tells of the one thread.
func (t *target) processor() string {
	m := t.machine()
	s := m.CPU.State()
	halted := ""
	if s.Halted {
		halted = ", halted"
	}
	return fmt.Sprintf("CPL %d, %d-bit code%s, tick %d", s.CPL, m.CPU.Mode(), halted, t.h.Tick())
}

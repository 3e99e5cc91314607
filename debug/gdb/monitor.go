package gdb

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
)

// This file is the monitor: what a debugger passes on as `monitor COMMAND`, the
// table of commands, and their help, which is made of it.

// command is one line of the table.
type command struct {
	name, args, help string
	most             int // arguments
	do               func(ctx context.Context, m *monitor, args []string) error
}

// monitor is a command at work.
type monitor struct {
	*dialog
	t *target
	w io.Writer // what it prints
}

// commands is the table, in the order of the help.
var commands []command

func init() {
	commands = []command{
		{"help", "[COMMAND]", "this list, or one line of it", 1, help},
		{"where", "", "the next instruction as the processor will decode it, the mode, the tick", 0, where},
		{"story", "[next|VECTOR]", "the fault that is being handled, or else the last exception: from the access to the handler. next: the one to come; VECTOR: the last #PF, ...", 1, story},
		{"walk", "ADDR [write|fetch] [user]", "how a linear address is translated: every entry and the bit that decides", 3, walk},
		{"pages", "[FIRST-LAST]", "what the page tables map", 1, pages},
		{"idt", "", "the gates, and what is wrong with them", 0, idtTable},
		{"gdt", "", "the descriptors of the GDT", 0, gdtTable},
		{"ldt", "", "the descriptors of the LDT", 0, ldtTable},
		{"tss", "[SELECTOR]", "the task-state segment that TR holds, or another", 1, tss},
		{"audit", "[VECTOR]", "what would become of each exception and interrupt if it came now", 1, auditNow},
		{"stale", "[TICKS]", "which accesses since the beginning, or in the last TICKS, used a TLB entry that the page tables no longer supported", 1, staleUses},
		{"break", "VECTOR|any [code=X[/MASK]] [cr2=A[-B]]", "stop before an exception or interrupt. Also: break write|change ADDR [BYTES] [phys], break pte ADDR [cr3=X] [ad]", 8, setBreak},
		{"breaks", "", "what break has set", 0, listBreaks},
		{"delete", "[NUMBER]", "delete one of them, or all", 1, deleteBreak},
		{"screen", "", "what the text screen shows", 0, textScreen},
		{"xp", "ADDR [BYTES]", "physical memory", 2, physicalMemory},
		{"physical", "on|off", "let gdb's addresses be physical ones: x, print, and watch for writes. Then: maintenance flush dcache", 1, physicalAddresses},
		{"goto", "TICK", "to a tick: the next continue or reverse-continue goes there", 1, gotoTick},
		{"fault-start", "", "back to before the fault that all the trouble began with: the next reverse-continue goes there", 0, faultStart},
		{"snapshot", "NAME", "remember the present state", 1, snapshot},
		{"restore", "NAME", "go to it again: the next continue or reverse-continue does", 1, restore},
		{"history", "", "what can be gone back to", 0, history},
	}
}

// monitor is the qRcmd packet: a command line in digits. What goes wrong is a
// line on the debugger's console, too. An interrupt ends a long command.
func (c *call) monitor(ctx context.Context) (string, error) {
	line, err := hex.DecodeString(c.arg)
	if err != nil {
		return badArgument, nil
	}
	run, done := c.running(ctx, c.request)
	defer done()
	out := &shortened{left: maxOutput}
	err = c.t.command(run, &monitor{c.dialog, c.t, out}, strings.Fields(string(line)))
	switch {
	case run.Err() != nil:
		fmt.Fprintln(&out.Buffer, "interrupted")
	case errors.Is(err, errHost):
		return "", err
	case err != nil:
		fmt.Fprintf(&out.Buffer, "x86emu: %s\n", printable(err.Error()))
	case out.left == 0:
		fmt.Fprintln(&out.Buffer, "... and more")
	}
	c.print(out.String())
	return ok, nil
}

// maxOutput bounds what one command prints, in bytes.
const maxOutput = 1 << 20

// shortened keeps the beginning of what is written.
type shortened struct {
	bytes.Buffer
	left int
}

func (s *shortened) Write(b []byte) (int, error) {
	n := min(len(b), s.left)
	s.left -= n
	s.Buffer.Write(b[:n])
	return len(b), nil
}

// errHost marks an error that the command is not to blame for.
var errHost = errors.New("the host")

// command runs one line.
func (t *target) command(ctx context.Context, m *monitor, words []string) error {
	if len(words) == 0 {
		words = []string{"help"}
	}
	for i := range commands {
		if c := &commands[i]; c.name == words[0] {
			if len(words)-1 > c.most {
				return fmt.Errorf("too much: %s %s", c.name, c.args)
			}
			return c.do(ctx, m, words[1:])
		}
	}
	return fmt.Errorf("no command %q (try monitor help)", words[0])
}

// help tells the commands.
func help(_ context.Context, m *monitor, args []string) error {
	known := false
	for i := range commands {
		c := &commands[i]
		if len(args) > 0 && c.name != args[0] {
			continue
		}
		known = true
		fmt.Fprintf(m.w, "%s\n%s", strings.TrimSpace(c.name+" "+c.args), indented(c.help))
	}
	if !known {
		return fmt.Errorf("no command %q (try monitor help)", args[0])
	}
	if len(args) == 0 {
		fmt.Fprint(m.w, "\nAddresses are numbers, symbols and registers ($rsp, $cr2), and sums of them.\n")
	}
	return nil
}

// indented is a text in lines of a terminal's width.
func indented(text string) string {
	var b strings.Builder
	n := 0
	for word := range strings.FieldsSeq(text) {
		if n == 0 || n+1+len(word) > 78 {
			if n > 0 {
				b.WriteByte('\n')
			}
			b.WriteString("   ")
			n = 3
		}
		b.WriteString(" " + word)
		n += 1 + len(word)
	}
	b.WriteByte('\n')
	return b.String()
}

// printable makes a line of what may hold anything.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, text)
}

package gdb

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// asked is a monitor command and what it must print.
type asked struct{ line, want string }

func TestMonitor(t *testing.T) {
	s := serve(t, kernel(t, "unmapped-handler-32"), Options{Wait: true})
	c := s.connect()
	monitor := func(all ...asked) {
		t.Helper()
		for _, a := range all {
			assert.Regexp(t, a.want, c.command(a.line), a.line)
		}
	}
	monitor(
		asked{"help", `(?s)^help \[COMMAND\]\n.*\nwalk ADDR .*\nhistory\n`},
		asked{"", `(?s)^help \[COMMAND\]\n.*\nwalk ADDR .*\nhistory\n`},
		asked{"help walk", `^walk ADDR \[write\|fetch\] \[user\]\n    how a linear`},
		asked{"help nothing", `^x86emu: no command "nothing"`},
		asked{"nothing", `^x86emu: no command "nothing"`},
		asked{"where now", `^x86emu: too much: where`},
		asked{"where", `^0x10000c: fc  cld.*\nCPL 0, 32-bit code, tick 0\n$`},
		asked{"story", `^there is none\n$`},
		asked{"idt", `^at tick 0`},
		asked{"snapshot", `needs a name`},
		asked{"snapshot begin", `^begin is tick 0\n$`},
		asked{"break", `needs a vector`},
		asked{"break XX", `must be an exception such as PF`},
		asked{"break PF code=6/7 cr2=0x40000000-0x4fffffff", `^1: #PF with error code 0x6 \(of 0x7\) with CR2 0x40000000-0x4fffffff\n$`},
		asked{"break write 0x100000 4 phys", `^2: write to 4 bytes at physical 0x100000`},
		asked{"break pte 0xc0000000", `paging is off`},
		asked{"delete 2", `^$`}, asked{"delete 2", `no such number`}, asked{"delete x", `no such number`},
		asked{"breaks", `^1: #PF.*\n$`},
	)
	assert.Regexp(t, "^T05", c.ask("c"))
	assert.Contains(t, c.console, "before #PF code=0x6 CR2=0x40001000")
	assert.Equal(t, uint64(0x40000005), c.word("eip"))
	fault := c.word("tick")
	monitor(
		asked{"story next", `(?s)^tick 203342: #PF, page fault\n.*the handler runs\n$`},
		asked{"story BP", `^there is none`},
		asked{"walk 0x40001000 write user", `(?s)^at tick 203342, CR3 0x202000\nuser write of 0x40001000.*P=0`},
		asked{"walk $eip", `(?s)the TLB has 0x40000000 -> 0x`},
		asked{"walk", `needs an address`}, asked{"walk 0x100000000", `32 bits`}, asked{"walk 0 sideways", `must be read, write`},
		asked{"pages 0x40000000-0x40001fff", `(?s)^at tick 203342, CR3 0x202000.*\n0x40000000-0x40000fff +4K  ur-x -A-`},
		asked{"pages 5-1", `is below`}, asked{"pages x", `neither a number`},
		asked{"idt", `#PF +32-bit interrupt gate`}, asked{"gdt", `0x0028 +32-bit busy TSS`}, asked{"ldt", `LDTR is null`},
		asked{"tss", `ESP0 +0x003c2000`}, asked{"tss 0x38", `TSS 0x38`}, asked{"tss 0x10000", `must be a selector`},
		asked{"audit PF", `#PF: recursion, then #DF after 255 frames`}, asked{"audit XX", `must be an exception`},
		asked{"stale 1000", `uses of stale TLB entries from tick 202342 to 203342: 0`}, asked{"stale x", `must be a number`},
		asked{"xp 0x202000 17", `^00202000  27 .*\n00202010  .*\n$`}, asked{"xp 0xfffffff0", `neither RAM nor ROM`}, asked{"xp", `needs`}, asked{"xp 0 0", `from 1 to`},
		asked{"snapshot here", `^here is tick 203342`},
		asked{"restore there", `no such snapshot; there are: begin here`},
		asked{"goto", `needs a tick`}, asked{"physical", `on or off`},
		asked{"history", `(?s)^now at tick 203342; one can go back to 0;.*snapshot here at tick 203342`},
	)
	monitor(asked{"physical on", `^$`})
	assert.Equal(t, "27402000", c.ask("m202400,4"), "a page-table entry, by its physical address")
	monitor(asked{"physical off", `^$`})
	assert.Equal(t, badAddress, c.ask("mf8400000,4"))
	require.Equal(t, fault, c.word("tick"), "looking moves nothing")
	require.Regexp(t, "^T05", c.ask("s"))
	monitor(asked{"story", `^tick 203342: #PF`}, asked{"delete", `^$`}, asked{"break DF", `#DF`})
	require.Regexp(t, "^T05", c.ask("c"))
	assert.Contains(t, c.console, "then #DF")
	require.Regexp(t, "^T05", c.ask("s"))
	assert.Equal(t, uint64(0x38), c.word("tr"), "in the task of the double fault")
	monitor(asked{"fault-start", `goes there`})
	require.Regexp(t, "^T05", c.ask("bc"))
	assert.Equal(t, fault, c.word("tick"))
	monitor(asked{"fault-start", `goes there`})
	require.Regexp(t, "^T05", c.ask("s"), "a step is a step")
	require.Regexp(t, "^T05", c.ask("bs"))
	require.Regexp(t, "^T05", c.ask("c"))
	assert.Equal(t, fault, c.word("tick"))
	monitor(asked{"goto 1000", `goes there`})
	require.Regexp(t, "^T05", c.ask("bc"))
	assert.Equal(t, uint64(1000), c.word("tick"))
	require.Equal(t, badArgument, c.ask("qRcmd,xy"))
}

// What break has set stops the guest before it, forward and back, and where it
// cannot be looked for it is told.
func TestBreaksOfTheMonitor(t *testing.T) {
	c := serve(t, kernel(t, "unmapped-handler-32"), Options{Wait: true}).connect()
	c.command("goto 203000") // a process runs
	require.Regexp(t, "^T05", c.ask("c"))
	c.command("break PF code=6/7")
	c.command("break pte 0xf8400000")
	c.command("break write 0x3c1fd8 4")
	assert.Regexp(t, "^T05", c.ask("c"))
	assert.Contains(t, c.console, "x86emu: before ")
	first := c.word("tick")
	assert.Regexp(t, "^T05", c.ask("c"))
	second := c.word("tick")
	assert.Greater(t, second, first)
	assert.Regexp(t, "^T05", c.ask("bc"))
	assert.Equal(t, first, c.word("tick"), "what is met is met both ways")
	assert.Regexp(t, "^T05", c.ask("c"))
	assert.Equal(t, second, c.word("tick"))
	c.command("goto 5")
	assert.Regexp(t, "^T05", c.ask("bc"))
	c.console = ""
	assert.Regexp(t, "^T05", c.ask("c"))
	assert.Regexp(t, "x86emu: break 2 was not looked for: paging is off.*\nx86emu: before write to 4 bytes at 0x3c1fd8\n", c.console)
}

// Going back to a snapshot keeps the past where it is still the same, and forgets
// what was changed since.
func TestSnapshots(t *testing.T) {
	c := serve(t, flat(t, 32, counting), Options{Wait: true}).connect()
	steps := func(n int) {
		for range n {
			require.Regexp(t, "^T05", c.ask("s"))
		}
	}
	steps(9)
	c.command("snapshot a")
	rax := c.word("rax")
	steps(5)
	c.play([]turn{{"P0=0001000000000000", "OK"}})
	steps(5)
	assert.Greater(t, c.word("rax"), uint64(0x100))

	c.command("restore a")
	c.play([]turn{{"bc", "T05.*"}})
	assert.Equal(t, uint64(9), c.word("tick"))
	assert.Equal(t, rax, c.word("rax"))
	steps(10)
	assert.Less(t, c.word("rax"), uint64(0x100), "the change is forgotten")
	c.play([]turn{{"bc", "T05.*begin;"}})
	assert.Equal(t, uint64(0), c.word("tick"), "the past is still there")

	c.play([]turn{{"P0=0002000000000000", "OK"}})
	c.command("restore a")
	c.play([]turn{{"c", "T05.*"}})
	assert.Equal(t, uint64(9), c.word("tick"))
	assert.Equal(t, rax, c.word("rax"), "though the history leads elsewhere")
	c.play([]turn{{"bc", "T05.*begin;"}})
	assert.Equal(t, uint64(9), c.word("tick"), "it begins there now")
	for i := range maxSnapshots + 1 {
		got := c.command("snapshot " + strings.Repeat("x", i+1))
		assert.Equal(t, i >= maxSnapshots-1, strings.Contains(got, "are enough"), i)
	}
}

// At the end of a run the monitor can look as well, and the guest stays there.
func TestMonitorAtTheEnd(t *testing.T) {
	c := serve(t, flat(t, 32, "\x0f\x0b"), Options{Wait: true}).connect()
	assert.Regexp(t, "^T0b", c.ask("c"))
	assert.Regexp(t, `(?s)#UD.*shutdown`, c.command("story"))
	assert.Regexp(t, `the run is over`, c.command("snapshot a"))
	assert.Equal(t, "W7e", c.ask("c"))
}

// An interrupt ends a command that takes long.
func TestMonitorIsInterrupted(t *testing.T) {
	c := serve(t, flat(t, 32, counting), Options{Wait: true}).connect()
	c.write(string(frame("qRcmd,"+hexText("story next"))) + "\x03")
	assert.Equal(t, ok, c.next())
	assert.Equal(t, "interrupted\n", c.console)
	assert.Equal(t, uint64(0), c.word("tick"))
}

func TestMonitorScreen(t *testing.T) {
	c := serve(t, kernel(t, "unmapped-handler-32"), Options{Wait: true}).connect()
	assert.Equal(t, "at tick 0: 80x25, cursor in column 0, row 0; it is blank\n", c.command("screen"))
	require.Equal(t, "OK", c.ask("Mb8000,6:480749072107"))
	assert.Equal(t, "at tick 0: 80x25, cursor in column 0, row 0\nHI!\n", c.command("screen"))
}

package gdb

import (
	"encoding/binary"
	"encoding/xml"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/machine"
)

// turn is a packet and what its answer must match; "" is an empty answer.
type turn struct{ ask, want string }

func (c *client) play(turns []turn) {
	c.t.Helper()
	for _, u := range turns {
		got := c.ask(u.ask)
		require.Regexp(c.t, "^(?:"+u.want+")$", got, u.ask)
	}
}

// counting is: l: inc eax; mov [0x2000],eax; mov ebx,[0x2000]; jmp l
const counting = "\x40\xa3\x00\x20\x00\x00\x8b\x1d\x00\x20\x00\x00\xeb\xf2"

func TestPackets(t *testing.T) {
	for _, c := range []struct {
		name  string
		turns []turn
	}{
		{"what is there", []turn{
			{"qSupported:multiprocess+;swbreak+;xmlRegisters=i386", `PacketSize=4000;.*ReverseContinue\+;.*`},
			{"vMustReplyEmpty", ""},
			{"!", ""},
			{"qCRC:1000,4", ""},
			{"Hg0", "OK"}, {"Hc-1", "OK"}, {"T1", "OK"}, {"T2", "E.."}, {"qC", "QC1"}, {"qAttached", "1"},
			{"qfThreadInfo", "m1"}, {"qsThreadInfo", "l"}, {"qThreadExtraInfo,1", hexText("CPL 0, 32-bit code, tick 0")},
			{"qSymbol::", "OK"},
			{"?", "T05.*10:0010000000000000;thread:1;"},
			{"vCont?", "vCont;c;C;s;S;r"},
			{"qXfer:features:read:other.xml:0,10", ""},
			{"qXfer:memory-map:read::0,4000", "l<.xml(?s:.*)"},
			{"qXfer:features:read:target.xml:0,zz", "E.."},
		}},
		{"registers", []turn{
			{"P0=efcdab8967452301", "OK"}, {"p0", "efcdab8967452301"},
			{"p28", "efcdab89"},
			{"P28=78563412", "OK"}, {"p0", "7856341267452301"},
			{"P10=0020000000000000", "OK"}, {"p10", "0020000000000000"},
			{"p7777", "E.."}, {"p", "E.."}, {"P0", "E.."}, {"P0=12", "E.."}, {"P0=zz", "E.."}, {"P7777=00", "E.."},
			{"P12=00000000", "E.cs cannot be written.*"},
			{"P11=02000200", "E.eflags.VM.*"},
			{"P11=ffffff00", "E.eflags.VM.*"},
			{"P11=d5080000", "OK"}, {"p11", "d7080000"},
		}},
		{"memory", []turn{
			{"m1000,4", "40a30020"}, {"m1000,0", ""}, {"mfffff,10", "00"}, {"m100000,4", "E.."},
			{"m1000", "E.."}, {"mx,1", "E.."}, {"mffffffffffffffff,4", "E.."},
			{"M2ffe,4:01020304", "OK"}, {"m2ffe,4", "01020304"},
			{"X2ffe,2:\x03$", "OK"}, {"m2ffe,4", "03240304"}, {"X2ffe,0:", "OK"},
			{"Mfffff,2:0102", "E.."}, {"mfffff,1", "00"},
			{"M2ffe,4:0102", "E.."}, {"M2ffe,2:010", "E.."}, {"M2ffe", "E.."},
			{"qqemu.PhyMemMode", "0"}, {"Qqemu.PhyMemMode:1", "OK"}, {"qqemu.PhyMemMode", "1"}, {"m1000,4", "40a30020"}, {"Qqemu.PhyMemMode:2", "E.."},
		}},
		{"running", []turn{
			{"vCont;s:1;c", "T05.*"}, {"p10", "0110000000000000"},
			{"s", "T05.*"}, {"p10", "0610000000000000"},
			{"vCont;r1000,100c:1", "T05.*"}, {"p10", "0c10000000000000"},
			{"bs", "T05.*"}, {"p10", "0610000000000000"},
			{"bc", "T05.*replaylog:begin;"}, {"p10", "0010000000000000"},
			{"bs", "T05.*replaylog:begin;"},
			{"vCont", ""}, {"vCont;", "E.."}, {"vCont;t", "E.."}, {"vCont;r5", "E.."}, {"vCont;s:7", "E.."},
			{"c1000", "E.."}, {"bcx", ""}, {"bc1", "E.."},
			{"S05", "T05.*"}, {"p10", "0110000000000000"},
		}},
		{"breakpoints", []turn{
			{"Z0,1006,1", "OK"}, {"Z0,1006,1", "OK"}, {"c", "T05.*thread:1;"}, {"p10", "0610000000000000"},
			{"vCont;c", "T05.*thread:1;"}, {"p0", "0200000000000000"},
			{"z0,1006,1", "OK"}, {"Z1,100c,1", "OK"}, {"c", "T05.*thread:1;"}, {"p10", "0c10000000000000"},
			{"bc", "T05.*thread:1;"}, {"p0", "0100000000000000"},
			{"z1,100c,1", "OK"}, {"z1,100c,1", "OK"},
			{"m1006,2", "8b1d"},
			{"Z5,0,1", ""}, {"Z", "E.."}, {"Z0", "E.."}, {"Z0,1", "E.."}, {"Z0,x,1", "E.."}, {"Z0,1000,1;X1,27", "E.."},
			{"Z0,8000000000000000,1", "E.*not canonical.*"},
		}},
		{"watchpoints", []turn{
			{"Z2,2001,1", "OK"}, {"c", "T05.*watch:2001;"}, {"p10", "0610000000000000"},
			{"z2,2001,1", "OK"}, {"Z3,2000,4", "OK"}, {"c", "T05.*rwatch:2000;"}, {"p10", "0c10000000000000"},
			{"c", "T05.*rwatch:2000;"}, {"p0", "0200000000000000"},
			{"bc", "T05.*rwatch:2000;"}, {"p10", "0610000000000000"}, {"p0", "0200000000000000"},
			{"bc", "T05.*rwatch:2000;"}, {"p10", "0610000000000000"}, {"p0", "0100000000000000"},
			{"z3,2000,4", "OK"}, {"Z4,2002,1", "OK"}, {"c", "T05.*awatch:2002;"}, {"c", "T05.*awatch:2002;"}, {"p10", "0610000000000000"},
			{"bs", "T05.*awatch:2002;"}, {"p10", "0110000000000000"},
			{"vCont;s", "T05.*awatch:2002;"},
			{"z4,2002,1", "OK"}, {"Qqemu.PhyMemMode:1", "OK"}, {"Z2,2000,4", "OK"}, {"c", "T05.*watch:2000;"},
			{"z2,2000,4", "OK"}, {"Z3,2000,4", "OK"}, {"c", "T05.*rwatch:2000;"}, {"p10", "0c10000000000000"}, {"bc", "T05.*rwatch:2000;"}, {"p10", "0610000000000000"},
			{"z3,2000,4", "OK"}, {"Z4,2002,1", "OK"}, {"c", "T05.*awatch:2002;"}, {"c", "T05.*awatch:2002;"}, {"p10", "0610000000000000"},
			{"Z2,2000,0", "E.."}, {"Z2,2000,fffffff", "E.*at most.*"}, {"Z2,ffffffffffffffff,2", "E.*"},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			serve(t, flat(t, 32, counting), Options{Wait: true}).connect().play(c.turns)
		})
	}
}

func TestRegistersAllAtOnce(t *testing.T) {
	c := serve(t, flat(t, 64, "\x90\x90"), Options{Wait: true}).connect()
	g := c.ask("g")
	require.Len(t, g, 2*registerSize)
	assert.Equal(t, "OK", c.ask("G"+g), "what is not changed may be written, read-only or not")
	at := 0
	for i := range registers {
		n := 2 * registers[i].bytes()
		assert.Equal(t, g[at:at+n], c.ask(fmt.Sprintf("p%x", i)), registers[i].name)
		at += n
	}
	assert.Equal(t, "OK", c.ask("G"+"1122334455667788"+g[16:]))
	assert.Equal(t, uint64(0x8877665544332211), c.word("rax"))
	assert.Equal(t, uint64(0x44332211), c.word("eax"))
	assert.Equal(t, "OK", c.ask("G"+g[:16]), "what is missing at the end stays")
	assert.Regexp(t, "^E", c.ask("G"+g+"00"))
	assert.Regexp(t, "^E", c.ask("Gxy"))
}

// Each register keeps what is written, or says that it does not, and harms no other.
func TestRegistersOneByOne(t *testing.T) {
	c := serve(t, flat(t, 64, "\x90\xeb\xfe"), Options{Wait: true}).connect()
	for i := range registers {
		r := &registers[i]
		before := c.ask(fmt.Sprintf("p%x", i))
		for _, b := range []byte{0xff, 0x55, 0x01} {
			answer := c.ask(fmt.Sprintf("P%x=%s", i, strings.Repeat(fmt.Sprintf("%02x", b), r.bytes())))
			if r.set == nil {
				assert.Equal(t, "E."+r.name+" cannot be written", answer)
			}
			assert.Regexp(t, "^(OK|E.*)$", answer, r.name)
		}
		switch r.name {
		case "rip", "eip", "eflags":
		default:
			assert.Regexp(t, "^T05", c.ask("s"), "the guest goes on")
			assert.Regexp(t, "^T05", c.ask("bs"))
		}
		c.ask(fmt.Sprintf("P%x=%s", i, before))
	}
	assert.Equal(t, "OK", c.ask("P0=0100000000000000"))
	assert.Equal(t, uint64(1), c.word("rax"))
}

func TestTargetDescription(t *testing.T) {
	c := serve(t, flat(t, 32, "\x90"), Options{Wait: true}).connect()
	var text string
	for {
		part := c.ask(fmt.Sprintf("qXfer:features:read:target.xml:%x,1000", len(text)))
		require.NotEmpty(t, part)
		text += part[1:]
		if part[0] == 'l' {
			break
		}
	}
	var target struct {
		Features []struct {
			Name string `xml:"name,attr"`
			Regs []struct {
				Name    string `xml:"name,attr"`
				Bits    int    `xml:"bitsize,attr"`
				Type    string `xml:"type,attr"`
				Number  int    `xml:"regnum,attr"`
				Feature string
			} `xml:"reg"`
			Flags []struct {
				ID     string `xml:"id,attr"`
				Bytes  int    `xml:"size,attr"`
				Fields []struct {
					First int `xml:"start,attr"`
					Last  int `xml:"end,attr"`
				} `xml:"field"`
			} `xml:"flags"`
		} `xml:"feature"`
	}
	require.NoError(t, xml.Unmarshal([]byte(text), &target))
	seen := map[string]bool{}
	numbers := 0
	for _, f := range target.Features {
		size := map[string]int{}
		for _, k := range f.Flags {
			size[k.ID] = 8 * k.Bytes
			for _, b := range k.Fields {
				assert.LessOrEqual(t, b.First, b.Last, k.ID)
				assert.Less(t, b.Last, 8*k.Bytes, k.ID)
			}
		}
		for _, r := range f.Regs {
			assert.False(t, seen[r.Name], "%s is there twice", r.Name)
			seen[r.Name] = true
			assert.Equal(t, registers[r.Number].name, r.Name)
			assert.NotContains(t, []string{"code_ptr", "data_ptr"}, r.Type, "%s: its size would depend on the architecture", r.Name)
			if n, isFlags := size[r.Type]; isFlags {
				assert.Equal(t, r.Bits, n, r.Name)
			}
			numbers++
		}
	}
	assert.Equal(t, len(registers), numbers)
	for _, name := range strings.Fields("rax rip eax eip st7 fop xmm15 mxcsr cr0 cr2 cr3 cr4 cr8 dr7 efer fs_base gs_base k_gs_base cs_attr tr gdtr_base idtr_limit tick") {
		assert.True(t, seen[name], name)
	}
}

func TestAcknowledgements(t *testing.T) {
	s := serve(t, flat(t, 32, counting), Options{Wait: true})
	c := s.connect()
	raw := func(n int) string {
		b := make([]byte, n)
		_, err := io.ReadFull(c.conn, b)
		require.NoError(t, err)
		return string(b)
	}
	c.write("$qC#b4")
	assert.Equal(t, "+$QC1#c5", raw(8))
	c.write("-")
	assert.Equal(t, "$QC1#c5", raw(7), "once more")
	c.write("$qC#b5")
	assert.Equal(t, "-", raw(1), "a wrong sum")
	c.write("$QStartNoAckMode#b0")
	assert.Equal(t, "+$OK#9a", raw(7))
	c.write("$qC#b5$qC#b4")
	assert.Equal(t, "$QC1#c5", raw(7), "no signs any more")
}

// endsWith is: mov dx,0xf4; mov al,CODE; out dx,al
func endsWith(code byte) string { return "\x66\xba\xf4\x00\xb0" + string([]byte{code}) + "\xee" }

func TestEndsOfRuns(t *testing.T) {
	for _, c := range []struct {
		name, code string
		mode       uint8
		budget     uint64
		signal     string
		words      string
		status     string
		reason     machine.Reason
	}{
		{"the guest's word", endsWith(0), 32, 0, "T09", "exit status 0", "W00", machine.Exited},
		{"another word", endsWith(3), 32, 0, "T09", "exit status 7: the guest ended it with 3", "W07", machine.Exited},
		{"halted for good", "\xfa\xf4", 32, 0, "T11", "halted for good", "W78", machine.Halted},
		{"a triple fault", "\x0f\x0b", 32, 0, "T0b", "shutdown at tick", "W7e", machine.Shutdown},
		{"the budget", "\xeb\xfe", 32, 1000, "T18", "budget spent", "W7c", machine.Budget},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := serve(t, flat(t, c.mode, c.code), Options{Wait: true, Budget: c.budget})
			b := s.connect()
			assert.Regexp(t, "^"+c.signal, b.ask("c"), "it is a stop at first")
			assert.Contains(t, b.console, c.words)
			assert.Regexp(t, "^"+c.signal, b.ask("?"))
			assert.Regexp(t, "^E.the run is over", b.ask("P0=0000000000000000"))
			tick := b.word("tick")
			assert.Regexp(t, "^T05", b.ask("bs"), "one can go back")
			for b.ask("s")[:3] != c.signal {
				require.LessOrEqual(t, b.word("tick"), tick, "and come again")
			}
			assert.Equal(t, tick, b.word("tick"))
			assert.Regexp(t, "^T05.*begin", b.ask("bc"))
			assert.Regexp(t, "^"+c.signal, b.ask("c"))
			assert.Equal(t, c.status, b.ask("c"), "who goes on ends it")
			r := s.end()
			assert.Equal(t, c.reason, r.Reason)
			assert.Equal(t, c.status, fmt.Sprintf("W%02x", r.Status()))
		})
	}
}

// A guest that only faults any more is stopped when that is certain.
func TestEndlessLoop(t *testing.T) {
	s := serve(t, kernel(t, "pf-ist-64"), Options{Wait: true})
	c := s.connect()
	assert.Regexp(t, "^T06", c.ask("c"))
	assert.Contains(t, c.console, "endless delivery loop")
	tick := c.word("tick")
	assert.Regexp(t, "^T05", c.ask("bs"))
	assert.Equal(t, tick-1, c.word("tick"))
	c.command("fault-start")
	assert.Regexp(t, "^T05", c.ask("bc"))
	assert.Less(t, c.word("tick"), tick-1)
	assert.Equal(t, uint64(3), c.word("cpl"), "in the program that the fault came from")
	assert.Regexp(t, "^T06", c.ask("c"))
	assert.Equal(t, "W7a", c.ask("c"))
	assert.Equal(t, machine.Looping, s.end().Reason)
}

// A range with a loop in it is left at the same tick as one step after the other.
func TestStepsOverLoops(t *testing.T) {
	long := 5 * sliceSize / 8 // rounds of two steps: more than are looked at at a time
	if testing.Short() {
		long = 1 << 16
	}
	rounds := binary.LittleEndian.AppendUint32(nil, uint32(long))
	for _, c := range []struct {
		name, code string
		tick       uint64
		ip         uint64
		console    string
	}{
		// mov ecx,N; l: dec ecx; jnz l; nop
		{"a short loop", "\xb9\x10\x00\x00\x00\x49\x75\xfd\x90", 1 + 2*16, 0x1008, ""},
		{"a long loop", "\xb9" + string(rounds) + "\x49\x75\xfd\x90", 1 + 2*uint64(long), 0x1008, ""},
		// ... ud2 in place of nop, outside of the range, is not run
		{"a fault behind it", "\xb9\x00\x10\x00\x00\x49\x75\xfd\x0f\x0b", 1 + 2*0x1000, 0x1008, ""},
		// mov ecx,0x1000; l: loop l; then int3 within the range: there is no IDT
		{"the end of the run", "\xb9\x00\x10\x00\x00\xe2\xfe\xcc", 1 + 0x1000, 0x1007, "shutdown"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := serve(t, flat(t, 32, c.code), Options{Wait: true}).connect()
			require.Regexp(t, "^T", b.ask("vCont;r1000,1008:1"))
			assert.Equal(t, c.tick, b.word("tick"))
			assert.Equal(t, c.ip, b.word("rip"))
			assert.Contains(t, b.console, c.console)
		})
	}
	b := serve(t, flat(t, 32, counting), Options{Wait: true}).connect()
	b.play([]turn{{"Z2,2001,1", "OK"}})
	assert.Regexp(t, "^T05.*watch:2001;", b.ask("vCont;r1000,2000:1"))
	b.play([]turn{{"z2,2001,1", "OK"}})
	b.write(string(frame("vCont;r1000,2000:1")))
	time.Sleep(100 * time.Millisecond)
	b.write("\x03")
	assert.Regexp(t, "^T02", b.next(), "a loop without an end can be interrupted")
}

// An interrupt stops the run that is under way, or about to begin, and no other.
func TestInterrupt(t *testing.T) {
	c := serve(t, flat(t, 32, counting), Options{Wait: true}).connect()
	for range 3 {
		c.write("\x03")
		c.write(string(frame("c")))
		time.Sleep(20 * time.Millisecond)
		c.write("\x03")
		assert.Regexp(t, "^T02", c.next())
	}
	assert.Greater(t, c.word("tick"), uint64(1000))
	c.write(string(frame("c")) + "\x03")
	assert.Regexp(t, "^T02", c.next())
	c.write(string(frame("bc")))
	assert.Regexp(t, "^T05.*begin", c.next())
}

func TestOneClientAtATime(t *testing.T) {
	s := serve(t, flat(t, 32, counting), Options{Wait: true})
	first := s.connect()
	assert.Equal(t, "QC1", first.ask("qC"))
	second := s.connect()
	assert.Equal(t, "E.another debugger is attached to this guest", second.next())
	_, err := second.conn.Read(make([]byte, 1))
	assert.ErrorIs(t, err, io.EOF)
	assert.Equal(t, "QC1", first.ask("qC"), "the first one goes on")
	assert.Contains(t, <-s.told, "attached")
	assert.Contains(t, <-s.told, "refused")
}

// attach connects as soon as the client before is gone.
func (s *stub) attach() *client {
	s.t.Helper()
	for {
		line := <-s.told
		if strings.Contains(line, "is gone") || strings.Contains(line, "detached") {
			break
		}
	}
	return s.connect()
}

// However a client goes, the guest stands where it stood and the next one may come.
func TestClientsThatDie(t *testing.T) {
	for _, c := range []struct{ name, last string }{
		{"between packets", ""},
		{"in a packet", "$m10"},
		{"in a sum", "$m1000,4#1"},
		{"after rubbish", "GET / HTTP/1.1\r\n\r\n$$$}}}###"},
		{"before the answer", string(frame("g"))},
		{"while the guest runs", string(frame("c"))},
		{"having asked on while it runs", string(frame("c")) + strings.Repeat(string(frame("c")), 3*maxWaiting)},
		{"while it goes back", string(frame("s")) + string(frame("s")) + string(frame("bc"))},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := serve(t, flat(t, 32, counting), Options{Wait: true})
			a := s.connect()
			a.play([]turn{{"s", "T05.*"}, {"Z0,1006,1", "OK"}, {"z0,1006,1", "OK"}, {"Z2,3000,1", "OK"}})
			a.write(c.last)
			require.NoError(t, a.conn.Close())
			b := s.attach()
			assert.Regexp(t, "^T0", b.ask("?"))
			tick := b.word("tick")
			time.Sleep(10 * time.Millisecond)
			assert.Equal(t, tick, b.word("tick"), "the guest stands")
			b.play([]turn{{"s", "T05.*"}, {"m1000,4", "40a30020"}, {"bc", "T05.*begin;"}})
		})
	}
}

func TestDetachAndAttachAgain(t *testing.T) {
	s := serve(t, flat(t, 32, counting), Options{Wait: true})
	a := s.connect()
	a.play([]turn{{"Z0,1006,1", "OK"}, {"c", "T05.*"}, {"D", "OK"}})
	b, tick := s.attach(), uint64(0)
	for deadline := time.Now().Add(patience); ; b = s.attach() {
		require.Regexp(t, "^T0", b.ask("?"))
		if tick = b.word("tick"); tick > 100 {
			break // it has run, past the breakpoint of one who is gone
		}
		require.True(t, time.Now().Before(deadline), "the guest stands")
		require.Equal(t, ok, b.ask("D"))
	}
	assert.Regexp(t, "^T05", b.ask("bs"), "and can go back")
	assert.Equal(t, tick-1, b.word("tick"))
	assert.Equal(t, "OK", b.ask("vKill;1"))
	assert.Equal(t, machine.Cancelled, s.end().Reason)
}

// A guest that nobody debugs ends by itself.
func TestRunWithoutClient(t *testing.T) {
	s := serve(t, flat(t, 32, endsWith(3)), Options{})
	r := s.end()
	assert.Equal(t, 7, r.Status())
	s = serve(t, flat(t, 32, endsWith(3)), Options{Wait: true})
	c := s.connect()
	assert.Equal(t, "OK", c.ask("D"))
	assert.Equal(t, 7, s.end().Status())
	s = serve(t, flat(t, 32, "\xeb\xfe"), Options{Budget: 5000})
	assert.Equal(t, machine.Result{Reason: machine.Budget, Ticks: 5000}, s.end())
	s = serve(t, flat(t, 32, "\xeb\xfe"), Options{})
	s.stop()
	assert.Equal(t, machine.Cancelled, s.end().Reason)
	s = serve(t, flat(t, 32, "\xeb\xfe"), Options{Wait: true})
	s.connect().write(string(frame("k")))
	assert.Equal(t, machine.Cancelled, s.end().Reason)
}

func TestListen(t *testing.T) {
	for _, c := range []struct{ address, err string }{
		{"0", ""}, {":0", ""}, {"127.0.0.1:0", ""}, {"localhost:0", ""},
		{"", "must be HOST:PORT"}, {"1234:", "must be HOST:PORT"}, {"a:b:c", "must be HOST:PORT"}, {"70000", "invalid port"}, {"127.0.0.1:x", "unknown port"},
	} {
		l, err := Listen(c.address)
		if c.err != "" {
			assert.ErrorContains(t, err, c.err, c.address)
			continue
		}
		require.NoError(t, err, c.address)
		assert.True(t, l.Addr().(*net.TCPAddr).IP.IsLoopback(), c.address)
		l.Close()
	}
}

// What is written is made again when the guest comes by, forward and back.
func TestChangesAreHistory(t *testing.T) {
	c := serve(t, flat(t, 32, counting), Options{Wait: true}).connect()
	c.play([]turn{
		{"M3000,1:11", "OK"}, // at the beginning
		{"s", "T05.*"}, {"s", "T05.*"},
		{"P0=0700000000000000", "OK"}, {"M3000,1:22", "OK"},
		{"s", "T05.*"}, {"s", "T05.*"}, {"s", "T05.*"}, {"p0", "0800000000000000"},
		{"bc", "T05.*begin;"}, {"m3000,1", "11"}, {"p0", "0000000000000000"},
		{"s", "T05.*"}, {"s", "T05.*"}, {"m3000,1", "22"}, {"s", "T05.*"}, {"s", "T05.*"}, {"s", "T05.*"}, {"p0", "0800000000000000"},
	})
	// Code that has run is changed as by a store: nop nop nop nop nop
	c.play([]turn{{"M1001,5:9090909090", "OK"}, {"m2000,1", "01"}, {"c1", "E.."}, {"Z0,1006,1", "OK"}, {"c", "T05.*thread:1;"}, {"m2000,1", "01"}})
}

// One connection goes with the guest from 32-bit into 64-bit code and back.
func TestModesOnOneConnection(t *testing.T) {
	c := serve(t, kernel(t, "unmapped-handler-64"), Options{Wait: true}).connect()
	size := len(c.ask("g"))
	assert.Equal(t, uint64(32), c.word("mode"))
	assert.Equal(t, "OK", c.ask("Z0,ffffc98000000000,1"), "an address that 32-bit code does not have")
	assert.Regexp(t, "^T05.*thread:1;", c.ask("c"))
	assert.Equal(t, uint64(64), c.word("mode"))
	assert.Equal(t, uint64(0xffffc98000000000), c.word("rip"))
	assert.Equal(t, size, len(c.ask("g")))
	assert.Equal(t, "OK", c.ask("z0,ffffc98000000000,1"))
	assert.Regexp(t, "^T05.*begin", c.ask("bc"))
	assert.Equal(t, uint64(32), c.word("mode"))
}

// FuzzPackets sends any bytes: the guest stands, and the next client is served.
func FuzzPackets(f *testing.F) {
	for _, s := range []string{
		"?", "g", "p0", "P10=0000000000000000", "m0,ffffffff", "M0,1:00", "X0,1:\x00", "Z2,0,ffffffff", "Z0,ffffffffffffffff,1", "z4,0,1",
		"c", "vCont;s", "vCont;c", "vCont;r0,ffff", "bs", "bc", "qXfer:features:read:target.xml:0,ffffffff", "Qqemu.PhyMemMode:1", "D", "k",
		"qRcmd," + hexText("help"), "qRcmd," + hexText("story next"), "qRcmd," + hexText("break any code=1/1"), "qRcmd," + hexText("xp 0 99"),
		"qRcmd," + hexText("goto 99999999"), "qRcmd," + hexText("snapshot a"), "qRcmd," + hexText("stale"), "qRcmd," + hexText("pages $rip-0"),
	} {
		f.Add([]byte(s), []byte(s))
	}
	f.Fuzz(func(t *testing.T, body, noise []byte) {
		m := flat(t, 32, counting)
		g := newTarget(m, Options{History: 1 << 20})
		defer g.close()
		near, far := net.Pipe()
		done := make(chan struct{})
		go func() {
			defer close(done)
			s := newDialog(g, near)
			_, err := s.serve(t.Context())
			assert.NoError(t, err)
			near.Close()
		}()
		go io.Copy(io.Discard, far)
		far.Write(frame(string(body)))
		far.Write(noise)
		far.Close()
		<-done
		g.forget()
		near, far = net.Pipe()
		go newDialog(g, near).serve(t.Context())
		c := &client{t: t, conn: far, in: newFramer(far)}
		go c.write(string(frame("QStartNoAckMode")))
		require.Equal(t, ok, c.next())
		require.Regexp(t, "^T", c.ask("?"))
		require.Len(t, c.ask("g"), 2*registerSize)
		require.Regexp(t, "^[TW]", c.ask("s"))
		far.Close()
	})
}

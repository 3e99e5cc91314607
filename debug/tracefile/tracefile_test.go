package tracefile

import (
	"bytes"
	"context"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/debug"
	"x86emu/guest"
	"x86emu/machine"
)

var everything = debug.Filter{Kinds: debug.AllKinds, Last: ^uint64(0)}

// trace runs a built-in kernel under a TraceWriter.
func trace(t testing.TB, kernel string, budget uint64, f debug.Filter, open func(h Header) debug.TraceWriter) machine.Result {
	t.Helper()
	m, err := guest.Boot(kernel, machine.Config{}, guest.Options{})
	require.NoError(t, err)
	w := open(Header{Image: kernel, CPU: m.CPU.Model.Name, TLB: true, Kinds: f.Kinds.String(), First: debug.Hex(f.First), Last: debug.Hex(f.Last)})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	tr := debug.NewTracer(m, w, f, cancel)
	r, err := m.Run(ctx, budget)
	require.NoError(t, err)
	require.NoError(t, tr.Close(&r))
	return r
}

// lines and packed give a kernel's trace in either form.
func lines(t testing.TB, kernel string, f debug.Filter, asJSON bool) []byte {
	var b bytes.Buffer
	trace(t, kernel, budget, f, func(h Header) debug.TraceWriter { return NewJSON(&b, h, debug.LineOptions{JSON: asJSON}) })
	return b.Bytes()
}

func packed(t testing.TB, kernel string, f debug.Filter) []byte {
	var b bytes.Buffer
	trace(t, kernel, budget, f, func(h Header) debug.TraceWriter {
		w, err := NewWriter(&b, h)
		require.NoError(t, err)
		return w
	})
	return b.Bytes()
}

// budget keeps a test's traces short.
const budget = 8_000

// print reads a trace again.
func print(t testing.TB, data []byte, f debug.Filter, asJSON bool) string {
	t.Helper()
	r, err := Open(bytes.NewReader(data), false)
	require.NoError(t, err)
	var b bytes.Buffer
	require.NoError(t, r.Print(&b, f, asJSON))
	return b.String()
}

// The binary form, read again, is byte for byte what JSON lines would have
// been; both in words are what a trace in words is.
func TestFormsAgree(t *testing.T) {
	for _, kernel := range []string{"hello-16", "user-mode-32", "user-mode-64", "task-gate-32", "single-step-64", "df-no-gate-32"} {
		data, text := packed(t, kernel, everything), lines(t, kernel, everything, true)
		require.Equal(t, string(text), print(t, data, everything, true), kernel)
		words := lines(t, kernel, everything, false)
		require.Equal(t, string(words), print(t, data, everything, false), kernel)
		require.Equal(t, string(words), print(t, text, everything, false), kernel)
	}
}

// A trace of all, filtered when it is read, is what a filtered run gives.
func TestFilterAfterwards(t *testing.T) {
	const kernel = "unmapped-handler-32"
	data := packed(t, kernel, everything)
	for name, f := range map[string]debug.Filter{
		"one kind":   {Kinds: debug.KindEvent, Last: ^uint64(0)},
		"a range":    {Kinds: debug.AllKinds &^ debug.KindRegs, First: 0x40000000, Last: 0xffffffff},
		"a count":    {Kinds: debug.KindInst | debug.KindIO, Last: ^uint64(0), Count: 1234},
		"pages":      {Kinds: debug.KindWalk | debug.KindMem, First: 0x3c0000, Last: 0x3cffff},
		"everything": everything,
	} {
		assert.Equal(t, string(lines(t, kernel, f, false)), print(t, data, f, false), name)
	}
}

// Registers of more than 64 bits, and those that change rarely, come back.
func TestRegisters(t *testing.T) {
	names := debug.RegisterNames()
	at := func(name string) int { return slices.Index(names, name) }
	var b bytes.Buffer
	w, err := NewWriter(&b, Header{CPU: "max", Kinds: "regs,future", Last: debug.Hex(^uint64(0))})
	require.NoError(t, err)
	for tick := range uint64(3) {
		w.Registers(tick, []debug.Change{
			{Index: at("rax"), Low: tick * 7}, {Index: at("rflags"), Low: 2 + tick}, {Index: at("cr3"), Low: 0x1000},
			{Index: at("fpr1"), Low: 5, High: 0x3fff}, {Index: at("xmm15"), Low: ^uint64(0), High: tick},
		})
	}
	w.Line([]byte(`{"tick":3,"kind":"end"}` + "\n"))
	require.NoError(t, w.Close())
	got := print(t, b.Bytes(), debug.Filter{Kinds: debug.KindRegs, Last: ^uint64(0)}, false)
	assert.Equal(t, ""+
		"         0 regs     rax=0x0 rflags=0x2 cr3=0x1000 fpr1=0x3fff0000000000000005 xmm15=0xffffffffffffffff\n"+
		"         1 regs     rax=0x7 rflags=0x3 cr3=0x1000 fpr1=0x3fff0000000000000005 xmm15=0x1ffffffffffffffff\n"+
		"         2 regs     rax=0xe rflags=0x4 cr3=0x1000 fpr1=0x3fff0000000000000005 xmm15=0x2ffffffffffffffff\n", got)
}

func TestRangeNeedsInstructions(t *testing.T) {
	r, err := Open(bytes.NewReader(packed(t, "hello-32", debug.Filter{Kinds: debug.KindEvent, Last: ^uint64(0)})), false)
	require.NoError(t, err)
	assert.ErrorContains(t, r.Print(io.Discard, debug.Filter{Kinds: debug.AllKinds, First: 5, Last: 6}, false), "no instructions")
}

// The binary form has at most 8 bytes an instruction, with all that it does.
func TestSize(t *testing.T) {
	for _, kernel := range []string{"hello-32", "cow-fork-64", "unmapped-handler-32", "unmapped-handler-64", "stack-guard-32", "single-step-32"} {
		var b bytes.Buffer
		r := trace(t, kernel, machine.NoBudget, everything, func(h Header) debug.TraceWriter {
			w, err := NewWriter(&b, h)
			require.NoError(t, err)
			return w
		})
		each := float64(b.Len()) / float64(r.Ticks)
		t.Logf("%s: %.2f bytes a tick", kernel, each)
		assert.Less(t, each, 8.0, kernel)
	}
}

// read goes through a trace as a stranger's.
func read(data []byte) (n int, err error) {
	r, err := Open(bytes.NewReader(data), false)
	if err != nil {
		return 0, err
	}
	for ; ; n++ {
		if _, err := r.Next(); err == io.EOF {
			return n, nil
		} else if err != nil {
			return n, err
		}
	}
}

func TestBadFiles(t *testing.T) {
	data, text := packed(t, "hello-32", everything), lines(t, "hello-32", everything, true)
	newer := bytes.Replace(text, []byte(`"version":1`), []byte(`"version":2`), 1)
	newerPacked := bytes.Clone(data)
	newerPacked[len(magic)] = 2
	header, rest, _ := strings.Cut(string(text), "\n")
	for _, c := range []struct {
		name, data, want string
	}{
		{"an empty file", "", "not a trace"},
		{"another file", "\x7fELF.........", "not a trace"},
		{"JSON of somebody else", `{"a":1}` + "\n", "not a trace"},
		{"no header", rest, "not a trace"},
		{"an endless header", "{" + strings.Repeat(" ", maxHeader+1), "not a trace"},
		{"a later version", string(newer), "version 2, this build reads version 1"},
		{"a later version of the binary form", string(newerPacked), "version 2, this build reads version 1"},
		{"lines without the last", string(text[:bytes.LastIndexByte(text[:len(text)-1], '\n')+1]), "truncated"},
		{"half a line", string(text[:len(text)-5]), "truncated"},
		{"the binary form without its end", string(data[:len(data)-12]), "truncated"},
		{"half a block", string(data[:len(data)/2+800]), "truncated"},
		{"half a header", string(data[:100]), "truncated"},
		{"lines behind the end", string(text) + "{}\n", "bytes follow"},
		{"bytes behind the end", string(data) + "x", "bytes follow"},
		{"a line that is no JSON", header + "\nx\n", "damaged"},
		{"a line of another kind", header + "\n{}\n", "damaged"},
		{"a register of a strange name", strings.Replace(header, `"rax"`, `"r\u001bx"`, 1) + "\n", "damaged"},
		{"an endless line", header + "\n" + strings.Repeat("x", maxLine+2), "damaged"},
	} {
		_, err := read([]byte(c.data))
		if assert.Error(t, err, c.name) {
			assert.Contains(t, err.Error(), c.want, c.name)
		}
	}
}

// No byte of the binary form can change unnoticed.
func TestEveryByteCounts(t *testing.T) {
	data := packed(t, "hello-16", debug.Filter{Kinds: debug.AllKinds, Last: ^uint64(0), Count: 60})
	whole, err := read(data)
	require.NoError(t, err)
	for i := range data {
		bad := bytes.Clone(data)
		bad[i] ^= 0x10
		_, err := read(bad)
		assert.Error(t, err, "byte %d", i)
		n, err := read(data[:i])
		assert.Error(t, err, "cut at %d", i)
		assert.LessOrEqual(t, n, whole)
	}
}

func diff(t *testing.T, a, b string, context int) *Difference {
	t.Helper()
	x, err := Open(strings.NewReader(a), false)
	require.NoError(t, err)
	y, err := Open(strings.NewReader(b), false)
	require.NoError(t, err)
	d, err := Diff(x, y, context)
	require.NoError(t, err)
	return d
}

func TestDiff(t *testing.T) {
	data, text := string(packed(t, "hello-32", everything)), string(lines(t, "hello-32", everything, true))
	assert.Nil(t, diff(t, data, text, 3), "the same in two forms")
	all := strings.SplitAfter(text, "\n")
	const at = 1000
	changed := strings.Join(all[:at], "") + `{"tick":1,"kind":"regs","rax":"0x5"}` + "\n" + strings.Join(all[at+1:], "")
	d := diff(t, data, changed, 3)
	require.NotNil(t, d)
	assert.Equal(t, uint64(at-1), d.Same, "the header is no line of its own")
	assert.Equal(t, all[at-3:at], d.Before)
	assert.Equal(t, all[at:at+4], d.A)
	assert.Equal(t, `{"tick":1,"kind":"regs","rax":"0x5"}`+"\n", d.B[0])
	assert.Equal(t, all[at+1:at+4], d.B[1:])
	var b bytes.Buffer
	require.NoError(t, d.WriteText(&b))
	assert.Contains(t, b.String(), "999 lines are the same; then the traces differ\n")
	assert.Contains(t, b.String(), "B >          1 regs     rax=0x5\n")

	d = diff(t, all[0]+strings.Join(all[1:5], "")+all[len(all)-2], data, 0)
	assert.Equal(t, uint64(4), d.Same)
	assert.Empty(t, d.Before)
	assert.Len(t, d.A, 1)
}

func TestDiffRefusesOtherKinds(t *testing.T) {
	a, err := Open(bytes.NewReader(packed(t, "hello-32", everything)), false)
	require.NoError(t, err)
	b, err := Open(bytes.NewReader(packed(t, "hello-32", debug.Filter{Kinds: debug.KindEvent, Last: ^uint64(0)})), false)
	require.NoError(t, err)
	_, err = Diff(a, b, 1)
	assert.ErrorIs(t, err, errKinds)
}

// Whatever a file holds, reading it ends, takes little and never panics.
func FuzzRead(f *testing.F) {
	f.Add(packed(f, "hello-16", debug.Filter{Kinds: debug.AllKinds, Last: ^uint64(0), Count: 200}))
	f.Add(lines(f, "hello-16", debug.Filter{Kinds: debug.AllKinds, Last: ^uint64(0), Count: 50}, true))
	f.Fuzz(func(t *testing.T, data []byte) { _, _ = read(data) })
}

// The records behind the checksums are foreign bytes, too.
func FuzzRecords(f *testing.F) {
	c := newCodec(false, 30)
	c.inst(tagInst, &debug.TraceInst{Lin: 5, RIP: 5, Code: []byte{0x90}, Mode: 32})
	tick := uint64(1)
	c.registers(0, &tick, []debug.Change{{Index: 3, Low: 7}, {Index: 16, Low: 2}, {Index: 20, Low: 1, High: 2}})
	c.access(0, &access{tick: 1, lin: 0x1000, value: 4, size: 4, write: true})
	c.line([]byte("{}\n"))
	f.Add(c.buf)
	f.Add([]byte("0\x00\x02\xa00000")) // an instruction of no mode
	f.Fuzz(func(t *testing.T, data []byte) {
		r := &Reader{Header: Header{Registers: debug.RegisterNames()}}
		r.c = newCodec(true, len(r.Header.Registers))
		r.c.buf = data
		r.lines = debug.NewLines(&r.text, debug.LineOptions{JSON: true})
		for len(r.c.buf) > 0 {
			if _, err := r.nextRecord(); err != nil {
				return
			}
		}
	})
}

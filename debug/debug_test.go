package debug

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/cpu"
	"x86emu/decode"
	"x86emu/guest"
	"x86emu/machine"
)

// load makes a machine with code at 0x500.
func load(t testing.TB, mode guest.Mode, code string) *machine.Machine {
	t.Helper()
	m, err := machine.New(machine.Config{RAM: 4 << 20})
	require.NoError(t, err)
	img, err := guest.ParseFlat([]byte(code), 0x500, mode, 0)
	require.NoError(t, err)
	require.NoError(t, img.Load(m, guest.Options{}))
	return m
}

func TestParseKinds(t *testing.T) {
	for list, want := range map[string]Kinds{
		"inst": KindInst, "mem,io": KindMem | KindIO, "all": AllKinds, "inst,all": AllKinds,
		"inst,mem,walk,event,stage,io,regs": AllKinds,
	} {
		got, err := ParseKinds(list)
		assert.NoError(t, err)
		assert.Equal(t, want, got, list)
	}
	for _, list := range []string{"", "inst,", "instr", "INST"} {
		_, err := ParseKinds(list)
		assert.Error(t, err, list)
	}
}

// A traced run does what an untraced one does.
func TestTracingChangesNothing(t *testing.T) {
	k, ok := guest.KernelNamed("unmapped-handler-32")
	require.True(t, ok)
	img, err := guest.Parse(k.Image)
	require.NoError(t, err)
	var states [2]cpu.State
	var lines bytes.Buffer
	for i := range states {
		m, err := machine.New(machine.Config{})
		require.NoError(t, err)
		require.NoError(t, img.Load(m, guest.Options{}))
		if i == 1 {
			tr := NewTracer(m, NewLines(&lines, LineOptions{}), Filter{Kinds: AllKinds, Last: ^uint64(0)}, nil)
			defer func() { assert.NoError(t, tr.Close(nil)) }()
		}
		_, err = m.Run(context.Background(), machine.NoBudget)
		require.NoError(t, err)
		states[i] = m.CPU.State()
	}
	assert.Equal(t, states[0], states[1])
	assert.Positive(t, lines.Len())
}

func TestTraceLines(t *testing.T) {
	// mov [0x2000],eax; out 0x80,al; ud2
	m := load(t, guest.Mode32, "\xa3\x00\x20\x00\x00\xe6\x80\x0f\x0b")
	for _, c := range []struct {
		json bool
		want string
	}{
		{false, "" +
			"         0 inst     cs=0x8 rip=0x500 mov ds:0x2000,eax\n" +
			"         0 write    lin=0x2000 size=4 value=0x0\n" +
			"         1 inst     cs=0x8 rip=0x505 out 0x80,al\n" +
			"         1 out      port=0x80 size=1 value=0x0\n" +
			"         2 inst     cs=0x8 rip=0x507 ud2\n" +
			"         2 event    #UD return=0x507\n" +
			"         2 event    #GP code=0x33 (gate #UD of the IDT, EXT) return=0x507\n" +
			"         2 event    #GP code=0x6b (gate #GP of the IDT, EXT) return=0x507\n" +
			"         2 event    #DF code=0x0 return=0x507\n" +
			"         2 event    #GP code=0x43 (gate #DF of the IDT, EXT) return=0x507\n" +
			"         2 shutdown #GP code=0x43 (gate #DF of the IDT, EXT) return=0x507\n"},
		{true, "" +
			`{"tick":0,"kind":"inst","cs":"0x8","rip":"0x500","text":"mov ds:0x2000,eax","bytes":"a300200000"}` + "\n" +
			`{"tick":0,"kind":"write","lin":"0x2000","size":4,"value":"0x0"}` + "\n" +
			`{"tick":1,"kind":"inst","cs":"0x8","rip":"0x505","text":"out 0x80,al","bytes":"e680"}` + "\n" +
			`{"tick":1,"kind":"out","port":"0x80","size":1,"value":"0x0"}` + "\n" +
			`{"tick":2,"kind":"inst","cs":"0x8","rip":"0x507","text":"ud2","bytes":"0f0b"}` + "\n" +
			`{"tick":2,"kind":"event","event":"#UD","vector":6,"return":"0x507"}` + "\n" +
			`{"tick":2,"kind":"event","event":"#GP","vector":13,"code":"0x33","means":"gate #UD of the IDT, EXT","return":"0x507"}` + "\n" +
			`{"tick":2,"kind":"event","event":"#GP","vector":13,"code":"0x6b","means":"gate #GP of the IDT, EXT","return":"0x507"}` + "\n" +
			`{"tick":2,"kind":"event","event":"#DF","vector":8,"code":"0x0","return":"0x507"}` + "\n" +
			`{"tick":2,"kind":"event","event":"#GP","vector":13,"code":"0x43","means":"gate #DF of the IDT, EXT","return":"0x507"}` + "\n" +
			`{"tick":2,"kind":"shutdown","event":"#GP","vector":13,"code":"0x43","means":"gate #DF of the IDT, EXT","return":"0x507"}` + "\n"},
	} {
		f, err := m.Fork()
		require.NoError(t, err)
		var b bytes.Buffer
		tr := NewTracer(f, NewLines(&b, LineOptions{JSON: c.json}), Filter{Kinds: AllKinds &^ (KindStage | KindWalk | KindRegs), Last: ^uint64(0)}, nil)
		_, err = f.Run(context.Background(), 100)
		require.NoError(t, err)
		require.NoError(t, tr.Close(nil))
		assert.Equal(t, c.want, b.String())
	}
}

// Each push is told by what it pushes, in lines and in JSON.
func TestTraceNamesPushes(t *testing.T) {
	const store = 0x40000005 // the process's instruction that faults
	k, ok := guest.KernelNamed("unmapped-handler-32")
	require.True(t, ok)
	img, err := guest.Parse(k.Image)
	require.NoError(t, err)
	for _, c := range []struct {
		json bool
		want []string
	}{
		{false, []string{
			"push     SS lin=0x3c1ffc size=4 value=0x23",
			"push     ESP lin=0x3c1ff8 size=4 value=0x0",
			"push     EFLAGS lin=0x3c1ff4 size=4 value=0x10002",
			"push     CS lin=0x3c1ff0 size=4 value=0x1b",
			"push     EIP lin=0x3c1fec size=4 value=0x40000005",
			"push     error code lin=0x3c1fe8 size=4 value=0x6",
		}},
		{true, []string{
			`"push","word":"SS","lin":"0x3c1ffc","size":4,"value":"0x23"}`,
			`"push","word":"ESP","lin":"0x3c1ff8","size":4,"value":"0x0"}`,
			`"push","word":"EFLAGS","lin":"0x3c1ff4","size":4,"value":"0x10002"}`,
			`"push","word":"CS","lin":"0x3c1ff0","size":4,"value":"0x1b"}`,
			`"push","word":"EIP","lin":"0x3c1fec","size":4,"value":"0x40000005"}`,
			`"push","word":"error code","lin":"0x3c1fe8","size":4,"value":"0x6"}`,
		}},
	} {
		m, err := machine.New(machine.Config{})
		require.NoError(t, err)
		require.NoError(t, img.Load(m, guest.Options{}))
		var b bytes.Buffer
		tr := NewTracer(m, NewLines(&b, LineOptions{JSON: c.json}), Filter{Kinds: KindStage, First: store, Last: store}, nil)
		_, err = m.Run(context.Background(), machine.NoBudget)
		require.NoError(t, err)
		require.NoError(t, tr.Close(nil))
		var got []string
		for line := range strings.Lines(b.String()) {
			if at := strings.Index(line, c.want[0][:6]); at >= 0 { // behind the tick
				got = append(got, strings.TrimSpace(line[at:]))
			}
		}
		before := slices.Index(got, c.want[2]) - 2 // system calls at the same place have other flags
		require.GreaterOrEqual(t, before, 0)
		assert.Equal(t, c.want, got[before:][:len(c.want)])
	}
}

// Registers are told when they have changed, those of the x87 as well: first all
// that is not 0, then what each instruction did.
func TestTraceRegisters(t *testing.T) {
	m := load(t, guest.Mode32, "\x40\xdb\xe3\xd9\xe8\xeb\xfe") // inc eax; fninit; fld1; jmp
	var b bytes.Buffer
	tr := NewTracer(m, NewLines(&b, LineOptions{JSON: true}), Filter{Kinds: KindRegs, Last: ^uint64(0)}, nil)
	r, err := m.Run(context.Background(), 10)
	require.NoError(t, err)
	require.NoError(t, tr.Close(&r))
	lines := strings.Split(b.String(), "\n")
	assert.Contains(t, lines[0], `"cs":"0x8"`)
	assert.Equal(t, []string{
		`{"tick":1,"kind":"regs","rax":"0x1"}`,
		`{"tick":2,"kind":"regs","fcw":"0x37f","fused":"0x0"}`,
		`{"tick":3,"kind":"regs","fsw":"0x3800","fused":"0x80","fpr7":"0x3fff8000000000000000"}`,
		`{"tick":10,"kind":"end","reason":"budget spent"}`, "",
	}, lines[1:])
}

func TestWords(t *testing.T) {
	for line, want := range map[string]string{
		`{"tick":5,"kind":"inst","cs":"0x8","rip":"0x10","text":"nop","bytes":"90"}`:                              "         5 inst     cs=0x8 rip=0x10 nop",
		`{"tick":5,"kind":"walk","lin":"0x1","access":"user write","PDE":"0x7","PDE.at":"0x20","PDE.bits":"P W"}`: "         5 walk     lin=0x1 user write PDE=0x7@0x20 (P W)",
		`{"tick":5,"kind":"check","ok":true,"rule":"gate is present"}`:                                            "         5 check    ok   gate is present",
		`{"tick":5,"kind":"check","ok":false,"rule":"a \"b\" \\"}`:                                                "         5 check    FAIL a \"b\" \\",
		`{"tick":5,"kind":"event","event":"#PF","vector":14,"code":"0x2","means":"W"}`:                            "         5 event    #PF code=0x2 (W)",
		`{"tick":5,"kind":"future","list":[1,2]}`:                                                                 `{"tick":5,"kind":"future","list":[1,2]}`,
		"{\"tick\":5,\"kind\":\"a\u009bb\"}":                                                                      "         5 a?b     ",
		`{"tick":5`:                                                                                               `{"tick":5`,
		"":                                                                                                        "",
	} {
		assert.Equal(t, want, Words([]byte(line)))
	}
}

func FuzzWords(f *testing.F) {
	f.Add([]byte(`{"tick":5,"kind":"check","ok":false,"rule":"a \"b\" \\","x":{"y":1}}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		for _, r := range Words(line) {
			if r < ' ' || r == 0x7f {
				t.Errorf("%q: %q", line, r)
			}
		}
		LineKind(line)
		(&LineFilter{Filter: Filter{Kinds: AllKinds}}).Keep(line)
	})
}

func TestTraceCountStopsTheRun(t *testing.T) {
	m := load(t, guest.Mode32, "\xeb\xfe")
	ctx, cancel := context.WithCancel(context.Background())
	var b bytes.Buffer
	tr := NewTracer(m, NewLines(&b, LineOptions{}), Filter{Kinds: KindInst, Last: ^uint64(0), Count: 3}, cancel)
	r, err := m.Run(ctx, machine.NoBudget)
	require.NoError(t, err)
	require.NoError(t, tr.Close(nil))
	assert.Equal(t, machine.Cancelled, r.Reason)
	assert.Equal(t, 3, strings.Count(b.String(), "\n"))
}

// broken fails every write.
type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestTraceTellsAWriteError(t *testing.T) {
	m := load(t, guest.Mode32, "\xeb\xfe")
	tr := NewTracer(m, NewLines(broken{}, LineOptions{}), Filter{Kinds: KindInst, Last: ^uint64(0)}, nil)
	_, err := m.Run(context.Background(), 100)
	require.NoError(t, err)
	assert.ErrorContains(t, tr.Close(nil), "disk full")
}

func TestDisassemble(t *testing.T) {
	model, _ := cpu.ModelByName("max")
	var b bytes.Buffer
	require.NoError(t, Disassemble(&b, []byte("\x90\x06\x90\xe8\x00"), 0x1000, DisOptions{Mode: decode.Mode64, Features: model.Features}))
	assert.Equal(t, ""+
		"    1000:  90                              nop\n"+
		"    1001:  06                              (bad)\n"+
		"    1002:  90                              nop\n"+
		"    1003:  e800                            (cut)\n", b.String())
}

func BenchmarkTrace(b *testing.B) {
	m := load(b, guest.Mode32, "\x41\x89\x0d\x00\x20\x00\x00\xeb\xf7") // inc ecx; mov [0x2000],ecx; jmp
	var lines bytes.Buffer
	tr := NewTracer(m, NewLines(&lines, LineOptions{}), Filter{Kinds: KindInst | KindMem | KindEvent | KindIO, Last: ^uint64(0)}, nil)
	defer tr.Close(nil)
	b.ReportAllocs()
	for b.Loop() {
		lines.Reset()
		if _, err := m.Run(context.Background(), 1000); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/inst")
}

package corpus

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/diff"
)

// samples are cases that use every part of the format.
func samples() []*diff.Case {
	w, _ := diff.WorldByName("user")
	plain := &diff.Case{ID: "insn/1/7", World: "user", Model: "max", Rule: "ADD Ev,Gv <REX>", Code: []byte{0x48, 1, 0xc8}, Regs: w.Regs}
	plain.Regs.GPR[0], plain.Regs.GPR[1] = 1, 0xffffffffffffffff
	plain.Patches = []diff.Patch{{At: 0x2001, Bytes: []byte{1, 2, 3}}, {At: 0, Bytes: []byte{4}}}
	full := &diff.Case{ID: "x", Kind: diff.Delivery, World: "user", Model: "386", Regs: w.Regs, Steps: 12}
	full.Regs.GDTR = diff.TableReg{Base: 0xfffffff0, Limit: 0x27}
	full.Regs.DR[7], full.Regs.PKRU, full.Regs.TR, full.Regs.Seg[5] = 0x400, 1, 0x40, 0x2b
	full.Access = &diff.Access{Linear: 1 << 63, Size: 8, Write: true, User: true, CR3: 0x1006000, Poke: &diff.Patch{At: 0x6008, Bytes: []byte{1, 0, 0, 0}}}
	full.Event = &diff.Event{How: diff.ByFarRET, Vector: 255, Error: 6, Selector: 8, Offset: 9, OpSize: 8, CR2: 10, Release: 11, Register: 5}
	full.Except = &diff.Mask{Flags: 0x8d5, CR2: 7, Error: 1, DR6: 2, Tables: 0x20, Fields: diff.FieldCR2 | diff.FieldMem, Mem: []diff.Word{{At: 8, Value: 0xff}}}
	full.Except.GPR[3] = 0xffff
	return []*diff.Case{plain, full}
}

func TestCorpusReadsWhatItWrites(t *testing.T) {
	for _, name := range []string{"a.jsonl", "a.jsonl.gz"} {
		t.Run(name, func(t *testing.T) {
			cases := samples()
			answers := make([]diff.Result, len(cases))
			require.NoError(t, diff.NewEmu(false).Run(context.Background(), cases[:1], answers))
			answers[1] = diff.Result{End: diff.Stopped, HasError: true, Regs: cases[1].Regs}
			var b bytes.Buffer
			w, err := NewWriter(&b, name, "hw", "some processor")
			require.NoError(t, err)
			for i := range cases {
				require.NoError(t, w.Write(cases[i], diff.AllFields, &answers[i]))
			}
			require.NoError(t, w.Write(cases[0], diff.AllFields, &diff.Result{End: diff.Shutdown}))
			require.NoError(t, w.Write(cases[0], diff.AllFields, nil))
			require.NoError(t, w.Close())

			groups, err := Read(&b, name)
			require.NoError(t, err)
			require.Len(t, groups, 1)
			g := groups[0]
			assert.Equal(t, "hw", g.Source)
			assert.Equal(t, "some processor", g.Version)
			assert.Equal(t, append(cases, cases[0], cases[0]), g.Cases)
			assert.Equal(t, answers, g.Answers[:2])
			assert.Equal(t, diff.Shutdown, g.Answers[2].End)
			assert.Equal(t, diff.Silent, g.Answers[3].End)

			o := g.Oracle()
			assert.Equal(t, "native", o.Name())
			s, err := (&diff.Campaign{Oracles: []diff.Oracle{diff.NewEmu(false), o}, Cases: diff.Listed(g.Cases[:1])}).Run(context.Background())
			require.NoError(t, err)
			assert.Equal(t, uint64(1), s.Oracles[1].Agree)
		})
	}
}

func TestCorpusErrorsAreOneLineWithTheirPlace(t *testing.T) {
	long := `{"rule":"` + strings.Repeat("x", maxLine) + `"}`
	tests := []struct{ name, text, want string }{
		{"not JSON", "{}\nhello", `f:2: not a JSON object`},
		{"cut short", `{"id":"a"`, `f:1: not a JSON object`},
		{"two in a line", `{} {}`, `f:1: more than one JSON object in a line`},
		{"unknown name", `{"nonsense":1}`, `f:1: unknown field "nonsense"`},
		{"wrong type", `{"steps":"1"}`, `f:1: "steps": a string is not what belongs here`},
		{"odd bytes", `{"code":"123"}`, `f:1: "123" is not bytes in hexadecimal`},
		{"no number", `{"regs":{"rax":"0x1"}}`, `f:1: "0x1" is not a number in hexadecimal`},
		{"no register", `{"regs":{"eax":"1"}}`, `f:1: no register "eax"`},
		{"wide register", `{"regs":{"es":"10000"}}`, `f:1: register es has 16 bits: 10000 is too wide`},
		{"no world", `{"world":"moon"}`, `f:1: no world "moon": there are`},
		{"no model", `{"model":"z80"}`, `f:1: model "z80": must be one of`},
		{"no kind", `{"kind":"odd"}`, `f:1: kind "odd": must be one of insn, sequence, paging, delivery`},
		{"patch outside", `{"patches":[["3ffff","0102"]]}`, `f:1: patch at 3ffff of 2 bytes reaches out of the arena of 40000`},
		{"patch alone", `{"patches":["1"]}`, `is not a pair of a place and a value`},
		{"words out of order", `{"want":{"mem":[["8","1"],["8","1"]]}}`, `f:1: mem 8: places are multiples of 8 below 40000, in order`},
		{"steps", `{"steps":-1}`, `f:1: steps -1: must be from 0 to 10000000`},
		{"access", `{"access":{"linear":"0","size":3}}`, `f:1: access of 3 bytes: must be 1, 2, 4 or 8`},
		{"field", `{"except":{"fields":["taste"]}}`, `f:1: no field "taste"`},
		{"format", `{"format":"x86emu-cases 2"}`, `f:1: format "x86emu-cases 2": this reads "x86emu-cases 1"`},
		{"source", `{"format":"x86emu-cases 1","source":"me"}`, `f:1: source "me": must be one of hw, kvm, sdm, majority`},
		{"long line", "{}\n" + long, `f:2: a line of more than 1048576 bytes`},
		{"not gzip", "\x1f\x8bxxxxxxxxxxxxxxxxx", `f: gzip: invalid header`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Read(strings.NewReader(tt.text), "f")
			require.Error(t, err)
			assert.Contains(t, err.Error(), tt.want)
			assert.NotContains(t, err.Error(), "\n")
		})
	}
}

// What is read can be written, and reads as the same.
func FuzzDecode(f *testing.F) {
	for _, c := range samples() {
		text, err := Encode(c, diff.AllFields, &diff.Result{Regs: c.Regs})
		require.NoError(f, err)
		f.Add([]byte(text))
	}
	f.Add([]byte(`{"want":{"end":"shutdown"}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, r, err := Decode(text)
		if err != nil {
			assert.NotContains(t, err.Error(), "\n")
			return
		}
		again, err := Encode(c, diff.AllFields, r)
		require.NoError(t, err)
		d, s, err := Decode([]byte(again))
		require.NoError(t, err)
		twice, err := Encode(d, diff.AllFields, s)
		require.NoError(t, err)
		assert.Equal(t, again, twice)
	})
}

package native

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/diff"
)

// newTestOracle starts the oracle. Where the kernel forbids it the test is
// skipped, except where X86EMU_NATIVE=require says that it must be there.
func newTestOracle(t testing.TB) *Oracle {
	o, err := New()
	if err != nil && os.Getenv("X86EMU_NATIVE") != "require" {
		t.Skip(err)
	}
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, o.Close()) })
	return o.(*Oracle)
}

const (
	ldtCode16 = 8*2 + 7
	ldtData32 = 8*3 + 7
)

// userCase makes a case of code in a segment, with the world's registers but
// those that change sets.
func userCase(cs uint16, change func(r *diff.Regs), code ...byte) *diff.Case {
	w, _ := diff.WorldByName("user")
	c := &diff.Case{World: "user", Model: "max", Regs: w.Regs, Code: code}
	c.Regs.Seg[1] = cs
	if cs&4 != 0 {
		c.Regs.RIP = 0x800
	}
	if change != nil {
		change(&c.Regs)
	}
	return c
}

func ask(t testing.TB, o *Oracle, cases ...*diff.Case) []diff.Result {
	results := make([]diff.Result, len(cases))
	require.NoError(t, o.Run(context.Background(), cases, results))
	return results
}

// Which files the process was started with, and which number that of the helper's image
// gets, is all the same.
func TestInheritedFiles(t *testing.T) {
	newTestOracle(t)
	empty, err := os.Create(filepath.Join(t.TempDir(), "empty"))
	require.NoError(t, err)
	defer empty.Close()
	for _, c := range []struct {
		name  string
		files []*os.File
	}{
		{"none: the first one opened has the number of the shared memory", nil},
		{"one that can be mapped", []*os.File{empty}},
	} {
		t.Run(c.name, func(t *testing.T) {
			cmd := exec.Command(os.Args[0], "-test.run=^TestExceptions$")
			// The runtime would open files of its own first.
			cmd.Env = append(os.Environ(), "X86EMU_NATIVE=require", "GODEBUG=containermaxprocs=0")
			cmd.ExtraFiles = c.files
			told, err := cmd.CombinedOutput()
			assert.NoError(t, err, "%s", told)
		})
	}
}

func TestExceptions(t *testing.T) {
	o := newTestOracle(t)
	rax := func(v uint64) func(r *diff.Regs) { return func(r *diff.Regs) { r.GPR[0] = v } }
	for _, c := range []struct {
		name   string
		c      *diff.Case
		vector uint8
		err    uint32
		cr2    uint64
	}{
		{"INT3", userCase(diff.UserCS64, nil), 3, 0, 0},
		{"UD2", userCase(diff.UserCS64, nil, 0x0f, 0x0b), 6, 0, 0},
		{"divide by zero", userCase(diff.UserCS32, nil, 0xf7, 0xf1), 0, 0, 0},
		{"load, unmapped", userCase(diff.UserCS64, rax(0x30000000), 0x8b, 0x00), 14, 4, 0x30000000},
		{"store, unmapped", userCase(diff.UserCS64, rax(0x30000000), 0x89, 0x00), 14, 6, 0x30000000},
		{"store, read only", userCase(diff.UserCS32, func(r *diff.Regs) { r.Seg[3], r.GPR[0] = diff.UserDS, diff.UserReadOnly }, 0x89, 0x00), 14, 7, diff.UserReadOnly},
		{"fetch of data", userCase(diff.UserCS64, rax(diff.UserData), 0xff, 0xe0), 14, 0x15, diff.UserData},
		{"non-canonical", userCase(diff.UserCS64, rax(1<<63), 0x8b, 0x00), 13, 0, 0},
		{"privileged", userCase(diff.UserCS64, nil, 0xf4), 13, 0, 0},
		{"INT of a kernel gate", userCase(diff.UserCS64, nil, 0xcd, 0x21), 13, 0x10a, 0},
		{"bad selector", userCase(diff.UserCS32, rax(0x7ffc), 0x8e, 0xd8), 13, 0x7ffc, 0},
		{"segment not present", userCase(diff.UserCS32, rax(8*8+7), 0x8e, 0xd8), 11, 0x44, 0},
		{"single step", userCase(diff.UserCS64, func(r *diff.Regs) { r.RFLAGS |= 0x100 }, 0x90), 1, 0, 0},
		{"alignment", userCase(diff.UserCS64, func(r *diff.Regs) { r.RFLAGS |= 1 << 18; r.GPR[0] = diff.UserData + 1 }, 0x8b, 0x00), 17, 0, 0},
		{"INTO in 16 bits", userCase(ldtCode16, func(r *diff.Regs) { r.RFLAGS |= 0x800 }, 0xce), 4, 0, 0},
		{"limit in 16 bits", userCase(ldtCode16, func(r *diff.Regs) { r.Seg[3] = ldtData32; r.GPR[3] = 0x3000 }, 0x8b, 0x07), 13, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := ask(t, o, c.c)[0]
			assert.Equal(t, diff.Trapped, r.End)
			assert.Equal(t, c.vector, r.Vector)
			assert.Equal(t, c.err, r.Error)
			assert.Equal(t, c.cr2, r.CR2)
		})
	}
}

func TestRegistersAndMemory(t *testing.T) {
	o := newTestOracle(t)
	c := userCase(diff.UserCS64, func(r *diff.Regs) {
		for i := range r.GPR {
			r.GPR[i] = uint64(i) * 0x0101010101010101
		}
		r.GPR[7] = diff.UserData + 8
		r.Seg[0], r.Seg[3] = diff.UserDS, 8*4+7
		r.FSBase, r.GSBase = 0x123, 0x456
	}, 0x4c, 0x89, 0x3f) // MOV [RDI], R15
	c.Patches = []diff.Patch{{At: 2*diff.PageSize + 16, Bytes: []byte{1, 2, 3}}}
	for range 3 { // the patch leaves no trace
		r := ask(t, o, c, userCase(diff.UserCS64, nil))
		want := c.Regs
		want.RIP += 4 // INT3 has been executed
		assert.Equal(t, want, r[0].Regs)
		assert.Equal(t, []diff.Word{{At: 2*diff.PageSize + 8, Value: c.Regs.GPR[15]}}, r[0].Mem)
		assert.Empty(t, r[1].Mem)
	}
}

// No system call of a case reaches the kernel, whichever way it comes.
func TestNoSystemCalls(t *testing.T) {
	o := newTestOracle(t)
	exit := func(r *diff.Regs) { r.GPR[0] = 231 }
	for _, c := range []*diff.Case{
		userCase(diff.UserCS64, exit, 0x0f, 0x05),
		userCase(diff.UserCS64, func(r *diff.Regs) { r.GPR[0] = 15 }, 0x0f, 0x05),
		userCase(diff.UserCS64, func(r *diff.Regs) { r.GPR[0] = 1 }, 0xcd, 0x80),
		userCase(diff.UserCS32, func(r *diff.Regs) { r.GPR[0] = 1 }, 0xcd, 0x80),
	} {
		r := ask(t, o, c)[0]
		assert.Equal(t, diff.Silent, r.End)
		assert.Equal(t, EnteredKernel, r.Note)
	}
	assert.Zero(t, o.Lost)
}

// Whatever a case does to its process, the cases around it are answered.
func TestNothingIsLost(t *testing.T) {
	o := newTestOracle(t)
	plain := userCase(diff.UserCS64, nil)
	loop := userCase(diff.UserCS64, nil, 0xeb, 0xfe)
	var cases []*diff.Case
	for range 30 {
		// 7 KiB of changes each: more than there is room for at a time.
		cases = append(cases, userCase(diff.UserCS64, func(r *diff.Regs) {
			r.GPR[7], r.GPR[1] = diff.UserData, 0x1c00
			r.Seg[0] = diff.UserDS
		}, 0xf3, 0xaa))
	}
	for range batch + 10 {
		cases = append(cases, plain)
	}
	cases = append(cases, loop, plain)
	for i, r := range ask(t, o, cases...) {
		switch {
		case i < 30:
			assert.Equal(t, 0x1c00/8, len(r.Mem))
		case cases[i] == loop:
			assert.Equal(t, diff.Stopped, r.End)
			assert.Equal(t, loop.Regs.RIP, r.Regs.RIP)
		default:
			assert.Equal(t, uint8(3), r.Vector)
		}
	}
}

// A case that ends the helper is asked alone, and does no harm to the others.
func TestHelperEnds(t *testing.T) {
	o := newTestOracle(t)
	// The helper's own exit: MOV EAX, 231; SYSCALL. The file is mapped as it is.
	at := bytes.Index(image, []byte{0xb8, 231, 0, 0, 0, 0x0f, 0x05})
	require.Positive(t, at)
	for _, status := range []uint64{0, 1, 9} {
		exit := userCase(diff.UserCS64, func(r *diff.Regs) {
			r.GPR[0], r.GPR[7] = 0x6a0000000000+uint64(at), status
		}, 0xff, 0xe0)
		plain := userCase(diff.UserCS64, nil)
		o.Lost = 0
		results := ask(t, o, plain, exit, plain, exit, exit, plain)
		assert.Equal(t, 3, o.Lost)
		for i, lost := range []bool{false, true, false, true, true, false} {
			if lost {
				assert.Equal(t, diff.Silent, results[i].End)
				assert.NotEmpty(t, results[i].Note)
			} else {
				assert.Equal(t, uint8(3), results[i].Vector)
			}
		}
	}
}

// Where no program can be run from memory, a temporary file does.
func TestPrograms(t *testing.T) {
	newTestOracle(t)
	for _, put := range []func() (*program, error){inMemory, inFile} {
		p, err := put()
		require.NoError(t, err)
		assert.True(t, p.runs())
		p.close()
		assert.False(t, p.runs())
	}
}

func BenchmarkNative(b *testing.B) {
	o := newTestOracle(b)
	cases := make([]*diff.Case, batch)
	for i := range cases {
		cases[i] = userCase(diff.UserCS64, func(r *diff.Regs) { r.GPR[0] = uint64(i); r.RFLAGS |= 0x100 }, 0xff, 0xc0)
	}
	results := make([]diff.Result, len(cases))
	for b.Loop() {
		if err := o.Run(context.Background(), cases, results); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*batch/b.Elapsed().Seconds(), "cases/s")
}

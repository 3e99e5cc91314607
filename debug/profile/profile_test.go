package profile

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/pprof/profile"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/guest"
	"x86emu/machine"
)

// flat makes a machine with 32-bit code at 0x500.
func flat(t *testing.T, code map[uint64]string) *machine.Machine {
	t.Helper()
	image := make([]byte, 0x200)
	for at, bytes := range code {
		copy(image[at-0x500:], bytes)
	}
	img, err := guest.ParseFlat(image, 0x500, guest.Mode32, 0)
	require.NoError(t, err)
	return boot(t, img)
}

func kernel(t *testing.T, name string) *machine.Machine {
	t.Helper()
	m, err := guest.Boot(name, machine.Config{}, guest.Options{})
	require.NoError(t, err)
	return m
}

func boot(t *testing.T, img *guest.Image) *machine.Machine {
	t.Helper()
	m, err := machine.New(machine.Config{})
	require.NoError(t, err)
	require.NoError(t, img.Load(m, guest.Options{}))
	return m
}

// take profiles a machine and reads the file back.
func take(t *testing.T, m *machine.Machine, o Options) *profile.Profile {
	t.Helper()
	p := Watch(m, o)
	if !o.Leaf {
		m.CPU.SetObserver(p)
	}
	_, err := m.Run(context.Background(), 1_000_000)
	require.NoError(t, err)
	m.CPU.SetObserver(nil)
	var b bytes.Buffer
	require.NoError(t, p.Close().Write(&b))
	back, err := profile.Parse(&b)
	require.NoError(t, err)
	require.NoError(t, back.CheckValid())
	return back
}

// stacks gives the ticks of each stack, as "leaf caller caller": addresses, or
// the names of what has none.
func stacks(p *profile.Profile) map[string]int64 {
	all := make(map[string]int64)
	for _, s := range p.Sample {
		var words []string
		for _, l := range s.Location {
			if name := l.Line[0].Function.Name; strings.HasPrefix(name, "[") {
				words = append(words, name)
			} else {
				words = append(words, address(l.Address))
			}
		}
		all[strings.Join(words, " ")] += s.Value[1]
	}
	return all
}

func address(v uint64) string {
	const digits = "0123456789abcdef"
	var b []byte
	for ; v > 0; v >>= 4 {
		b = append(b, digits[v&15])
	}
	slices.Reverse(b)
	return string(b)
}

const (
	setSP = "\xbc\x00\x80\x00\x00" // mov esp,0x8000
	hlt   = "\xf4"
)

func TestStacks(t *testing.T) {
	calls := map[uint64]string{
		0x500: setSP + "\xe8\x01\x00\x00\x00" + hlt,                   // call f
		0x50b: "\xb9\xe8\x03\x00\x00\xe2\xfe\xe8\x01\x00\x00\x00\xc3", // f: mov ecx,1000; loop; call g; ret
		0x518: "\xb9\xd0\x07\x00\x00\xe2\xfe\xc3",                     // g: mov ecx,2000; loop; ret
	}
	for _, c := range []struct {
		name string
		code map[uint64]string
		o    Options
		want map[string]int64
	}{
		{"CALL and RET", calls, Options{Period: 10}, map[string]int64{"510 505": 1000, "51d 512 505": 2000}},
		{"leaves only", calls, Options{Period: 10, Leaf: true}, map[string]int64{"510": 1000, "51d": 2000}},
		{"a stack that is left and taken up again", map[uint64]string{
			// mov [0x7000],0x8ffc; mov [0x8ffc],0x550; call 0x540; hlt
			0x500: setSP + "\xc7\x05\x00\x70\x00\x00\xfc\x8f\x00\x00" + "\xc7\x05\xfc\x8f\x00\x00\x50\x05\x00\x00" + "\xe8\x22\x00\x00\x00" + hlt,
			0x540: "\x87\x25\x00\x70\x00\x00" + "\xb9\x2c\x01\x00\x00\xe2\xfe\xc3", // xchg esp,[0x7000]; mov ecx,300; loop; ret
			0x550: "\xb9\x90\x01\x00\x00\xe2\xfe" + "\xe8\xe4\xff\xff\xff",         // mov ecx,400; loop; call 0x540
		}, Options{Period: 1}, map[string]int64{"54b": 300, "555": 400, "54b 519": 300}},
		{"frames that are jumped out of", map[uint64]string{
			0x500: setSP + "\xe8\x16\x00\x00\x00" + "\xb9\x64\x00\x00\x00\xe2\xfe" + hlt, // call 0x520; mov ecx,100; loop; hlt
			0x520: "\xe8\x1b\x00\x00\x00",                                                // call 0x540
			0x540: "\xbc\x00\x80\x00\x00\xe9\xc0\xff\xff\xff",                            // mov esp,0x8000; jmp 0x50a
		}, Options{Period: 1}, map[string]int64{"50f": 100}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := take(t, flat(t, c.code), c.o)
			got := stacks(p)
			for stack, ticks := range c.want {
				assert.Equal(t, ticks, got[stack], "%s of %v", stack, got)
			}
			for stack := range got {
				leaf, _, _ := strings.Cut(stack, " ")
				_, told := c.want[stack]
				for other := range c.want {
					if !told && strings.Fields(other)[0] == leaf {
						t.Errorf("a stack that never was: %s", stack)
					}
				}
			}
		})
	}
}

// The handler of an event stands over the event, and that over what it
// interrupted, which is the user's program alone.
func TestEvents(t *testing.T) {
	for name, event := range map[string]string{"user-mode-32": "[INT 0x80]", "user-mode-64": "[INT 0x80]"} {
		found := false
		for stack := range stacks(take(t, kernel(t, name), Options{Period: 3})) {
			inside, outside, ok := strings.Cut(stack, " "+event+" ")
			if !ok {
				continue
			}
			found = true
			assert.Regexp(t, `^10[0-9a-f]{4}( 10[0-9a-f]{4})*$`, inside)
			assert.Regexp(t, `^40+[0-9a-f]{1,3}$`, outside)
		}
		assert.True(t, found, name)
	}
	found := false
	for stack := range stacks(take(t, kernel(t, "user-mode-64"), Options{Period: 3})) {
		if _, outside, ok := strings.Cut(stack, " [SYSCALL] "); ok {
			found = true
			assert.Regexp(t, `^40+[0-9a-f]{1,3}$`, outside)
		}
	}
	assert.True(t, found, "SYSCALL")
}

// A guest that never returns from its handlers, each on a stack of its own, does
// not grow the host: what is under 16 stacks is forgotten, like the oldest stacks.
func TestEndlessNesting(t *testing.T) {
	p := Watch(kernel(t, "hello-64"), Options{})
	for i := range uint64(100_000) {
		f := frame{slot: i, event: "#PF"}
		f.under = p.s.leave(i)
		p.s.push(f)
	}
	assert.LessOrEqual(t, len(p.s.stacks), maxStacks)
	depth := 0
	for k := p.s.cur; k != nil && len(k.frames) > 0; k = k.frames[0].under {
		depth++
	}
	assert.LessOrEqual(t, depth, maxUnder+1)
	assert.LessOrEqual(t, len(p.stack()), maxDepth+2*maxFrames)
}

// The same run gives the same profile, and the whole of it.
func TestDeterministic(t *testing.T) {
	a, b := take(t, kernel(t, "stack-guard-32"), Options{Period: 100}), take(t, kernel(t, "stack-guard-32"), Options{Period: 100})
	assert.Equal(t, a.String(), b.String())
	m := kernel(t, "stack-guard-32")
	p := take(t, m, Options{Period: 100, Leaf: true})
	var sum int64
	for _, s := range p.Sample {
		assert.Equal(t, s.Value[0]*100, s.Value[1])
		sum += s.Value[1]
	}
	assert.Equal(t, int64(m.CPU.Ticks()/100*100), sum)
}

// Sampling changes nothing in what the guest does.
func TestChangesNothing(t *testing.T) {
	watched, plain := kernel(t, "task-gate-32"), kernel(t, "task-gate-32")
	take(t, watched, Options{Period: 7})
	_, err := plain.Run(context.Background(), 1_000_000)
	require.NoError(t, err)
	assert.Equal(t, plain.CPU.State(), watched.CPU.State())
}

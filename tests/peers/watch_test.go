package peers

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/guest"
	"x86emu/idt"
	"x86emu/machine"
)

// some is a number of deliveries in a row.
type some struct {
	times  int
	vector idt.Vector
}

// ending is how a kernel's deliveries go on when it does not end by its own
// word: once, then, if there is more, round and round, or a third exception.
type ending struct {
	once  []some
	round []some
	third idt.Vector
}

// The last one of the #PFs in a row is begun and is lost: its push becomes the
// #DF.
var endings = map[string]ending{
	"stack-over-top-32": {once: []some{{1 + 510 + 1, idt.VecPF}, {1, idt.VecDF}}, third: idt.VecPF},
	"stack-over-top-64": {once: []some{{1 + 169 + 1, idt.VecPF}, {1, idt.VecDF}}, third: idt.VecPF},
	"df-no-gate-32":     {once: []some{{1 + 254 + 1, idt.VecPF}, {1, idt.VecDF}}, third: idt.VecNP},
	"df-no-gate-64":     {once: []some{{1 + 84 + 1, idt.VecPF}, {1, idt.VecDF}}, third: idt.VecNP},
	"df-no-stack-32":    {once: []some{{1 + 254 + 1, idt.VecPF}, {1, idt.VecDF}}, third: idt.VecPF},
	"df-no-stack-64":    {once: []some{{1 + 84 + 1, idt.VecPF}, {1, idt.VecDF}}, third: idt.VecPF},
	"df-no-tss-32":      {once: []some{{1 + 254 + 1, idt.VecPF}, {1, idt.VecDF}}, third: idt.VecNP},
	"df-no-tss-64":      {once: []some{{1 + 84 + 1, idt.VecPF}, {1, idt.VecDF}}, third: idt.VecTS},
	"df-unmapped-32":    {once: []some{{1 + 254 + 1, idt.VecPF}, {1, idt.VecDF}, {255 + 1, idt.VecPF}, {1, idt.VecDF}}, third: idt.VecGP},
	"df-unmapped-64":    {once: []some{{1 + 84 + 1, idt.VecPF}}, round: []some{{1, idt.VecDF}, {84 + 1, idt.VecPF}}},
	"pf-ist-64":         {round: []some{{1, idt.VecPF}}},
}

// guest/PEERS.md has a row for each ending, with the same numbers.
func TestEndingsTold(t *testing.T) {
	told, err := os.ReadFile("../../guest/PEERS.md")
	require.NoError(t, err)
	in := func(all []some) string {
		var words []string
		for _, s := range all {
			if s.times == 1 && len(all) == 1 {
				words = append(words, s.vector.String())
				continue
			}
			words = append(words, fmt.Sprintf("%d %v", s.times, s.vector))
		}
		return strings.Join(words, ", ")
	}
	for _, kernel := range guest.Kernels() {
		if kernel.End == machine.Exited || kernel.End == machine.TurnedOff {
			continue
		}
		e := endings[kernel.Name]
		then := fmt.Sprintf("shutdown by %v", e.third)
		if e.round != nil {
			then = "no end: " + in(e.round) + ", again and again"
		}
		row := strings.Join([]string{"", " " + kernel.Name + " ", " " + in(e.once) + " ", " " + then + " ", ""}, "|")
		assert.Contains(t, strings.ReplaceAll(string(told), "| |", "|  |"), row)
	}
}

// limit is when an endless run is stopped: after this many deliveries, all of
// which must be as foretold.
const limit = 5000

// testEnding runs a kernel on a peer whose log tells each delivery.
func (p Peer) testEnding(t *testing.T, kernel guest.Kernel) {
	want, ok := endings[kernel.Name]
	require.True(t, ok, "no ending for this kernel")
	serial, got, err := p.Watch(kernel.Image, limit)
	require.NoError(t, err)
	assert.Equal(t, kernel.Transcript, serial)

	var vectors []uint8
	add := func(all []some) {
		for _, s := range all {
			for range s.times {
				vectors = append(vectors, uint8(s.vector))
			}
		}
	}
	for add(want.once); want.round != nil && len(vectors) < limit; {
		add(want.round)
	}
	assert.Equal(t, vectors[:min(len(vectors), limit)], got.Vectors)
	assert.Equal(t, uint8(want.third), got.Third)
}

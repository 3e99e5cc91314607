package diff

import (
	"math/rand/v2"
	"strconv"
)

// Generator makes cases without end. It has no state: case n of a seed is the same
// whoever asks for it and in whatever order, so that one case can be made again
// by its number and a campaign can be cut into shards.
type Generator interface {
	// Name is one word, the first part of a case's ID: "insn", "seq", "paging".
	Name() string
	// About is one line that says what the cases are about.
	About() string
	// Make makes case n of a seed: all of c but its ID. Of c only Model is set, to
	// "max".
	Make(c *Case, seed, n uint64)
}

// Rand is the source of chance for case n of a seed.
func Rand(seed, n uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, n)) }

// MakeCase makes a case of a generator with its ID, "name/seed/n".
func MakeCase(g Generator, seed, n uint64) *Case {
	c := &Case{Model: "max"}
	g.Make(c, seed, n)
	c.ID = g.Name() + "/" + strconv.FormatUint(seed, 10) + "/" + strconv.FormatUint(n, 10)
	return c
}

// Lister is a generator that knows all rules that its cases can have.
type Lister interface {
	// Rules are in no particular order, each once.
	Rules() []string
}

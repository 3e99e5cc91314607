package diff

import (
	"context"
	"slices"
	"strings"
)

// Oracle answers cases.
type Oracle interface {
	// Name is one word: "emu", "native", "kvm", "qemu", "bochs", "model".
	Name() string
	// Version says what answers, for reports: program and version, or the processor.
	Version() string
	// Answers says which fields of a result to this case mean something; nothing if
	// it cannot be asked at all.
	Answers(c *Case) Fields
	// Run answers cases in order: results[i] is the answer to cases[i], Silent
	// where there is none. An error says that the oracle itself broke down; it is one
	// line. len(results) equals len(cases).
	Run(ctx context.Context, cases []*Case, results []Result) error
	// Close ends whatever the oracle has started.
	Close() error
}

// Fields is a set of parts of a result.
type Fields uint16

// The parts of a result.
const (
	FieldEnd    Fields = 1 << iota // End and Vector
	FieldError                     // HasError and Error
	FieldCR2                       // CR2
	FieldGPR                       // GPR
	FieldRIP                       // RIP
	FieldFlags                     // RFLAGS
	FieldSeg                       // Seg, FSBase, GSBase, LDTR, TR
	FieldSystem                    // the control and debug registers
	FieldMem                       // Mem, without the page tables
	FieldTables                    // Mem, the page tables
	FieldFloat                     // Float

	AllFields = 1<<iota - 1
)

// fieldNames are in the order of the bits.
var fieldNames = []string{"end", "error code", "CR2", "registers", "RIP", "flags", "segments", "system registers", "memory", "page tables"}

// Names names the fields of a set.
func (f Fields) Names() []string {
	var names []string
	for i, name := range fieldNames {
		if f>>i&1 != 0 {
			names = append(names, name)
		}
	}
	return names
}

func (f Fields) String() string { return strings.Join(f.Names(), ", ") }

// FieldByName finds a field by its name.
func FieldByName(name string) (Fields, bool) {
	i := slices.Index(fieldNames, name)
	return 1 << max(i, 0), i >= 0
}

package tracefile

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"x86emu/debug"
)

// Format and Version are what a header of this build says.
const (
	Format  = "x86emu-trace"
	Version = 1
)

// Header is the first line of a trace: what was run, and what of it is told.
type Header struct {
	Format    string            `json:"format"`
	Version   int               `json:"version"`
	Image     string            `json:"image"`  // as it was named
	SHA256    string            `json:"sha256"` // of the image file
	CPU       string            `json:"cpu"`    // model
	RAM       uint64            `json:"ram"`    // bytes
	TLB       bool              `json:"tlb"`    // false: tables walked at every access
	Flags     map[string]string `json:"flags,omitempty"`
	Kinds     string            `json:"kinds"` // of the events, comma-separated
	First     debug.Hex         `json:"first"` // linear addresses that events are about
	Last      debug.Hex         `json:"last"`
	Tick      uint64            `json:"tick"`      // of the beginning
	Registers []string          `json:"registers"` // that changes are told of
}

// maxHeader bounds a header, in bytes.
const maxHeader = 64 << 10

// complete fills in what this build decides.
func (h Header) complete() Header {
	h.Format, h.Version, h.Registers = Format, Version, debug.RegisterNames()
	return h
}

// line is the header as a JSON line.
func (h Header) line() []byte {
	b, err := json.Marshal(h)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return append(b, '\n')
}

// known are the kinds of events that the trace holds, those of them that this
// build knows.
func (h *Header) known() (all debug.Kinds) {
	for _, name := range strings.Split(h.Kinds, ",") {
		if one, err := debug.ParseKinds(name); err == nil {
			all |= one
		}
	}
	return all
}

// parseHeader reads a header and refuses one of another format or version.
func parseHeader(line []byte) (h Header, err error) {
	if err := json.Unmarshal(line, &h); err != nil || h.Format != Format {
		return h, errForeign
	}
	if err := checkVersion(h.Version); err != nil {
		return h, err
	}
	if len(h.Registers) > maxRegisters || slices.ContainsFunc(h.Registers, func(s string) bool { return !registerName.MatchString(s) }) {
		return h, errDamaged
	}
	return h, nil
}

func checkVersion(v int) error {
	if v != Version {
		return fmt.Errorf("the trace has version %d, this build reads version %d", v, Version)
	}
	return nil
}

// registerName is what a register may be called: it becomes part of lines.
var registerName = regexp.MustCompile(`^[a-z][a-z0-9_.]{0,31}$`)

// maxRegisters bounds the registers of a header.
const maxRegisters = 1024

// What can be wrong with a file.
var (
	errForeign   = errors.New("not a trace: it has neither the binary form's mark nor a header line (see docs/trace.md)")
	errDamaged   = errors.New("the trace is damaged")
	errTruncated = errors.New("the trace is truncated: its end is missing")
	errMore      = errors.New("bytes follow the end of the trace")
)

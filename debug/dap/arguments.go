package dap

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
)

// LaunchArguments are what a client's configuration says of a launch or an
// attach. Program to Symbols and Input have the words of "x86emu run" and "x86emu
// step"; what else a client puts beside them is ignored.
type LaunchArguments struct {
	Program  string `json:"program"` // an image, or the name of a built-in kernel
	Append   string `json:"append"`
	Initrd   string `json:"initrd"`
	CPU      string `json:"cpu"`
	Memory   Word   `json:"memory"`
	TLB      string `json:"tlb"`
	Board    string `json:"board"`
	TickRate Word   `json:"tickRate"`
	RTC      string `json:"rtc"`
	LoadAddr Word   `json:"loadAddr"`
	Mode     Word   `json:"mode"`
	CPL      Word   `json:"cpl"`
	Symbols  string `json:"symbols"`
	Input    string `json:"input"`
	Keys     string `json:"keys"` // what is typed on the keyboard, as machine.ParseKeys reads it
	History  Word   `json:"historyMemory"`

	Snapshot string `json:"snapshot"` // attach: a file that machine.Save has written

	StopOnEntry bool              `json:"stopOnEntry"`
	StopAtEnd   *bool             `json:"stopAtEnd"` // stop where the run is over, to go back from there; nil: yes
	NoDebug     bool              `json:"noDebug"`
	SourcePaths []string          `json:"sourcePaths"` // folders in which source files are looked for
	SourceMap   map[string]string `json:"sourceMap"`   // beginnings of names in the line tables, and what stands for them here
}

// Word is a text that may also be written as a number.
type Word string

// UnmarshalJSON takes a string or a number.
func (w *Word) UnmarshalJSON(b []byte) error {
	var text string
	if json.Unmarshal(b, &text) == nil {
		*w = Word(text)
		return nil
	}
	v, err := strconv.ParseUint(string(b), 10, 64)
	if err != nil {
		return fmt.Errorf("%.40s: must be a text or a whole number", b)
	}
	*w = Word(strconv.FormatUint(v, 10))
	return nil
}

// arguments reads a client's configuration.
func arguments(raw json.RawMessage) (*LaunchArguments, error) {
	a := &LaunchArguments{}
	if len(raw) == 0 {
		return a, nil
	}
	err := json.Unmarshal(raw, a)
	var kind *json.UnmarshalTypeError
	if errors.As(err, &kind) {
		return nil, fmt.Errorf("the configuration's %q cannot be %s: must be %s", kind.Field, article(kind.Value), kind.Type)
	}
	if err != nil {
		return nil, fmt.Errorf("the configuration: %w", err)
	}
	return a, nil
}

func article(kind string) string {
	if kind == "array" || kind == "object" {
		return "an " + kind
	}
	return "a " + kind
}

// stopsAtEnd tells whether the session goes on when the run is over.
func (a *LaunchArguments) stopsAtEnd() bool {
	return !a.NoDebug && (a.StopAtEnd == nil || *a.StopAtEnd)
}

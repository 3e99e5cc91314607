package corpus

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"x86emu/diff"
)

// line is a line of a corpus as JSON has it.
type line struct {
	Format  string `json:"format,omitempty"`
	Source  string `json:"source,omitempty"`
	Version string `json:"version,omitempty"`

	ID      string    `json:"id,omitempty"`
	Kind    string    `json:"kind,omitempty"`
	World   string    `json:"world,omitempty"`
	Model   string    `json:"model,omitempty"`
	Rule    string    `json:"rule,omitempty"`
	Code    data      `json:"code,omitempty"`
	Regs    registers `json:"regs,omitempty"`
	Patches []patch   `json:"patches,omitempty"`
	Steps   int       `json:"steps,omitempty"`
	Access  *access   `json:"access,omitempty"`
	Event   *event    `json:"event,omitempty"`
	Except  *except   `json:"except,omitempty"`
	Want    *want     `json:"want,omitempty"`
}

// data are bytes in hexadecimal.
type data []byte

func (d data) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(d)), nil }

func (d *data) UnmarshalText(text []byte) error {
	b, err := hex.DecodeString(string(text))
	if err != nil {
		return fmt.Errorf("%q is not bytes in hexadecimal", shorten(string(text)))
	}
	*d = b
	return nil
}

// number is a number in hexadecimal.
type number uint64

func (n number) MarshalText() ([]byte, error) { return strconv.AppendUint(nil, uint64(n), 16), nil }

func (n *number) UnmarshalText(text []byte) error {
	v, err := strconv.ParseUint(string(text), 16, 64)
	if err != nil {
		return fmt.Errorf("%q is not a number in hexadecimal", shorten(string(text)))
	}
	*n = number(v)
	return nil
}

// registers are by name, in lower case.
type registers map[string]number

// patch is a place and bytes.
type patch struct {
	At    number
	Bytes data
}

func (p patch) MarshalJSON() ([]byte, error) {
	return fmt.Appendf(nil, `["%x","%x"]`, uint64(p.At), []byte(p.Bytes)), nil
}

func (p *patch) UnmarshalJSON(b []byte) error { return pair(b, &p.At, &p.Bytes) }

// word is a place and a value.
type word struct{ At, Value number }

func (w word) MarshalJSON() ([]byte, error) {
	return fmt.Appendf(nil, `["%x","%x"]`, uint64(w.At), uint64(w.Value)), nil
}

func (w *word) UnmarshalJSON(b []byte) error { return pair(b, &w.At, &w.Value) }

func pair(b []byte, parts ...any) error {
	var raw []json.RawMessage
	if err := json.Unmarshal(b, &raw); err != nil || len(raw) != len(parts) {
		return fmt.Errorf("%q is not a pair of a place and a value", shorten(string(b)))
	}
	for i, p := range parts {
		if err := json.Unmarshal(raw[i], p); err != nil {
			return err
		}
	}
	return nil
}

type access struct {
	Linear   number `json:"linear"`
	Size     int    `json:"size"`
	Write    bool   `json:"write,omitempty"`
	Fetch    bool   `json:"fetch,omitempty"`
	User     bool   `json:"user,omitempty"`
	Implicit bool   `json:"implicit,omitempty"`
	CR3      number `json:"cr3,omitempty"`
	Poke     *patch `json:"poke,omitempty"`
}

type event struct {
	How      string `json:"how"`
	Vector   uint8  `json:"vector,omitempty"`
	Error    uint32 `json:"error,omitempty"`
	Selector uint16 `json:"selector,omitempty"`
	Offset   number `json:"offset,omitempty"`
	OpSize   int    `json:"opsize,omitempty"`
	CR2      number `json:"cr2,omitempty"`
	Release  uint16 `json:"release,omitempty"`
	Register int    `json:"register,omitempty"`
}

type except struct {
	Flags  number    `json:"flags,omitempty"`
	Regs   registers `json:"regs,omitempty"`
	Error  uint32    `json:"error,omitempty"`
	CR2    number    `json:"cr2,omitempty"`
	DR6    number    `json:"dr6,omitempty"`
	Tables number    `json:"tables,omitempty"`
	Mem    []word    `json:"mem,omitempty"`
	Fields []string  `json:"fields,omitempty"`
}

type want struct {
	End    string    `json:"end,omitempty"`
	Vector uint8     `json:"vector,omitempty"`
	Error  *uint32   `json:"error,omitempty"`
	CR2    number    `json:"cr2,omitempty"`
	Regs   registers `json:"regs,omitempty"`
	Mem    []word    `json:"mem,omitempty"`
}

// The names of kinds, doors and endings, in the order of their values.
var (
	kindNames = []string{"insn", "sequence", "paging", "delivery"}
	howNames  = []string{"fault", "int", "int3", "into", "icebp", "iret", "farjmp", "farcall", "farret", "segment"}
	endNames  = []string{"trap", "shutdown", "stopped"}
)

// index finds a name, "" being the first.
func index(names []string, name, what string) (uint8, error) {
	if name == "" {
		return 0, nil
	}
	for i, n := range names {
		if n == name {
			return uint8(i), nil
		}
	}
	return 0, fmt.Errorf("%s %q: must be one of %s", what, shorten(name), strings.Join(names, ", "))
}

// changed gives the registers of some fields in which a differs from b.
func changed(a, b *diff.Regs, of diff.Fields) registers {
	out := registers{}
	for i := range diff.Registers {
		r := &diff.Registers[i]
		if v := r.Get(a); v != r.Get(b) && r.Of&of != 0 {
			out[strings.ToLower(r.Name)] = number(v)
		}
	}
	return out
}

// byName finds registers by their names in lower case.
var byName = func() map[string]*diff.Register {
	m := map[string]*diff.Register{}
	for i := range diff.Registers {
		m[strings.ToLower(diff.Registers[i].Name)] = &diff.Registers[i]
	}
	return m
}()

// set sets registers by name.
func (rs registers) set(r *diff.Regs) error {
	for name, v := range rs {
		reg := byName[name]
		if reg == nil {
			return fmt.Errorf("no register %q", shorten(name))
		}
		if reg.Bits < 64 && v>>reg.Bits != 0 {
			return fmt.Errorf("register %s has %d bits: %x is too wide", name, reg.Bits, uint64(v))
		}
		reg.Set(r, uint64(v))
	}
	return nil
}

func shorten(s string) string {
	if len(s) > 40 {
		return s[:40] + "..."
	}
	return s
}

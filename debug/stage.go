package debug

import (
	"fmt"
	"strconv"
)

// StageKind is what a Stage tells about.
type StageKind string

// The stages, roughly in the order in which an instruction that faults goes
// through them. Which part of a Stage is filled in stands behind each.
const (
	StageInstruction StageKind = "instruction" // fetched and decoded, about to run: Inst
	StageAccess      StageKind = "access"      // an address is about to be translated: Access
	StageLevel       StageKind = "level"       // an entry of the page tables was read; its A and D are as they were: Level
	StageVerdict     StageKind = "verdict"     // the walk, or an entry of the TLB, has decided; A and D are set: Verdict
	StageStale       StageKind = "stale"       // a TLB entry was used that the tables no longer support: Stale; only where that is watched
	StageData        StageKind = "data"        // the program's data was read or written: Data
	StageEvent       StageKind = "event"       // an exception or interrupt is taken, CR2 is set: Event
	StageGate        StageKind = "gate"        // a gate of the IDT, or a vector of the IVT, was read: Gate
	StageSelector    StageKind = "selector"    // a selector's descriptor was read: Selector
	StageCheck       StageKind = "check"       // a check was made: Check
	StageStack       StageKind = "stack"       // the handler's stack was chosen: Stack
	StagePush        StageKind = "push"        // a word was pushed and is in memory: Push
	StageTaskSave    StageKind = "task-save"   // the outgoing task was saved: Task is its TSS
	StageTaskLink    StageKind = "task-link"   // back link and busy bits were written: Task is the incoming TSS
	StageTaskLoad    StageKind = "task-load"   // the incoming task's registers and CR3 were loaded, segments excepted: Task
	StageTaskDone    StageKind = "task-done"   // the incoming task's segments were loaded: Task
	StageEntered     StageKind = "entered"     // the handler was entered, CS:RIP and flags are loaded: Entered
	StageShutdown    StageKind = "shutdown"    // nothing will be entered: Event was the third fault
)

// Stage is one step on the way of an instruction, or of the event that comes
// of it. Which of the pointers is set goes by the kind.
type Stage struct {
	Kind StageKind `json:"stage"`
	Tick uint64    `json:"tick"`

	Inst     *Instruction `json:"instruction,omitempty"`
	Access   *Access      `json:"access,omitempty"`
	Level    *Level       `json:"level,omitempty"`
	Verdict  *Verdict     `json:"verdict,omitempty"`
	Stale    *StaleUse    `json:"stale,omitempty"`
	Data     *Data        `json:"data,omitempty"`
	Event    *Taken       `json:"event,omitempty"`
	Gate     *Gate        `json:"gate,omitempty"`
	Selector *Selector    `json:"selector,omitempty"`
	Check    *Check       `json:"check,omitempty"`
	Stack    *Stack       `json:"stack,omitempty"`
	Push     *Push        `json:"push,omitempty"`
	Entered  *Entered     `json:"entered,omitempty"`
	Task     *Task        `json:"task,omitempty"`
}

// Instruction is one about to run. Bytes and Text are empty where the bytes
// cannot be read any more.
type Instruction struct {
	CS       Hex       `json:"cs"`
	RIP      Hex       `json:"rip"`
	Lin      Hex       `json:"lin"`
	CPL      uint8     `json:"cpl"`
	Bits     uint8     `json:"bits"` // 16, 32 or 64
	Bytes    string    `json:"bytes,omitempty"`
	Text     string    `json:"text,omitempty"`
	At       *Place    `json:"at,omitempty"`
	Level0   bool      `json:"level0,omitempty"`   // it may run at CPL 0 only
	Operands []Operand `json:"operands,omitempty"` // those in memory, the stack's excepted
}

// Operand is one in memory: an offset in a segment and what comes of it.
type Operand struct {
	Segment string `json:"segment"`
	Base    Hex    `json:"base"`
	Offset  Hex    `json:"offset"`
	Lin     Hex    `json:"lin"`
	Size    uint8  `json:"size"` // bytes; 0 where the operation sets it
	At      *Place `json:"at,omitempty"`
	Refused string `json:"refused,omitempty"` // why segmentation refuses it: "null segment", "beyond the limit 0xfffff", "not canonical"
}

// Access is a use of a linear address. For tells what it is for: "operand", "fetch",
// "push of CS", "gate of #PF", "descriptor 0x8", "TSS.ESP0" and so on.
type Access struct {
	Lin    Hex    `json:"lin"`
	Kind   string `json:"kind"` // "read", "write" or "fetch"
	Mode   string `json:"mode"` // "user" or "supervisor"
	For    string `json:"for"`
	Paging string `json:"paging"` // "no", "32-bit", "PAE", "4-level" or "5-level"
	CR3    Hex    `json:"cr3"`
}

// Level is one entry of the page tables, as the walk found it.
type Level struct {
	Level string `json:"level"` // "PML4E", "PDE", ...
	At    Hex    `json:"at"`    // physical address; 0 for a PDPTE register
	Raw   Hex    `json:"raw"`
	Size  uint8  `json:"size"` // bytes; 0 for a PDPTE register
	Bits  string `json:"bits"` // the names of those set
}

// Verdict is whether an access is allowed, and if not, which entry's bit decided.
type Verdict struct {
	OK      bool   `json:"ok"`
	Lin     Hex    `json:"lin"`
	Phys    Hex    `json:"phys,omitempty"`
	Rights  string `json:"rights,omitempty"`   // of the translation, as far as there is one
	FromTLB bool   `json:"from_tlb,omitempty"` // an entry of the TLB decided, nothing was read
	Rule    string `json:"rule,omitempty"`     // what failed: "P=0", "R/W=0", "SMEP", ...
	Level   string `json:"level,omitempty"`    // the entry that decided
	Bits    Hex    `json:"bits,omitempty"`     // its bits that did
	Code    *Hex   `json:"code,omitempty"`     // the error code
	Means   string `json:"means,omitempty"`    // the error code in words

	Tables []Level `json:"tables,omitempty"` // where the TLB decided: what the tables say
}

// Data is an access of the program that was made.
type Data struct {
	Lin   Hex   `json:"lin"`
	Size  uint8 `json:"size"`
	Write bool  `json:"write"`
	Value Hex   `json:"value"`
}

// Taken is an exception or interrupt.
type Taken struct {
	Name   string `json:"name"` // "#PF", "INT 0x80", "INTR 0x20", "NMI"
	Vector uint8  `json:"vector"`
	Words  string `json:"words"` // "page fault"
	Code   *Hex   `json:"code,omitempty"`
	Means  string `json:"means,omitempty"`
	CR2    *Hex   `json:"cr2,omitempty"`
	CR2At  *Place `json:"cr2_at,omitempty"`
	DR6    *Hex   `json:"dr6,omitempty"` // bits that a #DB sets
	Return Hex    `json:"return"`        // the RIP that is saved
	At     *Place `json:"at,omitempty"`

	Float *FloatFault `json:"float,omitempty"` // why #NM, #MF or #XM was raised
}

// Gate is one of the IDT, or a vector of the IVT.
type Gate struct {
	Vector  uint8  `json:"vector"`
	Lin     Hex    `json:"lin"`
	Raw     Hex    `json:"raw"`
	High    *Hex   `json:"high,omitempty"` // the second half of a 64-bit gate
	Type    string `json:"type"`           // "32-bit interrupt gate", ..., or "real-mode vector"
	Present bool   `json:"present"`
	DPL     uint8  `json:"dpl"`
	IST     uint8  `json:"ist,omitempty"`
	TSS     *Hex   `json:"tss,omitempty"` // of a task gate
	CS      *Hex   `json:"cs,omitempty"`
	RIP     *Hex   `json:"rip,omitempty"`
	At      *Place `json:"at,omitempty"`
}

// realVector is the type of a vector of the IVT.
const realVector = "real-mode vector"

// protected tells a gate of the IDT from a vector of the IVT.
func (g *Gate) protected() bool { return g.Type != realVector }

// Selector is a selector with the descriptor that it names.
type Selector struct {
	Sel     Hex    `json:"sel"`
	Table   string `json:"table"` // "GDT" or "LDT"
	Lin     Hex    `json:"lin"`
	Raw     Hex    `json:"raw"`
	Type    string `json:"type"`
	Present bool   `json:"present"`
	DPL     uint8  `json:"dpl"`
	Base    Hex    `json:"base"`
	Limit   Hex    `json:"limit"`
}

// Check is a check and how it came out.
type Check struct {
	OK   bool   `json:"ok"`
	Rule string `json:"rule"` // what must hold
}

// Stack is the stack of a handler and why it is that one.
type Stack struct {
	Choice string `json:"choice"` // "current", "TSS" or "IST"
	SS     Hex    `json:"ss"`
	RSP    Hex    `json:"rsp"` // before the first push
	IST    uint8  `json:"ist,omitempty"`
	Why    string `json:"why"`
}

// Push is one word of a frame.
type Push struct {
	Name  string `json:"name,omitempty"` // "SS", "ESP", "EFLAGS", "CS", "EIP", "error code", ...
	Lin   Hex    `json:"lin"`
	Size  uint8  `json:"size"`
	Value Hex    `json:"value"`
}

// Entered is the state in which a handler begins.
type Entered struct {
	Name   string `json:"name"` // of the event
	CS     Hex    `json:"cs"`
	RIP    Hex    `json:"rip"`
	SS     Hex    `json:"ss"`
	RSP    Hex    `json:"rsp"`
	RFLAGS Hex    `json:"rflags"`
	CPL    uint8  `json:"cpl"`
	At     *Place `json:"at,omitempty"`
}

// Task is a TSS of a task switch.
type Task struct {
	TSS  Hex `json:"tss"` // selector
	Base Hex `json:"base"`
}

// Hex is a number that reads better in hexadecimal: 0x... in text, and in JSON
// a string of it, since a JSON number holds 53 bits.
type Hex uint64

func (h Hex) String() string { return "0x" + strconv.FormatUint(uint64(h), 16) }

// MarshalText gives the number as 0x....
func (h Hex) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads a number in any base that Go writes.
func (h *Hex) UnmarshalText(text []byte) error {
	v, err := strconv.ParseUint(string(text), 0, 64)
	if err != nil {
		return fmt.Errorf("number %q: %w", text, err)
	}
	*h = Hex(v)
	return nil
}

// hexOf is for the parts that may be absent.
func hexOf[T ~uint16 | ~uint32 | ~uint64](v T) *Hex {
	h := Hex(v)
	return &h
}

// wide gives a number with as many digits as its size in bytes has.
func (h Hex) wide(size uint8) string { return fmt.Sprintf("0x%0*x", 2*int(size), uint64(h)) }

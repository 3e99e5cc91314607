package sst

// File is one file of a suite.
type File struct {
	CPU   string // as the file names it: "C286", "386E"; "" if it does not
	Mask  Mask   // of all tests
	Tests []Test
}

// Test is one test.
type Test struct {
	Index     int
	Name      string // disassembled
	Bytes     []byte // the instruction, and HLT where the suite ends a test so
	Initial   State
	Final     State // what has changed
	Exception *Exception
	Mask      Mask
}

// State are registers and memory.
type State struct {
	Has  uint32 // a bit for each register that is there
	Regs [NumRegs]uint32
	RAM  []Byte
}

// Mask are the bits of registers that count; those that it does not have count
// whole.
type Mask struct {
	Has  uint32
	Regs [NumRegs]uint32
}

// Byte is a byte of memory.
type Byte struct {
	At    uint32
	Value uint8
}

// Exception is what a test says of an exception that came. The files tell besides
// where the flags were pushed, but by the bus cycle's address, which is even even
// if the stack is not: see frame.
type Exception struct{ Vector uint8 }

// Registers in the order of the format's 32-bit file.
const (
	CR0 = iota
	CR3
	EAX
	EBX
	ECX
	EDX
	ESI
	EDI
	EBP
	ESP
	CS
	DS
	ES
	FS
	GS
	SS
	EIP
	EFLAGS
	DR6
	DR7
	NumRegs
)

// regNames are the names in JSON and in reports; without the e they are those
// of 16-bit suites.
var regNames = [NumRegs]string{"cr0", "cr3", "eax", "ebx", "ecx", "edx", "esi", "edi", "ebp", "esp",
	"cs", "ds", "es", "fs", "gs", "ss", "eip", "eflags", "dr6", "dr7"}

// order16 is the order of the format's 16-bit file.
var order16 = [...]int{EAX, EBX, ECX, EDX, CS, SS, DS, ES, ESP, EBP, ESI, EDI, EIP, EFLAGS}

// bits gives the bits of a register that count.
func (m *Mask) bits(reg int) uint32 {
	if m.Has>>reg&1 == 0 {
		return ^uint32(0)
	}
	return m.Regs[reg]
}

// set records a register.
func (s *State) set(reg int, v uint32) {
	s.Has |= 1 << reg
	s.Regs[reg] = v
}

// reg is a register at the end: what has changed, else as before.
func (t *Test) reg(i int) uint32 {
	if t.Final.Has>>i&1 != 0 {
		return t.Final.Regs[i]
	}
	return t.Initial.Regs[i]
}

// frame is where in memory the frame of a real-mode exception lies at the end:
// IP, CS, flags.
func (t *Test) frame(i uint32) uint32 {
	return t.reg(SS)<<4 + (t.reg(ESP)+2*i)&0xffff
}

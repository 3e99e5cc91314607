package gdb

import (
	"encoding/binary"
	"fmt"

	"x86emu/cpu"
	"x86emu/cpu/simd"
	"x86emu/decode"
	"x86emu/idt"
	"x86emu/machine"
	"x86emu/mmu"
)

// This file is the table of registers: what each is called, how wide it is, and
// how its value is taken from the processor's state and put there. Its order is
// the order of the target description, and so of the packets g and G; a
// register's number in p and P is its place in the table.

// register is one register as the client sees it.
type register struct {
	name    string
	bits    int
	kind    string // its type in the target description
	feature string
	group   string // "": as gdb thinks best
	get     func(*view) value
	// set changes the state, or says why it does not. nil: read-only.
	set func(*cpu.State, value) error
}

// value is the contents of a register: up to 128 bits, the low half first.
type value [2]uint64

// view is what registers are read from.
type view struct {
	cpu.State
	m *machine.Machine
}

// Features of the target description. The two that begin with org.gnu.gdb are
// those that gdb demands; it takes what else they have, and all others, as it comes.
const (
	core    = "org.gnu.gdb.i386.core"
	sse     = "org.gnu.gdb.i386.sse"
	system  = "x86emu.system"
	segment = "x86emu.segments"
	models  = "x86emu.msr"
)

// registers is the table.
var registers = allRegisters()

// registerSize is how many bytes all registers take in a g packet.
var registerSize = func() (n int) {
	for i := range registers {
		n += registers[i].bytes()
	}
	return n
}()

func (r *register) bytes() int { return r.bits / 8 }

// put appends a value in the target's byte order.
func (r *register) put(b []byte, v value) []byte {
	var raw [16]byte
	binary.LittleEndian.PutUint64(raw[:], v[0])
	binary.LittleEndian.PutUint64(raw[8:], v[1])
	return append(b, raw[:r.bytes()]...)
}

// take is the value in the register's bytes.
func (r *register) take(b []byte) value {
	var raw [16]byte
	copy(raw[:], b[:r.bytes()])
	return value{binary.LittleEndian.Uint64(raw[:]), binary.LittleEndian.Uint64(raw[8:])}
}

// look is the present view of a machine.
func look(m *machine.Machine) *view { return &view{m.CPU.State(), m} }

// plain makes get and set of a field of at most 64 bits; bits that the register
// has not are dropped.
func plain[T uint8 | uint16 | uint32 | uint64](field func(*cpu.State) *T) (func(*view) value, func(*cpu.State, value) error) {
	return func(v *view) value { return value{uint64(*field(&v.State))} },
		func(s *cpu.State, v value) error { *field(s) = T(v[0]); return nil }
}

// generalNames are the general registers in gdb's order, which for the first
// eight is not the processor's.
var generalNames = []struct {
	name   string // without its width
	number int
}{{"ax", 0}, {"bx", 3}, {"cx", 1}, {"dx", 2}, {"si", 6}, {"di", 7}, {"bp", 5}, {"sp", 4}}

// segmentOrder is gdb's.
var segmentOrder = []decode.SegReg{decode.CS, decode.SS, decode.DS, decode.ES, decode.FS, decode.GS}

// builder collects registers.
type builder struct {
	all     []register
	feature string
	group   string
}

func (b *builder) add(name string, bits int, kind string, get func(*view) value, set func(*cpu.State, value) error) {
	b.all = append(b.all, register{name: name, bits: bits, kind: kind, feature: b.feature, group: b.group, get: get, set: set})
}

// word adds a register of at most 64 bits that can be read only.
func (b *builder) word(name string, bits int, kind string, get func(*view) uint64) {
	b.add(name, bits, kind, func(v *view) value { return value{get(v)} }, nil)
}

func allRegisters() []register {
	var b builder
	b.core()
	b.x87()
	b.narrow()
	b.sse()
	b.segments()
	b.control()
	b.msrs()
	return b.all
}

func (b *builder) core() {
	b.feature = core
	general := func(name string, n int) {
		get, set := plain(func(s *cpu.State) *uint64 { return &s.GPR[n] })
		b.add(name, 64, "int64", get, set)
	}
	for _, r := range generalNames {
		general("r"+r.name, r.number)
	}
	for n := 8; n < 16; n++ {
		general(fmt.Sprintf("r%d", n), n)
	}
	b.add("rip", 64, "uint64", func(v *view) value { return value{v.RIP} }, setRIP)
	b.add("eflags", 32, "i386_eflags", func(v *view) value { return value{v.RFLAGS} }, setFlags)
	for _, r := range segmentOrder {
		b.add(segmentName(r), 32, "int32", func(v *view) value { return value{uint64(v.Seg[r].Sel)} }, setSelector(r))
	}
}

// narrow adds the low halves under the names that gdb's i386 architecture
// demands, so that the same description serves `set architecture i386` and i8086.
func (b *builder) narrow() {
	b.feature = core
	for _, r := range generalNames {
		n := r.number
		b.add("e"+r.name, 32, "int32",
			func(v *view) value { return value{v.GPR[n]} },
			func(s *cpu.State, v value) error {
				s.GPR[n] = s.GPR[n]&^0xffffffff | v[0]
				return nil
			})
	}
	b.add("eip", 32, "uint32", func(v *view) value { return value{v.RIP} }, setRIP)
}

func (b *builder) x87() {
	b.feature = core
	for i := range 8 {
		at := func(s *cpu.State) int { return (int(s.FP.SW>>11) + i) & 7 }
		b.add(fmt.Sprintf("st%d", i), 80, "i387_ext",
			func(v *view) value { r := v.FP.R[at(&v.State)]; return value{r.Sig, uint64(r.SE)} },
			func(s *cpu.State, v value) error {
				r := &s.FP.R[at(s)]
				r.Sig, r.SE = v[0], uint16(v[1])
				return nil
			})
	}
	b.group = "float"
	b.add("fctrl", 32, "int", func(v *view) value { return value{uint64(v.FP.CW)} }, func(s *cpu.State, v value) error {
		s.FP.CW = uint16(v[0])
		s.FP.Derive()
		return nil
	})
	b.add("fstat", 32, "int", func(v *view) value { return value{uint64(v.FP.SW)} }, func(s *cpu.State, v value) error {
		s.FP.SW = uint16(v[0])
		s.FP.Derive()
		return nil
	})
	b.add("ftag", 32, "int", func(v *view) value { return value{uint64(v.FP.TagWord())} }, func(s *cpu.State, v value) error {
		s.FP.SetTagWord(uint16(v[0]))
		return nil
	})
	half := func(name string, field func(*cpu.State) *uint16) {
		get, set := plain(field)
		b.add(name, 32, "int", get, set)
	}
	whole := func(name string, field func(*cpu.State) *uint64) {
		get, set := plain(field)
		b.add(name, 32, "int", get, set)
	}
	half("fiseg", func(s *cpu.State) *uint16 { return &s.FP.FCS })
	whole("fioff", func(s *cpu.State) *uint64 { return &s.FP.FIP })
	half("foseg", func(s *cpu.State) *uint16 { return &s.FP.FDS })
	whole("fooff", func(s *cpu.State) *uint64 { return &s.FP.FDP })
	b.add("fop", 32, "int", func(v *view) value { return value{uint64(v.FP.FOP)} }, func(s *cpu.State, v value) error {
		s.FP.FOP = uint16(v[0]) & 0x7ff
		return nil
	})
	b.group = ""
}

func (b *builder) sse() {
	b.feature = sse
	for n := range 16 {
		b.add(fmt.Sprintf("xmm%d", n), 128, "vec128",
			func(v *view) value { return value{v.FP.XMM[n].Lo, v.FP.XMM[n].Hi} },
			func(s *cpu.State, v value) error { s.FP.XMM[n] = simd.Vec{Lo: v[0], Hi: v[1]}; return nil })
	}
	b.group = "vector"
	b.add("mxcsr", 32, "i386_mxcsr", func(v *view) value { return value{uint64(v.FP.MXCSR)} }, func(s *cpu.State, v value) error {
		// A reserved bit is #GP for whoever loads it. [SDM 1, MXCSR Control and Status Register]
		if v[0]>>16 != 0 {
			return fmt.Errorf("mxcsr has no bits above 15")
		}
		s.FP.MXCSR = uint32(v[0])
		return nil
	})
	b.group = ""
}

// segmentName is a segment register's name.
func segmentName(r decode.SegReg) string {
	return [...]string{decode.ES: "es", decode.CS: "cs", decode.SS: "ss", decode.DS: "ds", decode.FS: "fs", decode.GS: "gs"}[r]
}

// segments adds the hidden parts of the segment registers and what they were
// loaded from.
func (b *builder) segments() {
	b.feature, b.group = segment, "system"
	part := func(name string, at func(*view) *idt.Segment) {
		b.word(name+"_limit", 32, "uint32", func(v *view) uint64 { return uint64(at(v).Limit) })
		b.word(name+"_attr", 16, "segment_attr", func(v *view) uint64 { return uint64(at(v).Attr) })
	}
	for _, r := range segmentOrder {
		name := segmentName(r)
		b.add(name+"_base", 64, "int64", func(v *view) value { return value{v.Seg[r].Base} }, setBase(r))
		part(name, func(v *view) *idt.Segment { return &v.Seg[r] })
	}
	for name, at := range []func(*view) *idt.Segment{
		func(v *view) *idt.Segment { return &v.LDTR },
		func(v *view) *idt.Segment { return &v.TR },
	} {
		name := []string{"ldtr", "tr"}[name]
		b.word(name, 16, "uint16", func(v *view) uint64 { return uint64(at(v).Sel) })
		b.word(name+"_base", 64, "uint64", func(v *view) uint64 { return at(v).Base })
		part(name, at)
	}
	b.word("gdtr_base", 64, "uint64", func(v *view) uint64 { return v.GDTR.Base })
	b.word("gdtr_limit", 16, "uint16", func(v *view) uint64 { return uint64(v.GDTR.Limit) })
	b.word("idtr_base", 64, "uint64", func(v *view) uint64 { return v.IDTR.Base })
	b.word("idtr_limit", 16, "uint16", func(v *view) uint64 { return uint64(v.IDTR.Limit) })
}

// control adds the control and debug registers, and what the emulator knows besides.
func (b *builder) control() {
	b.feature, b.group = system, "system"
	b.add("cr0", 64, "x86_cr0", func(v *view) value { return value{v.CR0} }, setCR0)
	b.add("cr2", 64, "uint64", func(v *view) value { return value{v.CR2} }, func(s *cpu.State, v value) error { s.CR2 = v[0]; return nil })
	b.word("cr3", 64, "int64", func(v *view) uint64 { return v.CR3 })
	b.word("cr4", 64, "x86_cr4", func(v *view) uint64 { return v.CR4 })
	b.add("cr8", 64, "int64", func(v *view) value { return value{v.CR8} }, func(s *cpu.State, v value) error {
		if v[0] > 15 {
			return fmt.Errorf("cr8 has four bits")
		}
		s.CR8 = v[0]
		return nil
	})
	b.word("efer", 64, "x86_efer", func(v *view) uint64 { return v.EFER })
	for n := range 4 {
		get, set := plain(func(s *cpu.State) *uint64 { return &s.DR[n] })
		b.add(fmt.Sprintf("dr%d", n), 64, "uint64", get, set)
	}
	b.word("dr6", 64, "x86_dr6", func(v *view) uint64 { return v.DR[6] })
	b.word("dr7", 64, "int64", func(v *view) uint64 { return v.DR[7] })
	b.word("xcr0", 64, "int64", func(v *view) uint64 { return v.FP.XCR0 })
	b.word("pkru", 32, "uint32", func(v *view) uint64 { return uint64(v.PKRU) })
	b.word("pc_linear", 64, "uint64", func(v *view) uint64 { return uint64(v.m.CPU.CodeAt()) })
	b.word("sp_linear", 64, "uint64", func(v *view) uint64 { return uint64(v.m.CPU.StackAt()) })
	b.word("cpl", 8, "uint8", func(v *view) uint64 { return uint64(v.CPL) })
	b.word("mode", 8, "uint8", func(v *view) uint64 { return uint64(v.m.CPU.Mode()) })
	b.word("state", 32, "x86emu_state", stateBits)
	b.word("tick", 64, "uint64", func(v *view) uint64 { return v.Ticks })
}

// stateBits are the parts of the state that no register has, as flags.
func stateBits(v *view) (bits uint64) {
	for i, on := range []bool{
		v.Halted, v.NMIBlocked, v.Shadow&idt.ShadowSTI != 0, v.Shadow&idt.ShadowMovSS != 0, v.INTR, v.NMI, v.A20,
	} {
		if on {
			bits |= 1 << i
		}
	}
	return bits
}

// msrs adds the model-specific registers that kernels live by.
func (b *builder) msrs() {
	b.feature, b.group = models, "system"
	for _, r := range []struct {
		name string
		get  func(*cpu.MSRs) uint64
	}{
		{"k_gs_base", func(m *cpu.MSRs) uint64 { return m.KernelGSBase }},
		{"star", func(m *cpu.MSRs) uint64 { return m.STAR }},
		{"lstar", func(m *cpu.MSRs) uint64 { return m.LSTAR }},
		{"cstar", func(m *cpu.MSRs) uint64 { return m.CSTAR }},
		{"sfmask", func(m *cpu.MSRs) uint64 { return m.SFMASK }},
		{"sysenter_cs", func(m *cpu.MSRs) uint64 { return m.SysenterCS }},
		{"sysenter_esp", func(m *cpu.MSRs) uint64 { return m.SysenterESP }},
		{"sysenter_eip", func(m *cpu.MSRs) uint64 { return m.SysenterEIP }},
		{"tsc_aux", func(m *cpu.MSRs) uint64 { return m.TSCAux }},
		{"apic_base", func(m *cpu.MSRs) uint64 { return m.APICBase }},
		{"pat", func(m *cpu.MSRs) uint64 { return m.PAT }},
		{"debugctl", func(m *cpu.MSRs) uint64 { return m.DebugCtl }},
	} {
		b.word(r.name, 64, "int64", func(v *view) uint64 { return r.get(&v.MSR) })
	}
}

// setRIP moves the processor. Outside 64-bit code EIP is all there is.
func setRIP(s *cpu.State, v value) error {
	if s.EFER&mmu.EFERLMA == 0 || s.Seg[decode.CS].Attr&idt.AttrL == 0 {
		s.RIP = uint64(uint32(v[0]))
		return nil
	}
	if err := canonical(s, v[0]); err != nil {
		return err
	}
	s.RIP = v[0]
	return nil
}

// canonical refuses an address that no register of long mode can hold.
func canonical(s *cpu.State, a uint64) error {
	shift := 16
	if s.CR4&mmu.CR4LA57 != 0 {
		shift = 7
	}
	if uint64(int64(a<<shift)>>shift) != a {
		return fmt.Errorf("address 0x%x is not canonical", a)
	}
	return nil
}

// setFlags writes EFLAGS. VM would change the mode, and is left as it is.
func setFlags(s *cpu.State, v value) error {
	const free = idt.FlagCF | idt.FlagPF | idt.FlagAF | idt.FlagZF | idt.FlagSF | idt.FlagTF | idt.FlagIF | idt.FlagDF | idt.FlagOF |
		idt.FlagIOPL | idt.FlagNT | idt.FlagRF | idt.FlagAC | idt.FlagVIF | idt.FlagVIP | idt.FlagID
	if (v[0]^s.RFLAGS)&idt.FlagVM != 0 {
		return fmt.Errorf("eflags.VM cannot be written: it would change the mode")
	}
	s.RFLAGS = s.RFLAGS&^free | v[0]&free
	return nil
}

// setSelector loads a segment register as real mode and virtual-8086 mode do.
func setSelector(r decode.SegReg) func(*cpu.State, value) error {
	return func(s *cpu.State, v value) error {
		if s.CR0&mmu.CR0PE != 0 && s.RFLAGS&idt.FlagVM == 0 {
			return fmt.Errorf("%s cannot be written in protected mode: a descriptor belongs to it", segmentName(r))
		}
		s.Seg[r].Sel = uint16(v[0])
		s.Seg[r].Base = v[0] & 0xffff << 4
		return nil
	}
}

// setBase writes the base of FS or GS, as WRMSR does in long mode.
func setBase(r decode.SegReg) func(*cpu.State, value) error {
	return func(s *cpu.State, v value) error {
		if r < decode.FS || s.EFER&mmu.EFERLMA == 0 {
			return fmt.Errorf("%s_base can be written in long mode only, and of FS and GS", segmentName(r))
		}
		if err := canonical(s, v[0]); err != nil {
			return err
		}
		s.Seg[r].Base = v[0]
		return nil
	}
}

// setCR0 writes the bits of CR0 that change no mode.
func setCR0(s *cpu.State, v value) error {
	const free = mmu.CR0MP | mmu.CR0EM | mmu.CR0TS | mmu.CR0NE | mmu.CR0WP | mmu.CR0AM
	if (v[0]^s.CR0)&^free != 0 {
		return fmt.Errorf("of cr0 only MP, EM, TS, NE, WP and AM can be written")
	}
	s.CR0 = v[0]
	return nil
}

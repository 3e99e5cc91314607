package dap

import (
	"fmt"
	"math"
	"strings"

	"x86emu/cpu"
	"x86emu/debug"
	"x86emu/debug/session"
	"x86emu/decode"
	"x86emu/idt"
	"x86emu/machine"
	"x86emu/mmu"
)

// registerScopes are the registers of a moment; those of the present can be set.
func (c *client) registerScopes(m *machine.Machine, st *cpu.State, present bool) []*node {
	return []*node{
		branch(scopeRegisters, "", c.general(m, st, present)...),
		branch(scopeSegments, "", segments(st)...),
		branch(scopeControl, "", control(st)...),
		branch(scopeFloat, "", float(m, st)...),
	}
}

// wide tells whether the code that runs has registers of 64 bits.
func wide(m *machine.Machine) bool { return m.CPU.Mode() == decode.Mode64 }

// word is the size of an address in bytes.
func (c *client) word() int {
	if m, _ := c.t.Present(); wide(m) {
		return 8
	}
	return 4
}

// general are the general registers, the instruction pointer and the flags.
func (c *client) general(m *machine.Machine, st *cpu.State, present bool) []*node {
	n, size, prefix := 8, 4, "e"
	if wide(m) {
		n, size, prefix = 16, 8, "r"
	}
	var all []*node
	add := func(name string, v uint64, set func(*cpu.State, uint64) error) {
		r := leaf(name, "0x%0*x", 2*size, v)
		to := pointsTo(m, st, name, v)
		r.memory, r.watch = reference(to), fmt.Sprintf("write 0x%x %d", to, size)
		if p := c.t.Place(to); p != nil && p.Symbol != "" {
			r.value += " <" + p.String() + ">"
		}
		if present {
			r.set = c.setter(name, size, set)
		}
		all = append(all, r)
	}
	for _, i := range session.GeneralOrder[:n] {
		name, v := session.GeneralNames[i], st.GPR[i]
		if i < 8 {
			name = prefix + name
		}
		if size == 4 {
			v = uint64(uint32(v))
		}
		add(name, v, func(st *cpu.State, v uint64) error { st.GPR[i] = v; return nil })
	}
	add(prefix+"ip", st.RIP, func(st *cpu.State, v uint64) error { st.RIP = v; return nil })
	add(prefix+"flags", st.RFLAGS, func(st *cpu.State, v uint64) error {
		const free = idt.FlagCF | idt.FlagPF | idt.FlagAF | idt.FlagZF | idt.FlagSF | idt.FlagTF | idt.FlagIF | idt.FlagDF | idt.FlagOF | idt.FlagIOPL | idt.FlagNT | idt.FlagAC | idt.FlagID
		if (v^st.RFLAGS)&^free != 0 {
			return fmt.Errorf("of the flags, 0x%x cannot be changed here", (v^st.RFLAGS)&^free)
		}
		st.RFLAGS = v
		return nil
	})
	flags := all[len(all)-1]
	flags.memory, flags.watch = "", ""
	flags.value += " " + bits(st.RFLAGS, debug.FlagBits)
	return append(all, leaf("cpl", "%d", st.CPL), leaf("tick", "%d", st.Ticks))
}

// pointsTo is the linear address that a general register is taken to point to: by
// the segment that it goes with by default. [SDM 1, Segment Registers]
func pointsTo(m *machine.Machine, st *cpu.State, name string, v uint64) uint64 {
	if wide(m) {
		return v
	}
	seg := decode.DS
	switch name {
	case "esp", "ebp":
		seg = decode.SS
	case "eip":
		seg = decode.CS
	}
	return uint64(uint32(st.Seg[seg].Base + v))
}

// setter makes the change of a register of the present.
func (c *client) setter(name string, size int, set func(*cpu.State, uint64) error) func(uint64) (func(*machine.Machine), error) {
	return func(v uint64) (func(*machine.Machine), error) {
		if size == 4 && v > math.MaxUint32 {
			return nil, fmt.Errorf("0x%x does not fit into %s", v, name)
		}
		_, now := c.t.Present()
		if err := set(&now, v); err != nil {
			return nil, err
		}
		return func(m *machine.Machine) {
			st := m.CPU.State()
			if err := set(&st, v); err != nil {
				panic("BUG: " + err.Error())
			}
			m.CPU.SetState(st)
		}, nil
	}
}

// segments are the segment registers with their hidden parts.
func segments(st *cpu.State) []*node {
	var all []*node
	add := func(name string, s *idt.Segment) {
		all = append(all, branch(name, fmt.Sprintf("0x%04x  base 0x%x limit 0x%x", s.Sel, s.Base, s.Limit),
			leaf("selector", "0x%04x: %s index %d, RPL %d", s.Sel, [2]string{"GDT", "LDT"}[s.Sel>>2&1], s.Sel>>3, s.Sel&3),
			leaf("base", "0x%x", s.Base), leaf("limit", "0x%x", s.Limit), leaf("attributes", "0x%04x  %s", uint16(s.Attr), attributes(s.Attr))))
	}
	for i := range st.Seg {
		add(strings.ToLower(decode.SegReg(i).String()), &st.Seg[i])
	}
	add("ldtr", &st.LDTR)
	add("tr", &st.TR)
	for _, t := range []struct {
		name string
		at   *idt.Table
	}{{"gdtr", &st.GDTR}, {"idtr", &st.IDTR}} {
		n := leaf(t.name, "base 0x%x limit 0x%x", t.at.Base, t.at.Limit)
		n.memory = reference(uint64(t.at.Base))
		all = append(all, n)
	}
	return all
}

// attributes tells a cached descriptor's rights. [SDM 3A, Segment Descriptors]
func attributes(a idt.Attr) string {
	return fmt.Sprintf("type 0x%x DPL %d %s", uint16(a&idt.AttrType), a>>5&3, debug.BitList(uint64(a), debug.AttrBits))
}

// bits names those that are set.
func bits(v uint64, names []debug.BitName) string { return "[" + debug.BitList(v, names) + "]" }

// control are the control and debug registers, and the MSRs of system calls.
func control(st *cpu.State) []*node {
	cr2 := leaf("cr2", "0x%x", st.CR2)
	cr2.memory, cr2.watch = reference(st.CR2), fmt.Sprintf("write 0x%x 4", st.CR2)
	cr3 := leaf("cr3", "0x%x", st.CR3)
	cr3.memory = physicalReference(st.CR3 &^ mmu.PageMask)
	all := []*node{
		leaf("cr0", "0x%x %s", st.CR0, bits(st.CR0, debug.CR0Bits)), cr2, cr3,
		leaf("cr4", "0x%x %s", st.CR4, bits(st.CR4, debug.CR4Bits)), leaf("cr8", "0x%x", st.CR8),
		leaf("efer", "0x%x %s", st.EFER, bits(st.EFER, debug.EFERBits)), leaf("pkru", "0x%x", st.PKRU),
	}
	for _, i := range []int{0, 1, 2, 3, 6, 7} {
		all = append(all, leaf(fmt.Sprintf("dr%d", i), "0x%x", st.DR[i]))
	}
	msr := &st.MSR
	return append(all, leaf("star", "0x%x", msr.STAR), leaf("lstar", "0x%x", msr.LSTAR), leaf("sfmask", "0x%x", msr.SFMASK),
		leaf("kernel_gs_base", "0x%x", msr.KernelGSBase), leaf("sysenter_cs", "0x%x", msr.SysenterCS),
		leaf("sysenter_esp", "0x%x", msr.SysenterESP), leaf("sysenter_eip", "0x%x", msr.SysenterEIP))
}

// float are the registers of the x87 and of SSE.
func float(m *machine.Machine, st *cpu.State) []*node {
	f := &st.FP
	top := int(f.SW >> 11 & 7)
	var all []*node
	for i := range 8 {
		r, text := (top+i)&7, "empty"
		if f.Used>>r&1 != 0 {
			text = debug.Float80(f.R[r], -1)
		}
		all = append(all, branch(fmt.Sprintf("st%d", i), text, leaf("sign and exponent", "0x%04x", f.R[r].SE), leaf("significand", "0x%016x", f.R[r].Sig)))
	}
	all = append(all, leaf("fcw", "0x%04x", f.CW), leaf("fsw", "0x%04x  %s", f.SW, debug.X87Words(f)), leaf("ftw", "0x%04x", f.TagWord()))
	n := 8
	if wide(m) {
		n = 16
	}
	for i, v := range f.XMM[:n] {
		singles, doubles := debug.Lanes(v.Lo, v.Hi)
		all = append(all, branch(fmt.Sprintf("xmm%d", i), fmt.Sprintf("0x%016x%016x", v.Hi, v.Lo),
			leaf("singles", "%s", singles), leaf("doubles", "%s", doubles)))
	}
	return append(all, leaf("mxcsr", "0x%08x  %s", f.MXCSR, debug.MXCSRWords(f.MXCSR)), leaf("xcr0", "0x%x", f.XCR0))
}

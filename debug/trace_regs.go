package debug

import (
	"fmt"
	"strings"

	"x86emu/cpu"
	"x86emu/decode"
)

// Change is a register's new value: Index is its place in RegisterNames, High
// what is above 64 bits.
type Change struct {
	Index     int
	Low, High uint64
}

// register is one register as a trace tells of it.
type register struct {
	name string
	get  func(s *cpu.State) (low, high uint64)
}

// The registers of a trace: the general ones and flags, those of the system,
// those of the x87, MMX and SSE units. fprN is physical register N: ST(i) is that
// of number TOP+i, TOP being bits 13:11 of fsw.
var (
	coreRegisters   = coreTable()
	systemRegisters = systemTable()
	floatRegisters  = floatTable()
)

// RegisterNames lists the registers whose changes a trace tells, in their order.
func RegisterNames() (names []string) {
	for _, t := range [][]register{coreRegisters, systemRegisters, floatRegisters} {
		for _, r := range t {
			names = append(names, r.name)
		}
	}
	return names
}

func plain(name string, get func(s *cpu.State) uint64) register {
	return register{name, func(s *cpu.State) (uint64, uint64) { return get(s), 0 }}
}

func coreTable() (t []register) {
	for i, name := range strings.Fields("rax rcx rdx rbx rsp rbp rsi rdi r8 r9 r10 r11 r12 r13 r14 r15") {
		t = append(t, plain(name, func(s *cpu.State) uint64 { return s.GPR[i] }))
	}
	return append(t, plain("rflags", func(s *cpu.State) uint64 { return s.RFLAGS }))
}

func systemTable() (t []register) {
	add := func(name string, get func(s *cpu.State) uint64) { t = append(t, plain(name, get)) }
	for i := range decode.SegReg(6) {
		name := strings.ToLower(i.String())
		add(name, func(s *cpu.State) uint64 { return uint64(s.Seg[i].Sel) })
		add(name+".base", func(s *cpu.State) uint64 { return s.Seg[i].Base })
		add(name+".limit", func(s *cpu.State) uint64 { return uint64(s.Seg[i].Limit) })
		add(name+".attr", func(s *cpu.State) uint64 { return uint64(s.Seg[i].Attr) })
	}
	add("cpl", func(s *cpu.State) uint64 { return uint64(s.CPL) })
	add("ldtr", func(s *cpu.State) uint64 { return uint64(s.LDTR.Sel) })
	add("ldtr.base", func(s *cpu.State) uint64 { return s.LDTR.Base })
	add("tr", func(s *cpu.State) uint64 { return uint64(s.TR.Sel) })
	add("tr.base", func(s *cpu.State) uint64 { return s.TR.Base })
	add("gdtr.base", func(s *cpu.State) uint64 { return s.GDTR.Base })
	add("gdtr.limit", func(s *cpu.State) uint64 { return uint64(s.GDTR.Limit) })
	add("idtr.base", func(s *cpu.State) uint64 { return s.IDTR.Base })
	add("idtr.limit", func(s *cpu.State) uint64 { return uint64(s.IDTR.Limit) })
	add("cr0", func(s *cpu.State) uint64 { return s.CR0 })
	add("cr2", func(s *cpu.State) uint64 { return s.CR2 })
	add("cr3", func(s *cpu.State) uint64 { return s.CR3 })
	add("cr4", func(s *cpu.State) uint64 { return s.CR4 })
	add("cr8", func(s *cpu.State) uint64 { return s.CR8 })
	add("efer", func(s *cpu.State) uint64 { return s.EFER })
	add("pkru", func(s *cpu.State) uint64 { return uint64(s.PKRU) })
	for _, i := range []int{0, 1, 2, 3, 6, 7} {
		add(fmt.Sprintf("dr%d", i), func(s *cpu.State) uint64 { return s.DR[i] })
	}
	add("star", func(s *cpu.State) uint64 { return s.MSR.STAR })
	add("lstar", func(s *cpu.State) uint64 { return s.MSR.LSTAR })
	add("cstar", func(s *cpu.State) uint64 { return s.MSR.CSTAR })
	add("sfmask", func(s *cpu.State) uint64 { return s.MSR.SFMASK })
	add("kernel_gs_base", func(s *cpu.State) uint64 { return s.MSR.KernelGSBase })
	add("sysenter_cs", func(s *cpu.State) uint64 { return s.MSR.SysenterCS })
	add("sysenter_esp", func(s *cpu.State) uint64 { return s.MSR.SysenterESP })
	add("sysenter_eip", func(s *cpu.State) uint64 { return s.MSR.SysenterEIP })
	return t
}

func floatTable() (t []register) {
	t = append(t,
		plain("fcw", func(s *cpu.State) uint64 { return uint64(s.FP.CW) }),
		plain("fsw", func(s *cpu.State) uint64 { return uint64(s.FP.SW) }),
		plain("fused", func(s *cpu.State) uint64 { return uint64(s.FP.Used) }))
	for i := range 8 {
		t = append(t, register{fmt.Sprintf("fpr%d", i), func(s *cpu.State) (uint64, uint64) { return s.FP.R[i].Sig, uint64(s.FP.R[i].SE) }})
	}
	t = append(t, plain("mxcsr", func(s *cpu.State) uint64 { return uint64(s.FP.MXCSR) }), plain("xcr0", func(s *cpu.State) uint64 { return s.FP.XCR0 }))
	for i := range 16 {
		t = append(t, register{fmt.Sprintf("xmm%d", i), func(s *cpu.State) (uint64, uint64) { return s.FP.XMM[i].Lo, s.FP.XMM[i].Hi }})
	}
	return t
}

// appendChanges adds what differs between two states.
func appendChanges(to []Change, old, now *cpu.State) []Change {
	if old.GPR != now.GPR {
		for i, v := range now.GPR {
			if v != old.GPR[i] {
				to = append(to, Change{Index: i, Low: v})
			}
		}
	}
	if old.RFLAGS != now.RFLAGS {
		to = append(to, Change{Index: len(now.GPR), Low: now.RFLAGS})
	}
	same := old.Seg == now.Seg && old.CPL == now.CPL && old.LDTR == now.LDTR && old.TR == now.TR && old.GDTR == now.GDTR && old.IDTR == now.IDTR &&
		old.Control == now.Control && old.DR == now.DR && old.CR8 == now.CR8 && old.MSR == now.MSR
	if !same {
		to = appendTable(to, systemRegisters, len(coreRegisters), old, now)
	}
	if old.FP != now.FP {
		to = appendTable(to, floatRegisters, len(coreRegisters)+len(systemRegisters), old, now)
	}
	return to
}

func appendTable(to []Change, t []register, first int, old, now *cpu.State) []Change {
	for i := range t {
		low, high := t[i].get(now)
		if was, wasHigh := t[i].get(old); was != low || wasHigh != high {
			to = append(to, Change{first + i, low, high})
		}
	}
	return to
}

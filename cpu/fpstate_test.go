package cpu

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/idt"
	"x86emu/mmu"
)

// What the bits of CR0 and CR4 make of each kind of instruction.
// [SDM 3A, Table "Action Taken By Hardware for Different Combinations of EM, MP, and TS"; SDM 3A, Device Not Available Exception; SDM 2, SSE exceptions]
func TestUnitsByControlBits(t *testing.T) {
	const em, mp, ts = mmu.CR0EM, mmu.CR0MP, mmu.CR0TS
	const none = idt.Vector(0xff)
	all := []uint64{0, mp, ts, mp | ts, em, em | mp, em | ts, em | mp | ts}
	for _, c := range []struct {
		name, code string
		want       [8]idt.Vector // as in all, with CR4.OSFXSR
		without    idt.Vector    // with none of them and without OSFXSR
	}{
		{"x87", "d9 e8", [8]idt.Vector{none, none, idt.VecNM, idt.VecNM, idt.VecNM, idt.VecNM, idt.VecNM, idt.VecNM}, none},
		{"x87 that does not wait", "db e3", [8]idt.Vector{none, none, idt.VecNM, idt.VecNM, idt.VecNM, idt.VecNM, idt.VecNM, idt.VecNM}, none},
		{"FWAIT", "9b", [8]idt.Vector{none, none, none, idt.VecNM, none, none, none, idt.VecNM}, none},
		{"MMX", "0f ef c0", [8]idt.Vector{none, none, idt.VecNM, idt.VecNM, idt.VecUD, idt.VecUD, idt.VecUD, idt.VecUD}, none},
		{"MMX that came with SSE", "0f e0 c1", [8]idt.Vector{none, none, idt.VecNM, idt.VecNM, idt.VecUD, idt.VecUD, idt.VecUD, idt.VecUD}, none},
		{"EMMS", "0f 77", [8]idt.Vector{none, none, idt.VecNM, idt.VecNM, idt.VecUD, idt.VecUD, idt.VecUD, idt.VecUD}, none},
		{"SSE", "0f 57 c0", [8]idt.Vector{none, none, idt.VecNM, idt.VecNM, idt.VecUD, idt.VecUD, idt.VecUD, idt.VecUD}, idt.VecUD},
		{"SSE2 integers", "66 0f ef c0", [8]idt.Vector{none, none, idt.VecNM, idt.VecNM, idt.VecUD, idt.VecUD, idt.VecUD, idt.VecUD}, idt.VecUD},
		{"STMXCSR", "0f ae 1d 00 90 00 00", [8]idt.Vector{none, none, idt.VecNM, idt.VecNM, idt.VecUD, idt.VecUD, idt.VecUD, idt.VecUD}, idt.VecUD},
		{"FXSAVE", "0f ae 05 00 90 00 00", [8]idt.Vector{none, none, idt.VecNM, idt.VecNM, idt.VecNM, idt.VecNM, idt.VecNM, idt.VecNM}, none},
		{"XSAVE", "0f ae 25 00 90 00 00", [8]idt.Vector{none, none, idt.VecNM, idt.VecNM, none, none, idt.VecNM, idt.VecNM}, none},
		{"MOVNTI", "0f c3 05 00 90 00 00", [8]idt.Vector{none, none, none, none, none, none, none, none}, none},
		{"SFENCE", "0f ae f8", [8]idt.Vector{none, none, none, none, none, none, none, none}, none},
		{"CRC32", "f2 0f 38 f1 c0", [8]idt.Vector{none, none, none, none, none, none, none, none}, none},
	} {
		vector := func(cr0, cr4 uint64) idt.Vector {
			p := newTestCPU(t, "pm32")
			p.mmu.SetCR0(p.mmu.Ctl.CR0 | mmu.CR0NE | cr0)
			p.mmu.Ctl.CR4 |= cr4
			if e := p.exec1(c.code); e != nil {
				return e.Vector
			}
			return none
		}
		for i, bits := range all {
			assert.Equal(t, c.want[i], vector(bits, mmu.CR4OSFXSR|mmu.CR4OSXSAVE), "%s, CR0 %#x", c.name, bits)
		}
		assert.Equal(t, c.without, vector(0, mmu.CR4OSXSAVE), "%s without OSFXSR", c.name)
	}
}

// The environment in its four layouts, after FLD m32 at an address of its own.
// [SDM 1, Saving the x87 FPU's State with FSTENV/FNSTENV and FSAVE/FNSAVE]
func TestEnvironmentLayouts(t *testing.T) {
	const (
		ff   = 0xffff0000
		fld  = 0x106 // D9 06, D9 05: by the mode's ModRM
		fld5 = 0x105
	)
	for _, c := range []struct {
		name, model, mode  string
		load, store        string
		size               uint
		fop                uint64
		ip0, ip1, dp0, dp1 uint64
	}{
		{"real, 16 bits", "486", "real", "d9 06 00 90", "d9 36 00 91", 2, fld, testCode & 0xffff, testCode>>16<<12 | fld, 0x9000, 0},
		{"real, 32 bits", "486", "real", "d9 06 00 90", "66 d9 36 00 91", 4, fld, testCode&0xffff | ff, testCode>>16<<12 | fld, 0x9000 | ff, 0},
		{"virtual 8086", "pentium", "v86", "d9 06 00 90", "d9 36 00 91", 2, fld, testCode & 0xffff, testCode>>16<<12 | fld, 0x9000, 0},
		{"protected, 16 bits", "486", "pm32", "d9 05 00 90 00 00", "66 d9 35 00 91 00 00", 2, fld5, testCode & 0xffff, selCode32, 0x9000, selData},
		{"protected, 32 bits", "486", "pm32", "d9 05 00 90 00 00", "d9 35 00 91 00 00", 4, fld5, testCode, fld5<<16 | selCode32, 0x9000, selData | ff},
		{"since the Pentium 4 no opcode without an exception", "core2", "pm32", "d9 05 00 90 00 00", "d9 35 00 91 00 00", 4, 0, testCode, selCode32, 0x9000, selData | ff},
		{"selectors are not kept where CPUID says so", "max", "pm32", "d9 05 00 90 00 00", "d9 35 00 91 00 00", 4, 0, testCode, 0, 0x9000, ff},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newTestModel(t, c.model, c.mode)
			p.mmu.SetCR0(p.mmu.Ctl.CR0 | mmu.CR0NE)
			p.mustExec("db e3")
			p.mmu.Mem.Write(0x9000, 4, 0x3f800000)
			at := p.ip
			p.mustExec(c.load)
			p.mustExec(c.store)
			var got [4]uint64
			for i := range got {
				got[i] = p.mmu.Mem.Read(mmu.Phys(0x9100+(3+uint(i))*c.size), c.size)
			}
			ip := c.ip0 + (at - testCode) // of the load
			assert.Equal(t, fmt.Sprintf("%x", []uint64{ip, c.ip1, c.dp0, c.dp1}), fmt.Sprintf("%x", got[:]))
		})
	}
}

func TestOpcodeOfAnException(t *testing.T) {
	p := newTestModel(t, "max", "pm32")
	p.mmu.SetCR0(p.mmu.Ctl.CR0 | mmu.CR0NE)
	p.mmu.Mem.Write(0x9000, 2, 0x37b)
	for _, code := range []string{"db e3", "d9 2d 00 90 00 00", "d9 e8", "d9 ee"} {
		p.mustExec(code)
	}
	assert.Zero(t, p.s.FP.FOP)
	p.mustExec("de f9") // 1/0, unmasked
	assert.EqualValues(t, 0x6f9, p.s.FP.FOP)
	p.mustExec("db e2")
	p.mustExec("d9 c0")
	assert.EqualValues(t, 0x6f9, p.s.FP.FOP, "and no other replaces it")
}

func TestReservedBitsOfMXCSR(t *testing.T) {
	for _, c := range []struct {
		model string
		value uint64
		fault *idt.Event
	}{
		{"max", 0xffff, nil}, {"max", 0x10000, faultGP0}, {"max", 0x80001f80, faultGP0},
		{"pentium3", 0xffbf, nil}, {"pentium3", 0x1fc0, faultGP0},
	} {
		for name, code := range map[string]string{"LDMXCSR": "0f ae 15 18 90 00 00", "FXRSTOR": "0f ae 0d 00 90 00 00"} {
			t.Run(fmt.Sprintf("%s/%s %#x", c.model, name, c.value), func(t *testing.T) {
				p := newTestModel(t, c.model, "pm32")
				p.mmu.Ctl.CR4 |= mmu.CR4OSFXSR
				p.mmu.Mem.Write(0x9018, 4, c.value)
				at := p.ip
				p.requireFault(c.fault, p.exec1(code), at)
			})
		}
	}
}

// What XRSTOR refuses in the header, and XSETBV in its operands.
// [SDM 1, Standard Form of XRSTOR; Compacted Form of XRSTOR; SDM 2, XSETBV]
func TestXSAVERefusals(t *testing.T) {
	const compact = 1 << 63
	header := func(bv, comp uint64, rest ...mmu.Phys) func(c *testCPU) {
		return func(c *testCPU) {
			c.mmu.Mem.Write(0x9200, 8, bv)
			c.mmu.Mem.Write(0x9208, 8, comp)
			for _, at := range rest {
				c.mmu.Mem.Write(0x9200+at, 1, 1)
			}
			c.mmu.Mem.Write(0x9018, 4, 0x1f80)
		}
	}
	mxcsr := func(f func(c *testCPU)) func(c *testCPU) {
		return func(c *testCPU) { f(c); c.mmu.Mem.Write(0x901a, 2, 1) }
	}
	const xrstor, xsetbv = "0f ae 2d 00 90 00 00", "0f 01 d1"
	regs := func(ax, cx, dx uint64) func(c *testCPU) {
		return func(c *testCPU) { c.r[rAX], c.r[rCX], c.r[rDX] = ax, cx, dx }
	}
	for _, c := range []struct {
		rule  string
		code  string
		prep  func(c *testCPU)
		fault *idt.Event
	}{
		{"standard, nothing there", xrstor, header(0, 0), nil},
		{"standard, both there", xrstor, header(3, 0), nil},
		{"standard, a component that XCR0 has not", xrstor, header(4, 0), faultGP0},
		{"standard, XCOMP_BV not 0", xrstor, header(3, 3), faultGP0},
		{"standard, byte 16 not 0", xrstor, header(3, 0, 16), faultGP0},
		{"standard, byte 23 not 0", xrstor, header(3, 0, 23), faultGP0},
		{"standard, byte 24 is free", xrstor, header(3, 0, 24), nil},
		{"standard, MXCSR counts although SSE is not there", xrstor, mxcsr(header(1, 0)), faultGP0},
		{"compacted", xrstor, header(3, compact|3), nil},
		{"compacted, a component that XCR0 has not", xrstor, header(3, compact|7), faultGP0},
		{"compacted, one there that was not saved", xrstor, header(3, compact|1), faultGP0},
		{"compacted, byte 16 not 0", xrstor, header(3, compact|3, 16), faultGP0},
		{"compacted, byte 63 not 0", xrstor, header(3, compact|3, 63), faultGP0},
		{"compacted, MXCSR is not looked at where SSE is not there", xrstor, mxcsr(header(1, compact|3)), nil},
		{"not on 64 bytes", "0f ae 2d 10 90 00 00", header(0, 0), faultGP0},
		{"XSAVE not on 64 bytes", "0f ae 25 20 90 00 00", header(0, 0), faultGP0},
		{"XSETBV", xsetbv, regs(3, 0, 0), nil},
		{"XSETBV without x87", xsetbv, regs(2, 0, 0), faultGP0},
		{"XSETBV of AVX", xsetbv, regs(7, 0, 0), faultGP0},
		{"XSETBV of an upper bit", xsetbv, regs(3, 0, 1), faultGP0},
		{"XSETBV of another register", xsetbv, regs(3, 1, 0), faultGP0},
		{"XSETBV at CPL 3", xsetbv, func(c *testCPU) { c.user(); regs(3, 0, 0)(c) }, faultGP0},
		{"XGETBV of another register", "0f 01 d0", regs(0, 2, 0), faultGP0},
		{"without CR4.OSXSAVE", xrstor, func(c *testCPU) { c.mmu.Ctl.CR4 = 0 }, faultUD},
	} {
		t.Run(c.rule, func(t *testing.T) {
			p := newTestCPU(t, "pm32")
			p.mmu.Ctl.CR4 |= mmu.CR4OSXSAVE | mmu.CR4OSFXSR
			p.s.FP.XCR0 = 3
			p.r[rAX], p.r[rDX] = 0xffffffff, 0xffffffff
			c.prep(p)
			at := p.ip
			p.requireFault(c.fault, p.exec1(c.code), at)
		})
	}
}

// A frozen processor holds still until an interrupt, which returns to the instruction.
func TestFreeze(t *testing.T) {
	p := newTestCPU(t, "real")
	p.ferr = pins(false)
	p.s.FP.CW, p.s.FP.SW = 0x37b, swES|swB|4
	p.write("9b")
	at := p.ip
	require.Equal(t, StopTick, p.Step())
	assert.True(t, p.s.Halted)
	assert.Equal(t, at, p.ip)
	assert.Equal(t, StopHalt, p.Step())
	p.RaiseNMI()
	require.Equal(t, StopTick, p.Step())
	assert.False(t, p.s.Halted)
	assert.Equal(t, at&0xffff, p.mmu.Mem.Read(mmu.Phys(p.s.Seg[2].Base+p.r[rSP]), 2), "the return address")

	p = newTestCPU(t, "real")
	p.ferr = pins(true)
	p.s.FP.CW, p.s.FP.SW = 0x37b, swES|swB|4
	p.mustExec("9b")
	assert.False(t, p.s.Halted, "IGNNE# lets it pass")
}

// pins answers FERR# with a level of IGNNE#.
type pins bool

func (p pins) FERR(bool) bool { return bool(p) }

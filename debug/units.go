package debug

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"

	"x86emu/cpu"
	"x86emu/cpu/fp"
	"x86emu/decode"
	"x86emu/idt"
	"x86emu/mmu"
)

// The exceptions of x87 and SSE, in their places in the status word and MXCSR; the
// masks are in the same places of the control word and 7 bits up in MXCSR.
// [SDM 1, Floating-Point Exceptions]
var floatNames = []BitName{{0, "IE"}, {1, "DE"}, {2, "ZE"}, {3, "OE"}, {4, "UE"}, {5, "PE"}, {6, "SF"}}

const (
	floatBits  = 0x3f
	stackFault = 1 << 6 // of the status word: IE is for the stack
	mxcsrMasks = 7
)

// BitList names the bits that are set, separated by spaces.
func BitList(v uint64, names []BitName) string {
	var set []string
	for _, n := range names {
		if v>>n.Bit&1 != 0 {
			set = append(set, n.Name)
		}
	}
	return strings.Join(set, " ")
}

// rounding and precision are what the control word and MXCSR ask for.
// [SDM 1, Rounding Control; Precision Control]
var (
	rounding  = [4]string{"nearest", "down", "up", "to zero"}
	precision = [4]string{"24 bits", "reserved", "53 bits", "64 bits"}
)

// X87Words tells what the control and status words say: exceptions, condition
// bits, top of the stack.
func X87Words(p *cpu.FPState) string {
	s := fmt.Sprintf("TOP %d", p.SW>>11&7)
	for _, part := range []string{
		BitList(uint64(p.SW), floatNames), BitList(uint64(p.SW), []BitName{{8, "C0"}, {9, "C1"}, {10, "C2"}, {14, "C3"}, {7, "ES"}}),
	} {
		if part != "" {
			s += " " + part
		}
	}
	s += ", round " + rounding[p.CW>>10&3] + ", " + precision[p.CW>>8&3]
	if open := ^uint64(p.CW) & floatBits; open != 0 {
		s += ", unmasked " + BitList(open, floatNames)
	}
	return s
}

// MXCSRWords tells what MXCSR says.
func MXCSRWords(v uint32) string {
	s := "round " + rounding[v>>13&3]
	if v&floatBits != 0 {
		s = BitList(uint64(v&floatBits), floatNames) + ", " + s
	}
	if mode := BitList(uint64(v), []BitName{{6, "DAZ"}, {15, "FTZ"}}); mode != "" {
		s += ", " + mode
	}
	if open := ^uint64(v) >> mxcsrMasks & floatBits; open != 0 {
		s += ", unmasked " + BitList(open, floatNames)
	}
	return s
}

// Float80 writes a double-extended value in decimal with so many digits; -1: as
// many as tell it from its neighbours.
func Float80(v fp.F80, digits int) string {
	sign := ""
	if v.SE&0x8000 != 0 {
		sign = "-"
	}
	switch fp.ClassOf(v) {
	case fp.ClassZero:
		return sign + "0"
	case fp.ClassInfinite:
		return sign + "inf"
	case fp.ClassUnsupported:
		return "unsupported"
	case fp.ClassNaN:
		if v.Sig>>62&1 == 0 {
			return sign + "SNaN"
		}
		return sign + "NaN"
	}
	const bias, fraction = 16383, 63
	x := new(big.Float).SetMantExp(new(big.Float).SetUint64(v.Sig), int(max(v.SE&0x7fff, 1))-bias-fraction)
	return sign + x.Text('g', digits)
}

// Lanes writes the four singles and the two doubles of 128 bits, the lowest first.
func Lanes(lo, hi uint64) (singles, doubles string) {
	single := func(v uint64) string {
		return strconv.FormatFloat(float64(math.Float32frombits(uint32(v))), 'g', 6, 32)
	}
	double := func(v uint64) string { return strconv.FormatFloat(math.Float64frombits(v), 'g', 8, 64) }
	singles = strings.Join([]string{single(lo), single(lo >> 32), single(hi), single(hi >> 32)}, " ")
	return singles, double(lo) + " " + double(hi)
}

// FloatFault tells why #NM, #MF or #XM was raised.
type FloatFault struct {
	Why string `json:"why"`           // in words
	CR0 string `json:"cr0,omitempty"` // of #NM: the bits that keep the unit away: "TS", "EM", "EM TS"

	// What the unit has noted and how it is set: the x87's status and control word,
	// or MXCSR for both. Absent for #NM.
	Status   *Hex   `json:"status,omitempty"`
	Control  *Hex   `json:"control,omitempty"`
	Raised   string `json:"raised,omitempty"`   // exceptions noted since they were cleared: "ZE PE"
	Unmasked string `json:"unmasked,omitempty"` // those of them that are not masked

	// Of #MF: the x87 instruction that raised it, an earlier one.
	By *FloatInst `json:"by,omitempty"`
}

// FloatInst is the x87 instruction that FCS:FIP, FDS:FDP and FOP tell of. A model
// that keeps no selectors has 0 for them: its instruction is looked for in the
// present code segment.
type FloatInst struct {
	CS      Hex    `json:"cs"`
	RIP     Hex    `json:"rip"`
	Opcode  string `json:"opcode"`         // its two bytes
	Text    string `json:"text,omitempty"` // where its bytes can still be read
	DS      Hex    `json:"ds"`
	Operand Hex    `json:"operand"` // of it or an instruction before it: the last with one in memory
	At      *Place `json:"at,omitempty"`
}

// floatFault finds why an event was raised; nil for others than #NM, #MF, #XM.
func (r *Recorder) floatFault(ev *idt.Event) *FloatFault {
	if ev.Kind != idt.Exception {
		return nil
	}
	switch ev.Vector {
	case idt.VecNM:
		cr0 := r.m.MMU.Ctl.CR0
		return &FloatFault{Why: deviceWords(cr0), CR0: BitList(cr0, []BitName{{2, "EM"}, {3, "TS"}})}
	case idt.VecMF:
		st := r.m.CPU.State()
		p := &st.FP
		f := &FloatFault{Status: hexOf(p.SW), Control: hexOf(p.CW), By: r.lastX87(p)}
		f.exceptions("the x87's status word notes", uint64(p.SW&(floatBits|stackFault)), uint64(p.CW))
		return f
	case idt.VecXM:
		v := r.m.CPU.State().FP.MXCSR
		f := &FloatFault{Status: hexOf(v), Control: hexOf(v)}
		f.exceptions("MXCSR notes", uint64(v&floatBits), uint64(v)>>mxcsrMasks)
		return f
	}
	return nil
}

// exceptions tells those noted, and those that the masks let through.
func (f *FloatFault) exceptions(who string, noted, masks uint64) {
	f.Raised = BitList(noted, floatNames)
	f.Unmasked = BitList(noted&^masks&floatBits, floatNames)
	f.Why = fmt.Sprintf("%s %s; not masked: %s", who, f.Raised, f.Unmasked)
}

// deviceWords tells which bits of CR0 keep the units away.
// [SDM 3A, Interrupt 7—Device Not Available Exception (#NM)]
func deviceWords(cr0 uint64) string {
	var why []string
	if cr0&mmu.CR0EM != 0 {
		why = append(why, "CR0.EM is set: the x87 is to be emulated")
	}
	if cr0&mmu.CR0TS != 0 {
		why = append(why, "CR0.TS is set: the registers may be another task's")
	}
	return strings.Join(why, "; ")
}

// lastX87 describes the last x87 instruction that ran.
func (r *Recorder) lastX87(p *cpu.FPState) *FloatInst {
	i := &FloatInst{
		CS: Hex(p.FCS), RIP: Hex(p.FIP), DS: Hex(p.FDS), Operand: Hex(p.FDP),
		Opcode: fmt.Sprintf("%02x %02x", 0xd8|p.FOP>>8, p.FOP&0xff),
	}
	cs := r.m.CPU.Regs().Seg[decode.CS]
	if r.bits() != 64 && p.FCS != 0 && cs.Sel != p.FCS {
		return i // the base of its segment is not known here
	}
	lin := r.linear(cs.Base, p.FIP)
	i.At = r.place(lin)
	var in decode.Inst
	d := decode.Decoder{Features: r.m.CPU.Model.Features}
	if d.Decode(&in, r.code(lin, 15), decode.Mode(r.bits())) == decode.OK {
		i.Text = in.Intel(p.FIP)
	}
	return i
}

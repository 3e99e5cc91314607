package kvm

import (
	"encoding/binary"
	"fmt"

	"x86emu/diff/harness"
	"x86emu/mmu"
)

// Offsets in struct state of the image. [diff/harness/image/harness.h]
const (
	stateRIP      = 16 * 8
	stateRFLAGS   = 17 * 8
	stateFSBase   = 18 * 8
	stateGSBase   = 19 * 8
	stateCR0      = 20 * 8
	stateCR2      = 21 * 8
	stateCR3      = 22 * 8
	stateCR4      = 23 * 8
	stateEFER     = 24 * 8
	stateDR0      = 25 * 8
	stateTR       = 33 * 8 // descriptor, 16 bytes
	stateGDT      = 35*8 + 6
	stateIDT      = 37*8 + 6
	stateSegments = 39 * 8 // ES CS SS DS FS GS LDTR TR
	stateHow      = 41*8 + 4

	howLoadFS = 2
	howLoadGS = 4

	flagVM = 1 << 17
)

// begin loads a case: what the image does by an IRET is not in KVM's emulator, on
// which kvm_pvm has to rely.
func (m *machine) begin(at uint32) error {
	// The OUT that has asked for it is completed first.
	m.shared[runImmediate] = 1
	ioctl(m.cpu, runVCPU, 0)
	m.shared[runImmediate] = 0

	le := binary.LittleEndian
	state := m.ram[at:]
	quad := func(offset int) uint64 { return le.Uint64(state[offset:]) }
	if quad(stateCR4)&mmu.CR4PKE != 0 {
		return nil // PKRU is not loaded: the image tells that the case could not begin
	}

	s := make([]byte, 312)
	if err := ioctlBytes(m.cpu, getSregs, s); err != nil {
		return fmt.Errorf("KVM does not tell the system registers: %w", err)
	}
	how := le.Uint32(state[stateHow:])
	ldt := m.descriptor(state, le.Uint16(state[stateSegments+12:]), nil)
	cpl := byte(le.Uint16(state[stateSegments+2:]) & 3)
	// KVM has CS DS ES FS GS SS.
	for i, from := range []int{1, 3, 0, 4, 5, 2} {
		sel := le.Uint16(state[stateSegments+2*from:])
		seg := segment{selector: sel, unusable: true, dpl: cpl}
		switch {
		case quad(stateRFLAGS)&flagVM != 0:
			seg = segment{base: uint64(sel) << 4, limit: 0xffff, selector: sel, kind: 3, system: 1, present: 1, dpl: 3}
		case sel&^3 != 0:
			seg = m.descriptor(state, sel, &ldt)
		}
		if from == 4 && how&howLoadFS != 0 {
			seg.base = quad(stateFSBase)
		}
		if from == 5 && how&howLoadGS != 0 {
			seg.base = quad(stateGSBase)
		}
		if from == 2 {
			seg.dpl = cpl
			if quad(stateRFLAGS)&flagVM != 0 {
				seg.dpl = 3
			}
		}
		seg.put(s[24*i:])
	}
	tr := segmentOf(le.Uint16(state[stateSegments+14:]), quad(stateTR), quad(stateTR+8))
	tr.kind |= 2 // busy
	tr.put(s[24*6:])
	ldt.put(s[24*7:])
	const tables, control = 8 * 24, 8*24 + 2*16
	for i, from := range []int{stateGDT, stateIDT} {
		le.PutUint64(s[tables+16*i:], quad(from+2))
		le.PutUint16(s[tables+16*i+8:], le.Uint16(state[from:]))
	}
	for i, v := range []uint64{quad(stateCR0), quad(stateCR2), quad(stateCR3), quad(stateCR4), 0, quad(stateEFER)} {
		le.PutUint64(s[control+8*i:], v)
	}
	if err := ioctlBytes(m.cpu, setSregs, s); err != nil {
		return nil // as above
	}
	d := make([]byte, 128)
	copy(d, state[stateDR0:stateDR0+4*8])
	copy(d[4*8:], state[stateDR0+6*8:stateDR0+8*8])
	if err := ioctlBytes(m.cpu, setDebugRegs, d); err != nil {
		return fmt.Errorf("KVM does not take the debug registers: %w", err)
	}
	// KVM has RAX RBX RCX RDX RSI RDI RSP RBP R8 to R15, RIP, RFLAGS.
	r := make([]byte, 18*8)
	for i, from := range []int{0, 3, 1, 2, 6, 7, 4, 5, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17} {
		copy(r[8*i:], state[8*from:8*from+8])
	}
	if err := ioctlBytes(m.cpu, setRegs, r); err != nil {
		return fmt.Errorf("KVM does not take the registers: %w", err)
	}
	return nil
}

// segment is struct kvm_segment.
type segment struct {
	base     uint64
	limit    uint32
	selector uint16
	kind     byte // type
	present  byte
	dpl      byte
	db       byte
	system   byte // S
	l, g     byte
	avl      byte
	unusable bool
}

func (s *segment) put(to []byte) {
	le := binary.LittleEndian
	le.PutUint64(to, s.base)
	le.PutUint32(to[8:], s.limit)
	le.PutUint16(to[12:], s.selector)
	unusable := byte(0)
	if s.unusable {
		unusable = 1
	}
	copy(to[14:], []byte{s.kind, s.present, s.dpl, s.db, s.system, s.l, s.g, s.avl, unusable, 0})
}

// descriptor is what a selector stands for, by the case's tables.
func (m *machine) descriptor(state []byte, sel uint16, ldt *segment) segment {
	le := binary.LittleEndian
	if sel&^3 == 0 {
		return segment{selector: sel, unusable: true}
	}
	base := le.Uint64(state[stateGDT+2:])
	if sel&4 != 0 && ldt != nil {
		base = ldt.base
	}
	at := harness.Physical(base) + uint64(sel&^7)
	if at+16 > uint64(len(m.ram)) {
		return segment{selector: sel, unusable: true}
	}
	return segmentOf(sel, le.Uint64(m.ram[at:]), le.Uint64(m.ram[at+8:]))
}

// segmentOf takes a descriptor apart; upper is the rest of a system segment's in
// IA-32e mode. [SDM 3A, Segment Descriptors]
func segmentOf(sel uint16, d, upper uint64) segment {
	s := segment{
		selector: sel,
		base:     d>>16&0xffffff | d>>56<<24,
		limit:    uint32(d&0xffff | d>>32&0xf0000),
		kind:     byte(d >> 40 & 15), system: byte(d >> 44 & 1), dpl: byte(d >> 45 & 3), present: byte(d >> 47 & 1),
		avl: byte(d >> 52 & 1), l: byte(d >> 53 & 1), db: byte(d >> 54 & 1), g: byte(d >> 55 & 1),
	}
	if s.g != 0 {
		s.limit = s.limit<<12 | 0xfff
	}
	if s.system == 0 && upper>>32 == 0 { // else it is the next descriptor
		s.base |= upper << 32
	} else if s.system != 0 {
		s.kind |= 1 // accessed
	}
	return s
}

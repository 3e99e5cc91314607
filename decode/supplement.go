package decode

// A row of the supplement says what an encoding means where x86asm does not
// know it or is wrong. Rows are tried in order; a row whose feature the model
// lacks leaves the encoding to the rows after it.
type row struct {
	code uint16  // map in the high byte, opcode in the low one
	last uint8   // last opcode of a range, or 0
	pfx  pfxSet  // mandatory prefixes; 0: any
	mod  modSet  // 0: any
	reg  uint8   // set of ModRM.reg; 0: any
	rm   uint8   // set of ModRM.rm; 0: any
	in   modeSet // 0: any
	op   Op      // 0: undefined
	args string  // operands in the manual's letters
	need Feature
}

// Which of the mandatory prefixes is in force: F2 and F3 before 66.
type pfxSet uint8

const (
	np pfxSet = 1 << iota
	p66
	pF3
	pF2
)

type modSet uint8

const (
	mem modSet = 1 << iota
	reg
)

type modeSet uint8

const (
	m16 modeSet = 1 << iota
	m32
	m64
)

// Sets of values of a three-bit field.
const (
	s0 = 1 << iota
	s1
	s2
	s3
	s4
	s5
	s6
	s7
)

// pfx gives the key's mandatory prefix.
func (k formKey) pfx() pfxSet {
	switch {
	case k.has(keyRep):
		return pF3
	case k.has(keyRepne):
		return pF2
	case k.has(key66):
		return p66
	}
	return np
}

func (r *row) matches(k formKey) bool {
	op := k.opcode()
	switch {
	case k.opMap() != uint8(r.code>>8):
		return false
	case op != uint8(r.code) && (r.last == 0 || op < uint8(r.code) || op > r.last):
		return false
	case r.pfx != 0 && r.pfx&k.pfx() == 0:
		return false
	case r.reg != 0 && r.reg>>k.reg()&1 == 0:
		return false
	case r.rm != 0 && r.rm>>k.rm()&1 == 0:
		return false
	case r.mod != 0 && (r.mod == reg) != k.has(keyMod3):
		return false
	case r.in != 0 && r.in>>(k.mode()>>5)&1 == 0:
		return false
	}
	return true
}

const (
	map0F   = 0x100
	map0F38 = 0x200
	map0F3A = 0x300
)

// supplement holds the rows, map by map.
var supplement = []row{
	// One-byte map.
	{code: 0x63, in: m64, op: MOVSXD, args: "Gv Ez"},
	{code: 0x82, reg: s0, in: m16 | m32, op: ADD, args: "Eb Ib"}, // 82 is an alias of 80
	{code: 0x82, reg: s1, in: m16 | m32, op: OR, args: "Eb Ib"},
	{code: 0x82, reg: s2, in: m16 | m32, op: ADC, args: "Eb Ib"},
	{code: 0x82, reg: s3, in: m16 | m32, op: SBB, args: "Eb Ib"},
	{code: 0x82, reg: s4, in: m16 | m32, op: AND, args: "Eb Ib"},
	{code: 0x82, reg: s5, in: m16 | m32, op: SUB, args: "Eb Ib"},
	{code: 0x82, reg: s6, in: m16 | m32, op: XOR, args: "Eb Ib"},
	{code: 0x82, reg: s7, in: m16 | m32, op: CMP, args: "Eb Ib"},
	{code: 0x8e, reg: s1}, // MOV to CS
	{code: 0x90, pfx: pF3, op: PAUSE, need: FeatSSE2},
	{code: 0x90, pfx: pF3, op: NOP},
	{code: 0xc0, reg: s6, op: SHL, args: "Eb Ib"}, // /6 is an alias of /4
	{code: 0xc1, reg: s6, op: SHL, args: "Ev Ib"},
	{code: 0xd0, reg: s6, op: SHL, args: "Eb 1"},
	{code: 0xd1, reg: s6, op: SHL, args: "Ev 1"},
	{code: 0xd2, reg: s6, op: SHL, args: "Eb CL"},
	{code: 0xd3, reg: s6, op: SHL, args: "Ev CL"},
	{code: 0xd6, in: m16 | m32, op: SALC},
	{code: 0xf6, reg: s1, op: TEST, args: "Eb Ib"}, // /1 is an alias of /0
	{code: 0xf7, reg: s1, op: TEST, args: "Ev Iz"},

	// x87 aliases and the no-longer instructions of the 8087 and 287.
	{code: 0xd9, mod: reg, reg: s3, op: FSTP, args: "Si"},
	{code: 0xdb, mod: reg, reg: s4, rm: s0 | s1 | s4, op: FNOP}, // FNENI, FNDISI, FNSETPM
	{code: 0xdc, mod: reg, reg: s2, op: FCOM, args: "Si"},
	{code: 0xdc, mod: reg, reg: s3, op: FCOMP, args: "Si"},
	{code: 0xdd, mod: reg, reg: s1, op: FXCH, args: "Si"},
	{code: 0xde, mod: reg, reg: s2, op: FCOMP, args: "Si"},
	{code: 0xdf, mod: reg, reg: s1, op: FXCH, args: "Si"},
	{code: 0xdf, mod: reg, reg: s2 | s3, op: FSTP, args: "Si"},

	// 0F 01: system instructions named by ModRM.
	{code: map0F | 0x01, mod: reg, reg: s0, rm: s1, pfx: np, op: VMCALL, need: FeatVMX},
	{code: map0F | 0x01, mod: reg, reg: s0, rm: s2, pfx: np, op: VMLAUNCH, need: FeatVMX},
	{code: map0F | 0x01, mod: reg, reg: s0, rm: s3, pfx: np, op: VMRESUME, need: FeatVMX},
	{code: map0F | 0x01, mod: reg, reg: s0, rm: s4, pfx: np, op: VMXOFF, need: FeatVMX},
	{code: map0F | 0x01, mod: reg, reg: s1, rm: s2, pfx: np, op: CLAC, need: FeatSMAP},
	{code: map0F | 0x01, mod: reg, reg: s1, rm: s3, pfx: np, op: STAC, need: FeatSMAP},
	{code: map0F | 0x01, mod: reg, reg: s1, rm: s7, pfx: np, op: ENCLS, need: FeatSGX},
	{code: map0F | 0x01, mod: reg, reg: s1, pfx: p66 | pF3 | pF2}, // MONITOR, MWAIT, CLAC, STAC with a prefix
	{code: map0F | 0x01, mod: reg, reg: s2, rm: s7, pfx: np, op: ENCLU, need: FeatSGX},
	{code: map0F | 0x01, mod: reg, reg: s2, pfx: p66 | pF3 | pF2}, // XGETBV, XSETBV, XEND, XTEST with a prefix
	{code: map0F | 0x01, mod: reg, reg: s3, rm: s0, op: VMRUN, need: FeatSVM},
	{code: map0F | 0x01, mod: reg, reg: s3, rm: s1, op: VMMCALL, need: FeatSVM},
	{code: map0F | 0x01, mod: reg, reg: s3, rm: s2, op: VMLOAD, need: FeatSVM},
	{code: map0F | 0x01, mod: reg, reg: s3, rm: s3, op: VMSAVE, need: FeatSVM},
	{code: map0F | 0x01, mod: reg, reg: s3, rm: s4, op: STGI, need: FeatSVM},
	{code: map0F | 0x01, mod: reg, reg: s3, rm: s5, op: CLGI, need: FeatSVM},
	{code: map0F | 0x01, mod: reg, reg: s3, rm: s6, op: SKINIT, need: FeatSVM},
	{code: map0F | 0x01, mod: reg, reg: s3, rm: s7, op: INVLPGA, need: FeatSVM},
	{code: map0F | 0x01, mod: reg, reg: s5, rm: s0, pfx: np, op: SERIALIZE, need: FeatSERIALIZE},
	{code: map0F | 0x01, mod: reg, reg: s5, rm: s6, pfx: np, op: RDPKRU, need: FeatPKU},
	{code: map0F | 0x01, mod: reg, reg: s5, rm: s7, pfx: np, op: WRPKRU, need: FeatPKU},
	{code: map0F | 0x01, mod: reg, reg: s7, rm: s0, in: m16 | m32}, // SWAPGS
	{code: map0F | 0x01, mod: reg, reg: s7, rm: s2, pfx: np, op: MONITORX, need: FeatMONITORX},
	{code: map0F | 0x01, mod: reg, reg: s7, rm: s3, pfx: np, op: MWAITX, need: FeatMONITORX},
	{code: map0F | 0x01, mod: reg, reg: s7, rm: s4, pfx: np, op: CLZERO, need: FeatCLZERO},
	{code: map0F | 0x01, mod: reg, reg: s7, rm: s5, pfx: np, op: RDPRU, need: FeatRDPRU},

	// SYSCALL and SYSRET exist in 64-bit mode only on Intel, also in compatibility mode on AMD. We follow Intel.
	{code: map0F | 0x05, in: m16 | m32},
	{code: map0F | 0x07, in: m16 | m32},
	{code: map0F | 0x09, pfx: pF3, op: WBNOINVD, need: FeatWBNOINVD},

	// 0F 0D: a NOP on every processor that knows 64-bit mode or PREFETCHW.
	{code: map0F | 0x0d, mod: mem, reg: s1, op: PREFETCHW, args: "Mb", need: FeatPREFETCHW},
	{code: map0F | 0x0d, op: NOP, args: "Ev", need: FeatPREFETCHW},
	{code: map0F | 0x0d, op: NOP, args: "Ev", need: FeatLM},
	{code: map0F | 0x0d},

	// MOVLPD and MOVHPD have no register form.
	{code: map0F | 0x12, last: 0x13, mod: reg, pfx: p66},
	{code: map0F | 0x16, last: 0x17, mod: reg, pfx: p66},

	// 0F 18 to 0F 1F: hints, which a P6 takes for NOPs and older processors do not know.
	{code: map0F | 0x18, mod: mem, reg: s0, op: PREFETCHNTA, args: "Mb", need: FeatSSE},
	{code: map0F | 0x18, mod: mem, reg: s1, op: PREFETCHT0, args: "Mb", need: FeatSSE},
	{code: map0F | 0x18, mod: mem, reg: s2, op: PREFETCHT1, args: "Mb", need: FeatSSE},
	{code: map0F | 0x18, mod: mem, reg: s3, op: PREFETCHT2, args: "Mb", need: FeatSSE},
	{code: map0F | 0x1e, mod: reg, pfx: pF3, reg: s7, rm: s2, op: ENDBR64, need: FeatCET},
	{code: map0F | 0x1e, mod: reg, pfx: pF3, reg: s7, rm: s3, op: ENDBR32, need: FeatCET},
	{code: map0F | 0x1e, mod: reg, pfx: pF3, reg: s1, op: RDSSP, args: "Ey", need: FeatCET},
	{code: map0F | 0x18, last: 0x1f, op: NOP, args: "Ev", need: FeatP6},
	{code: map0F | 0x18, last: 0x1f},

	// Control, debug and test registers: CR1, CR5 to CR7 and the test registers do not exist.
	{code: map0F | 0x20, reg: s1 | s5 | s6 | s7},
	{code: map0F | 0x22, reg: s1 | s5 | s6 | s7},
	{code: map0F | 0x24, last: 0x27},

	// No prefix goes with these.
	{code: map0F | 0x52, last: 0x53, pfx: p66 | pF2}, // RSQRTPS, RCPPS
	{code: map0F | 0x77, pfx: p66 | pF3 | pF2},       // EMMS
	{code: map0F | 0xc3, pfx: p66 | pF3 | pF2},       // MOVNTI

	{code: map0F | 0x78, pfx: np, op: VMREAD, args: "Ex Gx", need: FeatVMX},
	{code: map0F | 0x79, pfx: np, op: VMWRITE, args: "Gx Ex", need: FeatVMX},

	{code: map0F | 0xb9, op: UD1, args: "Gv Ev"},
	{code: map0F | 0xbc, pfx: pF3, op: TZCNT, args: "Gv Ev", need: FeatBMI1},
	{code: map0F | 0xbc, pfx: pF3, op: BSF, args: "Gv Ev"},
	{code: map0F | 0xbd, pfx: pF3, op: LZCNT, args: "Gv Ev", need: FeatLZCNT},
	{code: map0F | 0xbd, pfx: pF3, op: BSR, args: "Gv Ev"},
	{code: map0F | 0xff, op: UD0, args: "Gv Ev"},

	// 0F AE, group 15.
	{code: map0F | 0xae, mod: mem, pfx: p66, reg: s7, op: CLFLUSHOPT, args: "Mb", need: FeatCLFLUSHOPT},
	{code: map0F | 0xae, mod: mem, pfx: p66, reg: s6, op: CLWB, args: "Mb", need: FeatCLWB},
	{code: map0F | 0xae, mod: mem, pfx: pF3, reg: s6, op: CLRSSBSY, args: "Mq", need: FeatCET},
	{code: map0F | 0xae, pfx: pF3, reg: s4, op: PTWRITE, args: "Ey", need: FeatPTWRITE},
	{code: map0F | 0xae, mod: mem, pfx: p66 | pF3 | pF2},
	{code: map0F | 0xae, mod: reg, pfx: np, reg: s5, op: LFENCE, need: FeatSSE2}, // whatever rm
	{code: map0F | 0xae, mod: reg, pfx: np, reg: s6, op: MFENCE, need: FeatSSE2},
	{code: map0F | 0xae, mod: reg, pfx: np, reg: s7, op: SFENCE, need: FeatSSE},
	{code: map0F | 0xae, mod: reg, pfx: np, reg: s5 | s6 | s7},
	{code: map0F | 0xae, mod: reg, pfx: pF3, reg: s5, op: INCSSP, args: "Ey", need: FeatCET},
	{code: map0F | 0xae, mod: reg, pfx: p66, reg: s6, op: TPAUSE, args: "Ed", need: FeatWAITPKG},
	{code: map0F | 0xae, mod: reg, pfx: pF2, reg: s6, op: UMWAIT, args: "Ed", need: FeatWAITPKG},
	{code: map0F | 0xae, mod: reg, pfx: pF3, reg: s6, op: UMONITOR, args: "Ea", need: FeatWAITPKG},
	{code: map0F | 0xae, mod: reg, pfx: pF3, reg: s4 | s5 | s6 | s7},
	{code: map0F | 0xae, mod: reg, pfx: pF3, in: m16 | m32}, // RDFSBASE and its kin
	{code: map0F | 0xae, mod: reg, pfx: p66 | pF2},

	// 0F C7, group 9.
	{code: map0F | 0xc7, mod: mem, reg: s3 | s4 | s5, pfx: p66 | pF3 | pF2}, // XRSTORS, XSAVEC, XSAVES
	{code: map0F | 0xc7, mod: mem, reg: s6, pfx: np, op: VMPTRLD, args: "Mq", need: FeatVMX},
	{code: map0F | 0xc7, mod: mem, reg: s6, pfx: p66, op: VMCLEAR, args: "Mq", need: FeatVMX},
	{code: map0F | 0xc7, mod: mem, reg: s6, pfx: pF3, op: VMXON, args: "Mq", need: FeatVMX},
	{code: map0F | 0xc7, mod: mem, reg: s7, pfx: np, op: VMPTRST, args: "Mq", need: FeatVMX},
	{code: map0F | 0xc7, mod: mem, reg: s6 | s7},
	{code: map0F | 0xc7, mod: reg, reg: s6, pfx: np | p66, op: RDRAND, args: "Ev", need: FeatRDRAND},
	{code: map0F | 0xc7, mod: reg, reg: s7, pfx: np | p66, op: RDSEED, args: "Ev", need: FeatRDSEED},
	{code: map0F | 0xc7, mod: reg, reg: s7, pfx: pF3, op: RDPID, args: "Ex", need: FeatRDPID},
	{code: map0F | 0xc7, mod: reg},

	// 0F 38 and 0F 3A.
	{code: map0F38 | 0x80, mod: mem, pfx: p66, op: INVEPT, args: "Gx Mo", need: FeatVMX},
	{code: map0F38 | 0x81, mod: mem, pfx: p66, op: INVVPID, args: "Gx Mo", need: FeatVMX},
	{code: map0F38 | 0xc8, last: 0xcd, pfx: p66 | pF3 | pF2}, // SHA
	{code: map0F38 | 0xf0, last: 0xf1, pfx: pF3},             // MOVBE
	{code: map0F38 | 0xf6, pfx: p66, op: ADCX, args: "Gy Ey", need: FeatADX},
	{code: map0F38 | 0xf6, pfx: pF3, op: ADOX, args: "Gy Ey", need: FeatADX},
	{code: map0F38 | 0xf8, mod: mem, pfx: p66, op: MOVDIR64B, args: "Ga M", need: FeatMOVDIR64B},
	{code: map0F38 | 0xf8, mod: mem, pfx: pF2, op: ENQCMD, args: "Ga M", need: FeatENQCMD},
	{code: map0F38 | 0xf8, mod: mem, pfx: pF3, op: ENQCMDS, args: "Ga M", need: FeatENQCMD},
	{code: map0F38 | 0xf9, mod: mem, pfx: np, op: MOVDIRI, args: "My Gy", need: FeatMOVDIRI},
	{code: map0F3A | 0xcc, pfx: p66 | pF3 | pF2}, // SHA1RNDS4
}

// form makes the form of a row for a key.
func (r *row) form(k formKey) *form {
	f := &form{key: k, op: r.op, need: r.need}
	for s := r.args; s != ""; f.nargs++ {
		var word string
		word, s = cut(s)
		f.args[f.nargs] = k.operand(word)
	}
	f.complete()
	return f
}

func cut(s string) (word, rest string) {
	for i := range s {
		if s[i] == ' ' {
			return s[:i], s[i+1:]
		}
	}
	return s, ""
}

// operand translates the manual's operand letters. Beside those of the manual,
// x is the native size (64 bits in 64-bit mode), a the address size.
// [SDM 2, Key to Abbreviations]
func (k formKey) operand(word string) template {
	size := k.opSize()
	if len(word) > 1 {
		switch word[1] {
		case 'b':
			size = 1
		case 'd':
			size = 4
		case 'q':
			size = 8
		case 'o':
			size = 16
		case 'z':
			size = min(size, 4)
		case 'y':
			size = 4
			if k.has(keyW) {
				size = 8
			}
		case 'x':
			size = 4
			if k.mode() == Mode64 {
				size = 8
			}
		case 'a':
			size = addrSize(k.mode(), k.prefixes())
		}
	}
	switch word[0] {
	case 'C':
		return template{arg: Arg{Kind: ArgReg, Num: 1, Size: 1}}
	case '1':
		return template{arg: Arg{Kind: ArgOne}}
	case 'I':
		return template{arg: Arg{Kind: ArgImm}}
	case 'S':
		return template{arg: Arg{Kind: ArgST, Size: 10}, from: fromRM, mask: 7}
	case 'G':
		return template{arg: Arg{Kind: ArgReg, Size: size}, from: fromReg, mask: 15}
	case 'M':
		if len(word) == 1 {
			size = 0
		}
		return template{arg: Arg{Kind: ArgMem, Size: size}}
	case 'E':
		if k.has(keyMod3) {
			return template{arg: Arg{Kind: ArgReg, Size: size}, from: fromRM, mask: 15}
		}
		return template{arg: Arg{Kind: ArgMem, Size: size}}
	}
	panic("BUG: unknown operand letter in the supplement: " + word)
}

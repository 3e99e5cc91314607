package harness

import (
	"x86emu/decode"
	"x86emu/diff"
	"x86emu/idt"
	"x86emu/mmu"
)

// The hidden pages of the user world: what an operating system has around a
// process. Linear addresses are those of the upper half, at userKernel.
const (
	userSystem diff.Offset = (5 + iota) * diff.PageSize // GDT, LDT, TSS
	userIDT
	userStack // for CPL 0
	userPML4
	userLowPDPT
	userLowPD
	userHighPDPT
	userHighPD
	userImagePT
	userArenaPT
	userCodePT
	userDataPT
	userFramePDPT
	userFramePD
	userFramePT
	userFramePage

	userGDT      = userSystem
	userLDT      = userSystem + 0x400
	userTask     = userSystem + 0x800
	userStackTop = userStack + diff.PageSize

	userKernel = 0xffff_8000_0000_0000
	userFrames = userKernel + 1<<39 // the next entry of the PML4

	userTR, userLDTR = 0x40, 0x50

	// userPages are those that a case can change, and the stack.
	userPages = 1<<5 - 1 | 1<<(userStack/diff.PageSize)
)

// kernelLinear is where a hidden page lies.
func kernelLinear(at diff.Offset) uint64 { return userKernel + uint64(at) }

// The TSS's descriptor, 16 bytes.
var (
	userTSS      = diff.SegmentDescriptor(kernelLinear(userTask), 0x67, diff.AccessBusy, 0)
	userTSSUpper = kernelLinear(userTask) >> 32
)

// userArena is the arena of a user world with the hidden pages filled in.
func userArena(w *diff.World) []byte {
	a := append([]byte(nil), w.Arena...)
	for i, d := range diff.UserGDT {
		diff.Put64(a, userGDT+8*diff.Offset(i), d)
	}
	for i, d := range diff.UserLDT {
		diff.Put64(a, userLDT+8*diff.Offset(i), d)
	}
	diff.Put64(a, userGDT+userTR, userTSS)
	diff.Put64(a, userGDT+userTR+8, userTSSUpper)
	diff.Put64(a, userGDT+userLDTR, diff.SegmentDescriptor(kernelLinear(userLDT), uint32(8*len(diff.UserLDT)-1), diff.AccessLDT, 0))
	diff.Put64(a, userGDT+userLDTR+8, kernelLinear(userLDT)>>32)
	diff.Put64(a, userTask+4, kernelLinear(userStackTop))
	a[userTask+102] = 104 // no I/O bitmap
	for v := range 256 {
		access := uint8(diff.AccessInt)
		if v == int(idt.VecBP) || v == int(idt.VecOF) {
			access |= 3 << 5
		}
		const kernelCS = 0x10
		diff.Put64(a, userIDT+diff.Offset(16*v), diff.GateDescriptor(kernelCS, diff.Collector(uint8(v)), access, 0))
	}
	userTables(a, w)
	return a
}

// userTables maps the process's pages, and for supervisors the image and the
// hidden pages. Accessed and dirty flags are set.
func userTables(a []byte, w *diff.World) {
	const (
		system = 0x63
		user   = system | mmu.PteUser
	)
	link := func(table diff.Offset, index uint64, to diff.Offset, bits uint64) {
		diff.Put64(a, table+8*diff.Offset(index), uint64(to.Phys())|bits)
	}
	link(userPML4, 0, userLowPDPT, user)
	link(userLowPDPT, 0, userLowPD, user)
	link(userLowPD, diff.CollectorBase>>21, userImagePT, system)
	link(userLowPD, diff.UserCode>>21, userCodePT, user)
	link(userLowPD, diff.UserData>>21, userDataPT, user)
	for page := uint64(diff.CollectorBase); page < imageEnd; page += diff.PageSize {
		diff.Put64(a, userImagePT+8*diff.Offset(page>>12&511), page|system)
	}
	for _, m := range w.Maps {
		for n := 0; n < m.Len; n += diff.PageSize {
			linear := m.Linear + uint64(n)
			table, bits := userCodePT, uint64(user)
			if linear >= diff.UserData {
				table, bits = userDataPT, bits|mmu.PteXD
			}
			if linear == diff.UserReadOnly {
				bits &^= mmu.PteWritable
			}
			link(table, linear>>12&511, m.At+diff.Offset(n), bits)
		}
	}
	link(userPML4, 256, userHighPDPT, system)
	link(userHighPDPT, 0, userHighPD, system)
	link(userHighPD, 0, userArenaPT, system)
	link(userPML4, 257, userFramePDPT, system)
	for i := range uint64(512) {
		if i < 4 {
			link(userFramePDPT, i, userFramePD, system)
		}
		link(userFramePD, i, userFramePT, system)
		if i%16 == 0 {
			link(userFramePT, i, userFramePage, system)
		}
	}
	for page := userSystem; page < diff.ArenaSize; page += diff.PageSize {
		link(userArenaPT, uint64(page/diff.PageSize), page, system)
	}
}

// userFrame is where the frame of the IRETQ to a 16-bit stack ends: bits 31:16 of
// RSP are then those that the case begins with. The page is there once in every 64 KiB of 4 GiB.
func userFrame(rsp uint64) uint64 { return userFrames + rsp&0xffff0000 + diff.PageSize }

// userRegs adds what a case of a user world does not tell.
func userRegs(r *diff.Regs) {
	r.RFLAGS |= idt.FlagIF
	r.CR0 = mmu.CR0PE | mmu.CR0PG | mmu.CR0WP | mmu.CR0ET | mmu.CR0AM | mmu.CR0NE | mmu.CR0MP
	r.CR3 = uint64(userPML4.Phys())
	r.CR4 = mmu.CR4PAE | mmu.CR4PGE | mmu.CR4FSGSBASE | mmu.CR4OSFXSR | mmu.CR4OSXMMEXCPT | mmu.CR4UMIP
	r.EFER = mmu.EFERLME | mmu.EFERLMA | mmu.EFERNXE | mmu.EFERSCE
	r.GDTR = diff.TableReg{Base: kernelLinear(userGDT), Limit: uint16(8*len(diff.UserGDT) - 1)}
	r.IDTR = diff.TableReg{Base: kernelLinear(userIDT), Limit: 0xfff}
	r.LDTR, r.TR = userLDTR, userTR
}

// interrupted turns the state of a handler into that of what it interrupted, by
// the frame on the stack for CPL 0.
func (q *question) interrupted(r *report, to *diff.Result) {
	const size = 40
	top := kernelLinear(userStackTop)
	switch to.Regs.GPR[4] {
	case top - size:
	case top - size - 8:
		to.HasError = true
	default:
		*to = diff.Result{End: diff.Silent, Note: "the event did not come from CPL 3"}
		return
	}
	var frame [6]uint64 // error code, RIP, CS, RFLAGS, RSP, SS
	for _, w := range r.words {
		switch n := int(w.At) - int(userStackTop-8*6); {
		case w.At < userSystem:
			to.Mem = append(to.Mem, w)
		case n >= 0 && n < 8*6:
			frame[n/8] = w.Value
		}
	}
	regs := diff.Regs{GPR: to.Regs.GPR, Seg: to.Regs.Seg, FSBase: to.Regs.FSBase, GSBase: to.Regs.GSBase}
	if to.HasError {
		to.Error = uint32(frame[0])
	}
	regs.RIP, regs.RFLAGS, regs.GPR[4] = frame[1], frame[3], frame[4]
	if q.state[slotFrame] != 0 {
		regs.GPR[4] = uint64(uint32(regs.GPR[4])) // outside 64-bit mode nothing sees the rest
	}
	regs.Seg[decode.CS], regs.Seg[decode.SS] = uint16(frame[2]), uint16(frame[5])
	// The IRET that began the case has made null selectors 0; nothing does at CPL 3.
	for i, sel := range q.regs.Seg {
		if null(sel) && regs.Seg[i] == 0 && i != int(decode.SS) {
			regs.Seg[i] = sel
		}
	}
	to.Regs = regs
}

package gen

import "x86emu/diff"

// returnTarget is where a return goes: its words, good or broken.
type returnTarget struct {
	ip, cs, sp, ss uint64
}

// codeOfLevel is the good code segment of a level, and where its code lies.
func (g *delivery) codeOfLevel(l level) (cs uint16, code diff.Offset) {
	switch {
	case l == compat0:
		return diff.Sys64Compat0, diff.SysCode0
	case l == compat3:
		return diff.Sys64Compat3, diff.SysCode3
	case l == cpl1 && g.long:
		return diff.Sys64Code1, diff.SysCode0
	case l == cpl1:
		return diff.Sys32Code1, diff.SysCode0
	case l == cpl2:
		return diff.Sys32Code2, diff.SysCode0
	case l == cpl3:
		return diff.Sys32Code3, diff.SysCode3
	}
	return diff.CollectorCS, diff.SysCode0
}

// stackOfCPL is the good stack segment of a privilege level, and its page.
func (g *delivery) stackOfCPL(cpl int) (ss uint16, page diff.Offset) {
	switch {
	case cpl == 1 && g.long:
		return diff.Sys64Data1, diff.SysStack1
	case cpl == 1:
		return diff.Sys32Data1, diff.SysStack1
	case cpl == 2 && !g.long:
		return diff.Sys32Data2, diff.SysStack2
	case cpl >= 2:
		return diff.Sys32Data3, diff.SysStack3
	}
	return diff.CollectorDS, diff.SysStack0
}

// target chooses a return's target: a level that is not inner, mostly good, with up to two
// things wrong. size is the operand's.
func (g *delivery) target(size int) returnTarget {
	to := g.level
	for i := 0; i == 0 || to.cpl() < g.level.cpl() || to == vm86; i++ {
		to = g.pickLevel()
		if i > 20 {
			to = g.level
			break
		}
	}
	if to == vm86 {
		to = cpl3
	}
	g.say("to %s", levelNames[to])
	cs, code := g.codeOfLevel(to)
	ss, page := g.stackOfCPL(to.cpl())
	t := returnTarget{linear(code) + 0x100, uint64(cs), linear(page) + 0x400, uint64(ss)}
	if size == 2 {
		// 16 bits reach only a segment whose offsets are small.
		access, flags := uint8(diff.AccessCode)|uint8(to.cpl())<<5, uint8(diff.Flags32)
		t.cs = uint64(g.descriptor(diff.SegmentDescriptor(linear(code), 0xffff, access, flags), 0)) | uint64(to.cpl())
		t.ip = 0x100
		if g.chance(70) {
			t.ss = uint64(g.descriptor(diff.SegmentDescriptor(linear(page), 0xffff, diff.AccessData|uint8(to.cpl())<<5, choose[uint8](g, 0, diff.Flags32)), 0)) | uint64(to.cpl())
			t.sp = 0x400
		}
	}
	for n := choose(g, 0, 1, 1, 1, 2, 2); n > 0; n-- {
		if g.IntN(2) == 0 {
			g.breakReturnCode(&t, to, linear(code))
		} else {
			g.breakReturnStack(&t, to)
		}
	}
	return t
}

// breakReturnCode changes CS:IP of a return.
func (g *delivery) breakReturnCode(t *returnTarget, to level, code uint64) {
	own := func(access, flags uint8, base uint64, limit uint32, rpl int) uint64 {
		return uint64(g.descriptor(diff.SegmentDescriptor(base, limit, access, flags), g.highHalf())) | uint64(rpl)
	}
	flags := uint8(diff.Flags4G)
	if g.long && to != compat0 && to != compat3 {
		flags = diff.Flags4G64
	}
	dpl := uint8(to.cpl()) << 5
	switch g.IntN(9) {
	case 0:
		t.cs = uint64(g.IntN(4))
		g.say("CS null")
	case 1, 2:
		t.cs = uint64(g.code())
		g.say("as CS")
	case 3:
		t.cs = t.cs&^3 | uint64(g.IntN(4))
		g.say("CS rpl")
	case 4:
		t.cs = own(diff.AccessCode&^0x80|dpl, flags, 0, 0xfffff, to.cpl())
		g.say("CS absent")
	case 5:
		t.cs = own(diff.AccessConforming|uint8(g.IntN(4))<<5, flags, 0, 0xfffff, to.cpl())
		g.say("CS conforming")
	case 6:
		t.cs, t.ip = own(diff.AccessCode&^1|dpl, diff.Flags32, code, 0x1000, to.cpl()), choose[uint64](g, 0x100, 0x1000, 0x1001, 0x21000)
		g.say("CS limit")
	case 7:
		t.cs = own(uint8(g.Uint32())|0x80, flags, 0, 0xfffff, to.cpl())
		g.say("CS random")
	case 8:
		if g.long {
			t.ip |= choose[uint64](g, 1<<47, 1<<63, 1<<32)
			g.say("RIP high")
			return
		}
		t.cs |= g.Uint64() << 16
		g.say("CS high half")
	}
}

// breakReturnStack changes SS:SP of a return.
func (g *delivery) breakReturnStack(t *returnTarget, to level) {
	own := func(access, flags uint8, base uint64, limit uint32, rpl int) uint64 {
		return uint64(g.descriptor(diff.SegmentDescriptor(base, limit, access, flags), g.highHalf())) | uint64(rpl)
	}
	dpl := uint8(to.cpl()) << 5
	switch g.IntN(9) {
	case 0, 1:
		t.ss = uint64(choose(g, to.cpl(), to.cpl(), g.IntN(4)))
		g.say("SS null")
	case 2:
		t.ss = t.ss&^3 | uint64(g.IntN(4))
		g.say("SS rpl")
	case 3:
		t.ss = uint64(choose[uint16](g, diff.SysBeyond, diff.SysLDTBeyond, diff.CollectorCS, diff.Sys32TSS, diff.SysLDTData0)) | uint64(to.cpl())
		g.say("SS bad")
	case 4:
		t.ss = own(diff.AccessData&^0x80|dpl, diff.Flags4G, 0, 0xfffff, to.cpl())
		g.say("SS absent")
	case 5:
		t.ss = own(diff.AccessData&^3|dpl, diff.Flags4G, 0, 0xfffff, to.cpl())
		g.say("SS read-only")
	case 6:
		t.ss = own(diff.AccessData&^1|uint8(g.IntN(4))<<5, diff.Flags4G, 0, 0xfffff, to.cpl())
		g.say("SS dpl, not accessed")
	case 7:
		t.ss, t.sp = own(diff.AccessData|dpl, 0, 0x10000, 0xffff, to.cpl()), t.sp&0xffff|g.Uint64()<<16
		g.say("SS of 16 bits")
	case 8:
		t.ss = own(uint8(g.Uint32())|0x80, diff.Flags4G, 0, 0xfffff, to.cpl())
		g.say("SS random")
	}
}

// dataSegments gives the case data segments that a return may have to take away.
func (g *delivery) dataSegments() {
	if g.chance(50) || g.level == vm86 {
		return
	}
	for _, i := range []int{0, 3, 4, 5} {
		s := []uint16{0, 0, diff.Sys32Data3, diff.Sys32Data3 &^ 3}
		if g.level.cpl() == 0 {
			s = append(s, 1, 2, 3, diff.CollectorDS, diff.CollectorCS, diff.Sys32Code3)
		}
		if g.long {
			s = append(s, diff.Sys64Conf0, diff.Sys64Conf3)
		} else {
			s = append(s, diff.Sys32Conf0, diff.Sys32Conf3)
		}
		g.c.Regs.Seg[i] = s[g.IntN(len(s))]
	}
}

// operand chooses the operand size of a return or transfer, and the prefix for it.
func (g *delivery) operand() (size int, prefix []byte) {
	n := g.IntN(10)
	switch {
	case g.mode64() && n < 5:
		return 8, []byte{0x48}
	case n < 8:
		if g.level == vm86 {
			return 4, []byte{0x66}
		}
		return 4, nil
	case g.level == vm86:
		return 2, nil
	}
	return 2, []byte{0x66}
}

// frameEdge moves the frame on the stack to where something about it is not there.
func (g *delivery) frameEdge(bytes int) {
	r := &g.c.Regs
	_, page := g.stackOfCPL(g.level.cpl())
	switch {
	case g.level == vm86:
	case g.chance(50):
		r.GPR[4] = linear(page) + diff.PageSize - uint64(g.IntN(bytes/4)*4)
		g.say("frame across the page's end")
	case g.mode64():
		r.GPR[4] = choose[uint64](g, 1<<47, 1<<47-8, 1<<63, 1<<47-16, 0xffff_8000_0000_0000-8)
		g.say("frame at the hole")
	}
}

func (g *delivery) iret() {
	size, prefix := g.operand()
	g.c.Code = append(prefix, 0xcf)
	e := g.c.Event
	e.How, e.OpSize = diff.ByIRET, size
	g.say("IRET %d", 8*size)
	g.dataSegments()
	if g.chance(97) {
		g.rescue(255)
	}
	image := 2 | g.Uint64()&0x257ed5 // all but TF, VM, VIF and VIP
	switch {
	case g.level == vm86:
		g.push(size, image, diff.V86Code>>4, choose[uint64](g, 0x180, 0x180, 0x800, 0x10000, 0xffff))
		return
	case !g.long && g.chance(8):
		g.nestedReturn()
		return
	case g.chance(2):
		g.c.Regs.RFLAGS |= 1 << 14
		g.say("NT")
	case !g.long && g.level == cpl0 && size == 4 && g.chance(15):
		g.toV86(image)
		return
	case g.chance(10) && g.level.cpl() < 3:
		image |= 1 << 19
	}
	t := g.target(size)
	if g.long && g.chance(5) || g.level.cpl() > 0 && g.chance(10) {
		image = image&^(1<<19) | 1<<17
		g.say("VM")
	}
	g.push(size, t.ss, t.sp, image, t.cs, t.ip)
	if g.chance(12) {
		g.frameEdge(5 * size)
	}
}

// toV86 is a return to virtual-8086 mode. It sets neither VIF nor VIP, which QEMU has no other way
// to clear again than such a return.
func (g *delivery) toV86(image uint64) {
	g.say("to vm86")
	w := func() uint64 { return g.Uint64() & 0xffffffff }
	g.push(4, w(), w(), w(), w(), w()&^0xffff|diff.V86Stack>>4, w()&^0xffff|0x400)
	g.push(4, image|1<<17, w()&^0xffff|diff.V86Code>>4, choose[uint64](g, 0x180, 0x180, 0xfff, 0x10000, 0x80000000))
	if g.chance(15) {
		g.frameEdge(36)
	}
}

// nestedReturn is IRET with NT.
func (g *delivery) nestedReturn() {
	g.c.Regs.RFLAGS |= 1 << 14
	g.say("NT")
	link := g.taskSelector(uint8(16 + g.IntN(8)))
	if g.chance(70) {
		// A task that waits is busy.
		at := diff.SysGDT + diff.Offset(link&^7)
		if link&4 == 0 && link != diff.SysBeyond && link > 7 {
			for i := len(g.c.Patches) - 1; i >= 0; i-- {
				if p := g.c.Patches[i]; p.At == at && len(p.Bytes) == 8 {
					g.put(at+5, 1, uint64(p.Bytes[5])|2)
					g.put(diff.SysTSS, 2, uint64(link))
					return
				}
			}
			g.put(at+5, 1, uint64(g.w.Arena[at+5])|2)
		}
	}
	g.put(diff.SysTSS, 2, uint64(link))
}

func (g *delivery) retf() {
	size, prefix := g.operand()
	e := g.c.Event
	e.How, e.OpSize = diff.ByFarRET, size
	g.say("RETF %d", 8*size)
	g.dataSegments()
	if g.chance(97) {
		g.rescue(255)
	}
	if g.chance(40) {
		e.Release = uint16(choose(g, 4, 8, 16, 2, 0x40))
		g.c.Code = append(prefix, 0xca, byte(e.Release), byte(e.Release>>8))
	} else {
		g.c.Code = append(prefix, 0xcb)
	}
	if g.level == vm86 {
		g.push(size, diff.V86Code>>4, choose[uint64](g, 0x180, 0x180, 0x800, 0x10000, 0xffff))
		return
	}
	t := g.target(size)
	g.push(size, t.ss, t.sp)
	g.c.Regs.GPR[4] -= uint64(e.Release)
	g.push(size, t.cs, t.ip)
	if g.chance(12) {
		g.frameEdge(4 * size)
	}
}

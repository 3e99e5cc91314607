package gen

import "x86emu/diff"

// transfer makes the code of a far JMP or CALL to a selector.
func (g *delivery) transfer(call bool, sel uint16, offset uint64, size int) {
	e := g.c.Event
	e.How, e.Selector, e.OpSize = diff.ByFarJMP, sel, size
	direct, indirect := byte(0xea), byte(0x2c)
	if call {
		e.How = diff.ByFarCALL
		direct, indirect = 0x9a, 0x1c
	}
	if size < 8 {
		offset &= 1<<(8*size) - 1
	}
	e.Offset = offset
	var code []byte
	switch {
	case size == 8:
		code = []byte{0x48}
	case size == 2 && g.level != vm86 || size == 4 && g.level == vm86:
		code = []byte{0x66}
	}
	if !g.mode64() {
		code = append(code, direct)
		for i := range size {
			code = append(code, byte(offset>>(8*i)))
		}
		g.c.Code = append(code, byte(sel), byte(sel>>8))
		return
	}
	at := linear(diff.SysData) + 0x40
	g.put(diff.SysData+0x40, size, offset)
	g.put(diff.SysData+0x40+diff.Offset(size), 2, uint64(sel))
	g.c.Code = append(code, 0xff, indirect, 0x25, byte(at), byte(at>>8), byte(at>>16), byte(at>>24))
}

func (g *delivery) farJump() { g.far(false) }
func (g *delivery) farCall() { g.far(true) }

// far is a far JMP or CALL to code, or through a call gate.
func (g *delivery) far(call bool) {
	size, _ := g.operand()
	if g.chance(97) {
		g.rescue(255)
	}
	name := "JMP"
	if call {
		name = "CALL"
	}
	g.say("%s %d", name, 8*size)
	if g.level == vm86 {
		g.transfer(call, diff.V86Code>>4, choose[uint64](g, 0x180, 0x1ff, 0xffff, 0x10000), size)
		return
	}
	if g.chance(60) {
		g.callGate(call, size)
		return
	}
	cs, code := g.codeOfLevel(g.level)
	offset := linear(code) + 0x180
	if g.chance(70) {
		cs = g.code()
	} else if g.chance(60) {
		// Code whose base and limit count.
		flags := uint8(diff.Flags32)
		cs = g.descriptor(diff.SegmentDescriptor(linear(code), 0xfff, diff.AccessCode&^1|uint8(g.level.cpl())<<5, flags), 0)
		offset = choose[uint64](g, 0x180, 0xfff, 0x1000, 0x10180)
		g.say("code limit")
	}
	if g.long && g.chance(10) {
		offset |= choose[uint64](g, 1<<47, 1<<63, 1<<32)
		g.say("offset high")
	}
	if call && g.chance(15) {
		g.stackForCall()
	}
	g.transfer(call, cs, offset, size)
}

// stackForCall makes the stack that a CALL at the same level pushes to a short one.
func (g *delivery) stackForCall() {
	if g.level.cpl() == 0 {
		g.breakCurrentStack()
		return
	}
	_, page := g.stackOfCPL(g.level.cpl())
	g.c.Regs.GPR[4] = linear(page) + uint64(4*g.IntN(8))
	g.say("ESP near the page's end")
}

// callGate is a transfer through a call gate.
func (g *delivery) callGate(call bool, size int) {
	access, high := uint8(diff.AccessCall|3<<5), uint64(0)
	sel, offset, count := g.gateCode(call), diff.Collector(0x60), uint8(0)
	if g.chance(50) && call && !g.long {
		count = uint8(choose(g, 1, 2, 5, 31))
	}
	rpl := uint16(g.IntN(4))
	switch g.IntN(10) {
	case 0:
		access = access&^0x60 | uint8(g.IntN(4))<<5
		g.say("call gate dpl%d", access>>5&3)
	case 1:
		access &^= 0x80
		g.say("call gate absent")
	case 2:
		if g.long {
			high = choose[uint64](g, 1<<40, 0x1f<<40, 0xc<<40, g.Uint64()&^(0x1f<<40)&^0xffffffff)
			g.say("call gate upper half")
			break
		}
		sel, access, offset = diff.Sys32Code16, access&^8, diff.CollectorSize*0x60
		if g.chance(50) {
			offset |= g.Uint64() & 0xffff0000
			g.say("16-bit call gate, high word")
		} else {
			g.say("16-bit call gate")
		}
	case 3:
		if g.long {
			offset |= choose[uint64](g, 1<<47, 1<<63)
			g.say("call gate offset")
			break
		}
		count |= 0xe0
		g.say("call gate, count's upper bits")
	case 4:
		access = access&^0x1f | uint8(g.IntN(32))
		g.say("call gate type %x", access&31)
	case 5, 6, 7:
		if call && g.level.cpl() > 0 {
			if g.long {
				g.breakRSP(255)
			} else {
				g.breakInnerStack(255)
			}
		} else if call {
			g.stackForCall()
		}
	}
	g.say("call gate")
	gate := g.descriptor(diff.GateDescriptor(sel, offset, access, count), high|offset>>32)
	if g.chance(3) {
		gate = 0x3f8 // with 16 bytes it goes beyond the table
		g.put(diff.SysGDT+0x3f8, 8, diff.GateDescriptor(sel, offset, access, count))
		g.say("at the table's end")
	}
	if count > 0 {
		for range 31 {
			g.push(4, g.Uint64())
		}
		if g.chance(10) {
			_, page := g.stackOfCPL(g.level.cpl())
			g.c.Regs.GPR[4] = linear(page) + diff.PageSize - uint64(g.IntN(8)*4)
			g.say("parameters across the page's end")
		}
	}
	g.transfer(call, gate|rpl, g.Uint64(), size)
}

// gateCode is the code that a call gate leads to.
func (g *delivery) gateCode(call bool) uint16 {
	if g.chance(50) {
		return g.code()
	}
	if !call && g.level.cpl() > 0 {
		if g.long {
			return diff.Sys64Conf0
		}
		return diff.Sys32Conf0
	}
	return diff.CollectorCS
}

// segmentLoad is MOV to a segment register.
func (g *delivery) segmentLoad() {
	e := g.c.Event
	e.How, e.Register = diff.BySegment, choose(g, 0, 2, 2, 3, 4, 5)
	if g.chance(97) {
		g.rescue(255)
	}
	sel := uint16(0)
	rpl := uint16(g.IntN(4))
	if g.chance(60) {
		rpl = uint16(g.level.cpl())
	}
	switch g.IntN(8) {
	case 0:
		sel = rpl
		g.say("null")
	case 1:
		sel = choose[uint16](g, diff.SysBeyond, diff.SysLDTBeyond) | rpl
		g.say("beyond")
	case 2:
		sel = choose[uint16](g, 8, 0x10, 0x18, 0x20, 0x28, 0x38, 0x40, 0x48, 0x50, 0x58, 0x60, 0x68, 0x70, 0x78) | rpl
		g.say("the world's %x", sel)
	case 3:
		sel = choose[uint16](g, diff.SysLDTCode0, diff.SysLDTData0) | rpl
		g.say("in LDT")
		if g.chance(20) {
			g.unmap(diff.SysLDT)
			g.say("LDT page")
		}
	case 4:
		g.c.Regs.LDTR = 0
		sel = diff.SysLDTData0 | rpl
		g.say("no LDT")
	default:
		access := uint8(g.Uint32())
		if g.chance(60) {
			access |= 0x90
		}
		sel = g.descriptor(diff.SegmentDescriptor(0, 0xfffff, access, diff.Flags4G), g.highHalf()) | rpl
		g.say("access %02x", access)
	}
	g.say("segment load")
	e.Selector = sel
	g.c.Regs.GPR[0] = uint64(sel)
	g.c.Code = []byte{0x8e, 0xc0 | byte(e.Register)<<3}
}

// task is a JMP or CALL to a task, or in the 64-bit world to what would be one.
func (g *delivery) task() {
	if g.level == vm86 {
		g.viaGate()
		return
	}
	if g.chance(97) {
		g.rescue(255)
	}
	call := g.chance(50)
	sel := g.taskSelector(uint8(16 + g.IntN(8)))
	g.say("task, call %v", call)
	if g.chance(40) {
		access := uint8(diff.AccessTaskGate | 3<<5)
		if g.chance(20) {
			access &^= choose[uint8](g, 0x80, 0x60, 0x20)
		}
		sel = g.descriptor(diff.GateDescriptor(sel, g.Uint64(), access, uint8(g.Uint32())), 0)
		g.say("task gate")
	}
	if g.chance(30) {
		sel |= uint16(g.IntN(4))
	}
	size, _ := g.operand()
	g.transfer(call, sel, g.Uint64(), size)
}

// taskSelector is a selector that should be a TSS's: the task is that of the world for
// an exception, good or broken.
func (g *delivery) taskSelector(v uint8) uint16 {
	if g.long {
		return choose[uint16](g, diff.Sys64TSS, diff.Sys64LDT, g.descriptor(diff.SegmentDescriptor(linear(diff.SysTSS2), 103, diff.AccessTSS|3<<5, 0), 0))
	}
	sel := uint16(diff.Sys32Task + 8*uint16(v))
	at := diff.SysTasks + diff.SysTaskSize*diff.Offset(v)
	descriptor := func(limit uint32, access uint8) uint16 {
		return g.descriptor(diff.SegmentDescriptor(linear(at), limit, access, 0), 0)
	}
	switch g.IntN(22) {
	case 0:
		g.say("TSS null")
		return uint16(g.IntN(4))
	case 1:
		g.say("TSS beyond")
		return diff.SysBeyond
	case 2:
		g.say("TSS in LDT")
		return sel | 4
	case 3:
		g.say("TSS is no TSS")
		return choose[uint16](g, diff.CollectorCS, diff.CollectorDS, diff.Sys32LDT)
	case 4:
		g.say("TSS itself")
		return diff.Sys32TSS
	case 5:
		g.say("TSS absent")
		return descriptor(103, diff.AccessTSS&^0x80|3<<5)
	case 6:
		g.say("TSS limit")
		return descriptor(choose[uint32](g, 102, 43, 0, 101), diff.AccessTSS|3<<5)
	case 7:
		g.say("TSS type")
		return descriptor(103, 0xe0|uint8(g.IntN(16)))
	case 8, 9:
		g.say("16-bit TSS")
		return diff.Sys32TSS16
	case 10:
		g.say("TSS page")
		g.unmap(diff.SysTSS2)
		return diff.Sys32TSS2
	case 11:
		g.say("TSS dpl")
		return descriptor(103, diff.AccessTSS|uint8(g.IntN(4))<<5)
	case 12:
		g.say("new EIP")
		g.put(at+32, 4, choose[uint64](g, linear(diff.SysCode0)+0x200, linear(diff.SysStack0-diff.PageSize)))
		return sel
	case 13:
		g.say("new CS")
		g.put(at+76, 4, uint64(g.code()))
		return sel
	case 14:
		g.say("new SS")
		t := returnTarget{ss: diff.CollectorDS}
		g.breakReturnStack(&t, cpl0)
		g.put(at+80, 4, t.ss)
		return sel
	case 15:
		g.say("new data segment")
		s := uint64(choose[uint16](g, 0, 3, diff.CollectorCS, diff.Sys32Data3, diff.SysBeyond, diff.Sys32TSS, diff.SysLDTData0,
			g.descriptor(diff.SegmentDescriptor(0, 0xfffff, uint8(g.Uint32()), diff.Flags4G), 0)))
		g.put(at+72+diff.Offset(4*choose(g, 0, 3, 4, 5)), 4, s)
		return sel
	case 16:
		g.say("new LDT")
		g.put(at+96, 4, uint64(choose[uint16](g, diff.Sys32LDT, diff.Sys32LDT|4, diff.Sys32TSS, diff.SysBeyond, diff.CollectorDS,
			g.descriptor(diff.SegmentDescriptor(linear(diff.SysLDT), 0x1f, diff.AccessLDT&^0x80, 0), 0))))
		return sel
	case 17:
		g.say("new task at CPL 3")
		for _, w := range []struct {
			at diff.Offset
			v  uint64
		}{{32, linear(diff.SysCode3) + 0x200}, {56, linear(diff.SysStack3) + 0x800}, {72, diff.Sys32Data3}, {76, diff.Sys32Code3}, {80, diff.Sys32Data3}, {84, diff.Sys32Data3}, {88, 0}, {92, 0}} {
			g.put(at+w.at, 4, w.v)
		}
		return sel
	case 18:
		g.say("new task in vm86")
		for _, w := range []struct {
			at diff.Offset
			v  uint64
		}{{32, 0x200}, {36, 0x23002}, {56, 0x800}, {72, 0x1234}, {76, diff.V86Code >> 4}, {80, diff.V86Stack >> 4}, {84, 0x5678}, {88, 0x9abc}, {92, 0xdef0}} {
			g.put(at+w.at, 4, w.v)
		}
		return sel
	case 19:
		g.say("new flags")
		g.put(at+36, 4, g.Uint64()&0x257ed5|2)
		return sel
	}
	return sel
}

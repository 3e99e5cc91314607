package cpu

import (
	"math/bits"

	"x86emu/cpu/simd"
	"x86emu/decode"
	"x86emu/mmu"
)

// exit tells why runBlocks came back.
type exit uint8

const (
	exitLook  exit = iota // an instruction ended that may have changed mode, mapping or events
	exitStep              // the next instruction is one for Step
	exitFault             // c.fault is the fault of the instruction at c.ip
)

// runBlocks runs blocks from c.ip until one of the exits. On each of them c.ip
// and Ticks are settled; the arithmetic flags stay lazy.
//
// Hot uops are executed inside the one switch below: a call would cost more
// than they do. Everything rarer is a call of its handler.
func (c *CPU) runBlocks() exit {
	var (
		r      = &c.r
		view   = c.view
		ip     = c.ip
		eaMask = uint64(0xffffffff)
		b      *block
		u      *uop
		nb     *block
		lin    uint64
		v      uint64
		ok     bool
		hint   = c.hint // where the block that comes next stood the last time
	)
	if c.key&keyMode64 != 0 {
		eaMask = ^uint64(0)
	}
	c.hint = &c.noHint
	c.blocks.stale = false
	for {
		if c.s.Ticks >= c.limit {
			c.ip = ip
			return exitLook
		}
		lin = c.csBase + ip
		if lin&^mmu.PageMask != c.win.lin || c.win.gen != c.mmu.Gen {
			if c.key&keyMode64 == 0 {
				lin &= 0xffffffff
				if c.key&keyCSLimit != 0 && ip > uint64(c.s.Seg[decode.CS].Limit) {
					// #GP(0) for the limit comes before the page fault.
					c.ip = ip
					return exitStep
				}
			} else if !c.canonical(lin) {
				if b != nil && u.code != uNext {
					// A branch to a non-canonical address faults itself: its handler says how.
					c.s.Ticks -= uint64(b.n)
					goto handOver
				}
				c.ip = ip
				return exitStep
			}
			if !c.openWindow(lin) {
				c.ip = ip
				return exitFault
			}
		}
		nb = *hint
		if p := c.win.phys | mmu.Phys(lin&mmu.PageMask); nb == nil || nb.phys != p || nb.key != c.key {
			nb = c.blocks.find(p, c.key)
			if nb == nil {
				c.ip = ip
				if nb = c.translate(); nb == nil {
					return exitStep
				}
			}
			*hint = nb
		}
		b = nb
		if c.s.Ticks+uint64(b.n) > c.limit || c.key&keyCSLimit != 0 && ip+uint64(b.size)-1 > uint64(c.s.Seg[decode.CS].Limit) {
			c.ip = ip
			return exitStep
		}
		r[rIP] = ip
	uops:
		for u = &b.uops[0]; ; u = u.next() {
			switch u.code {
			case uExec, uExecEnd:
				c.ip = ip + uint64(u.off)
				c.next = (c.ip + uint64(u.len)) & c.ipMask
				c.inBlock = uint64(u.n)
				at, code := b.index(u), u.code
				if !c.exec(&b.insts[u.imm]) {
					c.hint = &b.succ[succFault]
					// c.ip stays: it is the new task's after a task switch.
					c.s.Ticks += c.inBlock + uint64(c.repDone)
					c.inBlock = 0
					return exitFault
				}
				if code == uExecEnd {
					c.hint = &b.succ[succEnd]
					c.s.Ticks += c.inBlock
					c.inBlock = 0
					c.retire()
					return exitLook
				}
				c.inBlock = 0
				u = b.uop(at)
				if c.blocks.stale || c.win.gen != c.mmu.Gen {
					goto stale
				}
			case uMov32:
				r[u.dst&31] = uint64(uint32(r[u.src&31] + u.imm))
			case uMov64:
				r[u.dst&31] = r[u.src&31] + u.imm
			case uMov8:
				r[u.dst&31] = r[u.dst&31]&^0xff | (r[u.src&31]+u.imm)&0xff
			case uMov16:
				r[u.dst&31] = r[u.dst&31]&^0xffff | (r[u.src&31]+u.imm)&0xffff
			case uLea32:
				r[u.dst&31] = uint64(uint32(r[u.base&31] + r[u.index&31]<<(u.scale&3) + u.disp))
			case uLea64:
				r[u.dst&31] = r[u.base&31] + r[u.index&31]<<(u.scale&3) + u.disp
			case uAddr:
				r[rAddr] = r[u.base&31] + r[u.index&31]<<(u.scale&3) + u.disp + c.s.Seg[u.seg].Base
			case uLd8:
				ea := (r[u.base&31] + r[u.index&31]<<(u.scale&3) + u.disp) & eaMask
				if e := &view[ea>>mmu.PageShift&slotMask]; e.R == ea&^mmu.PageMask {
					r[u.dst&31] = uint64(mmu.Load8(e.Host, ea))
				} else if u, v, ok = c.slowLoad(u, ea, 1); ok {
					r[u.dst&31] = v
				} else {
					goto fault
				}
			case uLd16:
				ea := (r[u.base&31] + r[u.index&31]<<(u.scale&3) + u.disp) & eaMask
				if e := &view[ea>>mmu.PageShift&slotMask]; e.R == (ea+1)&^mmu.PageMask {
					r[u.dst&31] = uint64(mmu.Load16(e.Host, ea))
				} else if u, v, ok = c.slowLoad(u, ea, 2); ok {
					r[u.dst&31] = v
				} else {
					goto fault
				}
			case uLd32:
				ea := (r[u.base&31] + r[u.index&31]<<(u.scale&3) + u.disp) & eaMask
				if e := &view[ea>>mmu.PageShift&slotMask]; e.R == (ea+3)&^mmu.PageMask {
					r[u.dst&31] = uint64(mmu.Load32(e.Host, ea))
				} else if u, v, ok = c.slowLoad(u, ea, 4); ok {
					r[u.dst&31] = v
				} else {
					goto fault
				}
			case uLd64:
				ea := (r[u.base&31] + r[u.index&31]<<(u.scale&3) + u.disp) & eaMask
				if e := &view[ea>>mmu.PageShift&slotMask]; e.R == (ea+7)&^mmu.PageMask {
					r[u.dst&31] = mmu.Load64(e.Host, ea)
				} else if u, v, ok = c.slowLoad(u, ea, 8); ok {
					r[u.dst&31] = v
				} else {
					goto fault
				}
			case uLd8S32:
				ea := (r[u.base&31] + r[u.index&31]<<(u.scale&3) + u.disp) & eaMask
				if e := &view[ea>>mmu.PageShift&slotMask]; e.R == ea&^mmu.PageMask {
					r[u.dst&31] = uint64(uint32(int8(mmu.Load8(e.Host, ea))))
				} else if u, v, ok = c.slowLoad(u, ea, 1); ok {
					r[u.dst&31] = uint64(uint32(int8(v)))
				} else {
					goto fault
				}
			case uLd8S64:
				ea := (r[u.base&31] + r[u.index&31]<<(u.scale&3) + u.disp) & eaMask
				if e := &view[ea>>mmu.PageShift&slotMask]; e.R == ea&^mmu.PageMask {
					r[u.dst&31] = uint64(int8(mmu.Load8(e.Host, ea)))
				} else if u, v, ok = c.slowLoad(u, ea, 1); ok {
					r[u.dst&31] = uint64(int8(v))
				} else {
					goto fault
				}
			case uLd16S32:
				ea := (r[u.base&31] + r[u.index&31]<<(u.scale&3) + u.disp) & eaMask
				if e := &view[ea>>mmu.PageShift&slotMask]; e.R == (ea+1)&^mmu.PageMask {
					r[u.dst&31] = uint64(uint32(int16(mmu.Load16(e.Host, ea))))
				} else if u, v, ok = c.slowLoad(u, ea, 2); ok {
					r[u.dst&31] = uint64(uint32(int16(v)))
				} else {
					goto fault
				}
			case uLd16S64:
				ea := (r[u.base&31] + r[u.index&31]<<(u.scale&3) + u.disp) & eaMask
				if e := &view[ea>>mmu.PageShift&slotMask]; e.R == (ea+1)&^mmu.PageMask {
					r[u.dst&31] = uint64(int16(mmu.Load16(e.Host, ea)))
				} else if u, v, ok = c.slowLoad(u, ea, 2); ok {
					r[u.dst&31] = uint64(int16(v))
				} else {
					goto fault
				}
			case uLd32S64:
				ea := (r[u.base&31] + r[u.index&31]<<(u.scale&3) + u.disp) & eaMask
				if e := &view[ea>>mmu.PageShift&slotMask]; e.R == (ea+3)&^mmu.PageMask {
					r[u.dst&31] = uint64(int32(mmu.Load32(e.Host, ea)))
				} else if u, v, ok = c.slowLoad(u, ea, 4); ok {
					r[u.dst&31] = uint64(int32(v))
				} else {
					goto fault
				}
			case uMod8:
				ea := (r[u.base&31] + r[u.index&31]<<(u.scale&3) + u.disp) & eaMask
				if e := &view[ea>>mmu.PageShift&slotMask]; e.W == ea&^mmu.PageMask {
					r[u.dst&31] = uint64(mmu.Load8(e.Host, ea))
				} else if u, v, ok = c.slowMod(u, ea, 1); ok {
					r[u.dst&31] = v
				} else {
					goto fault
				}
			case uMod32:
				ea := (r[u.base&31] + r[u.index&31]<<(u.scale&3) + u.disp) & eaMask
				if e := &view[ea>>mmu.PageShift&slotMask]; e.W == (ea+3)&^mmu.PageMask {
					r[u.dst&31] = uint64(mmu.Load32(e.Host, ea))
				} else if u, v, ok = c.slowMod(u, ea, 4); ok {
					r[u.dst&31] = v
				} else {
					goto fault
				}
			case uMod64:
				ea := (r[u.base&31] + r[u.index&31]<<(u.scale&3) + u.disp) & eaMask
				if e := &view[ea>>mmu.PageShift&slotMask]; e.W == (ea+7)&^mmu.PageMask {
					r[u.dst&31] = mmu.Load64(e.Host, ea)
				} else if u, v, ok = c.slowMod(u, ea, 8); ok {
					r[u.dst&31] = v
				} else {
					goto fault
				}
			case uSt8:
				ea := (r[u.base&31] + r[u.index&31]<<(u.scale&3) + u.disp) & eaMask
				v := r[u.src&31] + u.imm
				if e := &view[ea>>mmu.PageShift&slotMask]; e.W == ea&^mmu.PageMask {
					mmu.Store8(e.Host, ea, uint8(v))
				} else if u, ok = c.slowStore(u, ea, 1, v); !ok {
					goto fault
				} else if c.blocks.stale {
					goto stale
				}
			case uSt16:
				ea := (r[u.base&31] + r[u.index&31]<<(u.scale&3) + u.disp) & eaMask
				v := r[u.src&31] + u.imm
				if e := &view[ea>>mmu.PageShift&slotMask]; e.W == (ea+1)&^mmu.PageMask {
					mmu.Store16(e.Host, ea, uint16(v))
				} else if u, ok = c.slowStore(u, ea, 2, v); !ok {
					goto fault
				} else if c.blocks.stale {
					goto stale
				}
			case uSt32:
				ea := (r[u.base&31] + r[u.index&31]<<(u.scale&3) + u.disp) & eaMask
				v := r[u.src&31] + u.imm
				if e := &view[ea>>mmu.PageShift&slotMask]; e.W == (ea+3)&^mmu.PageMask {
					mmu.Store32(e.Host, ea, uint32(v))
				} else if u, ok = c.slowStore(u, ea, 4, v); !ok {
					goto fault
				} else if c.blocks.stale {
					goto stale
				}
			case uSt64:
				ea := (r[u.base&31] + r[u.index&31]<<(u.scale&3) + u.disp) & eaMask
				v := r[u.src&31] + u.imm
				if e := &view[ea>>mmu.PageShift&slotMask]; e.W == (ea+7)&^mmu.PageMask {
					mmu.Store64(e.Host, ea, v)
				} else if u, ok = c.slowStore(u, ea, 8, v); !ok {
					goto fault
				} else if c.blocks.stale {
					goto stale
				}
			case uZx8:
				r[u.dst&31] = uint64(uint8(r[u.src&31]))
			case uZx16:
				r[u.dst&31] = uint64(uint16(r[u.src&31]))
			case uSx8x32:
				r[u.dst&31] = uint64(uint32(int8(r[u.src&31])))
			case uSx8x64:
				r[u.dst&31] = uint64(int8(r[u.src&31]))
			case uSx16x32:
				r[u.dst&31] = uint64(uint32(int16(r[u.src&31])))
			case uSx16x64:
				r[u.dst&31] = uint64(int16(r[u.src&31]))
			case uSx32x64:
				r[u.dst&31] = uint64(int32(r[u.src&31]))
			case uAdd32:
				a, b := uint32(r[u.dst&31]), uint32(r[u.src&31]+u.imm)
				v := a + b
				c.res = uint64(int32(v))
				cv := a&b | (a|b)&^v
				c.aux = uint64(cv)<<32 | uint64(cv&auxAF)
				r[u.dst&31] = uint64(v)
			case uAdd64:
				a, b := r[u.dst&31], r[u.src&31]+u.imm
				v := a + b
				c.res = v
				c.aux = (a&b | (a|b)&^v) & auxKeep
				r[u.dst&31] = v
			case uSub32:
				a, b := uint32(r[u.dst&31]), uint32(r[u.src&31]+u.imm)
				v := a - b
				c.res = uint64(int32(v))
				cv := ^a&b | ^(a^b)&v
				c.aux = uint64(cv)<<32 | uint64(cv&auxAF)
				r[u.dst&31] = uint64(v)
			case uSub64:
				a, b := r[u.dst&31], r[u.src&31]+u.imm
				v := a - b
				c.res = v
				c.aux = (^a&b | ^(a^b)&v) & auxKeep
				r[u.dst&31] = v
			case uAnd32:
				a, b := uint32(r[u.dst&31]), uint32(r[u.src&31]+u.imm)
				v := a & b
				c.res = uint64(int32(v))
				c.aux = 0
				r[u.dst&31] = uint64(v)
			case uAnd64:
				a, b := r[u.dst&31], r[u.src&31]+u.imm
				v := a & b
				c.res = v
				c.aux = 0
				r[u.dst&31] = v
			case uOr32:
				a, b := uint32(r[u.dst&31]), uint32(r[u.src&31]+u.imm)
				v := a | b
				c.res = uint64(int32(v))
				c.aux = 0
				r[u.dst&31] = uint64(v)
			case uOr64:
				a, b := r[u.dst&31], r[u.src&31]+u.imm
				v := a | b
				c.res = v
				c.aux = 0
				r[u.dst&31] = v
			case uXor32:
				a, b := uint32(r[u.dst&31]), uint32(r[u.src&31]+u.imm)
				v := a ^ b
				c.res = uint64(int32(v))
				c.aux = 0
				r[u.dst&31] = uint64(v)
			case uXor64:
				a, b := r[u.dst&31], r[u.src&31]+u.imm
				v := a ^ b
				c.res = v
				c.aux = 0
				r[u.dst&31] = v
			case uCmp32:
				a, b := uint32(r[u.dst&31]), uint32(r[u.src&31]+u.imm)
				v := a - b
				c.res = uint64(int32(v))
				cv := ^a&b | ^(a^b)&v
				c.aux = uint64(cv)<<32 | uint64(cv&auxAF)
			case uCmp64:
				a, b := r[u.dst&31], r[u.src&31]+u.imm
				v := a - b
				c.res = v
				c.aux = (^a&b | ^(a^b)&v) & auxKeep
			case uTest32:
				a, b := uint32(r[u.dst&31]), uint32(r[u.src&31]+u.imm)
				v := a & b
				c.res = uint64(int32(v))
				c.aux = 0
			case uTest64:
				a, b := r[u.dst&31], r[u.src&31]+u.imm
				v := a & b
				c.res = v
				c.aux = 0
			case uAdc32:
				a, b := uint32(r[u.dst&31]), uint32(r[u.src&31]+u.imm)
				cin := uint32(c.aux >> 63)
				v := a + b + cin
				c.res = uint64(int32(v))
				cv := a&b | (a|b)&^v
				c.aux = uint64(cv)<<32 | uint64(cv&auxAF)
				r[u.dst&31] = uint64(v)
			case uAdc64:
				a, b := r[u.dst&31], r[u.src&31]+u.imm
				cin := c.aux >> 63
				v := a + b + cin
				c.res = v
				c.aux = (a&b | (a|b)&^v) & auxKeep
				r[u.dst&31] = v
			case uSbb32:
				a, b := uint32(r[u.dst&31]), uint32(r[u.src&31]+u.imm)
				cin := uint32(c.aux >> 63)
				v := a - b - cin
				c.res = uint64(int32(v))
				cv := ^a&b | ^(a^b)&v
				c.aux = uint64(cv)<<32 | uint64(cv&auxAF)
				r[u.dst&31] = uint64(v)
			case uSbb64:
				a, b := r[u.dst&31], r[u.src&31]+u.imm
				cin := c.aux >> 63
				v := a - b - cin
				c.res = v
				c.aux = (^a&b | ^(a^b)&v) & auxKeep
				r[u.dst&31] = v
			case uCmp8:
				a, b := uint8(r[u.dst&31]), uint8(r[u.src&31]+u.imm)
				v := a - b
				c.res = uint64(int8(v))
				cv := ^a&b | ^(a^b)&v
				c.aux = uint64(cv)<<56 | uint64(cv&auxAF)
			case uTest8:
				a, b := uint8(r[u.dst&31]), uint8(r[u.src&31]+u.imm)
				v := a & b
				c.res = uint64(int8(v))
				c.aux = 0
			case uAdd8:
				a, b := uint8(r[u.dst&31]), uint8(r[u.src&31]+u.imm)
				v := a + b
				c.res = uint64(int8(v))
				cv := a&b | (a|b)&^v
				c.aux = uint64(cv)<<56 | uint64(cv&auxAF)
				r[u.dst&31] = r[u.dst&31]&^0xff | uint64(v)
			case uSub8:
				a, b := uint8(r[u.dst&31]), uint8(r[u.src&31]+u.imm)
				v := a - b
				c.res = uint64(int8(v))
				cv := ^a&b | ^(a^b)&v
				c.aux = uint64(cv)<<56 | uint64(cv&auxAF)
				r[u.dst&31] = r[u.dst&31]&^0xff | uint64(v)
			case uAnd8:
				a, b := uint8(r[u.dst&31]), uint8(r[u.src&31]+u.imm)
				v := a & b
				c.res = uint64(int8(v))
				c.aux = 0
				r[u.dst&31] = r[u.dst&31]&^0xff | uint64(v)
			case uOr8:
				a, b := uint8(r[u.dst&31]), uint8(r[u.src&31]+u.imm)
				v := a | b
				c.res = uint64(int8(v))
				c.aux = 0
				r[u.dst&31] = r[u.dst&31]&^0xff | uint64(v)
			case uXor8:
				a, b := uint8(r[u.dst&31]), uint8(r[u.src&31]+u.imm)
				v := a ^ b
				c.res = uint64(int8(v))
				c.aux = 0
				r[u.dst&31] = r[u.dst&31]&^0xff | uint64(v)
			case uInc32:
				a := uint32(r[u.dst&31])
				v := a + 1
				cv := a &^ v
				old := c.aux
				c.res = uint64(int32(v))
				c.aux = uint64(cv)<<32 | uint64(cv&auxAF)
				c.keepCF(old)
				r[u.dst&31] = uint64(v)
			case uDec32:
				a := uint32(r[u.dst&31])
				v := a - 1
				cv := ^a & v
				old := c.aux
				c.res = uint64(int32(v))
				c.aux = uint64(cv)<<32 | uint64(cv&auxAF)
				c.keepCF(old)
				r[u.dst&31] = uint64(v)
			case uNeg32:
				b := uint32(r[u.dst&31])
				v := -b
				cv := b | v
				c.res = uint64(int32(v))
				c.aux = uint64(cv)<<32 | uint64(cv&auxAF)
				r[u.dst&31] = uint64(v)
			case uShl32:
				a := uint32(r[u.dst&31])
				n := u.imm & 31
				v := a << n
				c.res = uint64(int32(v))
				c.aux = shiftAux(uint64(a>>((32-n)&31))&1, uint64(v>>31))
				r[u.dst&31] = uint64(v)
			case uShr32:
				a := uint32(r[u.dst&31])
				n := u.imm & 31
				v := a >> n
				c.res = uint64(int32(v))
				c.aux = shrAux(uint64(a>>((n-1)&31))&1, uint64(v>>30)&1)
				r[u.dst&31] = uint64(v)
			case uSar32:
				a := int32(uint32(r[u.dst&31]))
				n := u.imm & 31
				v := uint32(a >> n)
				c.res = uint64(int32(v))
				c.aux = uint64(a>>((n-1)&31)) & 1 * (auxCF | auxOV)
				r[u.dst&31] = uint64(v)
			case uRol32:
				v := bits.RotateLeft32(uint32(r[u.dst&31]), int(u.imm&31))
				c.aux = rolAux(c.aux, uint64(v&1), uint64(v>>31))
				r[u.dst&31] = uint64(v)
			case uShld32:
				a, n := uint32(r[u.dst&31]), u.imm&31
				v := a<<n | uint32(r[u.src&31])>>((32-n)&31)
				c.res = uint64(int32(v))
				c.aux = shiftAux(uint64(a>>((32-n)&31))&1, uint64(v>>31))
				r[u.dst&31] = uint64(v)
			case uShrd32:
				a, n := uint32(r[u.dst&31]), u.imm&31
				v := a>>n | uint32(r[u.src&31])<<((32-n)&31)
				c.res = uint64(int32(v))
				c.aux = shrAux(uint64(a>>((n-1)&31))&1, uint64(v>>31^v>>30&1))
				r[u.dst&31] = uint64(v)
			case uInc64:
				a := r[u.dst&31]
				v := a + 1
				cv := a &^ v
				old := c.aux
				c.res = v
				c.aux = cv & auxKeep
				c.keepCF(old)
				r[u.dst&31] = v
			case uDec64:
				a := r[u.dst&31]
				v := a - 1
				cv := ^a & v
				old := c.aux
				c.res = v
				c.aux = cv & auxKeep
				c.keepCF(old)
				r[u.dst&31] = v
			case uNeg64:
				b := r[u.dst&31]
				v := -b
				cv := b | v
				c.res = v
				c.aux = cv & auxKeep
				r[u.dst&31] = v
			case uShl64:
				a := r[u.dst&31]
				n := u.imm & 63
				v := a << n
				c.res = v
				c.aux = shiftAux(uint64(a>>((64-n)&63))&1, uint64(v>>63))
				r[u.dst&31] = v
			case uShr64:
				a := r[u.dst&31]
				n := u.imm & 63
				v := a >> n
				c.res = v
				c.aux = shrAux(uint64(a>>((n-1)&63))&1, uint64(v>>62)&1)
				r[u.dst&31] = v
			case uSar64:
				a := int64(r[u.dst&31])
				n := u.imm & 63
				v := uint64(a >> n)
				c.res = v
				c.aux = uint64(a>>((n-1)&63)) & 1 * (auxCF | auxOV)
				r[u.dst&31] = v
			case uRol64:
				v := bits.RotateLeft64(r[u.dst&31], int(u.imm&63))
				c.aux = rolAux(c.aux, v&1, v>>63)
				r[u.dst&31] = v
			case uImul32:
				p := int64(int32(r[u.base&31])) * int64(int32(r[u.src&31]+u.imm))
				c.imulFlags(uint64(int64(int32(p))), p != int64(int32(p)))
				r[u.dst&31] = uint64(uint32(p))
			case uImul64:
				hi, lo := bits.Mul64(r[u.base&31], r[u.src&31]+u.imm)
				hi -= r[u.base&31]&uint64(int64(r[u.src&31]+u.imm)>>63) + (r[u.src&31]+u.imm)&uint64(int64(r[u.base&31])>>63)
				c.imulFlags(lo, hi != uint64(int64(lo)>>63))
				r[u.dst&31] = lo
			case uAddNF32:
				r[u.dst&31] = uint64(uint32(r[u.dst&31] + (r[u.src&31] + u.imm)))
			case uAddNF64:
				r[u.dst&31] += r[u.src&31] + u.imm
			case uSubNF32:
				r[u.dst&31] = uint64(uint32(r[u.dst&31] - (r[u.src&31] + u.imm)))
			case uSubNF64:
				r[u.dst&31] -= r[u.src&31] + u.imm
			case uAndNF32:
				r[u.dst&31] = uint64(uint32(r[u.dst&31] & (r[u.src&31] + u.imm)))
			case uAndNF64:
				r[u.dst&31] &= r[u.src&31] + u.imm
			case uOrNF32:
				r[u.dst&31] = uint64(uint32(r[u.dst&31] | (r[u.src&31] + u.imm)))
			case uOrNF64:
				r[u.dst&31] |= r[u.src&31] + u.imm
			case uXorNF32:
				r[u.dst&31] = uint64(uint32(r[u.dst&31] ^ (r[u.src&31] + u.imm)))
			case uXorNF64:
				r[u.dst&31] ^= r[u.src&31] + u.imm
			case uShlNF32:
				r[u.dst&31] = uint64(uint32(r[u.dst&31]) << (u.imm & 31))
			case uShlNF64:
				r[u.dst&31] <<= u.imm & 63
			case uShrNF32:
				r[u.dst&31] = uint64(uint32(r[u.dst&31]) >> (u.imm & 31))
			case uShrNF64:
				r[u.dst&31] >>= u.imm & 63
			case uPush32:
				sp := uint64(uint32(r[4] - 4))
				v := r[u.src&31] + u.imm
				if e := &view[sp>>mmu.PageShift&slotMask]; e.W == (sp+3)&^mmu.PageMask {
					mmu.Store32(e.Host, sp, uint32(v))
				} else if u, ok = c.slowStore(u, sp, 4, v); !ok {
					goto fault
				}
				r[4] = sp
				if c.blocks.stale {
					goto stale
				}
			case uPop32:
				sp := r[4]
				if e := &view[sp>>mmu.PageShift&slotMask]; e.R == (sp+3)&^mmu.PageMask {
					r[4] = uint64(uint32(r[4] + 4))
					r[u.dst&31] = uint64(mmu.Load32(e.Host, sp))
				} else if u, v, ok = c.slowLoad(u, sp, 4); ok {
					r[4] = uint64(uint32(r[4] + 4))
					r[u.dst&31] = v
				} else {
					goto fault
				}
			case uCall32:
				sp := uint64(uint32(r[4] - 4))
				v := uint64(uint32(ip + u.imm))
				if e := &view[sp>>mmu.PageShift&slotMask]; e.W == (sp+3)&^mmu.PageMask {
					mmu.Store32(e.Host, sp, uint32(v))
				} else if u, ok = c.slowStore(u, sp, 4, v); !ok {
					goto fault
				}
				r[4] = sp
				ip = uint64(uint32(ip + u.disp))
				goto took
			case uRet32:
				sp := r[4]
				if e := &view[sp>>mmu.PageShift&slotMask]; e.R == (sp+3)&^mmu.PageMask {
					v = uint64(mmu.Load32(e.Host, sp))
				} else {
					if u, v, ok = c.slowLoad(u, sp, 4); !ok {
						goto fault
					}
				}
				r[4] = uint64(uint32(r[4] + 4))
				ip = v
				goto took
			case uPush64:
				sp := r[4] - 8
				v := r[u.src&31] + u.imm
				if e := &view[sp>>mmu.PageShift&slotMask]; e.W == (sp+7)&^mmu.PageMask {
					mmu.Store64(e.Host, sp, v)
				} else if u, ok = c.slowStore(u, sp, 8, v); !ok {
					goto fault
				}
				r[4] = sp
				if c.blocks.stale {
					goto stale
				}
			case uPop64:
				sp := r[4]
				if e := &view[sp>>mmu.PageShift&slotMask]; e.R == (sp+7)&^mmu.PageMask {
					r[4] = r[4] + 8
					r[u.dst&31] = uint64(mmu.Load64(e.Host, sp))
				} else if u, v, ok = c.slowLoad(u, sp, 8); ok {
					r[4] = r[4] + 8
					r[u.dst&31] = v
				} else {
					goto fault
				}
			case uCall64:
				if !c.canonical(ip + u.disp) {
					goto handOver
				}
				sp := r[4] - 8
				v := ip + u.imm
				if e := &view[sp>>mmu.PageShift&slotMask]; e.W == (sp+7)&^mmu.PageMask {
					mmu.Store64(e.Host, sp, v)
				} else if u, ok = c.slowStore(u, sp, 8, v); !ok {
					goto fault
				}
				r[4] = sp
				ip = ip + u.disp
				goto took
			case uCallInd64:
				target := r[u.src&31]
				if !c.canonical(target) {
					goto handOver
				}
				sp := r[4] - 8
				v := ip + u.imm
				if e := &view[sp>>mmu.PageShift&slotMask]; e.W == (sp+7)&^mmu.PageMask {
					mmu.Store64(e.Host, sp, v)
				} else if u, ok = c.slowStore(u, sp, 8, v); !ok {
					goto fault
				}
				r[4] = sp
				ip = target
				goto took
			case uRet64:
				sp := r[4]
				if e := &view[sp>>mmu.PageShift&slotMask]; e.R == (sp+7)&^mmu.PageMask {
					v = uint64(mmu.Load64(e.Host, sp))
				} else {
					if u, v, ok = c.slowLoad(u, sp, 8); !ok {
						goto fault
					}
				}
				if !c.canonical(v) {
					goto handOver
				}
				r[4] = r[4] + 8
				ip = v
				goto took
			case uMovX:
				*c.xmm(u.dst) = *c.xmm(u.src)
			case uLdX:
				ea := (r[u.base&31] + r[u.index&31]<<(u.scale&3) + u.disp) & eaMask
				if e := &view[ea>>mmu.PageShift&slotMask]; e.R == (ea+15)&^mmu.PageMask && ea&u.imm == 0 {
					x := c.xmm(u.dst)
					x.Lo, x.Hi = mmu.Load64(e.Host, ea), mmu.Load64(e.Host, ea+8)
				} else if u, ok = c.slowLoadX(u, ea); !ok {
					goto fault
				}
			case uStX:
				ea := (r[u.base&31] + r[u.index&31]<<(u.scale&3) + u.disp) & eaMask
				if e := &view[ea>>mmu.PageShift&slotMask]; e.W == (ea+15)&^mmu.PageMask && ea&u.imm == 0 {
					x := c.xmm(u.src)
					mmu.Store64(e.Host, ea, x.Lo)
					mmu.Store64(e.Host, ea+8, x.Hi)
				} else if u, ok = c.slowStoreX(u, ea); !ok {
					goto fault
				} else if c.blocks.stale {
					goto stale
				}
			case uXFromR:
				*c.xmm(u.dst) = simd.Vec{Lo: r[u.src&31]}
			case uRFromX32:
				r[u.dst&31] = uint64(uint32(c.xmm(u.src).Lo))
			case uRFromX64:
				r[u.dst&31] = c.xmm(u.src).Lo
			case uVec:
				d, at := c.xmm(u.dst), b.index(u)
				*d = vecs[u.imm](*d, *c.xmm(u.src), 16)
				u = b.uop(at)
			case uVecImm:
				d, at := c.xmm(u.dst), b.index(u)
				*d = immVecs[u.imm&0xff](*d, *c.xmm(u.src), uint8(u.imm>>8), 16)
				u = b.uop(at)
			case uVecShift:
				d, at := c.xmm(u.dst), b.index(u)
				*d = vecShifts[u.imm](*d, c.xmm(u.src).Lo)
				u = b.uop(at)
			case uVecShiftImm:
				d, at := c.xmm(u.dst), b.index(u)
				*d = vecShifts[u.imm&0xff](*d, u.imm>>8)
				u = b.uop(at)
			case uFloat:
				f, at := &vecFloats[u.imm], b.index(u)
				ok = c.byLane(c.xmm(u.dst), *c.xmm(u.src), f.lanes, f.op)
				u = b.uop(at)
				if !ok {
					goto fault
				}
			case uNext:
				ip = (ip + u.disp) & eaMask
				break uops
			case uJmp:
				ip = (ip + u.disp) & eaMask
				goto took
			case uJmpInd:
				if eaMask>>32 != 0 && !c.canonical(r[u.src&31]) {
					goto handOver
				}
				// Outside 64-bit mode a register may have an upper half that code cannot see.
				ip = r[u.src&31] & eaMask
				goto took
			case uJcc:
				if c.of() != 0 {
					ip = (ip + u.disp) & eaMask
					goto took
				}
				ip = (ip + u.imm) & eaMask
				break uops
			case uJcc + 1:
				if c.of() == 0 {
					ip = (ip + u.disp) & eaMask
					goto took
				}
				ip = (ip + u.imm) & eaMask
				break uops
			case uJcc + 2:
				if c.aux>>63 != 0 {
					ip = (ip + u.disp) & eaMask
					goto took
				}
				ip = (ip + u.imm) & eaMask
				break uops
			case uJcc + 3:
				if c.aux>>63 == 0 {
					ip = (ip + u.disp) & eaMask
					goto took
				}
				ip = (ip + u.imm) & eaMask
				break uops
			case uJcc + 4:
				if c.res == 0 {
					ip = (ip + u.disp) & eaMask
					goto took
				}
				ip = (ip + u.imm) & eaMask
				break uops
			case uJcc + 5:
				if c.res != 0 {
					ip = (ip + u.disp) & eaMask
					goto took
				}
				ip = (ip + u.imm) & eaMask
				break uops
			case uJcc + 6:
				if c.aux>>63 != 0 || c.res == 0 {
					ip = (ip + u.disp) & eaMask
					goto took
				}
				ip = (ip + u.imm) & eaMask
				break uops
			case uJcc + 7:
				if c.aux>>63 == 0 && c.res != 0 {
					ip = (ip + u.disp) & eaMask
					goto took
				}
				ip = (ip + u.imm) & eaMask
				break uops
			case uJcc + 8:
				if c.sf() != 0 {
					ip = (ip + u.disp) & eaMask
					goto took
				}
				ip = (ip + u.imm) & eaMask
				break uops
			case uJcc + 9:
				if c.sf() == 0 {
					ip = (ip + u.disp) & eaMask
					goto took
				}
				ip = (ip + u.imm) & eaMask
				break uops
			case uJcc + 10:
				at := b.index(u)
				ok = c.pf()
				u = b.uop(at)
				if ok {
					ip = (ip + u.disp) & eaMask
					goto took
				}
				ip = (ip + u.imm) & eaMask
				break uops
			case uJcc + 11:
				at := b.index(u)
				ok = !c.pf()
				u = b.uop(at)
				if ok {
					ip = (ip + u.disp) & eaMask
					goto took
				}
				ip = (ip + u.imm) & eaMask
				break uops
			case uJcc + 12:
				if c.sf() != c.of() {
					ip = (ip + u.disp) & eaMask
					goto took
				}
				ip = (ip + u.imm) & eaMask
				break uops
			case uJcc + 13:
				if c.sf() == c.of() {
					ip = (ip + u.disp) & eaMask
					goto took
				}
				ip = (ip + u.imm) & eaMask
				break uops
			case uJcc + 14:
				if c.res == 0 || c.sf() != c.of() {
					ip = (ip + u.disp) & eaMask
					goto took
				}
				ip = (ip + u.imm) & eaMask
				break uops
			case uJcc + 15:
				if c.res != 0 && c.sf() == c.of() {
					ip = (ip + u.disp) & eaMask
					goto took
				}
				ip = (ip + u.imm) & eaMask
				break uops
			}
		}
		hint = &b.succ[succEnd]
		goto ended

	took:
		hint = &b.succ[succTaken]

	ended:
		c.s.Ticks += uint64(b.n)
		if c.blocks.stale {
			// A call's push has hit decoded code.
			c.ip = ip
			return exitLook
		}
		continue

	stale: // a store has dropped decoded code, or the page was dropped from the TLB: look it up anew
		c.s.Ticks += uint64(u.n) + 1
		c.ip = (r[rIP] + uint64(u.off) + uint64(u.len)) & c.ipMask
		return exitLook

	handOver: // the handler does this branch, and faults
		c.s.Ticks += uint64(u.n)
		c.ip = (r[rIP] + uint64(u.off)) & c.ipMask
		return exitStep

	fault:
		c.hint = &b.succ[succFault]
		c.s.Ticks += uint64(u.n)
		c.ip = (r[rIP] + uint64(u.off)) & c.ipMask
		return exitFault
	}
}

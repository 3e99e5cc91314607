package cpu

import (
	"x86emu/decode"
	"x86emu/mmu"
)

// A block is decoded straight-line code within one page, translated to uops.
// It is found by the physical address of its first byte and the key bits of
// the mode it was translated for. Pointers to blocks are hints only: whoever
// follows one compares phys and key, so that a dropped or reused block is
// never run by mistake.
type block struct {
	phys  mmu.Phys // deadPhys once dropped
	key   uint32
	n     uint16 // instructions
	size  uint16 // bytes
	uops  []uop
	insts []decode.Inst // those that run through their handler, indexed by uop.imm
	succ  [4]*block     // hints: the block that ran next, by how this one ended
	hash  *block        // next in its hash bucket
	page  *block        // next of the same physical page
}

// How a block ends, as an index into block.succ.
const (
	succEnd   = iota // went on behind it, or ended in a handler
	succTaken        // branched
	succFault        // faulted: the event's handler
)

const (
	deadPhys      = ^mmu.Phys(0)
	maxBlockInsts = 32
	firstBlocks   = 1 << 5  // room of the first pool: a fork that runs little costs little
	poolBlocks    = 1 << 14 // room of the last
)

// blockCache holds the blocks in pools that are emptied as a whole when one is
// full, so that translation allocates nothing in the long run.
type blockCache struct {
	bucket []*block // as many as the pool has room for, a power of two
	pages  map[mmu.Phys]*codePage
	blocks []block
	uops   []uop
	insts  []decode.Inst
	stale  bool // a store has hit code: the running block, or REP, must look up
}

// codePage is what is kept of a physical page that holds decoded code. Its
// marks in memory outlive its blocks for a while: code that is patched is
// soon decoded again, and marking a page anew costs a search of the TLB.
type codePage struct {
	first *block
	idle  int // stores to marks in a row that have hit no block
}

// idleStores is how many stores may hit stale marks before they are cleared.
const idleStores = 16

func (k *blockCache) init() {
	k.pages = make(map[mmu.Phys]*codePage)
	k.grow(firstBlocks)
}

// grow makes new pools with room for n blocks, a power of two. Blocks made
// before stay where they are.
func (k *blockCache) grow(n int) {
	k.blocks = make([]block, 0, n)
	k.uops = make([]uop, 0, n*12)
	k.insts = make([]decode.Inst, 0, n*3)
	old := k.bucket
	k.bucket = make([]*block, n)
	for _, b := range old {
		for b != nil {
			next := b.hash
			k.link(b)
			b = next
		}
	}
}

// hash gives the bucket of a block at p.
func (k *blockCache) hash(p mmu.Phys, key uint32) **block {
	return &k.bucket[uint(p^p>>14^mmu.Phys(key)<<9)&uint(len(k.bucket)-1)]
}

// link puts a block into its bucket.
func (k *blockCache) link(b *block) {
	head := k.hash(b.phys, b.key)
	b.hash, *head = *head, b
}

// find gives the block at p, or nil.
func (k *blockCache) find(p mmu.Phys, key uint32) *block {
	for b := *k.hash(p, key); b != nil; b = b.hash {
		if b.phys == p && b.key == key {
			return b
		}
	}
	return nil
}

// room makes sure that one more block fits the pools: they grow to their full
// size in steps, and full ones are emptied together.
func (c *CPU) room() {
	k := &c.blocks
	if len(k.blocks) < cap(k.blocks) && cap(k.uops)-len(k.uops) >= maxBlockInsts*maxUopsPerInst+1 && cap(k.insts)-len(k.insts) >= maxBlockInsts {
		return
	}
	if cap(k.blocks) >= poolBlocks {
		c.dropAllBlocks()
		return
	}
	k.grow(min(4*cap(k.blocks), poolBlocks))
}

// dropAllBlocks empties the cache.
func (c *CPU) dropAllBlocks() {
	k := &c.blocks
	for p, page := range k.pages {
		c.mmu.Mem.ClearCode(p)
		for b := page.first; b != nil; b = b.page {
			b.phys = deadPhys // hints to it may remain
		}
	}
	clear(k.pages)
	clear(k.bucket)
	k.blocks, k.uops, k.insts = k.blocks[:0], k.uops[:0], k.insts[:0]
	k.stale = true
}

// insert publishes a block.
func (c *CPU) insert(b *block) {
	k := &c.blocks
	k.link(b)
	at := b.phys &^ mmu.PageMask
	page := k.pages[at]
	if page == nil {
		page = new(codePage)
		k.pages[at] = page
	}
	b.page, page.first = page.first, b
	c.mmu.Mem.MarkCode(b.phys, int(b.size))
}

// codeWritten is the memory's hook: n bytes at p, where decoded code is or
// was, have been written. The blocks that hold them are dropped.
func (c *CPU) codeWritten(p mmu.Phys, n int) {
	k := &c.blocks
	at := p &^ mmu.PageMask
	page := k.pages[at]
	k.stale = true
	if page == nil {
		c.mmu.Mem.ClearCode(at)
		return
	}
	page.idle++
	for link := &page.first; *link != nil; {
		b := *link
		if b.phys < p+mmu.Phys(n) && p < b.phys+mmu.Phys(b.size) {
			k.unhash(b)
			b.phys = deadPhys
			*link = b.page
			page.idle = 0
			continue
		}
		link = &b.page
	}
	if page.idle < idleStores {
		return
	}
	page.idle = 0
	c.mmu.Mem.ClearCode(at)
	for b := page.first; b != nil; b = b.page {
		c.mmu.Mem.MarkCode(b.phys, int(b.size))
	}
	if page.first == nil {
		delete(k.pages, at)
	}
}

// unhash takes a block out of its bucket.
func (k *blockCache) unhash(b *block) {
	p := k.hash(b.phys, b.key)
	for *p != b {
		p = &(*p).hash
	}
	*p = b.hash
}

// translate builds the block at c.ip, whose page is the window's. It returns
// nil when the first instruction cannot be part of a block (it crosses the
// page, is undefined, or the page is not plain memory): Step runs that one.
func (c *CPU) translate() *block {
	if c.win.host == nil {
		return nil
	}
	c.room()
	k := &c.blocks
	lin := c.csBase + c.ip
	off := lin & mmu.PageMask
	var t translator
	t.c, t.uops, t.insts = c, k.uops[len(k.uops):], k.insts[len(k.insts):]
	end := uint64(mmu.PageSize)
	if c.mode != decode.Mode64 {
		// Code beyond the CS limit is left to Step, which raises #GP(0).
		limit := uint64(c.s.Seg[decode.CS].Limit)
		if c.ip > limit {
			return nil
		}
		end = min(end, off+limit-c.ip+1)
	}
	for pos := off; t.n < maxBlockInsts && pos < end && !c.mayBreak(pos); {
		var in decode.Inst
		src := c.win.host[pos:end]
		if len(src) > 15 {
			src = src[:15]
		}
		if c.dec.Decode(&in, src, c.mode) != decode.OK {
			break
		}
		pos += uint64(in.Len)
		if t.add(&in) {
			break
		}
	}
	if t.n == 0 {
		return nil
	}
	t.finish()
	k.blocks = append(k.blocks, block{
		phys: c.win.phys + mmu.Phys(off), key: c.key,
		n: uint16(t.n), size: uint16(t.size),
		uops: t.uops, insts: t.insts,
	})
	k.uops = k.uops[:len(k.uops)+len(t.uops)]
	k.insts = k.insts[:len(k.insts)+len(t.insts)]
	b := &k.blocks[len(k.blocks)-1]
	c.insert(b)
	return b
}

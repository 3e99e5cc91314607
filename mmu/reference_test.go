package mmu

// A second walk, written down from the manual step by step and slowly, with
// its own numbers: it shares nothing with the package but the types of its
// inputs. [SDM 3A, 32-Bit Paging; PAE Paging; 4-Level Paging and 5-Level
// Paging; Access Rights; Page-Fault Exceptions; Accessed and Dirty Flags]

type refMachine struct {
	ram      []byte // from address 0; all else reads as ones
	c        Control
	maxPhys  uint
	no1G     bool
	noPAT    bool
	used     []refEntry // entries used, first level first
	notFound uint32     // P and RSVD of a missing translation
}

type refEntry struct{ at, size, value uint64 }

func (r *refMachine) bit(reg uint64, n uint) bool { return reg>>n&1 == 1 }

func (r *refMachine) readPhys(at, size uint64) uint64 {
	if !r.c.A20 {
		at &= 0xffffffffffefffff
	}
	var v uint64
	for i := uint64(0); i < size; i++ {
		b := uint64(0xff)
		if at+i < uint64(len(r.ram)) {
			b = uint64(r.ram[at+i])
		}
		v += b << (8 * i)
	}
	return v
}

func (r *refMachine) writePhys(at, size, v uint64) {
	if !r.c.A20 {
		at &= 0xffffffffffefffff
	}
	for i := uint64(0); i < size; i++ {
		if at+i < uint64(len(r.ram)) {
			r.ram[at+i] = byte(v >> (8 * i))
		}
	}
}

// entry reads an entry and checks P and the reserved bits, given as a list of bit numbers.
func (r *refMachine) entry(at, size uint64, reserved func(v uint64) []uint) (uint64, bool) {
	v := r.readPhys(at, size)
	r.used = append(r.used, refEntry{at, size, v})
	if !r.bit(v, 0) {
		r.notFound = 0
		return v, false
	}
	for _, n := range reserved(v) {
		if r.bit(v, n) {
			r.notFound = 1 | 8
			return v, false
		}
	}
	return v, true
}

func span(lo, hi uint) (list []uint) {
	for n := lo; n <= hi; n++ {
		list = append(list, n)
	}
	return list
}

// longReserved lists what is reserved in any 64-bit entry.
func (r *refMachine) longReserved() []uint {
	top := uint(51)
	if !r.bit(r.c.EFER, 10) { // not IA-32e: PAE paging
		top = 62
	}
	list := span(r.maxPhys, top)
	if !r.bit(r.c.EFER, 11) {
		list = append(list, 63)
	}
	return list
}

// translate finds the translation of lin: its physical address, page size and last entry.
func (r *refMachine) translate(lin uint64) (phys uint64, ok bool) {
	const low52 = 0x000fffffffffffff
	switch {
	case !r.bit(r.c.CR0, 31):
		return lin & 0xffffffff, true

	case !r.bit(r.c.CR4, 5): // 32-bit paging
		lin &= 0xffffffff
		pse := r.bit(r.c.CR4, 4)
		pde, ok := r.entry(r.c.CR3&0xfffff000+lin>>22*4, 4, func(v uint64) []uint {
			if !pse || !r.bit(v, 7) {
				return nil
			}
			m := min(r.maxPhys, 40)
			list := span(m-19, 21)
			if r.noPAT {
				list = append(list, 12)
			}
			return list
		})
		if !ok {
			return 0, false
		}
		if pse && r.bit(pde, 7) {
			return pde>>13&0xff<<32 + pde>>22<<22 + lin&0x3fffff, true
		}
		pte, ok := r.entry(pde&0xfffff000+lin>>12&0x3ff*4, 4, func(uint64) []uint {
			if pse && r.noPAT {
				return []uint{7}
			}
			return nil
		})
		return pte&0xfffff000 + lin&0xfff, ok

	case !r.bit(r.c.EFER, 10): // PAE paging
		lin &= 0xffffffff
		pdpte := r.c.PDPTE[lin>>30]
		if !r.bit(pdpte, 0) {
			r.notFound = 0
			return 0, false
		}
		return r.fromPageDirectory(pdpte, lin)
	}

	// 4-level and 5-level paging
	table := r.c.CR3
	if r.bit(r.c.CR4, 12) {
		pml5e, ok := r.entry(table&low52>>12<<12+lin>>48&511*8, 8, func(uint64) []uint { return append(r.longReserved(), 7) })
		if !ok {
			return 0, false
		}
		table = pml5e
	}
	pml4e, ok := r.entry(table&low52>>12<<12+lin>>39&511*8, 8, func(uint64) []uint { return append(r.longReserved(), 7) })
	if !ok {
		return 0, false
	}
	pdpte, ok := r.entry(pml4e&low52>>12<<12+lin>>30&511*8, 8, func(v uint64) []uint {
		list := r.longReserved()
		if r.no1G {
			return append(list, 7)
		}
		if r.bit(v, 7) {
			list = append(list, span(13, 29)...)
			if r.noPAT {
				list = append(list, 12)
			}
		}
		return list
	})
	if !ok {
		return 0, false
	}
	if r.bit(pdpte, 7) {
		return pdpte&low52>>30<<30 + lin&0x3fffffff, true
	}
	return r.fromPageDirectory(pdpte, lin)
}

// fromPageDirectory does the last two levels of 64-bit entries.
func (r *refMachine) fromPageDirectory(pdpte, lin uint64) (uint64, bool) {
	const low52 = 0x000fffffffffffff
	pde, ok := r.entry(pdpte&low52>>12<<12+lin>>21&511*8, 8, func(v uint64) []uint {
		list := r.longReserved()
		if r.bit(v, 7) {
			list = append(list, span(13, 20)...)
			if r.noPAT {
				list = append(list, 12)
			}
		}
		return list
	})
	if !ok {
		return 0, false
	}
	if r.bit(pde, 7) {
		return pde&low52>>21<<21 + lin&0x1fffff, true
	}
	pte, ok := r.entry(pde&low52>>12<<12+lin>>12&511*8, 8, func(uint64) []uint {
		list := r.longReserved()
		if r.noPAT {
			list = append(list, 7)
		}
		return list
	})
	return pte&low52>>12<<12 + lin&0xfff, ok
}

// access walks and decides; if the access is allowed it sets A and D, unless dry.
func (r *refMachine) access(lin uint64, a Access, dry bool) (phys uint64, code uint32, ok bool) {
	r.used = nil
	paging := r.bit(r.c.CR0, 31)
	write, fetch := a&Write != 0, a&Exec != 0
	userAccess := a&User != 0
	nxe, pae := r.bit(r.c.EFER, 11), r.bit(r.c.CR4, 5)
	smep, smap := r.bit(r.c.CR4, 20), r.bit(r.c.CR4, 21)
	wp := r.bit(r.c.CR0, 16)

	if write {
		code += 2
	}
	if userAccess {
		code += 4
	}
	if fetch && (pae && nxe || smep) {
		code += 16
	}
	phys, found := r.translate(lin)
	if !r.c.A20 {
		phys &= 0xffffffffffefffff
	}
	if !paging {
		return phys, 0, true
	}
	if !found {
		return 0, code | r.notFound, false
	}
	code++

	userAddr, writable, xd := true, true, false
	for _, e := range r.used {
		userAddr = userAddr && r.bit(e.value, 2)
		writable = writable && r.bit(e.value, 1)
		xd = xd || r.bit(e.value, 63)
	}
	last := r.used[len(r.used)-1]

	keyAllows := true
	if r.bit(r.c.EFER, 10) && r.bit(r.c.CR4, 22) && userAddr && !fetch {
		key := uint(last.value >> 59 & 15)
		ad, wd := r.bit(uint64(r.c.PKRU), 2*key), r.bit(uint64(r.c.PKRU), 2*key+1)
		if ad {
			keyAllows = false
		}
		if wd && write && (userAccess || wp) {
			keyAllows = false
		}
	}
	var allowed bool
	switch {
	case !userAccess && fetch && !userAddr:
		allowed = !nxe || !xd
	case !userAccess && fetch && userAddr:
		allowed = !smep && (!nxe || !xd)
	case !userAccess && !userAddr:
		allowed = !write || !wp || writable
	case !userAccess && userAddr:
		allowed = (!smap || a&AC != 0) && (!write || !wp || writable)
	case userAccess && !userAddr:
		allowed = false
	case fetch:
		allowed = !nxe || !xd
	default:
		allowed = !write || writable
	}
	if !keyAllows {
		allowed = false
		code |= 32
	}
	if !allowed {
		return 0, code, false
	}
	if !dry {
		for i, e := range r.used {
			set := uint64(1 << 5)
			if write && i == len(r.used)-1 {
				set |= 1 << 6
			}
			r.writePhys(e.at, e.size, r.readPhys(e.at, e.size)|set)
		}
	}
	return phys, 0, true
}

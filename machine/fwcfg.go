package machine

import (
	"encoding/binary"

	"x86emu/mmu"
)

// FWCfg is QEMU's fw_cfg, by which firmware and kernels ask the board what there is:
// items of bytes (fwcfg_items.go), each under a key.
//
//	port 0x510   a word written selects an item, from its first byte on
//	port 0x511   gives its next byte; zeros behind its end, or where there is none
//	port 0x514   the address of a request to transfer, two big-endian double words of
//	             which the second starts it; they read as "QEMU CFG"
//
// A request reads from the item to RAM, or skips: what reaches beyond RAM fails, and so does a
// write, for no item can be written. [QEMU, docs/specs/fw_cfg]
type FWCfg struct {
	s     fwCfgState
	m     *Machine
	items map[uint16][]byte // made when the first one is selected
}

type fwCfgState struct {
	Key  uint16
	Next uint32 // the offset of the item's next byte
	High uint32 // of a request's address
}

const (
	fwCfgPort      = 0x510
	fwCfgDMA       = 0x514
	fwCfgSignature = "QEMU CFG"
)

// A request lies in RAM, in big-endian order: control, length, address.
// [QEMU, docs/specs/fw_cfg, Guest-side DMA Interface]
const (
	fwCfgRequest = 16

	fwCfgError  = 1 << 0 // of control
	fwCfgRead   = 1 << 1
	fwCfgSkip   = 1 << 2
	fwCfgSelect = 1 << 3
	fwCfgWrite  = 1 << 4
)

// places are the ports of fw_cfg.
func (f *FWCfg) places() []place {
	return []place{
		atPorts(PortRange{fwCfgPort, 2}, 2, f),
		atPorts(PortRange{fwCfgDMA, 8}, 4, fwCfgRequests{f}),
	}
}

func (f *FWCfg) Name() string { return "fwcfg" }
func (f *FWCfg) State() any   { return &f.s }

// item is the selected item.
func (f *FWCfg) item() []byte {
	if f.items == nil {
		f.items = f.m.fwCfgItems()
	}
	return f.items[f.s.Key]
}

// rest is what of the item has not been read.
func (f *FWCfg) rest() []byte {
	item := f.item()
	return item[min(int(f.s.Next), len(item)):]
}

func (f *FWCfg) selects(key uint16) { f.s.Key, f.s.Next = key, 0 }

func (f *FWCfg) In(_ uint16, size uint8) uint32 {
	if rest := f.rest(); size == 1 && len(rest) > 0 {
		f.s.Next++
		return uint32(rest[0])
	}
	return 0
}

func (f *FWCfg) Out(_ uint16, size uint8, v uint32) {
	if size == 2 {
		f.selects(uint16(v))
	}
}

// fwCfgRequests are the ports that take a request's address.
type fwCfgRequests struct{ f *FWCfg }

func (r fwCfgRequests) In(off uint16, size uint8) (v uint32) {
	for i := range uint16(size) {
		v |= uint32(fwCfgSignature[off+i]) << (8 * i)
	}
	return v
}

func (r fwCfgRequests) Out(off uint16, size uint8, v uint32) {
	if size != 4 {
		return
	}
	var word [4]byte
	binary.LittleEndian.PutUint32(word[:], v)
	switch v = binary.BigEndian.Uint32(word[:]); off {
	case 0:
		r.f.s.High = v
	case 4:
		at := uint64(r.f.s.High)<<32 | uint64(v)
		r.f.s.High = 0
		r.f.transfer(at)
	}
}

// ram tells whether a range lies in RAM.
func (f *FWCfg) ram(at, size uint64) bool { return at <= f.m.RAM() && size <= f.m.RAM()-at }

// transfer does what the request at an address asks for.
func (f *FWCfg) transfer(at uint64) {
	if !f.ram(at, fwCfgRequest) {
		return
	}
	var request [fwCfgRequest]byte
	f.m.Mem.ReadBytes(mmu.Phys(at), request[:])
	be := binary.BigEndian
	control, size, to := be.Uint32(request[:]), uint64(be.Uint32(request[4:])), be.Uint64(request[8:])
	if control&fwCfgSelect != 0 {
		f.selects(uint16(control >> 16))
	}
	data := f.rest()
	data = data[:min(size, uint64(len(data)))]
	result := uint32(0)
	switch {
	case control&fwCfgRead != 0 && f.ram(to, size):
		f.m.Mem.WriteBytes(mmu.Phys(to), data)
		f.zero(to+uint64(len(data)), size-uint64(len(data)))
		f.s.Next += uint32(len(data))
	case control&fwCfgRead != 0, control&fwCfgWrite != 0 && size > 0:
		result = fwCfgError
	case control&fwCfgSkip != 0:
		f.s.Next += uint32(len(data))
	}
	be.PutUint32(request[:], result)
	f.m.Mem.WriteBytes(mmu.Phys(at), request[:4])
}

// zero clears RAM, where a request asks for more than the item has.
func (f *FWCfg) zero(at, size uint64) {
	var zeros [mmu.PageSize]byte
	for ; size > 0; at, size = at+min(size, mmu.PageSize), size-min(size, mmu.PageSize) {
		f.m.Mem.WriteBytes(mmu.Phys(at), zeros[:min(size, mmu.PageSize)])
	}
}

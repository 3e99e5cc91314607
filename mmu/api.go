package mmu

// Memory is the physical address space.
type Memory struct{ OnCodeWrite func(Phys, int) }

// NewMemory makes an address space with ram bytes of RAM from address 0.
func NewMemory(ram uint64, maxPhysBits uint) *Memory { panic("BUG: not built") }

func (m *Memory) Read(p Phys, size uint) uint64     { panic("BUG: not built") }
func (m *Memory) Write(p Phys, size uint, v uint64) { panic("BUG: not built") }
func (m *Memory) ReadBytes(p Phys, b []byte)        { panic("BUG: not built") }
func (m *Memory) WriteBytes(p Phys, b []byte)       { panic("BUG: not built") }

// MarkCode says that decoded code was taken from [p, p+n) within one page:
// from now on stores there call OnCodeWrite, and no View lets a store to that
// page pass unseen.
func (m *Memory) MarkCode(p Phys, n int) { panic("BUG: not built") }

// ClearCode says that no decoded code of the page of p is kept any more.
func (m *Memory) ClearCode(p Phys) { panic("BUG: not built") }

// MMU translates and accesses.
type MMU struct {
	Ctl   Control
	Gen   uint64
	Mem   *Memory
	Fault Fault // set by a method that returned ok == false
	View  [3]View
}

func New(mem *Memory, cfg Config) *MMU { panic("BUG: not built") }

// Config is what the CPU model decides about paging.
type Config struct {
	MaxPhysBits uint // MAXPHYADDR
	TLBOff      bool
}

func (m *MMU) Read(lin Linear, size uint, a Access) (uint64, bool)  { panic("BUG: not built") }
func (m *MMU) Write(lin Linear, size uint, v uint64, a Access) bool { panic("BUG: not built") }
func (m *MMU) Probe(lin Linear, size uint, a Access) bool           { panic("BUG: not built") }
func (m *MMU) Translate(lin Linear, a Access) (Phys, bool)          { panic("BUG: not built") }
func (m *MMU) SetCR0(v uint64)                                      { panic("BUG: not built") }
func (m *MMU) SetCR3(v uint64)                                      { panic("BUG: not built") }
func (m *MMU) SetCR4(v uint64)                                      { panic("BUG: not built") }
func (m *MMU) SetEFER(v uint64)                                     { panic("BUG: not built") }
func (m *MMU) SetPKRU(v uint32)                                     { panic("BUG: not built") }
func (m *MMU) SetA20(open bool)                                     { panic("BUG: not built") }
func (m *MMU) LoadPDPTEs(cr3 uint64) bool                           { panic("BUG: not built") }
func (m *MMU) Invlpg(lin Linear)                                    { panic("BUG: not built") }
func (m *MMU) Invpcid(kind, pcid uint64, lin Linear)                { panic("BUG: not built") }
func (m *MMU) FlushAll()                                            { panic("BUG: not built") }

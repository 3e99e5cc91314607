package mmu

// Linear is a linear address: after segmentation, before paging.
type Linear uint64

// Phys is a physical address: after paging, before A20.
type Phys uint64

// PageSize is the size in bytes of the smallest page.
const (
	PageSize  = 4096
	PageShift = 12
	PageMask  = PageSize - 1
)

// Page is one page of guest RAM.
type Page [PageSize]byte

// Access is what an access does and by what right.
type Access uint8

const (
	Write Access = 1 << iota // writes (a read-modify-write counts as a write)
	Exec                     // instruction fetch
	User                     // made at CPL 3 and not implicit: the U/S bit of the error code
	AC                       // explicit supervisor data access with EFLAGS.AC = 1: SMAP does not apply. Implicit accesses (descriptor tables, TSS) never carry it
)

// Read is the absence of Write and Exec.
const Read Access = 0

// Error code bits of a page fault. [SDM 3A, Interrupt 14—Page-Fault Exception (#PF)]
const (
	PFPresent  uint32 = 1 << 0
	PFWrite    uint32 = 1 << 1
	PFUser     uint32 = 1 << 2
	PFReserved uint32 = 1 << 3
	PFFetch    uint32 = 1 << 4
	PFPKey     uint32 = 1 << 5
)

// Fault is a page fault as the walk found it.
type Fault struct {
	Addr Linear // what CR2 becomes
	Code uint32 // error code
}

// Control bits that paging depends on.
const (
	CR0PE = 1 << 0
	CR0MP = 1 << 1
	CR0EM = 1 << 2
	CR0TS = 1 << 3
	CR0ET = 1 << 4
	CR0NE = 1 << 5
	CR0WP = 1 << 16
	CR0AM = 1 << 18
	CR0NW = 1 << 29
	CR0CD = 1 << 30
	CR0PG = 1 << 31

	CR4VME        = 1 << 0
	CR4PVI        = 1 << 1
	CR4TSD        = 1 << 2
	CR4DE         = 1 << 3
	CR4PSE        = 1 << 4
	CR4PAE        = 1 << 5
	CR4MCE        = 1 << 6
	CR4PGE        = 1 << 7
	CR4PCE        = 1 << 8
	CR4OSFXSR     = 1 << 9
	CR4OSXMMEXCPT = 1 << 10
	CR4UMIP       = 1 << 11
	CR4LA57       = 1 << 12
	CR4FSGSBASE   = 1 << 16
	CR4PCIDE      = 1 << 17
	CR4OSXSAVE    = 1 << 18
	CR4SMEP       = 1 << 20
	CR4SMAP       = 1 << 21
	CR4PKE        = 1 << 22

	EFERSCE = 1 << 0
	EFERLME = 1 << 8
	EFERLMA = 1 << 10
	EFERNXE = 1 << 11
)

// Control is the paging part of the processor's state: pointer-free and
// comparable, a part of the processor's flat State.
type Control struct {
	CR0, CR2, CR3, CR4 uint64
	EFER               uint64
	PDPTE              [4]uint64 // the four PDPTE registers of PAE paging
	PKRU               uint32
	A20                bool // A20 gate open (address bit 20 passes)
}

package diff

// A system world is a machine whose tables lie in the arena. What all of them
// share is how a case begins and ends.
//
// It begins with the registers of the case: control registers, GDTR, IDTR, LDTR
// and TR loaded, and the code entered by an IRET, whose frame has CS, SS and the
// flags; from the first instruction on all memory is the case's.
//
// It ends when a collector is reached at CPL 0. Collectors are the harness's: one
// for each vector, at a fixed place in the first 4 MiB, which every world maps
// onto itself for supervisors only, by an entry that no case changes. All gates of a
// world lead there unless a case says otherwise, and so may its call gates and
// tasks. A handler at CPL 1 to 3 or in VM86 mode is therefore a page fault or
// whatever its first fetch is, and comes to another collector. The result's Vector is
// the collector's number, and Regs are those at its first instruction.
//
// Code of a case that goes on without an event, behind a return or a far
// jump, meets INT3, with which the code pages of a world are filled.
//
// The descriptor at CollectorCS is code at CPL 0, base 0, of 4 GiB in 32-bit
// worlds and 64-bit code in others; the one at CollectorDS is flat data. No case
// changes them, nor GDTR, nor makes TF survive until a collector. A gate may name
// another code segment, of 32 or 16 bits, whose base and offset add up to a
// collector's address.
//
// What the harness, which runs inside the machine, asks of a world beyond that:
//   - HarnessBase to HarnessEnd is mapped onto itself, present, writable,
//     executable, not the user's, with A and D set in every entry on the way;
//     unless paging is off.
//   - The segments that a case begins with have their accessed bit set, the TSS in
//     TR is busy, and the pages of GDT, LDT and IDT have A set: the loads at the
//     beginning leave no mark then.
//   - A collector begins by writing EAX to DR0 and DS to DR1, since it may count on
//     no stack and no segment: DR7 has GD clear when it is reached, and
//     results of the harness show DR0 and DR1 as the case began.
//   - The frame of the IRET that begins a case lies on a stack of the harness,
//     but for one to 32-bit code at CPL 0 with TF, RF, VIF or VIP: there it lies
//     below the case's SS:ESP, in 12 bytes that show as changed.
//   - Null selectors in DS, ES, FS and GS are 0 where a case begins at CPL 1 to 3,
//     as an IRET leaves them.
const (
	// CollectorBase is the address of vector 0's collector, linear and physical.
	CollectorBase = 0x200000
	// CollectorSize is how far one collector lies behind the other, in bytes.
	CollectorSize = 32

	CollectorCS = 0x08
	CollectorDS = 0x10

	// HarnessBase and HarnessEnd bound what belongs to the harness, linear and
	// physical.
	HarnessBase = 0x100000
	HarnessEnd  = 0x400000
)

// Collector is the address of a vector's collector.
func Collector(vector uint8) uint64 { return CollectorBase + CollectorSize*uint64(vector) }

// AtCollector tells which collector begins at a linear address.
func AtCollector(linear uint64) (vector uint8, ok bool) {
	n := linear - CollectorBase
	return uint8(n / CollectorSize), n < 256*CollectorSize && n%CollectorSize == 0
}

package machine

// FloatError is a PC's circuit for x87 exceptions while CR0.NE is 0: FERR#
// latches IRQ 13; a write to port 0xF0 clears the latch and, while FERR# is
// asserted, asserts IGNNE# until the guest has cleared the exception. Reads
// give all ones. [SDM 1, Guidelines for Writing x87 FPU Exception Handlers,
// Recommended External Hardware to Support the MS-DOS Compatibility Sub-mode]
type FloatError struct {
	s floatErrorState
	m *Machine
}

type floatErrorState struct {
	FERR  bool // the processor's output
	IGNNE bool // its input
}

// floatIRQ is the line of the latch.
const floatIRQ = 13

func (f *FloatError) Name() string            { return "floaterror" }
func (f *FloatError) State() any              { return &f.s }
func (f *FloatError) In(uint16, uint8) uint32 { return 0xff }

func (f *FloatError) Out(uint16, uint8, uint32) {
	f.m.SetIRQ(floatIRQ, false)
	f.s.IGNNE = f.s.FERR
}

// waits tells whether an exception is neither cleared nor to be ignored.
func (f *FloatError) waits() bool { return f.s.FERR && !f.s.IGNNE }

// ferr takes the level of FERR# and gives that of IGNNE#; true is asserted.
func (f *FloatError) ferr(level bool) bool {
	if level && !f.s.FERR {
		f.m.SetIRQ(floatIRQ, true)
	}
	f.s.FERR = level
	f.s.IGNNE = f.s.IGNNE && level
	return f.s.IGNNE
}

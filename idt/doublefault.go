package idt

// outcome of a second fault.
type escalation uint8

const (
	serially escalation = iota // the second is delivered, and the first comes again by itself where it still stands
	doubled                    // both become #DF
	shutdown
)

// escalate is the double-fault matrix, first by second.
// [SDM 3A, Interrupt 8—Double Fault Exception (#DF), Conditions for Generating a Double Fault]
var escalate = [4][4]escalation{
	//            Benign    Contributory PageFault DoubleFault
	Benign:       {serially, serially, serially, serially},
	Contributory: {serially, doubled, serially, serially},
	PageFault:    {serially, doubled, doubled, serially},
	DoubleFault:  {serially, shutdown, shutdown, serially},
}

package model

// Oddity is one way in which another emulator departs from the text of deliveries, or
// takes what the text leaves open the other way. With a set of them the model says
// what that emulator does, to the bit, where several meet in one case too. All
// were measured: QEMU 7.2 and Bochs 2.7.
type Oddity int

// Oddities is a set of them.
type Oddities uint64

// Of makes a set.
func Of(list ...Oddity) (set Oddities) {
	for _, o := range list {
		set |= 1 << o
	}
	return set
}

// List gives a set's members in their order.
func (s Oddities) List() (list []Oddity) {
	for o := range numOddities {
		if s>>o&1 == 1 {
			list = append(list, o)
		}
	}
	return list
}

// What the emulators do. The table below has the sentence that each breaks.
const (
	NoEXT Oddity = iota
	DoubledVectorCode
	HighWordOf16BitGate
	NoAccessedBit
	NoTargetCheck
	LimitErrorIsSelector
	NoStackLimit
	HoleIsGP
	SupervisorFrame
	AbsentStackTS
	AbsentStackNP
	KeepsHighESP
	TSSReaches8
	NoRF
	NoVIF
	VMAnywhere
	KeepsNullFSGS
	V86TargetCut
	V86HandlerDPL
	NoLDCheck
	PresenceBefore64
	ISTNullSS
	AbsentGateCodeGP
	CallGateCPL0
	CallGateRPL
	NullSSAnywhere
	TaskGateLDTTS
	NullSSLoadAnywhere
	HalfAFrame
	StackPointer32
	No16BitOnes
	Keeps16BitFlags
	NoOldTSSLimit
	TaskReadFirst
	NewTaskOtherwise
	NoINT1
	SoftwareRF
	V86NoRF
	NewTaskEIP
	DFSetsRF
	V86BasesStay
	IRETNoSS
	PopFromTop
	ByWord
	PushBeforeTarget
	TaskCPL3
	GateLastWord
	HoleNamesSS
	TargetCut32
	V86NoTargetCheck
	TaskSSFirst
	ParametersFromTop
	V86DPLLate
	CompatPush
	UpperHalfLate
	TSSLimitSigned
	NullSSAnyRPL
	RightsOfDPL
	AbsentTaskStackNP
	TaskEIPFirst

	numOddities
)

// text is what the table says of an oddity.
type text struct {
	name, cite string
}

var oddityTexts = [numOddities]text{
	NoEXT:                {"EXT is never set", "EXT: When set, indicates that the exception occurred during delivery of an event external to the program, such as an interrupt or an earlier exception. [SDM 3A, Error Code]"},
	DoubledVectorCode:    {"an error code of the IDT is vector*16+2 in IA-32e mode", "the error code has the IDT flag and the vector as index, in bits 15:3. [SDM 3A, Error Code]"},
	HighWordOf16BitGate:  {"the upper word of a 16-bit gate counts", "a 16-bit gate has an offset of 16 bits. [SDM 3A, IDT Descriptors; Call Gates]"},
	NoAccessedBit:        {"loading CS or SS by a gate, return, far transfer or task switch leaves the accessed bit", "The processor sets this bit whenever it loads the segment selector for the segment into a segment register. [SDM 3A, Code- and Data-Segment Descriptor Types]"},
	NoTargetCheck:        {"the target is not checked against the code segment's limit, nor for canonical form", "IF instruction pointer is not within code segment limits THEN #GP(0). [SDM 2, INT n; IRET; RET; CALL; JMP]"},
	LimitErrorIsSelector: {"a target beyond the limit is #GP(selector)", "IF tempEIP outside code segment limit THEN #GP(0). [SDM 2, JMP; CALL]"},
	NoStackLimit:         {"a stack's limit is not checked", "IF stack does not have room THEN #SS; SDM 3A, Limit Checking. [SDM 2, INT n; CALL]"},
	HoleIsGP:             {"a stack access in the canonical hole is #GP(0), and only when it is made", "IF StackAddress is non-canonical THEN #SS; SDM 1, Canonical Addressing. [SDM 2, INT n; IRET; CALL]"},
	SupervisorFrame:      {"stacks of CPL 3 are accessed with a supervisor's rights", "accesses made while CPL = 3 are user-mode accesses. [SDM 3A, Determination of Access Rights]"},
	AbsentStackTS:        {"an inner stack that is not present is #TS", "IF NewSS is not present THEN #SS(error_code(NewSS,0,EXT)). [SDM 2, INT n; CALL]"},
	AbsentStackNP:        {"a stack that is not present is #NP on a return", "IF stack segment not present THEN #SS(stack segment selector). [SDM 2, IRET; RET]"},
	KeepsHighESP:         {"the upper half of ESP stays on a switch to a 16-bit stack", "ESP := NewESP. [SDM 2, INT n; CALL]"},
	TSSReaches8:          {"a TSS must hold all eight bytes of an inner stack's slot", "IF (TSSstackAddress + 5) > current TSS limit THEN #TS. [SDM 2, INT n; CALL]"},
	NoRF:                 {"a fault saves RF as 0", "For any fault-class exception ... the value pushed for RF is 1. [SDM 3B, Instruction-Breakpoint Exception Condition]"},
	NoVIF:                {"IRET loads neither VIF nor VIP", "IF CPL = 0 THEN ... EFLAGS(VIF,VIP) := tempEFLAGS. [SDM 2, IRET]"},
	VMAnywhere:           {"IRET returns to virtual-8086 mode at any CPL, and in IA-32e mode", "IF tempEFLAGS(VM) = 1 and CPL = 0 THEN GOTO RETURN-TO-VIRTUAL-8086-MODE. [SDM 2, IRET]"},
	KeepsNullFSGS:        {"null selectors in FS and GS keep their RPL on a return to an outer level", "the selector of a segment register that may not be used becomes 0. [SDM 2, IRET; RET]"},
	V86TargetCut:         {"EIP is cut on a return to virtual-8086 mode", "IF EIP is not within code segment limits THEN #GP(0). [SDM 2, IRET, RETURN-TO-VIRTUAL-8086-MODE]"},
	V86HandlerDPL:        {"a handler entered from virtual-8086 mode may be at CPL 1 or 2", "IF new code-segment DPL ≠ 0 THEN #GP(new code-segment selector). [SDM 2, INT n]"},
	NoLDCheck:            {"code with both L and D is taken", "IF L-Bit = 1 and D-BIT = 1 and IA32_EFER.LMA = 1 THEN #GP(new code segment selector). [SDM 2, JMP; CALL; IRET; RET]"},
	PresenceBefore64:     {"presence is checked before 64-bit code is asked for", "IF (code-segment descriptor is not a 64-bit segment) THEN #GP(code segment selector), before presence; left open for INT n. [SDM 2, CALL]"},
	ISTNullSS:            {"SS becomes null with an IST at the same level", "SS is loaded with a change of privilege only. [SDM 2, INT n, INTRA-PRIVILEGE-LEVEL-INTERRUPT]"},
	AbsentGateCodeGP:     {"a code segment behind a call gate that is not present is #GP, by JMP", "IF code segment is not present THEN #NP(code-segment selector). [SDM 2, JMP, CALL-GATE]"},
	CallGateCPL0:         {"a 64-bit call gate enters code of DPL 1 or 2 at CPL 0", "CPL := CodeSegment(DPL). [SDM 2, CALL, MORE-PRIVILEGE]"},
	CallGateRPL:          {"CS has the DPL as its RPL behind a call gate to conforming code", "CS(RPL) := CPL. [SDM 2, CALL, SAME-PRIVILEGE]"},
	NullSSAnywhere:       {"IRET and RET take a null SS for compatibility-mode code and with any RPL", "a null SS is for 64-bit code at CPL 0 to 2, with RPL = CPL, ELSE #GP(0). [SDM 2, IRET; RET]"},
	TaskGateLDTTS:        {"a task gate that names the LDT is #TS", "IF local/global bit is set to local THEN #GP(TSS selector). [SDM 2, INT n; JMP; CALL, TASK-GATE]"},
	NullSSLoadAnywhere:   {"MOV SS takes a null selector of any RPL in 64-bit mode", "#GP(0) if an attempt is made to load SS register with NULL segment selector when CPL = 3, or when CPL < 3 and CPL ≠ RPL. [SDM 2, MOV]"},
	HalfAFrame:           {"words pushed before the one that faults stay in memory: left open", "what is below the stack pointer is left open. [SDM 3A, Interrupt and Exception Handling]"},
	StackPointer32:       {"IRET, RET and far CALL in 64-bit mode with an operand of 16 or 32 bits use ESP", "in 64-bit mode the stack pointer has 64 bits. [SDM 1, Stack Address-Size Attribute]"},
	No16BitOnes:          {"upper halves of registers stay on a switch to a 16-bit task: left open", "the structure has no place for them. [SDM 3A, 16-Bit Task-State Segment (TSS)]"},
	Keeps16BitFlags:      {"the upper half of EFLAGS stays on a switch to a 16-bit task, VM too", "Loads the TSS state into the processor: ... the EFLAGS register. [SDM 3A, Task Switching]"},
	NoOldTSSLimit:        {"a task switch saves the old task whatever the limit of its TSS: left open", "the table has no line for the old TSS. [SDM 3A, Interrupt 10, Invalid TSS Exception (#TS)]"},
	TaskReadFirst:        {"a task switch reads the new TSS before it saves the old task", "Saves the state of the current (old) task in the current task's TSS, a step before the new one is loaded. [SDM 3A, Task Switching]"},
	NoINT1:               {"INT1 is #UD", "INT1 generates a debug exception (#DB). [SDM 2, INT n/INTO/INT3/INT1]"},
	SoftwareRF:           {"a software interrupt saves RF as it is", "Software-generated interrupts (RF is pushed as 0, since it was cleared at the start of the software interrupt). [SDM 3B, Instruction-Breakpoint Exception Condition]"},
	V86NoRF:              {"a return to virtual-8086 mode does not load RF", "EFLAGS := tempEFLAGS. [SDM 2, IRET, RETURN-TO-VIRTUAL-8086-MODE]"},
	NewTaskEIP:           {"a fault of a new task has the page offset of the old EIP", "a fault of the new task is taken with the instruction pointer of the new task. [SDM 3A, Task Switching]"},
	DFSetsRF:             {"a double fault saves RF as 1", "RF is 1 for any fault-class exception; SDM 3A, Exception Summary: #DF is an abort. [SDM 3B, Instruction-Breakpoint Exception Condition]"},
	V86BasesStay:         {"FS and GS keep their bases behind a null selector on the way from virtual-8086 mode: left open", "GS, FS, DS, ES := 0. [SDM 2, INT n, INTERRUPT-FROM-VIRTUAL-8086-MODE]"},
	IRETNoSS:             {"IRET in 64-bit mode with an operand of 16 or 32 bits pops no SS:RSP at the same level", "in 64-bit mode the stack pointer is popped unconditionally. [SDM 3A, IRET in IA-32e Mode]"},
	PopFromTop:           {"the words of a frame are read from the highest down: left open", "Pop() is EIP first. [SDM 2, IRET; RET]"},
	ByWord:               {"each word of a frame is checked as it is pushed or popped, and the stack pointer itself is not", "IF stack does not have room for all words THEN #SS, before the first one; IF StackAddress is non-canonical THEN #SS. [SDM 2, INT n; CALL; IRET]"},
	PushBeforeTarget:     {"CALL, and a delivery in IA-32e mode, push before the target is checked", "IF instruction pointer not within code segment limits THEN #GP(0), before the pushes. [SDM 2, CALL; INT n]"},
	TaskCPL3:             {"a new task has CPL 3 until its SS is loaded: left open", "faults of the new task's segments are taken in the new task. [SDM 3A, Task Switching]"},
	GateLastWord:         {"the type field in the last doubleword of a 64-bit interrupt gate must be 0: left open", "the field is reserved. [SDM 3A, 64-Bit Mode IDT]"},
	HoleNamesSS:          {"a non-canonical inner stack pointer is #SS(old SS)", "IF StackAddress is non-canonical THEN #SS(EXT) (* Error code contains NULL selector *). [SDM 2, INT n; CALL]"},
	TargetCut32:          {"of a 64-bit offset into compatibility-mode code the lower half counts", "IF instruction pointer is not within the code segment limit THEN #GP(0); silicon takes all 64 bits of a return. [SDM 2, IRET; RET; JMP; CALL]"},
	V86NoTargetCheck:     {"IRET in virtual-8086 mode does not check EIP", "IF EIP is not within code segment limits THEN #GP(0). [SDM 2, IRET, RETURN-FROM-VIRTUAL-8086-MODE]"},
	TaskSSFirst:          {"a new task's CS is loaded last", "the code segment comes before the stack segment. [SDM 3A, Task Switching, Exception Conditions Checked During a Task Switch]"},
	ParametersFromTop:    {"a call gate's parameters are read from the last one down, each as it is pushed: left open", "Push(parameters from calling procedure's stack, temp). [SDM 2, CALL, MORE-PRIVILEGE]"},
	V86DPLLate:           {"the DPL of a handler entered from virtual-8086 mode is checked behind the TSS", "IF new code-segment DPL ≠ 0 THEN #GP(new code-segment selector), before the stack is looked for. [SDM 2, INT n]"},
	CompatPush:           {"a far CALL in IA-32e mode pushes as the code that it calls would", "Push(CS); Push(EIP), before CS is loaded. [SDM 2, CALL]"},
	UpperHalfLate:        {"the upper half of a 64-bit call gate is looked at when the gate is present: left open", "#GP(selector): if the upper type field in a 64-bit call gate is not 0x0; the order is not told. [SDM 2, CALL; JMP]"},
	TSSLimitSigned:       {"a TSS of 2 GBytes or more is too small", "Checks that the TSS has a valid limit (greater than or equal to 67H). [SDM 3A, Task Switching]"},
	NullSSAnyRPL:         {"IRET and RET take a null SS of any RPL for 64-bit code", "a null SS is for 64-bit code at CPL 0 to 2, with RPL = CPL, ELSE #GP(0). [SDM 2, IRET; RET]"},
	RightsOfDPL:          {"in IA-32e mode a frame is pushed with the rights of the code segment's DPL, conforming or not", "The CPL is that of the caller; accesses made while CPL = 3 are user-mode accesses. [SDM 3A, Determination of Access Rights]"},
	AbsentTaskStackNP:    {"a new task's stack that is not present is #NP", "Stack segment is present in memory: #SS. [SDM 3A, Task Switching, Exception Conditions Checked During a Task Switch]"},
	TaskEIPFirst:         {"a new task's EIP is checked before the error code is pushed", "Push(error code), then: IF EIP not within code segment limit THEN #GP(EXT). [SDM 2, INT n, TASK-GATE]"},
	NewTaskOtherwise:     {"a new task has CPL 0 until its SS is loaded, takes no conforming code of a lower DPL, and checks DPLs before presence", "Code segment DPL matches segment selector RPL; stack segment is present in memory, then: stack segment DPL matches CPL. [SDM 3A, Task Switching, Exception Conditions Checked During a Task Switch]"},
}

// Name says what it does, in one line.
func (o Oddity) Name() string { return oddityTexts[o].name }

// Cite is the sentence that it breaks, or that leaves it open.
func (o Oddity) Cite() string { return oddityTexts[o].cite }

// asks tells whether an oddity is asked for.
func (x *course) asks(o Oddity) bool { return x.oddities>>o&1 == 1 }

// odd tells whether an oddity is asked for where it makes a difference.
func (x *course) odd(o Oddity, differs bool) bool {
	if !x.asks(o) || !differs || x.fault != nil {
		return false
	}
	x.met |= 1 << o
	return true
}

// QEMU is what QEMU's TCG does.
var QEMU = Of(NoEXT, DoubledVectorCode, HighWordOf16BitGate, NoAccessedBit, NoTargetCheck, LimitErrorIsSelector, NoStackLimit,
	HoleIsGP, SupervisorFrame, AbsentStackTS, AbsentStackNP, KeepsHighESP, TSSReaches8, NoRF, NoVIF, VMAnywhere, KeepsNullFSGS,
	V86TargetCut, V86HandlerDPL, NoLDCheck, PresenceBefore64, ISTNullSS, AbsentGateCodeGP, CallGateCPL0, CallGateRPL,
	NullSSAnywhere, TaskGateLDTTS, NullSSLoadAnywhere, HalfAFrame, StackPointer32, No16BitOnes, NewTaskOtherwise,
	Keeps16BitFlags, NoOldTSSLimit, TaskReadFirst, NoINT1, SoftwareRF, V86NoRF, NewTaskEIP, ParametersFromTop, UpperHalfLate,
	TSSLimitSigned, AbsentTaskStackNP, TaskEIPFirst)

// Bochs is what Bochs does.
var Bochs = Of(HalfAFrame, KeepsHighESP, TSSReaches8, AbsentStackNP, V86TargetCut, DFSetsRF, V86BasesStay, IRETNoSS, PopFromTop,
	ByWord, PushBeforeTarget, TaskCPL3, GateLastWord, HoleNamesSS, TargetCut32, V86NoTargetCheck, TaskSSFirst,
	ParametersFromTop, V86DPLLate, CompatPush, UpperHalfLate, NullSSAnyRPL, RightsOfDPL, TaskEIPFirst)

package idt

// Rule names one check. Its text is what must hold; the comment at the check
// has the fault and the citation.
type Rule uint8

const (
	RuleNone Rule = iota

	// Memory and targets.
	RuleTableCanonical
	RuleTargetLimit
	RuleTargetCanonical
	RuleStackCanonical
	RuleStackRoom
	RulePopRoom
	RuleAligned

	// Interrupt gates and handlers.
	RuleIVTLimit
	RuleIDTLimit
	RuleGateType
	RuleGateDPL
	RuleGatePresent
	RuleHandlerNull
	RuleHandlerLimit
	RuleHandlerType
	RuleHandler64
	RuleHandlerDPL
	RuleHandlerPresent
	RuleHandlerV86

	// Inner stacks.
	RuleTSSStackLimit
	RuleInnerSSNull
	RuleInnerSSLimit
	RuleInnerSSRPL
	RuleInnerSSDPL
	RuleInnerSSType
	RuleInnerSSPresent

	// Far jumps and calls.
	RuleFarNull
	RuleFarLimit
	RuleFarType
	RuleFarLD
	RuleFarDPL
	RuleFarPresent
	RuleCallGateDPL
	RuleCallGatePresent
	RuleCallGateNull
	RuleCallGateLimit
	RuleCallGateType
	RuleCallGateCodeDPL
	RuleCallGateCodePresent
	RuleHighHalf

	// Returns.
	RuleIRETV86
	RuleIRETVME
	RuleIRETNT
	RuleV86Target
	RuleReturnNull
	RuleReturnLimit
	RuleReturnType
	RuleReturnRPL
	RuleReturnDPL
	RuleReturnPresent
	RuleReturnSSNull
	RuleReturnSSLimit
	RuleReturnSSRPL
	RuleReturnSSType
	RuleReturnSSDPL
	RuleReturnSSPresent

	// Segment loads.
	RuleSSNull
	RuleSSLimit
	RuleSSRPL
	RuleSSType
	RuleSSDPL
	RuleSSPresent
	RuleDataLimit
	RuleDataType
	RuleDataDPL
	RuleDataPresent

	// LLDT and LTR.
	RuleLDTInGDT
	RuleLDTLimit
	RuleLDTType
	RuleLDTPresent
	RuleTRNull
	RuleTRInGDT
	RuleTRLimit
	RuleTRType
	RuleTRPresent
	RuleBaseCanonical

	// Task switches.
	RuleTaskGateDPL
	RuleTaskGatePresent
	RuleTSSDPL
	RuleTaskInGDT
	RuleTaskLimit
	RuleTaskAvailable
	RuleTaskPresent
	RuleLinkInGDT
	RuleLinkLimit
	RuleLinkBusy
	RuleLinkPresent
	RuleTSSSize
	RuleTSSSaveSize
	RuleTaskPDPTE
	RuleTaskCSNull
	RuleTaskCSLimit
	RuleTaskCSType
	RuleTaskCSDPL
	RuleTaskCSPresent
	RuleTaskSSNull
	RuleTaskSSLimit
	RuleTaskSSType
	RuleTaskSSPresent
	RuleTaskSSDPL

	ruleCount
)

var ruleTexts = [ruleCount]string{
	RuleTableCanonical:  "descriptor table or TSS address is canonical",
	RuleTargetLimit:     "instruction pointer is within the code segment limit",
	RuleTargetCanonical: "instruction pointer is canonical",
	RuleStackCanonical:  "stack pointer is canonical",
	RuleStackRoom:       "stack segment has room for the push",
	RulePopRoom:         "popped word is within the stack segment",
	RuleAligned:         "stack word is aligned",

	RuleIVTLimit:       "vector is within the IVT limit",
	RuleIDTLimit:       "gate is within the IDT limit",
	RuleGateType:       "gate is an interrupt, trap or task gate",
	RuleGateDPL:        "gate DPL is not below the CPL of a software interrupt",
	RuleGatePresent:    "gate is present",
	RuleHandlerNull:    "gate's code selector is not null",
	RuleHandlerLimit:   "gate's code selector is within its table",
	RuleHandlerType:    "gate's selector names a code segment",
	RuleHandler64:      "gate's code segment is 64-bit code",
	RuleHandlerDPL:     "gate's code segment DPL does not exceed the CPL",
	RuleHandlerPresent: "gate's code segment is present",
	RuleHandlerV86:     "handler of VM86 mode runs at CPL 0",

	RuleTSSStackLimit:  "inner stack pointer is within the TSS limit",
	RuleInnerSSNull:    "inner SS is not null",
	RuleInnerSSLimit:   "inner SS is within its table",
	RuleInnerSSRPL:     "inner SS RPL is the new CPL",
	RuleInnerSSDPL:     "inner SS DPL is the new CPL",
	RuleInnerSSType:    "inner SS is writable data",
	RuleInnerSSPresent: "inner SS is present",

	RuleFarNull:             "far selector is not null",
	RuleFarLimit:            "far selector is within its table",
	RuleFarType:             "far selector names code, a gate or a TSS",
	RuleFarLD:               "far code segment has not both L and D",
	RuleFarDPL:              "far code segment suits CPL and RPL",
	RuleFarPresent:          "far code segment is present",
	RuleCallGateDPL:         "call gate DPL is not below CPL and RPL",
	RuleCallGatePresent:     "call gate is present",
	RuleCallGateNull:        "call gate's code selector is not null",
	RuleCallGateLimit:       "call gate's code selector is within its table",
	RuleCallGateType:        "call gate names code of the mode",
	RuleCallGateCodeDPL:     "call gate's code DPL suits the CPL",
	RuleCallGateCodePresent: "call gate's code is present",
	RuleHighHalf:            "upper half of the 16-byte descriptor is within its table and of type 0",

	RuleIRETV86:         "IRET in VM86 mode has IOPL 3 or VME",
	RuleIRETVME:         "IRET in VM86 mode with VME enables no pending interrupt and no TF",
	RuleIRETNT:          "IRET in IA-32e mode has NT = 0",
	RuleV86Target:       "EIP of a return to VM86 mode is within 64 KiB",
	RuleReturnNull:      "return CS is not null",
	RuleReturnLimit:     "return CS is within its table",
	RuleReturnType:      "return CS is code",
	RuleReturnRPL:       "return CS RPL is not below the CPL",
	RuleReturnDPL:       "return CS DPL suits its RPL",
	RuleReturnPresent:   "return CS is present",
	RuleReturnSSNull:    "return SS is null only for inner 64-bit code",
	RuleReturnSSLimit:   "return SS is within its table",
	RuleReturnSSRPL:     "return SS RPL is the new CPL",
	RuleReturnSSType:    "return SS is writable data",
	RuleReturnSSDPL:     "return SS DPL is the new CPL",
	RuleReturnSSPresent: "return SS is present",

	RuleSSNull:      "SS is null only in inner 64-bit mode",
	RuleSSLimit:     "SS is within its table",
	RuleSSRPL:       "SS RPL is the CPL",
	RuleSSType:      "SS is writable data",
	RuleSSDPL:       "SS DPL is the CPL",
	RuleSSPresent:   "SS is present",
	RuleDataLimit:   "data selector is within its table",
	RuleDataType:    "data selector names data or readable code",
	RuleDataDPL:     "data segment DPL is not below CPL and RPL",
	RuleDataPresent: "data segment is present",

	RuleLDTInGDT:      "LDT selector names the GDT",
	RuleLDTLimit:      "LDT selector is within the GDT",
	RuleLDTType:       "LDT selector names an LDT",
	RuleLDTPresent:    "LDT is present",
	RuleTRNull:        "TR selector is not null",
	RuleTRInGDT:       "TR selector names the GDT",
	RuleTRLimit:       "TR selector is within the GDT",
	RuleTRType:        "TR selector names an available TSS",
	RuleTRPresent:     "TSS for TR is present",
	RuleBaseCanonical: "LDT or TSS base is canonical",

	RuleTaskGateDPL:     "task gate DPL is not below CPL and RPL",
	RuleTaskGatePresent: "task gate is present",
	RuleTSSDPL:          "TSS DPL is not below CPL and RPL",
	RuleTaskInGDT:       "TSS selector names the GDT",
	RuleTaskLimit:       "TSS selector is within the GDT",
	RuleTaskAvailable:   "TSS selector names an available TSS",
	RuleTaskPresent:     "TSS is present",
	RuleLinkInGDT:       "task link names the GDT",
	RuleLinkLimit:       "task link is within the GDT",
	RuleLinkBusy:        "task link names a busy TSS",
	RuleLinkPresent:     "linked TSS is present",
	RuleTSSSize:         "new TSS holds a whole task",
	RuleTSSSaveSize:     "old TSS has room for the saved state",
	RuleTaskPDPTE:       "new task's PDPTEs have no reserved bits",
	RuleTaskCSNull:      "new task's CS is not null",
	RuleTaskCSLimit:     "new task's CS is within its table",
	RuleTaskCSType:      "new task's CS is code",
	RuleTaskCSDPL:       "new task's CS DPL suits its RPL",
	RuleTaskCSPresent:   "new task's CS is present",
	RuleTaskSSNull:      "new task's SS is not null",
	RuleTaskSSLimit:     "new task's SS is within its table",
	RuleTaskSSType:      "new task's SS is writable data",
	RuleTaskSSPresent:   "new task's SS is present",
	RuleTaskSSDPL:       "new task's SS DPL and RPL are the CPL",
}

// String is what must hold.
func (r Rule) String() string { return ruleTexts[r] }

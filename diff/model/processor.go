package model

// processor is what CPUID tells of a processor model, as far as the text
// depends on it. [SDM 3A, Enumeration of Paging Features by CPUID]
type processor struct {
	maxPhysAddr uint // CPUID.80000008H:EAX[7:0]; 36 or 32 without that leaf
	pse36       bool // CPUID.01H:EDX.PSE-36
	pat         bool // CPUID.01H:EDX.PAT
	page1GB     bool // CPUID.80000001H:EDX.Page1GB
}

// processors are the emulator's models by name.
var processors = map[string]processor{
	"386":      {maxPhysAddr: 32},
	"486":      {maxPhysAddr: 32},
	"pentium":  {maxPhysAddr: 32},
	"pentium3": {maxPhysAddr: 36, pse36: true, pat: true},
	"core2":    {maxPhysAddr: 36, pse36: true, pat: true},
	"max":      {maxPhysAddr: 40, pse36: true, pat: true, page1GB: true},
}

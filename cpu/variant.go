package cpu

import (
	"fmt"
	"slices"
	"strings"

	"x86emu/decode"
	"x86emu/mmu"
)

// implied is what goes with a feature beside what its row of cpuidBits names:
// nothing in CPUID tells of it alone.
var implied = map[string]struct {
	feat decode.Feature
	cr4  uint64
}{
	"pcid":  {feat: decode.FeatINVPCID},
	"tsc":   {cr4: mmu.CR4TSD},
	"vme":   {cr4: mmu.CR4PVI},
	"xsave": {feat: decode.FeatXSAVEOPT | decode.FeatXSAVEC},
}

// FeatureNames lists the features that Without can take away, named as Linux
// and QEMU name the flags of CPUID.
func FeatureNames() []string {
	names := make([]string, len(cpuidBits))
	for i := range cpuidBits {
		names[i] = cpuidBits[i].name
	}
	return names
}

// Without is the model less some features: their instructions, their flags in
// CPUID, and their bits of CR4 and EFER. One that the model has not is passed
// over; a name that is no feature's is an error. What builds upon a feature
// stays, as it does on QEMU: SSE2 without SSE is the caller's business.
func (m *Model) Without(features ...string) (*Model, error) {
	v, gone := *m, []string{}
	for i := range cpuidBits {
		b := &cpuidBits[i]
		if !slices.Contains(features, b.name) || !m.reports(b) {
			continue
		}
		more := implied[b.name]
		v.Features &^= b.feat | more.feat
		v.traits &^= b.trait
		v.CR4Valid &^= b.cr4 | more.cr4
		v.EFERValid &^= b.efer
		gone = append(gone, ",-"+b.name)
	}
	for _, f := range features {
		if !slices.Contains(FeatureNames(), f) {
			return nil, fmt.Errorf("unknown CPU feature %q: must be one of %s", f, strings.Join(FeatureNames(), ", "))
		}
	}
	if len(gone) == 0 {
		return m, nil
	}
	v.Name += strings.Join(gone, "")
	return &v, nil
}

// Has tells whether the model has a feature of FeatureNames.
func (m *Model) Has(feature string) bool {
	for i := range cpuidBits {
		if b := &cpuidBits[i]; b.name == feature {
			return m.reports(b)
		}
	}
	return false
}

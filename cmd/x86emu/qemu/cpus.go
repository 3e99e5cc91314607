package qemu

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"x86emu/cpu"
)

// cpuModel is a CPU model of QEMU's: one of x86emu's with features added or
// taken away. A model that is built on another has all that the other has.
type cpuModel struct {
	name string
	on   string // a row above, or a model of x86emu's less all features; empty: x86emu's of this name
	with string // features that it has, separated by spaces; "*" is all of them
}

// cpuModels are QEMU's models as QEMU 7.2 itself describes them (QMP,
// query-cpu-model-expansion), as far as x86emu models the features. Of AVX
// nothing is there. QEMU's TCG lacks VME, which every model here has.
var cpuModels = []cpuModel{
	{"i686", "max", "fpu vme de pse tsc msr pae mce cx8 apic sep pge cmov pat mmx fxsr sse sse2"},
	{"athlon", "i686", "mtrr mca pse36"},
	{"qemu32", "i686", "pni"},
	{"kvm32", "qemu32", "mtrr mca pse36 clflush"},
	{"coreduo", "qemu32", "mtrr mca clflush monitor nx"},
	{"n270", "coreduo", "ssse3 movbe lahf-lm"},

	{"kvm64", "kvm32", "cx16 nx lm"},
	{"qemu64", "kvm64", "lahf-lm"},
	{"core2duo", "qemu64", "monitor ssse3"},
	{"phenom", "qemu64", "monitor popcnt abm pdpe1gb rdtscp"},

	{"Conroe", "kvm32", "nx lm lahf-lm ssse3"},
	{"Penryn", "Conroe", "cx16 sse4.1"},
	{"Nehalem", "Penryn", "sse4.2 popcnt"},
	{"Westmere", "Nehalem", "pclmulqdq aes"},
	{"SandyBridge", "Westmere", "x2apic tsc-deadline xsave rdtscp"},
	{"IvyBridge", "SandyBridge", "rdrand fsgsbase smep erms"},
	{"Haswell", "IvyBridge", "pcid movbe invpcid abm"},
	{"Broadwell", "Haswell", "rdseed adx smap 3dnowprefetch"},
	{"Skylake-Client", "Broadwell", ""},
	{"Skylake-Server", "Broadwell", "clflushopt clwb pku pdpe1gb"},
	{"Cascadelake-Server", "Skylake-Server", ""},
	{"Cooperlake", "Skylake-Server", "arch-capabilities"},
	{"Icelake-Server", "Skylake-Server", "umip la57"},
	{"KnightsMill", "IvyBridge", "movbe abm rdseed adx 3dnowprefetch pdpe1gb"},
	{"Denverton", "Westmere", "monitor x2apic tsc-deadline movbe xsave rdrand fsgsbase smep erms rdseed smap clflushopt sha-ni arch-capabilities 3dnowprefetch pdpe1gb rdtscp"},
	{"Snowridge", "Denverton", "clwb umip"},

	{"Opteron_G1", "kvm32", "nx lm"},
	{"Opteron_G2", "Opteron_G1", "cx16 lahf-lm"},
	{"Opteron_G3", "Opteron_G2", "monitor popcnt abm rdtscp"},
	{"Opteron_G4", "Opteron_G2", "pclmulqdq ssse3 sse4.1 sse4.2 popcnt aes xsave abm 3dnowprefetch pdpe1gb rdtscp"},
	{"Opteron_G5", "Opteron_G4", ""},
	{"Dhyana", "Opteron_G2", "monitor ssse3 sse4.1 sse4.2 movbe popcnt xsave rdrand fsgsbase smep rdseed adx smap clflushopt abm 3dnowprefetch pdpe1gb rdtscp"},
	{"EPYC", "Dhyana", "pclmulqdq aes sha-ni"},
	{"EPYC-Rome", "EPYC", "clwb umip rdpid"},
	{"EPYC-Milan", "EPYC-Rome", "pcid erms invpcid pku"},

	{"486", "", ""},
	{"pentium", "", ""},
	{"pentium2", "pentium3", "fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 mmx fxsr"},
	{"pentium3", "", ""},
	{"max", "", ""},
	{"host", "max", "*"},
	{"base", "max", ""},
}

// withAVX are models whose programs may look for AVX, which is not there.
var withAVX = []string{"SandyBridge", "IvyBridge", "Haswell", "Broadwell", "Skylake-Client", "Skylake-Server", "Cascadelake-Server",
	"Cooperlake", "Icelake-Server", "KnightsMill", "Opteron_G4", "Opteron_G5", "Dhyana", "EPYC", "EPYC-Rome", "EPYC-Milan"}

// defaultCPU is what qemu-system-x86_64 has without -cpu; qemu-system-i386's
// qemu32 is this without long mode.
const defaultCPU = "qemu64"

// synonyms are other spellings of features.
var synonyms = map[string]string{
	"sse3": "pni", "sse4_1": "sse4.1", "sse4-1": "sse4.1", "sse4_2": "sse4.2", "sse4-2": "sse4.2", "lzcnt": "abm",
	"xd": "nx", "i64": "lm", "lahf_lm": "lahf-lm", "pclmuldq": "pclmulqdq", "sha_ni": "sha-ni", "ds_cpl": "ds-cpl",
}

func cpuName(p *parser, value string) error {
	if value == "help" || value == "?" {
		var names []string
		for _, m := range cpuModels {
			if m.name != "i686" {
				names = append(names, m.name)
			}
		}
		p.Say = "Available CPUs: " + strings.Join(names, " ") + "\nCPUID flags: " + strings.Join(cpu.FeatureNames(), " ")
		return nil
	}
	p.model = value
	return nil
}

// findModel makes the model that the value of -cpu describes.
func (p *parser) findModel(value string) (*cpu.Model, error) {
	if value == "" {
		value = defaultCPU
	}
	list := props(value, "")
	name := generation(list[0].key)
	base, has, err := lookUp(name)
	if err != nil {
		return nil, err
	}
	if slices.Contains(withAVX, name) {
		p.lack("AVX (-cpu %s)", name)
	}
	for _, s := range list[1:] {
		p.feature(&has, s)
	}
	var less []string
	for _, f := range cpu.FeatureNames() {
		if !slices.Contains(has, f) {
			less = append(less, f)
		}
	}
	return base.Without(less...)
}

// generation cuts what tells the variants of a model apart, which differ in
// nothing that is modelled: "Haswell-noTSX-v2" is a Haswell.
func generation(name string) string {
	for _, m := range cpuModels {
		for _, tail := range []string{"-v", "-IBRS", "-IBPB", "-noTSX"} {
			if strings.HasPrefix(name, m.name+tail) {
				return m.name
			}
		}
	}
	return name
}

// lookUp gives the model of x86emu's that a model of QEMU's is made of, and the
// features that it has.
func lookUp(name string) (base *cpu.Model, has []string, err error) {
	i := slices.IndexFunc(cpuModels, func(m cpuModel) bool { return m.name == name })
	if i < 0 {
		return nil, nil, fmt.Errorf("unable to find CPU model '%s' (try -cpu help)", name)
	}
	m := cpuModels[i]
	if m.on == "" || m.with == "*" {
		base, _ = cpu.ModelByName(cmp.Or(m.on, m.name))
		return base, cpu.FeatureNames(), nil
	}
	base, ours := cpu.ModelByName(m.on)
	if !ours {
		if base, has, err = lookUp(m.on); err != nil {
			panic("BUG: " + err.Error())
		}
	}
	return base, append(slices.Clone(has), strings.Fields(m.with)...), nil
}

// feature adds or takes away what one word behind the model's name says.
func (p *parser) feature(has *[]string, s prop) {
	name, on := s.key, true
	switch {
	case strings.HasPrefix(name, "+"):
		name = name[1:]
	case strings.HasPrefix(name, "-"):
		name, on = name[1:], false
	case s.set && (s.value == "on" || s.value == "off"):
		on = s.value == "on"
	case !s.set:
	case name == "vendor" && s.value != "GenuineIntel":
		p.lack("vendor %s (-cpu)", s.value)
		return
	default:
		return // levels, names and clocks
	}
	if other, ok := synonyms[name]; ok {
		name = other
	}
	switch {
	case !on:
		*has = slices.DeleteFunc(slices.Clone(*has), func(f string) bool { return f == name })
	case slices.Contains(cpu.FeatureNames(), name):
		*has = append(*has, name)
	case !slices.Contains(behaviour, name):
		p.lack("the CPU feature %s", name)
	}
}

// behaviour are words that are no features: how QEMU or KVM is to go about them.
var behaviour = []string{"check", "enforce", "migratable", "kvm", "l3-cache", "host-phys-bits", "pmu", "hypervisor", "tcg-cpuid",
	"host-cache-info", "full-cpuid-auto-level", "fill-mtrr-mask", "kvm-no-smi-migration", "lmce", "legacy-cache", "xlevel", "force"}

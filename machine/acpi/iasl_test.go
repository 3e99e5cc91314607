package acpi

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// ACPICA's disassembler understands every table, and reads in it what was meant.
func TestACPICAReadsTheTables(t *testing.T) {
	iasl, err := exec.LookPath("iasl")
	if err != nil {
		if os.Getenv("X86EMU_PEERS") == "require" {
			t.Fatal("iasl is not installed (Debian: acpica-tools), and X86EMU_PEERS=require")
		}
		t.Skip("iasl is not installed")
	}
	s, pieces := installed(0xe0000)
	rsdp := pieces[0].At
	tables := map[string][]byte{"RSDT": s.table(s.word(rsdp + 16)), "XSDT": s.table(s.word(rsdp + 24))}
	for i := uint32(0); i < 3; i++ {
		p := s.word(s.word(rsdp+16) + 36 + 4*i)
		tables[string(s.at(p)[:4])] = s.table(p)
		if i == 0 {
			tables["FACS"], tables["DSDT"] = s.table(s.word(p+36)), s.table(s.word(p+40))
		}
	}
	for name, wants := range map[string][]string{
		"FACS": {`Length : 00000040`},
		"RSDT": {`ACPI Table Address   2 : 000E`},
		"XSDT": {`ACPI Table Address   2 : 00000000000E`},
		"FACP": {`SCI Interrupt : 0009`, `ACPI Enable Value : F1`, `PM1A Event Block Address : 00000600`, `PM1A Control Block Address : 00000604`,
			`PM Timer Block Address : 00000608`, `PM Timer Block Length : 04`, `32-bit PM Timer \(V1\) : 0`, `Reset Register Supported \(V2\) : 1`,
			`Address : 0000000000000CF9`, `Value to cause reset : 06`, `Legacy Devices Supported \(V2\) : 1`, `8042 Present on ports 60/64 \(V2\) : 1`},
		"APIC": {`Local Apic Address : FEE00000`, `Processor Enabled : 1`, `Address : FEC00000`, `Interrupt : 00000002`, `Interrupt Input LINT : 01`},
		"HPET": {`Hardware Block ID : 8086A201`, `Address : 00000000FED00000`},
		"DSDT": {`Name \(_S5, Package \(0x04\)`, `Device \(PCI0\)`, `EisaId \("PNP0A03"\)`, `Device \(COM2\)`, `EisaId \("PNP0501"\)`, `0x02F8,\s+// Range Minimum`,
			`IRQNoFlags \(\)\s+\{3\}`, `Memory32Fixed \(ReadWrite,\s+0xFED00000`},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(dir, name)
			require.NoError(t, os.WriteFile(file+".dat", tables[name], 0o600))
			cmd := exec.Command(iasl, "-d", file+".dat")
			cmd.Dir = dir
			out, err := cmd.CombinedOutput()
			require.NoError(t, err, "%s", out)
			assert.NotRegexp(t, `(?i)warning|error`, string(out))
			source, err := os.ReadFile(file + ".dsl")
			require.NoError(t, err)
			assert.NotRegexp(t, `(?i)warning|invalid|unknown|\*\*\*\*`, string(source))
			for _, want := range wants {
				assert.Regexp(t, regexp.MustCompile(spaced(want)), string(source))
			}
		})
	}
}

// spaced lets the columns of a disassembly stand as far apart as they like.
func spaced(want string) string { return regexp.MustCompile(` : `).ReplaceAllString(want, `\s*:\s*`) }

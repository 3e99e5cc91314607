package peers

import (
	"embed"
	"fmt"
	"strings"
)

// caseFiles holds, for 32 and 64 bits, the guest of tables of cases, what it
// prints (as the manual has it), and for each peer the lines that it prints
// otherwise. See cases/KNOWN.md.
//
//go:embed cases/*.elf cases/*.txt
var caseFiles embed.FS

// Cases is a guest image that tries one thing after the other and prints one
// line for each.
type Cases struct {
	Name  string // cases-32 or cases-64
	Image []byte // a multiboot 1 file
	Lines []string
}

// AllCases lists the images of cases.
func AllCases() []Cases {
	var all []Cases
	for _, name := range []string{"cases-32", "cases-64"} {
		all = append(all, Cases{
			Name:  name,
			Image: []byte(caseFile(name + ".elf")),
			Lines: splitLines(caseFile(name + ".txt")),
		})
	}
	return all
}

// Known is a rule of the manual that a peer does not keep, with the lines that
// it prints because of that.
type Known struct {
	Rule  string // what the manual says, and where
	Lines []string
}

// KnownDifferences reads what is known of a peer's differences. In the file a
// line that begins with "# " belongs to the rule of the lines that follow.
func (c *Cases) KnownDifferences(peer string) ([]Known, error) {
	var all []Known
	name := c.Name + "-" + peer + ".txt"
	inRule := false
	for i, line := range splitLines(caseFile(name)) {
		rule, isRule := strings.CutPrefix(line, "# ")
		switch {
		case isRule && inRule:
			all[len(all)-1].Rule += " " + rule
		case isRule:
			all = append(all, Known{Rule: rule})
		case len(all) == 0:
			return nil, fmt.Errorf("%s:%d: a line without a rule", name, i+1)
		default:
			all[len(all)-1].Lines = append(all[len(all)-1].Lines, line)
		}
		inRule = isRule
	}
	return all, nil
}

// caseName is the part of a line that names its case.
func caseName(line string) string {
	name, _, _ := strings.Cut(line, ":")
	return name
}

// caseFile returns an embedded file of cases/, or nothing if there is none.
func caseFile(name string) string {
	data, err := caseFiles.ReadFile("cases/" + name)
	if err != nil {
		return ""
	}
	return string(data)
}

func splitLines(text string) []string {
	return strings.Split(strings.TrimSuffix(text, "\n"), "\n")
}

package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"x86emu/diff"
	"x86emu/diff/sst"
)

func newDiffKnown() *cobra.Command {
	return &cobra.Command{
		Use:   "known",
		Short: "Print the tables of known differences, as Markdown",
		Long: `Print what is known of others, as Markdown: the rows that foretell where another
emulator, a processor, a kernel or a hypervisor departs from the manual, each with
the sentence that it is measured by; what the manual leaves undefined; and what
old processors do otherwise in the suites that "x86emu diff replay" takes.`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := io.WriteString(cmd.OutOrStdout(), knownTables())
			return err
		},
	}
}

// about says whom rows are about, by the names of their oracles.
var about = []struct {
	title   string
	oracles []string
}{
	{"QEMU", []string{"qemu"}},
	{"Bochs", []string{"bochs"}},
	{"QEMU and Bochs", []string{"qemu", "bochs"}},
	{"Silicon, and what stands before it", []string{"native", "kvm"}},
	{"KVM", []string{"kvm"}},
	{"The guest image", []string{"image"}},
}

func knownTables() string {
	var b strings.Builder
	b.WriteString(`# Known differences

The tables that ` + "`x86emu diff`" + ` goes by. A row counts a difference as known only if it
foretells the other answer to the bit.
`)
	rest := known()
	for _, a := range about {
		var rows []diff.Row
		rest = slices.DeleteFunc(rest, func(r diff.Row) bool {
			fits := len(r.Oracles) > 0 && !slices.ContainsFunc(r.Oracles, func(o string) bool { return !slices.Contains(a.oracles, o) })
			if fits {
				rows = append(rows, r)
			}
			return fits
		})
		rowList(&b, a.title, rows)
	}
	rowList(&b, "Others", rest)
	pairs(&b, "What the manual leaves undefined", "Masked, field by field, between any two.", diff.Undefined())
	pairs(&b, "Old processors", "Captured in real mode, replayed on the model 386.", sst.Differences())
	return b.String()
}

func rowList(b *strings.Builder, title string, rows []diff.Row) {
	if len(rows) == 0 {
		return
	}
	fmt.Fprintf(b, "\n## %s\n\n", title)
	for _, r := range rows {
		where := ""
		if r.Version != "" {
			where = fmt.Sprintf(" (version: %s)", r.Version)
		}
		fmt.Fprintf(b, "- **%s**%s. %s\n", r.Name, where, sentence(r.Cite))
	}
}

func pairs(b *strings.Builder, title, what string, rows [][2]string) {
	fmt.Fprintf(b, "\n## %s\n\n%s\n\n", title, what)
	for _, r := range rows {
		fmt.Fprintf(b, "- **%s**. %s\n", r[0], sentence(r[1]))
	}
}

// sentence ends a text with a full stop.
func sentence(s string) string {
	if strings.HasSuffix(s, ".") || strings.HasSuffix(s, "]") {
		return s
	}
	return s + "."
}

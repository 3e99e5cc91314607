package stats

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"x86emu/debug"
)

// WriteJSON writes the report as one line.
func (t *Report) WriteJSON(w io.Writer) error { return json.NewEncoder(w).Encode(t) }

// WriteText writes the report as tables.
func (t *Report) WriteText(w io.Writer) error {
	b := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(b, "%d\tticks\t\n%d\tinstructions\t\n%d\tloads of CR3\t\n", t.Ticks, t.Instructions, t.CR3Loads)
	if t.Shutdowns > 0 {
		fmt.Fprintf(b, "%d\tshutdown\t\n", t.Shutdowns)
	}
	if len(t.Events) > 0 {
		fmt.Fprint(b, "\nevents\ttaken\tdelivered\t\n")
	}
	for _, e := range t.Events {
		fmt.Fprintf(b, "%s\t%d\t%d\t\n", e.Name, e.Taken, e.Delivered)
	}
	fmt.Fprint(b, "\nTLB\thits\tmisses\t\n")
	fmt.Fprintf(b, "code\t%d\t%d\t%s\t\n", t.Fetches.Hits, t.Fetches.Misses, share(t.Fetches.Misses, t.Fetches.Hits+t.Fetches.Misses))
	fmt.Fprintf(b, "data\t%d\t%d\t%s\t\n", t.Data.Hits, t.Data.Misses, share(t.Data.Misses, t.Data.Hits+t.Data.Misses))
	if err := b.Flush(); err != nil {
		return err
	}
	var s strings.Builder
	section := func(title string, n int) {
		if n > 0 {
			fmt.Fprintf(&s, "\n%s\n", title)
		}
	}
	section("walks: entries read, paging, access, result", len(t.Walks))
	for _, k := range t.Walks {
		fmt.Fprintf(&s, "%12d  %d  %-7s  %-22s  %s\n", k.Count, k.Depth, k.Paging, k.Access, k.Result)
	}
	section("forms of instructions", len(t.Forms))
	for _, f := range t.Forms {
		fmt.Fprintf(&s, "%12d  %6s  %s\n", f.Count, share(f.Count, t.Instructions), f.Form)
	}
	more(&s, t.MoreForms, "forms")
	section("ports", len(t.Ports))
	for _, p := range t.Ports {
		fmt.Fprintf(&s, "%12d  %s %s\n", p.Count, map[bool]string{false: "in ", true: "out"}[p.Write], p.Port)
	}
	section("pages: instructions, reads, writes, and what was touched first", len(t.Pages))
	for _, p := range t.Pages {
		line(&s, "%12d %12d %12d  %s", p.First, p.Instructions, p.Reads, p.Writes, p.Lin)
	}
	more(&s, t.MorePages, "pages")
	section("blocks: instructions, times entered", len(t.Blocks))
	for _, k := range t.Blocks {
		line(&s, "%12d  %6s %12d  %s", k.At, k.Instructions, share(k.Instructions, t.Instructions), k.Entered, k.Lin)
	}
	more(&s, t.MoreBlocks, "blocks")
	_, err := io.WriteString(w, s.String())
	return err
}

// line writes a line that may end with a place.
func line(s *strings.Builder, format string, at *debug.Place, args ...any) {
	fmt.Fprintf(s, format, args...)
	if at != nil {
		s.WriteString("  " + at.String())
	}
	s.WriteByte('\n')
}

// more tells what a list leaves out.
func more(s *strings.Builder, n int, what string) {
	if n > 0 {
		fmt.Fprintf(s, "%12s  %d more %s\n", "...", n, what)
	}
}

// share is a part in percent.
func share(part, whole uint64) string {
	if whole == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f%%", 100*float64(part)/float64(whole))
}

package experiment

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Estimate is what was measured at a point.
type Estimate struct {
	Point
	Runs         int
	DoubleFaults int // runs with one
}

// Chance is the part of the runs that had a double fault.
func (e Estimate) Chance() float64 { return float64(e.DoubleFaults) / float64(e.Runs) }

// Line is a series as it was measured.
type Line struct {
	Panel, Series string
	Estimates     []Estimate
}

// Summarise joins the outcomes of each point, in the order of the runs.
func Summarise(outcomes []Outcome) []Line {
	var lines []Line
	for _, o := range outcomes {
		if n := len(lines); n == 0 || lines[n-1].Panel != o.Panel || lines[n-1].Series != o.Series {
			lines = append(lines, Line{Panel: o.Panel, Series: o.Series})
		}
		line := &lines[len(lines)-1]
		if n := len(line.Estimates); n == 0 || line.Estimates[n-1].X != o.X {
			line.Estimates = append(line.Estimates, Estimate{Point: o.Point})
		}
		e := &line.Estimates[len(line.Estimates)-1]
		e.Runs++
		if o.DoubleFault() {
			e.DoubleFaults++
		}
	}
	return lines
}

// WriteCSV writes a header and a row for each run.
func WriteCSV(w io.Writer, outcomes []Outcome) error {
	c := csv.NewWriter(w)
	c.Write([]string{"panel", "series", "x", "run", "bits", "area", "place", "boot", "bootpages", "late", "use", "pages",
		"handler", "data", "tables", "processes", "seed", "handler_at", "data_at", "lacking", "deaths", "double_fault"})
	for _, o := range outcomes {
		handler, data, double := strconv.Itoa(o.Handler), "", "0"
		if o.Handler == Any {
			handler = "any"
		}
		if o.DataAt != 0 {
			data = fmt.Sprintf("%#x", o.DataAt)
		}
		if o.DoubleFault() {
			double = "1"
		}
		n := strconv.Itoa
		c.Write([]string{o.Panel, o.Series, n(o.X), n(o.Number), n(o.Bits), o.Area, o.Place, n(o.Boot), n(o.BootPages),
			n(o.Late), n(o.Use), n(o.Setting.Pages), handler, o.Data, o.Tables, n(o.Processes), fmt.Sprint(o.Seed),
			fmt.Sprintf("%#x", o.HandlerAt), data, n(o.Lacking), n(o.Deaths), double})
	}
	c.Flush()
	return c.Error()
}

// WriteTable writes the chance of a double fault at each point, in per cent, and
// below it what arithmetic expects.
func WriteTable(w io.Writer, sweep []Panel, lines []Line) error {
	var b strings.Builder
	for _, p := range sweep {
		fmt.Fprintf(&b, "%s: %s\n", p.Name, p.Title)
		fmt.Fprintf(&b, "  %-42s", p.X)
		for _, pt := range p.Series[0].Points {
			fmt.Fprintf(&b, "%7d", pt.X)
		}
		b.WriteByte('\n')
		for _, l := range lines {
			if l.Panel != p.Name {
				continue
			}
			fmt.Fprintf(&b, "  %-42s", l.Series)
			for _, e := range l.Estimates {
				fmt.Fprintf(&b, "%7.1f", 100*e.Chance())
			}
			fmt.Fprintf(&b, "\n  %-42s", "  expected")
			for _, e := range l.Estimates {
				fmt.Fprintf(&b, "%7.1f", 100*e.Expected())
			}
			b.WriteByte('\n')
		}
		b.WriteByte('\n')
	}
	_, err := io.WriteString(w, b.String())
	return err
}

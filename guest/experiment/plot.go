package experiment

import (
	"fmt"
	"image/color"
	"io"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Formats are those that Draw knows.
var Formats = []string{"svg", "png"}

// colours and marks tell the series of a panel apart, without colour too.
var (
	colours = []color.Color{
		color.RGBA{0xd5, 0x5e, 0x00, 0xff}, color.RGBA{0x00, 0x72, 0xb2, 0xff}, color.RGBA{0x00, 0x9e, 0x73, 0xff},
		color.RGBA{0xcc, 0x79, 0xa7, 0xff}, color.RGBA{0x33, 0x33, 0x33, 0xff},
	}
	marks = []draw.GlyphDrawer{
		draw.CircleGlyph{}, draw.BoxGlyph{}, draw.TriangleGlyph{}, draw.PlusGlyph{}, draw.CrossGlyph{},
	}
)

// Draw draws the chance of a double fault in each panel, two a row: a mark for
// what was measured, a line for what arithmetic expects. format is one of
// Formats.
func Draw(w io.Writer, format string, sweep []Panel, lines []Line) error {
	const columns, width, height = 2, 12 * vg.Inch, 9 * vg.Inch
	rows := (len(sweep) + columns - 1) / columns
	plots := make([][]*plot.Plot, rows)
	for i := range plots {
		plots[i] = make([]*plot.Plot, columns)
	}
	for i, p := range sweep {
		var err error
		if plots[i/columns][i%columns], err = p.draw(lines); err != nil {
			return err
		}
	}
	canvas, err := draw.NewFormattedCanvas(width, height, format)
	if err != nil {
		return fmt.Errorf("plot: %w", err)
	}
	tiles := draw.Tiles{Rows: rows, Cols: columns, PadX: vg.Centimeter, PadY: vg.Centimeter,
		PadTop: vg.Points(8), PadBottom: vg.Points(8), PadLeft: vg.Points(8), PadRight: vg.Points(8)}
	for r, row := range plot.Align(plots, tiles, draw.New(canvas)) {
		for c, at := range row {
			if plots[r][c] != nil {
				plots[r][c].Draw(at)
			}
		}
	}
	_, err = canvas.WriteTo(w)
	return err
}

// draw makes the picture of a panel. The values of the variable stand side by
// side, at even distances.
func (p Panel) draw(lines []Line) (*plot.Plot, error) {
	pl := plot.New()
	pl.Title.Text, pl.X.Label.Text = p.Title, p.X
	pl.Y.Label.Text = "double fault, % of runs (line: expected)"
	pl.Y.Min, pl.Y.Max = 0, 150 // the legend stands above 100
	pl.Y.Tick.Marker = plot.ConstantTicks{{Value: 0, Label: "0"}, {Value: 25, Label: "25"},
		{Value: 50, Label: "50"}, {Value: 75, Label: "75"}, {Value: 100, Label: "100"}}
	pl.Legend.Top, pl.Legend.Padding = true, vg.Points(1)
	pl.X.Padding, pl.Y.Padding = vg.Points(8), vg.Points(8)
	pl.Add(plotter.NewGrid())
	series := 0
	for _, l := range lines {
		if l.Panel != p.Name {
			continue
		}
		var measured, expected plotter.XYs
		var ticks []plot.Tick
		for i, e := range l.Estimates {
			measured = append(measured, plotter.XY{X: float64(i), Y: 100 * e.Chance()})
			expected = append(expected, plotter.XY{X: float64(i), Y: 100 * e.Expected()})
			ticks = append(ticks, plot.Tick{Value: float64(i), Label: fmt.Sprint(e.X)})
		}
		line, err := plotter.NewLine(expected)
		if err != nil {
			return nil, fmt.Errorf("plot of %s: %w", p.Name, err)
		}
		points, err := plotter.NewScatter(measured)
		if err != nil {
			return nil, fmt.Errorf("plot of %s: %w", p.Name, err)
		}
		line.Color, points.Color = colours[series%len(colours)], colours[series%len(colours)]
		points.Shape, points.Radius = marks[series%len(marks)], vg.Points(3.5)
		pl.Add(line, points)
		pl.Legend.Add(l.Series, line, points)
		pl.X.Tick.Marker = plot.ConstantTicks(ticks)
		series++
	}
	return pl, nil
}

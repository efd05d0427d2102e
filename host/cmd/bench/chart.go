package main

import (
	"image/color"
	"io"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"

	"github.com/carebot-llm/carebot/host/internal/durable"
)

// A line is a curve of the loss over the steps, and how it is drawn.
type line struct {
	name   string
	losses []float64
	color  color.Color
	width  float64
}

// lossLines draws the second curve thin over the first, so that both are seen where they agree.
func lossLines(f32, bf16 []float64) []line {
	return []line{
		{"f32", f32, color.RGBA{R: 0x1f, G: 0x4e, B: 0x79, A: 0xff}, 2},
		{"bf16 products", bf16, color.RGBA{R: 0xe0, G: 0x7b, B: 0x39, A: 0xff}, 0.8},
	}
}

// plotLines writes the picture of the lines.
func plotLines(path string, lines []line) error {
	chart := plot.New()
	chart.X.Label.Text, chart.Y.Label.Text, chart.Legend.Top = "step", "loss", true
	chart.Add(plotter.NewGrid())
	for _, l := range lines {
		points := make(plotter.XYs, len(l.losses))
		for i, loss := range l.losses {
			points[i] = plotter.XY{X: float64(i + 1), Y: loss}
		}
		drawn, err := plotter.NewLine(points)
		if err != nil {
			return err
		}
		drawn.Color, drawn.Width = l.color, vg.Points(l.width)
		chart.Add(drawn)
		chart.Legend.Add(l.name, drawn)
	}
	image, err := chart.WriterTo(16*vg.Centimeter, 8*vg.Centimeter, "png")
	if err != nil {
		return err
	}
	return durable.Write(path, func(w io.Writer) error {
		_, err := image.WriteTo(w)
		return err
	})
}

package run

import (
	"fmt"
	"image/color"
	"io"
	"path/filepath"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"

	"github.com/carebot-llm/carebot/host/internal/durable"
	"github.com/carebot-llm/carebot/host/internal/train"
)

// plotLosses draws the loss curve of each train stage into the run directory and returns the files' names.
func (p *Process) plotLosses(all []*Summary) ([]string, error) {
	var names []string
	for _, s := range all {
		if s.Train == nil {
			continue
		}
		metrics, err := train.ReadMetrics(filepath.Join(p.stageDir(s.Stage), "metrics.jsonl"))
		if err != nil {
			return nil, err
		}
		name := fmt.Sprintf("loss-%s.png", s.Stage)
		if err := plotLoss(filepath.Join(p.dir, name), s.Stage, metrics); err != nil {
			return nil, fmt.Errorf("plot of %s: %w", s.Stage, err)
		}
		names = append(names, name)
	}
	return names, nil
}

// smoothing is the weight of the past in the exponential mean that is drawn over the raw losses.
const smoothing = 0.9

func plotLoss(path, title string, metrics []train.Metrics) error {
	chart := plot.New()
	chart.Title.Text, chart.X.Label.Text, chart.Y.Label.Text = title, "step", "loss"
	raw, smooth := make(plotter.XYs, len(metrics)), make(plotter.XYs, len(metrics))
	past, weight := 0.0, 0.0
	for i, m := range metrics {
		past, weight = smoothing*past+(1-smoothing)*m.Loss, smoothing*weight+1-smoothing
		raw[i] = plotter.XY{X: float64(m.Step), Y: m.Loss}
		smooth[i] = plotter.XY{X: float64(m.Step), Y: past / weight}
	}
	if err := drawLines(chart, raw, smooth); err != nil {
		return err
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

func drawLines(chart *plot.Plot, raw, smooth plotter.XYs) error {
	pale, err := plotter.NewLine(raw)
	if err != nil {
		return err
	}
	pale.Color = paleBlue
	bold, err := plotter.NewLine(smooth)
	if err != nil {
		return err
	}
	bold.Color, bold.Width = darkBlue, vg.Points(1.5)
	chart.Add(plotter.NewGrid(), pale, bold)
	return nil
}

var (
	paleBlue = color.RGBA{R: 0xa6, G: 0xc8, B: 0xe4, A: 0xff}
	darkBlue = color.RGBA{R: 0x1f, G: 0x4e, B: 0x79, A: 0xff}
)

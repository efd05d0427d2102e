package run

import (
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/carebot-llm/carebot/host/internal/train"
)

// logEvery is how many lines a train stage writes to a log, where no progress bar is drawn.
const logEvery = 10

// lines reports progress as log lines.
type lines struct {
	log   *slog.Logger
	stage string
}

func (l lines) Step(step, steps int, m train.Metrics) {
	if step%max(1, steps/logEvery) == 0 || step == steps {
		l.log.Info("training", "stage", l.stage, "step", fmt.Sprintf("%d/%d", step, steps),
			"loss", fmt.Sprintf("%.4f", m.Loss), "learning_rate", fmt.Sprintf("%.3g", m.LearningRate))
	}
}

// bar draws progress on a terminal.
type bar struct {
	container *mpb.Progress
	bar       *mpb.Bar
	note      string
}

func newBar(out io.Writer, stage string, steps int) *bar {
	b := &bar{container: mpb.New(mpb.WithOutput(out), mpb.WithWidth(40))}
	b.bar = b.container.AddBar(int64(steps),
		mpb.PrependDecorators(decor.Name(stage, decor.WCSyncSpaceR), decor.CountersNoUnit("%d/%d", decor.WCSyncWidth)),
		mpb.AppendDecorators(decor.Any(func(decor.Statistics) string { return b.note }),
			decor.OnComplete(decor.AverageETA(decor.ET_STYLE_MMSS, decor.WC{W: 7}), " done")))
	return b
}

func (b *bar) Step(step, _ int, m train.Metrics) {
	b.show(step, fmt.Sprintf("loss %.3f", m.Loss))
}

func (b *bar) show(done int, note string) {
	b.note = note
	b.bar.SetCurrent(int64(done))
}

// close leaves the bar as it stands.
func (b *bar) close() {
	b.bar.Abort(false)
	b.container.Wait()
}

// counter reports how many prompts of a stage are done, on a terminal or to the log; finish ends the report.
func (p *Process) counter(stage string, all int) (count func(done int, mean *float64), finish func()) {
	if p.options.Progress {
		b := newBar(os.Stderr, stage, all)
		return func(done int, mean *float64) { b.show(done, "reward "+figureText(mean)) }, b.close
	}
	return func(done int, mean *float64) {
		p.log.Info("judged", "stage", stage, "step", fmt.Sprintf("%d/%d", done, all), "reward", figureText(mean))
	}, func() {}
}

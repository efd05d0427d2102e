package train

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/carebot-llm/carebot/host/internal/durable"
)

// Metrics are the figures of one optimizer step, a line of metrics.jsonl.
type Metrics struct {
	Step         int      `json:"step"`
	Loss         float64  `json:"loss"`
	Accuracy     *float64 `json:"accuracy,omitempty"`
	LearningRate float64  `json:"learning_rate"`
	GradNorm     float64  `json:"grad_norm"`
	Tokens       int64    `json:"tokens"` // through the model since the stage began
	Seconds      float64  `json:"seconds"`
}

// A metricsLog writes metrics.jsonl and the TensorBoard events of a stage.
type metricsLog struct {
	file   *os.File
	events *Events
}

const metricsFile = "metrics.jsonl"

// openMetrics goes on after step: later lines, of steps that will be done again, are removed.
func openMetrics(dir string, step int) (*metricsLog, error) {
	path := filepath.Join(dir, metricsFile)
	kept, err := ReadMetrics(path)
	if err != nil {
		return nil, err
	}
	if err := durable.Write(path, func(w io.Writer) error { return writeMetrics(w, kept, step) }); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return nil, fmt.Errorf("open metrics: %w", err)
	}
	name := fmt.Sprintf("events.out.tfevents.%010d.carebot", step)
	events, err := CreateEvents(filepath.Join(dir, name))
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &metricsLog{file, events}, nil
}

func writeMetrics(w io.Writer, all []Metrics, through int) error {
	enc := json.NewEncoder(w)
	for _, m := range all {
		if m.Step > through {
			break
		}
		if err := enc.Encode(m); err != nil {
			return err
		}
	}
	return nil
}

// ReadMetrics reads a metrics.jsonl; a file that does not exist is empty. A last line that a killed process left unfinished
// is left out.
func ReadMetrics(path string) ([]Metrics, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read metrics: %w", err)
	}
	defer f.Close()
	var all []Metrics
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var m Metrics
		if json.Unmarshal(lines.Bytes(), &m) != nil {
			break
		}
		all = append(all, m)
	}
	return all, nil
}

// write appends the figures of a step; no log at all takes them too.
func (l *metricsLog) write(m Metrics) error {
	if l == nil {
		return nil
	}
	if err := json.NewEncoder(l.file).Encode(m); err != nil {
		return fmt.Errorf("write metrics: %w", err)
	}
	wall := float64(time.Now().UnixNano()) / 1e9
	scalars := []struct {
		tag   string
		value float64
	}{{"train/loss", m.Loss}, {"train/learning_rate", m.LearningRate}, {"train/grad_norm", m.GradNorm}}
	for _, s := range scalars {
		if err := l.events.Scalar(s.tag, m.Step, wall, float32(s.value)); err != nil {
			return err
		}
	}
	if m.Accuracy == nil {
		return nil
	}
	return l.events.Scalar("train/accuracy", m.Step, wall, float32(*m.Accuracy))
}

func (l *metricsLog) close() error { return errors.Join(l.file.Close(), l.events.Close()) }

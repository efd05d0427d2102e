package run

import (
	"context"
	"fmt"
	"math"
	"path/filepath"

	"github.com/carebot-llm/carebot/host/internal/checkpoint"
	"github.com/carebot-llm/carebot/host/internal/durable"
	"github.com/carebot-llm/carebot/host/internal/eval"
	"github.com/carebot-llm/carebot/host/internal/model"
	"github.com/carebot-llm/carebot/host/internal/recipe"
)

// Exported describes a model directory that was written, read back and compared.
type Exported struct {
	Dir        string  `json:"dir"`
	Parameters int64   `json:"parameters"`
	Difference float64 `json:"difference"` // largest difference of a probe's answers before and after
}

// exportTolerance is how far the reloaded model may be off; the weights travel as float32, so nothing should be lost.
const exportTolerance = 1e-6

// export writes the model in Hugging Face layout, reads it back, and compares both models' answers to a probe before the
// directory gets its name.
func (p *Process) export(ctx context.Context, spec *recipe.Export, dir string, s *Summary) error {
	m, err := p.serve(spec.Model)
	if err != nil {
		return err
	}
	defer m.close()
	out := filepath.Join(dir, "model")
	e := &Exported{Dir: out, Parameters: m.model.Config().Parameters()}
	err = durable.Dir(out, func(beside string) error {
		if err := m.write(beside, int64(spec.Shard)); err != nil {
			return err
		}
		e.Difference, err = p.compare(m, beside)
		return err
	})
	s.Unit, s.In, s.Out, s.Export = "parameters", e.Parameters, e.Parameters, e
	return err
}

// compare loads the directory as a stranger would and returns how far its answers are from the model's.
func (p *Process) compare(m *served, dir string) (float64, error) {
	again, err := p.openDir(m.ref, dir, m.model.Head(), model.Frozen())
	if err != nil {
		return 0, fmt.Errorf("read back what was exported: %w", err)
	}
	defer again.close()
	difference, err := eval.Compare(m.Served, again.Served)
	if err != nil {
		return 0, err
	}
	if math.IsNaN(difference) || difference > exportTolerance {
		return difference, fmt.Errorf("the exported model answers differently: by %g", difference)
	}
	return difference, nil
}

// write puts the whole model directory: weights, configuration, tokenizer.
func (m *served) write(dir string, shardBytes int64) error {
	if err := m.describe(dir); err != nil {
		return err
	}
	weights, err := m.model.Tensors()
	if err != nil {
		return err
	}
	tensors := make([]checkpoint.Tensor, len(weights))
	for i, w := range weights {
		tensors[i] = checkpoint.Tensor{Name: w.Name, Shape: w.Shape, Data: w.Data}
	}
	return checkpoint.WriteTensors(dir, "model", tensors, shardBytes, nil)
}

package run

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strings"

	"github.com/carebot-llm/carebot/host/internal/checkpoint"
	"github.com/carebot-llm/carebot/host/internal/durable"
	"github.com/carebot-llm/carebot/host/internal/eval"
	"github.com/carebot-llm/carebot/host/internal/gguf"
	"github.com/carebot-llm/carebot/host/internal/llamacpp"
	"github.com/carebot-llm/carebot/host/internal/model"
	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/carebot-llm/carebot/host/internal/train"
)

// Exported describes a model that was written, read back and compared.
type Exported struct {
	Dir        string  `json:"dir"` // or file
	Parameters int64   `json:"parameters"`
	Difference float64 `json:"difference"` // largest difference of a probe's answers before and after
}

// exportTolerance is how far the reloaded model may be off when its weights travel as float32, since nothing should be lost.
const exportTolerance = 1e-6

// export writes the model in the format asked for, reads it back, and compares both models' answers to a probe before what
// was written gets its name.
func (p *Process) export(ctx context.Context, spec *recipe.Export, dir string, s *Summary) error {
	m, err := p.serve(spec.Model, false)
	if err != nil {
		return err
	}
	defer m.close()
	e := &Exported{Parameters: m.model.Config().Parameters()}
	s.Unit, s.In, s.Out, s.Export = "parameters", e.Parameters, e.Parameters, e
	switch spec.Format {
	case "gguf":
		return p.exportGGUF(m, spec, dir, e)
	case "adapter":
		return p.exportAdapter(m, spec, dir, e)
	}
	return p.exportDir(m, spec, dir, e)
}

// exportDir writes a model directory in Hugging Face layout.
func (p *Process) exportDir(m *served, spec *recipe.Export, dir string, e *Exported) error {
	e.Dir = filepath.Join(dir, "model")
	return durable.Dir(e.Dir, func(beside string) error {
		if err := m.write(beside, spec.OutType, int64(spec.Shard)); err != nil {
			return err
		}
		again, err := p.openDir(m.ref, beside, m.model.Head(), model.Frozen())
		if err != nil {
			return fmt.Errorf("read back what was exported: %w", err)
		}
		defer again.close()
		return e.compare(m, again, spec.OutType == "f32")
	})
}

// compare notes how far the model that was read back is off. exact says that it should not be.
func (e *Exported) compare(m, again *served, exact bool) (err error) {
	if e.Difference, err = eval.Compare(m.Served, again.Served); err != nil {
		return err
	}
	if math.IsNaN(e.Difference) || math.IsInf(e.Difference, 0) || exact && e.Difference > exportTolerance {
		return fmt.Errorf("the exported model answers differently: by %g", e.Difference)
	}
	return nil
}

// torchTypes are PyTorch's names of what weights are stored in.
var torchTypes = map[string]string{"f32": "float32", "f16": "float16", "bf16": "bfloat16"}

// write puts the whole model directory: weights in a type, configuration, tokenizer.
func (m *served) write(dir, outType string, shardBytes int64) error {
	if err := errors.Join(m.tok.Save(dir), m.configure(dir, torchTypes[outType])); err != nil {
		return err
	}
	weights, err := m.model.Tensors()
	if err != nil {
		return err
	}
	return checkpoint.WriteTensors(dir, weightsBase, train.Stored(weights, strings.ToUpper(outType)), shardBytes, nil)
}

var outTypes = map[string]gguf.Type{
	"f32": gguf.F32, "f16": gguf.F16, "bf16": gguf.BF16, "q8_0": gguf.Q8_0, "q4_k": gguf.Q4_K,
}

// exportGGUF writes one file for llama.cpp. The weights that are read back are those that were written as their types
// round them, bit for bit (llamacpp.Write sees to that); how far that moves the answers is noted.
func (p *Process) exportGGUF(m *served, spec *recipe.Export, dir string, e *Exported) error {
	e.Dir = filepath.Join(dir, "model.gguf")
	beside := e.Dir + durable.Suffix
	if err := llamacpp.Write(beside, p.recipe.Name, m.model, m.tok, outTypes[spec.OutType]); err != nil {
		return err
	}
	again, err := p.openGGUF(m, beside)
	if err != nil {
		return fmt.Errorf("read back what was exported: %w", err)
	}
	defer again.close()
	if err := e.compare(m, again, spec.OutType == "f32"); err != nil {
		return err
	}
	return durable.Rename(beside, e.Dir)
}

// openGGUF loads the weights of a file that was written for a model.
func (p *Process) openGGUF(m *served, path string) (*served, error) {
	src, err := llamacpp.Open(path, m.model)
	if err != nil {
		return nil, err
	}
	defer src.Close()
	again, err := model.Load(p.device, m.model.Config(), m.model.Head(), src, model.Frozen())
	if err != nil {
		return nil, err
	}
	return p.served(m.ref, "", again, m.tok), nil
}

// exportAdapter writes the adapter of a train stage in PEFT layout.
func (p *Process) exportAdapter(m *served, spec *recipe.Export, dir string, e *Exported) error {
	st := p.recipe.Stages[spec.Model]
	if st.Train == nil || st.Train.LoRA == nil {
		return fmt.Errorf("%s is no train stage with lora, so there is no adapter to export", spec.Model)
	}
	from, _, _, err := checkpoint.Latest(p.stageDir(spec.Model)) // there is one: the model was opened from it
	if err != nil {
		return err
	}
	e.Dir = filepath.Join(dir, "model")
	return durable.Dir(e.Dir, func(beside string) error {
		if err := m.copyAdapter(beside, from); err != nil {
			return err
		}
		again, err := p.openAdapted(spec.Model, beside, *st.Train, m.model.Head(), model.Frozen())
		if err != nil {
			return fmt.Errorf("read back what was exported: %w", err)
		}
		defer again.close()
		return e.compare(m, again, true)
	})
}

package run

import (
	"fmt"
	"strings"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/host/internal/model"
	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/carebot-llm/carebot/host/internal/train"
)

// planMemory is the memory of the recipe's device that a train stage takes for a model; none where the model cannot
// learn what the stage asks for, which running it will say.
func (p *Process) planMemory(cfg model.Config, spec recipe.Train) train.Memory {
	return plannedMemory(p.holdsBF16(), cfg, spec)
}

// holdsBF16 reports whether the recipe's device has buffers in bfloat16. One that will not open here is taken to be what
// its name says: GPUs have them.
func (p *Process) holdsBF16() bool {
	if dev, err := p.openDevice(); err == nil {
		return dev.HoldsBF16()
	}
	return strings.HasPrefix(p.recipe.Device, "cuda")
}

func plannedMemory(holdsBF16 bool, cfg model.Config, spec recipe.Train) train.Memory {
	need, err := train.Footprint(holdsBF16, cfg, spec)
	if err != nil {
		return train.Memory{}
	}
	return need
}

// moments says what the optimizer's states take, and what they would in float32 if that is something else.
func moments(bytes, float32s int64) string {
	if bytes == float32s {
		return mebibytes(bytes)
	}
	return fmt.Sprintf("%s (f32 %s)", mebibytes(bytes), count(float32s>>20))
}

// planRoom lists the train stages that the device has no room for. A device that will not open here is no problem of a
// plan, which may be made elsewhere.
func (p *Process) planRoom() []string {
	var tight []string
	var fits int64
	for _, name := range p.recipe.Order() {
		spec := p.recipe.Stages[name].Train
		if spec == nil {
			continue
		}
		cfg, known := p.planConfig(name)
		if !known {
			continue
		}
		need := p.planMemory(cfg, *spec).Total()
		if need <= fits {
			continue
		}
		if err := p.room(need); err != nil {
			tight = append(tight, fmt.Sprintf("stage %s needs %s: %v", name, mebibytes(need), err))
		} else {
			fits = need
		}
	}
	return tight
}

// room is the device's error when it cannot allocate so many bytes, which says what it has.
func (p *Process) room(bytes int64) error {
	dev, err := p.openDevice()
	if err != nil {
		return nil
	}
	b, err := dev.Alloc(accelerators.F32, int(bytes/4))
	if err != nil {
		return err
	}
	dev.Free(b)
	return dev.Sync()
}

// products says how a train stage computes.
func products(spec recipe.Train) string {
	text := "f32"
	if spec.BF16 {
		text = "bf16"
	}
	if spec.GradientCheckpointing {
		text += ", checkpointed"
	}
	if train.BaseInNF4(spec) {
		text += ", base in nf4"
	}
	return text
}

//go:build !cuda

package run

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/accelerators/acceltest/narrow"
	"github.com/carebot-llm/carebot/accelerators/cpu"
)

// A device that holds bfloat16 takes the place of a GPU here, of the only one.
func init() {
	accelerators.Register("cuda", -1, func(index int) (accelerators.Device, error) {
		if index > 0 {
			return nil, errors.New("there is one device")
		}
		dev, err := cpu.New(2)
		return narrow.New(dev), err
	})
}

func TestAPlanForAGPUThatIsNotHereKnowsItsMemory(t *testing.T) {
	p := newProject(t, nil)
	memory := map[string]map[string]string{}
	for _, device := range []string{"cpu", "cuda", "cuda:1"} {
		p.plan(t, "mini.yaml", "device="+device, "stages.stable.bf16=true", "stages.stable.batch_size=64")
		memory[device] = p.column(t, "memory")
	}
	if memory["cuda"]["stable"] == memory["cpu"]["stable"] {
		t.Errorf("activations in bfloat16 take as much as those in float32: %v", memory)
	}
	if diff := cmp.Diff(memory["cuda"], memory["cuda:1"]); diff != "" {
		t.Errorf("memory (-here +elsewhere):\n%s", diff)
	}
}

func TestAPairsStageAnswersInBFloat16WhereTheDeviceHoldsIt(t *testing.T) {
	samples := func(device, bf16 string) string {
		p := rankedProject(t)
		p.run(t, "ranked.yaml", "device="+device, "stages.answered.bf16="+bf16)
		return p.contents(t, "ranked", "answered")["/"+samplesFile]
	}
	exact := samples("cpu", "false")
	if samples("cpu", "true") != exact {
		t.Error("the processor answers otherwise in bfloat16")
	}
	if samples("cuda", "false") != exact {
		t.Error("a device that holds bfloat16 answers otherwise in float32")
	}
	if samples("cuda", "true") == exact {
		t.Error("a device that holds bfloat16 answers in float32")
	}
}

//go:build !cuda

package run

import (
	"testing"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/accelerators/acceltest/narrow"
	"github.com/carebot-llm/carebot/accelerators/cpu"
)

// A device that holds bfloat16 takes the place of a GPU here.
func init() {
	accelerators.Register("cuda", -1, func(int) (accelerators.Device, error) {
		dev, err := cpu.New(2)
		return narrow.New(dev), err
	})
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

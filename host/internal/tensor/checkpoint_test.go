package tensor

import (
	"slices"
	"testing"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/accelerators/dry"
)

// deep runs a stack of layers forward and backward and returns all gradients, and what the arena needed.
func deep(t *testing.T, dev accelerators.Device, set *ParamSet, checkpointed bool) ([]float32, int64) {
	t.Helper()
	arena := NewArena(dev)
	if err := arena.Reserve(Sizes{F32: 1 << 24, I32: 1 << 10}); err != nil {
		t.Fatal(err)
	}
	tape := NewTape(dev, arena)
	defer tape.Reset()
	set.ZeroGrad(dev)
	x := leaf(tape, set.All()[0])
	layers := &pile{set.All()[1:]}
	for i := range 8 {
		if checkpointed {
			x = tape.Checkpoint(layers, i, x, Packing{})
		} else {
			x = layers.Run(tape, i, x, Packing{})
		}
	}
	if err := tape.Backward(Seed{x, slices.Repeat([]float32{0.25}, x.size())}); err != nil {
		t.Fatal(err)
	}
	return download(t, dev, set.Grad), arena.Used().F32
}

func TestCheckpointsChangeNoBitAndTakeLessMemory(t *testing.T) {
	shapes := [][]int{{50, 64}, {64, 64}, {64}}
	dev := openCPU(t)
	set := operands(t, dev, shapes...)
	want, whole := deep(t, dev, set, false)
	got, less := deep(t, dev, set, true)
	if !slices.Equal(got, want) {
		t.Error("gradients differ")
	}
	if less*2 > whole {
		t.Errorf("checkpoints take %d bytes, recording %d", less, whole)
	}
	planned := dry.New(false)
	if _, dryRun := deep(t, planned, operands(t, planned, shapes...), true); dryRun != less {
		t.Errorf("a dry run says %d bytes, it takes %d", dryRun, less)
	}
}

func TestAnErrorWithinACheckpointGivesAllBack(t *testing.T) {
	dev := &counting{Device: openCPU(t)}
	set := operands(t, dev, []int{1000, 64}, []int{64, 64}, []int{64})
	arena := NewArena(dev)
	tape := NewTape(dev, arena)
	x := leaf(tape, set.All()[0])
	for i := range 8 {
		x = tape.Checkpoint(&pile{set.All()[1:]}, i, x, Packing{})
	}
	if tape.Err() != nil {
		t.Fatal(tape.Err())
	}
	dev.room = dev.allocs
	if err := tape.Backward(Seed{x, make([]float32, x.size())}); err == nil {
		t.Error("there was room after all")
	}
	if tape.Reset(); arena.Lent() != 0 {
		t.Errorf("%d bytes lent after Reset", arena.Lent())
	}
}

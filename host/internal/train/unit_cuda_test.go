//go:build cuda

package train

import (
	"testing"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/accelerators/acceltest/narrow"
)

// plainly is a device on which no unit is repeated.
type plainly struct{ accelerators.Device }

func (plainly) Together(work func()) { work() }

// Rows that are all alike make micro-batches of equal shapes: both of a step come again in every step. The first step is
// another, since it finds copies of weights in bf16 renewed, and kernels take their scratch memory in it.
func TestSmallMicroBatchesAreRepeated(t *testing.T) {
	for _, objective := range objectives {
		s := newStage(objective)
		s.data = s.data[:1]
		s.spec.BF16, s.spec.Steps, s.spec.BatchSize, s.spec.SaveSteps = true, 5, 4, 1000
		dev := narrow.Open(t)
		before := dev.(interface{ Repeated() int }).Repeated()
		got := s.run(t, dev, t.TempDir())
		// Forward and backward pass are repeated alone, since the losses leave between them.
		repeated := dev.(interface{ Repeated() int }).Repeated() - before
		if want := 2 * 2 * (s.spec.Steps - 2); repeated < want {
			t.Errorf("%s: %d units were repeated, want %d", objective, repeated, want)
		}
		want := s.run(t, plainly{dev}, t.TempDir())
		requireSame(t, objective, finished(t, got.Dir), finished(t, want.Dir))
	}
}

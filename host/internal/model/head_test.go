package model

import (
	"slices"
	"testing"

	"github.com/carebot-llm/carebot/host/internal/tensor"
)

// passed is what a pass over the task's tokens gives: the losses, then the gradients of all weights.
func (k task) passed(t *testing.T, loss func(*tensor.Tape, *tensor.Tensor) (*tensor.Tensor, []tensor.Seed)) []float32 {
	t.Helper()
	k.m.set.ZeroGrad(k.m.dev)
	tape := tensor.NewTape(k.m.dev, k.m.arena)
	defer tape.Reset()
	nll, seeds := loss(tape, k.m.Hidden(tape, k.in))
	losses, err := tape.Download(nll)
	if err != nil {
		t.Fatal(err)
	}
	if err := tape.Backward(seeds...); err != nil {
		t.Fatal(err)
	}
	grads := make([]float32, k.m.set.Count())
	if err := k.m.dev.DownloadF32(grads, k.m.set.Grad); err != nil {
		t.Fatal(err)
	}
	return append(losses, grads...)
}

// The processor leaves rows without a target out by itself, so not a bit may differ.
func TestTheHeadSeesFewRowsAlone(t *testing.T) {
	k := tasks(t, openCPU(t))["gemma2 lm"]
	few := targets(k.in)
	for i := range few {
		if i%3 > 0 {
			few[i] = -1
		}
	}
	gradient, lm, limit := k.weights(len(few)), k.m.ends.lm, k.m.ends.limit
	seed := func(y *tensor.Tensor) []tensor.Seed { return []tensor.Seed{{Of: y, Grad: gradient}} }
	all := k.passed(t, func(t *tensor.Tape, hidden *tensor.Tensor) (*tensor.Tensor, []tensor.Seed) {
		y := t.HeadLoss(hidden, lm, t.Ints(few), limit)
		return y, seed(y)
	})
	alone := k.passed(t, func(t *tensor.Tape, hidden *tensor.Tensor) (*tensor.Tensor, []tensor.Seed) {
		y := k.m.TokenNLL(t, hidden, few)
		return y, seed(y)
	})
	if !slices.Equal(alone, all) {
		t.Error("losses with a seed differ")
	}
	all = k.passed(t, func(t *tensor.Tape, hidden *tensor.Tensor) (*tensor.Tensor, []tensor.Seed) {
		return t.HeadLearn(hidden, lm, t.Ints(few), gradient, limit), nil
	})
	alone = k.passed(t, func(t *tensor.Tape, hidden *tensor.Tensor) (*tensor.Tensor, []tensor.Seed) {
		return k.m.LearnTokens(t, hidden, few, gradient), nil
	})
	if !slices.Equal(alone, all) {
		t.Error("losses that are learned at once differ")
	}
	if k.m.counted.of(targets(k.in), gradient) || !k.m.counted.of(few, gradient) {
		t.Error("the head sees few rows among all, or many alone")
	}
}

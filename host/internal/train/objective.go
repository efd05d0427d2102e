package train

import (
	"fmt"
	"slices"

	"github.com/carebot-llm/carebot/host/internal/data"
	"github.com/carebot-llm/carebot/host/internal/model"
	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/carebot-llm/carebot/host/internal/tensor"
)

// An objective says what is learned from a batch. Losses are sums; the loop divides them, and their gradients, by the sum of
// the weights over the whole global batch: one normaliser for every objective, whatever the number of micro-batches.
type objective interface {
	// weight is the batch's part of the normaliser.
	weight(b data.Batch) float64
	// learn runs the batch forward and backward: gradients of (sum of losses) / normaliser are added to the
	// parameters'. What the batch gave goes to l.
	learn(t *tensor.Tape, m *model.Model, b data.Batch, normaliser float64, l *learned) error
}

// measured is what a batch gave: the sum of its losses, and the sum of its right decisions where the objective decides.
type measured struct {
	loss, hits float64
}

func (a *measured) add(b measured) { a.loss, a.hits = a.loss+b.loss, a.hits+b.hits }

// learned is what a batch gave. Losses of tokens may still be on their way to the host, and are not added up before.
type learned struct {
	measured
	losses, weights []float32
	wait            func() error // until the losses are there; nil where they are
}

// expect makes l the sum of losses, by weights, that are there when wait has returned.
func (l *learned) expect(losses, weights []float32, wait func() error) {
	l.losses, l.weights, l.wait = losses, append(l.weights[:0], weights...), wait
}

// sum waits for the losses and adds them up.
func (l *learned) sum() (measured, error) {
	if l.wait != nil {
		if err := l.wait(); err != nil {
			return measured{}, err
		}
	}
	sum := l.measured
	for i, w := range l.weights {
		sum.loss += float64(w) * float64(l.losses[i])
	}
	return sum, nil
}

// clear makes l that of a batch that gave nothing yet.
func (l *learned) clear() { l.measured, l.weights, l.wait = measured{}, l.weights[:0], nil }

// host is what an objective keeps on the host from one batch to the next, so that learning makes no garbage.
type host struct{ values, seed []float32 }

// read downloads a tensor. The values are good until the next call.
func (h *host) read(t *tensor.Tape, x *tensor.Tensor) (values []float32, err error) {
	if values, err = t.Read(h.values, x); err == nil {
		h.values = values
	}
	return values, err
}

// seedOf is room for a gradient of n numbers, zero at first and good until the next call.
func (h *host) seedOf(n int) []float32 {
	h.seed = slices.Grow(h.seed[:0], n)[:n]
	clear(h.seed)
	return h.seed
}

// newObjective returns the objective of a train stage.
func newObjective(spec recipe.Train) (objective, error) {
	switch spec.Objective {
	case "next_token":
		return &nextToken{}, nil
	case "regression":
		return &regression{}, nil
	case "classification":
		return &classification{}, nil
	case "pairwise":
		return &pairwise{}, nil
	case "dpo":
		return &dpo{beta: spec.Beta}, nil
	}
	return nil, fmt.Errorf("objective %q is not known", spec.Objective)
}

// HeadFor is the head that an objective trains.
func HeadFor(objective string) model.Head {
	if objective == "next_token" || objective == "dpo" {
		return model.HeadLM
	}
	return model.HeadClassify
}

// learnsPairs reports whether a row of a batch is two sequences.
func learnsPairs(objective string) bool { return objective == "pairwise" || objective == "dpo" }

// decides reports whether the objective counts right decisions.
func decides(objective string) bool {
	return objective == "classification" || learnsPairs(objective)
}

package train

import (
	"fmt"
	"math"

	"github.com/carebot-llm/carebot/host/internal/data"
	"github.com/carebot-llm/carebot/host/internal/model"
	"github.com/carebot-llm/carebot/host/internal/tensor"
)

// outputs runs the model's head: one row for each sequence of the batch.
func (h *host) outputs(t *tensor.Tape, m *model.Model, b data.Batch) (*tensor.Tensor, []float32, error) {
	in := input(b)
	out := m.Outputs(t, m.Hidden(t, in), in)
	values, err := h.read(t, out)
	return out, values, err
}

// oneOutput holds objectives to a head with a single output.
func (h *host) oneOutput(t *tensor.Tape, m *model.Model, b data.Batch) (*tensor.Tensor, []float32, error) {
	out, values, err := h.outputs(t, m, b)
	if err == nil && out.Cols != 1 {
		err = fmt.Errorf("the head has %d outputs, the objective wants one", out.Cols)
	}
	return out, values, err
}

// regression is the squared error of the head's single output against the label.
type regression struct{ host }

func (*regression) weight(b data.Batch) float64 { return float64(len(b.Labels)) }

func (o *regression) learn(t *tensor.Tape, m *model.Model, b data.Batch, normaliser float64, l *learned) error {
	out, values, err := o.oneOutput(t, m, b)
	if err != nil {
		return err
	}
	seed := o.seedOf(len(values))
	sum := 0.0
	for i, v := range values {
		off := float64(v) - float64(b.Labels[i])
		sum += off * off
		seed[i] = float32(2 * off / normaliser)
	}
	l.loss = sum
	return t.Backward(tensor.Seed{Of: out, Grad: seed})
}

// classification is the cross-entropy of the head's outputs against the label, a class number.
type classification struct{ host }

func (*classification) weight(b data.Batch) float64 { return float64(len(b.Labels)) }

func (o *classification) learn(t *tensor.Tape, m *model.Model, b data.Batch, normaliser float64, l *learned) error {
	out, values, err := o.outputs(t, m, b)
	if err != nil {
		return err
	}
	seed := o.seedOf(len(values))
	for i, label := range b.Labels {
		row := values[i*out.Cols : (i+1)*out.Cols]
		class := int(label)
		if float32(class) != label || class < 0 || class >= len(row) {
			return fmt.Errorf("label %g is not one of the %d classes", label, len(row))
		}
		l.add(crossEntropy(seed[i*out.Cols:], row, class, normaliser))
	}
	return t.Backward(tensor.Seed{Of: out, Grad: seed})
}

// crossEntropy writes the gradient of the loss of one row of logits, divided by normaliser, to grad.
func crossEntropy(grad, logits []float32, class int, normaliser float64) measured {
	best, top := 0, math.Inf(-1)
	for j, v := range logits {
		if float64(v) > top {
			best, top = j, float64(v)
		}
	}
	mass := 0.0
	for _, v := range logits {
		mass += math.Exp(float64(v) - top)
	}
	for j, v := range logits {
		grad[j] = float32(math.Exp(float64(v)-top) / mass / normaliser)
	}
	grad[class] -= float32(1 / normaliser)
	m := measured{loss: top + math.Log(mass) - float64(logits[class])}
	if best == class {
		m.hits = 1
	}
	return m
}

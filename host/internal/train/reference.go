package train

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/carebot-llm/carebot/host/internal/checkpoint"
	"github.com/carebot-llm/carebot/host/internal/data"
	"github.com/carebot-llm/carebot/host/internal/tensor"
)

// referenceBase is the file of a dpo stage that holds the reference's log-probabilities, one for each sequence of the plan.
const referenceBase = "reference"

// newObjective returns the objective of the stage; dpo brings its reference values, which are computed once.
func (r *run) newObjective(ctx context.Context) (objective, error) {
	o, err := newObjective(r.job.Spec)
	if d, ok := o.(*dpo); ok {
		d.reference, err = r.reference(ctx, d)
	}
	return o, err
}

// reference reads the reference's log-probabilities, or computes them with the start weights and writes them. The start
// weights are the reference model, so no second model is held.
func (r *run) reference(ctx context.Context, d *dpo) ([]float32, error) {
	values := make([]float32, r.job.Plan.Sequences())
	found, err := r.readReference(values)
	if found || err != nil {
		return values, err
	}
	if err := r.computeReference(ctx, d, values); err != nil {
		return nil, fmt.Errorf("reference log-probabilities: %w", err)
	}
	tensors := []checkpoint.Tensor{{Name: r.referenceName(), Shape: []int{len(values)}, Data: values}}
	return values, checkpoint.WriteTensors(r.job.Dir, referenceBase, tensors, shardBytes, nil)
}

// referenceName binds the values to the inputs they come from: a run that was killed before its first checkpoint leaves no
// other trace of them.
func (r *run) referenceName() string { return "logp of " + r.state.Key + " over " + r.state.Plan }

// readReference reads the values unless there are none, or those of other inputs.
func (r *run) readReference(values []float32) (found bool, err error) {
	file, err := checkpoint.OpenTensors(r.job.Dir, referenceBase)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer file.Close()
	if _, found = file.Shape(r.referenceName()); !found {
		return false, nil
	}
	return true, file.Read(r.referenceName(), values)
}

// computeReference goes through the sequences of the plan in their order, a micro-batch at a time.
func (r *run) computeReference(ctx context.Context, d *dpo, values []float32) error {
	size := r.job.referenceBatch()
	for from := 0; from < len(values); from += size {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := r.logProbs(d, r.job.Plan.Range(from, min(from+size, len(values))), values); err != nil {
			return err
		}
	}
	return nil
}

// logProbs computes the values of the sequences of a batch, as exactly as the steps do.
func (r *run) logProbs(d *dpo, batch data.Batch, values []float32) error {
	tape := tensor.NewInference(r.job.Device, r.arena)
	tape.Compute = r.tape.Compute
	defer tape.Reset()
	_, logp, err := d.logProbs(tape, r.job.Model, batch)
	for i, v := range logp {
		values[batch.Sequences[i]] = float32(v)
	}
	return err
}

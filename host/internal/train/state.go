package train

import (
	"fmt"
	"path/filepath"

	"github.com/carebot-llm/carebot/host/internal/checkpoint"
	"github.com/carebot-llm/carebot/host/internal/durable"
	"github.com/carebot-llm/carebot/host/internal/model"
)

// state is what state.json holds: everything besides weights and moments that the next step depends on. The position in the
// data is the step itself, since a plan gives any batch by its step; the digest binds it to that plan.
type state struct {
	Step   int     `json:"step"`
	Tokens int64   `json:"tokens"`
	Key    string  `json:"key"`
	Plan   string  `json:"plan"`
	Loss   float64 `json:"loss"`
	// Optimizer is the recipe's; empty in checkpoints of versions that had adamw only.
	Optimizer string `json:"optimizer,omitempty"`
}

const (
	stateFile     = "state.json"
	optimizerBase = "optimizer"
	shardBytes    = 5 << 30
)

// save writes the checkpoint of the run's state and prunes older ones.
func (r *run) save() error {
	if err := r.settle(); err != nil {
		return err
	}
	err := durable.Dir(checkpoint.Dir(r.job.Dir, r.state.Step), func(dir string) error {
		if err := r.job.Describe(dir); err != nil {
			return err
		}
		if err := r.saveWeights(dir); err != nil {
			return err
		}
		return checkpoint.WriteJSON(filepath.Join(dir, stateFile), r.state)
	})
	if err != nil {
		return fmt.Errorf("checkpoint of step %d: %w", r.state.Step, err)
	}
	r.saved = r.state.Step
	return checkpoint.Prune(r.job.Dir, r.job.Spec.SaveLimit)
}

func (r *run) saveWeights(dir string) error {
	weights, err := r.job.Model.Trained()
	if err != nil {
		return err
	}
	if err := checkpoint.WriteTensors(dir, WeightsBase(r.job.Spec), Stored(weights, "F32"), shardBytes, nil); err != nil {
		return err
	}
	moments, err := r.moments()
	if err != nil {
		return err
	}
	return checkpoint.WriteTensors(dir, optimizerBase, moments, shardBytes, nil)
}

// Stored are weights as they are to be stored in a type of package checkpoint.
func Stored(weights []model.NamedTensor, dtype string) []checkpoint.Tensor {
	tensors := make([]checkpoint.Tensor, len(weights))
	for i, w := range weights {
		tensors[i] = checkpoint.Tensor{Name: w.Name, Shape: w.Shape, Data: w.Data, DType: dtype}
	}
	return tensors
}

// moments downloads the optimizer's state.
func (r *run) moments() ([]checkpoint.Tensor, error) {
	var all []checkpoint.Tensor
	for _, s := range r.optimizer.states {
		for _, p := range s.moments.parts() {
			t, err := p.download(r.job.Device)
			if err != nil {
				return nil, err
			}
			all = append(all, t)
		}
	}
	return all, nil
}

// restore goes back to the newest checkpoint of the same inputs, if there is one.
func (r *run) restore() error {
	dir, step, ok, err := checkpoint.Latest(r.job.Dir)
	if err != nil || !ok {
		return err
	}
	var s state
	if err := checkpoint.ReadJSON(filepath.Join(dir, stateFile), &s); err != nil {
		return err
	}
	if has, want := named(s.Optimizer), named(r.job.Spec.Optimizer); has != want {
		return fmt.Errorf("%s has the optimizer states of %s, and the stage asks for %s: set optimizer: %s to go on, or remove "+
			"%s to start the stage again", dir, has, want, has, r.job.Dir)
	}
	if s.Key != r.job.Key || s.Plan != r.job.Plan.Digest() {
		return fmt.Errorf("%s was made from other inputs; remove %s to start the stage again", dir, r.job.Dir)
	}
	if s.Step != step {
		return fmt.Errorf("%s: state.json is of step %d", dir, s.Step)
	}
	if err := r.restoreBuffers(dir); err != nil {
		return fmt.Errorf("resume from %s: %w", dir, err)
	}
	r.state, r.saved = s, s.Step
	r.job.Log.Info("resumed", "stage", r.job.Name, "step", s.Step, "from", dir)
	return nil
}

func (r *run) restoreBuffers(dir string) error {
	weights, err := checkpoint.OpenTensors(dir, WeightsBase(r.job.Spec))
	if err != nil {
		return err
	}
	defer weights.Close()
	if err := r.job.Model.Restore(weights); err != nil {
		return err
	}
	moments, err := checkpoint.OpenTensors(dir, optimizerBase)
	if err != nil {
		return err
	}
	defer moments.Close()
	for _, s := range r.optimizer.states {
		for _, p := range s.moments.parts() {
			if err := p.upload(r.job.Device, moments); err != nil {
				return err
			}
		}
	}
	return r.job.Device.Sync()
}

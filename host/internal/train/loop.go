package train

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/carebot-llm/carebot/host/internal/checkpoint"
	"github.com/carebot-llm/carebot/host/internal/data"
	"github.com/carebot-llm/carebot/host/internal/tensor"
)

// A run is a Job on its way.
type run struct {
	job       Job
	objective objective
	optimizer *optimizer
	schedule  schedule
	arena     *tensor.Arena
	tape      *tensor.Tape
	state     state
	saved     int // step of the newest checkpoint
	metrics   *metricsLog
}

// Run trains the job's model from where it stands to the end of the plan. When ctx ends, it saves a checkpoint and returns the
// cause; a later Run with the same inputs goes on from there to the same weights.
func Run(ctx context.Context, job Job) (res Result, err error) {
	r := newRun(job)
	defer func() {
		if err = errors.Join(err, r.close()); err != nil {
			err = fmt.Errorf("train %s: %w", job.Name, err)
		}
	}()
	if err := r.start(ctx); err != nil {
		return Result{}, err
	}
	if err := r.loop(ctx); err != nil {
		return Result{}, err
	}
	return r.result()
}

func newRun(job Job) *run {
	arena := tensor.NewArena(job.Device)
	return &run{
		job: job, schedule: newSchedule(job.Spec, job.Plan.Steps()), arena: arena, tape: newTape(job, arena),
		state: state{Key: job.Key, Plan: job.Plan.Digest(), Optimizer: job.Spec.Optimizer},
	}
}

// newTape records the job's model as the recipe says.
func newTape(job Job, arena *tensor.Arena) *tensor.Tape {
	job.Model.SetCheckpointing(job.Spec.GradientCheckpointing)
	t := tensor.NewTape(job.Device, arena)
	t.Compute = job.Model.Compute()
	return t
}

func (r *run) start(ctx context.Context) (err error) {
	if err = os.MkdirAll(r.job.Dir, 0o755); err != nil {
		return err
	}
	if err = r.allocate(); err != nil {
		return err
	}
	r.job.Log.Info("optimizer states", "stage", r.job.Name, "optimizer", named(r.job.Spec.Optimizer),
		"MiB", mebibytes(r.optimizer.bytes()), "MiB in float32", mebibytes(r.optimizer.floatBytes()))
	if r.objective, err = r.newObjective(ctx); err != nil {
		return err
	}
	if err = r.restore(); err != nil {
		return err
	}
	r.metrics, err = openMetrics(r.job.Dir, r.state.Step)
	return err
}

// close ends a run that came as far as it did.
func (r *run) close() (err error) {
	if r.metrics != nil {
		err = r.metrics.close()
	}
	if r.optimizer != nil {
		r.optimizer.free()
	}
	r.tape.Reset()
	r.arena.Free()
	return err
}

func (r *run) loop(ctx context.Context) error {
	for steps := r.job.Plan.Steps(); r.state.Step < steps; {
		if ctx.Err() != nil {
			return errors.Join(context.Cause(ctx), r.saveOnce())
		}
		if err := r.step(steps); err != nil {
			return err
		}
		if r.state.Step%r.job.Spec.SaveSteps == 0 && r.state.Step < steps {
			if err := r.save(); err != nil {
				return err
			}
		}
	}
	return r.saveOnce()
}

// saveOnce saves the current step unless that is done already.
func (r *run) saveOnce() error {
	if r.saved == r.state.Step && r.saved > 0 {
		return nil
	}
	return r.save()
}

// step is one optimizer step: all micro-batches of a batch, then the update.
func (r *run) step(steps int) error {
	begin := time.Now()
	rate := r.schedule.rate(r.state.Step)
	batch := r.job.Plan.Batch(r.state.Step)
	sums, normaliser, err := r.accumulate(batch)
	if err != nil {
		return fmt.Errorf("step %d: %w", r.state.Step+1, err)
	}
	norm, err := r.optimizer.step(r.state.Step+1, rate)
	if err != nil {
		return err
	}
	r.state.Step++
	r.state.Tokens += int64(len(batch.Tokens))
	r.state.Loss = sums.loss / normaliser
	m := Metrics{
		Step: r.state.Step, Loss: r.state.Loss, LearningRate: rate, GradNorm: norm, Tokens: r.state.Tokens,
		Seconds: time.Since(begin).Seconds(),
	}
	if decides(r.job.Spec.Objective) {
		accuracy := sums.hits / normaliser
		m.Accuracy = &accuracy
	}
	r.job.Progress.Step(r.state.Step, steps, m)
	return r.metrics.write(m)
}

// accumulate adds up the gradients of the batch, micro-batch by micro-batch, under one normaliser.
func (r *run) accumulate(batch data.Batch) (sums measured, normaliser float64, err error) {
	normaliser = r.objective.weight(batch)
	if normaliser <= 0 {
		return sums, 0, errors.New("no token of the batch carries loss")
	}
	r.job.Model.Params().ZeroGrad(r.job.Device)
	for _, micro := range batch.Split(r.job.microBatch()) {
		m, err := r.objective.learn(r.tape, r.job.Model, micro, normaliser)
		r.tape.Reset()
		if err != nil {
			return sums, 0, err
		}
		sums.add(m)
	}
	return sums, normaliser, nil
}

// result reads the stage's figures back from its metrics, so that a resumed stage reports the same.
func (r *run) result() (Result, error) {
	all, err := ReadMetrics(r.metrics.file.Name())
	if err != nil || len(all) == 0 {
		return Result{}, errors.Join(err, errors.New("the stage has no steps"))
	}
	res := Result{
		Dir: checkpoint.Dir(r.job.Dir, r.state.Step), Steps: r.state.Step, Tokens: r.state.Tokens,
		FirstLoss: all[0].Loss, PeakBytes: r.arena.Peak(),
		Optimizer: named(r.job.Spec.Optimizer), Moments: r.optimizer.bytes(), FloatMoments: r.optimizer.floatBytes(),
	}
	tail := all[len(all)-max(1, len(all)/10):]
	for _, m := range tail {
		res.LastLoss += m.Loss / float64(len(tail))
		if m.Accuracy != nil {
			res.Accuracy += *m.Accuracy / float64(len(tail))
		}
	}
	return res, nil
}

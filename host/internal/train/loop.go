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
	unit      *unit
	optimizer *optimizer
	schedule  schedule
	arena     *tensor.Arena
	tape      *tensor.Tape
	state     state
	saved     int // step of the newest checkpoint
	metrics   *metricsLog

	steps    [2]figures // of the step that is under way, and the next
	underway *figures   // whose figures are not told yet
	settled  time.Time  // when the last were
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
	tape := newTape(job, arena)
	return &run{
		job: job, unit: newUnit(tape, job.Model), schedule: newSchedule(job.Spec, job.Plan.Steps()),
		arena: arena, tape: tape,
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
	if r.unit.objective, err = r.newObjective(ctx); err != nil {
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
		if err := r.step(); err != nil {
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

// step is one optimizer step: all micro-batches of a batch, then the update. Figures are told as soon as they are
// there, those of a device that works on while the host goes ahead when the next step is queued.
func (r *run) step() error {
	number, rate := r.state.Step+1, r.schedule.rate(r.state.Step)
	batch, f := r.job.Plan.Batch(r.state.Step), r.begin()
	if err := r.accumulate(batch, f); err != nil {
		return errors.Join(r.settle(), fmt.Errorf("step %d: %w", number, err))
	}
	r.optimizer.step(number, rate, &f.norm)
	if err := r.settle(); err != nil {
		return err
	}
	r.state.Step = number
	r.state.Tokens += int64(len(batch.Tokens))
	f.Step, f.LearningRate, f.Tokens = number, rate, r.state.Tokens
	if r.underway = f; !f.there() {
		return nil
	}
	return r.settle()
}

// accumulate adds up the gradients of the batch, micro-batch by micro-batch, under one normaliser.
func (r *run) accumulate(batch data.Batch, f *figures) error {
	if f.normaliser = r.unit.objective.weight(batch); f.normaliser <= 0 {
		return errors.New("no token of the batch carries loss")
	}
	r.job.Model.Params().ZeroGrad(r.job.Device)
	for _, micro := range batch.Split(r.job.microBatch()) {
		if err := r.unit.learn(micro, f.normaliser, f.next()); err != nil {
			return err
		}
	}
	return nil
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

package train

import (
	"context"
	"errors"
	"fmt"
)

// Measure does steps of a job from its start weights and keeps nothing: it reads and writes no file; Dir, Key, Describe,
// Progress and Log of the job are not used. A plan with fewer steps begins again. each is told of every step, counted
// from 1, as soon as it is done. When ctx ends, Measure returns the cause.
func Measure(ctx context.Context, job Job, steps int, each func(step int, m Metrics)) (err error) {
	done := 0
	job.Progress = eachStep(func(m Metrics) {
		done++
		each(done, m)
	})
	r := newRun(job)
	defer func() {
		if err = errors.Join(err, r.close()); err != nil {
			err = fmt.Errorf("measure %s: %w", job.Name, err)
		}
	}()
	if err = r.allocate(); err != nil {
		return err
	}
	if r.unit.objective, err = r.passingObjective(ctx, steps); err != nil {
		return err
	}
	return r.repeat(ctx, steps)
}

// repeat goes through the plan, and again from its start, until so many steps are done.
func (r *run) repeat(ctx context.Context, steps int) error {
	for range steps {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if r.state.Step == r.job.Plan.Steps() {
			r.state.Step = 0
		}
		if err := r.step(); err != nil {
			return err
		}
	}
	return r.settle()
}

// passingObjective is the objective with the reference values of the next steps alone.
func (r *run) passingObjective(ctx context.Context, steps int) (objective, error) {
	o, err := newObjective(r.job.Spec)
	d, needs := o.(*dpo)
	if err != nil || !needs {
		return o, err
	}
	d.reference = make([]float32, r.job.Plan.Sequences())
	for step := range min(steps, r.job.Plan.Steps()) {
		for _, micro := range r.job.Plan.Batch(step).Split(r.job.microBatch()) {
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			if err := r.logProbs(d, micro, d.reference); err != nil {
				return nil, fmt.Errorf("reference log-probabilities: %w", err)
			}
		}
	}
	return d, nil
}

// eachStep is a Progress that counts for itself.
type eachStep func(m Metrics)

func (f eachStep) Step(_, _ int, m Metrics) { f(m) }

package train

import (
	"fmt"
	"time"
)

// figures are those of a step. Some may still be on their way from the device, which has begun the next step by the
// time that they are there.
type figures struct {
	Metrics
	begun      time.Time
	normaliser float64
	batches    []learned
	norm       gradNorm
}

// begin returns the figures of another step than the one that is under way.
func (r *run) begin() *figures {
	f := &r.steps[0]
	if r.underway == f {
		f = &r.steps[1]
	}
	f.Metrics, f.begun, f.batches = Metrics{}, time.Now(), f.batches[:0]
	return f
}

// next is what the next micro-batch gives.
func (f *figures) next() *learned {
	if len(f.batches) < cap(f.batches) {
		f.batches = f.batches[:len(f.batches)+1]
	} else {
		f.batches = append(f.batches, learned{})
	}
	l := &f.batches[len(f.batches)-1]
	l.clear()
	return l
}

// there says whether nothing has to be waited for.
func (f *figures) there() bool {
	for i := range f.batches {
		if f.batches[i].wait != nil {
			return false
		}
	}
	return f.norm.wait == nil
}

// sums waits for the losses of all micro-batches and adds them up.
func (f *figures) sums() (sums measured, err error) {
	for i := range f.batches {
		m, err := f.batches[i].sum()
		if err != nil {
			return sums, err
		}
		sums.add(m)
	}
	return sums, nil
}

// settle tells the figures of the step that is under way, if there is one, when they are there.
func (r *run) settle() error {
	f := r.underway
	if f == nil {
		return nil
	}
	r.underway = nil
	sums, err := f.sums()
	if err != nil {
		return fmt.Errorf("step %d: %w", f.Step, err)
	}
	if f.GradNorm, err = f.norm.value(f.Step); err != nil {
		return err
	}
	f.Loss = sums.loss / f.normaliser
	if decides(r.job.Spec.Objective) {
		accuracy := sums.hits / f.normaliser
		f.Accuracy = &accuracy
	}
	now := time.Now()
	f.Seconds, r.settled = now.Sub(later(f.begun, r.settled)).Seconds(), now
	r.state.Loss = f.Loss
	r.job.Progress.Step(f.Step, r.job.Plan.Steps(), f.Metrics)
	return r.metrics.write(f.Metrics)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

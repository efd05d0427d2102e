package train

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"testing"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/accelerators/dry"
	"github.com/carebot-llm/carebot/host/internal/data"
	"github.com/carebot-llm/carebot/host/internal/model"
)

// garbage is how many allocations on the Go heap a whole step makes in the steady state: gradients of two micro-batches,
// their norm and the update. Which worker runs which block is not determined, so a worker may need its scratch for the
// first time after many steps: the state is steady as soon as one measurement is zero, which garbage of every step
// never lets it be.
func garbage(t *testing.T, dev accelerators.Device, s stage) float64 {
	t.Helper()
	job := s.job(t, dev, t.TempDir())
	r := newRun(job)
	if err := r.allocate(); err != nil {
		t.Fatal(err)
	}
	defer r.close()
	o, err := newObjective(s.spec)
	if err != nil {
		t.Fatal(err)
	}
	if d, ok := o.(*dpo); ok {
		d.reference = make([]float32, job.Plan.Sequences())
	}
	r.unit.objective = o
	micros := []data.Batch{job.Plan.Micro(0, 0, 2), job.Plan.Micro(0, 1, 2)}
	least := math.Inf(1)
	for range 30 {
		if least = min(least, allocations(t, r, micros)); least == 0 {
			break
		}
	}
	return least
}

func allocations(t *testing.T, r *run, micros []data.Batch) float64 {
	return testing.AllocsPerRun(3, func() {
		f := r.begin()
		r.job.Model.Params().ZeroGrad(r.job.Device)
		for _, micro := range micros {
			if err := r.unit.learn(micro, 10, f.next()); err != nil {
				t.Fatal(err)
			}
		}
		r.optimizer.step(1, 1e-3, &f.norm)
		if _, err := f.sums(); err != nil {
			t.Fatal(err)
		}
	})
}

func (s stage) name() string {
	return fmt.Sprintf("%s %s, checkpointing %v, base in NF4 %v", s.arch, s.spec.Objective, s.spec.GradientCheckpointing,
		BaseInNF4(s.spec))
}

func everyStage() []stage {
	var all []stage
	for _, objective := range objectives {
		plain, checkpointed, encoder := newStage(objective), newStage(objective), newStage(objective)
		checkpointed.spec.GradientCheckpointing = true
		all = append(all, plain, checkpointed, plain.packed(), checkpointed.packed())
		if encoder.head() == model.HeadClassify {
			encoder.arch = model.Roberta
			all = append(all, encoder)
		}
	}
	for _, optimizer := range slices.Sorted(maps.Keys(compact)) {
		s := newStage("next_token")
		s.spec.Optimizer = optimizer
		all = append(all, s)
	}
	return all
}

func TestTheEngineMakesNoGarbage(t *testing.T) {
	for _, s := range everyStage() {
		for _, s.spec.BF16 = range []bool{false, true} {
			if n := garbage(t, dry.New(s.spec.BF16), s); n != 0 {
				t.Errorf("%s, bf16 %v: %v allocations a step", s.name(), s.spec.BF16, n)
			}
		}
	}
}

func TestTheEngineMakesNoGarbageOnTheProcessor(t *testing.T) {
	for _, s := range everyStage() {
		if n := garbage(t, threads(t, 2), s); n != 0 {
			t.Errorf("%s: %v allocations a step", s.name(), n)
		}
	}
}
